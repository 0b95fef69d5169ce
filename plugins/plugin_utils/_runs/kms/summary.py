# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a KMS run, as lines that can be pasted into a ticket.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._condensed.alike import failure_lines
from ..._core.text import some
from ..._licensing.publish_list import is_unusable
from ..._srv.value import plain_name
from ..registered import Result
from .findings import WRITERS
from .outcomes import by_state, client_counts


@dataclass(frozen=True, slots=True)
class KmsHostResults:
    """What a run knows of one KMS host.

    Attributes:
        before: The result of C(license_info) before the run.
        after: The same after it.
        target: The name under which the host is found; empty where that was not asked.
        endpoints: What was found at the addresses of its name.
        publish_list: The result C(publish_list) of C(kms_host); empty where it has none to keep.
    """

    before: Result
    after: Result
    target: str
    endpoints: Sequence[Result] = ()
    publish_list: Result = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clients:
    """What became of the clients.

    Attributes:
        licensed: How many were licensed and as declared before, so that nobody asked for them.
        silent: Those that were not reached before.
        asked: By client the result of C(kms_client); empty where it got none.
        remarks: What Windows or a policy does whatever is declared.
        shared: Which of them a KMS host takes for one.
    """

    licensed: int = 0
    silent: Sequence[str] = ()
    asked: Mapping[str, Result] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    shared: Sequence[str] = ()

    @property
    def ended(self) -> dict[str, dict[str, Any]]:
        """Those that asked and those that were not reached, as C(client_state) takes them."""
        return {
            **{name: {"license": {"unreachable": True}} for name in self.silent},
            **{name: {"client": result} for name, result in self.asked.items()},
        }

    @property
    def not_reached(self) -> list[str]:
        """Those that were not reached, before or when they were to ask."""
        return by_state(self.ended).get("not_reached", [])

    @property
    def numbers(self) -> dict[str, int]:
        """How many clients are in which state."""
        counts = client_counts(self.ended)
        return {**counts, "licensed": counts["licensed"] + self.licensed}


def summary(
    topology: Mapping[str, Any],
    hosts: Mapping[str, KmsHostResults],
    clients: Clients,
    records: Sequence[Result],
    rights: Sequence[Result],
    threshold: int,
    listed: bool,
    check_mode: bool,
) -> list[str]:
    """The whole of it.

    Args:
        topology: The sites.
        hosts: The KMS hosts of the run.
        clients: What became of the clients.
        records: Results of reading the sites' records, each with its site as C(item).
        rights: Results of reading the rights on them, each with its grant as C(item).
        threshold: How many clients a KMS host has to have counted to serve all kinds that there are.
        listed: Whether hosts have a publish list, so that there is an order.
        check_mode: Nothing was changed.
    """
    sites = topology["sites"].values()
    where = ", ".join(f"{site['name']} ({site['domain']})" for site in sites) if listed else ", ".join(site["domain"] for site in sites)
    lines = [f"KMS {'at' if listed else 'in'} {where}" + (" (check mode: nothing was changed)" if check_mode else "")]
    lines += host_lines(hosts, threshold)
    for result in records:
        lines.append(f"Record {result['item']['record']}: {'; '.join([record_text(result), *_rights(topology, result['item'], rights)])}")
    if listed:
        lines += order_lines(topology)
    lines += client_lines(hosts, clients, threshold)
    lines += clients.remarks
    return [*lines, *foreign_publish_lines({host: results.publish_list for host, results in hosts.items()})]


def _rights(topology: Mapping[str, Any], site: Mapping[str, Any], rights: Sequence[Result]) -> list[str]:
    """Who may write a record."""
    if site["records"] in WRITERS:
        return [WRITERS[site["records"]]]
    found: dict[str, list[str]] = {}
    for right in rights:
        if right["item"]["record"] == topology["zones"][site["domain"]]["record"]:
            for row in right.get("grants") or ():
                found.setdefault(", ".join(row["granted"]) or "no rights", []).append(str(row["principal"]))
    return [f"{some(names)} {'has' if len(names) == 1 else 'have'} {granted} on it" for granted, names in found.items()]


