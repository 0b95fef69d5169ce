# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the licensing service as they lie in the registry (docs/facts/slmgr.md#registry-values).

WMI methods and direct writes end in the same values; the service reads what concerns a KMS host when it starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .data import Profile, application_of
from .registry import Registry, ValueType

DEFAULT_PORT = 1688
DEFAULT_ACTIVATION_INTERVAL = 120
DEFAULT_RENEWAL_INTERVAL = 10080
INTERVALS = range(15, 43201)

_CURRENT_VERSION = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"


@dataclass(frozen=True)
class DomainEntry:
    """One line of DnsDomainPublishList."""

    domain: str
    priority: int = 0
    weight: int = 0


def parse_publish_list(lines: list[str]) -> Iterator[DomainEntry | str]:
    """Entries in order; a line that is none comes back as it is (docs/facts/publication.md#publish-list)."""
    for line in lines:
        parts = [part.strip() for part in line.split(",")]
        numbers = parts[1:]
        if not parts[0] or len(numbers) > 2 or not all(part.isdecimal() and int(part) <= 0xFFFF for part in numbers):
            yield line
        else:
            yield DomainEntry(parts[0].strip("."), *(int(part) for part in numbers))


class LicensingSettings:
    """Typed access to the values under SoftwareProtectionPlatform (SL on Vista and Server 2008)."""

    def __init__(self, registry: Registry, profile: Profile) -> None:
        self._registry = registry
        self.path = rf"{_CURRENT_VERSION}\{'SL' if profile.is_vista_era else 'SoftwareProtectionPlatform'}"
        self.wow64_path = self.path.replace("SOFTWARE\\", "SOFTWARE\\WOW6432Node\\", 1)

    def product_path(self, product_id: str) -> str:
        """The key that holds the overrides of one SKU."""
        return rf"{self.path}\{application_of(product_id)}\{product_id}"

    def text(self, name: str, product_id: str | None = None) -> str | None:
        """A REG_SZ value; None if it is missing or empty."""
        return self._registry.data(self.product_path(product_id) if product_id else self.path, name) or None

    def set_text(self, name: str, data: str, product_id: str | None = None) -> None:
        """Write a REG_SZ value."""
        self._registry.set(self.product_path(product_id) if product_id else self.path, name, ValueType.SZ, data)

    def number(self, name: str, default: int = 0, product_id: str | None = None) -> int:
        """A REG_DWORD value."""
        return int(self._registry.data(self.product_path(product_id) if product_id else self.path, name, default))

    def set_number(self, name: str, data: int, product_id: str | None = None) -> None:
        """Write a REG_DWORD value."""
        self._registry.set(self.product_path(product_id) if product_id else self.path, name, ValueType.DWORD, data)

    def delete(self, name: str, product_id: str | None = None) -> None:
        """Remove a value, if it is there."""
        self._registry.delete(self.product_path(product_id) if product_id else self.path, name)

    def port(self, name: str, product_id: str | None = None) -> int:
        """A port, which Windows keeps as text; 0 if it is unset or no number."""
        text = self.text(name, product_id)
        return int(text) if text and text.isdecimal() and 0 < int(text) <= 0xFFFF else 0

    @property
    def listening_port(self) -> int:
        """The port that a KMS host opens at its next start."""
        return self.port("KeyManagementServiceListeningPort") or DEFAULT_PORT

    @property
    def dns_publishing(self) -> bool:
        """Whether a KMS host publishes."""
        return self.number("DisableDnsPublishing") == 0

    @property
    def low_priority(self) -> bool:
        """Whether the service runs with low priority."""
        return self.number("EnableKmsLowPriority") != 0

    @property
    def publish_list(self) -> list[str]:
        """Lines of DnsDomainPublishList; a value of another type counts as none."""
        value = self._registry.get(self.path, "DnsDomainPublishList")
        return list(value.data) if value and value.type is ValueType.MULTI_SZ else []

    @property
    def activation_interval(self) -> int:
        """Minutes between attempts of clients that are not activated."""
        return self.number("VLActivationInterval", DEFAULT_ACTIVATION_INTERVAL)

    @property
    def renewal_interval(self) -> int:
        """Minutes between renewals of activated clients."""
        return self.number("VLRenewalInterval", DEFAULT_RENEWAL_INTERVAL)

    def activation_type(self, product_id: str) -> int:
        """VLActivationTypeEnabled of a SKU: 0 all, 1 AD, 2 KMS, 3 token."""
        return self.number("VLActivationType", self.number("VLActivationType"), product_id)
