# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift in a world of sites: values, lists, rights and members as somebody might leave them, and clients that went astray."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from . import names, sites
from .domain.editor import Editor, NothingToChange
from .windows.host import Host
from .windows.kms_counter import KmsCounter
from .windows.machine import DNS_CLIENT_POLICY
from .windows.schema import CIMV2
from .windows.settings import DomainEntry, parse_publish_list

HKEY_LOCAL_MACHINE = 0x80000002
PUBLISH_LIST = "DnsDomainPublishList"
OTHER_PRIORITY, OTHER_WEIGHT = 55, 44
FOREIGN_HOST = "kms-old"
FOREIGN_DOMAIN = "fabrikam.com"
EXPIRES_IN = timedelta(days=2)

Change = Callable[[names.Machine], str]


class SiteDrift:
    """Changes to the KMS hosts of a lab, to what they have in directory and DNS, and to its clients.

    ``editors`` are by domain, ``hosts`` by label. All methods raise NothingToChange.
    """

    def __init__(
        self,
        editors: Mapping[names.Realm, Editor],
        hosts: Mapping[str, Host],
        machines: Sequence[names.Machine],
        known: Sequence[sites.Site],
    ) -> None:
        self._editors = editors
        self.hosts = hosts
        self.machines = machines
        self._sites = {site.name: site for site in known}

    def group(self, machine: names.Machine) -> str:
        """The group of a KMS host."""
        return self._sites[machine.site].group if machine.site else names.KMS_GROUP

    def _editor(self, machine: names.Machine) -> Editor:
        return self._editors[machine.realm]

    def of_kms_hosts(self) -> dict[str, Change]:
        """Drifts that are about a KMS host, by name."""
        return {
            "srv_removed": lambda machine: self._editor(machine).remove_srv(machine.fqdn, zone=machine.zone),
            "priority_changed": lambda machine: self._editor(machine).change_srv(machine.fqdn, machine.zone, priority=OTHER_PRIORITY),
            "weight_changed": lambda machine: self._editor(machine).change_srv(machine.fqdn, machine.zone, weight=OTHER_WEIGHT),
            "old_value": lambda machine: self._editor(machine).add_srv(machine.zone, 0, 0, 1688, machine.fqdn),
            "foreign_target": lambda machine: self._editor(machine).add_srv(machine.zone, 0, 0, 1688, f"{FOREIGN_HOST}.{machine.zone}"),
            "scavengeable": lambda machine: self._editor(machine).stamp_srv(machine.fqdn, machine.zone),
            "remote_scavengeable": self._remote_scavengeable,
            "ace_removed": lambda machine: self._editor(machine).remove_ace(self.group(machine), zone=machine.zone),
            "right_removed": lambda machine: self._editor(machine).remove_right("delete", self.group(machine), zone=machine.zone),
            "write_removed": lambda machine: self._editor(machine).remove_right("write", self.group(machine), zone=machine.zone),
            "other_ace_removed": self._other_ace_removed,
            "member_removed": lambda machine: self._editor(machine).remove_member(machine.dn, self.group(machine)),
            "foreign_member": self._foreign_member,
            "publish_line_removed": lambda machine: self._edit_list(machine, lambda lines: lines[:-1]),
            "publish_lines_reordered": lambda machine: self._edit_list(machine, lambda lines: lines[::-1]),
            "publish_line_changed": lambda machine: self._edit_list(machine, _with_other_numbers),
            "publish_line_added": lambda machine: self._edit_list(machine, lambda lines: [*lines, f"{FOREIGN_DOMAIN}, 1, 1"]),
            "count_lost": self._count_lost,
        }

    def of_clients(self) -> dict[str, Change]:
        """Drifts that are about a client, by name."""
        return {
            "caching_on": self._caching_on,
            "suffixes_changed": self._suffixes_changed,
            "suffixes_by_policy": self._suffixes_by_policy,
            "fixed_host": self._fixed_host,
            "address_changed": self._address_changed,
            "licence_lost": self._licence_lost,
            "licence_expiring": self._licence_expiring,
        }

    def _other_site(self, machine: names.Machine) -> sites.Site:
        """The site that comes after a machine's own."""
        listed = list(self._sites.values())
        others = [site for site in listed if site.name != machine.site]
        if not machine.site or not others:
            raise NothingToChange("the lab has no other site")
        own = self._sites[machine.site].number
        return next((site for site in others if site.number > own), others[0])

    def _other_ace_removed(self, machine: names.Machine) -> str:
        return self._editor(machine).remove_ace(self._other_site(machine).group, zone=machine.zone)

    def _remote_scavengeable(self, machine: names.Machine) -> str:
        other = self._other_site(machine)
        return self._editors[other.realm].stamp_srv(machine.fqdn, other.zone)

    def _foreign_member(self, machine: names.Machine) -> str:
        stranger = next((item for item in self.machines if item.member and item.role != "kms" and item.realm == machine.realm), None)
        if stranger is None:
            raise NothingToChange("the lab has no computer that is no KMS host")
        return self._editor(machine).add_member(stranger.dn, self.group(machine))

    def _registry(self, machine: names.Machine, method: str, key: str, value: str, **data: object) -> Mapping[str, object]:
        arguments = {"hDefKey": HKEY_LOCAL_MACHINE, "sSubKeyName": key, "sValueName": value, **data}
        return self.hosts[machine.label].invoke(CIMV2, "StdRegProv", None, method, arguments)

    def _edit_list(self, machine: names.Machine, edit: Callable[[list[str]], list[str]]) -> str:
        settings = self.hosts[machine.label].settings
        before = settings.publish_list
        after = edit(before)
        if after == before:
            raise NothingToChange(f"{PUBLISH_LIST} of {machine.fqdn} is {before}")
        self._registry(machine, "SetMultiStringValue", settings.path, PUBLISH_LIST, sValue=after)
        return f"changed {PUBLISH_LIST} of {machine.fqdn} from {before} to {after}"

    def _count_lost(self, machine: names.Machine) -> str:
        self.hosts[machine.label].licensing.counter = KmsCounter()
        return f"{machine.fqdn} forgot who asked it"

    def _service(self, machine: names.Machine, method: str, **arguments: object) -> None:
        host = self.hosts[machine.label]
        (service,) = host.instances(CIMV2, "SoftwareLicensingService")
        host.invoke(CIMV2, "SoftwareLicensingService", {"Version": str(service["Version"])}, method, arguments)

    def _caching_on(self, machine: names.Machine) -> str:
        if self.hosts[machine.label].licensing.client.caching:
            raise NothingToChange(f"{machine.fqdn} caches its KMS host already")
        self._service(machine, "DisableKeyManagementServiceHostCaching", DisableCaching=False)
        return f"turned host caching on {machine.fqdn} on"

    def _suffixes_changed(self, machine: names.Machine) -> str:
        arguments = {"DNSDomainSuffixSearchOrder": [FOREIGN_DOMAIN]}
        self.hosts[machine.label].invoke(CIMV2, "Win32_NetworkAdapterConfiguration", None, "SetDNSSuffixSearchOrder", arguments)
        return f"set the suffix search list of {machine.fqdn} to {FOREIGN_DOMAIN}"

    def _suffixes_by_policy(self, machine: names.Machine) -> str:
        self.hosts[machine.label].invoke(
            CIMV2, "StdRegProv", None, "CreateKey", {"hDefKey": HKEY_LOCAL_MACHINE, "sSubKeyName": DNS_CLIENT_POLICY}
        )
        self._registry(machine, "SetStringValue", DNS_CLIENT_POLICY, "SearchList", sValue=FOREIGN_DOMAIN)
        return f"a policy sets the suffix search list of {machine.fqdn} to {FOREIGN_DOMAIN}"

    def _address_changed(self, machine: names.Machine) -> str:
        key, address = f"{self.hosts[machine.label].settings.path}\\Activation", f"https://{FOREIGN_DOMAIN}/help"
        create = {"hDefKey": HKEY_LOCAL_MACHINE, "sSubKeyName": key}
        self.hosts[machine.label].invoke(CIMV2, "StdRegProv", None, "CreateKey", create)
        self._registry(machine, "SetStringValue", key, "AlternateURL", sValue=address)
        return f"{machine.fqdn} sends users whose activation failed to {address}"

    def _fixed_host(self, machine: names.Machine) -> str:
        name = f"{FOREIGN_HOST}.{machine.zone}"
        self._service(machine, "SetKeyManagementServiceMachine", MachineName=name)
        return f"set the KMS host of {machine.fqdn} to {name}"

    def _licence_lost(self, machine: names.Machine) -> str:
        licence = self.hosts[machine.label].licensing.base()
        if licence is None or licence.key is None or not licence.activated:
            raise NothingToChange(f"{machine.fqdn} has no licence")
        licence.install(licence.key, None)
        return f"{machine.fqdn} lost its licence"

    def _licence_expiring(self, machine: names.Machine) -> str:
        host = self.hosts[machine.label]
        licence = host.licensing.base()
        if licence is None or licence.until is None:
            raise NothingToChange(f"{machine.fqdn} has no licence that ends")
        licence.until = host.clock.now() + EXPIRES_IN
        return f"the licence of {machine.fqdn} ends in {EXPIRES_IN.days} days"


def _with_other_numbers(lines: list[str]) -> list[str]:
    """The first line that is one, with another priority."""
    found = list(lines)
    for index, entry in enumerate(parse_publish_list(lines)):
        if isinstance(entry, DomainEntry):
            found[index] = f"{entry.domain}, {OTHER_PRIORITY}, {entry.weight}"
            break
    return found
