# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets for tests of the report: rows as a survey writes them, and the report of an audit as the role writes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.model import FleetReport

NOW = "2026-12-01T04:14:02Z"
SCRIPT = "<script>document.title='run'</script>"
"""What a computer may call itself, or be called in an inventory."""

HOSTILE = (SCRIPT, "</td></table><img src=x onerror=document.title='run'>", '"onmouseover="x', "a&b", "=1+1", "]]>--><!--", "line\u2028two")


def row(host: str, **given: Any) -> dict[str, Any]:
    """A computer that was read and is licensed by KMS."""
    return {
        "host": host,
        "outcome": "read",
        "at": NOW,
        "state": "licensed",
        "product": "Windows(R), Enterprise edition",
        "channel": "gvlk",
        "partial_key": "2YT43",
        "permanent": False,
        "expires_in_days": 172,
        "expires": "2027-05-22T04:14Z",
        "kms_host": False,
        "count": None,
        "others": None,
        "kms_client_settings": {"kms_machine": None, "discovered_machine": "kms-e1.east.contoso.com"},
        "reason": None,
        "code": None,
        **given,
    }


def fleet(hosts: int) -> list[dict[str, Any]]:
    """Rows of a fleet, in which some are like few others."""
    rows = [row(f"pc-{number:05}.east.contoso.com") for number in range(hosts)]
    for number in range(0, hosts, 50):
        rows[number].update(state="notification", reason="0xC004F056: The Software Licensing Service reported that KMS failed.")
    for number in range(7, hosts, 90):
        rows[number] = row(rows[number]["host"], outcome="unreachable", state=None, reason="did not answer within 10 seconds")
    for number in range(11, hosts, 400):
        rows[number].update(expires_in_days=number % 29)
    for number in range(13, hosts, 70):
        rows[number].update(channel="mak", partial_key="BBBBB", permanent=True, expires_in_days=None, expires=None)
    rows.append(row("kms-e1.east.contoso.com", channel="csvlk", kms_host=True, count=50, permanent=True, expires_in_days=None))
    return rows


def report_of(rows: Iterable[Mapping[str, Any]], **given: Any) -> FleetReport:
    """The report of rows."""
    report = FleetReport(NOW, **given)
    for each in rows:
        report.add(each)
    return report


def survey_file(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """The file of a survey."""
    path.write_text("".join(f"{json.dumps(each)}\n" for each in rows), encoding="utf-8")
    return path


def audit(**given: Any) -> dict[str, Any]:
    """Two sites, of which each falls back to the other."""
    hosts = {"east": ["kms-e1.east.contoso.com", "kms-e2.east.contoso.com"], "west": ["kms-w1.west.contoso.com"]}

    def site(name: str, other: str) -> dict[str, Any]:
        return {
            "record": f"_vlmcs._tcp.{name}.contoso.com",
            "values": [],
            "group": f"KMS_{name}",
            "kms_hosts": hosts[name],
            "order": [
                {"priority": priority, "hosts": [{"target": host, "port": 1688, "weight": 50, "share": 50.0} for host in hosts[whose]]}
                for priority, whose in ((10, name), (90, other))
            ],
        }

    return {
        "version": 1,
        "time": NOW,
        "verdict": "deviations",
        "counts": {"deviation": 2, "unknown": 1, "note": 0},
        "left_out": {"kms_hosts": 0, "kms_clients": 0},
        "deviations": [
            deviation("pc-1", "lookup domain", "pc-1 looks in another domain."),
            deviation("pc-2", "lookup domain", "pc-2 looks in another domain."),
            deviation("kms-e1", "count", "It could not be checked.", "unknown"),
        ],
        "links": [
            {"from_site": "east", "to_host": "kms-w1.west.contoso.com", "port": 1688, "state": "open", "evidence": "a bind", "date": ""},
            {"from_site": "west", "to_host": "kms-e1.east.contoso.com", "port": 1688, "state": "closed", "evidence": "node-w", "date": ""},
            {"from_site": "west", "to_host": "kms-e2.east.contoso.com", "port": 1688, "state": "unknown", "evidence": "", "date": ""},
        ],
        "endpoints": [
            {"host": "kms-e1.east.contoso.com", "port": 1688, "state": "answering"},
            {"host": "kms-e2.east.contoso.com", "port": 1688, "state": "refused"},
        ],
        "topology": {"east": site("east", "west"), "west": site("west", "east")},
        **given,
    }


def deviation(name: str, attribute: str, text: str, severity: str = "deviation") -> dict[str, Any]:
    """A deviation as the report of an audit has it."""
    return {"object": name, "attribute": attribute, "expected": None, "found": None, "severity": severity, "text": text}
