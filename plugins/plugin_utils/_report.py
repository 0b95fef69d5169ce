# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles tell people: findings before the first change, and one summary after the last.

Pure. Private to the collection: it may change in any release.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Kerberos refuses a ticket whose clock is further away (RFC 4120 5.2.6, default of Windows and MIT), and a KMS host a
# request (0xC004F06C).
_KERBEROS_SECONDS = 300
_KMS_SECONDS = 4 * 3600

Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a preflight saw.

    Attributes:
        object: The host, record or server that it is about.
        text: What was seen and what to do about it, as one sentence.
        blocks: Whether the play can't succeed with it.
    """

    object: str
    text: str
    blocks: bool

    def as_result(self) -> dict[str, Any]:
        """The finding as variables can hold it."""
        return {"object": self.object, "text": self.text, "blocks": self.blocks}


def single_site_findings(licenses: Mapping[str, Result], kms_hosts: Sequence[str], checks: Mapping[str, Result]) -> list[Finding]:
    """What stands in the way of a single-site set-up.

    Args:
        licenses: Results of C(license_info) by host.
        kms_hosts: Those of the hosts that are to be KMS hosts.
        checks: Results of further read-only tasks, by what they looked at.
    """
    findings: list[Finding] = []
    if not kms_hosts:
        findings.append(Finding("inventory", "The play has no KMS host; put at least one into the group of the KMS hosts.", True))
    for host, result in licenses.items():
        findings += _host_findings(host, result, host in kms_hosts)
    for subject, result in checks.items():
        if "error" in result or result.get("failed"):
            findings.append(Finding(subject, str(result.get("msg", "This could not be looked at.")), True))
    return findings


def _host_findings(host: str, result: Result, is_kms_host: bool) -> Iterable[Finding]:
    if result.get("unreachable") or "operating_system" not in result:
        yield Finding(host, str(result.get("msg") or "The host was not asked."), is_kms_host)
        return
    offset = result["operating_system"].get("clock_offset")
    allowed = _KERBEROS_SECONDS if is_kms_host else _KMS_SECONDS
    if offset is not None and abs(offset) > allowed:
        yield Finding(
            host,
            f"Its clock differs from the control node's by {offset:.0f} seconds, more than the {allowed} allowed; run w32tm /resync there.",
            True,
        )
    windows = result.get("windows") or {}
    if windows.get("channel") == "timebased":
        yield Finding(
            host, f"{result['operating_system']['caption']} is an evaluation; change its edition with DISM /Set-Edition first.", is_kms_host
        )
    if not is_kms_host and windows.get("channel") == "csvlk":
        yield Finding(host, "It holds a KMS host key although it is among the clients; take it out of them.", False)


def table(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Findings as lines of a table, those that block first."""
    ordered = sorted(findings, key=lambda finding: not finding["blocks"])
    width = max((len(str(finding["object"])) for finding in ordered), default=0)
    return [f"{'STOP' if finding['blocks'] else 'note'}  {finding['object']:<{width}}  {finding['text']}" for finding in ordered]


def single_site_summary(
    domain: str,
    hosts: Mapping[str, Mapping[str, Any]],
    clients: Mapping[str, Mapping[str, Any]],
    endpoints: Result,
    group: str,
    check_mode: bool,
) -> list[str]:
    """The end of a single-site run, as lines that can be pasted into a ticket.

    Args:
        domain: The DNS domain of the site.
        hosts: For each KMS host C(before) and C(after), results of C(license_info).
        clients: For each client C(license), the result of C(license_info), and C(client), that of C(kms_client), where it got that far.
        endpoints: The result of C(kms_endpoint_info).
        group: The group of the KMS hosts.
        check_mode: Nothing was changed.
    """
    lines = [f"KMS in {domain}" + (" (check mode: nothing was changed)" if check_mode else "")]
    lines += _host_lines(hosts, endpoints)
    lines.append(f"Record _vlmcs._tcp.{domain}: {_record(endpoints)}; rights on it by group {group}")
    return [*lines, *_client_lines(hosts, clients)]


def single_site_counts(clients: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """How many clients are in which state."""
    counts = {"licensed": 0, "counted": 0, "failed": 0, "not_reached": 0, "planned": 0}
    for client in clients.values():
        counts[_client_state(client)] += 1
    return counts


def _host_lines(hosts: Mapping[str, Mapping[str, Any]], endpoints: Result) -> Iterable[str]:
    answering = {entry["host"].lower().rstrip("."): entry["state"] for entry in endpoints.get("endpoints") or []}
    for host, states in hosts.items():
        before, after = states.get("before") or {}, states.get("after") or {}
        status = (after.get("windows") or {}).get("status", "not read")
        counts = f"{_count(before)} -> {_count(after)}"
        state = answering.get(host.lower(), "not in DNS")
        yield f"KMS host {host}: {status}, {state}, clients counted {counts}"


def _count(result: Result) -> str:
    count = (result.get("service") or {}).get("current_count")
    return "0" if count is None else str(count)


def _record(endpoints: Result) -> str:
    shown = [f"{entry['target']}:{entry['port']} ({entry['priority']} {entry['weight']})" for entry in endpoints.get("records") or []]
    return ", ".join(shown) or "empty"


def _client_lines(hosts: Mapping[str, Mapping[str, Any]], clients: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    counts = single_site_counts(clients)
    planned = f", {counts['planned']} would ask" if counts["planned"] else ""
    yield f"Clients: {counts['licensed']} of {len(clients)} licensed{planned}"
    by_state: dict[str, list[str]] = {}
    for name, client in clients.items():
        by_state.setdefault(_client_state(client), []).append(name)
    if waiting := by_state.get("counted"):
        thresholds = {clients[name]["client"]["activation"].get("required_count") for name in waiting}
        reached = ", ".join(f"{host} {_count(states.get('after') or {})}" for host, states in hosts.items())
        yield (
            f"Counted, but not licensed yet: {len(waiting)} ({_some(waiting)}). A KMS host activates from"
            f" {' or '.join(str(threshold) for threshold in sorted(thresholds, key=str))} clients on and has counted: {reached}."
            " Windows asks again by itself every two hours."
        )
    if absent := by_state.get("not_reached"):
        yield f"Not reached: {len(absent)} ({_some(absent)})"
    for name in by_state.get("failed", []):
        yield f"Failed: {name}: {clients[name].get('client', {}).get('msg', 'no result')}"


def _client_state(client: Mapping[str, Any]) -> str:
    license_result, result = client.get("license") or {}, client.get("client") or {}
    if license_result.get("unreachable") or result.get("unreachable"):
        return "not_reached"
    if result.get("failed") or "activation" not in result:
        return "failed"
    state = result["activation"]["state"]
    return "planned" if state == "not_attempted" else str(state)


def _some(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
