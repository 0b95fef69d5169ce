# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SoftwareLicensingService and SoftwareLicensingProduct of one machine (docs/facts/licensing.md#classes)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from ..wsman.backend import WBEM_E_NOT_SUPPORTED, CimClass
from .kms_client import ActivationFailed, FoundHost
from .kms_counter import NO_COUNT
from .licences import Licence
from .licensing import KMS_NOT_ENABLED, Licensing
from .ports import Clock
from .provider import Instance, Provider
from .settings import INTERVALS
from .spec import HostSpec

_NEVER = datetime(1601, 1, 1, tzinfo=UTC)
_INVALID_PARAMETER = 0x80070057
_NOT_FOUND = 0x80041002

EVALUATION_CHANNEL = "Retail:TB:Eval"

Arguments = Mapping[str, Any]
Handler = Callable[[Arguments, str | None], None]


class _Machine(Protocol):
    """What these classes need of their host."""

    spec: HostSpec
    clock: Clock
    licensing: Licensing

    def demand_licensing(self) -> None:
        """Have sppsvc running; raises WmiError if it cannot be."""


def _discovered(host: FoundHost | None) -> dict[str, Any]:
    if host is None:
        return {"DiscoveredKeyManagementServiceMachineName": "", "DiscoveredKeyManagementServiceMachinePort": 0}
    return {
        "DiscoveredKeyManagementServiceMachineName": host.name,
        "DiscoveredKeyManagementServiceMachineIpAddress": host.address,
        "DiscoveredKeyManagementServiceMachinePort": host.port,
    }


class _LicensingProvider(Provider):
    """What both classes share: sppsvc on demand, methods that fail with an HRESULT."""

    kind = "provider"

    def __init__(self, cim_class: CimClass, machine: _Machine) -> None:
        super().__init__(cim_class, machine.spec.language)
        self._machine = machine

    @property
    def _licensing(self) -> Licensing:
        return self._machine.licensing

    def _handlers(self) -> dict[str, Handler]:
        """Methods by name; what the class declares and this lacks is answered as not supported."""
        return {
            "SetKeyManagementServiceMachine": self._set_kms_machine,
            "ClearKeyManagementServiceMachine": self._clear_value("KeyManagementServiceName"),
            "SetKeyManagementServicePort": self._set_kms_port,
            "ClearKeyManagementServicePort": self._clear_value("KeyManagementServicePort"),
            "SetKeyManagementServiceLookupDomain": self._set_lookup_domain,
            "ClearKeyManagementServiceLookupDomain": self._clear_value("KeyManagementServiceLookupDomain"),
            "SetVLActivationTypeEnabled": self._set_activation_type,
            "ClearVLActivationTypeEnabled": self._clear_value("VLActivationType"),
        }

    def call(self, instance: Instance | None, method: str, arguments: Arguments) -> Arguments:
        """Run a method; what fails is an HRESULT, never a ReturnValue (docs/facts/licensing.md#classes)."""
        handler = self._handlers().get(method)
        if instance is None or handler is None:
            raise self.error(WBEM_E_NOT_SUPPORTED, "wbem")
        try:
            handler(arguments, instance.get("ID"))
        except ActivationFailed as failure:
            raise self.error(failure.code) from failure
        return {"ReturnValue": 0}

    def _host_counters(self, is_host: bool) -> dict[str, int]:
        if not is_host:
            return {"KeyManagementServiceCurrentCount": NO_COUNT}
        return self._licensing.counter.properties(self._machine.clock.now())

    def _clear_value(self, name: str) -> Handler:
        return lambda _arguments, product_id: self._licensing.settings.delete(name, product_id)

    def _set_kms_machine(self, arguments: Arguments, product_id: str | None) -> None:
        self._set_text("KeyManagementServiceName", arguments.get("MachineName"), product_id)

    def _set_kms_port(self, arguments: Arguments, product_id: str | None) -> None:
        self._set_port("KeyManagementServicePort", arguments.get("PortNumber"), product_id)

    def _set_lookup_domain(self, arguments: Arguments, product_id: str | None) -> None:
        self._set_text("KeyManagementServiceLookupDomain", arguments.get("LookupDomain"), product_id)

    def _set_activation_type(self, arguments: Arguments, product_id: str | None) -> None:
        chosen = arguments.get("ActivationType")
        if chosen not in (1, 2, 3):
            raise ActivationFailed(_INVALID_PARAMETER)
        self._licensing.settings.set_number("VLActivationType", chosen, product_id)

    def _set_text(self, name: str, text: str | None, product_id: str | None) -> None:
        if not text:
            raise ActivationFailed(_INVALID_PARAMETER)
        self._licensing.settings.set_text(name, text, product_id)

    def _set_port(self, name: str, port: int | None, product_id: str | None = None) -> None:
        if port is None or not 0 < port <= 0xFFFF:
            raise ActivationFailed(_INVALID_PARAMETER)
        # Text, not a number (docs/facts/slmgr.md#registry-values).
        self._licensing.settings.set_text(name, str(port), product_id)


