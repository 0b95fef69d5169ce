# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.run_mak_proxy."""

from __future__ import annotations

import typing as t
from collections.abc import Collection

from ..plugin_utils._actions.ring import RingAction
from ..plugin_utils._runs.action import RunAction, keys_of
from ..plugin_utils._runs.fleet import Fleet
from ..plugin_utils._runs.mak.by_rule import KEYS, RING
from ..plugin_utils._runs.mak_proxy.computers import ADDRESS
from ..plugin_utils._runs.mak_proxy.steps import ASSIGNING, BY_RING, STEPS, StepInput
from ..plugin_utils._runs.registered import Registered


class ActionModule(RingAction, RunAction):
    """Decides over all computers of a play for MAK proxy activation."""

    FIRST = ("options",)
    INVENTORY = (KEYS, RING, ADDRESS)
    SHARED = (RING,)
    IN_BATCHES = frozenset({"read", "applied"})

    def decide(self, step: str, fleet: Fleet, found: Registered, options: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        """See the base class."""
        if step == "options":
            keys_of(options["confirmation_ids"], "mak_proxy_confirmation_ids", "{'1234567-1234567': '123456-123456'}")
        return STEPS[step](StepInput(fleet, found, options, check_mode))

    @property
    def playbook(self) -> str:
        """See the base class."""
        chosen = self._task.args.get("chosen")
        return f"winops.volume_activation.mak_proxy_{chosen}" if chosen else ""

    def inventory_of(self, step: str) -> Collection[str]:
        """See the base class. Where no computer gets a key, as on the control node, what says which one may have no value."""
        return (KEYS, RING) if step in BY_RING else (KEYS, ADDRESS) if step in ASSIGNING else ()
