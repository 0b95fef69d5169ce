# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KMS client: its key, how it finds a host, and one activation attempt."""

from __future__ import annotations

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
from . import computer, dns_suffixes, licensing
from .classes import SOFTWARE_LICENSING_SERVICE
from .client_settings import Target, Wanted, check_version, fixed_host, plan_settings, wrong_settings
from .dns_suffixes import SuffixList
from .kms_client_state import Wish, read_client_service
from .licensing import Product
from .setup_key import setup_key_of
from .versions import WINDOWS_7

_KEY = "product key"


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
        self._service = read_client_service(session, wish)
        self._version = str(self._service["Version"])
        self._windows = licensing.version_of(self._service)
        self._domain = computer.read_names(session)[1] if wish.looks else ""
        self._suffixes = SuffixList(session, wish.dns_suffixes, self._domain) if wish.dns_suffixes is not None else None
        self._product = self._read_product()
        self.steps: list[Step] = []
        self.activation: dict[str, Any] = {"state": "not_attempted"}

    @property
    def product(self) -> Product | None:
        """Windows itself, as it was read last."""
        return self._product

    @property
    def lookup(self) -> dict[str, Any]:
        """How the client looks for a KMS host, as far as it was read."""
        # Vista and Server 2008 take any of the hosts (Microsoft's Volume Activation guides for Windows 7 and for Vista).
        found: dict[str, Any] = {"honours_priority_and_weight": self._windows >= WINDOWS_7}
        if self._wish.looks:
            found |= {
                "domain_member": bool(self._domain),
                "domain": self._domain,
                "caching": self._service["KeyManagementServiceHostCaching"],
            }
        if self._suffixes:
            found["suffixes"] = self._suffixes.found.as_result()
        return found

    @property
    def warnings(self) -> list[str]:
        """What the user should know although nothing failed."""
        found = self._suffixes.warnings if self._suffixes else []
        fixed = self._wish.kms_host or (None if self._wish.discover else self._service["KeyManagementServiceMachine"])
        if fixed and self._wish.settings.get("lookup_domain"):
            found.append(f"{self._host} has the fixed KMS host {fixed}, which overrides lookup_domain; discover: true clears it.")
        return found

    def change(self) -> None:
        """Bring key and discovery in order, then attempt to activate.

        Raises:
            StepFailed: A step failed.
            ActivationError: The host can't be a KMS client, or the attempt failed. A count that is still too low is no
                failure: it is the state C(counted).
        """
        check_version(self._session, SOFTWARE_LICENSING_SERVICE, self._wish.settings, self._windows)
        plan = Plan()
        self._plan_key(plan)
        wanted = self._wanted()
        plan_settings(plan, self._session, self._target, wanted)
        if self._suffixes:
            self._suffixes.plan(plan)
        if plan and not self._check_mode:
            plan.run()
            self._product = self._read_product()
            self._read_back(plan, wanted)
        self.steps = plan.steps
        if self._wish.activate:
            self._attempt()

    @property
    def _target(self) -> Target:
        return Target(SOFTWARE_LICENSING_SERVICE, {"Version": self._version}, self._service)

    def _read_product(self) -> Product | None:
        return licensing.read_windows(self._session, self._windows)

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
            wanted = setup_key_of(self._session).key
        if held == last_five(wanted):
            return
        step = Step(self._host, _KEY, held, last_five(wanted), "SoftwareLicensingService.InstallProductKey")
        plan.add(step, lambda: licensing.install_key(self._session, self._version, wanted))

    def _wanted(self) -> dict[str, Wanted]:
        """The settings as they should be: a fixed host is set, or cleared, before what it overrides."""
        wish = self._wish
        wanted: dict[str, Wanted] = {}
        if wish.discover:
            wanted = {"kms_host": None, "kms_port": None}
        elif wish.kms_host:
            wanted = fixed_host(self._target, wish.kms_host, wish.kms_port)
        return wanted | dict(wish.settings)

    def _read_back(self, plan: Plan, wanted: dict[str, Wanted]) -> None:
        """What was changed has to read as it was wanted."""
        changed = {step.attribute for step in plan.steps} - {_KEY}
        if self._suffixes and dns_suffixes.ATTRIBUTE in changed:
            self._suffixes.read_back()
        if not changed - {dns_suffixes.ATTRIBUTE}:
            return
        self._service = read_client_service(self._session, self._wish)
        wrong = wrong_settings(self._target, wanted)
        if wrong:
            raise ActivationError(
                f"{self._host}: every call succeeded, yet these are not as wanted: {'; '.join(wrong)}. A policy may set them back.",
                source="windows",
            )

    def _attempt(self) -> None:
        product = self._product
        key_is_planned = self._check_mode and any(step.attribute == _KEY for step in self.steps)
        if product is not None and product.licensed and not key_is_planned:
            self.activation = {"state": ActivationState.LICENSED.value}
            return
        before = status_name(product.status if product else UNLICENSED)
        after_step = _KEY if key_is_planned else self._wish.after_step
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
