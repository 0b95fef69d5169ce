# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Static SRV values of an AD-integrated zone, written into the directory.

A dynamic update cannot make a static value (RFC 2136 knows no aging), so they are written as C(dnsRecord). The values of
that attribute are independent of each other: each change takes away the very bytes that were read and adds others, all in
one message, so that nobody's value is lost and a value that changed meanwhile is noticed by the controller itself.

A DNS server of Windows shows what is written here once it has looked into the directory, by default within three minutes.
"""

from __future__ import annotations

import datetime
import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .._core.errors import ActivationError
from .._core.plan import Step, StepFailed
from .._srv.value import SrvValue
from . import dns_node, dns_record
from .dns_node import NodePlace
from .dns_record import TYPE_TOMBSTONE, DnsRecord
from .session import Change, DirectorySession

DEFAULT_TTL = 3600
"""What a KMS host of Windows gives its own record."""

_LOST_RACE = frozenset({"noSuchAttribute", "attributeOrValueExists", "entryAlreadyExists", "noSuchObject", "busy"})
"""Somebody else changed the node after it was read."""

_WRITE = "WRITE_PROPERTY (dnsRecord, dNSTombstoned)"
"""The second attribute is needed where the last value goes or the first one comes."""

_CONFLICTS, _WRITES = 100, 5
_PAUSE = 0.02


@dataclass(slots=True)
class StaticOutcome:
    """What was done, or would be.

    Attributes:
        steps: The changes.
        dn: The name's node.
        partition: The partition that its zone lies in.
        before: The SRV values that the node had: C(target), C(port), C(priority), C(weight), C(ttl) and C(static) of each.
        after: Those that it has, or in check mode would have.
        lacks: Why a real run would be refused, as a sentence; in check mode only.
    """

    steps: list[Step]
    dn: str
    partition: str
    before: list[dict[str, object]]
    after: list[dict[str, object]]
    lacks: str = ""


def ensure(
    session: DirectorySession,
    zone: str,
    name: str,
    values: Iterable[tuple[int, int, int, str]],
    state: str,
    ttl: int | None,
    check_mode: bool,
    *,
    match_target: bool = False,
) -> StaticOutcome:
    """Bring static SRV values of a name to what is wanted, and read them back from the same controller.

    Args:
        session: A session with a controller that holds the zone.
        zone: The zone's name.
        name: The name, relative to the zone or whole.
        values: Priority, weight, port and target of each.
        state: C(present), C(absent), or C(exact): no other SRV values beside these.
        ttl: Seconds for the wanted values; C(None) to leave what is there, and to give new ones that of their neighbours.
        check_mode: Read and compare only.
        match_target: Other values of the wanted targets go as well, with C(present) and with C(absent).

    Returns:
        The steps, and what the node holds now. A name that is new belongs to the account and has the rights that its zone
        hands down. One that was deleted and comes back has the rights that it had.

    Raises:
        ActivationError: The zone is missing, a value cannot be one, or the account lacks a right.
        StepFailed: The write failed, or others keep undoing it.
    """
    wanted = dns_record.srv_values(values)
    for value in wanted:
        dns_record.srv_data(value)
    return _Values(session, *dns_node.relative_name(zone, name), wanted, state, ttl, match_target).ensure(check_mode)


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One value that goes, comes or changes."""

    step: Step
    old: tuple[bytes, ...]
    new: DnsRecord | None


