# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab hands to its users: the inventory as a company would write it, and the environment that goes with it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from . import first_play, mak_inventory, names, site_inventory
from .layout import Layout
from .microsoft.request import PATH
from .park import Park
from .sites import Site
from .wsman.certificates import CertificateFiles

HTTP_PORT = 5985
HTTPS_PORT = 5986
MICROSOFT_PORT_OFFSET = 1
"""Microsoft's port comes after that of WinRM over TLS, so that several labs can live beside each other."""
PROXY_PORT_OFFSET = 2

DOMAIN_USER = f"{names.WINRM_USER}@{names.REALM}"


def _winrm_ntlm(_layout: Layout) -> dict[str, Any]:
    return {
        "ansible_connection": "winrm",
        "ansible_port": HTTP_PORT,
        "ansible_winrm_scheme": "http",
        "ansible_winrm_transport": "ntlm",
        "ansible_user": DOMAIN_USER,
    }


def _winrm_kerberos(_layout: Layout) -> dict[str, Any]:
    return {
        "ansible_connection": "winrm",
        "ansible_port": HTTP_PORT,
        "ansible_winrm_scheme": "http",
        "ansible_winrm_transport": "kerberos",
        # Ansible runs kinit with a bare environment.
        "ansible_winrm_kinit_env_vars": ["KRB5_CONFIG"],
        "ansible_winrm_kerberos_hostname_override": "{{ inventory_hostname }}",
        "ansible_user": DOMAIN_USER,
    }


def _winrm_basic_tls(layout: Layout) -> dict[str, Any]:
    return {
        "ansible_connection": "winrm",
        "ansible_port": HTTPS_PORT,
        "ansible_winrm_scheme": "https",
        "ansible_winrm_transport": "basic",
        "ansible_winrm_ca_trust_path": str(layout.tls / "ca.pem"),
        "ansible_user": names.LOCAL_ADMIN,
    }


def _winrm_certificate(layout: Layout) -> dict[str, Any]:
    files = CertificateFiles.within(layout.tls)
    return {
        "ansible_connection": "winrm",
        "ansible_port": HTTPS_PORT,
        "ansible_winrm_scheme": "https",
        "ansible_winrm_transport": "certificate",
        "ansible_winrm_ca_trust_path": str(files.authority),
        "ansible_winrm_cert_pem": str(files.user_certificate),
        "ansible_winrm_cert_key_pem": str(files.user_key),
    }


def _winrm_credssp(layout: Layout) -> dict[str, Any]:
    return {**_winrm_ntlm(layout), "ansible_winrm_transport": "credssp"}


def _winrm_credssp_tls(layout: Layout) -> dict[str, Any]:
    return {
        **_winrm_credssp(layout),
        "ansible_port": HTTPS_PORT,
        "ansible_winrm_scheme": "https",
        "ansible_winrm_ca_trust_path": str(layout.tls / "ca.pem"),
    }


def _psrp_negotiate(_layout: Layout) -> dict[str, Any]:
    return {
        "ansible_connection": "psrp",
        "ansible_port": HTTP_PORT,
        "ansible_psrp_protocol": "http",
        "ansible_psrp_auth": "negotiate",
        "ansible_user": DOMAIN_USER,
    }


def _psrp_kerberos(layout: Layout) -> dict[str, Any]:
    return {
        **_psrp_negotiate(layout),
        "ansible_psrp_auth": "kerberos",
        "ansible_psrp_negotiate_hostname_override": "{{ inventory_hostname }}",
    }


def _psrp_credssp(layout: Layout) -> dict[str, Any]:
    return {**_psrp_negotiate(layout), "ansible_psrp_auth": "credssp"}


def _psrp_over_tls(layout: Layout) -> dict[str, Any]:
    return {
        "ansible_connection": "psrp",
        "ansible_port": HTTPS_PORT,
        "ansible_psrp_protocol": "https",
        "ansible_psrp_ca_cert": str(layout.tls / "ca.pem"),
    }


def _psrp_credssp_tls(layout: Layout) -> dict[str, Any]:
    return {**_psrp_over_tls(layout), "ansible_psrp_auth": "credssp", "ansible_user": DOMAIN_USER}


def _psrp_basic_tls(layout: Layout) -> dict[str, Any]:
    return {**_psrp_over_tls(layout), "ansible_psrp_auth": "basic", "ansible_user": names.LOCAL_ADMIN}


