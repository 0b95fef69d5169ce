# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.dns_srv."""

from __future__ import annotations

import typing as t

from ..plugin_utils._actions.base import Outcome, VolumeActivationAction
from ..plugin_utils._core.address import names_in, split_address
from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._core.plan import Step, StepFailed
from ..plugin_utils._directory import static_srv
from ..plugin_utils._directory.dns_node import ZoneMissing
from ..plugin_utils._directory.replication import Awaited, wait
from ..plugin_utils._directory.session import DirectorySession, open_session, root_of
from ..plugin_utils._directory.settings import VARIABLES, DirectorySettings
from ..plugin_utils._dns import settings, spread
from ..plugin_utils._dns.hosting import told_apart
from ..plugin_utils._dns.rrset import RrsetWish, checked_wish
from ..plugin_utils._dns.srv import DNS_PORT, servers_of
from ..plugin_utils._dns.srv_record import Record, RecordOutcome
from ..plugin_utils._srv.value import SrvValue


class ActionModule(VolumeActivationAction):
    """SRV values of a name."""

    SECRETS = settings.SECRETS
    VARIABLES: t.ClassVar = {**VARIABLES, **settings.VARIABLES}

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        wish = checked_wish(options["values"], options["state"], options["ttl"], options["match"] == "target")
        record = settings.record_from_options(
            options, lambda controller: root_of(DirectorySettings.from_options({**options, "domain_server": controller}))
        )
        with record.zone.channel:
            ensure = _ensure_static if options["method"] == "static" else _ensure_dynamic
            done = ensure(record, wish, options, check_mode)
        return Outcome(done.steps, done.result, done.diff, done.warnings)


def _ensure_dynamic(record: Record, wish: RrsetWish, options: dict[str, t.Any], check_mode: bool) -> RecordOutcome:
    """Written to one name server of the zone, and waited for at the others where that is wanted."""
    done = record.ensure(wish, check_mode)
    seconds = 0 if check_mode else options["wait_for_replication"]
    known = servers_of(options["dns_servers"] or ()) if seconds else []
    done.result["replication"] = spread.wait(record, wish, known, seconds, done.steps)
    done.result["messages"] = record.zone.channel.messages
    return done


def _ensure_static(record: Record, wish: RrsetWish, options: dict[str, t.Any], check_mode: bool) -> RecordOutcome:
    """Written into the directory of a domain controller, and read back from the DNS server as well."""
    controllers = options["domain_server"] or [split_address(server, DNS_PORT)[0] for server in names_in(options["server"])]
    given = DirectorySettings.from_options({**options, "domain_server": controllers})
    values = [(value.priority, value.weight, value.port, value.target) for value in wish.values]

    def ensure(session: DirectorySession, check_mode: bool) -> static_srv.StaticOutcome:
        return static_srv.ensure(
            session, record.zone.name, record.owner, values, wish.state, wish.ttl, check_mode, match_target=wish.by_target
        )

    with open_session(given) as session:
        try:
            done = ensure(session, check_mode)
        except ZoneMissing as missing:
            raise told_apart(missing, record.zone.name, session.server, [record.zone.channel.server]) from None
        awaited = Awaited(
            done.partition,
            f"SRV {record.owner}",
            f"the values of {record.owner}",
            lambda other: ensure(other, check_mode=True).steps,
            0 if check_mode else options["wait_for_replication"],
        )
        replication = wait(session, given, awaited, done.steps)
    if done.steps and not check_mode:
        try:
            record.wait_for(wish)
        except ActivationError as failure:
            shown = Step(f"SRV {record.owner}", f"shown by {record.zone.channel.server.name}", False, True, "DNS question")
            raise StepFailed(shown, done.steps, []) from failure
    outcome = record.outcome(wish, _held(done.before), _held(done.after), done.steps)
    outcome.result |= {"before": done.before, "after": done.after, "may_write": not done.lacks, "replication": replication}
    if done.lacks:
        outcome.warnings.append(done.lacks)
    return outcome


def _held(rows: list[dict[str, t.Any]]) -> dict[SrvValue, int]:
    return {SrvValue(row["priority"], row["weight"], row["port"], row["target"]): row["ttl"] for row in rows}
