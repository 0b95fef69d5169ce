# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab hands to its users: the inventory as a company would write it, and the environment that goes with it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from . import names
from .layout import Layout

HTTP_PORT = 5985
HTTPS_PORT = 5986

DOMAIN_USER = f"{names.WINRM_USER}@{names.REALM}"


def _from_environment(variable: str) -> str:
    return f"{{{{ lookup('ansible.builtin.env', '{variable}') }}}}"


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


CONNECTIONS: dict[str, Callable[[Layout], dict[str, Any]]] = {
    "winrm_ntlm": _winrm_ntlm,
    "winrm_kerberos": _winrm_kerberos,
    "winrm_basic_tls": _winrm_basic_tls,
    "psrp_negotiate": _psrp_negotiate,
    "psrp_kerberos": _psrp_kerberos,
}
"""How an inventory may connect."""


@dataclass(frozen=True)
class Facts:
    """What the two files need to know: where the lab is, how to connect, the DC's address, the KMS host key."""

    layout: Layout
    connection: str
    dc_address: str
    csvlk: str

    @property
    def winrm_password(self) -> str:
        """The password of the connection's user."""
        return names.LOCAL_ADMIN_PASSWORD if self.connection == "winrm_basic_tls" else names.WINRM_PASSWORD


def inventory(facts: Facts, machines: Sequence[names.Machine]) -> dict[str, Any]:
    """The inventory as data."""

    def group(*roles: str) -> dict[str, Any]:
        return {"hosts": {machine.fqdn: {"ansible_host": machine.address} for machine in machines if machine.role in roles}}

    variables = {
        **CONNECTIONS[facts.connection](facts.layout),
        "ansible_password": _from_environment("LAB_WINRM_PASSWORD"),
        "volume_activation_domain": names.ZONE,
        "volume_activation_domain_server": names.DC_FQDN,
        "volume_activation_domain_username": f"{names.OPERATOR}@{names.REALM}",
        "volume_activation_domain_password": _from_environment("LAB_DOMAIN_PASSWORD"),
        "volume_activation_dns_servers": [facts.dc_address],
        "kms_single_site_csvlk": _from_environment("LAB_CSVLK"),
    }
    return {"all": {"vars": variables, "children": {"kms_hosts": group("kms"), "kms_clients": group("client", "server")}}}


def environment(facts: Facts) -> dict[str, str]:
    """Variables for whoever talks to the lab."""
    return {
        "KRB5_CONFIG": str(facts.layout.krb5_conf),
        "LAB_DNS": facts.dc_address,
        "LAB_REALM": names.REALM,
        "LAB_WINRM_PASSWORD": facts.winrm_password,
        "LAB_DOMAIN_PASSWORD": names.OPERATOR_PASSWORD,
        "LAB_CSVLK": facts.csvlk,
    }


def write(facts: Facts, machines: Sequence[names.Machine]) -> None:
    """Write ``inventory.yml`` and ``env`` below the lab's folder."""
    text = yaml.safe_dump(inventory(facts, machines), sort_keys=False, width=200)
    facts.layout.inventory.write_text(f"---\n{text}", encoding="utf-8")
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment(facts).items())
    facts.layout.env.touch(mode=0o600)
    facts.layout.env.write_text(exports, encoding="utf-8")
