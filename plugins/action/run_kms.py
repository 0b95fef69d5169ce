# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.run_kms."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping, Sequence

from ..plugin_utils._actions.slices import stop_slice
from ..plugin_utils._core.masking import Secrets
from ..plugin_utils._runs.action import RunAction, keys_of, of_text
from ..plugin_utils._runs.fleet import Fleet
from ..plugin_utils._runs.kms import steps
from ..plugin_utils._runs.registered import Registered

_DIGITS = "{kms-1.contoso.com: '123456-123456'}"


class ActionModule(RunAction):
    """What a KMS run decides."""

    GROUPS = steps.GROUPS
    DEFAULTS: t.ClassVar = {"kms_multi_site_host_caching": False}
    ONCE = frozenset({"declare"})
    FIRST = ("declare",)

    _keys: Collection[str] = ()

    def decide(self, step: str, fleet: Fleet, found: Registered, options: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        """See the base class."""
        if step == "declare":
            given = {**options["settings"], "sites": of_text(options["settings"].get("sites"), "volume_activation_sites")}
            face = self.role
            confirmed, _waiting = (keys_of(options[name], f"{face}_{name}", _DIGITS) for name in ("confirmation_ids", "installation_ids"))
            return steps.declare(face, given, options["credentials"], confirmed, options["max_unreachable"])
        run = steps.Run(fleet, found)
        self._keys = [str(key) for key in found.variables.get(run.settings.named("csvlk"), {}).values()]
        return run.decide(step, check_mode)

    def check_slice(self, step: str, fleet: Fleet, min_hosts: t.Any) -> None:
        """See the base class. Clients do not matter to each other; a slice without KMS hosts is one of them alone where a limit says so."""
        if fleet.groups[steps.KMS_HOSTS] or not self._task_vars.get("ansible_limit"):
            stop_slice(self._task_vars, min_hosts, f", or set the limit {steps.CLIENTS}")

    def inventory_of(self, step: str) -> Mapping[str, str]:
        """See the base class."""
        return steps.inventory_of(step, self.role)

    @property
    def role(self) -> str:
        """See the base class. The role that has the tasks serves two."""
        return str(self._task.args.get("face"))

    @property
    def playbook(self) -> str:
        """See the base class."""
        return f"winops.volume_activation.{self.role}"

    def hosts_of(self, step: str, fleet: Fleet) -> Sequence[str]:
        """See the base class."""
        hosts = fleet.groups[steps.KMS_HOSTS] if step in steps.OF_HOSTS else []
        return hosts or super().hosts_of(step, fleet)

    def _secrets(self, given: Mapping[str, t.Any]) -> Secrets:
        """See the base class; the keys of all KMS hosts as well."""
        secrets = super()._secrets(given)
        secrets.add(self._keys)
        return secrets