class LicensingService(_LicensingProvider):
    """The one instance of SoftwareLicensingService."""

    def instances(self, equal: Mapping[str, object] | None = None) -> Sequence[Instance]:
        """The service as it is now."""
        self._machine.demand_licensing()
        licensing, settings = self._licensing, self._licensing.settings
        host, base = licensing.host_licence(), licensing.base()
        return [
            self.complete(
                {
                    "Version": self._machine.spec.windows.spp_version,
                    "ClientMachineID": licensing.cmid,
                    "IsKeyManagementServiceMachine": int(host is not None),
                    "KeyManagementServiceProductKeyID": licensing.extended_pid(host) if host else None,
                    **self._host_counters(host is not None),
                    "KeyManagementServiceDnsPublishing": settings.dns_publishing,
                    "KeyManagementServiceHostCaching": licensing.client.caching,
                    "KeyManagementServiceLowPriority": settings.low_priority,
                    "KeyManagementServiceListeningPort": settings.port("KeyManagementServiceListeningPort"),
                    "KeyManagementServiceMachine": settings.text("KeyManagementServiceName"),
                    "KeyManagementServicePort": settings.port("KeyManagementServicePort"),
                    "KeyManagementServiceLookupDomain": settings.text("KeyManagementServiceLookupDomain"),
                    "KeyManagementServiceActivationDisabled": False,
                    **_discovered(licensing.client.discovered),
                    "RequiredClientCount": base.product.threshold if base else 0,
                    "VLActivationInterval": settings.activation_interval,
                    "VLRenewalInterval": settings.renewal_interval,
                    "OA2xBiosMarkerStatus": 0,
                    "OA2xBiosMarkerMinorVersion": 0,
                    "OA3xOriginalProductKey": "",
                    "OA3xOriginalProductKeyDescription": "",
                    "OA3xOriginalProductKeyPkPn": "",
                    "PolicyCacheRefreshRequired": 0,
                    "RemainingWindowsReArmCount": licensing.rearms.left,
                    "SubscriptionType": 0,
                    "SubscriptionStatus": 0,
                    "SubscriptionExpiry": _NEVER,
                    "TokenActivationGrantNumber": 0,
                    "TokenActivationILVID": 0,
                }
            )
        ]

    def _handlers(self) -> dict[str, Handler]:
        settings = self._licensing.settings
        return {
            **super()._handlers(),
            "InstallProductKey": lambda arguments, _id: self._licensing.install_key(arguments.get("ProductKey")),
            "ClearProductKeyFromRegistry": lambda _arguments, _id: self._licensing.clear_key_from_registry(),
            # States are computed whenever they are read.
            "RefreshLicenseStatus": lambda _arguments, _id: None,
            "InstallLicense": lambda arguments, _id: self._licensing.install_license(arguments.get("License") or ""),
            "ReArmWindows": lambda _arguments, _id: self._licensing.rearms.windows(),
            "ReArmApp": lambda arguments, _id: self._licensing.rearms.only(arguments.get("ApplicationId") or ""),
            "SetKeyManagementServiceListeningPort": self._set_listening_port,
            "ClearKeyManagementServiceListeningPort": self._clear_value("KeyManagementServiceListeningPort"),
            "SetVLActivationInterval": self._set_activation_interval,
            "SetVLRenewalInterval": self._set_renewal_interval,
            "DisableKeyManagementServiceDnsPublishing": lambda arguments, _id: settings.set_number(
                "DisableDnsPublishing", int(bool(arguments.get("DisablePublishing")))
            ),
            "EnableKeyManagementServiceLowPriority": lambda arguments, _id: settings.set_number(
                "EnableKmsLowPriority", int(bool(arguments.get("EnableLowPriority")))
            ),
            "DisableKeyManagementServiceHostCaching": lambda arguments, _id: self._licensing.client.set_caching(
                not arguments.get("DisableCaching")
            ),
        }

    def _set_listening_port(self, arguments: Arguments, product_id: str | None) -> None:
        self._set_port("KeyManagementServiceListeningPort", arguments.get("PortNumber"))

    def _set_activation_interval(self, arguments: Arguments, product_id: str | None) -> None:
        self._set_interval("VLActivationInterval", arguments.get("ActivationInterval"))

    def _set_renewal_interval(self, arguments: Arguments, product_id: str | None) -> None:
        self._set_interval("VLRenewalInterval", arguments.get("RenewalInterval"))

    def _set_interval(self, name: str, minutes: int | None) -> None:
        if self._licensing.host_licence() is None:
            raise ActivationFailed(KMS_NOT_ENABLED)
        if minutes is None or minutes not in INTERVALS:
            raise ActivationFailed(_INVALID_PARAMETER)
        self._licensing.settings.set_number(name, minutes)


