# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option C(ring) of internal actions, which is the key ring as it is given."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.masking import Secrets
from .base import VolumeActivationAction


class RingAction(VolumeActivationAction):
    """An action that is given a key ring. It stands before another base."""

    def _read_options(self, given: dict[str, t.Any], task_vars: dict[str, t.Any]) -> None:
        """See the base class. An entry of the ring without a key is something to say, and no option left out."""
        super()._read_options(given, task_vars)
        if "ring" in given:
            given["ring"] = self._task.args["ring"]

    def _secrets(self, given: Mapping[str, t.Any]) -> Secrets:
        """See the base class; with the keys of the ring."""
        secrets, ring = super()._secrets(given), given.get("ring")
        secrets.add(entry.get("key") for entry in (ring.values() if isinstance(ring, Mapping) else ()) if isinstance(entry, Mapping))
        return secrets