def host_lines(hosts: Mapping[str, KmsHostResults], threshold: int) -> Iterable[str]:
    """One line for each KMS host: its status, whether it answers, what it has counted, and whether that is enough; and one for addresses that do
    not answer.
    """
    for host, results in hosts.items():
        status = (results.after.get("windows") or {}).get("status", "not read")
        name = plain_name(results.target or host)
        own = [entry for entry in results.endpoints if entry["host"] == name]
        seen = {str(entry["state"]) for entry in own} or {"not in DNS"}
        counts = f"clients counted {_count(results.before)} -> {_count(results.after)}"
        is_cold = (
            "answering" in seen and status == "licensed" and int((results.after.get("service") or {}).get("current_count") or 0) < threshold
        )
        yield f"KMS host {host}: {status}, {' and '.join(sorted(seen))}, {counts}" + (
            f", activates from {threshold} clients on" if is_cold else ""
        )
        silent = [str(entry.get("detail") or entry["address"]) for entry in own if entry["state"] != "answering"]
        if silent and len(silent) < len(own):
            yield f"KMS host {host} does not answer at each of its addresses: {' '.join(silent)}"


def _count(result: Result) -> str:
    if "service" not in result:
        return "not read"
    count = result["service"].get("current_count")
    return "0" if count is None else str(count)


def record_text(endpoints: Result) -> str:
    """The values of a record in one line."""
    shown = [f"{entry['target']}:{entry['port']} ({entry['priority']} {entry['weight']})" for entry in endpoints.get("records") or []]
    return ", ".join(shown) or "empty"


def foreign_publish_lines(publish_lists: Mapping[str, Result]) -> list[str]:
    """Which KMS hosts publish themselves where no site knows of it, by the results C(publish_list) of the module C(kms_host)."""
    lines = []
    for host, result in publish_lists.items():
        unusable = [line for line in result.get("foreign") or () if is_unusable(line)]
        foreign = [line for line in result.get("foreign") or () if line not in unusable]
        for found, what in ((foreign, "which no site has"), (unusable, "which is no domain, priority and weight with commas between them")):
            if found:
                lines.append(
                    f"{host} has {'; '.join(found)} in its publish list, {what}; it is left alone."
                    " kms_multi_site_publish_list: exact removes it."
                )
    return lines


def order_lines(topology: Mapping[str, Any]) -> list[str]:
    """In which order the clients of each site try the KMS hosts, with the percentage that each gets of its priority."""
    return [
        f"Clients of {site} try: "
        + ", then ".join(" or ".join(f"{host['target']} ({host['share']:g} %)" for host in group["hosts"]) for group in groups)
        for site, groups in topology["orders"].items()
    ]


def client_lines(hosts: Mapping[str, KmsHostResults], clients: Clients, threshold: int) -> Iterable[str]:
    """How many clients are licensed, and what became of the others."""
    counts = clients.numbers
    # Whether they would be licensed depends on what the hosts will have counted by then.
    planned = f", {counts['planned']} would ask, and be licensed by a host that has counted {threshold}" if counts["planned"] else ""
    yield f"Clients: {counts['licensed']} of {sum(counts.values())} licensed{planned}"
    states = by_state(clients.ended)
    if waiting := states.get("counted"):
        thresholds = {clients.asked[name]["activation"].get("required_count") for name in waiting}
        reached = ", ".join(f"{host} {_count(results.after)}" for host, results in hosts.items())
        yield (
            f"Counted, but not licensed yet: {len(waiting)} ({some(waiting)}). A KMS host activates from"
            f" {' or '.join(str(threshold) for threshold in sorted(thresholds, key=str))} clients on"
            f"{f' and has counted: {reached}' if reached else ''}. Windows asks again by itself every two hours; where fewer"
            " clients ask each host, waiting does not help."
        )
    if absent := states.get("not_reached"):
        yield f"Not reached: {len(absent)} ({some(absent)})"
    yield from failure_lines((name, str(clients.asked[name].get("msg", "no result"))) for name in states.get("failed", []))
    yield from clients.shared
