# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift: what somebody might change behind the administrator's back, for the tests that mend it."""

from __future__ import annotations

import time

from . import names
from .mak_drift import MakDrift
from .site_drift import HKEY_LOCAL_MACHINE, Change, SiteDrift
from .windows.processes import ASR_RULES, NO_PROCESSES_OVER_WMI

CIMV2 = "root/cimv2"
STANDARD_CIMV2 = "root/StandardCimv2"
KMS_FIREWALL_RULE = "SPPSVC-In-TCP"
FIREWALL_RULE_KEYS = {
    "CreationClassName": f"MSFT|FW|FirewallRule|{KMS_FIREWALL_RULE}",
    "PolicyRuleName": "",
    "SystemCreationClassName": "",
    "SystemName": "",
}
"""The keys of the rule (docs/facts/system.md#firewall-rule-class)."""
KMS_FIREWALL_GROUP = "@FirewallAPI.dll,-28002"
DRIFTED_PORT = 1690
_NETSH_SECONDS = 0.5
_STOP_SECONDS = 0.2


class UnknownDrift(Exception):
    """No drift of that name, or the host it needs is missing."""


class Drift:
    """The drifts of a lab. ``other_csvlk`` is what ``key_replaced`` installs."""

    def __init__(self, of_sites: SiteDrift, other_csvlk: str) -> None:
        self._hosts = of_sites.hosts
        self._machines = of_sites.machines
        self._other_csvlk = other_csvlk
        self._of_kms_hosts: dict[str, Change] = {
            **of_sites.of_kms_hosts(),
            "firewall_off": lambda machine: self._switch_firewall(machine, False),
            "firewall_on": lambda machine: self._switch_firewall(machine, True),
            "key_replaced": self._key_replaced,
            "publishing_disabled": self._publishing_disabled,
            "port_changed": self._port_changed,
            "port_stale": self._port_stale,
            "low_priority": self._low_priority,
            "processes_blocked": self._processes_blocked,
        }
        self._of_clients = {**of_sites.of_clients(), **MakDrift(self._hosts).of_clients()}

    def known(self) -> list[str]:
        """What :meth:`apply` knows."""
        return sorted([*self._of_kms_hosts, *self._of_clients])

    def apply(self, name: str, host: str | None = None) -> str:
        """Make one change; ``host`` is the second KMS host (of the first site), or the first client, unless told otherwise.

        Returns a sentence that says what was done. Raises UnknownDrift, or NothingToChange when it has already happened.
        """
        change = self._of_kms_hosts.get(name) or self._of_clients.get(name)
        if change is None:
            raise UnknownDrift(f"no drift {name}; there are {', '.join(self.known())}")
        about_kms = name in self._of_kms_hosts
        among = [machine for machine in self._machines if (machine.role == "kms") == about_kms]
        what = "KMS host" if about_kms else "client"
        if host is None:
            default = among[1 if about_kms else 0 : 2]
            if not default:
                raise UnknownDrift(f"the lab has no {what}")
            return change(default[0])
        try:
            return change(names.find(host, among))
        except KeyError as error:
            raise UnknownDrift(f"{host} is no {what}") from error

    def _service(self, machine: names.Machine, method: str, **arguments: object) -> None:
        host = self._hosts[machine.label]
        (service,) = host.instances(CIMV2, "SoftwareLicensingService")
        host.invoke(CIMV2, "SoftwareLicensingService", {"Version": str(service["Version"])}, method, arguments)

    def _switch_firewall(self, machine: names.Machine, on: bool) -> str:
        host = self._hosts[machine.label]
        if host.cim_class(STANDARD_CIMV2, "MSFT_NetFirewallRule") is not None:
            host.invoke(STANDARD_CIMV2, "MSFT_NetFirewallRule", FIREWALL_RULE_KEYS, "Enable" if on else "Disable", {})
        else:  # before Windows 8 and Server 2012
            command = f'netsh advfirewall firewall set rule group="{KMS_FIREWALL_GROUP}" new enable={"yes" if on else "no"}'
            host.invoke(CIMV2, "Win32_Process", None, "Create", {"CommandLine": command})
            time.sleep(_NETSH_SECONDS)
        return f"{'enabled' if on else 'disabled'} the firewall rule {KMS_FIREWALL_RULE} on {machine.fqdn}"

    def _key_replaced(self, machine: names.Machine) -> str:
        self._service(machine, "InstallProductKey", ProductKey=self._other_csvlk)
        return f"installed the key that ends in {self._other_csvlk[-5:]} on {machine.fqdn}"

    def _publishing_disabled(self, machine: names.Machine) -> str:
        self._service(machine, "DisableKeyManagementServiceDnsPublishing", DisablePublishing=True)
        return f"disabled DNS publishing on {machine.fqdn}"

    def _port_changed(self, machine: names.Machine) -> str:
        self._service(machine, "SetKeyManagementServiceListeningPort", PortNumber=DRIFTED_PORT)
        return f"set the listening port of {machine.fqdn} to {DRIFTED_PORT}"

    def _port_stale(self, machine: names.Machine) -> str:
        """Another port is in use, and the old one set again without a restart."""
        host = self._hosts[machine.label]
        (service,) = host.instances(CIMV2, "SoftwareLicensingService")
        self._service(machine, "SetKeyManagementServiceListeningPort", PortNumber=DRIFTED_PORT)
        for method in ("StopService", "StartService"):
            host.invoke(CIMV2, "Win32_Service", {"Name": "sppsvc"}, method, {})
            time.sleep(_STOP_SECONDS)
        port = int(service["KeyManagementServiceListeningPort"]) or 1688
        self._service(machine, "SetKeyManagementServiceListeningPort", PortNumber=port)
        return f"{machine.fqdn} listens on {DRIFTED_PORT} although {port} is set"

    def _low_priority(self, machine: names.Machine) -> str:
        self._service(machine, "EnableKeyManagementServiceLowPriority", EnableLowPriority=True)
        return f"set the KMS of {machine.fqdn} to low priority"

    def _processes_blocked(self, machine: names.Machine) -> str:
        key = {"hDefKey": HKEY_LOCAL_MACHINE, "sSubKeyName": ASR_RULES}
        host = self._hosts[machine.label]
        host.invoke(CIMV2, "StdRegProv", None, "CreateKey", key)
        host.invoke(CIMV2, "StdRegProv", None, "SetStringValue", {**key, "sValueName": NO_PROCESSES_OVER_WMI, "sValue": "1"})
        return f"a policy of {machine.fqdn} blocks processes that are started over WMI"
