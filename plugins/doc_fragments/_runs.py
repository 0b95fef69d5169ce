# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the internal actions that decide over all hosts of a play have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment C(_runs)."""

    DOCUMENTATION = r"""
options:
  results:
    description:
      - The names that this action knows results by, and the variables that tasks before it registered them in.
      - A variable that no host has is an error that names it, unless O(optional) names the result.
    type: dict
    default: {}
  optional:
    description: Which of the results may be there on no host, because their task is not always run.
    type: list
    elements: str
    default: []
  min_hosts:
    description:
      - How many hosts the inventory has at least. The first step of a run that decides over all hosts fails where it has fewer.
      - Taken from the variable C(volume_activation_min_hosts), or the environment variable E(VOLUME_ACTIVATION_MIN_HOSTS), when it is left out.
    type: raw
attributes:
  check_mode:
    description: Decides as in a real run. Nothing is changed in either.
    support: full
  diff_mode:
    description: There is nothing to show, since nothing is changed.
    support: none
  idempotent:
    description: The same results lead to the same decision.
    support: full
  action:
    description: Runs on the control node, and connects to no host.
    support: full
  async:
    description: Can be used with C(async).
    support: none
  platform:
    description: Runs on the control node only.
    platforms: posix
    support: full
notes:
  - This action is a part of roles of the collection. Its options and return values change without notice.
  - It reads all hosts of the play, so that its task needs C(run_once) and its play no C(serial).
  - What it returns is in the variables of every host, and holds no secret. On success the event of a job stays empty.
"""
