# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.dns_srv."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence
from functools import partial

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
from ..plugin_utils._dns.rrset import RrsetWish
from ..plugin_utils._dns.srv import DNS_PORT, servers_of
from ..plugin_utils._dns.srv_record import PendingRecord, Record, RecordOutcome, ensure_all, in_turn
from ..plugin_utils._srv.value import SrvValue

Wished = Sequence[tuple[Record, RrsetWish]]


class ActionModule(VolumeActivationAction):
    """SRV values of a name, or of several names of a zone."""

    SECRETS = settings.SECRETS
    VARIABLES: t.ClassVar = {**VARIABLES, **settings.VARIABLES}
    CONSTRAINTS: t.ClassVar = {
        "required_one_of": [["values", "records"]],
        "mutually_exclusive": [["values", "records"], ["record", "records"]],
    }

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        wished = settings.wished_from_options(
            options, lambda controller: root_of(DirectorySettings.from_options({**options, "domain_server": controller}))
        )
        zone = wished[0][0].zone
        with zone.channel:
            ensure = _ensure_static if options["method"] == "static" else _ensure_dynamic
            done = ensure(wished, options, check_mode)
        common = {"zone": zone.name, "server": zone.channel.server.name, "messages": zone.channel.messages}
        named = {"records": [outcome.result for outcome in done]} if options["records"] else done[0].result
        return Outcome(
            [step for outcome in done for step in outcome.steps],
            {**named, **common},
            [part for outcome in done for part in outcome.diff],
            [sentence for outcome in done for sentence in outcome.warnings],
        )


def _ensure_dynamic(wished: Wished, options: dict[str, t.Any], check_mode: bool) -> list[RecordOutcome]:
    """Written to one name server of the zone, and waited for at the others where that is wanted."""
    done = ensure_all(wished, check_mode)
    seconds = 0 if check_mode else options["wait_for_replication"]
    known = servers_of(options["dns_servers"] or ()) if seconds else []
    made = [step for outcome in done for step in outcome.steps]
    for (record, wish), outcome in zip(wished, done, strict=True):
        outcome.result["replication"] = spread.wait(record, wish, known, seconds, made)
    return done


def _ensure_static(wished: Wished, options: dict[str, t.Any], check_mode: bool) -> list[RecordOutcome]:
    """Written into the directory of a domain controller, and read back from the DNS server as well."""
    controllers = options["domain_server"] or [split_address(server, DNS_PORT)[0] for server in names_in(options["server"])]
    given = DirectorySettings.from_options({**options, "domain_server": controllers})
    seconds = 0 if check_mode else options["wait_for_replication"]
    zone = wished[0][0].zone

    def look(record: Record, wish: RrsetWish) -> list[Step]:
        return _ensure(session, record, wish, check_mode=True).steps if len(wished) > 1 else []

    with open_session(given) as session:
        try:
            return in_turn(
                [
                    PendingRecord(look(record, wish), partial(_one_static, session, given, record, wish, check_mode, seconds))
                    for record, wish in wished
                ]
            )
        except ZoneMissing as missing:
            raise told_apart(missing, zone.name, session.server, [zone.channel.server]) from None


def _one_static(
    session: DirectorySession, given: DirectorySettings, record: Record, wish: RrsetWish, check_mode: bool, seconds: float
) -> RecordOutcome:
    done = _ensure(session, record, wish, check_mode)
    awaited = Awaited(
        done.partition,
        f"SRV {record.owner}",
        f"the values of {record.owner}",
        lambda other: _ensure(other, record, wish, check_mode=True).steps,
        seconds,
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


def _ensure(session: DirectorySession, record: Record, wish: RrsetWish, check_mode: bool) -> static_srv.StaticOutcome:
    values = [(value.priority, value.weight, value.port, value.target) for value in wish.values]
    return static_srv.ensure(session, record.zone.name, record.owner, values, wish.state, wish.ttl, check_mode, match_target=wish.by_target)


def _held(rows: list[dict[str, t.Any]]) -> dict[SrvValue, int]:
    return {SrvValue(row["priority"], row["weight"], row["port"], row["target"]): row["ttl"] for row in rows}
