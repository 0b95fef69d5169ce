# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory plugin winops.volume_activation.wsman_scan."""

from __future__ import annotations

DOCUMENTATION = r"""
name: wsman_scan
short_description: Windows hosts that answer in given networks
version_added: 0.2.0
author: winops contributors (@winops)
description:
  - Asks every address of given networks by WS-Management Identify who it is, and takes those that answer as WinRM of Windows into the inventory.
    It finds computers of workgroups, which no directory knows.
  - No account is needed. WinRM answers this request without authentication, and tells its own version then, but not that of Windows.
  - Whoever else answers on the ports is left out, as are computers that are off, have no listener, or whose firewall lets nothing through. In
    the profile C(Public), and in workgroups, Windows lets in the own subnet only.
  - How many addresses, at which rate, with how many connections at once and for how long at most are all bounded, before the first packet is sent.
    Ask only networks that are yours; monitoring may take it for a port scan.
  - The inventory file's name ends with C(wsman_scan.yml) or C(wsman_scan.yaml).
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description:
      - Says that the file is for this plugin.
    type: str
    required: true
    choices: [winops.volume_activation.wsman_scan]
  networks:
    description:
      - Addresses (V(192.0.2.10)), ranges (V(192.0.2.10-192.0.2.20)) and networks (V(192.0.2.0/24)), IPv4 or IPv6.
      - The first and the last address of an IPv4 network are not asked.
    type: list
    elements: str
    required: true
  exclude:
    description:
      - Addresses, ranges and networks that are not asked.
    type: list
    elements: str
    default: []
  limit:
    description:
      - How many addresses may be asked. With more, nobody is asked and the inventory fails.
    type: int
    default: 1024
  http_ports:
    description:
      - Ports that are asked over HTTP.
    type: list
    elements: int
    default: [5985]
  https_ports:
    description:
      - Ports that are asked over HTTPS. Any certificate is taken here, as nothing secret is sent; the connection of the host has its own setting.
    type: list
    elements: int
    default: [5986]
  rate:
    description:
      - How many connections begin in a second at most.
    type: float
    default: 200
  parallel:
    description:
      - How many connections there are at the same time at most.
    type: int
    default: 128
  timeout:
    description:
      - Seconds for one connection with its answer.
    type: float
    default: 3
  time_limit:
    description:
      - Seconds for everything, if nobody answers. Where it could take longer, nobody is asked and the inventory fails.
    type: float
    default: 300
  names:
    description:
      - By what a host is named. V(address) is its address.
      - V(dns) is the name that the control node's resolver has for the address, where that name leads back to it, and the address otherwise. Kerberos
        needs names.
    type: str
    choices: [address, dns]
    default: address
notes:
  - Every host is in the group C(wsman), and in C(wsman_http) or C(wsman_https) or both, by what answers.
  - Every host has the variables C(wsman_address), C(wsman_port) and C(wsman_scheme) of the first port that answers, HTTP ports before HTTPS ports,
    C(wsman_ports) with all that do, each with C(port) and C(scheme), C(wsman_vendor), C(wsman_product_version) as the host gives it, and
    C(wsman_stack), the version of WinRM in it (2.0 for Windows 7 and Server 2008 R2, 3.0 from Windows 8 and Server 2012 on).
  - Variables of the connection are not set; O(compose) does that.
  - With O(cache), hosts come from the cache if the same was asked before, whether they are still there or not.
seealso:
  - plugin: microsoft.ad.ldap
    plugin_type: inventory
  - plugin: winops.volume_activation.debug_winrm_session
    plugin_type: module
"""

EXAMPLES = r"""
# workgroup.wsman_scan.yml: one network and what is in it, over HTTP with NTLM
plugin: winops.volume_activation.wsman_scan
networks:
  - 192.0.2.0/24
exclude:
  - 192.0.2.1-192.0.2.9
compose:
  ansible_connection: "'winrm'"
  ansible_port: wsman_port
  ansible_winrm_scheme: wsman_scheme
  ansible_winrm_transport: "'ntlm'"
keyed_groups:
  - key: wsman_stack
    prefix: wsman_stack
---
# lab.wsman_scan.yml: slowly, over HTTPS only, by names, and remembered for a day
plugin: winops.volume_activation.wsman_scan
networks: [10.20.0.0/22]
http_ports: []
names: dns
rate: 20
parallel: 10
time_limit: 900
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: /var/cache/ansible/wsman_scan
cache_timeout: 86400
groups:
  # Servers have their own network.
  servers: wsman_address is match('10\\.20\\.3\\.')
"""

