# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes that every module of the collection has."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragments C(_attributes), C(_attributes.windows), C(_attributes.directory), C(_attributes.dns),
    C(_attributes.files) and C(_attributes.microsoft).
    """

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Reads and compares as a real run does, changes nothing, and returns the steps that it would make.
    support: full
  diff_mode:
    description: Shows each object and attribute that changes, before and after.
    support: full
  idempotent:
    description: A second run without a change in between makes no step.
    support: full
  action:
    description: Runs on the control node. Nothing is uploaded to a target and no shell is opened there.
    support: full
  async:
    description: Can be used with C(async).
    support: none
"""

    WINDOWS = r"""
options: {}
attributes:
  platform:
    description: Target systems.
    platforms: windows
    support: full
  action_group:
    description: Use C(group/winops.volume_activation.windows) in C(module_defaults) for all modules that talk to Windows hosts.
    membership:
      - winops.volume_activation.windows
      - winops.volume_activation.all
    support: full
notes:
  - A host has C(volume_activation_first_contact_timeout) seconds, by default 10, to accept the connection, and as many for its first answer. The
    environment variable E(VOLUME_ACTIVATION_FIRST_CONTACT_TIMEOUT) stands in for the variable.
  - A host that did not answer in time is not asked again by later tasks of the same run, unless they have C(until) or C(retries).
"""

    DIRECTORY = r"""
options: {}
attributes:
  platform:
    description: Runs on the control node only.
    platforms: posix
    support: full
  action_group:
    description: Use C(group/winops.volume_activation.directory) in C(module_defaults) for all modules that talk to Active Directory.
    membership:
      - winops.volume_activation.directory
      - winops.volume_activation.all
    support: full
"""

    DNS = r"""
options: {}
attributes:
  platform:
    description: Runs on the control node only.
    platforms: posix
    support: full
  action_group:
    description: Use C(group/winops.volume_activation.dns) in C(module_defaults) for all modules that ask DNS servers.
    membership:
      - winops.volume_activation.dns
      - winops.volume_activation.all
    support: full
"""

    MICROSOFT = r"""
options: {}
attributes:
  platform:
    description: Runs on the control node only.
    platforms: posix
    support: full
  action_group:
    description: Use C(group/winops.volume_activation.microsoft) in C(module_defaults) for all modules that ask Microsoft.
    membership:
      - winops.volume_activation.microsoft
      - winops.volume_activation.all
    support: full
"""

    FILES = r"""
options: {}
attributes:
  platform:
    description: Runs on the control node only.
    platforms: posix
    support: full
  action_group:
    description: Use C(group/winops.volume_activation.files) in C(module_defaults) for all modules that work on files of the control node.
    membership:
      - winops.volume_activation.files
      - winops.volume_activation.all
    support: full
"""
