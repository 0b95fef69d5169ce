# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs that set values: how clients find a KMS host, which way of activation they take, and what a KMS host does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from ..._core.errors import ActivationError
from ..._core.plan import Plan, Step, StepFailed
from ..._wsman.session import UnknownOutcome
from ..kms_host import settings as kms_host_settings
from ..kms_host import state as kms_host_state
from ..kms_host.state import HostState
from ..platform.returned import number
from ..spp import client_settings
from ..spp.client_settings import ACTIVATION_TYPES, Wanted, setter
from .state import SlmgrHost
from .work import SettingPlace, VerbRequest, Work, set_all

_ADDRESS = ("kms_host", "kms_port")


@dataclass(frozen=True, slots=True)
class _Address:
    """A fixed KMS host: name and port, either of which may be unset."""

    name: str
    port: int

    @classmethod
    def of(cls, place: SettingPlace) -> _Address:
        name, port = (place.read(setting) for setting in _ADDRESS)
        return cls(str(name or ""), number(port))

    @property
    def settings(self) -> dict[str, Wanted]:
        return {"kms_host": self.name or None, "kms_port": self.port or None}

    @property
    def shown(self) -> str | None:
        name = f"[{self.name}]" if ":" in self.name and self.port else self.name
        return (f"{name}:{self.port}" if self.port else name) or None


def skms(machine: SlmgrHost, request: VerbRequest) -> Work:
    """A fixed KMS host: its name, and its port or none."""
    name, port = request.options["kms_host"]
    place = SettingPlace.of(machine, request)
    now = _Address.of(place)
    return _address_work(place, now, _Address(name or now.name, port))


def ckms(machine: SlmgrHost, request: VerbRequest) -> Work:
    """No fixed KMS host. slmgr.vbs leaves the lookup domain, and so does this."""
    place = SettingPlace.of(machine, request)
    return _address_work(place, _Address.of(place), _Address("", 0))


def _address_work(place: SettingPlace, now: _Address, wanted: _Address) -> Work:
    """Name and port are one step, because slmgr.vbs takes the name back where Windows refuses the port."""
    work = set_all(place, wanted.settings)
    made, work.plan = work.plan, Plan()

    def apply() -> None:
        try:
            made.run()
        except StepFailed as failure:
            if failure.done and not isinstance(failure.__cause__, UnknownOutcome):
                with contextlib.suppress(ActivationError):
                    setter(place.machine.session, place.target(_ADDRESS), client_settings.SETTINGS["kms_host"], now.settings["kms_host"])()
            # pylint does not know that a cause is an exception.
            raise failure.__cause__ or failure from None  # pylint: disable=raising-non-exception

    if made:
        how = ", ".join(step.how for step in made.steps)
        work.plan.add(Step(place.machine.host, f"KMS host{place.shown}", now.shown, wanted.shown, how), apply)
    return work


def skms_domain(machine: SlmgrHost, request: VerbRequest) -> Work:
    """The DNS domain in which KMS hosts are looked for."""
    place = SettingPlace.of(machine, request)
    warnings = []
    if fixed := _Address.of(place).name:
        warnings.append(f"{machine.host}: the KMS host {fixed} is set, which comes before lookup_domain; ckms takes it away.")
    return set_all(place, {"lookup_domain": request.options["lookup_domain"]}, warnings)


def ckms_domain(machine: SlmgrHost, request: VerbRequest) -> Work:
    """No lookup domain."""
    return set_all(SettingPlace.of(machine, request), {"lookup_domain": None})


def host_caching(wanted: bool) -> Callable[[SlmgrHost, VerbRequest], Work]:
    """Whether a client keeps the KMS host that it found."""
    return lambda machine, _request: set_all(SettingPlace(machine), {"host_caching": wanted})


def act_type(machine: SlmgrHost, request: VerbRequest) -> Work:
    """The one way of activation that is allowed, or all of them."""
    wanted: int = request.options["activation_type"]
    place = SettingPlace.of(machine, request)
    if machine.key_planned and not place.sku:
        return _type_of_a_new_key(machine, wanted)
    if not place.sku:
        machine.keyed(None, request.verb.name)
    return set_all(place, {"activation_type": wanted or None})


def _type_of_a_new_key(machine: SlmgrHost, wanted: int) -> Work:
    """In a trial: what is set now shows with the product only that comes with the key."""
    work = Work()
    attribute = client_settings.SETTINGS["activation_type"].attribute
    step = Step(machine.host, attribute, None, ACTIVATION_TYPES[wanted], after_step="product key", decided_by_target=("before",))
    work.plan.add(step, lambda: None)
    return work


def host_setting(name: str, wanted: bool = False, option: str = "") -> Callable[[SlmgrHost, VerbRequest], Work]:
    """A setting of KMS hosts, to a value of its own or to that of an option."""
    setting = kms_host_state.SETTINGS[name]

    def plan(machine: SlmgrHost, request: VerbRequest) -> Work:
        value: int | bool = request.options[option] if option else wanted

        def now() -> int | bool:
            return HostState(service={setting.column: machine.service(setting.column)}).setting(name)

        work = Work()
        if now() != value:
            step = Step(machine.host, setting.attribute, now(), value, f"SoftwareLicensingService.{setting.method}")
            work.plan.add(step, kms_host_settings.setter(machine.session, machine.version, setting, value))
        work.predict = lambda: machine.set_service(setting.column, value)
        work.verify = lambda: [] if now() == value else [f"{setting.attribute} (is {now()}, wanted {value})"]
        return work

    return plan
