# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of a KMS run, and what its owner may want to know before the first change.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._licensing.given_keys import HOST_KEY, complaint
from ..._licensing.product_keys import last_five
from ..._srv.value import is_full_name, plain_name
from ..._topology.doubts import doubts
from ..._topology.model import PRINTED, PUBLISHED
from ..._topology.sites import KMS_PORT
from ..finding import Finding, license_findings
from ..registered import Result
from .records import lacking
from .rolling import KmsHosts, many_hosts_of_a_key, rollout, rollout_findings, threshold_of
from .settings import KmsSettings
from .work import hosts_of

WRITERS = {
    "dynamic": "written from the control node by dynamic update",
    "static": "written from the control node into the directory",
    PRINTED: "written by those who run DNS",
}
"""Who writes the record, where the KMS hosts do not publish themselves."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was checked before the first change.

    Attributes:
        hosts: The KMS hosts of the run, by their names in the inventory.
        all_hosts: Those of the inventory, whatever the limit is.
        clients: The clients of the run.
        all_clients: Those of the inventory.
        licenses: The results of C(license_info) of KMS hosts and clients.
        keys: What is known of the KMS host key that each KMS host is to get, see C(key_facts).
        records: The results of reading the sites' records, each with its site as C(item).
        checks: The results of further read-only tasks, with what they looked at.
        part: Whether the inventory may lack KMS hosts that there are, see C(Fleet).
    """

    hosts: Sequence[str]
    all_hosts: Sequence[str]
    clients: Sequence[str]
    all_clients: Sequence[str]
    licenses: Mapping[str, Result] = field(default_factory=dict)
    keys: Mapping[str, Result] = field(default_factory=dict)
    records: Sequence[Result] = ()
    checks: Sequence[tuple[str, Result]] = ()
    part: bool = False

    def kms_hosts(self, topology: Mapping[str, Any]) -> KmsHosts:
        """The KMS hosts, as far as the order of a run goes by them."""
        silent = {entry["host"] for result in self.records for entry in result.get("endpoints") or () if entry["state"] != "answering"}
        silent -= {entry["host"] for result in self.records for entry in result.get("endpoints") or () if entry["state"] == "answering"}
        names = [name for name, entry in hosts_of(topology, self.hosts).items() if entry["name"] in silent]
        clients = {host: entry for host, entry in self.licenses.items() if host not in set(self.hosts)}
        return KmsHosts(self.hosts, self.licenses, self.keys, frozenset(names), threshold_of(clients))


def key_facts(key: Any, variable: str) -> dict[str, Any]:
    """What may be kept of a KMS host key: whether one is given, its last five characters, and what is known against it."""
    text = str(key or "")
    refusal = complaint(text, variable, HOST_KEY) if text else ""
    return {"given": bool(text), "last_five": last_five(text) if text and not refusal else "", "refusal": refusal}


def findings(settings: KmsSettings, topology: Mapping[str, Any], look: Look) -> list[Finding]:
    """All of them.

    Args:
        settings: Those of the run.
        topology: The sites.
        look: What was checked.
    """
    found = list(_of_writers(topology))
    found += _of_inventory(settings, topology, look)
    found += _of_ports(topology, look.hosts)
    found += [Finding(record, said, False) for record, said in doubts(topology)]
    found += license_findings(look.licenses, look.hosts, look.keys, settings.named("csvlk"))
    hosts = look.kms_hosts(topology)
    found += rollout_findings(topology, hosts, rollout(topology, hosts), "" if settings.allow_outage else settings.named("allow_outage"))
    if settings.single:
        found += many_hosts_of_a_key(hosts, settings.named("csvlk"))
    for result in look.records:
        found += _of_record(settings, topology, result, look)
    for subject, result in look.checks:
        found += rights_findings(subject, result)
    # Several groups have rights on one record, so that what is said of the record is said once.
    return list(dict.fromkeys(found))


def _of_writers(topology: Mapping[str, Any]) -> Iterator[Finding]:
    for zone in topology["zones"].values():
        if zone["records"] != PUBLISHED:
            text = f"The record is {WRITERS[zone['records']]}; the hosts do not publish themselves, and no rights in a directory are given."
            yield Finding(zone["record"], text, False)