def _psrp_certificate(layout: Layout) -> dict[str, Any]:
    files = CertificateFiles.within(layout.tls)
    return {
        **_psrp_over_tls(layout),
        "ansible_psrp_auth": "certificate",
        "ansible_psrp_certificate_pem": str(files.user_certificate),
        "ansible_psrp_certificate_key_pem": str(files.user_key),
    }


CONNECTIONS: dict[str, Callable[[Layout], dict[str, Any]]] = {
    "winrm_ntlm": _winrm_ntlm,
    "winrm_kerberos": _winrm_kerberos,
    "winrm_basic_tls": _winrm_basic_tls,
    "winrm_certificate": _winrm_certificate,
    "winrm_credssp": _winrm_credssp,
    "winrm_credssp_tls": _winrm_credssp_tls,
    "psrp_negotiate": _psrp_negotiate,
    "psrp_kerberos": _psrp_kerberos,
    "psrp_basic_tls": _psrp_basic_tls,
    "psrp_certificate": _psrp_certificate,
    "psrp_credssp": _psrp_credssp,
    "psrp_credssp_tls": _psrp_credssp_tls,
}
"""How an inventory may connect."""

OVER_TLS = frozenset(name for name in CONNECTIONS if name.endswith(("_tls", "_certificate")))
"""Those whose messages need no encryption of their own."""

LOCAL_USER = frozenset(name for name in CONNECTIONS if name.endswith(("_basic_tls", "_certificate")))
"""Those whose user is the hosts' own and not the domain's."""


@dataclass(frozen=True)
class Facts:
    """What the two files need to know: where the lab is, how to connect, the first DC's address, the park, how many DCs, BIND, the
    sites where there are several, and the ports of WinRM."""

    layout: Layout
    connection: str
    dc_address: str
    park: Park
    controller_count: int = 1
    bind_address: str | None = None
    sites: tuple[Site, ...] = ()
    http_port: int = HTTP_PORT
    https_port: int = HTTPS_PORT

    @property
    def microsoft_url(self) -> str:
        """BatchActivation of this lab."""
        return f"https://{names.MICROSOFT_ADDRESS}:{self.https_port + MICROSOFT_PORT_OFFSET}{PATH}"

    def microsoft(self) -> dict[str, str]:
        """The variables by which the lab's Microsoft is asked; none where nobody reaches it."""
        if self.park.isolated:
            return {}
        files = CertificateFiles.within(self.layout.microsoft)
        return {"volume_activation_microsoft_url": self.microsoft_url, "volume_activation_microsoft_ca_path": str(files.authority)}

    def connect(self) -> dict[str, Any]:
        """The variables of the connection."""
        port = self.https_port if self.connection in OVER_TLS else self.http_port
        local = {"ansible_user": names.LOCAL_ADMIN} if self.park.isolated else {}
        return {**CONNECTIONS[self.connection](self.layout), **local, "ansible_port": port}

    @property
    def controllers(self) -> list[names.Controller]:
        """The domain controllers, each of which is a DNS server."""
        realm = self.sites[0].realm if self.sites else names.CONTOSO
        return names.controllers(self.controller_count, self.dc_address, realm)

    @property
    def winrm_password(self) -> str:
        """The password of the connection's user."""
        if self.connection.endswith("_basic_tls") or self.park.isolated:
            return names.LOCAL_ADMIN_PASSWORD
        return self.controllers[0].realm.password(names.WINRM_USER)


def inventory(facts: Facts, machines: Sequence[names.Machine]) -> dict[str, Any]:
    """The inventory as data."""
    connection = {**facts.connect(), **facts.microsoft()}
    if facts.sites:
        return site_inventory.inventory(
            facts.sites, machines, {**connection, **first_play.choices(facts.park, "kms_multi_site")}, local=facts.connection in LOCAL_USER
        )

    def group(*roles: str) -> dict[str, Any]:
        return {"hosts": {machine.fqdn: {"ansible_host": machine.address} for machine in machines if machine.role in roles}}

    password = {"ansible_password": site_inventory.from_environment("LAB_WINRM_PASSWORD")}
    of_maks = mak_inventory.children(mak_inventory.groups(facts.park, machines)) if facts.park.has_mak_groups else {}
    ring = mak_inventory.variables(facts.layout.root) if facts.park.has_mak_groups else {}
    if facts.park.isolated:
        children = {mak_inventory.ISOLATED: group("client", "server"), **of_maks}
        return {"all": {"vars": {**connection, **password, **ring}, "children": children}}
    variables = {
        **connection,
        **password,
        **ring,
        "volume_activation_domain": names.ZONE,
        "volume_activation_domain_server": names.DC_FQDN,
        "volume_activation_domain_username": f"{names.OPERATOR}@{names.REALM}",
        "volume_activation_domain_password": site_inventory.from_environment("LAB_DOMAIN_PASSWORD"),
        "volume_activation_dns_servers": [controller.address for controller in facts.controllers],
        "kms_single_site_csvlk": site_inventory.from_environment("LAB_CSVLK"),
        **first_play.choices(facts.park, "kms_single_site"),
    }
    return {"all": {"vars": variables, "children": {"kms_hosts": group("kms"), "kms_clients": group("client", "server"), **of_maks}}}


