# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain without a domain controller, for the unit tests of simulated hosts: groups, tickets, one DNS zone, a clock."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from lab.windows import data
from lab.windows.factory import HostSpec, build_host
from lab.windows.host import Host
from lab.windows.microsoft import Microsoft
from lab.windows.ports import DNS_ERROR_RCODE_NAME_ERROR, DnsError, PublishError, SrvRecord

CIMV2 = "root/cimv2"
STANDARD = "root/StandardCimv2"
DOMAIN = "contoso.com"

# Workers of pytest-xdist share one loopback.
_NETWORK = 77 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_addresses = (f"127.{_NETWORK}.{high}.{low}" for high, low in itertools.product(range(1, 250), range(1, 250)))


class ManualClock:
    """Time that only moves when it is told to, or when somebody sleeps."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 8, tzinfo=UTC)

    def now(self) -> datetime:
        """The time set."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Pass at once."""
        self.advance(seconds=seconds)

    def advance(self, **span: float) -> None:
        """Move on by a timedelta's arguments."""
        self.time += timedelta(**span)


class FakeIdentity:
    """A machine account; its ticket is the groups that it had when the ticket was issued."""

    def __init__(self, domain: FakeDomain, account: str) -> None:
        self._domain = domain
        self.account = account
        self._ticket: frozenset[str] | None = None

    def ticket(self) -> frozenset[str]:
        """The kept ticket."""
        if self._ticket is None:
            self._ticket = frozenset(name for name, members in self._domain.groups.items() if self.account in members)
        return self._ticket

    def purge(self) -> None:
        """Forget it."""
        self._ticket = None


class FakeDomain:
    """DNS with an owner and groups allowed on the one record; the second host is refused unless a group lets it in."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.microsoft = Microsoft()
        self.groups: dict[str, set[str]] = {}
        self.owner: dict[str, str] = {}
        self.allowed: dict[str, set[str]] = {}
        self.records: dict[str, list[SrvRecord]] = {}
        self.hosts: dict[str, Host] = {}

    def __call__(self, identity: FakeIdentity, zone: str, target: str, port: int, priority: int, weight: int) -> None:
        """Publish."""
        owner = self.owner.setdefault(zone, identity.account)
        if owner != identity.account and not self.allowed.get(zone, set()) & identity.ticket():
            raise PublishError
        values = self.records.setdefault(zone, [])
        value = SrvRecord(target, port, priority, weight)
        if value not in values:
            values.append(value)

    def srv(self, name: str, servers: Sequence[str]) -> list[SrvRecord]:
        """The SRV values of a zone."""
        values = self.records.get(name.removeprefix("_vlmcs._tcp."))
        if not values:
            raise DnsError(DNS_ERROR_RCODE_NAME_ERROR, name)
        return values

    def addresses(self, name: str, servers: Sequence[str]) -> list[str]:
        """The address of a host of this domain."""
        if name not in self.hosts:
            raise DnsError(DNS_ERROR_RCODE_NAME_ERROR, name)
        return [self.hosts[name].spec.address]

    def add(self, label: str, profile: str, *, seed: int = 1, **options: Any) -> Host:
        """A host that is switched on and publishes without delay."""
        netbios = options.pop("netbios_name", label.upper())
        domain = options.pop("domain", DOMAIN)
        spec = HostSpec(f"{label}.{DOMAIN}", netbios, domain, next(_addresses), profile, **{"publish_delay": 0, "program": 0, **options})
        identity = FakeIdentity(self, spec.account)
        host = build_host(spec, seed, self, self, self.microsoft, identity=identity, clock=self.clock)
        self.hosts[spec.dns_name] = host
        host.start()
        return host

    def add_kms_host(self, label: str = "kms-1", key: str = "csvlk_2022", profile: str = "server_2022_standard", **options: Any) -> Host:
        """A host with its key activated and its port open."""
        host = self.add(label, profile, role="kms", **options)
        install(host, data.key_named(key).key)
        open_firewall(host)
        activate(host)
        return host

    def close(self) -> None:
        """Switch every host off."""
        for host in self.hosts.values():
            host.stop()


def service(host: Host, method: str, **arguments: Any) -> Mapping[str, Any]:
    """Call a method of SoftwareLicensingService."""
    return host.invoke(CIMV2, "SoftwareLicensingService", {"Version": host.spec.windows.spp_version}, method, arguments)


def product(host: Host, method: str, **arguments: Any) -> Mapping[str, Any]:
    """Call a method of the product that has a key."""
    return host.invoke(CIMV2, "SoftwareLicensingProduct", {"ID": base(host)["ID"]}, method, arguments)


def base(host: Host) -> Mapping[str, Any]:
    """The row of Windows itself that has a key."""
    rows = host.instances(CIMV2, "SoftwareLicensingProduct")
    return next(row for row in rows if row["PartialProductKey"] and not row["LicenseIsAddon"])


def service_row(host: Host) -> Mapping[str, Any]:
    """The instance of SoftwareLicensingService."""
    (row,) = host.instances(CIMV2, "SoftwareLicensingService")
    return row


def install(host: Host, key: str) -> None:
    """slmgr /ipk without what slmgr writes itself."""
    service(host, "InstallProductKey", ProductKey=key)


def activate(host: Host) -> None:
    """slmgr /ato."""
    product(host, "Activate")


def control(host: Host, method: str, name: str = "sppsvc") -> int:
    """StartService, StopService; the ReturnValue."""
    code: int = host.invoke(CIMV2, "Win32_Service", {"Name": name}, method, {})["ReturnValue"]
    return code


def restart_service(host: Host, clock: ManualClock) -> None:
    """Stop sppsvc, wait, start it."""
    control(host, "StopService")
    clock.advance(seconds=1)
    control(host, "StartService")


def rule_keys(name: str) -> dict[str, str]:
    """The selectors of a firewall rule."""
    return {"CreationClassName": f"MSFT|FW|FirewallRule|{name}", "PolicyRuleName": "", "SystemCreationClassName": "", "SystemName": ""}


def open_firewall(host: Host, name: str = "SPPSVC-In-TCP", method: str = "Enable") -> None:
    """Switch the KMS rule on, or off with Disable."""
    host.invoke(STANDARD, "MSFT_NetFirewallRule", rule_keys(name), method, {})


def create_process(host: Host, line: str) -> int:
    """Win32_Process.Create; the ReturnValue."""
    code: int = host.invoke(CIMV2, "Win32_Process", None, "Create", {"CommandLine": line})["ReturnValue"]
    return code


def registry(host: Host, method: str, key: str, name: str = "", **arguments: Any) -> Mapping[str, Any]:
    """A method of StdRegProv on HKLM."""
    given = {"hDefKey": 0x80000002, "sSubKeyName": key, **arguments}
    if method not in ("EnumKey", "EnumValues", "CreateKey", "DeleteKey"):
        given["sValueName"] = name
    return host.invoke(CIMV2, "StdRegProv", None, method, given)
