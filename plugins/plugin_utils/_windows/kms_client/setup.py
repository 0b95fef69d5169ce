# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KMS client: its key, how it finds a host, and one activation attempt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..._core.codes.code import hresult
from ..._core.codes.meaning import name_of
from ..._core.errors import ActivationError
from ..._core.plan import Plan, Step, StepFailed, StepKind
from ..._core.text import LONGEST_NAME, visible
from ..._licensing.channels import Channel
from ..._licensing.kms import ActivationState, judge_activation, threshold
from ..._licensing.status import UNLICENSED, status_name
from ..._wsman.session import Session
from ..platform import computer
from ..platform.classes import SOFTWARE_LICENSING_PRODUCT, SOFTWARE_LICENSING_SERVICE
from ..platform.versions import WINDOWS_7
from ..spp import license_changes, licensing
from ..spp.client_product import THE_SYSTEM, Chosen, read_chosen
from ..spp.client_settings import (
    SETTINGS,
    SettingTarget,
    Wanted,
    check_version,
    fixed_host,
    plan_settings,
    wrong_settings,
)
from ..spp.licensing import Product
from . import client_key
from .activated_by import activated_by
from .alternate_url import AlternateUrl
from .client_key import plan_key
from .dns_suffixes import SuffixList
from .state import KmsClientWish, read_client_service