def addresses(facts: Facts, machines: Sequence[names.Machine]) -> dict[str, Any]:
    """What an inventory that knows the machines by their names alone lacks to reach them, as variables of hosts."""
    dns = [controller.address for controller in facts.controllers]
    shared = {"ansible_port": facts.connect()["ansible_port"], "volume_activation_dns_servers": dns, **facts.microsoft()}
    return {"all": {"hosts": {machine.fqdn: {"ansible_host": machine.address, **shared} for machine in machines}}}


def environment(facts: Facts) -> dict[str, str]:
    """Variables for whoever talks to the lab; where there are several domains, the plain ones are about the first."""
    maks = {
        "LAB_PLAY": first_play.playbook(facts.park, bool(facts.sites)),
        **(mak_inventory.environment() if facts.park.has_mak_groups else {}),
    }
    if facts.park.isolated:
        return {"KRB5_CONFIG": str(facts.layout.krb5_conf), "LAB_WINRM_PASSWORD": facts.winrm_password, **maks}
    first = facts.controllers[0]
    bind = {
        "LAB_BIND": facts.bind_address or "",
        "LAB_BIND_ZONE": names.BIND_ZONE,
        "LAB_BIND_STATIC_ZONE": names.BIND_STATIC_ZONE,
        "LAB_TSIG_NAME": names.TSIG_NAME,
        "LAB_TSIG_ALGORITHM": names.TSIG_ALGORITHM,
        "LAB_TSIG_SECRET": names.TSIG_SECRET,
    }
    return {
        "KRB5_CONFIG": str(facts.layout.krb5_conf),
        "LAB_DNS": facts.dc_address,
        "LAB_REALM": first.realm.name,
        "LAB_WINRM_PASSWORD": facts.winrm_password,
        "LAB_DOMAIN_PASSWORD": first.realm.password(names.OPERATOR),
        "LAB_CSVLK": facts.park.csvlk,
        **_microsoft_environment(facts),
        **maks,
        **{f"LAB_{item.netbios}": item.address for item in facts.controllers},
        **(bind if facts.bind_address else {}),
        **(site_inventory.environment(facts.sites) if facts.sites else {}),
    }


def _microsoft_environment(facts: Facts) -> dict[str, str]:
    return {
        "LAB_MICROSOFT_URL": facts.microsoft_url,
        "LAB_MICROSOFT_CA": facts.microsoft()["volume_activation_microsoft_ca_path"],
        "LAB_MICROSOFT_LOG": str(facts.layout.microsoft_log),
        "LAB_MICROSOFT_PROXY": f"http://{names.MICROSOFT_ADDRESS}:{facts.https_port + PROXY_PORT_OFFSET}",
        "LAB_MICROSOFT_PROXY_USER": names.PROXY_USER,
        "LAB_MICROSOFT_PROXY_PASSWORD": names.PROXY_PASSWORD,
    }


def write(facts: Facts, machines: Sequence[names.Machine]) -> None:
    """Write ``inventory.yml``, ``addresses.yml`` and ``env`` below the lab's folder."""
    text = yaml.safe_dump(inventory(facts, machines), sort_keys=False, width=200)
    facts.layout.inventory.write_text(f"---\n{text}", encoding="utf-8")
    alone = yaml.safe_dump(addresses(facts, machines), sort_keys=False, width=200)
    facts.layout.addresses.write_text(f"---\n{alone}", encoding="utf-8")
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment(facts).items())
    facts.layout.env.touch(mode=0o600)
    facts.layout.env.write_text(exports, encoding="utf-8")
