# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What decides which KMS host a client asks: properties of the licensing service, or of one product, and the methods that set them.

The calls are those of slmgr.vbs /skms, /ckms, /skms-domain, /ckms-domain, /skhc, /ckhc and /act-type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..._core.address import same_host
from ..._core.errors import ActivationError
from ..._core.plan import Plan, Step, StepKind
from ..._core.text import LONGEST_NAME, visible
from ..._licensing.kms import effective_port
from ..._wsman.cim import CimClass, Value
from ..._wsman.session import Session
from ..platform.classes import SOFTWARE_LICENSING_PRODUCT
from ..platform.returned import number
from ..platform.versions import WindowsVersion, came_with
from . import licensing

Wanted = str | int | bool | None
"""The value that a setting should have; C(None) where it should have none."""


@dataclass(frozen=True, slots=True)
class ClientSetting:
    """One setting.

    Attributes:
        attribute: Its name in a plan.
        column: The property that holds it.
        method: What sets it.
        parameter: The method's parameter.
        clear: What removes it.
        inverted: The method takes the opposite of the property.
        of_product: The property is one of the product, also where the service's method sets it.
        names: What the values are called in a plan.
        same: Whether two values mean the same to Windows.
        instead: What to do where a Windows is too old for it.
    """

    attribute: str
    column: str
    method: str
    parameter: str
    clear: str = ""
    inverted: bool = False
    of_product: bool = False
    names: Mapping[int, str] = field(default_factory=dict)
    same: Callable[[Wanted, Wanted], bool] = lambda one, other: one == other
    instead: str = "leave the option out for this host"


def _same_name(one: Wanted, other: Wanted) -> bool:
    return same_host(str(one or ""), str(other or ""))


ACTIVATION_TYPES = {0: "all", 1: "active_directory", 2: "kms", 3: "token"}
"""By VLActivationTypeEnabled; 0 stands for every way that the product knows, and is what is left when it is cleared."""

SETTINGS: Mapping[str, ClientSetting] = {
    "kms_host": ClientSetting(
        "KMS host",
        "KeyManagementServiceMachine",
        "SetKeyManagementServiceMachine",
        "MachineName",
        "ClearKeyManagementServiceMachine",
        same=_same_name,
    ),
    "kms_port": ClientSetting(
        "KMS port", "KeyManagementServicePort", "SetKeyManagementServicePort", "PortNumber", "ClearKeyManagementServicePort"
    ),
    "lookup_domain": ClientSetting(
        "KMS lookup domain",
        "KeyManagementServiceLookupDomain",
        "SetKeyManagementServiceLookupDomain",
        "LookupDomain",
        "ClearKeyManagementServiceLookupDomain",
        same=_same_name,
        instead="name the host by kms_host, or the domain by dns_suffixes",
    ),
    "host_caching": ClientSetting(
        "KMS host caching",
        "KeyManagementServiceHostCaching",
        "DisableKeyManagementServiceHostCaching",
        "DisableCaching",
        inverted=True,
    ),
    "activation_type": ClientSetting(
        "activation type",
        "VLActivationTypeEnabled",
        "SetVLActivationTypeEnabled",
        "ActivationType",
        "ClearVLActivationTypeEnabled",
        of_product=True,
        names=ACTIVATION_TYPES,
    ),
}


@dataclass(frozen=True, slots=True)
class SettingTarget:
    """What holds the settings.

    Attributes:
        cim_class: SoftwareLicensingService, or SoftwareLicensingProduct.
        keys: The keys of the instance.
        row: Its properties as they were read.
        label: Behind the names of attributes, where it is one product.
    """

    cim_class: CimClass
    keys: Mapping[str, str]
    row: Mapping[str, Value]
    label: str = ""

    def value(self, name: str) -> Wanted:
        """A setting as it is now; C(None) where there is none."""
        found = self.row.get(SETTINGS[name].column)
        if isinstance(found, bool):
            return found
        return found if found and isinstance(found, (str, int)) else None


def check_version(session: Session, cim_class: CimClass, names: Mapping[str, Wanted], version: WindowsVersion) -> None:
    """Refuse what this Windows has not, before anything is changed.

    Raises:
        ActivationError: A setting came with a later Windows.
    """
    for name in names:
        setting = SETTINGS[name]
        since = came_with(SOFTWARE_LICENSING_PRODUCT if setting.of_product else cim_class, setting.column, version)
        if since:
            raise ActivationError(
                f"O({name}) is a setting that came with {since}, and this Windows is older; {setting.instead}.",
                subject=session.host,
                source="windows",
            )


def plan_settings(plan: Plan, session: Session, target: SettingTarget, wanted: Mapping[str, Wanted]) -> None:
    """The steps that bring settings to their wanted values, in the order of C(wanted)."""
    for name, value in wanted.items():
        setting, now = SETTINGS[name], target.value(name)
        if setting.same(now, value):
            continue
        method = setting.clear if value is None else setting.method
        step = Step(
            session.host,
            setting.attribute + target.label,
            _spoken(setting, now),
            _spoken(setting, value),
            f"{target.cim_class.name}.{method}",
            kind=StepKind.SETTING,
        )
        plan.add(step, setter(session, target, setting, value))


def wrong_settings(target: SettingTarget, wanted: Mapping[str, Wanted]) -> list[str]:
    """The settings that are not as wanted, as clauses."""
    return [
        f"{SETTINGS[name].attribute}{target.label} (is {_said(SETTINGS[name], target.value(name))}, wanted {_said(SETTINGS[name], value)})"
        for name, value in wanted.items()
        if not SETTINGS[name].same(target.value(name), value)
    ]


def fixed_host(target: SettingTarget, host: str, port: int | None) -> dict[str, Wanted]:
    """The settings of a fixed KMS host. Like slmgr.vbs, a port that is not given is cleared, which means 1688."""
    now = number(target.row.get("KeyManagementServicePort"))
    # 1688 that is set and no port at all are the same to Windows.
    kept = effective_port(now) == effective_port(port)
    return {"kms_host": host, "kms_port": (now or None) if kept else port}


def _spoken(setting: ClientSetting, value: Wanted) -> Wanted:
    return setting.names.get(int(value or 0), value) if setting.names else value


def _said(setting: ClientSetting, value: Wanted) -> Wanted:
    spoken = _spoken(setting, value)
    return "unset" if spoken is None else visible(spoken, LONGEST_NAME) if isinstance(spoken, str) else spoken


def setter(session: Session, target: SettingTarget, setting: ClientSetting, value: Wanted) -> Callable[[], None]:
    """Sets or clears it, which does no harm if it is done twice."""
    method = setting.clear if value is None else setting.method
    arguments: dict[str, Value] = {} if value is None else {setting.parameter: not value if setting.inverted else value}
    return lambda: licensing.call_method(session, target.cim_class, target.keys, method, arguments, repeatable=True)