_OF_SERVICE = ("host_caching",)
_OF_PRODUCT = tuple(setting.column for setting in SETTINGS.values() if setting.of_product)
_TOKEN = 3
_NOT_SERVED = 0xC004F042


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

    def __init__(self, session: Session, wish: KmsClientWish, check_mode: bool) -> None:
        self._session = session
        self._wish = wish
        self._check_mode = check_mode
        self._host = session.host
        self._service = read_client_service(session, wish)
        self._version = str(self._service["Version"])
        self._windows = licensing.version_of(self._service)
        self._domain = computer.read_names(session)[1] if wish.looks else ""
        self._suffixes = SuffixList(session, wish.dns_suffixes, self._domain) if wish.dns_suffixes is not None else None
        self._url = AlternateUrl(session, wish.alternate_url, self._windows) if wish.alternate_url is not None else None
        self._chosen = self._read_chosen()
        self._keeps_key = False
        self.steps: list[Step] = []
        self.activation: dict[str, Any] = {"state": "not_attempted"}

    @property
    def product(self) -> Product | None:
        """The product, as it was read last."""
        return self._chosen.product

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
        fixed = self._wish.kms_host or (None if self._wish.discover else self._target.value("kms_host"))
        if self._keeps_key:
            found.append(
                f"{self._host} keeps the key that ends in {self._chosen.held}, because overwrite is false"
                + ("." if self._chosen.is_client else "; it is no KMS client, so no attempt was made.")
            )
        if self._wish.activate and self._by_token:
            found.append(f"{self._host}: the activation type allows tokens only, so no attempt was made by KMS.")
        if fixed and self._wish.settings.get("lookup_domain"):
            found.append(
                f"{self._host} has the fixed KMS host {visible(str(fixed), LONGEST_NAME)}, which overrides O(lookup_domain); O(discover): true clears it."
            )
        return found

    def change(self) -> None:
        """Bring key and discovery in order, then attempt to activate.

        Raises:
            StepFailed: A step failed.
            ActivationError: The host can't be a KMS client, or the attempt failed. A count that is still too low is no
                failure: it is the state C(counted).
        """
        plan, wanted = Plan(), self._wanted()
        for target, part in self._parts(wanted):
            check_version(self._session, target.cim_class, part, self._windows)
        self._keeps_key = plan_key(plan, self._session, self._version, self._chosen, self._wish)
        for target, part in self._parts(wanted):
            plan_settings(plan, self._session, target, part)
        if self._suffixes:
            self._suffixes.plan(plan)
        if self._url:
            self._url.plan(plan)
        if plan and not self._check_mode:
            plan.run()
            with plan.reading_back(self._host):
                self._chosen = self._read_chosen()
                self._read_back({step.kind: step.after for step in plan.steps}, wanted)
        self.steps = plan.steps
        if self._wish.activate:
            made = [] if self._check_mode else list(self.steps)
            try:
                self._attempt()
            except ActivationError as failure:
                if not made:
                    raise
                # What was set before the attempt stays set, and the result has to say so.
                raise StepFailed(Step(self._host, "license status", None, "licensed", kind=StepKind.LICENSE), made, []) from failure

    @property
    def _target(self) -> SettingTarget:
        """What holds the settings: slmgr.vbs, too, sets them at the product where one is named, and otherwise for all at the service."""
        product = self._chosen.product
        if self._wish.product == THE_SYSTEM or product is None:
            return self._service_target
        return SettingTarget(SOFTWARE_LICENSING_PRODUCT, {"ID": product.id}, product.row, f" of {product.name}")

    @property
    def _service_target(self) -> SettingTarget:
        """The service, with what only its products show."""
        product = self._chosen.product
        row = {**self._service, **({name: product.row.get(name) for name in _OF_PRODUCT} if product else {})}
        return SettingTarget(SOFTWARE_LICENSING_SERVICE, {"Version": self._version}, row)

    def _parts(self, wanted: Mapping[str, Wanted]) -> Iterator[tuple[SettingTarget, dict[str, Wanted]]]:
        """The wanted settings by what holds them: caching is the service's alone."""
        yield self._target, {name: value for name, value in wanted.items() if name not in _OF_SERVICE}
        yield self._service_target, {name: value for name, value in wanted.items() if name in _OF_SERVICE}

    def _read_chosen(self) -> Chosen:
        return read_chosen(self._session, self._wish.product, self._windows, "activation_type" in self._wish.settings)

    def _wanted(self) -> dict[str, Wanted]:
        """The settings as they should be: a fixed host is set, or cleared, before what it overrides."""
        wish = self._wish
        wanted: dict[str, Wanted] = {}
        if wish.discover:
            wanted = {"kms_host": None, "kms_port": None}
        elif wish.kms_host:
            wanted = fixed_host(self._target, wish.kms_host, wish.kms_port)
        return wanted | dict(wish.settings)

    def _read_back(self, changed: Mapping[StepKind, Any], wanted: Mapping[str, Wanted]) -> None:
        """What was changed has to read as it was wanted."""
        if changed.get(StepKind.KEY, self._chosen.held) != self._chosen.held:
            raise ActivationError(
                f"the key that ends in {changed[StepKind.KEY]} was installed, but the product holds"
                f" {self._chosen.held or 'none'}; check that it is a key of this product.",
                subject=self._host,
                source="windows",
            )
        if self._suffixes and StepKind.SUFFIXES in changed:
            self._suffixes.read_back()
        if self._url and StepKind.URL in changed:
            self._url.read_back()
        if StepKind.SETTING not in changed:
            return
        self._service = read_client_service(self._session, self._wish)
        wrong = [text for target, part in self._parts(wanted) for text in wrong_settings(target, part)]
        if wrong:
            raise ActivationError(
                f"every call succeeded, yet these are not as wanted: {'; '.join(wrong)}. A policy may set them back.",
                subject=self._host,
                source="windows",
            )

    def _attempt(self) -> None:
        product = self._chosen.product
        key_is_planned = self._check_mode and any(step.kind is StepKind.KEY for step in self.steps)
        if not key_is_planned and self._no_attempt():
            return
        if product is not None and product.licensed and not key_is_planned:
            self.activation = {"state": ActivationState.LICENSED.value}
            return
        before = status_name(product.status if product else UNLICENSED)
        after_step = client_key.ATTRIBUTE if key_is_planned else self._wish.after_step
        step = Step(
            self._host,
            "license status",
            before,
            "licensed",
            "SoftwareLicensingProduct.Activate",
            after_step=after_step,
            decided_by_target=("before",) if key_is_planned else (),
            kind=StepKind.LICENSE,
        )
        if self._check_mode:
            self.steps.append(step)
            return
        if product is None:
            raise ActivationError("no product key is installed, so there is nothing to activate.", subject=self._host, source="windows")
        self._activate(product, step)

    def _no_attempt(self) -> bool:
        """Whether there is nothing that KMS could activate, so that an attempt would do something else."""
        if self._keeps_key and not self._chosen.is_client:
            return True
        product = self._chosen.product
        if product is not None and product.partial_key and product.channel is not Channel.GVLK:
            raise ActivationError(
                f"the key that ends in {product.partial_key} is no KMS client setup key but of the channel {product.channel}, which"
                " Microsoft would activate; no attempt was made.",
                subject=self._host,
                source="options",
            )
        return self._by_token

    @property
    def _by_token(self) -> bool:
        """Whether only a token may activate, which slmgr.vbs /ato leaves to /fta as well."""
        wanted = self._wish.settings.get("activation_type", self._target.value("activation_type"))
        return wanted == _TOKEN

    def _activate(self, product: Product, step: Step) -> None:
        """Make the attempt and let the state that is read back decide, as slmgr.vbs does."""
        raised, lost = None, ""
        try:
            lost = license_changes.activate(self._session, self._version, product.id)
        except ActivationError as failure:
            if failure.hresult is None:
                raise
            raised = failure.hresult
        if raised is None:
            self._chosen = self._read_chosen()
        now = self._chosen.product or product
        outcome = judge_activation(now.status, raised=raised, reason=now.status_reason)
        self.activation = {"state": outcome.state.value, "message": outcome.sentence, "required_count": _threshold(product)}
        if outcome.code is not None:
            self.activation |= {"code": str(hresult(outcome.code)), "name": name_of(outcome.code)}
        if outcome.state is ActivationState.LICENSED:
            self.steps.append(step)
            self.activation |= activated_by(self._session, self._chosen, self._target)
        elif outcome.state is ActivationState.FAILED:
            raise ActivationError(
                f"the activation failed with {outcome.sentence}{self._asked(outcome.code)} {lost}".rstrip(),
                subject=self._host,
                code=hresult(outcome.code) if outcome.code is not None else None,
                name=self.activation.get("name", ""),
                source="windows",
            )

    def _asked(self, code: int | None) -> str:
        """Which host does not serve which product: only the KMS host's own key tells that, so it is known when it refused."""
        if code != _NOT_SERVED:
            return ""
        fixed, product = self._target.value("kms_host"), self._chosen.product
        return f" The product is {product.name if product else 'Windows'}, the host that was asked {fixed or 'one that DNS names'}."


def _threshold(product: Product) -> int:
    """How many clients a KMS host has to have counted before it activates this product."""
    server = product.family.startswith("Server")
    return threshold(product.application_id, server=server, required_client_count=product.required_count)
