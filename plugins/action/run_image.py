# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.run_image."""

from __future__ import annotations

import typing as t
from collections.abc import Collection

from ..plugin_utils._core.text import visible_lines
from ..plugin_utils._licensing import given_keys
from ..plugin_utils._runs import image
from ..plugin_utils._runs.action import RunAction
from ..plugin_utils._runs.fleet import Fleet
from ..plugin_utils._runs.registered import Registered
from ..plugin_utils._runs.said import said_of

_MAK = "reference_image_mak"


class ActionModule(RunAction):
    """Decides over all reference computers of a play."""

    SECRETS = frozenset({"mak"})
    FIRST = SLICED = ("options",)
    INVENTORY = (_MAK,)

    @property
    def playbook(self) -> str:
        """See the base class."""
        return "winops.volume_activation.reference_image"

    def inventory_of(self, step: str) -> Collection[str]:
        """See the base class. Only findings are about the key itself."""
        return self.INVENTORY if step == "findings" else ()

    def decide(self, step: str, fleet: Fleet, found: Registered, options: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        """See the base class."""
        computers = image.references(found)
        if step == "settings":
            return {"settings": {computer.host: image.settings_of(computer.license) for computer in computers}}
        if step == "findings":
            makes = found.variables[_MAK].items()
            refusals = {host: given_keys.complaint(str(mak), _MAK, given_keys.MAK) for host, mak in makes if mak}
            return {**said_of(image.findings(computers, refusals), only_blocking=False), "due": image.due(computers)}
        if step == "ready":
            return {"ready": image.ready(computers, options["require_license"])}
        if step == "summary":
            due = image.due(computers)
            found.demand("client", due)
            found.demand("key_install", due)
            found.demand("sealing", image.ready(computers, options["require_license"]))
            return {
                "summary": visible_lines(image.summary(computers, bool(options["mak"]), check_mode)),
                "numbers": image.numbers(computers),
                "failures": image.failures(computers, options["require_license"]),
            }
        # The options were checked, which is all there is to do before a computer is asked.
        return {}
