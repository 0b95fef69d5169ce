# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KMS host that is to be none any more: undone in an order that leaves its clients a host, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..._core.errors import ActivationError
from ..._core.plan import Step
from ..._licensing.channels import Channel
from ..._licensing.kms import DEFAULT_ACTIVATION_INTERVAL, DEFAULT_PORT, DEFAULT_RENEWAL_INTERVAL
from ..._licensing.product_keys import last_five
from ..._srv.value import SrvValue
from ..._wsman.session import Session
from ..platform import computer
from ..platform.returned import number
from ..spp import license_changes, licensing, version_values
from ..spp.licensing import Product
from ..spp.setup_key import setup_key_of
from . import firewall as kms_host_firewall
from . import listening
from . import settings as kms_host_settings
from .listening import Probe
from .state import SETTINGS, KmsHostWish
from .work import HostWork


@dataclass(frozen=True, slots=True)
class RecordSeen:
    """What clients of a domain find.

    Attributes:
        record: The record's name.
        own: The values that name the host which is to go.
        answering: The other KMS hosts that it names and that answer on their port, as C(host:port).
        silent: The other ones, as sentences.
    """

    record: str
    own: tuple[SrvValue, ...]
    answering: tuple[str, ...]
    silent: tuple[str, ...] = ()


Look = Callable[[str], Sequence[RecordSeen]]
"""Looks at the records, given the name of the host that is to go, and at the hosts that they name."""


@dataclass(frozen=True, slots=True)
class Removal:
    """How the host is to be undone.

    Attributes:
        look: Looks at the records.
        uninstall_key: Remove the CSVLK and leave Windows without a key, instead of giving it another one.
        last_host: No other host has to be left to the clients.
    """

    look: Look
    uninstall_key: bool = False
    last_host: bool = False


