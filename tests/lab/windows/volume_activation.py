# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the licensing service of a machine activates a product of a volume licence: by an activation object or at a KMS host."""

from __future__ import annotations

from . import data
from .events import EventLog
from .kms_client import COUNT_TOO_LOW, ActivationFailed, KmsClient
from .kms_line import CountRequest
from .licences import KMS_VALIDITY, Licence
from .ports import ActivationObject, Clock, Forest
from .settings import LicensingSettings
from .spec import HostSpec

NO_AD_OBJECT = 0x80072030
NO_TOKEN = 0xC004F30F

_SINCE_WINDOWS_8 = 2012  # of the generations of classes, see os_profiles


class VolumeActivation:
    """Raises ActivationFailed with the HRESULT that WMI reports; ``forest`` is empty until the machine is a member of one."""

    def __init__(self, spec: HostSpec, clock: Clock, settings: LicensingSettings, events: EventLog, client: KmsClient) -> None:
        self._spec = spec
        self._clock = clock
        self._settings = settings
        self._events = events
        self._client = client
        self.forest: Forest = list

    def activate(self, licence: Licence, cmid: str) -> None:
        """A member asks Active Directory first, then a KMS host, unless one way is prescribed (docs/facts/kms.md#ways-to-activate).

        For how long, which of several objects, and the codes where there is none are the lab's own choice.
        """
        wanted = self._settings.activation_type(licence.product.id)
        found = self._activation_object(licence) if wanted in (0, 1) else None
        if found is not None:
            licence.activate(self._clock.now() + KMS_VALIDITY, activation_type=1)
            licence.activation_object = {
                "ADActivationObjectName": found.name,
                "ADActivationObjectDN": found.dn,
                "ADActivationCsvlkPid": found.csvlk_pid,
                "ADActivationCsvlkSkuId": found.csvlk_product_id,
            }
        elif wanted in (1, 3):
            raise ActivationFailed(NO_AD_OBJECT if wanted == 1 else NO_TOKEN)
        else:
            self._ask_kms_host(licence, cmid)

    def _activation_object(self, licence: Licence) -> ActivationObject | None:
        """The first activation object whose key serves the product. Windows knows them since 8 and Server 2012."""
        if self._spec.windows.schema < _SINCE_WINDOWS_8:
            return None
        serves = {group.product_id: group.serves for group in data.key_groups().values()}
        return next((item for item in self.forest() if licence.product.kms_group in serves.get(item.csvlk_product_id, ())), None)

    def _ask_kms_host(self, licence: Licence, cmid: str) -> None:
        now = self._clock.now()
        status = licence.status(now)
        product = licence.product
        name = self._spec.dns_name
        times = (status.state, status.minutes, now.isoformat())
        answer = self._client.ask(CountRequest(product.id, product.kms_group, product.threshold, cmid, name, *times))
        enough = answer.count >= product.threshold
        fields = ("0x00000000" if enough else f"0x{COUNT_TOO_LOW:08X}", "0x00000000" if enough else "0x04000000", int(enough), 0)
        intervals = (answer.activation_interval, answer.renewal_interval)
        self._events.write(12289, *fields, answer.count, *intervals, now.isoformat(), failed=not enough)
        if not enough:
            raise ActivationFailed(COUNT_TOO_LOW)
        licence.activate(now + KMS_VALIDITY, activation_type=2)
        licence.activation_object = {}
