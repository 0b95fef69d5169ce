# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.dns_record_acl."""

from __future__ import annotations

import typing as t

from ..plugin_utils._actions.base import Outcome, VolumeActivationAction
from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._directory import settings
from ..plugin_utils._directory.dns_node import ZoneMissing
from ..plugin_utils._directory.record_acl import WantedGrant
from ..plugin_utils._directory.record_rights import WantedRights, ensure
from ..plugin_utils._directory.replication import Awaited, wait
from ..plugin_utils._directory.session import open_session
from ..plugin_utils._dns.hosting import told_apart
from ..plugin_utils._dns.srv import servers_of


class ActionModule(VolumeActivationAction):
    """Rights of a principal on a DNS name."""

    SECRETS = settings.SECRETS
    VARIABLES = settings.VARIABLES
    CONSTRAINTS: t.ClassVar = {
        "required_one_of": [["principal", "principals"]],
        "mutually_exclusive": [["principal", "principals"]],
    }

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        principals = options["principals"] or [options["principal"] or ""]
        if not all(principals):
            raise ActivationError("Name an account or a group in O(principal), or each in O(principals); there is none.", source="options")
        grant = WantedGrant.of(
            options["zone"], options["record"], principals[0], options["rights"], options["state"], options["after"] or ""
        )
        wanted = WantedRights(grant, tuple(dict.fromkeys(principals)), options["create"], options["owner"] == "administrators")
        given = settings.DirectorySettings.from_options(options)
        with open_session(given) as session:
            try:
                done = ensure(session, wanted, check_mode)
            except ZoneMissing as missing:
                raise told_apart(missing, grant.zone, session.server, servers_of(given.dns_servers or [session.server])) from None
            whose = ", ".join(row["principal"] for row in done.result["grants"])
            awaited = Awaited(
                done.result["partition"],
                grant.node_name,
                f"the rights of {whose} on {grant.node_name.removeprefix('dnsNode ')}",
                lambda other: ensure(other, wanted, check_mode=True).steps,
                0 if check_mode else options["wait_for_replication"],
            )
            done.result["replication"] = wait(session, given, awaited, done.steps)
        return Outcome(done.steps, done.result, done.diff, done.warnings)