class KmsHostRemoval(HostWork):
    """One KMS host over its session, to be undone.

    Args:
        session: The host.
        wish: An absent host, with the key that it gets instead, and whether its firewall exception is to be closed.
        removal: How.
        check_mode: Read and plan only.
        probe: Looks from outside at a TCP port of the host.

    Attributes:
        other_hosts: The KMS hosts that are left to clients, by record, where anything was to be changed.
    """

    def __init__(self, session: Session, wish: KmsHostWish, removal: Removal, check_mode: bool, probe: Probe | None = None) -> None:
        super().__init__(session, wish, check_mode, probe=probe)
        self._removal = removal
        self.other_hosts: dict[str, list[str]] = {}

    def change(self) -> None:
        """Plan everything, refuse what would leave clients without a host, and outside check mode carry the plan out.

        Raises:
            StepFailed: A step failed; the plan was carried out up to it.
            ActivationError: Clients would be left without a host, or what should have been changed reads otherwise.
        """
        self._plan_settings()
        if not self.taken_as_made:
            kms_host_settings.plan_publish_list(self, restart=False)
        if self.state.has_csvlk and self.state.product is not None:
            self._plan_key(self.state.product)
        for registry_key, version in self.state.version_values.items():
            if version is not None:
                step = Step(self.name, version_values.attribute(registry_key), version, None, "StdRegProv.DeleteValue")
                self.plan.add(step, self._version_remover(registry_key))
        kms_host_firewall.plan_rules(self, on=False)
        if not self.plan:
            return
        self._leave_clients_a_host()
        if not self.check_mode:
            self.plan.run()
            with self.plan.reading_back(self.name):
                self.state = self.read()
                self._verify()

    def _leave_clients_a_host(self) -> None:
        """Refuse while clients are sent here, or would find nobody else."""
        seen = self._removal.look(self._published_name())
        self.other_hosts = {record.record: list(record.answering) for record in seen}
        if self.taken_as_made:
            return
        for record in seen:
            if record.own:
                raise ActivationError(
                    f"{record.record} still sends clients to {self.name} ({', '.join(map(str, record.own))}). First stop its publication"
                    " (kms_host with O(dns_publishing): false), then remove its values (dns_srv with state: absent).",
                    source="dns",
                )
            if not record.answering and not self._removal.last_host:
                others = f": {' '.join(record.silent)}" if record.silent else "."
                raise ActivationError(
                    f"Without {self.name} the clients that ask {record.record} would be left without a KMS host; set another one up first,"
                    f" or give O(last_host): true. No other host that it names answers{others}",
                    source="dns",
                )

    def _published_name(self) -> str:
        """The name under which records have the host. One outside of a domain was written by hand, under the name that people use."""
        try:
            return computer.read_fqdn(self.session)
        except ActivationError:
            return self.name.lower()

    def _plan_settings(self) -> None:
        """Bring the settings back to what Windows has by itself.

        Intervals can be set while there is a CSVLK only, and publishing concerns nobody without one; so they come before the key.
        """
        state = self.state
        defaults: dict[str, int | bool] = {"low_priority": False}
        if state.has_csvlk:
            # What check mode takes as made is that the host has left the records.
            publishing = {} if self.taken_as_made else {"dns_publishing": False}
            defaults |= publishing | {
                "activation_interval": DEFAULT_ACTIVATION_INTERVAL,
                "renewal_interval": DEFAULT_RENEWAL_INTERVAL,
            }
        for name, wanted in sorted(defaults.items(), key=lambda entry: entry[0] != "dns_publishing"):
            setting = SETTINGS[name]
            if state.setting(name) != wanted:
                step = Step(self.name, setting.attribute, state.setting(name), wanted, f"SoftwareLicensingService.{setting.method}")
                self.plan.add(step, kms_host_settings.setter(self.session, state.version, setting, wanted))
        if number(state.service["KeyManagementServiceListeningPort"]):
            method = "ClearKeyManagementServiceListeningPort"
            step = Step(self.name, SETTINGS["listening_port"].attribute, state.port, None, f"SoftwareLicensingService.{method}")
            self.plan.add(step, lambda: licensing.call_service(self.session, state.version, method, repeatable=True))

    def _plan_key(self, product: Product) -> None:
        self._refuse_other_csvlk(product)
        if self._removal.uninstall_key:
            step = Step(self.name, "product key", product.partial_key, None, "SoftwareLicensingProduct.UninstallProductKey")
            self.plan.add(step, lambda: self._uninstall(product))
            return
        key = self.wish.product_key or setup_key_of(self.session).key
        if last_five(key) == product.partial_key:
            raise ActivationError(
                f"O(product_key) ends in {product.partial_key}, as the KMS host key (CSVLK) that it is to replace. Give the client"
                " setup key (GVLK) or MAK of this Windows, or leave O(product_key) out.",
                subject=self.name,
                source="options",
            )
        step = Step(self.name, "product key", product.partial_key, last_five(key), "SoftwareLicensingService.InstallProductKey")
        self.plan.add(step, lambda: self._replace(key))

    def _refuse_other_csvlk(self, product: Product) -> None:
        """A computer that serves Office as well stays a KMS host, and its records stay in use."""
        for other in licensing.read_products(self.session, licensing.version_of(self.state.service)):
            if other.id != product.id and other.channel is Channel.CSVLK:
                raise ActivationError(
                    f"{self.name} is a KMS host for {other.name} too, by the key that ends in {other.partial_key}. Remove that key first"
                    f" (slmgr.vbs /upk {other.id}), or leave the host as it is.",
                    source="windows",
                )

    def _uninstall(self, product: Product) -> None:
        license_changes.uninstall_key(self.session, self.state.version, product.id)
        self._stop_listening()

    def _replace(self, key: str) -> None:
        license_changes.install_key(self.session, self.state.version, key)
        now = self.read_product()
        if now is not None and now.channel is Channel.CSVLK:
            raise ActivationError(
                f"the key that ends in {last_five(key)} was installed, but it is a KMS host key (CSVLK) itself; give the"
                " client setup key (GVLK) or MAK that the computer is to have from now on, or leave O(product_key) out.",
                subject=self.name,
                source="windows",
            )
        self._stop_listening()

    def _stop_listening(self) -> None:
        """Restart sppsvc where its KMS still answers without a key. No source says whether Windows closes the port by itself."""
        if self.probe is not None and self.probe(self.state.port) == listening.ANSWERING:
            self.restart()

    def _version_remover(self, registry_key: str) -> Callable[[], None]:
        return lambda: version_values.remove(self.session, registry_key)

    def _verify(self) -> None:
        state = self.state
        wrong = ["product key (still a KMS host key)"] if state.has_csvlk else []
        wrong += [version_values.attribute(key) for key, version in state.version_values.items() if version is not None]
        wrong += ["low priority"] if state.setting("low_priority") else []
        wrong += [f"listening port (is {state.port})"] if state.port != DEFAULT_PORT else []
        self.refuse_wrong(wrong + kms_host_settings.wrong_settings(self) + kms_host_firewall.wrong_rules(self, on=False))
