# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.kms_endpoint_info."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

from ..plugin_utils._actions.base import Outcome, VolumeActivationAction
from ..plugin_utils._core.address import split_address
from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._dns import compare, report
from ..plugin_utils._dns.addresses import literal, read_addresses, read_all_addresses, system_addresses
from ..plugin_utils._dns.srv import Server, SrvAnswer, read_srv_from_all, servers_of, service_name, system_servers
from ..plugin_utils._kms_endpoint.probe import MOST_TARGETS, EndpointState, KmsEndpoint, not_probed, probe_all, unresolved
from ..plugin_utils._licensing.kms import DEFAULT_PORT

_AT_ONCE = 16


class ActionModule(VolumeActivationAction):
    """What DNS names, and what answers there."""

    VARIABLES: t.ClassVar = {"domain": "volume_activation_domain", "dns_servers": "volume_activation_dns_servers"}
    CONSTRAINTS: t.ClassVar = {"required_one_of": [["domain", "hosts"]]}

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        if options["timeout"] <= 0:
            raise ActivationError("O(timeout) has to be more than 0 seconds.", source="options")
        servers = servers_of(options["dns_servers"] or ())
        if options["hosts"]:
            return _given_hosts([split_address(text, DEFAULT_PORT) for text in options["hosts"]], servers, options)
        return _named_by_dns(servers or system_servers(), options)


def _given_hosts(hosts: list[tuple[str, int]], servers: list[Server], options: dict[str, t.Any]) -> Outcome:
    endpoints: list[KmsEndpoint] = []
    if options["probe"]:
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            addresses = pool.map(lambda target: _addresses(target[0], target[1], servers, options["timeout"]), hosts)
            found = dict(zip(hosts, addresses, strict=True))
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
    answering = [answer.server for answer in answers if isinstance(answer, SrvAnswer)]
    comparison = compare.compare(servers, answers)
    if not answering:
        raise next(iter(comparison.failed.values()))
    endpoints: list[KmsEndpoint] = []
    if options["probe"]:
        # In the order in which clients try them, of which the first are checked.
        targets = list(dict.fromkeys((value.target, value.port) for value in comparison.values if value.target != "."))
        looked_at, left = targets[:MOST_TARGETS], targets[MOST_TARGETS:]
        known = dict(comparison.addresses)
        known |= read_all_addresses(answering, [host for host, _port in looked_at if host not in known], timeout=options["timeout"])
        endpoints = _look_at({target: known[target[0]] for target in looked_at if target[0] in known}, answering, options)
        endpoints += [not_probed(host, "", port) for host, port in [*left, *(target for target in looked_at if target[0] not in known)]]
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
    unseen = sum(endpoint.state is EndpointState.NOT_PROBED for endpoint in endpoints)
    warnings = report.differences(comparison)
    if unseen:
        warnings.append(
            f"{name} has so many hosts that {unseen} of {len(endpoints)} were not checked: the bounds are {MOST_TARGETS} addresses, and"
            f" {options['timeout']:g} s for each of four rounds. Check who writes the record."
        )
    return Outcome(result=result, warnings=warnings)


def _look_at(found: dict[tuple[str, int], tuple[str, ...]], servers: list[Server], options: dict[str, t.Any]) -> list[KmsEndpoint]:
    asked = ", ".join(str(server) for server in servers) or "the control node's resolver"
    nowhere = [unresolved(host, port, asked) for (host, port), addresses in found.items() if not addresses]
    targets = [(host, address, port) for (host, port), addresses in found.items() for address in addresses]
    return sorted(nowhere + probe_all(targets, options["timeout"]), key=lambda endpoint: (endpoint.host, endpoint.port, endpoint.address))


def _rows(endpoints: list[KmsEndpoint]) -> list[dict[str, t.Any]]:
    return [
        {"host": seen.host, "port": seen.port, "address": seen.address, "state": str(seen.state), "detail": seen.detail}
        for seen in endpoints
    ]
