# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.run_audit."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from ..plugin_utils._runs.action import RunAction, of_text
from ..plugin_utils._runs.audit import run
from ..plugin_utils._runs.audit.settings import TARGET
from ..plugin_utils._runs.fleet import Fleet
from ..plugin_utils._runs.registered import Registered
from ..plugin_utils._topology.sites import VARIABLE


class ActionModule(RunAction):
    """What an audit looks at, and what differs."""

    FIRST = ("topology",)
    GROUPS = run.GROUPS
    INVENTORY = (run.SITE,)
    ONCE = frozenset({"topology", "lookups", "work"})

    def decide(self, step: str, fleet: Fleet, found: Registered, options: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        """See the base class."""
        given = {**options, "sites": of_text(options["sites"], VARIABLE), "nodes": of_text(options["nodes"], "kms_audit_nodes")}
        return run.decide(step, fleet, found, given, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))

    @property
    def playbook(self) -> str:
        """See the base class."""
        return "winops.volume_activation.audit"

    def inventory_of(self, step: str) -> Collection[str]:
        """See the base class."""
        names = {"topology": (TARGET,), "lookups": run.ACCOUNTS}.get(step, ())
        return self.INVENTORY if step == "compare" else dict.fromkeys(names, run.KMS_HOSTS)

    def hosts_of(self, step: str, fleet: Fleet) -> Sequence[str]:
        """See the base class."""
        hosts = fleet.groups[run.KMS_HOSTS] if step in ("topology", "lookups") else []
        return hosts or super().hosts_of(step, fleet)
