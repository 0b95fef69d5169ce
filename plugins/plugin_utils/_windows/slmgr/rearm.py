# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs that reset grace periods. Each spends one of a few rearms, so the count decides before and after."""

from __future__ import annotations

from collections.abc import Callable

from ..._core.codes.code import hresult
from ..._core.codes.meaning import name_of, sentence
from ..._core.errors import ActivationError
from ..._core.plan import Step
from ..._wsman.session import UnknownOutcome
from ..platform import registry
from ..platform.classes import SOFTWARE_LICENSING_PRODUCT
from ..platform.returned import number
from ..spp import licensing
from .state import SKU_COLUMNS, SlmgrHost
from .work import VerbRequest, Work

_NONE_LEFT = 0xC004D307


def rearm(machine: SlmgrHost, _request: VerbRequest) -> Work:
    """Windows itself. With SkipRearm in the registry Windows does nothing."""
    key = licensing.platform_keys(machine.windows)[0]
    if registry.read_number(machine.session, key, licensing.SKIP_REARM):
        return Work(warnings=[f"{machine.host}: SkipRearm is set below HKLM\\{key}, so that a rearm does nothing; none was made."])

    def call() -> None:
        licensing.call_service(machine.session, machine.version, "ReArmWindows")

    return _work(
        machine,
        "rearms",
        "SoftwareLicensingService.ReArmWindows",
        lambda: number(machine.service("RemainingWindowsReArmCount")),
        call,
    )


def rearm_app(machine: SlmgrHost, request: VerbRequest) -> Work:
    """All products of an application."""
    application: str = request.options["application_id"]

    def left() -> int:
        sku = next((sku for sku in machine.skus if str(sku.row["ApplicationID"]).lower() == application), None)
        if sku is not None:
            return number(sku.row["RemainingAppReArmCount"])
        products = machine.products(f"ApplicationID='{application}'", SKU_COLUMNS)
        if not products:
            raise ActivationError(f"{machine.host} has no product of the application {application}.", source="windows")
        return number(products[0].row["RemainingAppReArmCount"])

    def call() -> None:
        licensing.call_service(machine.session, machine.version, "ReArmApp", {"ApplicationId": application})

    return _work(machine, f"rearms of the application {application}", "SoftwareLicensingService.ReArmApp", left, call)


def rearm_sku(machine: SlmgrHost, request: VerbRequest) -> Work:
    """One product."""
    product_id = str(request.product_id)

    def call() -> None:
        licensing.call_method(machine.session, SOFTWARE_LICENSING_PRODUCT, {"ID": machine.named(product_id).id}, "ReArmSku")

    def left() -> int:
        return number(machine.named(product_id).row["RemainingSkuReArmCount"])

    return _work(machine, f"rearms of {product_id}", "SoftwareLicensingProduct.ReArmSku", left, call)


def _work(machine: SlmgrHost, attribute: str, how: str, left: Callable[[], int], call: Callable[[], None]) -> Work:
    before = left() - machine.rearms_planned.get(attribute, 0)
    if before < 1:
        raise ActivationError(
            f"{attribute}: none are left. Windows answers {sentence(_NONE_LEFT)}",
            subject=machine.host,
            code=hresult(_NONE_LEFT),
            name=name_of(_NONE_LEFT),
            source="windows",
        )
    work = Work()

    def apply() -> None:
        try:
            call()
        except UnknownOutcome:
            machine.forget()
            if left() >= before:
                raise

    def verify() -> list[str]:
        now = left()
        if now >= before:
            work.warnings.append(
                f"{machine.host}: Windows took the rearm, but still counts {now} {attribute}; look again once it was restarted."
            )
        return []

    def predict() -> None:
        machine.rearms_planned[attribute] = machine.rearms_planned.get(attribute, 0) + 1

    work.plan.add(Step(machine.host, attribute, before, before - 1, how), apply)
    work.verify, work.predict = verify, predict
    work.show = lambda: {"rearms": left()}
    return work