class _Values:
    """One task's work."""

    def __init__(
        self, session: DirectorySession, zone: str, name: str, wanted: tuple[SrvValue, ...], state: str, ttl: int | None, match_target: bool
    ) -> None:
        self.session = session
        self.zone = zone
        self.name = name
        self.wanted = wanted
        self.state = state
        self.ttl = ttl
        self.targets = {value.target for value in wanted} if match_target else set()
        self._serial: int | None = None

    def ensure(self, check_mode: bool) -> StaticOutcome:
        place = self._read()
        before = _srv_records(place)
        planned = self._exchanges(place)
        steps = [exchange.step for exchange in planned]
        lacks = self._lacking_right(place) if planned and check_mode else ""
        if check_mode or not planned:
            gone = {value for exchange in planned for value in exchange.old}
            left = [record for value, record in _records(place).items() if record.srv and value not in gone]
            after = [*left, *(exchange.new for exchange in planned if exchange.new is not None)]
        else:
            steps, place = self._write(place, planned)
            after = _srv_records(place)
        return StaticOutcome(steps, place.dn, place.partition, _shown(before), _shown(after), lacks)

    def _read(self) -> NodePlace:
        return dns_node.locate(self.session, self.zone, self.name, ["dnsRecord", "dNSTombstoned"])

    def _exchanges(self, place: NodePlace) -> list[_Exchange]:
        """What has to change, by what the node holds now."""
        stored: dict[SrvValue, dict[bytes, DnsRecord]] = {}
        for octets, record in _records(place).items():
            if record.srv is not None:
                stored.setdefault(record.srv, {})[octets] = record
        exchanges = [_Exchange(self._step(value, "present", "absent"), tuple(stored[value]), None) for value in self._going(stored)]
        if self.state != "absent":
            ttls = [record.ttl for records in stored.values() for record in records.values()]
            for value in self.wanted:
                exchanges += self._kept(value, stored[value]) if value in stored else [self._added(value, ttls)]
        if _is_hidden(place):
            step = Step(self._object, "tombstoned", True, False, "LDAP modify of dNSTombstoned")
            exchanges.append(_Exchange(step, (), None))
        return exchanges

    def _going(self, stored: Iterable[SrvValue]) -> list[SrvValue]:
        wanted = set(self.wanted)
        if self.state == "absent":
            return sorted(value for value in stored if value in wanted or value.target in self.targets)
        return sorted(value for value in stored if value not in wanted and (self.state == "exact" or value.target in self.targets))

    def _added(self, value: SrvValue, ttls: list[int]) -> _Exchange:
        ttl = self.ttl if self.ttl is not None else next(iter(ttls), DEFAULT_TTL)
        return _Exchange(self._step(value, "absent", "present"), (), dns_record.static_srv(value, ttl, 0))

    def _kept(self, value: SrvValue, stored: Mapping[bytes, DnsRecord]) -> list[_Exchange]:
        """A value that is there becomes static and gets the TTL; the same value twice becomes one."""
        old = next(iter(stored.values()))
        new = old.made_static(self.ttl, 0)
        steps = []
        if any(not record.is_static for record in stored.values()):
            steps.append(Step(self._object, f"aging of {value}", "dynamic", "static", "LDAP modify of dnsRecord"))
        if any(record.ttl != new.ttl for record in stored.values()):
            steps.append(Step(self._object, f"ttl of {value}", old.ttl, new.ttl, "LDAP modify of dnsRecord"))
        # The bytes are exchanged once, whatever the number of steps.
        return [_Exchange(step, tuple(stored) if step is steps[0] else (), new if step is steps[0] else None) for step in steps]

    @property
    def _object(self) -> str:
        return f"SRV {dns_node.node_name(self.zone, self.name)}"

    def _step(self, value: SrvValue, before: str, after: str) -> Step:
        return Step(self._object, f"value {value}", before, after, "LDAP modify of dnsRecord, static")

    def _write(self, place: NodePlace, planned: list[_Exchange]) -> tuple[list[Step], NodePlace]:
        """Write until what is read back is as wanted; returns the steps that were made, and what was read back.

        The values are read anew whenever the controller says that one of them is not as it was read.
        """
        done: list[Step] = []
        conflicts = writes = 0
        remaining = planned
        while remaining:
            try:
                if conflicts >= _CONFLICTS or writes >= _WRITES:
                    raise ActivationError(
                        f"{self._object} keeps being changed by others on {self.session.server}: it was written {writes} times "
                        f"and changed by somebody else {conflicts + writes} times. Find out who writes it.",
                        source="ldap",
                    )
                self._send(place, remaining)
            except ActivationError as failure:
                if failure.name not in _LOST_RACE:
                    steps = [exchange.step for exchange in remaining]
                    raise StepFailed(steps[0], done, steps[1:]) from failure
                conflicts += 1
                time.sleep(random.uniform(0, _PAUSE * min(conflicts, 10)))  # noqa: S311
            else:
                writes += 1
                done += [exchange.step for exchange in remaining]
            place = self._read()
            remaining = self._exchanges(place)
        return done, place

    def _send(self, place: NodePlace, exchanges: list[_Exchange]) -> None:
        serial = self._next_serial(place)
        old = [value for exchange in exchanges for value in exchange.old]
        new = [exchange.new.made_static(None, serial).to_bytes() for exchange in exchanges if exchange.new is not None]
        if place.entry is None:
            attributes = {"objectClass": [b"top", b"dnsNode"], "dnsRecord": new}
            self.session.add(place.dn, attributes, f"CREATE_CHILD (dnsNode) on {place.zone_dn}")
            return
        tombstones = [value for value, record in _records(place).items() if record.type == TYPE_TOMBSTONE]
        left = [value for value in place.entry.attributes.get("dnsrecord", []) if value not in old and value not in tombstones]
        flag = b"FALSE" if left or new else b"TRUE"
        if left or new:
            old += tombstones
        elif not tombstones:
            new.append(dns_record.tombstone(serial, datetime.datetime.now(datetime.UTC)).to_bytes())
        changes: list[Change] = [("delete", "dnsRecord", old)] if old else []
        changes += [("add", "dnsRecord", new)] if new else []
        if flag == b"TRUE" or _is_tombstoned(place):
            changes.append(("replace", "dNSTombstoned", [flag]))
        self.session.modify(place.dn, changes, f"{_WRITE} on {place.dn}")

    def _next_serial(self, place: NodePlace) -> int:
        """One more than the zone's serial number, which the DNS servers raise to it when they find the record."""
        if self._serial is None:
            self._serial = dns_node.next_serial(self.session, place.zone_dn)
        return self._serial

    def _lacking_right(self, place: NodePlace) -> str:
        """What a real run would be refused for, as a sentence; empty where the account has the right."""
        if place.entry is None:
            where, attribute, needed, right = place.zone_dn, "allowedChildClassesEffective", "dnsNode", "CREATE_CHILD (dnsNode)"
        else:
            where, attribute, needed, right = place.dn, "allowedAttributesEffective", "dnsRecord", _WRITE
        entry = self.session.read(where, [attribute])
        if entry and needed in entry.texts(attribute):
            return ""
        return f"{self._object} cannot be changed by this account: it lacks {right} on {where}. Have it delegated, or use another account."


def _records(place: NodePlace) -> dict[bytes, DnsRecord]:
    return dns_record.records_in(place.entry.attributes.get("dnsrecord", [])) if place.entry else {}


def _srv_records(place: NodePlace) -> list[DnsRecord]:
    """The records that DNS shows."""
    return [] if _is_tombstoned(place) else [record for record in _records(place).values() if record.srv]


def _shown(records: Iterable[DnsRecord]) -> list[dict[str, object]]:
    found = sorted((record.srv, record.ttl, record.is_static) for record in records if record.srv)
    return [
        {"target": srv.target, "port": srv.port, "priority": srv.priority, "weight": srv.weight, "ttl": ttl, "static": static}
        for srv, ttl, static in found
    ]


def _is_tombstoned(place: NodePlace) -> bool:
    return place.entry is not None and place.entry.text("dNSTombstoned").upper() == "TRUE"


def _is_hidden(place: NodePlace) -> bool:
    """Whether DNS shows none of the node's values: somebody took the last one that he knew of while another was added."""
    return _is_tombstoned(place) and any(record.type != TYPE_TOMBSTONE for record in _records(place).values())
