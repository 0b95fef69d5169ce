# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, addresses and passwords of Contoso: the one place that says who is called what.

The passwords are fixed and public: the lab answers on loopback addresses only, holds nothing of value, and tests
search logs and results for these very strings to show that nothing leaks.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

ADMINISTRATOR = "Administrator"
OPERATOR = "activation-admin"
WINRM_USER = "svc-winrm"
ADMINISTRATOR_PASSWORD = "Lab.Domain-Admin.2026"
OPERATOR_PASSWORD = "Lab.Activation-Admin.2026"
WINRM_PASSWORD = "Lab.Svc-WinRM.2026"
KMS_RECORD = "_vlmcs._tcp"


@dataclass(frozen=True)
class Realm:
    """An Active Directory domain: its DNS name, its NetBIOS name, and what tells its passwords from those of another domain."""

    domain: str
    netbios: str
    mark: str = ""

    @property
    def name(self) -> str:
        """The Kerberos realm."""
        return self.domain.upper()

    @property
    def base_dn(self) -> str:
        """The domain's own object."""
        return ",".join(f"DC={label}" for label in self.domain.split("."))

    def zone_dn(self, zone: str = "") -> str:
        """A zone that all DNS servers of the domain serve; that of the domain's own name unless told otherwise."""
        return f"DC={zone or self.domain},CN=MicrosoftDNS,DC=DomainDnsZones,{self.base_dn}"

    def record_dn(self, zone: str = "", name: str = KMS_RECORD) -> str:
        """A node of a zone; that of the KMS hosts' record unless told otherwise."""
        return f"DC={name},{self.zone_dn(zone)}"

    def password(self, user: str) -> str:
        """The password of one of the three accounts that every domain of the lab has."""
        plain = {ADMINISTRATOR: ADMINISTRATOR_PASSWORD, OPERATOR: OPERATOR_PASSWORD, WINRM_USER: WINRM_PASSWORD}[user]
        return f"{plain}.{self.mark}" if self.mark else plain

    def principal(self, user: str) -> str:
        """The user principal name of an account."""
        return f"{user}@{self.name}"


CONTOSO = Realm("contoso.com", "CONTOSO")
REALM = CONTOSO.name
ZONE = CONTOSO.domain
NETBIOS_DOMAIN = CONTOSO.netbios
BASE_DN = CONTOSO.base_dn
ZONE_DN = CONTOSO.zone_dn()
SITE = "Default-First-Site-Name"
DC_NAME = "dc1"
DC_FQDN = f"{DC_NAME}.{ZONE}"
DC_ADDRESS = "127.0.0.10"

BIND_ADDRESS = "127.0.0.20"
BIND_ZONE = "fabrikam.com"
BIND_STATIC_ZONE = f"static.{BIND_ZONE}"
BIND_ZONES = (BIND_ZONE, BIND_STATIC_ZONE)
"""What is on BIND: a zone that the key below may update, and one that nobody may."""
TSIG_NAME = "lab-dns-team"
TSIG_ALGORITHM = "hmac-sha256"
TSIG_SECRET = "TGFiLkRucy1UZWFtLktleS5Jcy5QdWJsaWMuMjAyNg=="

MICROSOFT_ADDRESS = "127.0.0.5"
"""Where the lab's Microsoft is, and the proxy that is the other way to it."""
PROXY_USER = "CONTOSO\\svc-proxy"
PROXY_PASSWORD = "Lab.Svc-Proxy:2026 ü"

LOCAL_ADMIN = "labadmin"
LOCAL_ADMIN_PASSWORD = "Lab.Local-Admin.2026"
LOCAL_USER = "labuser"
LOCAL_USER_PASSWORD = "Lab.Local-User.2026"
"""A local account of every host that may log on to WinRM and is no administrator, so that it may use no class of WMI."""
# What the user's certificate names, and WinRM's certificate mapping on every host maps to the local administrator.
CERTIFICATE_USER = f"{LOCAL_ADMIN}@localhost"

KMS_GROUP = "KMS_Hosts"

MAX_CLIENTS = 200
MAX_SERVERS = 50
MAX_CONTROLLERS = 2

Role = Literal["kms", "client", "server"]


