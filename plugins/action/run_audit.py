# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.run_audit."""

from __future__ import annotations

import typing as t
from collections.abc import Collection
from datetime import UTC, datetime

import yaml

from ..plugin_utils._errors import ActivationError
from ..plugin_utils._runs.action import RunAction
from ..plugin_utils._runs.audit import run
from ..plugin_utils._runs.fleet import Fleet
from ..plugin_utils._runs.registered import Registered
from ..plugin_utils._text import one_line
from ..plugin_utils._topology.sites import VARIABLE


class ActionModule(RunAction):
    """What an audit looks at, and what differs."""

    FIRST = "topology"
    GROUPS = run.GROUPS
    INVENTORY = (run.SITE,)
    ONCE = frozenset({"topology", "work"})

    def decide(self, step: str, fleet: Fleet, found: Registered, options: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        """See the base class."""
        given = {**options, "sites": of_text(options["sites"]), "nodes": of_text(options["nodes"], "kms_audit_nodes")}
        return run.decide(step, fleet, found, given, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))

    def inventory_of(self, step: str) -> Collection[str]:
        """See the base class."""
        return self.INVENTORY if step == "compare" else ()


def of_text(value: t.Any, variable: str = VARIABLE) -> t.Any:
    """What a text of YAML or JSON holds, as surveys and extra variables give it.

    Args:
        value: The text; anything else stays as it is.
        variable: Where it is given, for messages.
    """
    if not isinstance(value, str):
        return value
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as failure:
        mark = getattr(failure, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        said = one_line(str(getattr(failure, "problem", None) or failure))
        raise ActivationError(f"{variable} can't be read as YAML: {said}{where}.", source="options") from None
