# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KMS host: what it should be, what it is, and the steps in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .._errors import ActivationError
from .._licensing.channels import Channel
from .._licensing.kms import effective_port
from .._licensing.product_keys import last_five
from .._licensing.status import UNLICENSED, status_name
from .._plan import Plan, Step
from .._wsman.cim import Value
from .._wsman.session import Session, UnknownOutcome
from . import firewall, licensing, services
from .firewall import FirewallRule
from .licensing import Product


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of SoftwareLicensingService that its methods change.

    Attributes:
        attribute: Its name in a plan.
        column: The property that holds it.
        method: What sets it.
        parameter: The method's parameter.
        inverted: The method takes the opposite of the property.
        needs_restart: sppsvc takes it up only when it starts (slmgr.vbs says so after each host option; the service
            reads intervals with each request).
    """

    attribute: str
    column: str
    method: str
    parameter: str
    inverted: bool = False
    needs_restart: bool = True


SETTINGS: Mapping[str, Setting] = {
    "listening_port": Setting("listening port", "KeyManagementServiceListeningPort", "SetKeyManagementServiceListeningPort", "PortNumber"),
    "dns_publishing": Setting(
        "DNS publishing",
        "KeyManagementServiceDnsPublishing",
        "DisableKeyManagementServiceDnsPublishing",
        "DisablePublishing",
        inverted=True,
    ),
    "low_priority": Setting(
        "low priority", "KeyManagementServiceLowPriority", "EnableKeyManagementServiceLowPriority", "EnableLowPriority"
    ),
    "activation_interval": Setting(
        "activation interval", "VLActivationInterval", "SetVLActivationInterval", "ActivationInterval", needs_restart=False
    ),
    "renewal_interval": Setting("renewal interval", "VLRenewalInterval", "SetVLRenewalInterval", "RenewalInterval", needs_restart=False),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a KMS host should be. What is C(None) or C(False) is left as it is.

    Attributes:
        product_key: The CSVLK.
        settings: Values by their name in SETTINGS.
        activate: Activate with Microsoft where the host is not licensed.
        firewall: Open the KMS exception of the firewall.
        after_step: The earlier step that check mode takes as made, where the host does not hold a CSVLK yet.
    """

    product_key: str | None = None
    settings: Mapping[str, int | bool] = field(default_factory=dict)
    activate: bool = False
    firewall: bool = False
    after_step: str = ""


@dataclass(slots=True)
class HostState:
    """What was read from a KMS host, as far as the wish needs it."""

    product: Product | None = None
    service: dict[str, Value] = field(default_factory=dict)
    version_values: dict[str, str | None] = field(default_factory=dict)
    rules: dict[str, FirewallRule] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The service's version, which is its key."""
        return str(self.service["Version"])

    @property
    def has_csvlk(self) -> bool:
        """Whether the installed key makes this computer a KMS host."""
        return self.product is not None and self.product.channel is Channel.CSVLK

    @property
    def port(self) -> int:
        """The TCP port of the KMS that is set now."""
        return effective_port(licensing.number(self.service["KeyManagementServiceListeningPort"]))

    @property
    def licensed(self) -> bool:
        """Whether the host is activated as a KMS host."""
        return self.has_csvlk and self.product is not None and self.product.licensed


