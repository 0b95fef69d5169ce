# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KMS host's own values in the records of DNS domains: seen there, or made to appear.

Windows publishes by itself when it is activated and when sppsvc starts, with the rights of its machine account. Nothing
over WMI shows whether that worked or which groups its ticket knows, so the records decide: a host that is absent from one
although it should be there gets a new ticket, and publishes again.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..._core.errors import ActivationError
from ..._core.plan import Step
from ..._licensing.publish_list import PublishLine, parse_line
from ..._srv.value import SrvValue
from ..._wsman.session import Session
from ..platform import computer
from . import publication_events
from .setup import KmsHostSetup

SETTLE = 5.0
"""Seconds within which a publication that is going to work shows up as a rule: the host sends one update to a server that
answers at once. Purging tickets too early does no harm; a reboot does, so before one the whole time limit is waited for."""

NOT_PUBLISHED = "notPublished"
"""The name of the error of a host that is activated and whose values do not show."""

LOOK_INTO_LOG = 3.0
"""Seconds after which Windows has written down what came of it as a rule. To read the log costs the host much, so it is done once meanwhile."""

ValuesOf = Callable[[str, Mapping[str, Callable[[SrvValue], bool]]], Mapping[str, tuple[SrvValue, ...]]]
"""Reads DNS: the values of a host by domain, given what to look for in each."""


@dataclass(frozen=True, slots=True)
class WantedValue:
    """What one record has to say of the host.

    Attributes:
        domain: The DNS domain whose C(_vlmcs._tcp) has to name the host.
        priority: With which priority; C(None) for any.
        weight: With which weight; C(None) for any.
        own_numbers: With those that the host itself publishes there: of its publish list, or 0 and 0. Other values of it are old.
    """

    domain: str
    priority: int | None = None
    weight: int | None = None
    own_numbers: bool = False

    @property
    def record(self) -> str:
        """The record's name."""
        return f"_vlmcs._tcp.{self.domain}"

    @property
    def numbered(self) -> bool:
        """Whether priority or weight is given."""
        return not self.own_numbers and (self.priority is not None or self.weight is not None)

    def met_by(self, value: SrvValue, port: int) -> bool:
        """Whether a value of the host is the one that is wanted."""
        return value.port == port and self.agrees(value.priority, value.weight)

    def agrees(self, priority: int, weight: int) -> bool:
        """Whether these numbers are those that are wanted."""
        return self.priority in (None, priority) and self.weight in (None, weight)

    def shown(self, value: SrvValue) -> str:
        """A value as the plan shows it."""
        wrong = self.own_numbers and not self.agrees(value.priority, value.weight)
        return f"{value.target}:{value.port}" + (f" ({value.priority} {value.weight})" if self.numbered or wrong else "")

    def by_host(self, lines: Sequence[str]) -> WantedValue:
        """The same with the numbers that a host with these lines of a publish list publishes, where it is to have its own."""
        if not self.own_numbers:
            return self
        listed = (line for line in map(parse_line, lines) if line is not None and line.domain == self.domain)
        line = next(listed, PublishLine(self.domain))
        return replace(self, priority=line.priority, weight=line.weight)

    @property
    def numbers(self) -> str:
        """Priority and weight as the plan shows them."""
        if self.priority is not None and self.weight is not None:
            return f"{self.priority} {self.weight}"
        return f"priority {self.priority}" if self.weight is None else f"weight {self.weight}"


@dataclass(frozen=True, slots=True)
class Publication:
    """Where and how a host has to be published.

    Attributes:
        wanted: What each of the records has to say, each domain once.
        port: The TCP port that they have to name; C(None) for the one that the host has.
        ticket: How the host gets a ticket with its present groups: C(purge), C(reboot), C(wait) or C(none).
        timeout: Seconds to wait for the records after the host was made to publish.
        reboot_timeout: Seconds to wait for the host after a reboot.
        values_of: Reads DNS.
    """

    wanted: tuple[WantedValue, ...]
    port: int | None
    ticket: str
    timeout: float
    reboot_timeout: float
    values_of: ValuesOf


