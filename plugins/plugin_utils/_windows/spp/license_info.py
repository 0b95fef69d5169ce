# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that slmgr.vbs /dlv shows, as data that task results can hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..._core.codes.meaning import sentence
from ..._licensing.kms import OFFICE, OFFICE_2010, WINDOWS, current_count, effective_port
from ..._licensing.status import expiry, status_name
from ..._wsman.cim import Value
from ..._wsman.session import Session
from ..platform.classes import SOFTWARE_LICENSING_SERVICE
from ..platform.computer import OperatingSystem, read_operating_system
from ..platform.returned import number
from . import licensing
from .client_settings import ACTIVATION_TYPES
from .licensing import Product

_AD_COLUMNS = ("ADActivationObjectName", "ADActivationObjectDN", "ADActivationCsvlkPid", "ADActivationCsvlkSkuId")
SHOWN_COLUMNS = (*licensing.PRODUCT_COLUMNS, "VLActivationType", "VLActivationTypeEnabled", *_AD_COLUMNS)
"""What is shown of a product."""

_SUMMARY_SERVICE = (
    "Version",
    "ClientMachineID",
    "IsKeyManagementServiceMachine",
    "KeyManagementServiceCurrentCount",
    "KeyManagementServiceMachine",
    "KeyManagementServiceLookupDomain",
)
_SUMMARY_PRODUCT = (
    "activation_id",
    "name",
    "description",
    "channel",
    "partial_key",
    "status",
    "status_reason",
    "permanent",
    "expires_in_days",
    "required_count",
)

_APPLICATIONS = {WINDOWS: "windows", OFFICE: "office", OFFICE_2010: "office"}
_COUNTERS = {
    "total": "KeyManagementServiceTotalRequests",
    "failed": "KeyManagementServiceFailedRequests",
    "unlicensed": "KeyManagementServiceUnlicensedRequests",
    "licensed": "KeyManagementServiceLicensedRequests",
    "oob_grace": "KeyManagementServiceOOBGraceRequests",
    "oot_grace": "KeyManagementServiceOOTGraceRequests",
    "non_genuine_grace": "KeyManagementServiceNonGenuineGraceRequests",
    "notification": "KeyManagementServiceNotificationRequests",
}


def read_license(session: Session) -> dict[str, Any]:
    """The state of one host: three queries, and one more page where several products hold keys."""
    system = read_operating_system(session)
    now = datetime.now(UTC)
    products = licensing.read_products(session, system.windows, SHOWN_COLUMNS)
    service = licensing.read_service(session, list(SOFTWARE_LICENSING_SERVICE.properties), system.windows)
    windows = licensing.windows_product(products)
    return {
        "windows": shown_product(windows, now) if windows else None,
        "products": [shown_product(product, now) for product in products if not product.is_addon],
        "addons": [shown_product(product, now) for product in products if product.is_addon],
        "service": shown_service(service),
        "operating_system": shown_system(system, now),
    }


def read_summary(session: Session) -> dict[str, Any]:
    """As much of it as a play over many hosts needs: Windows itself, the service and the system, by as many requests."""
    system = read_operating_system(session)
    now = datetime.now(UTC)
    windows = licensing.read_windows(session, system.windows)
    row = licensing.read_service(session, _SUMMARY_SERVICE, system.windows)
    shown = shown_product(windows, now) if windows else None
    return {
        "windows": {name: shown[name] for name in _SUMMARY_PRODUCT} if shown else None,
        "service": {
            "client_machine_id": row["ClientMachineID"],
            "kms_host": row["IsKeyManagementServiceMachine"] == 1,
            "current_count": current_count(number(row["KeyManagementServiceCurrentCount"])),
            "kms_machine": row["KeyManagementServiceMachine"] or "",
            "lookup_domain": row["KeyManagementServiceLookupDomain"] or "",
        },
        "operating_system": shown_system(system, now),
    }


def read_brief(session: Session) -> dict[str, Any]:
    """What tells one key from another: Windows itself alone, by two requests."""
    version = licensing.version_of(licensing.read_service(session, ("Version",)))
    return {"windows": short_product(licensing.read_windows(session, version))}


def short_product(product: Product | None) -> dict[str, Any] | None:
    """As much of a product as the result of a change needs."""
    if product is None:
        return None
    return {
        "activation_id": product.id,
        "channel": product.channel.value,
        "partial_key": product.partial_key,
        "status": status_name(product.status),
    }


def shown_product(product: Product, now: datetime) -> dict[str, Any]:
    """A product that was read at that time with SHOWN_COLUMNS; with fewer, its activation type is not told."""
    ends = expiry(product.status, product.grace_minutes, now)
    return {
        "activation_id": product.id,
        "name": product.name,
        "description": product.description,
        "family": product.family,
        "application": _APPLICATIONS.get(product.application_id.lower(), product.application_id),
        "channel": product.channel.value,
        "partial_key": product.partial_key,
        "status": status_name(product.status),
        "status_reason": sentence(product.status_reason) if product.status_reason else None,
        "permanent": ends.permanent,
        "expires_in_days": ends.days,
        "required_count": product.required_count,
        "activation_type": ACTIVATION_TYPES.get(used) if (used := number(product.row.get("VLActivationType"))) else None,
        "activation_type_allowed": ACTIVATION_TYPES.get(number(product.row.get("VLActivationTypeEnabled")), "all"),
        "ad_activation": _ad_activation(product.row),
    }


def _ad_activation(row: Mapping[str, Value]) -> dict[str, Any] | None:
    """The activation object by which a product was activated with Active Directory."""
    if not any(row.get(column) for column in _AD_COLUMNS):
        return None
    return dict(zip(("object_name", "object_dn", "csvlk_pid", "csvlk_activation_id"), (row[column] for column in _AD_COLUMNS), strict=True))


def shown_service(row: Mapping[str, Value]) -> dict[str, Any]:
    """The licensing service, from a row with all columns."""
    return {
        "version": row["Version"],
        "client_machine_id": row["ClientMachineID"],
        "kms_host": row["IsKeyManagementServiceMachine"] == 1,
        "current_count": current_count(number(row["KeyManagementServiceCurrentCount"])),
        "listening_port": effective_port(number(row["KeyManagementServiceListeningPort"])),
        "dns_publishing": row["KeyManagementServiceDnsPublishing"],
        "low_priority": row["KeyManagementServiceLowPriority"],
        "host_caching": row["KeyManagementServiceHostCaching"],
        "kms_machine": row["KeyManagementServiceMachine"] or "",
        "kms_machine_port": number(row["KeyManagementServicePort"]) or None,
        "lookup_domain": row["KeyManagementServiceLookupDomain"] or "",
        "discovered_machine": row["DiscoveredKeyManagementServiceMachineName"] or "",
        "discovered_machine_port": number(row["DiscoveredKeyManagementServiceMachinePort"]) or None,
        "discovered_machine_address": row["DiscoveredKeyManagementServiceMachineIpAddress"] or "",
        "rearms": row["RemainingWindowsReArmCount"],
        "activation_interval": row["VLActivationInterval"],
        "renewal_interval": row["VLRenewalInterval"],
        "requests": {name: row[column] for name, column in _COUNTERS.items()},
    }


def shown_system(system: OperatingSystem, now: datetime) -> dict[str, Any]:
    """The operating system, which was read at that time."""
    offset = (system.local_time - now).total_seconds() if system.local_time else None
    return {
        "caption": system.caption,
        "version": system.version,
        "build": system.build,
        "server": system.is_server,
        "computer_name": system.computer_name,
        "clock_offset": round(offset, 1) + 0.0 if offset is not None else None,
    }
