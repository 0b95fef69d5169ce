# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one verb has to do on a host as it is, and where the values of KMS clients that verbs set are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._core.errors import ActivationError
from ..._core.plan import Plan
from ..._licensing.slmgr_verbs import Verb
from ..._wsman.cim import Value
from ..platform.classes import SOFTWARE_LICENSING_PRODUCT, SOFTWARE_LICENSING_SERVICE
from ..spp.client_settings import SETTINGS, SettingTarget, Wanted, plan_settings, wrong_settings
from .state import Sku, SlmgrHost


@dataclass(frozen=True, slots=True)
class VerbRequest:
    """A verb that was asked for.

    Attributes:
        verb: The verb.
        options: What was given with it, checked and in the form in which Windows takes it.
    """

    verb: Verb
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def product_id(self) -> str | None:
        """The activation ID, where one was given."""
        value: str | None = self.options.get("activation_id")
        return value


@dataclass(slots=True)
class Work:
    """What a verb has to do.

    Attributes:
        plan: Its steps.
        predict: In a trial: bring the state into what it is after the steps.
        follow_up: Steps that only the host as it is after those of the plan decides.
        verify: Afterwards, on a state that was read again: what is not as it should be, in words.
        show: What it returns.
        warnings: What the user should know although nothing failed.
    """

    plan: Plan = field(default_factory=Plan)
    predict: Callable[[], None] = lambda: None
    follow_up: Callable[[], Plan] | None = None
    verify: Callable[[], list[str]] = list
    show: Callable[[], dict[str, Any]] = dict
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SettingPlace:
    """Where a setting of KMS clients is kept: with the service for all products, or with one product."""

    machine: SlmgrHost
    sku: Sku | None = None

    @classmethod
    def of(cls, machine: SlmgrHost, request: VerbRequest) -> SettingPlace:
        """The product that a verb names, or else the service."""
        return cls(machine, machine.named(request.product_id) if request.product_id else None)

    def read(self, name: str) -> Value:
        """The setting now."""
        sku, column = self._shown_by(name), SETTINGS[name].column
        return sku.row[column] if sku else self.machine.service(column)

    def predict(self, name: str, value: Value) -> None:
        """In a trial: how it will read."""
        sku, column = self._shown_by(name), SETTINGS[name].column
        if sku:
            sku.row[column] = value
        else:
            self.machine.set_service(column, value)

    def _shown_by(self, name: str) -> Sku | None:
        """The product with which it shows; what is set for all products may show with each of them only."""
        return self.machine.keyed(None, SETTINGS[name].attribute) if self.sku is None and SETTINGS[name].of_product else self.sku

    @property
    def again(self) -> SettingPlace:
        """The same place, read anew."""
        return SettingPlace(self.machine, self.machine.named(self.sku.id) if self.sku else None)

    @property
    def shown(self) -> str:
        """What comes behind the name of a setting."""
        return f" of {self.sku.id}" if self.sku else ""

    def target(self, names: Iterable[str]) -> SettingTarget:
        """What holds the settings, with those that are named as they are now."""
        row = {SETTINGS[name].column: self.read(name) for name in names}
        if self.sku is None:
            return SettingTarget(SOFTWARE_LICENSING_SERVICE, {"Version": self.machine.version}, row)
        return SettingTarget(SOFTWARE_LICENSING_PRODUCT, {"ID": self.sku.id}, row, self.shown)


def set_all(place: SettingPlace, wanted: Mapping[str, Wanted], warnings: list[str] | None = None) -> Work:
    """The work of a verb that sets values of KMS clients, in their order."""
    work = Work(warnings=warnings or [])
    plan_settings(work.plan, place.machine.session, place.target(wanted), wanted)

    def predict() -> None:
        for name, value in wanted.items():
            place.predict(name, value)

    work.predict = predict
    work.verify = lambda: wrong_settings(place.again.target(wanted), wanted)
    return work


def demand_version(machine: SlmgrHost, verb: Verb, product_id: str | None) -> None:
    """Refuse a verb that this Windows does not have.

    Raises:
        ActivationError: It came with a later version.
    """
    since = max(verb.since, (6, 1)) if product_id and verb.name in ("skms", "ckms") else verb.since
    if since > (6, 0) and machine.windows < since:
        raise ActivationError(
            f"the licensing service of this Windows ({machine.version}) does not know {verb.name}"
            f"{' for a single product' if since > verb.since else ''}; it came with Windows"
            f" {'7 and Server 2008 R2' if since == (6, 1) else '8 and Server 2012'}.",
            subject=machine.host,
            source="windows",
        )


def demand_kms_host(machine: SlmgrHost, verb: Verb) -> None:
    """Refuse a verb of KMS hosts elsewhere. slmgr.vbs only warns, and sets nothing.

    Raises:
        ActivationError: No product holds a KMS host key, nor will one after an earlier verb of the same task.
    """
    if verb.host_only and not machine.key_planned and not machine.is_kms_host:
        raise ActivationError(
            f"{machine.host} is no KMS host, and {verb.name} is for KMS hosts only. Install a KMS host key (CSVLK) with ipk before it,"
            " or leave the verb out.",
            source="windows",
        )
