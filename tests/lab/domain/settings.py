# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two configuration files of the domain: Samba's and the Kerberos clients'."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .. import names
from .daemon import Controller

# No SMB and no winbind: nothing in the lab needs them, and without them Samba is one process.
_SERVICES = "rpc, ldap, cldap, kdc, drepl, dns"


# Changes are told to the partner after a second and asked for every two. The KCC has done its work when the domain was
# made; the service is there for ``samba-tool drs showrepl``, which asks it.
_REPLICATION: dict[str, str | int | Path] = {
    "server services": f"{_SERVICES}, kcc",
    "samba kcc command": "/bin/true",
    "dreplsrv:notify_interval": 1,
    "dreplsrv:periodic_startup_interval": 1,
    "dreplsrv:periodic_interval": 2,
}


def write(controller: Controller, forwarder: str = "") -> None:
    """Write the configuration file of a controller; ``forwarder`` is the DNS server that it asks about what it does not serve."""
    controller.smb_conf.write_text(_smb_conf(controller, forwarder), encoding="utf-8")


def _smb_conf(controller: Controller, forwarder: str) -> str:
    """Samba's configuration: every path below the controller's tree, every port on its address alone."""
    tree, tls = controller.tree, controller.layout.tls
    settings: dict[str, str | int | Path] = {
        "workgroup": controller.name.realm.netbios,
        "realm": controller.name.realm.name,
        "netbios name": controller.name.netbios,
        "server role": "active directory domain controller",
        "server services": _SERVICES,
        "interfaces": f"{controller.address}/8",
        "bind interfaces only": "yes",
        "dns forwarder": forwarder,
        "dns update command": "/bin/true",
        "allow dns updates": "secure only",
        "vfs objects": "dfs_samba4 acl_xattr",
        "private dir": tree / "private",
        "state directory": tree / "state",
        "cache directory": tree / "cache",
        "lock directory": tree / "lock",
        "binddns dir": tree / "bind-dns",
        "pid directory": tree / "run",
        "ncalrpc dir": tree / "ncalrpc",
        "winbindd socket directory": tree / "winbindd",
        "ntp signd socket directory": tree / "ntp_signd",
        "usershare path": "",
        "tls cafile": tls / "ca.pem",
        "tls certfile": tls / "server.pem",
        "tls keyfile": tls / "server.key",
        "log file": tree / "log" / "samba.log",
        "logging": "file",
        "panic action": "",
        "load printers": "no",
        "disable spoolss": "yes",
        **(_REPLICATION if controller.paired else {}),
    }
    lines = ["[global]", *(f"\t{name} = {value}" for name, value in settings.items())]
    lines += ["[sysvol]", f"\tpath = {tree / 'state' / 'sysvol'}", "\tread only = no", ""]
    return "\n".join(lines)


def krb5_conf(controllers: Sequence[names.Controller]) -> str:
    """The clients' Kerberos configuration: KDCs by address, in this order; no name is looked up in the machine's own DNS.

    The realm of the first controller is the default.
    """
    addresses: dict[names.Realm, list[str]] = {}
    for controller in controllers:
        addresses.setdefault(controller.realm, []).append(controller.address)
    realms = "".join(_krb5_realm(realm, kdcs) for realm, kdcs in addresses.items())
    domains = "".join(f"    {realm.domain} = {realm.name}\n    .{realm.domain} = {realm.name}\n" for realm in addresses)
    return f"""[libdefaults]
    default_realm = {controllers[0].realm.name}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1

[realms]
{realms}
[domain_realm]
{domains}"""


def _krb5_realm(realm: names.Realm, addresses: Sequence[str]) -> str:
    kdcs = "".join(f"        kdc = {address}:88\n" for address in addresses)
    return f"    {realm.name} = {{\n{kdcs}        kpasswd_server = {addresses[0]}:464\n    }}\n"
