# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes one simulated host different from the next."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

from .data import Profile, profiles

Role = Literal["kms", "client", "server"]


@dataclass(frozen=True)
class HostSpec:
    """One Windows machine as it leaves setup. Times in seconds.

    ``profile`` names a row of ``data/os_profiles.yml``; ``domain`` is the AD DNS domain, empty for a workgroup machine;
    ``primary_suffix`` is the primary DNS suffix of a member in a disjoint namespace, where it is another than the domain;
    ``dns_suffixes`` is what DHCP gives (option 15).
    ``initial_key`` None means the setup key of the edition, an empty string no key at all.
    """

    dns_name: str
    netbios_name: str
    domain: str
    address: str
    profile: str
    role: Role = "client"
    initial_key: str | None = None
    activated: Literal["", "for good", "by KMS", "for a time"] = ""
    """How the first key is activated already, without a count at Microsoft: as it came from the maker, by KMS, as an evaluation."""
    netbios_domain: str = "CONTOSO"
    workgroup: str = "WORKGROUP"
    dns_servers: tuple[str, ...] = ("127.0.0.10",)
    dns_suffixes: tuple[str, ...] = ()
    primary_suffix: str = ""
    language: str = "en-US"
    administrators: tuple[str, ...] = ("administrator", "svc-winrm", "labadmin")
    allows_unencrypted: bool = False

    cmid: str | None = None
    """A fixed CMID: machines cloned without sysprep share one."""
    has_updates: bool = False
    """Updates that let an older server take a newer KMS host key are installed."""
    office: tuple[str, ...] = ()
    """Volume products of Office that are installed, by their suite in ``data/products.yml``."""
    edition_id: str = ""
    """Another EditionID than the profile's, such as that of an evaluation."""
    volume_licences: bool = True
    """False: installed from other media than those for volume licences, so that no volume key finds a licence."""
    internet: bool = True
    """Microsoft's activation service can be reached."""
    internet_times_out: bool = False
    """Where it can't: packets are dropped (0x80072EE2), instead of its name not being known (0x80072EE7, docs/facts/errors.md#dns-and-network)."""
    internet_timeout: float = 0.3
    """Where it can't: how long an attempt lasts."""
    blocks_process_creation: bool = False
    """Policy sets Defender's rule against processes started over WMI (docs/facts/system.md#processes)."""
    wow64_spp_key: bool = True
    """The 32-bit view has a SoftwareProtectionPlatform key."""
    firewall_variant: Literal["any", "split"] | None = None
    """Which form of the KMS firewall rules there is; None: "split" on a client, "any" on a new server, by seed on an old one."""
    local_firewall_rules: bool = True
    """False: group policy ignores local rules, so that an enabled rule opens nothing (docs/facts/system.md#firewall)."""
    licence_survives: bool = False
    """A licence comes back when the same key is installed again (docs/facts/mak.md#restored-licences)."""
    count_survives_key: bool = False
    """A KMS host that gets another KMS host key keeps what it has counted (docs/facts/kms.md#count, open)."""
    rearms: int = 3
    user_packages: tuple[str, ...] = ()
    """AppX packages, by full name, that one user has and that are not provisioned for all: sysprep /generalize stops at them."""
    sysprep_fails: bool = False
    """sysprep breaks off in the middle, and leaves an image that is not deployable."""

    ticket_at_boot: bool = True
    """The machine account's ticket dates from the start of Windows, with the groups of that time."""
    publish_delay: float = 0.2
    """From the start of the service, or activation, to the DNS update; 0 publishes inside the call."""
    sppsvc_start: float = 0.05
    """How long the first query after a start of sppsvc takes longer."""
    sppsvc_stop: float = 0.05
    """How long sppsvc stays in Stop Pending."""
    sppsvc_start_pending: float = 0.0
    """StartService times out (7), and sppsvc comes up so much later; 0: it starts at once."""
    sppsvc_idle: float = 60.0
    """Without requests, sppsvc stops itself after this time unless the machine is a KMS host."""
    event_query: float = 0.0
    """How long a query of Win32_NTLogEvent takes."""
    program: float = 0.2
    """How long netsh and klist run; their effect comes at the end."""
    sysprep: float = 0.3
    """How long sysprep runs."""
    reboot: float = 1.0
    """How long the machine is away when it restarts."""
    kms_timeout: float = 2.0
    """How long a client waits for a KMS host to answer."""

    @property
    def windows(self) -> Profile:
        """The Windows version."""
        return profiles()[self.profile]

    @property
    def mac_address(self) -> str:
        """The adapter's hardware address, a locally administered one, as Windows writes it over WMI."""
        return ":".join(f"{number:02X}" for number in (0x02, 0x1A, *ipaddress.ip_address(self.address).packed[-4:]))

    @property
    def suffix(self) -> str:
        """The primary DNS suffix; a workgroup machine has none."""
        return self.primary_suffix or self.domain

    @property
    def label(self) -> str:
        """The host name without its domain."""
        return self.dns_name.partition(".")[0]

    @property
    def account(self) -> str:
        """The computer account."""
        return f"{self.netbios_name}$"
