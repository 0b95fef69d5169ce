# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module kms_endpoint_info, against name servers and ports of the test."""

from __future__ import annotations

import socket
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from unit.plugin_utils.name_server import AAAA, SRV, A, NameServer, address, srv
from unit.plugin_utils.rpc_port import acknowledgement, in_pieces, listener

from ansible_collections.winops.volume_activation.plugins.action.kms_endpoint_info import ActionModule
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.base import Outcome
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.module_options import documented_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError

pytestmark = pytest.mark.tier("quick")

NAME = "_vlmcs._tcp.contoso.com"


def run(check_mode: bool = False, **options: t.Any) -> Outcome:
    checked = ArgumentSpecValidator(documented_options("kms_endpoint_info"), **ActionModule.CONSTRAINTS).validate(options)
    assert checked.error_messages == []
    return ActionModule.__new__(ActionModule).execute(checked.validated_parameters, check_mode)


def zone(*values: bytes, **settings: t.Any) -> NameServer:
    return NameServer({(NAME, SRV): [(600, value) for value in values]} if values else {}, **settings)


@pytest.mark.parametrize("check_mode", [False, True])
def test_records_order_and_hosts_of_a_domain(check_mode: bool) -> None:
    with listener(in_pieces(acknowledgement(0, 0))) as kms_port, socket.create_server(("127.0.0.1", 0)) as closed:
        refused = closed.getsockname()[1]
        closed.close()
        with zone(
            srv(10, 75, kms_port, "kms-1.contoso.com"), srv(10, 25, refused, "kms-2.contoso.com"), srv(90, 0, 1688, "kms-9.contoso.com")
        ) as server:
            server.additional = [("kms-1.contoso.com", A, 600, address("127.0.0.1"))]
            server.records[("kms-2.contoso.com", A)] = [(600, address("127.0.0.1"))]
            outcome = run(
                check_mode, domain="contoso.com", dns_servers=[f"127.0.0.1:{server.port}"], timeout=2, expect=["kms-1.contoso.com", "kms-3"]
            )
    result = outcome.result
    assert outcome.steps == []
    assert outcome.warnings == []
    assert result["name"] == NAME
    assert result["records"][0] == {"target": "kms-1.contoso.com", "port": kms_port, "priority": 10, "weight": 75, "ttl": 600}
    assert [row["target"] for row in result["records"]] == ["kms-1.contoso.com", "kms-2.contoso.com", "kms-9.contoso.com"]
    assert [(seen["host"], seen["state"]) for seen in result["endpoints"]] == [
        ("kms-1.contoso.com", "answering"),
        ("kms-2.contoso.com", "refused"),
        ("kms-9.contoso.com", "unresolved"),
    ]
    assert [group["priority"] for group in result["order"]] == [10, 90]
    assert (result["missing"], result["unexpected"]) == (["kms-3"], ["kms-2.contoso.com", "kms-9.contoso.com"])
    assert result["consistent"]
    # One question for the records; addresses only where they did not come along.
    assert sorted((name, kind) for _transport, name, kind, _recursion in server.asked) == [
        (NAME, SRV),
        ("kms-2.contoso.com", A),
        ("kms-2.contoso.com", AAAA),
        ("kms-9.contoso.com", A),
    ]


def test_servers_that_differ_and_one_that_is_dead() -> None:
    first, second = srv(0, 0, 1688, "kms-1.contoso.com"), srv(0, 0, 1688, "kms-2.contoso.com")
    with zone(first, second) as dc1, zone(first) as dc2, zone(silent=-1) as dead:
        servers = [f"127.0.0.1:{server.port}" for server in (dc1, dc2, dead)]
        outcome = run(
            domain="contoso.com", dns_servers=servers, probe=False, timeout=0.5, expect=["kms-1.contoso.com", "kms-2.contoso.com"]
        )
    assert [row["lacks"] for row in outcome.result["servers"]] == [[], ["0 0 1688 kms-2.contoso.com"], []]
    assert outcome.result["missing"] == ["kms-2.contoso.com"]
    assert not outcome.result["consistent"]
    assert outcome.result["endpoints"] == []
    assert len(outcome.warnings) == 2
    assert "lacks 0 0 1688 kms-2.contoso.com" in outcome.warnings[0]
    assert "did not answer" in outcome.warnings[1]


