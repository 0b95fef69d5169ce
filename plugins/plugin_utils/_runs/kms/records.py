# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records, and the rights on them: who makes those that are missing, which values are old, and which are still to be entered.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._srv.value import plain_name
from .work import Result, hosts_of

_NUMBERS = ("port", "priority", "weight")


def first_publishers(topology: Result, kms_hosts: Sequence[str], looked: Sequence[Result]) -> dict[str, list[str]]:
    """Which hosts make the records that are not there yet, and each the ones of which domains.

    A host publishes itself in all its domains at once, so the first one of the topology makes the records of all of these.

    Args:
        topology: The sites.
        kms_hosts: The KMS hosts of the run, by their name in the inventory.
        looked: The loop that looked at the rights on the records.
    """
    # A name that was scavenged or deleted is still there with its owner and rights, although DNS shows nothing.
    there = {result["item"]["record"] for result in looked if result.get("dn")}
    missing = {domain for domain, zone in topology["zones"].items() if zone["record"] not in there}
    hosts = hosts_of(topology, kms_hosts)
    first: dict[str, list[str]] = {}
    for name in kms_hosts:
        domains = [line["domain"] for line in hosts[name]["publish_list"] if line["domain"] in missing] if name in hosts else []
        if domains:
            first[name] = domains
            missing -= set(domains)
    return first


def due_grants(looked: Sequence[Result], hosts_make_records: bool) -> dict[str, list[Result]]:
    """The rights to give before a host publishes (C(there)), and on records that a host has still to make (C(new)).

    Each has C(changes), whether something is to be changed.

    Args:
        looked: The loop that looked at the rights on the records.
        hosts_make_records: Nobody makes a record that is missing but the first host.
    """
    due = [(bool(result.get("dn")), {**result["item"], "changes": bool(result.get("steps"))}) for result in looked]
    return {
        "there": [grant for is_there, grant in due if is_there or not hosts_make_records],
        "new": [grant for is_there, grant in due if hosts_make_records and not is_there],
    }


def missing_rights(rights: Sequence[Result], site: str) -> str:
    """What is missing on the records that the hosts of a site publish in, as sentences; empty where nothing is."""
    return " ".join(
        f"{lacking(result)} on the record {result['item']['record']}."
        for result in rights
        if site in result["item"]["groups"] and result.get("missing")
    )


def lacking(result: Result) -> str:
    """Who lacks what, by a look at the rights on a record."""
    whose = [str(row["principal"]) for row in result["grants"] if row["missing"]]
    return f"{' and '.join(whose)} {'lack' if len(whose) > 1 else 'lacks'} {', '.join(result['missing'])}"


def old_values(topology: Result, publications: Sequence[Result]) -> list[dict[str, Any]]:
    """The zones that hold values of KMS hosts beside the right ones, each with those as C(values).

    Args:
        topology: The sites.
        publications: What the KMS hosts said of the records that they are in.
    """
    found: list[dict[str, Any]] = []
    for zone in topology["zones"].values():
        values = [
            {"target": publication["target"], **{name: old[name] for name in _NUMBERS}}
            for publication in publications
            if publication["record"] == zone["record"]
            for old in publication.get("old_values") or []
        ]
        if values:
            found.append({**zone, "values": values})
    return found


def lacking_lines(topology: Result, targets: set[str], records: Sequence[Result], listed: bool) -> list[str]:
    """What the DNS servers still lack where others write the record, as lines of a zone file.

    Args:
        topology: The sites.
        targets: The names of the KMS hosts of the run in DNS.
        records: The results of reading the sites' records, each with its site as C(item).
        listed: Whether priority and weight matter.
    """
    fields = _NUMBERS if listed else _NUMBERS[:1]
    held = {result["item"]["domain"]: {_value(entry, fields) for entry in result.get("records") or ()} for result in records}
    return [
        f"{plain_name(zone['record'])}. IN SRV {value['priority']} {value['weight']} {value['port']} {plain_name(value['target'])}."
        for domain, zone in topology["zones"].items()
        for value in zone["printed"]
        if value["target"] in targets and _value(value, fields) not in held.get(domain, set())
    ]


def _value(entry: Mapping[str, Any], fields: Sequence[str]) -> tuple[Any, ...]:
    return plain_name(str(entry["target"])), *(entry[name] for name in fields)
