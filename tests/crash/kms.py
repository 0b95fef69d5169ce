# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KMS: one site whose hosts are new, one with a host that serves already, two domain controllers, several sites, a host that is replaced."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from integration.conftest import eventually
from integration.multi_site import VARIABLES, count_clients

from lab import names, park
from lab.witness import Witness

from .world import World

OPEN = 'netsh.exe advfirewall firewall set rule group="@FirewallAPI.dll,-28002" new enable=yes'
ASKING = "Test whether the KMS host answers"
LICENSED = 1
CLIENTS = 4
OLD_PORT = 1689
"""Where the hosts listened before, and nobody does now."""


class KmsWorld(World):
    """What all of them have: hosts that have counted enough as soon as clients ask."""

    def on_event(self, event: dict[str, Any]) -> None:
        """Let the hosts count others before the clients of the small laboratory ask."""
        if event["event"] == "playbook_on_task_start" and ASKING in str(event["event_data"].get("task")):
            count_clients(self.lab)

    def kms_labels(self) -> list[str]:
        """The KMS hosts that witnesses look at."""
        return [machine.label for machine in self.lab.options.machines if machine.role == "kms"]

    def client_names(self) -> list[str]:
        """The clients of the run."""
        return [machine.fqdn for machine in self.lab.options.machines if machine.role == "client" and machine.member][:CLIENTS]

    def limit(self) -> Iterable[str]:
        """KMS hosts and some clients."""
        return ["kms_hosts", *self.client_names()]

    def labels(self) -> list[str]:
        """The same."""
        return [*self.kms_labels(), *(name.partition(".")[0] for name in self.client_names())]

    def serve(self, label: str, zone: str) -> None:
        """Make a KMS host that publishes itself, past its WS-Management."""
        control, key = self.lab.control, park.PARKS[self.lab.options.park].csvlk
        control.call("call_service", host=label, method="InstallProductKey", arguments={"ProductKey": key})
        control.call("call_method", host=label, class_name="Win32_Process", method="Create", arguments={"CommandLine": OPEN})
        if control.activate(label) != "0x00000000" or not eventually(
            lambda: self.witness(zone).srv(zone) and control.host(label)["open_port"]
        ):
            raise RuntimeError(f"{label} does not serve")
        control.count_clients(label, 50)

    def serving(self) -> dict[str, bool]:
        """By site whether one of its hosts answers clients."""
        found: dict[str, bool] = {}
        for machine in self.lab.options.machines:
            if machine.role == "kms":
                host = self.lab.control.host(machine.label)
                serves = host["is_kms_host"] and host["license_status"] == LICENSED and host["open_port"] > 0
                found[machine.site] = found.get(machine.site, False) or serves
        return found


class SingleSite(KmsWorld):
    """New KMS hosts; the group is there and has a member of somebody else."""

    playbook = "kms_single_site"
    lab_name = "modern"
    zones = (names.ZONE,)
    groups = (names.KMS_GROUP,)

    def prepare(self) -> None:
        """Somebody is in the group."""
        self.lab.witness.add_group(names.KMS_GROUP, (names.WINRM_USER,))

    def variables(self) -> dict[str, Any]:
        """As in every test of it."""
        return {"kms_single_site_publish_timeout": 2}


class SingleSiteServing(SingleSite):
    """The first host serves, and owns the record; values and rights of others are there, and old values of both hosts."""

    def prepare(self) -> None:
        """The record of the first host, and what others have put there."""
        first, second = names.kms_hosts()[:2]
        self.serve(first.label, names.ZONE)
        self.plant_directory(names.ZONE, names.KMS_GROUP)
        for machine in (first, second):
            self.editor(names.ZONE).add_srv(names.ZONE, 0, 0, OLD_PORT, machine.fqdn)


class Pair(SingleSiteServing):
    """Two domain controllers."""

    lab_name = "pair"


class MultiSite(KmsWorld):
    """Two sites; the first host of each serves, and has set up nothing for the other site."""

    playbook = "kms_multi_site"
    lab_name = "zones"
    zones = ("east.contoso.com", "west.contoso.com")
    groups = ("KMS_E", "KMS_W")

    def witness(self, zone: str) -> Witness:
        """The one of the site's domain."""
        return self.lab.witness_of(zone.partition(".")[0])

    def prepare(self) -> None:
        """The first host of each site serves; others have their value and right in its zone, and a member in its group."""
        self.serve("kms-e1", "east.contoso.com")
        self.serve("kms-w1", "west.contoso.com")
        self.plant_directory("east.contoso.com", "KMS_E")
        for zone in self.zones:
            self.editor(zone).add_srv(zone, 0, 0, OLD_PORT, "kms-e2.east.contoso.com")

    def variables(self) -> dict[str, Any]:
        """As in every test of it."""
        return dict(VARIABLES)

    def client_names(self) -> list[str]:
        """One of each site."""
        found = {machine.site: machine.fqdn for machine in self.lab.options.machines if machine.role == "client" and machine.member}
        return sorted(found.values())


class ReplaceHost(MultiSite):
    """The spare host of the east takes the place of the first one, which serves."""

    playbook = "kms_replace_host"
    old, new = "kms-e1.east.contoso.com", "kms-e3.east.contoso.com"

    def client_names(self) -> list[str]:
        """None takes part."""
        return []

    def limit(self) -> Iterable[str]:
        """KMS hosts, and the one that goes."""
        return ["kms_hosts", "kms_retired"]

    def inventory(self) -> Path:
        """The one of somebody who replaces a host."""
        path = super().inventory()
        inventory = yaml.safe_load(path.read_text(encoding="utf-8"))
        groups = inventory["all"]["children"]
        groups["kms_retired"] = {"hosts": {self.old: groups["kms_hosts"]["hosts"].pop(self.old)}}
        groups["kms_hosts"]["hosts"][self.new] = groups["kms_spare"]["hosts"][self.new]
        inventory["all"]["vars"]["volume_activation_sites"]["east"]["kms_hosts"][0]["name"] = self.new
        path.write_text(yaml.safe_dump(inventory, sort_keys=False), encoding="utf-8")
        return path