def test_a_server_without_an_address_does_not_keep_the_others_from_being_asked() -> None:
    with listener(in_pieces(acknowledgement(0, 0))) as port, zone(srv(0, 0, port, "kms-1.contoso.com")) as dc1:
        dc1.records[("kms-1.contoso.com", A)] = [(600, address("127.0.0.1"))]
        servers = ["dc9.invalid", f"127.0.0.1:{dc1.port}"]
        named = run(domain="contoso.com", dns_servers=servers, timeout=2)
        given = run(hosts=[f"kms-1.contoso.com:{port}"], dns_servers=servers, timeout=2)
        with pytest.raises(ActivationError, match=r"dc9\.invalid has no address"):
            run(domain="contoso.com", dns_servers=servers[:1])
    assert [(row["server"], row["address"]) for row in named.result["servers"]] == [("dc9.invalid", ""), (servers[1], "127.0.0.1")]
    assert "has no address" in named.result["servers"][0]["error"]
    assert not named.result["consistent"]
    for outcome in (named, given):
        assert [seen["state"] for seen in outcome.result["endpoints"]] == ["answering"]
        assert ["dc9.invalid has no address" in warning for warning in outcome.warnings] == [True]


def test_no_record_is_a_result_and_no_server_an_error() -> None:
    with zone() as empty:
        result = run(domain="contoso.com", dns_servers=[f"127.0.0.1:{empty.port}"]).result
    assert (result["records"], result["order"], result["endpoints"], result["consistent"]) == ([], [], [], True)
    assert "missing" not in result
    with zone(code=2) as broken, pytest.raises(ActivationError, match="answered SERVFAIL") as caught:
        run(domain="contoso.com", dns_servers=[f"127.0.0.1:{broken.port}"])
    assert caught.value.source == "dns"


def test_hosts_are_looked_at_without_srv_records() -> None:
    with listener(in_pieces(acknowledgement(0, 0))) as port, zone(srv(0, 0, 1688, "kms-1.contoso.com")) as server:
        server.records[("kms-1.contoso.com", A)] = [(600, address("127.0.0.1"))]
        hosts = [f"kms-1.contoso.com:{port}", f"127.0.0.1:{port}", f"kms-9.contoso.com:{port}"]
        outcome = run(domain="contoso.com", hosts=hosts, dns_servers=[f"127.0.0.1:{server.port}"], timeout=2)
    assert set(outcome.result) == {"endpoints"}
    assert [(seen["host"], seen["state"]) for seen in outcome.result["endpoints"]] == [
        ("127.0.0.1", "answering"),
        ("kms-1.contoso.com", "answering"),
        ("kms-9.contoso.com", "unresolved"),
    ]
    assert all(kind in (A, AAAA) for _transport, _name, kind, _recursion in server.asked)


def test_the_control_node_finds_addresses_where_no_server_is_named() -> None:
    with listener(in_pieces(acknowledgement(0, 0))) as port:
        seen = run(hosts=[f"localhost:{port}"], timeout=2).result["endpoints"]
    assert ("127.0.0.1", "answering") in [(found["address"], found["state"]) for found in seen]


def test_options_that_make_no_sense() -> None:
    with pytest.raises(ActivationError, match="more than 0 seconds"):
        run(hosts=["kms-1"], timeout=0)
    with pytest.raises(ActivationError, match="has no valid port"):
        run(hosts=["kms-1:x"])
    spec = ArgumentSpecValidator(documented_options("kms_endpoint_info"), **ActionModule.CONSTRAINTS)
    assert "one of the following is required: domain, hosts" in spec.validate({}).error_messages


def test_each_address_of_a_host_is_looked_at_by_itself() -> None:
    """IPv4 and IPv6 of one host: a client can take either, and they can have different firewall rules."""
    with listener(in_pieces(acknowledgement(0, 0))) as port, NameServer() as server:
        server.records[("kms-1.contoso.com", A)] = [(60, address("127.0.0.1"))]
        server.records[("kms-1.contoso.com", AAAA)] = [(60, address("::1"))]
        found = run(hosts=[f"kms-1.contoso.com:{port}"], dns_servers=[f"127.0.0.1:{server.port}"], timeout=2).result["endpoints"]
    assert [endpoint["address"] for endpoint in found] == ["127.0.0.1", "::1"]
    assert found[0]["state"] == "answering"
    assert found[1]["state"] in ("refused", "unreachable")
    assert "(::1)" in found[1]["detail"]
