# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The licensing service of one machine: keys, activation at Microsoft or at a KMS host, and the KMS host that it may be."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from . import data, identifiers
from .events import EventLog
from .kms_client import ActivationFailed, KmsClient
from .kms_counter import KmsCounter
from .licences import KMS_VALIDITY, Licence
from .microsoft import ActivationRefused, Microsoft
from .ports import Clock
from .rearms import Rearms
from .settings import LicensingSettings
from .spec import HostSpec
from .token_licenses import token_license_in
from .volume_activation import VolumeActivation

KEY_INVALID = 0xC004F050
SKU_NOT_FOUND = 0xC004F069
NO_KEY = 0xC004F014
OFFLINE_DATA_INVALID = 0xC004F02C
KMS_NOT_ENABLED = 0xC004F039
DATA_INVALID = 0x8007000D
NO_INTERNET = 0x80072EE7
NO_ANSWER = 0x80072EE2
HARDWARE_CHANGED = 0xC004F00F

EVALUATION = timedelta(days=90)
"""How long an evaluation of Windows client lasts, as Microsoft's Evaluation Center says."""

_KEY_FORM = re.compile(r"[BCDFGHJKMNPQRTVWXY2346789]{5}(-[BCDFGHJKMNPQRTVWXY2346789]{5}){4}")


