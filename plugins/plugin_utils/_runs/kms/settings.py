# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the two roles, read and checked once.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..._core.errors import Refusals
from ..._topology.model import DYNAMIC, PRINTED, PUBLISHED, STATIC
from ..._topology.reading import Section
from ..._topology.sites import KMS_PORT

SINGLE, SEVERAL = "kms_single_site", "kms_multi_site"
FACES = (SINGLE, SEVERAL)
"""The roles, whose variables begin with their names."""

_OF_ALL = (
    "activate",
    "record_rights",
    "allow_outage",
    "ticket",
    "firewall_method",
    "publish_timeout",
    "ask_again",
    "dns_suffixes",
    "lookup_domain",
    "host_caching",
    "alternate_url",
)
_OF_SINGLE = ("domain", "dns_servers", "records", "record_zone", "record_server", "group", "port")
_OF_SEVERAL = ("sites", "local_priority", "remote_priority", "remote_publish", "hosts_per_csvlk", "publish_list", "control_site")
EACH_HOST = "group_and_hosts"
"""Group and hosts have rights on records; else the group alone."""

_LONGEST_WAIT = 24 * 3600
_MOST_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class KmsSettings:
    """What a run is asked for; the argument specs of the roles say what each means.

    Attributes:
        face: The role.
        activate: C(online) or C(offline).
        record_rights: C(group_and_hosts) or C(group), who may write records.
        allow_outage: Whether a site may be without a KMS host that serves for a while.
        ticket: How a host gets a Kerberos ticket that knows its new group.
        firewall_method: C(wmi) or C(netsh).
        publish_timeout: Seconds.
        ask_again: How often clients ask again.
        publish_list: C(merge) or C(exact).
        dns_suffixes: The clients' search list; C(None) where none is given. This and the next three may differ from client to client.
        lookup_domain: The one domain in which clients look; empty for none.
        host_caching: Whether clients keep to the host that they found; C(None) where nobody says.
        alternate_url: The address for users who have trouble; empty to leave it.
        control_site: The site of the control node; empty where that is not told.
        domain: The DNS domain of a single site, as all below.
        dns_servers: Its DNS servers.
        records: Who writes its record.
        record_zone: The zone of the record.
        record_server: The DNS server that the record is written on; empty for the usual one.
        group: The group of its KMS hosts.
        port: Their TCP port.
    """

    face: str
    activate: str
    record_rights: str
    allow_outage: bool
    ticket: str
    firewall_method: str
    publish_timeout: int
    ask_again: int
    publish_list: str
    dns_suffixes: Sequence[str] | None
    lookup_domain: str
    host_caching: bool | None
    alternate_url: str
    control_site: str = ""
    domain: str = ""
    dns_servers: Sequence[str] = ()
    records: str = PUBLISHED
    record_zone: str = ""
    record_server: str = ""
    group: str = ""
    port: int = KMS_PORT

    @property
    def online(self) -> bool:
        """Whether KMS hosts ask Microsoft themselves."""
        return self.activate == "online"

    @property
    def hosts_have_rights(self) -> bool:
        """Whether each host has rights of its own on records, which are made for it."""
        return self.record_rights == EACH_HOST

    @property
    def single(self) -> bool:
        """Whether there is one site, whose KMS hosts are those of the inventory."""
        return self.face == SINGLE

    def named(self, setting: str) -> str:
        """The variable of a setting."""
        return f"{self.face}_{setting}"

    def as_result(self) -> dict[str, Any]:
        """The settings as variables can hold them."""
        return {**asdict(self), "dns_servers": list(self.dns_servers)}

    @classmethod
    def of_result(cls, result: Mapping[str, Any]) -> KmsSettings:
        """The settings that C(as_result) gave."""
        return cls(**result)


def read_settings(face: str, given: Mapping[str, Any]) -> KmsSettings:
    """The settings of a run.

    Args:
        face: The role.
        given: Its variables, without the beginning of their names. Nothing and empty text are a variable's default.

    Raises:
        Refusals: Some can't be what they are; the message has a line for each.
    """
    own = (*_OF_ALL, *(_OF_SINGLE if face == SINGLE else _OF_SEVERAL))
    problems: list[str] = []
    values = {f"{face}_{name}": given.get(name) for name in own}
    section = Section(problems, "", values, values.keys())
    found = _read(section, face)
    if problems:
        raise Refusals(problems)
    return found


def _read(section: Section, face: str) -> KmsSettings:
    def named(name: str) -> str:
        return f"{face}_{name}"

    def choice(name: str, *words: str) -> str:
        return section.choice(named(name), words, words[0])

    common: dict[str, Any] = {
        "face": face,
        "activate": choice("activate", "online", "offline"),
        "record_rights": choice("record_rights", EACH_HOST, "group"),
        "allow_outage": section.flag(named("allow_outage"), False),
        "ticket": choice("ticket", "wait", "purge", "reboot"),
        "firewall_method": choice("firewall_method", "wmi", "netsh"),
        "publish_timeout": section.number(named("publish_timeout"), 30, range(_LONGEST_WAIT + 1)),
        "ask_again": section.number(named("ask_again"), 2, range(_MOST_ATTEMPTS + 1)),
        "dns_suffixes": list(section.domains(named("dns_suffixes"))) or None,
        "lookup_domain": section.name(named("lookup_domain")),
        "alternate_url": section.text(named("alternate_url")),
    }
    if face == SEVERAL:
        caching = section.flag(named("host_caching"), False)
        publish_list, place = choice("publish_list", "merge", "exact"), section.text(named("control_site"))
        return KmsSettings(**common, host_caching=caching, publish_list=publish_list, control_site=place)
    domain = section.name(named("domain"), required=True)
    return KmsSettings(
        **common,
        host_caching=section.flag(named("host_caching"), False) if section.has(named("host_caching")) else None,
        publish_list="merge",
        domain=domain,
        dns_servers=list(section.names(named("dns_servers"))),
        records=choice("records", PUBLISHED, DYNAMIC, STATIC, PRINTED),
        record_zone=section.name(named("record_zone"), domain),
        record_server=section.text(named("record_server")),
        group=section.text(named("group"), "KMS_Hosts"),
        port=section.port(named("port"), KMS_PORT),
    )


def topology_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """What holds where a site declares nothing of its own, as C(read_sites) takes it."""
    found = {name: given.get(name) for name in ("local_priority", "remote_priority", "remote_publish")}
    return {**found, "csvlk_hosts": given.get("hosts_per_csvlk")}


def credential_names(given: Any) -> Collection[str]:
    """The names of the credentials that there are."""
    return [str(name) for name in given or ()]
