# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.run_mak."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from ..plugin_utils._core.masking import Secrets
from ..plugin_utils._runs.action import RunAction
from ..plugin_utils._runs.fleet import Fleet
from ..plugin_utils._runs.kms import given_back
from ..plugin_utils._runs.mak import steps
from ..plugin_utils._runs.mak.assigned import Assigned
from ..plugin_utils._runs.mak.by_rule import KEYS, RING
from ..plugin_utils._runs.mak.settings import PREFIX, MakSettings
from ..plugin_utils._runs.mak.steps import MakSeen
from ..plugin_utils._runs.registered import Registered
from ..plugin_utils._state.directory import StateDirectory
from ..plugin_utils._survey.reach import read_limit


class ActionModule(RunAction):
    """What a MAK run decides."""

    FIRST = ("assign", "give_back")
    SLICED = ("give_back",)
    INVENTORY = (KEYS, RING)
    SHARED = (RING,)
    IN_BATCHES = frozenset({"begin", "outcome"})
    ONCE = frozenset({"learned"})

    _assigned: Assigned | None = None

    def decide(self, step: str, fleet: Fleet, found: Registered, options: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        """See the base class."""
        progress, moment = options["progress"], datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if step == "assign":
            self._assigned = Assigned.of(found)
            settings, state = MakSettings.of(options["settings"], PREFIX), StateDirectory.of_variables(options["state"])
            return steps.assign(self._assigned, settings, state, options["max_unreachable"])
        if step == "assign_by_rule":
            self._assigned = Assigned.of(found)
            return steps.assign_by_rule(self._assigned, found)
        if step == "learned":
            return steps.learned(found, options["trial"])
        if step == "give_back":
            # All variables were checked as well.
            return {"max_unreachable": read_limit(options["max_unreachable"])}
        if step == "counted":
            return given_back.counted(found)
        if step == "given_back":
            return given_back.given_back(found, check_mode)
        seen = MakSeen.of(found)
        decided: dict[str, t.Callable[[], dict[str, t.Any]]] = {
            "findings": lambda: steps.findings(seen),
            "holders": lambda: steps.holders(seen, check_mode),
            "orders": lambda: steps.orders(seen, moment),
            "begin": lambda: steps.begin(seen, progress, moment, check_mode, options["ahead"]),
            "outcome": lambda: steps.outcome(seen, progress, moment),
            "ends": lambda: steps.ends(seen, check_mode),
        }
        return decided[step]()

    @property
    def playbook(self) -> str:
        """See the base class."""
        back = self._task.args.get("step") in ("give_back", "counted", "given_back")
        return f"winops.volume_activation.{'mak_to_kms' if back else 'mak_independent'}"

    def inventory_of(self, step: str) -> Collection[str]:
        """See the base class."""
        return self.INVENTORY if step in ("assign", "assign_by_rule") else ()

    def _secrets(self, given: Mapping[str, t.Any]) -> Secrets:
        """See the base class; the keys of all rings as well."""
        secrets = super()._secrets(given)
        secrets.add(self._assigned.secrets() if self._assigned else ())
        return secrets
