# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links between sites: whether the clients of one get through to the KMS hosts of another, which they fall back to. Pure.

Nothing opens a connection from a Windows host, and no client is changed to find out. What tells, the first of these that there is: a bind
from a control node that stands at the site, a connection from a node there, and the KMS host that a client there has found and was
activated by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from ..._srv.value import plain_name
from ..registered import Result
from .computer import SurveyedComputer
from .deviation import NOTE, UNKNOWN, Deviation, was_made

OPEN, CLOSED = "open", "closed"
# How long an activation by a KMS host is valid (docs/facts/kms.md#intervals).
_VALIDITY_DAYS = 180
_ATTRIBUTE, _KIND = "link", "links"
_NOBODY = (
    "Nobody has looked whether the clients of that site get through. Run the audit from a control node there (kms_audit_control_site), or"
    " name a node there (kms_audit_nodes)."
)

Way = tuple[str, str, int]
"""From the clients of a site to a KMS host and its port."""


@dataclass(frozen=True, slots=True)
class Link:
    """What is known of a way.

    Attributes:
        way: The way.
        state: C(open), C(closed) or C(unknown).
        evidence: Who has seen that; empty for nobody.
        date: When that was, such as C(2026-11-24), where it was not now; empty otherwise.
        deviation: What its owner should know; C(None) for nothing, or where another finding says it.
    """

    way: Way
    state: str = UNKNOWN
    evidence: str = ""
    date: str = ""
    deviation: Deviation | None = None

    def as_result(self) -> dict[str, Any]:
        """The link as the report has it."""
        site, host, port = self.way
        return {"from_site": site, "to_host": host, "port": port, "state": self.state, "evidence": self.evidence, "date": self.date}


def ways(topology: Mapping[str, Any]) -> list[Way]:
    """The ways from each site to the KMS hosts of others that are in its record."""
    return [(flow["from_site"], flow["to_host"], flow["port"]) for flow in topology["flows"] if flow["purpose"] == "fallback"]


def due(topology: Mapping[str, Any], nodes: Mapping[str, str]) -> list[dict[str, Any]]:
    """What nodes are to connect to: each with C(node), C(from_site), C(host) and C(port)."""
    return [{"node": nodes[site], "from_site": site, "host": host, "port": port} for site, host, port in ways(topology) if site in nodes]


def links(
    topology: Mapping[str, Any],
    control_site: str,
    ports: Iterable[Result],
    tried: Iterable[Result],
    activated: Mapping[Way, str],
) -> Iterator[Link]:
    """What is known of each link.

    Args:
        topology: The derived topology.
        control_site: The site of the control node; empty where it is in none.
        ports: The results of C(kms_endpoint_info) with the KMS hosts of each site.
        tried: The results of the connections that C(due) has put together, each with its C(item).
        activated: When clients of a site were last activated by a KMS host, as C(activation_of) has it.
    """
    bound = {(str(end["host"]), int(end["port"])): end for result in ports if was_made(result) for end in result.get("endpoints") or ()}
    connected = {(item["from_site"], item["host"], item["port"]): result for result in tried for item in (result["item"],)}
    for way in ways(topology):
        site, host, port = way
        if site == control_site and (host, port) in bound:
            is_open = bound[host, port]["state"] == "answering"
            # That of a KMS host which does not answer is a finding already.
            yield Link(way, OPEN if is_open else CLOSED, "a bind from the control node")
        elif way in connected:
            yield _tried(way, connected[way])
        elif way in activated:
            yield Link(way, OPEN, f"a client of {site} that it activated", activated[way])
        else:
            yield Link(way, deviation=Deviation(_name(way), _ATTRIBUTE, OPEN, UNKNOWN, _NOBODY, NOTE, kind=_KIND))


def activation_of(client: SurveyedComputer, site: str) -> tuple[Way, str] | None:
    """The KMS host that has activated a client of a site, and about when; C(None) where nobody knows.

    Windows keeps the host that it found, and until when the activation is valid; an activation is for 180 days.
    """
    host, port = client.lookup.discovered
    found = client.license
    if not (site and host and client.read_on) or found.channel != "gvlk" or found.status != "licensed" or found.days is None:
        return None
    if client.lookup.kms_host or not 0 <= found.days <= _VALIDITY_DAYS:
        return None
    day = date.fromisoformat(client.read_on) - timedelta(days=_VALIDITY_DAYS - found.days)
    return (site, plain_name(host), port), day.isoformat()


def _tried(way: Way, result: Result) -> Link:
    site, host, port = way
    node, reason = result["item"]["node"], str(result.get("msg") or "it gave no result").rstrip(".")
    if result.get("unreachable"):
        text = f"{node} could not be asked whether it gets through: {reason}."
        return Link(way, deviation=Deviation(_name(way), _ATTRIBUTE, OPEN, UNKNOWN, text, UNKNOWN, kind=_KIND))
    evidence = f"a connection from {node}"
    if was_made(result):
        return Link(way, OPEN, evidence)
    text = f"{node} at {site} does not get through to {host}:{port}: {reason}. Open the port in the firewalls between the sites."
    together = f"{node} at {site} does not get through. Open their ports in the firewalls between the sites."
    return Link(
        way, CLOSED, evidence, deviation=Deviation(_name(way), _ATTRIBUTE, OPEN, CLOSED, text, kind=_KIND, alike=node, together=together)
    )


def _name(way: Way) -> str:
    site, host, port = way
    return f"{site} -> {host}:{port}"
