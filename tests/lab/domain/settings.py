# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two configuration files of the domain: Samba's and the Kerberos clients'."""

from __future__ import annotations

from pathlib import Path

from .. import names

# No SMB and no winbind: nothing in the lab needs them, and without them Samba is one process.
_SERVICES = "rpc, ldap, cldap, kdc, drepl, dns"


def smb_conf(tree: Path, address: str, tls: Path) -> str:
    """Samba's configuration: every path below ``tree``, every port on ``address`` alone, certificates out of ``tls``."""
    settings = {
        "workgroup": names.NETBIOS_DOMAIN,
        "realm": names.REALM,
        "netbios name": names.DC_NAME.upper(),
        "server role": "active directory domain controller",
        "server services": _SERVICES,
        "interfaces": f"{address}/8",
        "bind interfaces only": "yes",
        "dns forwarder": "",
        "dns update command": "/bin/true",
        "rndc command": "/bin/true",
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
    }
    lines = ["[global]", *(f"\t{name} = {value}" for name, value in settings.items())]
    lines += ["[sysvol]", f"\tpath = {tree / 'state' / 'sysvol'}", "\tread only = no", ""]
    return "\n".join(lines)


def krb5_conf(address: str) -> str:
    """The clients' Kerberos configuration: the KDC by address, no name ever looked up in the machine's own DNS."""
    return f"""[libdefaults]
    default_realm = {names.REALM}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1

[realms]
    {names.REALM} = {{
        kdc = {address}:88
        kpasswd_server = {address}:464
    }}

[domain_realm]
    {names.ZONE} = {names.REALM}
    .{names.ZONE} = {names.REALM}
"""
