# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a survey reads of one host. The columns are those of C(license_info), so that both say the same."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .._licensing.kms import current_count
from .._wsman.session import Session
from . import licensing
from .classes import SOFTWARE_LICENSING_SERVICE
from .computer import read_names, read_operating_system
from .dns_suffixes import read_suffixes
from .firewall import read_kms_rules
from .license_info import SHOWN_COLUMNS, shown_product, shown_service, shown_system
from .licensing import number
from .publish_list import read_list
from .versions import WindowsVersion

LICENSE, CLIENT, HOST = "license", "kms_client", "kms_host"
"""The columns that there are."""

_SERVICE = ("Version", "IsKeyManagementServiceMachine", "KeyManagementServiceCurrentCount")
_CLIENT_SERVICE = (
    "client_machine_id",
    "kms_machine",
    "kms_machine_port",
    "lookup_domain",
    "host_caching",
    "discovered_machine",
    "discovered_machine_port",
    "discovered_machine_address",
    "activation_interval",
    "renewal_interval",
)
_HOST_SERVICE = ("listening_port", "dns_publishing", "low_priority", "activation_interval", "renewal_interval", "requests")


@dataclass(frozen=True, slots=True)
class HostRead:
    """What was read.

    Attributes:
        at: When, UTC.
        windows: Windows itself as C(license_info) shows it, and C(minutes) until its state ends; C(None) where it holds no key.
        others: The other products that hold keys.
        service: As much of the licensing service as the columns need.
        columns: The further columns by their names.
    """

    at: datetime
    windows: dict[str, Any] | None
    others: list[dict[str, Any]]
    service: dict[str, Any]
    columns: dict[str, Any]


def read_host(session: Session, columns: Collection[str] = (LICENSE,)) -> HostRead:
    """The licensing state by two requests, and what else is asked for by some more."""
    if set(columns) <= {LICENSE}:
        row = licensing.read_service(session, _SERVICE)
        service = {
            "kms_host": row["IsKeyManagementServiceMachine"] == 1,
            "current_count": current_count(number(row["KeyManagementServiceCurrentCount"])),
        }
        return _with_products(session, licensing.version_of(row), licensing.PRODUCT_COLUMNS, service, {})
    system = read_operating_system(session)
    read_at = datetime.now(UTC)
    full = shown_service(licensing.read_service(session, list(SOFTWARE_LICENSING_SERVICE.properties), system.windows))
    found = _with_products(session, system.windows, SHOWN_COLUMNS, full, {"operating_system": shown_system(system, read_at)})
    if CLIENT in columns:
        _name, domain = read_names(session)
        found.columns[f"{CLIENT}_settings"] = {
            **{name: full[name] for name in _CLIENT_SERVICE},
            **{name: (found.windows or {}).get(name) for name in ("required_count", "activation_type", "activation_type_allowed")},
            "domain_member": bool(domain),
            "suffixes": read_suffixes(session, domain).as_result(),
        }
    if HOST in columns:
        held = read_list(session, system.windows)
        rules = read_kms_rules(session, system.windows)
        found.columns[f"{HOST}_settings"] = {
            **{name: full[name] for name in _HOST_SERVICE},
            "publish_list": list(held.lines),
            "publish_list_mistyped": held.mistyped,
            "firewall": {name: rule.enabled for name, rule in sorted(rules.items())},
        }
    return found


def _with_products(
    session: Session, version: WindowsVersion, wanted: Collection[str], service: dict[str, Any], columns: dict[str, Any]
) -> HostRead:
    products = licensing.read_products(session, version, list(wanted))
    now = datetime.now(UTC)
    windows = licensing.windows_product(products)
    others = [shown_product(product, now) for product in products if product is not windows]
    if windows is None:
        return HostRead(now, None, others, service, columns)
    shown = shown_product(windows, now)
    ends = windows.grace_minutes if shown["expires_in_days"] is not None else None
    return HostRead(now, {**shown, "minutes": ends}, others, service, columns)
