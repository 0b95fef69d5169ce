# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose realm a secure update is for: what the controller says of itself, not what its name looks like."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from unit.plugin_utils.name_server import A, NameServer, address

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.module_options import documented_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.settings import Root, wished_from_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.signing import KerberosKey
from ansible_collections.winops.volume_activation.plugins.plugin_utils._kerberos.logon import Logon
from ansible_collections.winops.volume_activation.plugins.plugin_utils._kerberos.tickets import tickets

pytestmark = pytest.mark.tier("test")

DEFAULTS = {name: option.get("default") for name, option in documented_options("dns_srv").items()}
VALUES = [{"target": "kms-1.contoso.com", "port": 1688, "priority": 0, "weight": 0}]
NAMES = ("dc1.fabrikam.com", "ns1.fabrikam.com", "ns1.elsewhere.test")


def logon(root: Root | None, **options: object) -> Logon:
    asked: list[str] = []

    def root_of(controller: str) -> Root | None:
        asked.append(controller)
        return root

    with NameServer({(name, A): [(60, address("127.0.0.1"))] for name in NAMES}) as server:
        given = {**DEFAULTS, "zone": "contoso.com", "dns_servers": [f"127.0.0.1:{server.port}"], **options, "values": VALUES}
        (record, _wish), *_others = wished_from_options(given, root_of)
        assert asked == [], "nobody is asked before something is to be signed"
        assert isinstance(record.zone.signer, KerberosKey)
        found = record.zone.signer.logon()
    assert asked == ["dc1.fabrikam.com"]
    return found


@pytest.mark.parametrize(
    ("options", "hosts"),
    [
        ({"server": "dc1.fabrikam.com"}, ("dc1.fabrikam.com",)),
        ({"server": "ns1.fabrikam.com", "domain_server": "dc1.fabrikam.com"}, ("dc1.fabrikam.com", "ns1.fabrikam.com")),
        ({"server": "ns1.elsewhere.test", "domain_server": "dc1.fabrikam.com"}, ("dc1.fabrikam.com",)),
    ],
)
def test_the_realm_is_that_of_the_directory(options: dict[str, str], hosts: tuple[str, ...]) -> None:
    found = logon(SimpleNamespace(domain="contoso.com", skew=12.0, address="192.0.2.7"), **options)
    assert (found.realm, found.skew, found.kdc, found.hosts) == ("CONTOSO.COM", 12.0, "192.0.2.7", hosts)


def test_where_the_controller_cannot_be_asked_its_name_has_to_do() -> None:
    found = logon(None, server="dc1.fabrikam.com")
    assert (found.realm, found.skew, found.kdc) == ("FABRIKAM.COM", 0.0, "127.0.0.1")


def test_the_first_server_that_answers_is_taken() -> None:
    """Nobody listens on 127.0.0.2, and the first controller can't be asked."""
    asked: list[str] = []

    def root_of(controller: str) -> Root | None:
        asked.append(controller)
        return SimpleNamespace(domain="contoso.com", skew=0.0, address="192.0.2.7") if controller == "dc2.contoso.com" else None

    records = {(f"dc{number}.contoso.com", A): [(60, address(f"127.0.0.{3 - number}"))] for number in (1, 2)}
    with NameServer(records) as server:
        named = [f"dc1.contoso.com:{server.port}", f"dc2.contoso.com:{server.port}"]
        given = {**DEFAULTS, "zone": "contoso.com", "dns_servers": [f"127.0.0.1:{server.port}"], "server": named, "values": VALUES}
        (record, _wish), *_others = wished_from_options({**given, "domain_server": ["dc1.contoso.com", "dc2.contoso.com"]}, root_of)
    assert record.zone.channel.server.name == named[1]
    assert isinstance(record.zone.signer, KerberosKey)
    assert (record.zone.signer.host, record.zone.signer.logon().kdc) == ("dc2.contoso.com", "192.0.2.7")
    assert asked == ["dc1.contoso.com", "dc2.contoso.com"]


def test_kerberos_knows_a_host_of_another_domain_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    with tickets(logon(SimpleNamespace(domain="contoso.com", skew=0.0, address="192.0.2.7"), server="dc1.fabrikam.com")):
        text = Path(os.environ["KRB5_CONFIG"].split(":")[1]).read_text(encoding="ascii")
    assert [line.strip() for line in text.partition("[domain_realm]")[2].split("\n") if line] == [
        ".contoso.com = CONTOSO.COM",
        "contoso.com = CONTOSO.COM",
        "dc1.fabrikam.com = CONTOSO.COM",
    ]
