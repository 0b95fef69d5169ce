# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the planners of a KMS host's changes work on: its session, what was read of it, and the plan so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..._core.errors import ActivationError
from ..._core.plan import Plan
from ..._wsman.session import Session
from ..platform import firewall, services
from ..spp import licensing, version_values
from ..spp.licensing import Product
from . import publish_list
from .listening import Probe
from .state import HostState, KmsHostWish


class HostWork:
    """One host over its session, while its change is planned and carried out.

    Args:
        session: The host.
        wish: What it should be.
        check_mode: Read and plan only.
        always_read: The licensing state is wanted even where the wish does not need it.
        probe: Looks from outside at a TCP port of the host.

    Attributes:
        plan: The steps.
        restarted: Whether sppsvc was restarted.
        state: What was read last.
        warnings: What the user should know although every step succeeded.
    """

    def __init__(
        self, session: Session, wish: KmsHostWish, check_mode: bool, always_read: bool = False, probe: Probe | None = None
    ) -> None:
        self.session = session
        self.wish = wish
        self.check_mode = check_mode
        self.probe = probe
        self.name = session.host
        self.plan = Plan()
        self.restarted = False
        self.warnings: list[str] = []
        self._always_read = always_read
        self.state = self.read()

    @property
    def taken_as_made(self) -> bool:
        """Whether check mode takes the key of an earlier step as installed, so that it is not this task's step."""
        return self.check_mode and bool(self.wish.after_step)

    @property
    def runs_kms(self) -> bool:
        """Whether the host has been a KMS host since before this plan, so that its service has read its settings."""
        return self.taken_as_made or self.state.has_csvlk

    @property
    def _wants_licensing(self) -> bool:
        """Whether key, status or settings are wanted of the host."""
        wish = self.wish
        named = wish.product_key or wish.settings or wish.publish_list or wish.confirmation
        return bool(named) or wish.activate or wish.absent or self._always_read

    def read(self) -> HostState:
        """The host as it is now, as far as the wish needs it."""
        wish, session = self.wish, self.session
        state = HostState()
        if self._wants_licensing:
            state.service = licensing.read_service(session)
            version = licensing.version_of(state.service)
            products = licensing.read_products(session, version)
            state.product = licensing.windows_product(products)
            state.others = tuple(product for product in products if product is not state.product)
            if wish.product_key or wish.absent:
                state.version_values = version_values.read(session, version)
            if wish.publish_list:
                state.publish_list = publish_list.read_list(session, version)
        if wish.firewall:
            state.rules = firewall.read_kms_rules(session, state.windows)
            if not state.rules and not wish.absent:
                raise ActivationError(
                    f"this Windows has no firewall rule {' or '.join(firewall.KMS_RULES)}; open the KMS port by policy.",
                    subject=self.name,
                    source="windows",
                )
        return state

    def read_product(self) -> Product | None:
        """Windows itself as it is now."""
        return licensing.read_windows(self.session, licensing.version_of(self.state.service))

    def refuse_wrong(self, wrong: Sequence[str]) -> None:
        """What was changed has to read as it was wanted.

        Raises:
            ActivationError: Something does not.
        """
        if wrong:
            raise ActivationError(
                f"every call succeeded, yet these are not as wanted: {'; '.join(wrong)}. A policy may set them back.",
                subject=self.name,
                source="windows",
            )

    def restart(self, while_stopped: Callable[[], None] | None = None) -> None:
        """Restart sppsvc, which makes it read its settings and publish itself again; see C(services.restart)."""
        name = services.licensing_service(licensing.version_of(self.state.service))
        services.restart(self.session, name, while_stopped=while_stopped)
        self.restarted = True
