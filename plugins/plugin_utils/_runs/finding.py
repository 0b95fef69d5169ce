# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings: what a preflight saw, and what the licensing state of hosts tells.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._condensed.alike import alike
from .._core.text import LONGEST_LINE, columns, some, visible
from .._licensing.client_ids import said_of, shared_ids
from .._licensing.kms_groups import edition_of, group_of, is_refused
from .._licensing.setup_keys import is_evaluation, is_home

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
        return {"object": visible(self.object, LONGEST_LINE), "text": visible(self.text, LONGEST_LINE), "blocks": self.blocks}


def table(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Findings, as variables hold them, as lines of a table, those that block first, and those that say the same as one."""
    rows: list[tuple[str, str, str]] = []
    for word, blocks in (("STOP", True), ("note", False)):
        said = ((str(finding["object"]), str(finding["text"])) for finding in findings if finding["blocks"] == blocks)
        rows += [(word, _objects(names), text) for names, text in alike(said)]
    return columns(rows)


def _objects(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} ({some(names, 3)})"


def license_findings(
    licenses: Mapping[str, Result], kms_hosts: Sequence[str], keys: Mapping[str, Result], key_variable: str
) -> Iterable[Finding]:
    """What the licensing state of each host tells, and what is known against the keys that the KMS hosts are to get.

    Args:
        licenses: Results of C(license_info) by host.
        kms_hosts: The hosts that are to be KMS hosts.
        keys: What C(key_facts) tells of the key of each of them.
        key_variable: Names where a KMS host key is given.
    """
    yield from refused_keys(keys)
    yield from _foreign_keys(licenses, {host: key for host, key in keys.items() if host in kms_hosts}, key_variable)
    for host, result in licenses.items():
        if result.get("unreachable") or "operating_system" not in result:
            yield Finding(host, str(result.get("msg") or "The host was not asked."), host in kms_hosts)
        elif host in kms_hosts:
            yield from _kms_host_findings(host, result, bool(keys.get(host, {}).get("given")), key_variable)
        else:
            yield from _client_findings(host, result)
    yield from _unserved({host: result for host, result in licenses.items() if "operating_system" in result}, kms_hosts, key_variable)
    clients = {host: result for host, result in licenses.items() if host not in kms_hosts}
    yield from (Finding("clients", said_of(*shared), False) for shared in shared_ids(clients).items())


def refused_keys(keys: Mapping[str, Result]) -> Iterable[Finding]:
    """What is known against keys, by what C(key_facts) tells of the key of each host."""
    refused: dict[str, list[str]] = {}
    for host, key in keys.items():
        if key.get("refusal"):
            refused.setdefault(str(key["refusal"]), []).append(host)
    for refusal, hosts in refused.items():
        yield Finding(some(hosts), refusal, True)


def _foreign_keys(licenses: Mapping[str, Result], keys: Mapping[str, Result], key_variable: str) -> Iterable[Finding]:
    """The hosts that hold the key that they are to get as what it is, and that is no KMS host key."""
    for host, key in keys.items():
        windows, given = licenses.get(host, {}).get("windows") or {}, str(key.get("last_five") or "")
        channel = windows.get("channel")
        if given and windows.get("partial_key") == given and channel not in (None, "csvlk", "unknown"):
            yield Finding(host, f"It holds the key of {key_variable}, which is a {channel} key and no KMS host key (CSVLK).", True)


def _unserved(licenses: Mapping[str, Result], kms_hosts: Sequence[str], key_variable: str) -> Iterable[Finding]:
    """The clients that none of the KMS hosts would activate with the keys that they hold now, by their Windows."""
    keys = {host: str((licenses[host].get("windows") or {}).get("description", "")) for host in kms_hosts if host in licenses}
    unserved: dict[str, list[str]] = {}
    for host, result in licenses.items():
        system, name = result["operating_system"], str((result.get("windows") or {}).get("name", ""))
        client = (name, int(system.get("build") or 0), bool(system.get("server")))
        # A key that is not known is not refused, so that nothing is said where one of the hosts has such a key.
        if host not in kms_hosts and keys and all(is_refused(description, *client) for description in keys.values()):
            unserved.setdefault(str(system["caption"]).strip() or f"the Windows of {host}", []).append(host)
    held = ", ".join(f"{host} holds {group_of(description)}" for host, description in keys.items())
    for caption, names in unserved.items():
        text = f"No KMS host serves {caption}, and would answer 0xC004F042: {held}. Give a newer KMS host key by {key_variable}."
        yield Finding(some(names), text, False)


def _kms_host_findings(host: str, result: Result, key_given: bool, key_variable: str) -> Iterable[Finding]:
    """What stands in the way of making a host a KMS host; C(key_variable) names where a key is given."""
    yield from _clock_findings(host, result, _KERBEROS_SECONDS, True)
    channel = (result.get("windows") or {}).get("channel")
    if channel == "timebased":
        yield Finding(
            host, f"{result['operating_system']['caption']} is an evaluation; change its edition with DISM /Set-Edition first.", True
        )
    elif channel != "csvlk" and not key_given:
        yield Finding(host, f"It holds no KMS host key, and none is given; set {key_variable}.", True)


def _client_findings(host: str, result: Result) -> Iterable[Finding]:
    """What a client's owner may want to know before it becomes a KMS client."""
    yield from _clock_findings(host, result, _KMS_SECONDS, False)
    windows = result.get("windows") or {}
    channel, edition = windows.get("channel"), edition_of(str(windows.get("name", "")))
    if channel == "timebased" or is_evaluation(edition):
        yield Finding(
            host,
            f"{result['operating_system']['caption']} is an evaluation, which takes no client setup key before DISM /Set-Edition.",
            False,
        )
    elif is_home(edition):
        yield Finding(host, f"KMS cannot activate the Home edition {edition}; upgrade it to a volume edition first.", False)
    elif channel == "csvlk":
        yield Finding(host, "It holds a KMS host key although it is among the clients; take it out of them.", False)
    elif channel not in (None, "gvlk"):
        yield Finding(host, f"Its {channel} key will be replaced by the client setup key of its edition.", False)


def _clock_findings(host: str, result: Result, allowed: int, blocks: bool) -> Iterable[Finding]:
    offset = result["operating_system"].get("clock_offset")
    if offset is not None and abs(offset) > allowed:
        yield Finding(
            host,
            f"Its clock differs from the control node's by {offset:.0f} seconds, more than the {allowed} allowed; run w32tm /resync there.",
            blocks,
        )
