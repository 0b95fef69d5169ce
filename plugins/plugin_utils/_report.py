# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles tell people: findings before the first change, and one summary after the last.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._findings import Finding, license_findings
from ._licensing.client_ids import said_of, shared_ids
from ._srv_value import plain_name
from ._text import columns, failure_line, some

Result = Mapping[str, Any]

WRITERS = {
    "dynamic": "written from the control node by dynamic update",
    "static": "written from the control node into the directory",
    "printed": "written by those who run DNS",
}
"""Who writes the record, where the KMS hosts do not publish themselves."""


def single_site_findings(
    licenses: Mapping[str, Result],
    kms_hosts: Sequence[str],
    clients: Sequence[str],
    keys: Mapping[str, Result],
    checks: Mapping[str, Result],
    records: str = "published",
) -> list[Finding]:
    """What stands in the way of a single-site set-up, and what its owner may want to know before.

    Args:
        licenses: Results of C(license_info) by host, for the hosts of the play.
        kms_hosts: The hosts that are to be KMS hosts.
        clients: The hosts that are to be clients.
        keys: What is known of the KMS host key that each of them is to get, as C(product_key_facts) tells it.
        checks: Results of further read-only tasks, by what they looked at.
        records: Who writes the record: C(published) for the hosts themselves, or a key of WRITERS.
    """
    findings: list[Finding] = []
    if records in WRITERS:
        text = f"The record is {WRITERS[records]}; the hosts do not publish themselves, and no rights in a directory are given."
        findings.append(Finding("DNS", text, False))
    if not any(host in licenses for host in kms_hosts):
        findings.append(
            Finding("inventory", "The play has no KMS host; put at least one into the group kms_hosts, and into the limit.", True)
        )
    findings += [
        Finding(host, "It is in both groups, kms_hosts and kms_clients; leave it in one of them.", True)
        for host in kms_hosts
        if host in clients
    ]
    findings += license_findings(licenses, kms_hosts, keys, "kms_single_site_csvlk")
    for subject, result in checks.items():
        findings += _record_findings(subject, result, kms_hosts)
    return findings


def _record_findings(subject: str, result: Result, kms_hosts: Sequence[str]) -> Iterable[Finding]:
    """What is in the record already, and whose it is."""
    names = set(map(plain_name, kms_hosts))
    for entry in result.get("records") or []:
        if entry["target"] not in names and entry["target"].partition(".")[0] not in names:
            yield Finding(
                subject,
                f"The record also names {entry['target']}:{entry['port']}, which is no KMS host of this play; it is left alone.",
                False,
            )
    yield from rights_findings(subject, result)


def rights_findings(subject: str, result: Result) -> Iterable[Finding]:
    """What the directory would refuse, and whose the record is: from a look at a group, at rights or at static values."""
    if "error" in result or result.get("failed"):
        yield Finding(subject, str(result.get("msg", "This could not be looked at.")), True)
        return
    if result.get("missing") and result.get("may_write") is False:
        lacking = ", ".join(result["missing"])
        yield Finding(
            subject, f"The group lacks {lacking} on it, and the account may not give that (WRITE_DAC); another one has to.", False
        )
    if result.get("steps") and result.get("may_write") is False and "missing" not in result:
        yield Finding(subject, " ".join(map(str, result.get("warnings") or ["The account may not change it."])), True)
    if result.get("owner"):
        yield Finding(subject, f"It is there already and belongs to {result['owner']}.", False)