@dataclass(frozen=True)
class Controller:
    """A domain controller: ``label`` is its DNS host name, and in upper case its computer name."""

    label: str
    address: str
    realm: Realm = CONTOSO

    @property
    def key(self) -> str:
        """What its files are named after: of several domains each has a controller of that label."""
        return self.label if self.realm == CONTOSO else f"{self.realm.netbios.lower()}-{self.label}"

    @property
    def fqdn(self) -> str:
        """The DNS name."""
        return f"{self.label}.{self.realm.domain}"

    @property
    def netbios(self) -> str:
        """The computer name."""
        return self.label.upper()

    @property
    def dn(self) -> str:
        """The computer object."""
        return f"CN={self.netbios},OU=Domain Controllers,{self.realm.base_dn}"

    @property
    def settings_dn(self) -> str:
        """The object that says how it replicates (nTDSDSA)."""
        return f"CN=NTDS Settings,CN={self.netbios},CN=Servers,CN={SITE},CN=Sites,CN=Configuration,{self.realm.base_dn}"


def controllers(count: int = 1, first: str = DC_ADDRESS, realm: Realm = CONTOSO) -> list[Controller]:
    """dc1 on the first address, dc2 on the one after it."""
    if not 1 <= count <= MAX_CONTROLLERS:
        raise ValueError(f"the lab has 1 to {MAX_CONTROLLERS} domain controllers, not {count}")
    return [Controller(f"dc{n}", str(ipaddress.IPv4Address(first) + n - 1), realm) for n in range(1, count + 1)]


@dataclass(frozen=True)
class Machine:
    """A Windows machine.

    ``label`` is the DNS host name, ``netbios`` the computer name (upper case, no ``$``), ``number`` counts from 1
    within the role, in a lab with sites within the site. The two differ for KMS hosts: the scenario calls them KMS_1 and
    KMS_2, and an underscore is refused in a host name (docs/facts/samba-and-bind.md#names).

    ``realm`` is where its account is, ``zone`` its primary DNS suffix, where that is another than the domain, ``site`` the
    name of its site. A machine that is no ``member`` has no account: it is in a workgroup, and in the zone it was
    registered by DHCP. A ``spare`` KMS host waits to replace another.
    """

    label: str
    netbios: str
    address: str
    role: Role
    number: int
    realm: Realm = CONTOSO
    zone: str = ZONE
    site: str = ""
    member: bool = True
    spare: bool = False

    @property
    def fqdn(self) -> str:
        """The DNS name; that of a machine in no zone is its host name alone."""
        return f"{self.label}.{self.zone}" if self.zone else self.label

    @property
    def account(self) -> str:
        """The computer account's sAMAccountName."""
        return f"{self.netbios}$"

    @property
    def password(self) -> str:
        """The computer account's password."""
        return f"Lab.Machine.{self.netbios}.2026"

    @property
    def dn(self) -> str:
        """The computer object."""
        return f"CN={self.netbios},CN=Computers,{self.realm.base_dn}"


def kms_hosts(count: int = 2) -> list[Machine]:
    """KMS_1 and its siblings, on 127.0.1.x."""
    return [Machine(f"kms-{n}", f"KMS_{n}", f"127.0.1.{n}", "kms", n) for n in range(1, count + 1)]


def clients(count: int) -> list[Machine]:
    """pc-001 and so on, on 127.0.2.x."""
    if not 0 <= count <= MAX_CLIENTS:
        raise ValueError(f"the lab has addresses for 0 to {MAX_CLIENTS} clients, not {count}")
    return [Machine(f"pc-{n:03d}", f"PC-{n:03d}", f"127.0.2.{n}", "client", n) for n in range(1, count + 1)]


def servers(count: int) -> list[Machine]:
    """srv-01 and so on, on 127.0.3.x."""
    if not 0 <= count <= MAX_SERVERS:
        raise ValueError(f"the lab has addresses for 0 to {MAX_SERVERS} servers, not {count}")
    return [Machine(f"srv-{n:02d}", f"SRV-{n:02d}", f"127.0.3.{n}", "server", n) for n in range(1, count + 1)]


def machines(client_count: int, server_count: int, network: int = 0) -> list[Machine]:
    """Every Windows machine of a lab of that size, KMS hosts first, in another network 127.``network``.0.0/16 if so told."""
    everybody = [*kms_hosts(), *clients(client_count), *servers(server_count)]
    return [replace(machine, address=machine.address.replace("127.0.", f"127.{network}.", 1)) for machine in everybody]


def workgroup(client_count: int, server_count: int) -> list[Machine]:
    """Machines in no domain and no zone: nobody but themselves knows their names."""
    return [replace(machine, zone="", member=False) for machine in (*clients(client_count), *servers(server_count))]


def find(label: str, among: Iterable[Machine]) -> Machine:
    """The machine with that label, DNS name or computer name, in any case. Raises KeyError."""
    wanted = label.lower().removesuffix("$")
    for machine in among:
        if wanted in (machine.label, machine.fqdn, machine.netbios.lower()):
            return machine
    raise KeyError(label)
