# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs that activate a product. Each attempt can spend an activation of its key, so none is made that is not due, and
one whose answer was lost is judged by the state and never repeated.
"""

from __future__ import annotations

from collections.abc import Callable

from ..._core.codes.code import hresult
from ..._core.codes.meaning import name_of
from ..._core.errors import ActivationError
from ..._core.plan import Step
from ..._licensing.kms import judge_activation
from ..._licensing.offline_ids import confirmation_warnings
from ..._licensing.status import LICENSED, status_name
from ..spp import license_changes, offline_activation
from .state import Sku, SlmgrHost
from .work import VerbRequest, Work

_BY_TOKEN_ONLY = 3


def ato(machine: SlmgrHost, request: VerbRequest) -> Work:
    """Activate on line: with a KMS host or Microsoft, as the key has it."""

    def attempt(sku: Sku) -> str:
        return license_changes.activate(machine.session, machine.version, sku.id)

    sku = machine.with_key(request.product_id)
    if sku is not None and not machine.key_planned and sku.row["VLActivationTypeEnabled"] == _BY_TOKEN_ONLY:
        raise ActivationError(
            f"{sku.shown} may be activated by a token alone, which ato does not do. Allow another way with act-type.",
            subject=machine.host,
            source="windows",
        )
    return _activation(machine, request, "SoftwareLicensingProduct.Activate", attempt)


def atp(machine: SlmgrHost, request: VerbRequest) -> Work:
    """Activate with a confirmation ID."""
    confirmation: str = request.options["confirmation_id"]

    def attempt(sku: Sku) -> str:
        installation = installation_id(machine, sku)
        return license_changes.deposit_confirmation(machine.session, machine.version, sku.id, installation, confirmation)

    work = _activation(machine, request, "SoftwareLicensingProduct.DepositOfflineConfirmationId", attempt)
    if work.plan:
        work.warnings += confirmation_warnings(machine.host, confirmation)
    return work


def _activation(machine: SlmgrHost, request: VerbRequest, how: str, attempt: Callable[[Sku], str]) -> Work:
    work = Work()
    sku = machine.with_key(request.product_id) if machine.key_planned else machine.keyed(request.product_id, request.verb.name)
    if sku is not None and sku.product.licensed and not machine.key_planned:
        return work
    step = Step(
        machine.host,
        f"license status{f' of {request.product_id}' if request.product_id else ''}",
        status_name(sku.product.status) if sku else None,
        status_name(LICENSED),
        how,
        after_step="product key" if machine.key_planned else "",
        # With another key comes another product, whose status Windows decides.
        decided_by_target=("before",) if machine.key_planned else (),
    )

    def apply() -> None:
        product = machine.keyed(request.product_id, request.verb.name)
        _judge(machine, request.product_id, attempt(product))

    def predict() -> None:
        if sku is not None:
            sku.row["LicenseStatus"] = LICENSED

    work.plan.add(step, apply)
    work.predict = predict
    return work


def installation_id(machine: SlmgrHost, sku: Sku) -> str:
    """The installation ID of a product, which Windows computes from key and hardware when it is asked."""
    return offline_activation.read_installation_id(machine.session, machine.windows, sku.id, sku.shown)


def _judge(machine: SlmgrHost, product_id: str | None, lost: str) -> None:
    """The state that is read back decides, as slmgr.vbs has it."""
    machine.forget()
    sku = machine.keyed(product_id, "ato")
    if sku.product.licensed:
        return
    outcome = judge_activation(sku.product.status, reason=sku.product.status_reason)
    state = status_name(sku.product.status)
    raise ActivationError(
        f"after the activation {sku.shown} is {state}: {outcome.sentence} {lost}".rstrip(),
        subject=machine.host,
        code=hresult(outcome.code) if outcome.code else None,
        name=name_of(outcome.code or 0),
        source="windows",
    )