class KmsHost:
    """One KMS host over its session.

    Args:
        session: The host.
        wish: What it should be.
        check_mode: Read and plan only.
        always_read: The licensing state is wanted even where the wish does not need it.
    """

    def __init__(self, session: Session, wish: Wish, check_mode: bool, always_read: bool = False) -> None:
        self._session = session
        self._wish = wish
        self._check_mode = check_mode
        self._always_read = always_read
        self._host = session.host
        self.plan = Plan()
        self.restarted = False
        self.state = self._read()

    def change(self, plan_more: Callable[[KmsHost], None] | None = None) -> None:
        """Plan everything, and outside check mode carry it out and see that it holds.

        Args:
            plan_more: Adds what has to come last to the plan.

        Raises:
            StepFailed: A step failed; the plan was carried out up to it.
            ActivationError: What should have been changed reads otherwise.
        """
        self._plan_key()
        self._plan_settings()
        self._plan_firewall()
        self._plan_activation()
        if plan_more:
            plan_more(self)
        if self.plan and not self._check_mode:
            self.plan.run()
            self.state = self._read()
            self._verify()

    @property
    def port(self) -> int:
        """The TCP port that the KMS has once the plan is carried out."""
        return int(self._wish.settings.get("listening_port", self.state.port))

    @property
    def check_mode(self) -> bool:
        """Whether nothing is changed."""
        return self._check_mode

    @property
    def publishes(self) -> bool:
        """Whether the host publishes itself in DNS once the plan is carried out."""
        return bool(self._wish.settings.get("dns_publishing", self.state.service["KeyManagementServiceDnsPublishing"]))

    @property
    def activating(self) -> bool:
        """Whether the plan activates the host."""
        return any(step.attribute == "license status" for step in self.plan.steps)

    def _read(self) -> HostState:
        wish, session = self._wish, self._session
        state = HostState()
        if wish.product_key or wish.settings or wish.activate or self._always_read:
            state.product = licensing.windows_product(licensing.read_products(session))
            state.service = licensing.read_service(session)
        if wish.product_key:
            state.version_values = licensing.read_version_values(session)
        if wish.firewall:
            found = (firewall.read_rule(session, name) for name in firewall.KMS_RULES)
            state.rules = {rule.name: rule for rule in found if rule}
            if not state.rules:
                raise ActivationError(
                    f"{self._host}: this Windows has no firewall rule {' or '.join(firewall.KMS_RULES)}; open the KMS port by policy.",
                    source="windows",
                )
        return state

    def _plan_key(self) -> None:
        key, state = self._wish.product_key, self.state
        if not key or self._taken_as_made:
            return
        if self._key_is_due:
            held = state.product.partial_key if state.product else None
            step = Step(self._host, "product key", held, last_five(key), "SoftwareLicensingService.InstallProductKey")
            self.plan.add(step, lambda: self._install(key))
        for registry_key, version in state.version_values.items():
            if version != state.version:
                step = Step(
                    self._host, f"HKLM\\{registry_key}\\KeyManagementServiceVersion", version, state.version, "StdRegProv.SetStringValue"
                )
                self.plan.add(step, self._version_writer(registry_key))

    @property
    def _key_is_due(self) -> bool:
        """Whether the host holds another key than it should, or none that makes it a KMS host."""
        key, product = self._wish.product_key, self.state.product
        return key is not None and (not self.state.has_csvlk or product is None or product.partial_key != last_five(key))

    @property
    def _taken_as_made(self) -> bool:
        """Whether check mode takes the key of an earlier step as installed, so that it is not this task's step."""
        return self._check_mode and bool(self._wish.after_step)

    def _install(self, key: str) -> None:
        try:
            licensing.install_key(self._session, self.state.version, key)
        except UnknownOutcome:
            if self._read_product_key() != last_five(key):
                raise
        product = licensing.windows_product(licensing.read_products(self._session))
        if product is None or product.channel is not Channel.CSVLK:
            raise ActivationError(
                f"{self._host}: the key that ends in {last_five(key)} was installed, but it is no KMS host key (CSVLK);"
                f" the product is now {product.description if product else 'without a key'}. Give the CSVLK of this Windows.",
                source="windows",
            )

    def _read_product_key(self) -> str | None:
        product = licensing.windows_product(licensing.read_products(self._session))
        return product.partial_key if product else None

    def _version_writer(self, registry_key: str) -> Callable[[], None]:
        return lambda: licensing.write_version_value(self._session, registry_key, self.state.version)

    def _plan_settings(self) -> None:
        restart = False
        changes: list[tuple[Step, Callable[[], None]]] = []
        for name, wanted in self._wish.settings.items():
            setting = SETTINGS[name]
            now = self.state.port if name == "listening_port" else self.state.service[setting.column]
            if now == wanted:
                continue
            restart = restart or setting.needs_restart
            step = Step(self._host, setting.attribute, now, wanted, f"SoftwareLicensingService.{setting.method}")
            changes.append((step, self._setter(setting, wanted)))
        for number, (step, apply) in enumerate(changes):
            last = number == len(changes) - 1
            self.plan.add(step, self._then_restart(apply) if restart and last else apply)

    def _setter(self, setting: Setting, wanted: int | bool) -> Callable[[], None]:
        argument = not wanted if setting.inverted else wanted
        return lambda: licensing.call_service(
            self._session, self.state.version, setting.method, {setting.parameter: argument}, repeatable=True
        )

    def _then_restart(self, apply: Callable[[], None]) -> Callable[[], None]:
        def change() -> None:
            apply()
            self.restart()

        return change

    def restart(self) -> None:
        """Restart sppsvc, which makes it read its settings and publish itself again."""
        services.restart(self._session, services.SPPSVC)
        self.restarted = True

    def _plan_firewall(self) -> None:
        for rule in self.state.rules.values():
            if not rule.enabled:
                step = Step(self._host, f"firewall rule {rule.name}", "disabled", "enabled", "MSFT_NetFirewallRule.Enable")
                self.plan.add(step, self._enabler(rule.name))

    def _enabler(self, name: str) -> Callable[[], None]:
        return lambda: firewall.enable_rule(self._session, name)

    def _plan_activation(self) -> None:
        wish, state = self._wish, self.state
        if not wish.activate:
            return
        after = ""
        if self._key_is_due:
            after = wish.after_step if self._taken_as_made else "product key"
        elif not state.has_csvlk:
            held = state.product.description if state.product else "no product with a key"
            raise ActivationError(
                f"{self._host} holds no KMS host key (CSVLK) to be activated, but: {held}. Give product_key.", source="windows"
            )
        if state.product is not None and state.product.licensed and not after:
            return
        before = status_name(state.product.status if state.product else UNLICENSED)
        step = Step(
            self._host,
            "license status",
            before,
            "licensed",
            "SoftwareLicensingProduct.Activate",
            after_step=after,
            # With another key comes another product, whose status Windows decides.
            decided_by_target=("before",) if after else (),
        )
        self.plan.add(step, self._activate)

    def _activate(self) -> None:
        """Activate unless the product is licensed, and let the state that is read back decide."""
        product = licensing.windows_product(licensing.read_products(self._session))
        if product is None:
            raise ActivationError(f"{self._host}: no product key is installed any more.", source="windows")
        if product.licensed:
            return
        lost = ""
        try:
            licensing.activate(self._session, self.state.version, product.id)
        except UnknownOutcome as unknown:
            # Activating again could spend a second activation of the key, so it is only looked at.
            lost = f" {unknown.message}"
        self.state.product = licensing.windows_product(licensing.read_products(self._session))
        if not self.state.licensed:
            raise ActivationError(
                f"{self._host}: after the activation the product is {licensing.spoken_status(self.state.product)}.{lost}"
                " A second run reads its state before it tries again.",
                source="windows",
            )

    def _verify(self) -> None:
        """What was changed has to read as it was wanted."""
        wish, state = self._wish, self.state
        wrong: list[str] = []
        if wish.product_key and (state.product is None or state.product.partial_key != last_five(wish.product_key)):
            wrong.append("product key")
        for name, wanted in wish.settings.items():
            now = state.port if name == "listening_port" else state.service[SETTINGS[name].column]
            if now != wanted:
                wrong.append(f"{SETTINGS[name].attribute} (is {now}, wanted {wanted})")
        wrong += [f"firewall rule {rule.name}" for rule in state.rules.values() if not rule.enabled]
        if wish.activate and (state.product is None or not state.product.licensed):
            wrong.append(f"license status (is {licensing.spoken_status(state.product)})")
        if wrong:
            raise ActivationError(
                f"{self._host}: every call succeeded, yet these are not as wanted: {'; '.join(wrong)}. A policy may set them back.",
                source="windows",
            )