class PublishedHost:
    """The records of one host, before and after the host itself was changed.

    Args:
        session: The host.
        publication: What has to be published.
    """

    def __init__(self, session: Session, publication: Publication) -> None:
        self._session = session
        self._publication = publication
        self._wanted = publication.wanted
        self.fqdn = computer.read_fqdn(session)
        self._port = publication.port
        self._held: dict[str, tuple[SrvValue, ...]] = {}
        self._published_by = dict.fromkeys((wanted.domain for wanted in publication.wanted), "before")

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The records as the task's result shows them."""
        return [
            {
                "record": wanted.record,
                "target": self.fqdn,
                "published_by": self._published_by[wanted.domain],
                "old_values": [
                    {"port": value.port, "priority": value.priority, "weight": value.weight}
                    for value in self._held.get(wanted.domain, ())
                    if not wanted.met_by(value, self._port or 0)
                ],
            }
            for wanted in self._wanted
        ]

    def plan(self, host: KmsHostSetup) -> None:
        """Add what is missing from the records to the host's plan."""
        self._port = port = self._publication.port or host.port
        if any(wanted.own_numbers for wanted in self._wanted):
            lines = host.publish_lines
            self._wanted = tuple(wanted.by_host(lines) for wanted in self._wanted)
        absent = self._absent_from(self._wanted)
        if not host.taken_as_made:
            for wanted in absent:
                self._demand_publishing(host, wanted, port)
        for wanted in absent:
            self._published_by[wanted.domain] = "planned"
            step = Step(
                self._session.host,
                f"SRV {wanted.record}",
                ", ".join(map(wanted.shown, self._held[wanted.domain])) or None,
                f"{self.fqdn}:{port}" + (f" ({wanted.numbers})" if wanted.numbered else "") + self._by_restart,
                "published by the host itself",
                after_step="license status" if host.activating else "",
            )
            host.plan.add(step, self._publisher(host, wanted, absent))

    @property
    def _by_restart(self) -> str:
        return ", by a restart of Windows only if its ticket is refused" if self._publication.ticket == "reboot" else ""

    def _absent_from(self, looked_at: Sequence[WantedValue]) -> list[WantedValue]:
        """Those of the records that do not say what they should; all are asked at the same time."""
        port = self._port or 0
        judges = {wanted.domain: functools.partial(wanted.met_by, port=port) for wanted in looked_at}
        self._held |= self._publication.values_of(self.fqdn, judges)
        return [wanted for wanted in looked_at if not any(map(judges[wanted.domain], self._held[wanted.domain]))]

    def _demand_publishing(self, host: KmsHostSetup, wanted: WantedValue, port: int) -> None:
        """Refuse what no ticket could bring about. What check mode takes as made may be about to change these settings."""
        if not host.publishes:
            raise ActivationError(f"{self._session.host} has DNS publishing switched off; give O(dns_publishing): true.", source="windows")
        if port != host.port:
            raise ActivationError(
                f"{self._session.host} listens on port {host.port}, so Windows does not publish port {port}; give O(listening_port).",
                source="windows",
            )
        home = self.fqdn.partition(".")[2]
        if wanted.domain == home and not wanted.numbered:
            # Listed or not, with a list or without: all of Microsoft's texts let the host appear here, or do not deny it.
            return
        lines = [line for line in map(parse_line, host.publish_lines) if line is not None]
        listed = next((line for line in lines if line.domain == wanted.domain), None)
        if listed is None and wanted.domain != home:
            raise ActivationError(
                f"{self._session.host} publishes itself in {', '.join(line.domain for line in lines) or home}, and its"
                f" DnsDomainPublishList does not name {wanted.domain}; give O(publish_list).",
                source="windows",
            )
        numbers = listed or PublishLine(home)
        if not wanted.agrees(numbers.priority, numbers.weight):
            raise ActivationError(
                f"{self._session.host} publishes itself in {wanted.domain} with priority {numbers.priority} and weight {numbers.weight},"
                f" so Windows does not publish {wanted.numbers} there; give O(publish_list).",
                source="windows",
            )

    def _publisher(self, host: KmsHostSetup, wanted: WantedValue, absent: Sequence[WantedValue]) -> Callable[[], None]:
        """What makes the step of one record. The first of them brings the host into all, as one restart does."""

        def publish() -> None:
            if not host.state.licensed:
                raise ActivationError(f"{self._session.host} is no activated KMS host, so Windows does not publish it.", source="windows")
            if self._published_by[wanted.domain] == "planned":
                self._ensure(host, absent)

        return publish

    def _ensure(self, host: KmsHostSetup, missing: Sequence[WantedValue]) -> None:
        """Wait for the records, and give the host a new ticket where it does not come into all of them."""
        publication = self._publication
        began = time.monotonic()
        log = publication_events.PublicationLog(self._session, lambda: time.monotonic() - began)
        attempted = host.activating or host.restarted or publication.ticket != "none"
        patience = publication.timeout if publication.ticket in ("reboot", "none") else min(SETTLE, publication.timeout)
        if host.activating or host.restarted:
            missing = self._wait_for(missing, patience, "itself")
            if not missing:
                return
        took = "restart"
        if publication.ticket == "purge":
            computer.purge_tickets(self._session)
            took = "purge"
        elif publication.ticket == "reboot":
            computer.reboot(self._session, publication.reboot_timeout)
            took = "reboot"
            host.warnings.append(computer.restarted(self._session.host))
        if publication.ticket != "none":
            began = time.monotonic()
            # sppsvc keeps its security context with the DNS server, so it is restarted after the purge, too.
            host.restart()
            missing = self._wait_for(missing, publication.timeout, took, log)
        if missing:
            reason = log.explain(wanted.domain for wanted in missing) if attempted else ""
            raise ActivationError(self._complaint(took, missing) + reason, name=NOT_PUBLISHED, source="dns")

    def _wait_for(
        self, missing: Sequence[WantedValue], timeout: float, took: str, log: publication_events.PublicationLog | None = None
    ) -> list[WantedValue]:
        """Wait until every record says what it should, or the host has written down that it was refused; returns those that still do not."""
        begun = time.monotonic()
        pause = 0.1
        while True:
            absent = self._absent_from(missing)
            self._published_by |= {wanted.domain: took for wanted in missing if wanted not in absent}
            waited = time.monotonic() - begun
            if not absent or waited >= timeout:
                return absent
            missing = absent
            if log and waited >= LOOK_INTO_LOG:
                if log.has_refusals(wanted.domain for wanted in missing):
                    return absent
                log = None
            time.sleep(pause)
            pause = min(pause * 2, 1.0)

    def _complaint(self, took: str, missing: Sequence[WantedValue]) -> str:
        publication = self._publication
        records = " and ".join(f"{wanted.record} does not name {self.fqdn}{self._lacking(wanted)}" for wanted in missing)
        sentence = f"{self._session.host} is activated, but {records}"
        if publication.ticket == "none":
            return sentence + ", and no new ticket was asked for. Its machine account needs read, write and delete on that record."
        if publication.ticket == "wait":
            return (
                sentence + f" within {publication.timeout:.0f} seconds of a restart of sppsvc. Where another host owns the record, a"
                " group of the KMS hosts needs rights on it (dns_record_acl), and a Kerberos ticket that knows the group: it is"
                " renewed within 10 hours, or at once by ticket: purge or ticket: reboot."
            )
        made = "its tickets were purged and sppsvc was restarted" if took == "purge" else "it was rebooted"
        return (
            sentence + f" although {made}. Its machine account, or a group that it is in, needs read, write and delete on"
            " that record (dns_record_acl)."
        )

    def _lacking(self, wanted: WantedValue) -> str:
        """What the record should say instead of what it says."""
        held = ", ".join(map(wanted.shown, self._held[wanted.domain]))
        numbers = f" with {wanted.numbers}" if wanted.numbered else ""
        return numbers + (f" (but {held})" if held else "")