class Licensing:
    """State and rules. Everything that fails raises ActivationFailed with the HRESULT that WMI reports."""

    def __init__(
        self,
        spec: HostSpec,
        generator: random.Random,
        clock: Clock,
        settings: LicensingSettings,
        events: EventLog,
        client: KmsClient,
        microsoft: Microsoft,
        reaches_microsoft: Callable[[], bool] = lambda: True,
    ) -> None:
        self._spec = spec
        self._clock = clock
        self._random = generator
        self._microsoft = microsoft
        self._reaches_microsoft = reaches_microsoft
        self._events = events
        self.settings = settings
        self.client = client
        self.by_volume = VolumeActivation(spec, clock, settings, events, client)
        self.counter = KmsCounter()
        self.cmid = spec.cmid or identifiers.make_guid(generator)
        self.hardware_id = identifiers.make_guid(generator)
        self.rearms = Rearms(spec.rearms, settings)
        self.key_in_registry = True
        self.license_files: list[str] = []
        self.token_licenses: list[dict[str, Any]] = []
        self._surviving: set[str] = set()
        self.host_installed: Callable[[], None] = lambda: None
        self.host_activated: Callable[[], None] = lambda: None
        self.host_removed: Callable[[], None] = lambda: None
        own = data.products_of(spec.windows, spec.has_updates, spec.office)
        self.licences = {item.id: Licence(item) for item in own if spec.volume_licences or not item.channel.startswith("Volume:")}
        first_key = data.setup_key_of(spec.windows) if spec.initial_key is None else spec.initial_key
        if first_key:
            key = data.keys()[first_key]
            grace = spec.windows.initial_grace_minutes
            first = self.licences[key.product_id]
            first.install(key, clock.now() + timedelta(minutes=grace) if grace else None)
            if spec.activated == "for good":
                first.activate()
            elif spec.activated:
                by_kms = spec.activated == "by KMS"
                first.activate(clock.now() + (KMS_VALIDITY if by_kms else EVALUATION), activation_type=2 if by_kms else 0)

    def find(self, product_id: str) -> Licence:
        """The licence of a SKU. Raises KeyError."""
        return self.licences[product_id.lower()]

    def base(self) -> Licence | None:
        """The licence of Windows itself that has a key."""
        return next((item for item in self.licences.values() if item.key and not item.product.is_addon and not item.product.suite), None)

    def host_licence(self) -> Licence | None:
        """The licence of an installed KMS host key: with one, the machine is a KMS host."""
        return next((item for item in self.licences.values() if item.key and item.product.is_kms_host), None)

    def install_key(self, text: str | None) -> None:
        """InstallProductKey: the key decides the SKU; a base SKU's key replaces that of any other base SKU.

        KeyManagementServiceVersion is none of the service's business: slmgr writes it (docs/facts/slmgr.md#keys).
        """
        key = data.keys().get((text or "").upper()) if _KEY_FORM.fullmatch((text or "").upper()) else None
        if key is None or not self._knows(key):
            raise ActivationFailed(KEY_INVALID)
        licence = self.licences.get(key.product_id)
        if licence is None:
            raise ActivationFailed(SKU_NOT_FOUND)
        if licence.key == key:
            return
        # Office keeps every key that was ever installed, until ospp.vbs /unpkey removes it.
        if not licence.product.is_addon and not licence.product.suite:
            for other in self.licences.values():
                if other.key and not other.product.is_addon and not other.product.suite:
                    self._remove(other, stays_host=licence.product.is_kms_host)
        grace = self._spec.windows.initial_grace_minutes
        licence.install(key, self._clock.now() + timedelta(minutes=grace) if grace else None)
        if self._spec.licence_survives and key.key in self._surviving:
            licence.activate()
        self._events.write(1016, licence.product.id)
        if licence.product.is_kms_host:
            self.host_installed()

    def _knows(self, key: data.LabKey) -> bool:
        """Whether this generation of Windows knows the key at all; a key of its own generation but another edition is known."""
        product = next(item for item in data.products() if item.id == key.product_id)
        generation = self._spec.windows.generation
        if product.suite:
            return bool(self._spec.office)
        return generation in product.generations or (self._spec.has_updates and f"{generation}+kb" in product.generations)

    def uninstall_key(self, licence: Licence) -> None:
        """UninstallProductKey. A KMS host that is one no more forgets its clients and counters."""
        if licence.key is None:
            raise ActivationFailed(NO_KEY)
        self._remove(licence)

    def _remove(self, licence: Licence, stays_host: bool = False) -> None:
        was_host = licence.product.is_kms_host
        licence.remove()
        if was_host and not (stays_host and self._spec.count_survives_key):
            self.counter = KmsCounter()
        if was_host and not stays_host:
            self.host_removed()

    def activate(self, licence: Licence) -> None:
        """Activate: a KMS client asks a host, every other key is activated at Microsoft."""
        if licence.key is None:
            raise ActivationFailed(NO_KEY)
        try:
            if licence.product.is_kms_client:
                self.by_volume.activate(licence, self.cmid)
            else:
                self._activate_at_microsoft(licence)
        except ActivationFailed as failure:
            licence.reason = failure.code
            raise

    def _activate_at_microsoft(self, licence: Licence) -> None:
        key = licence.key
        if key is None or not (self._reaches_microsoft() and self._microsoft.reachable):
            self._clock.sleep(self._spec.internet_timeout)
            raise ActivationFailed(NO_ANSWER if self._spec.internet_times_out else NO_INTERNET)
        try:
            self._microsoft.activate(key.key, self.hardware_id)
        except ActivationRefused as refusal:
            raise ActivationFailed(refusal.code) from refusal
        self._licensed_for_good(licence)

    def _licensed_for_good(self, licence: Licence) -> None:
        licence.activate()
        if licence.key is not None:
            self._surviving.add(licence.key.key)
        if licence.product.is_kms_host:
            self.host_activated()

    def deposit(self, licence: Licence, installation: str | None, confirmation: str | None) -> None:
        """DepositOfflineConfirmationId. One code for all that does not fit, and no tolerance of other hardware: the lab's own choice."""
        if licence.key is None:
            raise ActivationFailed(NO_KEY)
        own = self.installation_id(licence)
        right = identifiers.confirmation_id(own or "", self.extended_pid(licence) or "")
        if licence.product.is_kms_client or installation != own or confirmation != right:
            raise ActivationFailed(OFFLINE_DATA_INVALID)
        self._licensed_for_good(licence)

    def remove_keys(self) -> None:
        """As installed without any key."""
        for licence in self.licences.values():
            licence.remove()

    def change_hardware(self, hardware_id: str) -> None:
        """Other hardware: what was activated for good does not count on it (0xC004F00F, event 1040)."""
        self.hardware_id = hardware_id
        self._surviving.clear()
        for licence in self.licences.values():
            if licence.activated and licence.until is None:
                licence.activated, licence.reason = False, HARDWARE_CHANGED
        self._events.write(1040)

    def installed(self) -> list[dict[str, Any]]:
        """Everything that has a key, ready for JSON; keys by their names."""
        now = self._clock.now()
        return [
            {
                "activation_id": licence.product.id,
                "key": licence.key.name,
                "partial_key": licence.key.partial,
                "channel": licence.product.channel,
                "add_on": licence.product.is_addon,
                "suite": licence.product.suite,
                "license_status": licence.status(now).state,
                "reason": f"0x{licence.status(now).reason:08X}",
                "extended_pid": self.extended_pid(licence),
                "installation_id": self.installation_id(licence),
            }
            for licence in self.licences.values()
            if licence.key is not None
        ]

    def become_copy(self, source: Licensing) -> None:
        """The store of another machine, on other hardware: keys and CMID are the same, licences are not valid here."""
        self.cmid, self.key_in_registry = source.cmid, source.key_in_registry
        self.rearms.become_copy(source.rearms)
        grace = timedelta(minutes=self._spec.windows.initial_grace_minutes)
        for product_id, licence in self.licences.items():
            key = source.licences[product_id].key if product_id in source.licences else None
            if key is None:
                licence.remove()
            else:
                licence.install(key, self._clock.now() + grace if grace else None)

    def clear_key_from_registry(self) -> None:
        """ClearProductKeyFromRegistry: WMI shows nothing of it (docs/facts/slmgr.md#keys)."""
        self.key_in_registry = False

    def install_license(self, text: str) -> None:
        """InstallLicense. The same file may come again, as /rilc does it."""
        if not text.lstrip("\ufeff \r\n").startswith("<"):
            raise ActivationFailed(DATA_INVALID)
        if text not in self.license_files:
            self.license_files.append(text)
        token = token_license_in(text)
        if token is not None and token not in self.token_licenses:
            self.token_licenses.append(token)

    def boot(self) -> None:
        """Windows starts: a rearm that was asked for gives a new CMID and grace."""
        if not self.rearms.take_effect():
            return
        self.cmid = identifiers.make_guid(self._random)
        grace = timedelta(minutes=self._spec.windows.initial_grace_minutes)
        for licence in self.licences.values():
            if licence.key is not None:
                licence.install(licence.key, self._clock.now() + grace if grace else None)

    def extended_pid(self, licence: Licence) -> str | None:
        """ProductKeyID."""
        if licence.key is None:
            return None
        return identifiers.extended_pid(licence.key.key, self._spec.windows.build, licence.key.is_volume)

    def installation_id(self, licence: Licence) -> str | None:
        """OfflineInstallationId: the same as long as key and hardware are."""
        if licence.key is None:
            return None
        return identifiers.installation_id(self.hardware_id, licence.key.key, self._spec.windows.schema >= 2018)