import typing as t
from collections.abc import Mapping, Sequence

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ..plugin_utils._core.address import PORTS
from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._core.text import LONGEST_LINE, visible
from ..plugin_utils._scan.identify import Pace, Port, WinrmEndpoint, scan
from ..plugin_utils._scan.names import names_of
from ..plugin_utils._scan.networks import addresses

# What decides who is found, beside the network itself.
_ASKED = ("networks", "exclude", "http_ports", "https_ports", "names")
_LONGEST_TEXT = 200


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Hosts by who answers."""

    NAME = "winops.volume_activation.wsman_scan"

    def verify_file(self, path: str) -> bool:
        """See the base class."""
        return bool(super().verify_file(path)) and path.endswith(("wsman_scan.yml", "wsman_scan.yaml"))  # type: ignore[no-untyped-call]

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """See the base class."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)  # type: ignore[no-untyped-call]
        options: dict[str, t.Any] = self.get_options()  # type: ignore[no-untyped-call]
        try:
            hosts = self._hosts(options, path, cache)
        except ActivationError as failure:
            raise AnsibleParserError(visible(failure.message, LONGEST_LINE)) from None
        for group in ("wsman", "wsman_http", "wsman_https"):
            inventory.add_group(group)
        for host in hosts:
            self._add(inventory, host, options)

    def _hosts(self, options: Mapping[str, t.Any], path: str, cache: bool) -> list[dict[str, t.Any]]:
        """The hosts as the cache keeps them: a name, and variables."""
        if not options["cache"]:
            return _found(options)
        asked = {name: options[name] for name in _ASKED}
        key = self.get_cache_key(path)
        kept = self._cache.get(key) if cache else None
        if isinstance(kept, Mapping) and kept.get("asked") == asked:
            return list(kept["hosts"])
        hosts = _found(options)
        self._cache[key] = {"asked": asked, "hosts": hosts}
        return hosts

    def _add(self, inventory: t.Any, host: Mapping[str, t.Any], options: Mapping[str, t.Any]) -> None:
        name, variables = host["name"], host["variables"]
        inventory.add_host(name, group="wsman")
        for scheme in sorted({port["scheme"] for port in variables["wsman_ports"]}):
            inventory.add_host(name, group=f"wsman_{scheme}")
        for variable, value in variables.items():
            inventory.set_variable(name, variable, value)
        strict = options["strict"]
        self._set_composite_vars(options["compose"], variables, name, strict=strict)  # type: ignore[no-untyped-call]
        self._add_host_to_composed_groups(options["groups"], variables, name, strict=strict)  # type: ignore[no-untyped-call]
        self._add_host_to_keyed_groups(options["keyed_groups"], variables, name, strict=strict)  # type: ignore[no-untyped-call]


def _found(options: Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """Who answers now."""
    for name in ("limit", "parallel", "rate", "timeout", "time_limit"):
        if options[name] <= 0:
            raise ActivationError(f"wsman_scan: {name} has to be more than 0.", source="options")
    ports = [Port(port, scheme) for scheme in ("http", "https") for port in options[f"{scheme}_ports"]]
    if not ports or any(port.number not in PORTS for port in ports):
        raise ActivationError("wsman_scan: http_ports and https_ports have to name at least one port, from 1 to 65535.", source="options")
    asked = addresses(options["networks"], options["exclude"], options["limit"])
    pace = Pace(options["parallel"], options["rate"], options["timeout"], options["time_limit"])
    found: dict[str, list[WinrmEndpoint]] = {}
    for endpoint in scan(asked, ports, pace):
        found.setdefault(endpoint.address, []).append(endpoint)
    names = names_of(list(found), pace.time_limit) if options["names"] == "dns" else {}
    named: dict[str, list[WinrmEndpoint]] = {}
    for address, endpoints in found.items():
        # Of two addresses with one name the second keeps its address.
        name = names.get(address, address)
        named[address if name in named else name] = endpoints
    return [{"name": name, "variables": _variables(endpoints)} for name, endpoints in named.items()]


def _variables(endpoints: Sequence[WinrmEndpoint]) -> dict[str, t.Any]:
    first = endpoints[0]
    return {
        "wsman_address": first.address,
        "wsman_port": first.port,
        "wsman_scheme": first.scheme,
        "wsman_ports": [{"port": endpoint.port, "scheme": endpoint.scheme} for endpoint in endpoints],
        # Whoever answers chooses these texts.
        "wsman_vendor": visible(first.vendor, _LONGEST_TEXT),
        "wsman_product_version": visible(first.product, _LONGEST_TEXT),
        "wsman_stack": visible(first.stack, _LONGEST_TEXT),
    }
