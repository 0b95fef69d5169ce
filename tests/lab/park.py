# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parks: which Windows runs on which machine of Contoso."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from . import names, sites
from .windows import data
from .windows.data import key_named
from .windows.spec import HostSpec

ADMINISTRATORS = (names.ADMINISTRATOR, names.OPERATOR, names.WINRM_USER, names.LOCAL_ADMIN)
"""Who may use WMI on every host: the domain's administrators, the WinRM account, the local administrator."""


Zone = Literal["", "secure", "proxy"]
"""Where a machine stands: in the open; in a Secure Zone that the control node reaches and that reaches no Microsoft; or in one with a
proxy as its only way out, which the machine's own on-line activation does not use either."""


@dataclass(frozen=True)
class Kind:
    """So many machines of one kind: their Windows profile, where they stand, and what else is in their :class:`HostSpec`.

    ``key`` names the key with which they come (``data/keys.yml``); without it that is the setup key of their edition.
    """

    profile: str
    count: int = 1
    zone: Zone = ""
    key: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, spec: HostSpec, number: int) -> HostSpec:
        """What is special about the machine with that number."""
        given = dict(self.options)
        if self.key:
            given["initial_key"] = key_named(self.key).key
        if self.zone:
            # Some firewalls drop packets, and some networks know no name of the Internet.
            given.update(internet=False, internet_times_out=number % 2 == 0)
        return replace(spec, **given)

    @property
    def takes_mak(self) -> bool:
        """Whether it came from media for volume licences: retail, OEM and evaluation editions have no licence for a MAK."""
        return mak_of(self.profile) is not None and self.options.get("volume_licences", True)


@dataclass(frozen=True)
class Park:
    """A choice of machines. ``clients`` and ``servers`` are Windows profiles (``data/os_profiles.yml``) or kinds, taken in turn.

    ``client_count`` and ``server_count`` are how many it has unless told otherwise. ``csvlk_name`` and ``other_csvlk_name`` name
    keys of ``data/keys.yml`` that fit its KMS hosts. A park that is ``isolated`` has neither domain nor KMS hosts nor a Microsoft
    that anybody could reach.
    """

    kms: str
    clients: Sequence[str | Kind]
    servers: Sequence[str | Kind]
    csvlk_name: str
    other_csvlk_name: str
    client_count: int = 100
    server_count: int = 8
    isolated: bool = False
    has_mak_groups: bool = False
    """Whether its inventory has a group for every MAK, and the key ring."""

    @property
    def csvlk(self) -> str:
        """The KMS host key."""
        return key_named(self.csvlk_name).key

    @property
    def other_csvlk(self) -> str:
        """A second KMS host key of the same product."""
        return key_named(self.other_csvlk_name).key

    def profile(self, machine: names.Machine) -> str:
        """The Windows profile of a machine."""
        return self.kind(machine).profile

    def kind(self, machine: names.Machine) -> Kind:
        """What kind of machine it is."""
        if machine.role == "kms":
            return Kind(self.kms)
        given = self.clients if machine.role == "client" else self.servers
        rows = [row if isinstance(row, Kind) else Kind(row) for row in given]
        expanded = [row for row in rows for _number in range(row.count)]
        if machine.site:
            # Of few machines there is to be one of each kind.
            profiles = dict.fromkeys(row.profile for row in expanded)
            expanded = [Kind(profile) for profile in profiles]
        return expanded[(machine.number - 1) % len(expanded)]


def mak_of(profile: str) -> data.LabKey | None:
    """The MAK for an edition of Windows, None if there is none."""
    own = {item.id for item in data.products_of(data.profiles()[profile]) if item.channel == "Volume:MAK" and not item.is_addon}
    return next((item for item in data.keys().values() if item.kind == "mak" and item.product_id in own), None)


_SETUP_BY_MAKER: Mapping[str, Any] = {"volume_licences": False, "activated": "for good"}
_EVALUATION: Mapping[str, Any] = {"volume_licences": False, "activated": "for a time"}
_OFFICE: Mapping[str, Any] = {"office": ("proplus_2021",)}

