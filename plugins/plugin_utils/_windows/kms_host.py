# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KMS host: the steps from what it is to what it should be."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from .._errors import ActivationError
from .._licensing.channels import Channel
from .._licensing.product_keys import last_five
from .._licensing.status import UNLICENSED, status_name
from .._plan import Plan, Step
from .._wsman.session import Session
from . import firewall, licensing, listening, services
from .firewall import FirewallRule
from .kms_host_state import SETTINGS, HostState, Setting, Wish
from .licensing import Product
from .listening import Probe


class KmsHost:
    """One KMS host over its session.

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

    def __init__(self, session: Session, wish: Wish, check_mode: bool, always_read: bool = False, probe: Probe | None = None) -> None:
        self._session = session
        self._probe = probe
        self._wish = wish
        self._check_mode = check_mode
        self._always_read = always_read
        self._host = session.host
        self.plan = Plan()
        self.restarted = False
        self.warnings: list[str] = []
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
        self._plan_restart()
        self._plan_firewall()
        self._plan_activation()
        if plan_more:
            plan_more(self)
        if self.plan and not self._check_mode:
            self.plan.run()
            self.state = self._read()
            self._verify()
            self._look_from_outside()

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
            state.service = licensing.read_service(session)
            version = licensing.version_of(state.service)
            state.product = licensing.read_windows(session, version)
            if wish.product_key:
                state.version_values = licensing.read_version_values(session, version)
        if wish.firewall:
            state.rules = firewall.read_kms_rules(session, state.windows)
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
        licensing.install_key(self._session, self.state.version, key)
        product = self.state.product = self._read_product()
        if product is None or product.channel is not Channel.CSVLK:
            raise ActivationError(
                f"{self._host}: the key that ends in {last_five(key)} was installed, but it is no KMS host key (CSVLK);"
                f" the product is now {product.description if product else 'without a key'}. Give the CSVLK of this Windows.",
                source="windows",
            )

    def _read_product(self) -> Product | None:
        return licensing.read_windows(self._session, licensing.version_of(self.state.service))

    def _version_writer(self, registry_key: str) -> Callable[[], None]:
        return lambda: licensing.write_version_value(self._session, registry_key, self.state.version)

    def _plan_settings(self) -> None:
        changes: list[tuple[Step, Setting]] = []
        for name, wanted in self._wish.settings.items():
            setting = SETTINGS[name]
            now = self.state.port if name == "listening_port" else self.state.service[setting.column]
            if now != wanted:
                changes.append((Step(self._host, setting.attribute, now, wanted, f"SoftwareLicensingService.{setting.method}"), setting))
        # Those that need a restart come last, and the very last one brings it.
        changes.sort(key=lambda change: change[1].needs_restart)
        for number, (step, setting) in enumerate(changes):
            apply = self._setter(setting, step.after)
            if number == len(changes) - 1 and setting.needs_restart:
                apply = self._then_restart(apply, self._setter(setting, step.before))
            self.plan.add(step, apply)

    def _setter(self, setting: Setting, wanted: int | bool) -> Callable[[], None]:
        argument = not wanted if setting.inverted else wanted
        return lambda: licensing.call_service(
            self._session, self.state.version, setting.method, {setting.parameter: argument}, repeatable=True
        )

    def _then_restart(self, apply: Callable[[], None], undo: Callable[[], None]) -> Callable[[], None]:
        def change() -> None:
            apply()
            try:
                self.restart()
            except ActivationError:
                # Windows tells what is set, not what its running service has taken up. Set back, the step is due again
                # in the next run, and the restart with it.
                with contextlib.suppress(ActivationError):
                    undo()
                raise

        return change

    def restart(self) -> None:
        """Restart sppsvc, which makes it read its settings and publish itself again."""
        services.restart(self._session, services.licensing_service(licensing.version_of(self.state.service)))
        self.restarted = True

    def _plan_restart(self) -> None:
        """Restart sppsvc where it does not listen on the port that is set.

        A run that ends between setting the port and restarting the service leaves the old port in use, and so does everybody
        else who forgets the restart: the setting reads as wanted, and only a look at the port itself tells.
        """
        wanted = self._wish.settings.get("listening_port")
        if wanted is None or self._probe is None or not self.state.licensed or self.state.port != wanted:
            return
        if any(step.attribute in {setting.attribute for setting in SETTINGS.values() if setting.needs_restart} for step in self.plan.steps):
            return
        seen = self._probe(self.state.port)
        if seen == listening.ANSWERING or not listening.nobody_listens(
            self._session, licensing.version_of(self.state.service), seen, wanted
        ):
            return
        step = Step(
            self._host,
            "sppsvc",
            f"does not listen on TCP port {wanted}",
            f"listens on TCP port {wanted}",
            "Win32_Service.StopService, Win32_Service.StartService",
        )
        self.plan.add(step, self.restart)

    def _plan_firewall(self) -> None:
        off = [rule for rule in self.state.rules.values() if not rule.enabled]
        for rule in off:
            if rule.by_netsh and not self._wish.netsh:
                raise ActivationError(
                    f"{self._host}: the firewall rule {rule.name} is off, and before Windows 8 and Server 2012 no WMI class switches"
                    " it. Give firewall_method: netsh, which starts netsh.exe through Win32_Process.Create, switch the rule on by"
                    f" policy, or run this on the host: {firewall.netsh_command(rule)}.",
                    source="options",
                )
            how = "netsh.exe through Win32_Process.Create" if rule.by_netsh else "MSFT_NetFirewallRule.Enable"
            self.plan.add(Step(self._host, f"firewall rule {rule.name}", "disabled", "enabled", how), self._enabler(rule))

    def _enabler(self, rule: FirewallRule) -> Callable[[], None]:
        return lambda: firewall.enable_rule(self._session, rule)

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
        product = self.state.product
        if product is None:
            raise ActivationError(f"{self._host}: no product key is installed any more.", source="windows")
        if product.licensed:
            return
        lost = licensing.activate(self._session, self.state.version, product.id)
        self.state.product = self._read_product()
        if not self.state.licensed:
            raise ActivationError(
                f"{self._host}: after the activation the product is {licensing.spoken_status(self.state.product)}."
                f" {lost or 'A second run reads the state before it does anything.'}",
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

    def _look_from_outside(self) -> None:
        """Connect to the port where the plan should have opened it: a rule that is on opens nothing where a policy forbids it."""
        opened = any(step.attribute == "sppsvc" or step.how.startswith("netsh") for step in self.plan.steps)
        if not opened or self._probe is None:
            return
        if not self.state.service:
            self.state.service = licensing.read_service(self._session)
            self.state.product = self._read_product()
        if self.state.licensed and not listening.comes_up(self._probe, self.state.port):
            self.warnings.append(
                f"{self._host}: TCP port {self.state.port} does not answer the control node, although every step succeeded. A policy may"
                " keep it closed (AllowLocalFirewallRules), or a firewall on the way does."
            )
