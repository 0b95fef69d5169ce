# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, addresses and passwords of Contoso: the one place that says who is called what.

The passwords are fixed and public: the lab answers on loopback addresses only, holds nothing of value, and tests
search logs and results for these very strings to show that nothing leaks.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

REALM = "CONTOSO.COM"
ZONE = "contoso.com"
NETBIOS_DOMAIN = "CONTOSO"
BASE_DN = "DC=contoso,DC=com"
ZONE_DN = f"DC={ZONE},CN=MicrosoftDNS,DC=DomainDnsZones,{BASE_DN}"
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

ADMINISTRATOR = "Administrator"
ADMINISTRATOR_PASSWORD = "Lab.Domain-Admin.2026"
OPERATOR = "activation-admin"
OPERATOR_PASSWORD = "Lab.Activation-Admin.2026"
WINRM_USER = "svc-winrm"
WINRM_PASSWORD = "Lab.Svc-WinRM.2026"
LOCAL_ADMIN = "labadmin"
LOCAL_ADMIN_PASSWORD = "Lab.Local-Admin.2026"
# What the user's certificate names, and WinRM's certificate mapping on every host maps to the local administrator.
CERTIFICATE_USER = f"{LOCAL_ADMIN}@localhost"

KMS_RECORD = "_vlmcs._tcp"
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

    @property
    def fqdn(self) -> str:
        """The DNS name."""
        return f"{self.label}.{ZONE}"

    @property
    def netbios(self) -> str:
        """The computer name."""
        return self.label.upper()

    @property
    def dn(self) -> str:
        """The computer object."""
        return f"CN={self.netbios},OU=Domain Controllers,{BASE_DN}"

    @property
    def settings_dn(self) -> str:
        """The object that says how it replicates (nTDSDSA)."""
        return f"CN=NTDS Settings,CN={self.netbios},CN=Servers,CN={SITE},CN=Sites,CN=Configuration,{BASE_DN}"


def controllers(count: int = 1, first: str = DC_ADDRESS) -> list[Controller]:
    """dc1 on the first address, dc2 on the one after it."""
    if not 1 <= count <= MAX_CONTROLLERS:
        raise ValueError(f"the lab has 1 to {MAX_CONTROLLERS} domain controllers, not {count}")
    return [Controller(f"dc{n}", str(ipaddress.IPv4Address(first) + n - 1)) for n in range(1, count + 1)]


@dataclass(frozen=True)
class Machine:
    """A Windows machine of the domain.

    ``label`` is the DNS host name, ``netbios`` the computer name (upper case, no ``$``), ``number`` counts from 1
    within the role. The two differ for KMS hosts: the scenario calls them KMS_1 and KMS_2, and an underscore is refused
    in a host name (lab-facts, check-names).
    """

    label: str
    netbios: str
    address: str
    role: Role
    number: int

    @property
    def fqdn(self) -> str:
        """The DNS name."""
        return f"{self.label}.{ZONE}"

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
        return f"CN={self.netbios},CN=Computers,{BASE_DN}"


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


def machines(client_count: int, server_count: int) -> list[Machine]:
    """Every Windows machine of a lab of that size, KMS hosts first."""
    return [*kms_hosts(), *clients(client_count), *servers(server_count)]


def find(label: str, among: Iterable[Machine]) -> Machine:
    """The machine with that label, DNS name or computer name, in any case. Raises KeyError."""
    wanted = label.lower().removesuffix("$").removesuffix(f".{ZONE}")
    for machine in among:
        if wanted in (machine.label, machine.netbios.lower()):
            return machine
    raise KeyError(label)
