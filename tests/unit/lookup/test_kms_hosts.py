# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup kms_hosts, as templates reach it, against name servers of the test."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleError
from unit.plugin_utils.name_server import AAAA, REFUSED, SRV, A, NameServer, address, srv

from ansible_collections.winops.volume_activation.plugins.lookup import kms_hosts

pytestmark = pytest.mark.tier("quick")

NAME = "_vlmcs._tcp.contoso.com"
RECORDS = [srv(10, 0, 1688, "kms-0.contoso.com"), srv(10, 90, 1688, "KMS-1.contoso.com"), srv(10, 10, 1688, "kms-2.contoso.com")]
LAST = srv(90, 5, 1689, "kms-9.contoso.com")


@pytest.fixture
def lookup() -> t.Any:
    """The plugin with the options of its documentation, as Ansible's loader makes them known."""
    name = "winops.volume_activation.kms_hosts"
    constants.config.initialize_plugin_configuration_definitions("lookup", name, yaml.safe_load(kms_hosts.DOCUMENTATION)["options"])

    def ask(*terms: t.Any, variables: dict[str, t.Any] | None = None, **options: t.Any) -> list[dict[str, t.Any]]:
        plugin = kms_hosts.LookupModule()
        plugin._load_name = name
        return plugin.run(list(terms), variables or {}, **options)

    return ask


@pytest.fixture
def server() -> Iterator[NameServer]:
    with NameServer({(NAME, SRV): [(600, value) for value in [LAST, *RECORDS]]}) as running:
        running.records[("kms-1.contoso.com", A)] = [(60, address("192.0.2.2")), (60, address("192.0.2.1"))]
        running.records[("kms-2.contoso.com", AAAA)] = [(60, address("2001:db8::2"))]
        yield running


def at(server: NameServer) -> list[str]:
    return [f"127.0.0.1:{server.port}"]


def test_hosts_in_the_same_order_each_time(lookup: t.Any, server: NameServer) -> None:
    found = lookup("Contoso.com.", dns_servers=at(server), order="priority")
    assert found == [
        {
            "domain": "contoso.com",
            "target": target,
            "port": port,
            "priority": priority,
            "weight": weight,
            "ttl": 600,
            "addresses": addresses,
        }
        for target, port, priority, weight, addresses in (
            ("kms-1.contoso.com", 1688, 10, 90, ["192.0.2.1", "192.0.2.2"]),
            ("kms-2.contoso.com", 1688, 10, 10, ["2001:db8::2"]),
            ("kms-0.contoso.com", 1688, 10, 0, []),
            ("kms-9.contoso.com", 1689, 90, 5, []),
        )
    ]


def test_the_order_of_clients_follows_priority_and_weight(lookup: t.Any, server: NameServer) -> None:
    firsts = []
    for _turn in range(60):
        targets = [host["target"] for host in lookup("contoso.com", dns_servers=at(server), addresses=False)]
        assert targets[-1] == "kms-9.contoso.com"
        firsts.append(targets[0])
    # Nine of ten are expected; 30 or fewer of 60 come once in more than 10^13 runs.
    assert firsts.count("kms-1.contoso.com") > 30
    assert len(set(firsts)) > 1
    assert {kind for _transport, _name, kind, _recursion in server.asked} == {SRV}


def test_a_server_that_fails_is_passed_over(lookup: t.Any, server: NameServer, capsys: pytest.CaptureFixture[str]) -> None:
    with NameServer(code=REFUSED) as refusing:
        found = lookup("contoso.com", dns_servers=at(refusing) + at(server), addresses=False)
        assert len(found) == 4
        assert "answered REFUSED" in capsys.readouterr().err
        with pytest.raises(AnsibleError, match=r"The DNS server 127\.0\.0\.1:\d+ answered REFUSED to the question for"):
            lookup("contoso.com", dns_servers=at(refusing))


def test_variables_stand_in(lookup: t.Any, server: NameServer) -> None:
    variables = {"volume_activation_domain": "contoso.com", "volume_activation_dns_servers": at(server)}
    assert len(lookup(variables=variables, addresses=False)) == 4


def test_servers_may_be_a_text_as_people_type_lists(lookup: t.Any, server: NameServer) -> None:
    for text in (str(at(server)), ", ".join(at(server)), f"- {at(server)[0]}"):
        variables = {"volume_activation_domain": "contoso.com", "volume_activation_dns_servers": text}
        assert lookup(variables=variables, addresses=False)


def test_a_domain_without_hosts_gives_none_and_the_others_come_in_turn(lookup: t.Any, server: NameServer) -> None:
    assert lookup("fabrikam.com", dns_servers=at(server)) == []
    server.records[("_vlmcs._tcp.fabrikam.com", SRV)] = [(60, srv(0, 0, 1688, "kms.fabrikam.com")), (60, srv(1, 0, 0, "."))]
    found = lookup("fabrikam.com", "contoso.com", dns_servers=at(server), addresses=False)
    assert [host["domain"] for host in found] == ["fabrikam.com"] + ["contoso.com"] * 4


@pytest.mark.parametrize(
    ("terms", "options", "sentence"),
    [
        ([], {}, "needs a DNS domain as its term"),
        ([7], {}, "needs a DNS domain as its term"),
        (["contoso.com"], {"timeout": 0}, "timeout has to be more than 0 seconds"),
        (["contoso..com"], {}, "is no DNS name"),
    ],
)
def test_what_makes_no_sense(lookup: t.Any, server: NameServer, terms: list[t.Any], options: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(AnsibleError, match=sentence):
        lookup(*terms, dns_servers=at(server), **options)
