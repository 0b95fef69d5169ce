# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft's activation service, simulated: which key may still be activated, and on how many machines.

A KMS host key is good for six hosts with ten activations each, a MAK for a number that counts down (activation-facts §4, §5).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from . import data, identifiers

KEY_INVALID = 0xC004C001
KEY_BLOCKED = 0xC004C003
KEY_EXHAUSTED = 0xC004C008
WRONG_LOCATION = 0xC004C017
MAK_EXHAUSTED = 0xC004C020

_STATES = {"blocked": KEY_BLOCKED, "invalid": KEY_INVALID, "wrong_location": WRONG_LOCATION, "exhausted": KEY_EXHAUSTED}


class ActivationRefused(Exception):
    """Microsoft said no; ``code`` is the HRESULT that the machine gets."""

    def __init__(self, code: int) -> None:
        super().__init__(f"0x{code:08X}")
        self.code = code


class Microsoft:
    """One activation service for the whole park. ``reachable`` False: it answers nobody."""

    def __init__(self, keys: Iterable[data.LabKey] | None = None) -> None:
        self._keys = {item.key: item for item in (data.keys().values() if keys is None else keys)}
        self._lock = threading.Lock()
        self.reachable = True
        self._states: dict[str, str] = {}
        self._activations: dict[str, dict[str, int]] = {}
        self._remaining: dict[str, int] = {}
        self.reset()

    def reset(self) -> None:
        """Forget every activation and every change of a key's state."""
        with self._lock:
            self.reachable = True
            self._states = {key: item.microsoft.get("state", "valid") for key, item in self._keys.items()}
            self._activations = {key: {} for key in self._keys}
            self._remaining = {key: item.microsoft["remaining"] for key, item in self._keys.items() if "remaining" in item.microsoft}

    def set_state(self, key: str, state: str) -> None:
        """``valid``, ``blocked``, ``invalid``, ``wrong_location`` or ``exhausted`` from now on. Raises KeyError."""
        with self._lock:
            if key not in self._keys:
                raise KeyError(key)
            self._states[key] = state

    def activate(self, key: str, hardware_id: str) -> None:
        """Activate a key on a machine over the Internet. Raises ActivationRefused."""
        with self._lock:
            item = self._keys.get(key)
            if item is None or item.kind == "gvlk":
                raise ActivationRefused(KEY_INVALID)
            state = self._states[key]
            if state in _STATES:
                raise ActivationRefused(_STATES[state])
            if item.kind == "mak":
                self._take_mak(key)
            else:
                self._take_host(item, hardware_id)
            machines = self._activations[key]
            machines[hardware_id] = machines.get(hardware_id, 0) + 1

    def confirmation_id(self, installation_id: str, pid: str) -> str:
        """The confirmation ID for a machine that has no Internet; counts like an activation. Raises ActivationRefused."""
        serial = identifiers.serial_of_pid(pid)
        key = next((key for key in self._keys if serial and identifiers.key_serial(key) == serial), None)
        if key is None:
            raise ActivationRefused(KEY_INVALID)
        self.activate(key, f"installation {installation_id}")
        return identifiers.confirmation_id(installation_id, pid)

    def remaining(self, pid: str) -> int | None:
        """Activations left for a MAK's extended PID; None for any other key (activation-facts §7)."""
        serial = identifiers.serial_of_pid(pid)
        with self._lock:
            return next((count for key, count in self._remaining.items() if serial and identifiers.key_serial(key) == serial), None)

    def snapshot(self) -> dict[str, Any]:
        """Activations by key name, for tests: machines, activations, remaining, state."""
        with self._lock:
            return {
                item.name: {
                    "machines": len(self._activations[key]),
                    "activations": sum(self._activations[key].values()),
                    "remaining": self._remaining.get(key),
                    "state": self._states[key],
                }
                for key, item in self._keys.items()
            }

    def _take_mak(self, key: str) -> None:
        if self._remaining[key] < 1:
            raise ActivationRefused(MAK_EXHAUSTED)
        self._remaining[key] -= 1

    def _take_host(self, item: data.LabKey, hardware_id: str) -> None:
        machines = self._activations[item.key]
        too_many_machines = hardware_id not in machines and len(machines) >= int(item.microsoft["hosts"])
        if too_many_machines or machines.get(hardware_id, 0) >= int(item.microsoft["activations_per_host"]):
            raise ActivationRefused(KEY_EXHAUSTED)