def _of_inventory(settings: KmsSettings, topology: Mapping[str, Any], look: Look) -> Iterator[Finding]:
    """Where inventory, limit and sites do not fit together."""
    if not look.hosts:
        if (look.all_hosts or look.part) and look.clients:
            text = "A limit leaves out all KMS hosts, so that they are not checked; the clients ask them as they are."
            yield Finding("inventory", text, False)
        else:
            limited = ", and into the limit" if look.all_hosts else ""
            text = f"The play has no KMS host; put at least one into the group kms_hosts{limited}."
            yield Finding("inventory", text, True)
    if not look.all_clients:
        text = "There are no clients: the inventory has no group kms_clients, or it is empty. Only KMS hosts are set up."
        yield Finding("inventory", text, False)
    every_client = frozenset(look.all_clients)
    for host in look.all_hosts:
        if host in every_client:
            yield Finding(host, "It is in both groups, kms_hosts and kms_clients; leave it in one of them.", True)
    if settings.single or (look.part and not look.hosts):
        return
    known = hosts_of(topology, look.all_hosts)
    for host in look.hosts:
        if host not in known:
            yield Finding(
                host,
                "It is in the group kms_hosts, but at no site; name it in volume_activation_sites (inventory_hostname there is"
                " its name in the inventory), or take it out of the group.",
                True,
            )
    named = {entry["name"] for entry in known.values()}
    for name, entry in topology["hosts"].items():
        if name not in named:
            text = (
                f"It is a KMS host of {entry['site']}, but not in the group kms_hosts of the inventory; it is not set up by this run."
                " (inventory_hostname of the host is its name in the inventory.)"
            )
            yield Finding(name, text, False)


def _of_ports(topology: Mapping[str, Any], hosts: Sequence[str]) -> Iterator[Finding]:
    """Ports that Windows' own exception in the firewall leaves closed."""
    others: dict[int, list[str]] = {}
    for name, entry in hosts_of(topology, hosts).items():
        if entry["port"] != KMS_PORT:
            others.setdefault(entry["port"], []).append(name)
    for port, names in others.items():
        text = (
            f"The KMS exception of Windows' firewall opens TCP port {KMS_PORT} only. Have TCP port {port} opened by a rule of your own, by policy or"
            " by hand; without it clients won't reach the host."
        )
        yield from (Finding(name, text, False) for name in names)


def _of_record(settings: KmsSettings, topology: Mapping[str, Any], result: Result, look: Look) -> Iterator[Finding]:
    """What is in a site's record beside what the topology puts there."""
    record = result["item"]["record"]
    if "records" not in result:
        # Where no KMS host is set up, clients ask whatever can be seen from here.
        yield Finding(record, str(result.get("msg", "It could not be read.")), bool(look.hosts))
        return
    wanted = {_value(value) for value in topology["zones"][result["item"]["domain"]]["values"]}
    for entry in result["records"]:
        shown = f"{entry['target']}:{entry['port']}"
        numbered = f"{shown} ({entry['priority']} {entry['weight']})"
        own = topology["hosts"].get(entry["target"])
        if own and settings.single:
            if entry["port"] != own["port"]:
                yield Finding(record, f"It names {numbered}, which is an old value of the host; it will be removed.", False)
        elif own:
            if _value(entry) not in wanted:
                yield Finding(record, f"It names {numbered}, which is not what the sites say; the value will be removed.", False)
        elif not settings.single:
            yield Finding(record, f"It also names {numbered}, which is no KMS host of the sites; it is left alone.", False)
        elif _is_stranger(str(entry["target"]), look):
            yield Finding(record, f"The record also names {shown}, which is no KMS host of this play; it is left alone.", False)
    if not result.get("consistent", True):
        behind = [server["server"] for server in result["servers"] if server["error"] or server["lacks"]]
        yield Finding(record, f"Its DNS servers do not hold the same: {', '.join(behind)} did not answer, or lacks values.", False)


def _is_stranger(target: str, look: Look) -> bool:
    """Whether a name in the record is none of the inventory's KMS hosts. A host that the limit leaves out may have any name, unless the
    inventory has its full name.
    """
    if look.part and not look.hosts:
        return False
    names = set(map(plain_name, look.all_hosts))
    if target in names or target.partition(".")[0] in names:
        return False
    here = frozenset(look.hosts)
    return all(is_full_name(host) for host in look.all_hosts if host not in here)


def _value(entry: Result) -> tuple[Any, ...]:
    return entry["target"], entry["port"], entry["priority"], entry["weight"]


def rights_findings(subject: str, result: Result) -> Iterable[Finding]:
    """What the directory would refuse, and whose the record is: from a look at a group, at rights or at static values."""
    if "error" in result or result.get("failed"):
        yield Finding(subject, str(result.get("msg", "This could not be checked.")), True)
        return
    if result.get("may_create") is False:
        told = " ".join(map(str, result.get("warnings") or ()))
        yield Finding(subject, f"{told} Or set volume_activation_record_rights to group, so that the first KMS host makes it.", True)
    if result.get("missing") and result.get("may_write") is False:
        text = f"{lacking(result)} on it, and the account may not give that (WRITE_DAC); another one has to."
        yield Finding(subject, text, False)
    if result.get("steps") and result.get("may_write") is False and "missing" not in result:
        yield Finding(subject, " ".join(map(str, result.get("warnings") or ["The account may not change it."])), True)
    for step in result.get("steps") or ():
        if step.get("attribute") == "owner":
            yield Finding(
                subject, f"It belongs to {step['before']}, which may change its rights; it will be given to {step['after']}.", False
            )
