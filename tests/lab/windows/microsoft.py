# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft's activation service, simulated: which key may still be activated, and on how many machines.

A KMS host key is good for six hosts with ten activations each, a MAK for a number that counts down
(docs/facts/keys.md#host-keys, docs/facts/mak.md#on-line-activation).
Machines activate over the Internet (:meth:`Microsoft.activate`), others ask for confirmation IDs and counts for them
(:meth:`Microsoft.confirmation_id`, :meth:`Microsoft.remaining`, docs/facts/mak.md#service); all take from the same counts. That every
confirmation ID counts, also a second one for the same installation ID, and every activation of a MAK on the same machine, is the lab's
choice: so a client that asks twice is seen. So are the pairs of a code of docs/facts/errors.md#activation-service and one of
docs/facts/mak.md#answer-codes, and which counts are still told.
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
MAK_EXTENSION_EXHAUSTED = 0xC004C021
WRONG_KEY = 0xC004B100

BATCH_BLOCKED = 0x67
BATCH_INVALID = 0x68
BATCH_LIMIT = 0x71
BATCH_MAK_LIMIT = 0x7F
BATCH_KEY_TYPE = 0x86
BATCH_BAD_IID = 0x90
BATCH_ROT_LIMIT = 0xD5
BATCH_DMAK_LIMIT = 0xD6
BATCH_BAD_PID = 0x80131600
BATCH_OUTAGE = 0x80004003

HOSTS_OF_A_KEY, ACTIVATIONS_OF_A_HOST = 6, 10

UNLIMITED_OR_BLOCKED = -1
"""ActivationRemaining (docs/facts/mak.md#remaining-activations)."""

# What a machine gets on line (docs/facts/errors.md#activation-service), and BatchActivation's code for the same
# (docs/facts/mak.md#answer-codes).
_STATES = {
    "blocked": (KEY_BLOCKED, BATCH_BLOCKED),
    "invalid": (KEY_INVALID, BATCH_INVALID),
    "wrong_location": (WRONG_LOCATION, WRONG_LOCATION),
    "exhausted": (KEY_EXHAUSTED, BATCH_LIMIT),
    "wrong_type": (WRONG_KEY, BATCH_KEY_TYPE),
    "rot_limit": (KEY_EXHAUSTED, BATCH_ROT_LIMIT),
    "dmak_limit": (MAK_EXTENSION_EXHAUSTED, BATCH_DMAK_LIMIT),
}
_ONLY_BATCH = {"outage": BATCH_OUTAGE}
KEY_STATES = ("valid", "unlimited", *_STATES, *_ONLY_BATCH, "batch_http_500")
"""What a key can be. ``outage`` and ``batch_http_500`` are BatchActivation's alone: code 0x80004003, and HTTP 500 as users of
ESU's second year saw it (docs/facts/mak.md#answer-codes). ``unlimited`` counts, and says -1 of what is left."""


class ActivationRefused(Exception):
    """Microsoft said no; ``code`` is the HRESULT that the machine gets, ``batch_code`` that of BatchActivation."""

    def __init__(self, code: int, batch_code: int) -> None:
        super().__init__(f"0x{code:08X}")
        self.code = code
        self.batch_code = batch_code


class BatchBroken(Exception):
    """BatchActivation answers HTTP 500 for this key."""


class Microsoft:
    """One activation service for the whole park. ``reachable`` False: it answers nobody."""

    def __init__(self, keys: Iterable[data.LabKey] | None = None) -> None:
        self._keys = {item.key: item for item in (data.keys().values() if keys is None else keys)}
        self._lock = threading.RLock()
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
            self._remaining = {key: item.microsoft.get("remaining", 0) for key, item in self._keys.items() if item.kind == "mak"}

    def set_state(self, key: str, state: str) -> None:
        """One of :data:`KEY_STATES` from now on. Raises KeyError for the key, ValueError for the state."""
        with self._lock:
            if key not in self._keys:
                raise KeyError(key)
            if state not in KEY_STATES:
                raise ValueError(f"no state {state}; there are {', '.join(KEY_STATES)}")
            self._states[key] = state

    def set_remaining(self, key: str, count: int) -> None:
        """So many activations are left of a MAK. Raises KeyError for any other key."""
        with self._lock:
            if key not in self._remaining:
                raise KeyError(key)
            self._remaining[key] = count

    def activate(self, key: str, hardware_id: str) -> None:
        """Activate a key on a machine over the Internet. Raises ActivationRefused."""
        with self._lock:
            item = self._keys.get(key)
            if item is None or item.kind == "gvlk":
                raise ActivationRefused(KEY_INVALID, BATCH_INVALID if item is None else BATCH_KEY_TYPE)
            state = self._states[key]
            if item.kind == "mak" and state == "exhausted":
                raise ActivationRefused(MAK_EXHAUSTED, BATCH_MAK_LIMIT)
            if state in _STATES:
                raise ActivationRefused(*_STATES[state])
            if item.kind == "mak":
                self._take_mak(key, state)
            else:
                self._take_host(item, hardware_id)
            machines = self._activations[key]
            machines[hardware_id] = machines.get(hardware_id, 0) + 1

    def confirmation_id(self, installation_id: str, pid: str) -> str:
        """The confirmation ID for a machine that has no Internet; each one counts like an activation.

        Raises ActivationRefused, or BatchBroken.
        """
        with self._lock:
            key = self._key_of_pid(pid)
            self._check_batch(key)
            if not identifiers.is_installation_id(installation_id, pid):
                raise ActivationRefused(KEY_INVALID, BATCH_BAD_IID)
            self.activate(key, f"installation {installation_id}")
            return identifiers.confirmation_id(installation_id, pid)

    def remaining(self, pid: str) -> int:
        """Activations left for a MAK's extended PID, -1 for one that has no limit. Raises ActivationRefused, or BatchBroken."""
        with self._lock:
            key = self._key_of_pid(pid)
            self._check_batch(key)
            if self._keys[key].kind != "mak":
                raise ActivationRefused(WRONG_KEY, BATCH_KEY_TYPE)
            state = self._states[key]
            # A count can be told of a key that is used up or of another country; not of these.
            if state in ("blocked", "invalid", "wrong_type"):
                raise ActivationRefused(*_STATES[state])
            if state == "exhausted":
                return 0
            return UNLIMITED_OR_BLOCKED if state == "unlimited" else self._remaining[key]

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

    def _key_of_pid(self, pid: str) -> str:
        serial = identifiers.serial_of_pid(pid)
        if not serial:
            raise ActivationRefused(KEY_INVALID, BATCH_BAD_PID)
        key = next((key for key in self._keys if identifiers.key_serial(key) == serial), None)
        if key is None:
            raise ActivationRefused(KEY_INVALID, BATCH_INVALID)
        return key

    def _check_batch(self, key: str) -> None:
        state = self._states[key]
        if state == "batch_http_500":
            raise BatchBroken
        if state in _ONLY_BATCH:
            raise ActivationRefused(KEY_INVALID, _ONLY_BATCH[state])

    def _take_mak(self, key: str, state: str) -> None:
        if state == "unlimited":
            return
        if self._remaining[key] < 1:
            raise ActivationRefused(MAK_EXHAUSTED, BATCH_MAK_LIMIT)
        self._remaining[key] -= 1

    def _take_host(self, item: data.LabKey, hardware_id: str) -> None:
        machines = self._activations[item.key]
        too_many_machines = hardware_id not in machines and len(machines) >= int(item.microsoft.get("hosts", HOSTS_OF_A_KEY))
        if too_many_machines or machines.get(hardware_id, 0) >= int(item.microsoft.get("activations_per_host", ACTIVATIONS_OF_A_HOST)):
            raise ActivationRefused(KEY_EXHAUSTED, BATCH_LIMIT)
