# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.kms_endpoint_info."""

from __future__ import annotations

import typing as t

from ..plugin_utils._action import Outcome, VolumeActivationAction
from ..plugin_utils._address import split_address
from ..plugin_utils._dns import compare, report
from ..plugin_utils._dns.addresses import literal, read_addresses, system_addresses
from ..plugin_utils._dns.srv import Answer, Server, read_srv_from_all, servers_of, service_name, system_servers
from ..plugin_utils._errors import ActivationError
from ..plugin_utils._kms_endpoint.probe import Endpoint, probe_all, unresolved
from ..plugin_utils._licensing.kms import DEFAULT_PORT


class ActionModule(VolumeActivationAction):
    """What DNS names, and what answers there."""

    VARIABLES: t.ClassVar = {"domain": "volume_activation_domain", "dns_servers": "volume_activation_dns_servers"}
    CONSTRAINTS: t.ClassVar = {"required_one_of": [["domain", "hosts"]]}

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        if options["timeout"] <= 0:
            raise ActivationError("timeout has to be more than 0 seconds.", source="options")
        servers = servers_of(options["dns_servers"] or ())
        if options["hosts"]:
            return _given_hosts([split_address(text, DEFAULT_PORT) for text in options["hosts"]], servers, options)
        return _named_by_dns(servers or system_servers(), options)


def _given_hosts(hosts: list[tuple[str, int]], servers: list[Server], options: dict[str, t.Any]) -> Outcome:
    endpoints: list[Endpoint] = []
    if options["probe"]:
        found = {(host, port): _addresses(host, port, servers, options["timeout"]) for host, port in hosts}
        endpoints = _look_at(found, servers, options)
    warnings = [server.failure.message for server in servers if server.failure is not None]
    return Outcome(result={"endpoints": _rows(endpoints)}, warnings=warnings)


def _addresses(host: str, port: int, servers: list[Server], timeout: float) -> tuple[str, ...]:
    if literal(host):
        return (literal(host),)
    return read_addresses(servers, host, timeout=timeout, every_kind=True) if servers else system_addresses(host, port)


def _named_by_dns(servers: list[Server], options: dict[str, t.Any]) -> Outcome:
    name = service_name(options["domain"])
    answers = read_srv_from_all(servers, name, timeout=options["timeout"])
    answering = [answer.server for answer in answers if isinstance(answer, Answer)]
    comparison = compare.compare(servers, answers)
    if not answering:
        raise next(iter(comparison.failed.values()))
    endpoints: list[Endpoint] = []
    if options["probe"]:
        targets = sorted({(value.target, value.port) for value in comparison.values if value.target != "."})
        known = dict(comparison.addresses)
        for host, _port in targets:
            if host not in known:
                known[host] = read_addresses(answering, host, timeout=options["timeout"], every_kind=True)
        endpoints = _look_at({target: known[target[0]] for target in targets}, answering, options)
    result = {
        "name": name,
        "records": report.records(comparison),
        "servers": report.servers(servers, answers, comparison),
        "consistent": not comparison.lacking and not comparison.failed,
        "order": report.order(list(comparison.values)),
        "endpoints": _rows(endpoints),
    }
    if options["expect"] is not None:
        result["missing"] = compare.missing_hosts(options["expect"], answers)
        result["unexpected"] = compare.unexpected_hosts(options["expect"], comparison.values)
    return Outcome(result=result, warnings=report.differences(comparison))


def _look_at(found: dict[tuple[str, int], tuple[str, ...]], servers: list[Server], options: dict[str, t.Any]) -> list[Endpoint]:
    asked = ", ".join(str(server) for server in servers) or "the control node's resolver"
    nowhere = [unresolved(host, port, asked) for (host, port), addresses in found.items() if not addresses]
    targets = [(host, address, port) for (host, port), addresses in found.items() for address in addresses]
    return sorted(nowhere + probe_all(targets, options["timeout"]), key=lambda endpoint: (endpoint.host, endpoint.port, endpoint.address))


def _rows(endpoints: list[Endpoint]) -> list[dict[str, t.Any]]:
    return [
        {"host": seen.host, "port": seen.port, "address": seen.address, "state": str(seen.state), "detail": seen.detail}
        for seen in endpoints
    ]
