# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A MAK client: its key, and one activation with Microsoft or by a confirmation ID.

Each activation is counted by Microsoft, so the state is read before one is made, and one whose answer was lost is judged by
the state and never repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._core.codes.meaning import describe
from ..._core.errors import ActivationError, in_words
from ..._core.plan import Plan, Step, StepFailed, StepKind
from ..._licensing.channels import Channel
from ..._licensing.mak import PROXY_PLAYBOOKS, Trouble, trouble_of
from ..._licensing.status import UNLICENSED, status_name
from ..._wsman.session import Session
from ..platform import told
from ..platform.versions import parse_version
from ..spp import license_changes, licensing, offline_activation
from ..spp.client_product import THE_SYSTEM
from ..spp.licensing import Product
from ..spp.offline_activation import DEPOSIT
from .product import COLUMNS, NotApplicable, Scope, is_vista_before_sp1, products_for_mak, replaced
from .state import MakClientWish, holder_of, in_the_way, shown

KEY = "product key"
"""The key's name in a plan."""


class MakClient:
    """One MAK client over its session.

    Args:
        session: The host.
        wish: What it should be.
        check_mode: Read and plan only.

    Attributes:
        steps: The changes: in check mode those that are due, otherwise those that were made.
        reason: Why no MAK can be installed; empty where one can.
        reason_hresult: The HRESULT by which Windows refused it.
        activation: What came of the activation.
        warnings: What the user should know although nothing failed.
    """

    def __init__(self, session: Session, wish: MakClientWish, check_mode: bool) -> None:
        self._session = session
        self._wish = wish
        self._check_mode = check_mode
        self._host = session.host
        self._version = str(licensing.read_service(session, ("Version",))["Version"])
        self._windows = parse_version(self._version)
        self._scope = Scope(wish.product)
        self._read()
        self._installation_id: str | None = None
        self._keeps_key = False
        self._products: list[Product] = []
        self.steps: list[Step] = []
        self.reason = ""
        self.reason_hresult: int | None = None
        self.activation: dict[str, Any] = {"attempted": False, "outcome": "not_attempted"}
        self.warnings: list[str] = []

    @property
    def product(self) -> Product | None:
        """The product with the MAK, as it was read last; without one the product that it is for, where there is one alone."""
        if self._holder is not None:
            return self._holder
        others = self._scope.of(self._keyed)
        return others[0] if len(others) == 1 else None

    @property
    def result(self) -> dict[str, Any]:
        """What the module returns."""
        product = self.product
        return {
            "applicable": not self.reason,
            "reason": in_words(self.reason),
            "reason_hresult": self.reason_hresult,
            "product": shown(product, self._installation_id),
            "installed": self._holder is not None,
            "mak_products": [row.id for row in self._products],
            "activated": self._holder is not None and self._holder.licensed,
            "activation": self.activation,
        }

    def change(self) -> None:
        """Bring the key in order, then activate.

        Raises:
            StepFailed: A step failed.
            ActivationError: The computer can't be a MAK client, or was not activated.
        """
        try:
            self._bring_key()
            if self._wish.activates and not self._keeps_key:
                self._bring_license()
        except NotApplicable as found:
            if not self._wish.applicable_only:
                raise ActivationError(f"{self._host} can't be activated by MAK: {found}.", source="windows") from None
            self.reason, self.reason_hresult = str(found), found.hresult
        if self._wish.installation_id and self._holder is not None and self._installation_id is None:
            self._read_last(self._holder)

    def _read(self) -> None:
        self._keyed = licensing.read_products(self._session, self._windows, COLUMNS)
        self._holder = holder_of(self._host, self._keyed, self._scope, self._wish)

    def _bring_key(self) -> None:
        key = self._wish.product_key
        self._check_kind()
        if not key:
            return
        plan = Plan()
        self._products = [self._holder] if self._holder else products_for_mak(self._session, self._windows, self._scope, self._keyed)
        held = replaced(self._keyed, self._products)
        if self._holder is None:
            self._check_vista()
            if held and not self._wish.overwrite:
                self._keep(held[0])
                return
            plan.add(self._key_step(held), lambda: license_changes.install_key(self._session, self._version, key))
        for other in in_the_way(held, self._wish.last_five):
            how = "SoftwareLicensingProduct.UninstallProductKey"
            step = Step(self._host, f"{KEY} of {other.name}", other.partial_key, None, how, kind=StepKind.KEY)
            plan.add(step, self._remover(other))
        if plan and not self._check_mode:
            self._run(plan)
        self.steps = plan.steps

    def _check_vista(self) -> None:
        if self._wish.product == THE_SYSTEM and is_vista_before_sp1(self._version) and not self._wish.force_install:
            raise NotApplicable(
                "it runs Windows Vista before SP1, which locks its users out if it is not activated before the next logon and its grace period is"
                " over. Install SP1 first, or set O(force_install): true and activate it at once"
            )

    def _key_step(self, held: list[Product]) -> Step:
        return Step(
            self._host,
            f"{KEY}{self._scope.suffix}",
            held[0].partial_key if held else None,
            self._wish.last_five,
            "SoftwareLicensingService.InstallProductKey",
            kind=StepKind.KEY,
        )

    def _keep(self, held: Product) -> None:
        self._keeps_key = True
        self.warnings.append(
            f"{self._host} keeps the key that ends in {held.partial_key}, because overwrite is false; nothing was activated."
        )

    def _remover(self, other: Product) -> Callable[[], None]:
        return lambda: license_changes.uninstall_key(self._session, self._version, other.id)

    def _run(self, plan: Plan) -> None:
        """Make the changes, and see that the product that was meant holds the MAK then."""
        try:
            plan.run()
        except StepFailed as failure:
            cause = failure.__cause__
            tells = not failure.done and self._wish.applicable_only
            if tells and isinstance(cause, ActivationError) and trouble_of(cause.hresult) is Trouble.OTHER_PRODUCT:
                raise NotApplicable(cause.said.rstrip("."), cause.hresult) from None
            raise
        try:
            self._read()
            self._check_holder()
        except ActivationError as failure:
            raise StepFailed(plan.steps[0], plan.steps, []) from failure

    def _check_holder(self) -> None:
        """Only now Windows tells which product the key belongs to, and of which kind it is."""
        if self._holder is None:
            raise ActivationError(
                f"the key that ends in {self._wish.last_five} was installed, but no product holds it; check that it is a key"
                " of this product.",
                subject=self._host,
                source="windows",
            )
        self._check_kind()

    def _check_kind(self) -> None:
        if self._holder is not None:
            # It is what Microsoft is asked by for all computers with this key.
            told.extended_pid(self._host, self._holder.row.get("ProductKeyID"))
        if self._holder is not None and self._holder.channel is not Channel.MAK:
            raise ActivationError(
                f"the key that ends in {self._holder.partial_key} is no MAK but of the channel {self._holder.channel}; it is"
                " installed and was not activated. Give a MAK, or bring back the setup key by kms_client.",
                subject=self._host,
                source="options",
            )

    def _bring_license(self) -> None:
        product = self._holder
        planned = self._check_mode and product is None and bool(self.steps)
        if product is None and not planned:
            raise NotApplicable(f"{self._scope.spoken} holds no MAK; give O(product_key)")
        if product is not None and product.licensed:
            self.activation["outcome"] = "already_licensed"
            return
        if product is not None and self._wish.confirmation is not None:
            self._compare(product, self._wish.confirmation)
        step = self._license_step(product)
        if self._check_mode or product is None:
            self.steps.append(step)
            return
        if self._wish.settle and license_changes.settles(self._session, self._version, product.id, self._wish.settle):
            self._read()
            self.activation["outcome"] = "already_licensed"
            return
        try:
            self._attempt(product)
        except ActivationError as failure:
            if not self.steps:
                raise
            # The key stays installed, and the result has to say so.
            raise StepFailed(step, self.steps, []) from failure
        self.steps.append(step)

    def _license_step(self, product: Product | None) -> Step:
        return Step(
            self._host,
            f"license status{self._scope.suffix}",
            status_name(product.status if product else UNLICENSED),
            "licensed",
            DEPOSIT if self._wish.confirmation else "SoftwareLicensingProduct.Activate",
            after_step="" if product else KEY,
            # With another key comes another product, whose status Windows decides.
            decided_by_target=() if product else ("before",),
            kind=StepKind.LICENSE,
        )

    def _read_installation_id(self, product: Product) -> str:
        return offline_activation.read_installation_id(self._session, self._windows, product.id, product.name)

    def _read_last(self, product: Product) -> None:
        try:
            self._installation_id = self._read_installation_id(product)
        except ActivationError as failure:
            if not self.steps or self._check_mode:
                raise
            # What was changed stays so, and the result has to say it.
            step = Step(self._host, "installation ID", None, None, "SoftwareLicensingProduct.OfflineInstallationId")
            raise StepFailed(step, self.steps, []) from failure

    def _compare(self, product: Product, confirmation: offline_activation.Confirmation) -> None:
        self._installation_id = self._read_installation_id(product)
        try:
            self.warnings += offline_activation.compare(self._host, self._installation_id, confirmation)
        except ActivationError as failure:
            if not self.steps:
                raise
            raise StepFailed(self._license_step(product), self.steps, []) from failure

    def _attempt(self, product: Product) -> None:
        """Make the one attempt, and let the state that is read back decide, as slmgr.vbs does."""
        self.activation = {"attempted": True, "outcome": "failed"}
        try:
            if self._wish.confirmation is not None:
                found, confirmation = self._installation_id or "", self._wish.confirmation.confirmation_id
                lost = license_changes.deposit_confirmation(self._session, self._version, product.id, found, confirmation)
            else:
                lost = license_changes.activate(self._session, self._version, product.id)
        except ActivationError as failure:
            raise self._in_words(failure) from failure
        self._read()
        if self._holder is None or not self._holder.licensed:
            raise self._in_words(offline_activation.not_licensed(self._host, self._holder, lost))
        self.activation["outcome"] = "licensed"

    def _in_words(self, failure: ActivationError) -> ActivationError:
        """Who does not reach Microsoft needs another way, which the code alone does not tell."""
        if trouble_of(failure.hresult) is not Trouble.NO_WAY_OUT:
            return failure
        known = describe(failure.hresult or 0)
        meaning = f"{known.meaning}, {failure.code} {known.name}".rstrip() if known else failure.shown_code
        return ActivationError(
            f"{self._host} can't be activated over the network: {meaning}. Activate it by proxy, with the playbooks {PROXY_PLAYBOOKS}.",
            code=failure.code,
            name=failure.name,
            source="windows",
        )
