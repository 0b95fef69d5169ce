# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of a lab with sites: the topology as a company would declare it, and a group for each site."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from . import names, sites

DOMAIN_PASSWORD, WINRM_PASSWORD, LOCAL_PASSWORD = "LAB_DOMAIN_PASSWORD", "LAB_WINRM_PASSWORD", "LAB_LOCAL_PASSWORD"
"""Names of environment variables; where each site has a domain of its own, its NetBIOS name comes behind the first two."""

_WITHOUT_KERBEROS = {"ansible_winrm_transport": "ntlm", "ansible_psrp_auth": "negotiate"}


def from_environment(variable: str) -> str:
    """What an inventory has in place of a secret."""
    return f"{{{{ lookup('ansible.builtin.env', '{variable}') }}}}"


def of_realm(variable: str, realm: names.Realm) -> str:
    """The environment variable for a domain."""
    return f"{variable}_{realm.netbios}" if realm.mark else variable


def inventory(known: Sequence[sites.Site], machines: Sequence[names.Machine], connection: dict[str, Any], local: bool) -> dict[str, Any]:
    """The inventory as data. ``connection`` are the variables of the connection, ``local`` says that its user is the hosts' own."""

    def group(chosen: Callable[[names.Machine], bool]) -> dict[str, Any]:
        return {"hosts": {machine.fqdn: {"ansible_host": machine.address} for machine in machines if chosen(machine)}}

    def site_group(site: sites.Site) -> dict[str, Any]:
        found = group(lambda machine: machine.site == site.name)
        return {**found, "vars": {"volume_activation_site": site.name, **(_domain_variables(site, local) if site.realm.mark else {})}}

    first = known[0]
    variables = {
        **connection,
        "ansible_password": from_environment(WINRM_PASSWORD),
        **(_domain_variables(first, local=True) if not first.realm.mark else {}),
        "volume_activation_sites": {site.name: _declaration(site, machines) for site in known},
        "volume_activation_credentials": _credentials(known),
        "kms_multi_site_csvlk": from_environment("LAB_CSVLK"),
        # No host may write in the zone of another domain, to which its own one is a stranger.
        **({"volume_activation_remote_publish": "static"} if any(site.realm != first.realm for site in known) else {}),
    }
    children = {
        "kms_hosts": group(lambda machine: machine.role == "kms" and not machine.spare),
        "kms_spare": group(lambda machine: machine.spare),
        "kms_clients": group(lambda machine: machine.role != "kms"),
        **{f"site_{site.name}": site_group(site) for site in known},
        "workgroup": {**group(lambda machine: not machine.member), "vars": _workgroup_variables(connection)},
    }
    return {"all": {"vars": variables, "children": children}}


def _declaration(site: sites.Site, machines: Iterable[names.Machine]) -> dict[str, Any]:
    hosts = [machine for machine in machines if machine.site == site.name and machine.role == "kms" and not machine.spare]
    weights = sites.weights(len(hosts))
    return {
        "domain": site.zone,
        **({"ad_domain": site.realm.domain} if site.realm.domain != site.zone else {}),
        "group": site.group,
        "domain_controllers": [controller.fqdn for controller in site.domain_controllers],
        "dns_servers": list(site.dns_servers),
        "credential": _credential(site.realm),
        "client_networks": [site.client_network],
        "kms_hosts": [{"name": host.fqdn, "weight": weight} for host, weight in zip(hosts, weights, strict=True)],
    }


def _credential(realm: names.Realm) -> str:
    return realm.netbios.lower()


def _credentials(known: Sequence[sites.Site]) -> dict[str, dict[str, str]]:
    return {
        _credential(realm): {
            "username": realm.principal(names.OPERATOR),
            "password": from_environment(of_realm(DOMAIN_PASSWORD, realm)),
        }
        for realm in dict.fromkeys(site.realm for site in known)
    }


def _domain_variables(site: sites.Site, local: bool) -> dict[str, Any]:
    """What is another in each domain; ``local`` leaves the connection's user as it is."""
    realm = site.realm
    logon = {"ansible_user": realm.principal(names.WINRM_USER), "ansible_password": from_environment(of_realm(WINRM_PASSWORD, realm))}
    return {
        **({} if local else logon),
        "volume_activation_domain": realm.domain,
        "volume_activation_domain_server": site.domain_controllers[0].fqdn,
        "volume_activation_domain_username": realm.principal(names.OPERATOR),
        "volume_activation_domain_password": from_environment(of_realm(DOMAIN_PASSWORD, realm)),
        "volume_activation_dns_servers": list(site.dns_servers),
    }


def _workgroup_variables(connection: dict[str, Any]) -> dict[str, Any]:
    """A machine in a workgroup knows its own accounts only, and none of them by Kerberos."""
    return {
        # Beside the group of the site, which speaks of its domain.
        "ansible_group_priority": 10,
        "ansible_user": names.LOCAL_ADMIN,
        "ansible_password": from_environment(LOCAL_PASSWORD),
        **{name: value for name, value in _WITHOUT_KERBEROS.items() if connection.get(name) == "kerberos"},
    }


def environment(known: Sequence[sites.Site]) -> dict[str, str]:
    """The variables that a lab with sites has beside those of every lab."""
    found = {LOCAL_PASSWORD: names.LOCAL_ADMIN_PASSWORD}
    for realm in dict.fromkeys(site.realm for site in known):
        found[of_realm(DOMAIN_PASSWORD, realm)] = realm.password(names.OPERATOR)
        if realm.mark:
            found[of_realm(WINRM_PASSWORD, realm)] = realm.password(names.WINRM_USER)
    for site in known:
        if site.realm.mark:
            found[f"LAB_DNS_{site.realm.netbios}"] = site.dc_address
    return found
