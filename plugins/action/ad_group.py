# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.ad_group."""

from __future__ import annotations

import typing as t

from ..plugin_utils._actions.base import Outcome, VolumeActivationAction
from ..plugin_utils._directory import settings
from ..plugin_utils._directory.groups import WantedGroup, ensure_group
from ..plugin_utils._directory.replication import Awaited, wait
from ..plugin_utils._directory.session import open_session


class ActionModule(VolumeActivationAction):
    """A group and accounts in it."""

    SECRETS = settings.SECRETS
    VARIABLES = settings.VARIABLES

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        wanted = WantedGroup(
            options["name"],
            options["scope"],
            options["path"] or "",
            options["description"] or "",
            tuple(options["members"]),
            options["after"] or "",
            options["state"] == "exact",
            tuple(options["members_absent"]),
        )
        given = settings.DirectorySettings.from_options(options)
        with open_session(given) as session:
            done = ensure_group(session, wanted, check_mode)
            awaited = Awaited(
                session.root.domain_dn,
                f"group {wanted.name}",
                f"the group {wanted.name} and its members",
                lambda other: ensure_group(other, wanted, check_mode=True).steps,
                0 if check_mode else options["wait_for_replication"],
            )
            done.result["replication"] = wait(session, given, awaited, done.steps)
        return Outcome(done.steps, done.result, warnings=done.warnings)