def table(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Findings as lines of a table, those that block first."""
    ordered = sorted(findings, key=lambda finding: not finding["blocks"])
    return columns([("STOP" if finding["blocks"] else "note", str(finding["object"]), str(finding["text"])) for finding in ordered])


@dataclass(frozen=True, slots=True)
class KmsHostResults:
    """What a run knows of one KMS host.

    Attributes:
        before: The result of C(license_info) before the run.
        after: The same after it.
        target: The name under which the host publishes itself; empty where that was not asked.
    """

    before: Result
    after: Result
    target: str


def single_site_summary(
    domain: str,
    hosts: Mapping[str, KmsHostResults],
    clients: Mapping[str, Mapping[str, Any]],
    endpoints: Result,
    rights: str,
    check_mode: bool,
) -> list[str]:
    """The end of a single-site run, as lines that can be pasted into a ticket.

    Args:
        domain: The DNS domain of the site.
        hosts: The KMS hosts of the run.
        clients: For each client C(license), the result of C(license_info), and C(client), that of C(kms_client), where it got that far.
        endpoints: The result of C(kms_endpoint_info).
        rights: Who has which rights on the record.
        check_mode: Nothing was changed.
    """
    domain = plain_name(domain)
    lines = [f"KMS in {domain}" + (" (check mode: nothing was changed)" if check_mode else "")]
    lines += host_lines(hosts, endpoints)
    lines.append(f"Record _vlmcs._tcp.{domain}: {record_text(endpoints)}; {rights}")
    return [*lines, *client_lines(hosts, clients)]


def client_counts(clients: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """How many clients are in which state."""
    counts = {"licensed": 0, "counted": 0, "failed": 0, "not_reached": 0, "planned": 0}
    for client in clients.values():
        counts[client_state(client)] += 1
    return counts


def host_lines(hosts: Mapping[str, KmsHostResults], endpoints: Result) -> Iterable[str]:
    """One line for each KMS host: its status, whether it answers, and what it has counted."""
    states: dict[str, set[str]] = {}
    for entry in endpoints.get("endpoints") or []:
        states.setdefault(entry["host"], set()).add(entry["state"])
    for host, results in hosts.items():
        status = (results.after.get("windows") or {}).get("status", "not read")
        seen = states.get(plain_name(results.target or host), {"not in DNS"})
        yield f"KMS host {host}: {status}, {' and '.join(sorted(seen))}, clients counted {_count(results.before)} -> {_count(results.after)}"


def _count(result: Result) -> str:
    if "service" not in result:
        return "not read"
    count = result["service"].get("current_count")
    return "0" if count is None else str(count)


def record_text(endpoints: Result) -> str:
    """The values of a record in one line."""
    shown = [f"{entry['target']}:{entry['port']} ({entry['priority']} {entry['weight']})" for entry in endpoints.get("records") or []]
    return ", ".join(shown) or "empty"


def client_lines(hosts: Mapping[str, KmsHostResults], clients: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    """How many clients are licensed, and what became of the others."""
    counts = client_counts(clients)
    planned = f", {counts['planned']} would ask" if counts["planned"] else ""
    yield f"Clients: {counts['licensed']} of {len(clients)} licensed{planned}"
    by_state: dict[str, list[str]] = {}
    for name, client in clients.items():
        by_state.setdefault(client_state(client), []).append(name)
    if waiting := by_state.get("counted"):
        thresholds = {clients[name]["client"]["activation"].get("required_count") for name in waiting}
        reached = ", ".join(f"{host} {_count(results.after)}" for host, results in hosts.items())
        yield (
            f"Counted, but not licensed yet: {len(waiting)} ({some(waiting)}). A KMS host activates from"
            f" {' or '.join(str(threshold) for threshold in sorted(thresholds, key=str))} clients on and has counted: {reached}."
            " Windows asks again by itself every two hours."
        )
    if absent := by_state.get("not_reached"):
        yield f"Not reached: {len(absent)} ({some(absent)})"
    for name in by_state.get("failed", []):
        yield failure_line(name, str(clients[name].get("client", {}).get("msg", "no result")))
    for shared in shared_ids({name: client.get("license") or {} for name, client in clients.items()}).items():
        yield said_of(*shared)


def client_state(client: Mapping[str, Any]) -> str:
    """C(licensed), C(counted), C(failed), C(not_reached) or C(planned)."""
    license_result, result = client.get("license") or {}, client.get("client") or {}
    if license_result.get("unreachable") or result.get("unreachable"):
        return "not_reached"
    if result.get("failed") or "activation" not in result:
        return "failed"
    state = result["activation"]["state"]
    return "planned" if state == "not_attempted" else str(state)
