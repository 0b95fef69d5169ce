# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a survey reads of one host. The columns are those of C(license_info), so that both say the same."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .._core.errors import ActivationError
from .._licensing.kms import current_count
from .._wsman.session import Session
from .kms_client.alternate_url import read_alternate_url
from .kms_client.client_key import due_setup_key
from .kms_client.dns_suffixes import read_suffixes
from .kms_host.publish_list import read_list
from .platform.classes import SOFTWARE_LICENSING_SERVICE
from .platform.computer import read_names, read_operating_system
from .platform.firewall import read_kms_rules
from .platform.returned import number
from .platform.versions import WindowsVersion
from .spp import licensing
from .spp.license_info import SHOWN_COLUMNS, shown_product, shown_service, shown_system
from .spp.licensing import Product

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
_CLIENT_PRODUCT = ("required_count", "activation_type", "activation_type_allowed")
# More than Windows takes into account; who sets the registry of a computer does not decide how long its row is.
_MOST_SUFFIXES = 256
# Who says so where a request was answered, and the answer is a refusal: the rest of the row can be read.
_ANSWERED = ("windows", "options")
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
        return _with_products(session, licensing.version_of(row), licensing.PRODUCT_COLUMNS, service, {})[0]
    system = read_operating_system(session)
    read_at = datetime.now(UTC)
    full = shown_service(licensing.read_service(session, list(SOFTWARE_LICENSING_SERVICE.properties), system.windows))
    found, windows = _with_products(session, system.windows, SHOWN_COLUMNS, full, {"operating_system": shown_system(system, read_at)})
    if CLIENT in columns:
        found.columns[f"{CLIENT}_settings"] = {
            **{name: full[name] for name in _CLIENT_SERVICE},
            **{name: (found.windows or {}).get(name) for name in _CLIENT_PRODUCT},
            **_looks(session, windows, system.windows),
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


def _looks(session: Session, windows: Product | None, version: WindowsVersion) -> dict[str, Any]:
    """Where a computer looks for KMS hosts and sends its users, and the setup key that it lacks. What it refuses to tell is C(None), and
    C(error) says why: the account may be allowed less in the registry than elsewhere.
    """
    found: dict[str, Any] = {"domain_member": None, "suffixes": None, "setup_key": None, "alternate_url": None, "error": None}
    try:
        _name, domain = read_names(session)
        found["domain_member"] = bool(domain)
        suffixes = read_suffixes(session, domain)
        lists = {name: value[:_MOST_SUFFIXES] if isinstance(value, list) else value for name, value in suffixes.as_result().items()}
        found["suffixes"] = {"own": suffixes.own, **lists}
        found["setup_key"] = due_setup_key(session, windows)
        found["alternate_url"] = read_alternate_url(session, version)
    except ActivationError as failure:
        if failure.unreachable or failure.source not in _ANSWERED:
            raise
        found["error"] = failure.said
    return found


def _with_products(
    session: Session, version: WindowsVersion, wanted: Collection[str], service: dict[str, Any], columns: dict[str, Any]
) -> tuple[HostRead, Product | None]:
    """All of it, and Windows itself as it was read."""
    products = licensing.read_products(session, version, list(wanted))
    now = datetime.now(UTC)
    windows = licensing.windows_product(products)
    others = [shown_product(product, now) for product in products if product is not windows]
    if windows is None:
        return HostRead(now, None, others, service, columns), None
    shown = shown_product(windows, now)
    ends = windows.grace_minutes if shown["expires_in_days"] is not None else None
    return HostRead(now, {**shown, "minutes": ends}, others, service, columns), windows