PARKS: Mapping[str, Park] = {
    "modern": Park(
        kms="server_2022_standard",
        clients=(
            "windows_11_enterprise",
            "windows_10_enterprise",
            "windows_11_pro",
            "windows_10_pro",
            "windows_11_enterprise",
            "windows_10_1803_enterprise",
        ),
        servers=("server_2022_standard", "server_2019_standard", "server_2022_datacenter", "server_2016_standard"),
        csvlk_name="csvlk_2022",
        other_csvlk_name="csvlk_2022_second",
    ),
    "document": Park(
        kms="server_2008r2_enterprise",
        clients=(
            *("windows_7_enterprise",) * 12,
            "windows_vista_enterprise",
            *("windows_7_enterprise",) * 13,
            "windows_7_professional",
            "windows_vista_enterprise",
        ),
        servers=("server_2008r2_enterprise", "server_2008_enterprise"),
        csvlk_name="csvlk_2008r2_b",
        other_csvlk_name="csvlk_2008r2_b_second",
        client_count=112,
    ),
    "mak": Park(
        kms="server_2022_standard",
        clients=(
            Kind("windows_11_enterprise", 6),
            Kind("windows_11_enterprise", 2, "secure"),
            Kind("windows_11_enterprise", 2, "proxy"),
            Kind("windows_11_enterprise", 2, options=_OFFICE),
            Kind("windows_11_pro", 4),
            Kind("windows_11_pro", 2, key="retail_win_professional", options=_SETUP_BY_MAKER),
            Kind("windows_11_home", key="oem_win_home", options=_SETUP_BY_MAKER),
            Kind("windows_10_pro", 2, key="oem_win_professional", options=_SETUP_BY_MAKER),
            Kind("windows_10_pro", 3),
            # ESU is bought for these: they have their licence by KMS, and take the key of the add-on beside it.
            Kind("windows_10_enterprise", 4, options={"activated": "by KMS"}),
            Kind("windows_10_enterprise", 2),
            Kind("windows_10_enterprise", options=_OFFICE),
            Kind("windows_10_enterprise_eval", key="eval_win_enterprise", options=_EVALUATION),
            Kind("windows_10_1803_enterprise"),
            Kind("windows_7_enterprise", 3),
            Kind("windows_7_professional"),
            Kind("windows_7_professional", key="oem_win7_professional", options=_SETUP_BY_MAKER),
            Kind("windows_vista_enterprise"),
            Kind("windows_vista_rtm_enterprise"),
        ),
        servers=(
            Kind("server_2022_standard", 3),
            Kind("server_2022_standard", 1, "secure"),
            Kind("server_2022_datacenter"),
            Kind("server_2022_standard_eval", key="eval_server_2022_standard", options=_EVALUATION),
            Kind("server_2019_standard", 3),
            Kind("server_2019_standard", 1, "proxy"),
        ),
        csvlk_name="csvlk_2022",
        other_csvlk_name="csvlk_2022_second",
        client_count=40,
        server_count=10,
        has_mak_groups=True,
    ),
    "isolated": Park(
        kms="server_2022_standard",
        clients=(
            Kind("windows_11_enterprise", 20, "secure"),
            Kind("windows_11_pro", 8, "secure"),
            Kind("windows_10_enterprise", 10, "secure"),
            Kind("windows_10_pro", 4, "secure"),
            Kind("windows_7_enterprise", 6, "secure"),
        ),
        servers=(Kind("server_2022_standard", 8, "secure"), Kind("server_2019_standard", 4, "secure")),
        csvlk_name="csvlk_2022",
        other_csvlk_name="csvlk_2022_second",
        client_count=48,
        server_count=12,
        isolated=True,
        has_mak_groups=True,
    ),
}
"""``modern``: Server 2022 with Windows 10 and 11. ``document``: the machines that the scenarios were written for, KMS hosts on
Server 2008 R2, 100 clients with Windows 7 Enterprise, and some with 7 Professional, Vista, Server 2008 and 2008 R2.

``mak``: 50 computers of mixed editions for MAKs in a domain with two KMS hosts; retail, OEM and evaluation editions take none, Vista
is there before SP1 too, four with Windows 10 are licensed by KMS and wait for ESU, three have Office, six stand in a Secure Zone.
``isolated``: 60 computers in a workgroup and no Microsoft; it needs no Samba and starts in seconds."""


SITE_KMS_TIMEOUT = 0.4
"""Seconds that a client in a lab with sites waits for a KMS host: those behind a cut link never answer."""


def specs(park: Park, machines: Sequence[names.Machine], dns_servers: Sequence[str], known: Sequence[sites.Site] = ()) -> list[HostSpec]:
    """The machines of a park as the simulator makes them; every seventh client speaks German.

    ``dns_servers`` are those of a lab without sites; with them, each machine asks the controller of its site.
    """
    by_name = {site.name: site for site in known}
    found = []
    for machine in machines:
        spec = HostSpec(
            dns_name=machine.fqdn,
            netbios_name=machine.netbios,
            domain=machine.realm.domain,
            address=machine.address,
            profile=park.profile(machine),
            role=machine.role,
            netbios_domain=machine.realm.netbios,
            dns_servers=tuple(dns_servers),
            language="de-DE" if machine.role == "client" and machine.number % 7 == 0 else "en-US",
            administrators=tuple(name.lower() for name in ADMINISTRATORS),
        )
        spec = park.kind(machine).apply(spec, machine.number)
        if machine.site:
            spec = _in_site(spec, machine, by_name[machine.site])
        found.append(spec if machine.member else _in_workgroup(spec))
    return found


def _in_site(spec: HostSpec, machine: names.Machine, site: sites.Site) -> HostSpec:
    return replace(
        spec, primary_suffix=machine.zone, dns_suffixes=(machine.zone,), dns_servers=site.dns_servers, kms_timeout=SITE_KMS_TIMEOUT
    )


def _in_workgroup(spec: HostSpec) -> HostSpec:
    return replace(spec, domain="", primary_suffix="", administrators=(names.LOCAL_ADMIN,))
