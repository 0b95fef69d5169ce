# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parks: which Windows runs on which machine of Contoso."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from . import names, sites
from .windows.data import key_named
from .windows.spec import HostSpec

ADMINISTRATORS = (names.ADMINISTRATOR, names.OPERATOR, names.WINRM_USER, names.LOCAL_ADMIN)
"""Who may use WMI on every host: the domain's administrators, the WinRM account, the local administrator."""


@dataclass(frozen=True)
class Park:
    """A choice of machines. ``clients`` and ``servers`` are Windows profiles (``data/os_profiles.yml``), taken in turn.

    ``client_count`` is how many clients it has unless told otherwise. ``csvlk_name`` and ``other_csvlk_name`` name keys of
    ``data/keys.yml`` that fit its KMS hosts.
    """

    kms: str
    clients: Sequence[str]
    servers: Sequence[str]
    csvlk_name: str
    other_csvlk_name: str
    client_count: int = 100

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
        if machine.role == "kms":
            return self.kms
        rows = self.clients if machine.role == "client" else self.servers
        if machine.site:
            # Of few machines there is to be one of each kind.
            rows = tuple(dict.fromkeys(rows))
        return rows[(machine.number - 1) % len(rows)]


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
}
"""``modern``: Server 2022 with Windows 10 and 11. ``document``: the machines that the scenarios were written for, KMS hosts on
Server 2008 R2, 100 clients with Windows 7 Enterprise, and some with 7 Professional, Vista, Server 2008 and 2008 R2."""


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
        found.append(_in_site(spec, machine, by_name[machine.site]) if machine.site else spec)
    return found


def _in_site(spec: HostSpec, machine: names.Machine, site: sites.Site) -> HostSpec:
    spec = replace(
        spec, primary_suffix=machine.zone, dns_suffixes=(machine.zone,), dns_servers=site.dns_servers, kms_timeout=SITE_KMS_TIMEOUT
    )
    if machine.member:
        return spec
    return replace(spec, domain="", primary_suffix="", administrators=(names.LOCAL_ADMIN,))
