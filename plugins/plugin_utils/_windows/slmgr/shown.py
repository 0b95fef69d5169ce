# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs that only read, as data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..._licensing.status import expiry, status_name
from ..platform.classes import SOFTWARE_LICENSING_SERVICE
from ..spp import licensing
from ..spp.license_info import SHOWN_COLUMNS, shown_product, shown_service
from ..spp.licensing import Product
from .activation import installation_id
from .state import SlmgrHost
from .work import VerbRequest, Work

ALL = "all"
"""What dli and dlv take instead of an activation ID."""

_DETAILS = {
    "installation_id": "OfflineInstallationId",
    "extended_pid": "ProductKeyID",
    "kms_machine": "KeyManagementServiceMachine",
    "kms_machine_port": "KeyManagementServicePort",
    "lookup_domain": "KeyManagementServiceLookupDomain",
    "application_rearms": "RemainingAppReArmCount",
    "rearms": "RemainingSkuReArmCount",
}
"""What dlv shows of a product beyond dli."""


def dti(machine: SlmgrHost, request: VerbRequest) -> Work:
    """The installation ID that is read to Microsoft on the telephone."""
    _demand_key(machine, request)
    return Work(show=lambda: {"installation_id": installation_id(machine, machine.keyed(request.product_id, request.verb.name))})


def xpr(machine: SlmgrHost, request: VerbRequest) -> Work:
    """When the license ends."""

    def show() -> dict[str, Any]:
        product = machine.keyed(request.product_id, request.verb.name).product
        ends = expiry(product.status, product.grace_minutes, datetime.now(UTC))
        return {
            "status": status_name(product.status),
            "permanent": ends.permanent,
            "expires_in_days": ends.days,
            "expires": ends.at.isoformat(timespec="minutes") if ends.at else None,
        }

    _demand_key(machine, request)
    return Work(show=show)


def dli(machine: SlmgrHost, request: VerbRequest) -> Work:
    """Products: Windows, another one, or all."""
    return Work(
        show=lambda: {"products": [shown_product(product, datetime.now(UTC)) for product in _products(machine, request, SHOWN_COLUMNS)]}
    )


def dlv(machine: SlmgrHost, request: VerbRequest) -> Work:
    """The same with all identifiers and counts, and the service."""

    def show() -> dict[str, Any]:
        now = datetime.now(UTC)
        found = _products(machine, request, (*SHOWN_COLUMNS, *_DETAILS.values()))
        service = licensing.read_service(machine.session, list(SOFTWARE_LICENSING_SERVICE.properties), machine.windows)
        products = [
            shown_product(product, now) | {name: product.row[column] or None for name, column in _DETAILS.items()} for product in found
        ]
        return {"products": products, "service": shown_service(service)}

    return Work(show=show)


def _demand_key(machine: SlmgrHost, request: VerbRequest) -> None:
    """Say before anything changes that there will be nothing to show."""
    if not machine.key_planned:
        machine.keyed(request.product_id, request.verb.name)


def _products(machine: SlmgrHost, request: VerbRequest, columns: tuple[str, ...]) -> list[Product]:
    """The products that are meant. Of a named one there may be no key; without a name it is Windows itself."""
    wanted = request.product_id
    if wanted == ALL:
        return machine.products("", columns)
    if wanted:
        return machine.products(f"ID='{machine.named(wanted).id}'", columns)
    return [product for product in machine.products(licensing.HOLDS_KEY, columns) if product.is_windows]
