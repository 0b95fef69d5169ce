# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MAKs: independent activation, and computers that change from KMS to a MAK and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from integration.mak_play import groups_of

from lab import mak_inventory, names
from lab.play import run_playbook
from lab.windows import data

from .kms import OPEN
from .world import COLLECTION, World

ENTERPRISE, PROFESSIONAL = "mak_win_enterprise", "mak_win_professional"


class MakIndependent(World):
    """Three computers with one key and one with another; the list knows a computer that does not take part."""

    playbook = "mak_independent"
    lab_name = "mak"
    keeps_state = True
    _of_others = b""

    def reachable(self, key: str) -> list[str]:
        """Computers of a key that reach Microsoft."""
        groups = groups_of(self.lab)
        zone = {*groups[mak_inventory.SECURE_ZONE], *groups[mak_inventory.SECURE_ZONE_PROXY]}
        return [host for host in groups[key] if host not in zone]

    def limit(self) -> Iterable[str]:
        """Four computers."""
        return [*self.reachable(ENTERPRISE)[:3], self.reachable(PROFESSIONAL)[0]]

    def labels(self) -> list[str]:
        """The same."""
        return [name.partition(".")[0] for name in self.limit()]

    def variables(self) -> dict[str, Any]:
        """Where the list is."""
        return {"volume_activation_state_directory": str(self.state), "mak_independent_settle": 1}

    def documented(self) -> dict[str, Any]:
        """The computer's own state decides here, and nothing has to be set."""
        return {}

    def prepare(self) -> None:
        """The list of somebody who has activated another computer."""
        if not self._of_others:
            other = self.reachable(ENTERPRISE)[3]
            run = run_playbook(
                self.lab.layout.root,
                f"{COLLECTION}.mak_independent",
                inventory=self.inventory(),
                arguments=f"--limit {other}",
                variables=self.variables(),
            )
            if run.rc:
                raise RuntimeError(run.output)
            self._of_others = self.list_file().read_bytes()
            self.lab.control.reset()
            for entry in self.state.iterdir():
                entry.unlink()
        self.list_file().write_bytes(self._of_others)
        self.list_file().chmod(0o600)

    def install(self, label: str, key: str) -> None:
        """Install a key past the collection."""
        arguments = {"ProductKey": data.key_named(key).key}
        self.lab.control.call("call_service", host=label, method="InstallProductKey", arguments=arguments)


class KmsToMak(MakIndependent):
    """Computers that KMS has activated."""

    playbook = "kms_to_mak"

    def limit(self) -> Iterable[str]:
        """Those that wait for ESU are activated by KMS."""
        return groups_of(self.lab)["esu"]


class MakToKms(KmsToMak):
    """The same computers, with their MAK, are given back to a KMS host."""

    playbook = "mak_to_kms"

    def labels(self) -> list[str]:
        """With the KMS host."""
        return [*super().labels(), names.kms_hosts()[0].label]

    def prepare(self) -> None:
        """A MAK each, and a KMS host."""
        super().prepare()
        control, kms = self.lab.control, names.kms_hosts()[0].label
        for name in self.limit():
            label = name.partition(".")[0]
            self.install(label, ENTERPRISE)
            control.activate(label)
        self.install(kms, "csvlk_2022")
        control.activate(kms)
        control.call("call_method", host=kms, class_name="Win32_Process", method="Create", arguments={"CommandLine": OPEN})
        control.count_clients(kms, 50)

    def variables(self) -> dict[str, Any]:
        """Where the list is, and whom they ask."""
        return {**super().variables(), "mak_independent_kms_host": names.kms_hosts()[0].fqdn}
