# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What domain controllers hold: security descriptors, DNS records, and objects that are read by LDAP.

An object is a JSON document: by a word of the search, or of the name that is read, what is found; bytes are written as Latin-1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from random import Random
from typing import Any
from unittest.mock import patch

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import dns_node, grants, static_srv, trusts
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.activation_objects import ActivationObjects
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.dns_record import DnsRecord
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.entry import DirectoryEntry, RootDse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.machine_accounts import Host, find_accounts
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.principals import Domain
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.replication import controllers
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sddl import from_sddl, to_sddl
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.security_descriptor import (
    Acl,
    OpaqueAce,
    SecurityDescriptor,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.settings import DirectorySettings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sid import Sid

from .judge import Heard, Parser
from .mutations import loaded, mostly, of_bytes, of_json, times

BASE = "DC=contoso,DC=com"
DOMAIN, ACCOUNT = Sid(5, (21, 1111, 2222, 3333)), Sid(5, (21, 1111, 2222, 3333, 1104))
RIGHTS = 0x20094
HOST = Host("kms-2", ("kms-2.contoso.com",), "10.0.0.2", frozenset({"10.0.0.2"}), computer_name="KMS-2", service="HTTP/kms-2.contoso.com")


def read_descriptor(data: bytes, heard: Heard) -> None:
    """Read, show, change and write a descriptor."""
    descriptor = SecurityDescriptor.from_bytes(data)
    again = SecurityDescriptor.from_bytes(descriptor.to_bytes())
    if replace(again, order=descriptor.order, control=descriptor.control) != descriptor:
        heard.wrong.append("it is not what it was when it is written and read again")
    text = to_sddl(descriptor, DOMAIN)
    if not text.isprintable():
        heard.wrong.append(f"its SDDL is not one visible line: {text[:200]!r}")
    told = from_sddl(text, DOMAIN)
    if told.dacl is not None and descriptor.dacl is not None and to_sddl(told, DOMAIN) != text:
        heard.wrong.append("its SDDL is another one when it is read again")
    if descriptor.dacl is not None:
        _change(descriptor, descriptor.dacl)


def _change(descriptor: SecurityDescriptor, dacl: Acl) -> None:
    grants.partial_grants(dacl, ACCOUNT)
    grants.denials(dacl, [ACCOUNT], RIGHTS)
    granted = grants.grant(dacl, ACCOUNT, RIGHTS)
    for changed in (granted, grants.grant_exactly(granted, ACCOUNT, RIGHTS), grants.revoke(granted, ACCOUNT, RIGHTS)):
        descriptor.with_dacl(changed).dacl_alone().to_bytes()
    assert grants.granted(granted, ACCOUNT) & RIGHTS == RIGHTS or grants.denials(granted, [ACCOUNT], RIGHTS)


def _of_descriptor(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """One entry of a list changed, with all lengths as they have to be; now and then any bytes."""
    for _time in range(times(draw)):
        try:
            descriptor = SecurityDescriptor.from_bytes(data)
            acl = descriptor.dacl if draw.randrange(3) else descriptor.sacl
        except ActivationError:
            acl = None
        if acl is None or not acl.aces or not draw.randrange(4):
            data = of_bytes(draw, data, others)
            continue
        place = draw.randrange(len(acl.aces))
        ace = acl.aces[place].to_bytes()
        body = of_bytes(draw, ace[4:], [ace])[:400]
        made = OpaqueAce(draw.choice([*range(20), 255, ace[0], ace[0]]), draw.choice([ace[1], draw.randrange(256)]), body)
        aces = [*acl.aces[:place], *[made] * draw.choice([1, 1, 1, 2, 300]), *acl.aces[place + draw.randrange(2) :]]
        with suppress(ActivationError):
            changed = replace(acl, aces=tuple(aces))
            part = {"dacl": changed} if acl is descriptor.dacl else {"sacl": changed}
            data = replace(descriptor, **part).to_bytes()  # type: ignore[arg-type]
    return data


def read_record(data: bytes, heard: Heard) -> None:
    """A value of C(dnsRecord), alone, and among others of a node whose static values are changed."""
    record = DnsRecord.from_bytes(data)
    if record.to_bytes() != data:
        heard.wrong.append("it is not what it was when it is written")
    _shown = record.srv, record.zone_serial, record.is_static
    if record.srv is not None:
        heard.sentences.append(str(record.srv))
    record.made_static(None, 7).to_bytes()
    session: Any = Directory({"dc=_vlmcs._tcp": {"dnsRecord": [data.decode("latin-1")]}, "dc=@": {"dnsRecord": [data.decode("latin-1")]}})
    for state, match in (("present", True), ("exact", False), ("absent", False)):
        wanted = [(10, 75, 1688, "kms-1.contoso.com")]
        static_srv.ensure(session, "contoso.com", "_vlmcs._tcp", wanted, state, 600, True, match_target=match)


def _of_record(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The data of a record changed, with the length that it has to have."""
    head, body = data[:24], data[24:]
    for _time in range(times(draw)):
        if draw.randrange(5):
            body = of_bytes(draw, body, [other[24:] for other in others])[:60_000]
        else:
            head = of_bytes(draw, head, others)[:24].ljust(24, b"\0")
    surplus = draw.choice([0, 0, 0, 1, -1])
    return (len(body) + surplus & 0xFFFF).to_bytes(2, "little") + head[2:] + body


class Directory:
    """A session with a controller that finds what the document says, whatever the rest of a search is."""

    server = "dc1.contoso.com"
    root = RootDse(BASE, BASE, f"CN=Configuration,{BASE}", (BASE,), 0.0)

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = {str(key).lower(): value for key, value in document.items()}

    def search(self, base: str, text: str, _attributes: object, one_level: bool = False, **_more: object) -> list[DirectoryEntry]:
        return [entry for found in self._found(f"{text} {base}") for entry in self._entries(found)]

    def read(self, dn: str, _attributes: object, sd_flags: int = 0) -> DirectoryEntry | None:
        return next((entry for found in self._found(dn) for entry in self._entries(found)), None) or (
            DirectoryEntry(dn, {}) if dn.lower().startswith("dc=contoso.com,cn=microsoftdns,dc=domaindnszones") else None
        )

    def _found(self, text: str) -> Iterator[Any]:
        text = text.lower()
        # A zone is in one partition.
        elsewhere = "microsoftdns" in text and "domaindnszones" not in text
        return (value for key, value in self._document.items() if key in text and not elsewhere)

    @staticmethod
    def _entries(found: Any) -> Iterator[DirectoryEntry]:
        for entry in found if isinstance(found, list) else [found]:
            if isinstance(entry, Mapping):
                values = {
                    str(name): [str(value).encode("latin-1", "replace") for value in (given if isinstance(given, list) else [given])]
                    for name, given in entry.items()
                }
                yield DirectoryEntry.of(b"".join(values.pop("dn", [b"CN=x"])).decode("latin-1"), values)


def read_objects(data: bytes, heard: Heard) -> None:
    """Everything that is read of a directory, for each of its uses."""
    document = loaded(data)
    if not isinstance(document, Mapping):
        return
    session: Any = Directory(document)

    @contextmanager
    def opened(_settings: object) -> Iterator[Any]:
        yield session

    settings = DirectorySettings(server="dc1.contoso.com")
    with patch.object(trusts, "open_session", opened):
        for trust in trusts.read_trusts(settings, ["east.contoso.com", "fabrikam.example"]).values():
            heard.sentences += [trust.why] if trust.why else []
    for work in (_nodes, _accounts, _others):
        try:
            work(session, heard)
        except ActivationError as refusal:
            heard.sentences.append(refusal.message)
    RootDse.of(next(Directory._entries(document.get("root", {})), DirectoryEntry("", {})))


def _nodes(session: Any, _heard: Heard) -> None:
    node = dns_node.find_node(session, "contoso.com", "_vlmcs._tcp")
    dns_node.next_serial(session, "DC=contoso.com,CN=MicrosoftDNS")
    if node is not None:
        to_sddl(node.descriptor, DOMAIN)


def _accounts(session: Any, heard: Heard) -> None:
    found = find_accounts(session, [HOST, replace(HOST, named="KMS-2$")], "volume_activation_account", _addresses)
    heard.sentences += [account.problem for account in found.values() if account.problem]


def _addresses(names: Any) -> dict[str, frozenset[str]]:
    return {name: frozenset({"10.0.0.2"}) for name in names}


def _others(session: Any, _heard: Heard) -> None:
    domain = Domain(session)
    domain.find(["KMS_Hosts", "CONTOSO\\KMS-2$", "S-1-5-21-1-2-3-1104"])
    domain.sid()
    controllers(session, BASE)
    ActivationObjects(session).shown()


PARSERS = [
    Parser("descriptors", read_descriptor, _of_descriptor),
    Parser("records", read_record, _of_record),
    Parser("objects", read_objects, mostly(of_json, 1.0)),
]