class LicensingProducts(_LicensingProvider):
    """SoftwareLicensingProduct: a row for every SKU that the machine has a licence of."""

    def instances(self, equal: Mapping[str, object] | None = None) -> Sequence[Instance]:
        """All rows, computed now."""
        self._machine.demand_licensing()
        return [self._instance(licence) for licence in self._licensing.licences.values()]

    def get(self, selectors: Mapping[str, str]) -> Instance:
        """One row, without computing the others."""
        wanted = next((value for name, value in selectors.items() if name.lower() == "id"), "")
        self._machine.demand_licensing()
        if wanted.lower() not in self._licensing.licences:
            raise self.error(_NOT_FOUND)
        return self._instance(self._licensing.find(wanted))

    def _instance(self, licence: Licence) -> Instance:
        licensing, settings, product = self._licensing, self._licensing.settings, licence.product
        now = self._machine.clock.now()
        status = licence.status(now)
        is_host = licence.key is not None and product.is_kms_host
        edition = product.edition or self._machine.spec.windows.edition
        volume = product.is_kms_client or product.is_kms_host
        return self.complete(
            {
                "ID": product.id,
                "ApplicationID": product.application,
                "Name": product.name or f"Windows(R), {edition} edition",
                "Description": product.description,
                "LicenseFamily": edition,
                "LicenseIsAddon": product.is_addon,
                "LicenseStatus": status.state,
                "LicenseStatusReason": status.reason,
                "GracePeriodRemaining": status.minutes,
                "ExtendedGrace": 0xFFFFFFFF,
                "EvaluationEndDate": licence.until if licence.until and product.channel == EVALUATION_CHANNEL else _NEVER,
                "TrustedTime": now,
                "GenuineStatus": 0,
                "PartialProductKey": licence.key.partial if licence.key else None,
                "ProductKeyID": licensing.extended_pid(licence),
                "ProductKeyID2": licensing.extended_pid(licence),
                "ProductKeyChannel": product.channel if licence.key else None,
                "OfflineInstallationId": licensing.installation_id(licence),
                "RemainingAppReArmCount": licensing.rearms.left_of(product.application),
                "RemainingSkuReArmCount": licensing.rearms.left_of(product.id),
                "RequiredClientCount": product.threshold if volume else 0,
                "IsKeyManagementServiceMachine": int(is_host),
                "KeyManagementServiceProductKeyID": licensing.extended_pid(licence) if is_host else None,
                **self._host_counters(is_host),
                "KeyManagementServiceMachine": settings.text("KeyManagementServiceName", product.id),
                "KeyManagementServicePort": settings.port("KeyManagementServicePort", product.id),
                "KeyManagementServiceLookupDomain": settings.text("KeyManagementServiceLookupDomain", product.id),
                **_discovered(licensing.client.discovered if product.is_kms_client and licence.key else None),
                "VLActivationInterval": settings.activation_interval,
                "VLRenewalInterval": settings.renewal_interval,
                "VLActivationType": licence.activation_type,
                **licence.activation_object,
                "VLActivationTypeEnabled": settings.activation_type(product.id),
                "AutomaticVMActivationLastActivationTime": _NEVER,
                "TokenActivationGrantNumber": 0,
                "TokenActivationILVID": 0,
            }
        )

    def _handlers(self) -> dict[str, Handler]:
        licensing = self._licensing
        return {
            **super()._handlers(),
            "Activate": lambda _arguments, product_id: licensing.activate(licensing.find(product_id or "")),
            "UninstallProductKey": lambda _arguments, product_id: licensing.uninstall_key(licensing.find(product_id or "")),
            "DepositOfflineConfirmationId": lambda arguments, product_id: licensing.deposit(
                licensing.find(product_id or ""), arguments.get("InstallationId"), arguments.get("ConfirmationId")
            ),
            "ReArmSku": lambda _arguments, product_id: licensing.rearms.only(product_id or ""),
        }
