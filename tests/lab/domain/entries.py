# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries for the domain before its first start, as LDIF: computers, users, group memberships and DNS nodes.

They are written into the database file, which takes a fraction of a second for a whole park; ``samba-tool`` would start
a process for each.
"""

from __future__ import annotations

import base64
import ipaddress
import struct
from collections.abc import Iterable, Sequence

from .. import names

_USER_FLAGS = 0x10200  # NORMAL_ACCOUNT, DONT_EXPIRE_PASSWD
_COMPUTER_FLAGS = 0x1000  # WORKSTATION_TRUST_ACCOUNT
_TTL = 1200
_TYPE_A = 1


def _line(name: str, value: str | bytes) -> str:
    data = value.encode() if isinstance(value, str) else value
    return f"{name}:: {base64.b64encode(data).decode()}"


def _password(password: str) -> str:
    # MS-ADTS 3.1.1.3.1.5: unicodePwd is the password in double quotes, UTF-16LE.
    return _line("unicodePwd", f'"{password}"'.encode("utf-16-le"))


def _entry(dn: str, kind: str, lines: Iterable[str]) -> str:
    return "\n".join([f"dn: {dn}", f"changetype: {kind}", *lines, "", ""])


def computer(machine: names.Machine) -> str:
    """A computer account with the SPNs that a joined machine registers for itself.

    HTTP is not among them: the KDC finds it by HOST (sPNMappings), as on Windows.
    """
    services = [f"{service}/{name}" for service in ("HOST", "RestrictedKrbHost", "WSMAN") for name in (machine.netbios, machine.fqdn)]
    return _entry(
        machine.dn,
        "add",
        [
            "objectClass: computer",
            f"sAMAccountName: {machine.account}",
            f"userAccountControl: {_COMPUTER_FLAGS}",
            f"dNSHostName: {machine.fqdn}",
            *(f"servicePrincipalName: {service}" for service in services),
            _password(machine.password),
        ],
    )


def user(name: str, password: str, groups: Sequence[str] = ()) -> str:
    """A user with a UPN, and its memberships in groups of CN=Users."""
    dn = f"CN={name},CN=Users,{names.BASE_DN}"
    account = _entry(
        dn,
        "add",
        [
            "objectClass: user",
            f"sAMAccountName: {name}",
            f"userPrincipalName: {name}@{names.REALM}",
            f"userAccountControl: {_USER_FLAGS}",
            _password(password),
        ],
    )
    memberships = (_entry(f"CN={group},CN=Users,{names.BASE_DN}", "modify", ["add: member", f"member: {dn}"]) for group in groups)
    return account + "".join(memberships)


def dns_record(rtype: int, data: bytes, ttl: int = _TTL, serial: int = 1) -> bytes:
    """A ``dnsRecord`` value (MS-DNSP 2.3.2.2) with rank 0xF0 and time stamp 0, which means static."""
    return struct.pack("<HHBBHI", len(data), rtype, 5, 0xF0, 0, serial) + struct.pack(">I", ttl) + bytes(8) + data


def address_node(label: str, address: str) -> str:
    """A dnsNode with one A record."""
    data = ipaddress.IPv4Address(address).packed
    dn = f"DC={label},{names.ZONE_DN}"
    return _entry(dn, "add", ["objectClass: dnsNode", _line("dnsRecord", dns_record(_TYPE_A, data))])


def controller_services() -> str:
    """The services that a controller registers for itself some time after its start, which nobody here waits for."""
    dn = f"CN={names.DC_NAME.upper()},OU=Domain Controllers,{names.BASE_DN}"
    services = (
        f"ldap/{names.DC_FQDN}",
        f"ldap/{names.DC_NAME.upper()}",
        f"ldap/{names.DC_FQDN}/{names.ZONE}",
        f"GC/{names.DC_FQDN}/{names.ZONE}",
    )
    return _entry(dn, "modify", ["add: servicePrincipalName", *(f"servicePrincipalName: {service}" for service in services)])


def domain_entries(machines: Sequence[names.Machine]) -> str:
    """All that the domain partition gets."""
    people = [
        user(names.OPERATOR, names.OPERATOR_PASSWORD, ["Domain Admins"]),
        user(names.WINRM_USER, names.WINRM_PASSWORD),
    ]
    return "".join([controller_services(), *people, *(computer(machine) for machine in machines)])


def dns_entries(machines: Sequence[names.Machine]) -> str:
    """All that the zone gets."""
    return "".join(address_node(machine.label, machine.address) for machine in machines)
