# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KMS client: its key, how it finds a host, and one activation attempt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._errors import ActivationError
from .._licensing.channels import Channel
from .._licensing.errors import describe, hexadecimal
from .._licensing.kms import ActivationState, judge_activation, threshold
from .._licensing.product_keys import last_five
from .._licensing.status import UNLICENSED, status_name
from .._plan import Plan, Step
from .._wsman.cim import Value
from .._wsman.session import Session
from . import licensing
from .licensing import Product
from .setup_key import published_key


@dataclass(frozen=True, slots=True)
class Wish:
    """What a KMS client should be. What is C(None) or C(False) is left as it is.

    Attributes:
        product_key: A client setup key (GVLK); without one the host's own edition decides.
        discover: Find the KMS host by DNS, so that a fixed one is cleared.
        activate: Make one activation attempt where the client is not licensed.
        after_step: The earlier step that check mode takes as made.
    """

    product_key: str | None = None
    discover: bool = False
    activate: bool = False
    after_step: str = ""


class KmsClient:
    """One KMS client over its session.

    Args:
        session: The host.
        wish: What it should be.
        check_mode: Read and plan only.

    Attributes:
        steps: The changes: in check mode those that are due, otherwise those that were made.
        activation: What came of the attempt.
    """

    def __init__(self, session: Session, wish: Wish, check_mode: bool) -> None:
        self._session = session
        self._wish = wish
        self._check_mode = check_mode
        self._host = session.host
        self._service = licensing.read_service(session)
        self._version = str(self._service["Version"])
        self._product = self._read_product()
        self.steps: list[Step] = []
        self.activation: dict[str, Any] = {"state": "not_attempted"}

    @property
    def product(self) -> Product | None:
        """Windows itself, as it was read last."""
        return self._product

    def change(self) -> None:
        """Bring key and discovery in order, then attempt to activate.

        Raises:
            StepFailed: A step failed.
            ActivationError: The host can't be a KMS client, or the attempt failed. A count that is still too low is no
                failure: it is the state C(counted).
        """
        plan = Plan()
        self._plan_key(plan)
        self._plan_discovery(plan)
        if plan and not self._check_mode:
            plan.run()
            self._product = self._read_product()
        self.steps = plan.steps
        if self._wish.activate:
            self._attempt()

    def _read_product(self) -> Product | None:
        return licensing.read_windows(self._session, licensing.version_of(self._service))

    def _plan_key(self, plan: Plan) -> None:
        product, wanted = self._product, self._wish.product_key
        channel = product.channel if product else None
        if channel is Channel.CSVLK:
            raise ActivationError(
                f"{self._host} is a KMS host, which needs no setup key. Take it out of the clients, or remove its CSVLK first.",
                source="windows",
            )
        held = product.partial_key if product else None
        if wanted is None:
            if channel is Channel.GVLK:
                return
            wanted = published_key(self._session)
        if held == last_five(wanted):
            return
        step = Step(self._host, "product key", held, last_five(wanted), "SoftwareLicensingService.InstallProductKey")
        plan.add(step, lambda: licensing.install_key(self._session, self._version, wanted))

    def _plan_discovery(self, plan: Plan) -> None:
        machine = str(self._service["KeyManagementServiceMachine"] or "")
        port = licensing.number(self._service["KeyManagementServicePort"])
        if not self._wish.discover:
            return
        if machine:
            step = Step(self._host, "KMS host", machine, None, "SoftwareLicensingService.ClearKeyManagementServiceMachine")
            plan.add(
                step, lambda: licensing.call_service(self._session, self._version, "ClearKeyManagementServiceMachine", repeatable=True)
            )
        if port:
            step = Step(self._host, "KMS port", port, None, "SoftwareLicensingService.ClearKeyManagementServicePort")
            plan.add(step, lambda: licensing.call_service(self._session, self._version, "ClearKeyManagementServicePort", repeatable=True))

    def _attempt(self) -> None:
        product = self._product
        key_is_planned = self._check_mode and any(step.attribute == "product key" for step in self.steps)
        if product is not None and product.licensed and not key_is_planned:
            self.activation = {"state": ActivationState.LICENSED.value}
            return
        before = status_name(product.status if product else UNLICENSED)
        after_step = "product key" if key_is_planned else self._wish.after_step
        step = Step(
            self._host,
            "license status",
            before,
            "licensed",
            "SoftwareLicensingProduct.Activate",
            after_step=after_step,
            decided_by_target=("before",) if key_is_planned else (),
        )
        if self._check_mode:
            self.steps.append(step)
            return
        if product is None:
            raise ActivationError(f"{self._host}: no product key is installed, so there is nothing to activate.", source="windows")
        self._activate(product, step)

    def _activate(self, product: Product, step: Step) -> None:
        """Make the attempt and let the state that is read back decide, as slmgr.vbs does."""
        raised: int | None = None
        lost = ""
        try:
            lost = licensing.activate(self._session, self._version, product.id)
        except ActivationError as failure:
            if not failure.code.startswith("0x"):
                raise
            raised = int(failure.code, 16)
        if raised is None:
            self._product = self._read_product() or product
        now = self._product or product
        outcome = judge_activation(now.status, raised=raised, reason=now.status_reason)
        self.activation = {"state": outcome.state.value, "message": outcome.sentence, "required_count": _threshold(product)}
        if outcome.code is not None:
            known = describe(outcome.code)
            self.activation |= {"code": hexadecimal(outcome.code), "name": known.name if known else ""}
        if outcome.state is ActivationState.LICENSED:
            self.steps.append(step)
            self.activation |= self._found_host()
        elif outcome.state is ActivationState.FAILED:
            raise ActivationError(
                f"{self._host}: the activation failed with {outcome.sentence} {lost}".rstrip(),
                code=str(self.activation.get("code", "")),
                name=str(self.activation.get("name", "")),
                source="windows",
            )

    def _found_host(self) -> dict[str, Value]:
        """The KMS host that answered, which Windows keeps after an activation."""
        columns = ("DiscoveredKeyManagementServiceMachineName", "DiscoveredKeyManagementServiceMachinePort")
        row = licensing.read_service(self._session, columns)
        return {"kms_host": row[columns[0]], "kms_port": row[columns[1]]}


def _threshold(product: Product) -> int:
    """How many clients a KMS host has to have counted before it activates this product."""
    server = product.family.startswith("Server")
    return threshold(product.application_id, server=server, required_client_count=product.required_count)
