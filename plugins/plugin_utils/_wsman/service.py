# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the WinRM service says about itself: Identify (DSP0226 11) and the resource winrm/config."""

from __future__ import annotations

import re
import typing as t
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from .._core.errors import ActivationError

# The settings are numbers of 32 bits.
_NUMBER = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Identity:
    """The answer to Identify.

    Attributes:
        vendor: Who made the service, C(Microsoft Corporation).
        product: Its version as it came, such as C(OS: 10.0.20348 SP: 0.0 Stack: 3.0).
    """

    vendor: str
    product: str

    @property
    def os_version(self) -> str:
        """The version of Windows; empty where the service keeps it to itself, which it does towards strangers."""
        system, _stack = self._versions()
        return system if system != "0.0.0" else ""

    @property
    def winrm_version(self) -> str:
        """The version of WinRM, such as C(3.0); empty where none is named."""
        return self._versions()[1]

    def _versions(self) -> tuple[str, str]:
        """The words behind C(OS:) and behind C(Stack:) after it; empty where there are not both."""
        system = self.product.partition("OS:")[2].split(maxsplit=1)
        stack = system[-1].partition("Stack:")[2].split(maxsplit=1) if system else []
        return (system[0], stack[0]) if stack else ("", "")


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """What limits a client. A value is C(None) where this WinRM has no such setting.

    Attributes:
        max_envelope_size_kb: Kilobytes of one message.
        max_timeout_ms: Milliseconds that one operation may take.
        max_batch_items: Items of one page.
        max_concurrent_operations_per_user: Operations of one user at the same time; 15 before Windows 8.
        allow_unencrypted: Whether messages without encryption are taken over HTTP.
        authentication: The methods that the service offers, as it names them.
    """

    max_envelope_size_kb: int | None
    max_timeout_ms: int | None
    max_batch_items: int | None
    max_concurrent_operations_per_user: int | None
    allow_unencrypted: bool | None
    authentication: tuple[str, ...]


def parse_identity(content: ET.Element | None) -> Identity:
    """The identity from an IdentifyResponse."""
    if content is None or _name(content) != "IdentifyResponse":
        raise ActivationError("the answer is not one of WS-Management. Is something else listening on this port?", source="wsman")
    return Identity(_text(content, "ProductVendor"), _text(content, "ProductVersion"))


def parse_config(content: ET.Element | None) -> ServiceConfig:
    """The settings from a Config element."""
    if content is None or _name(content) != "Config":
        raise ActivationError("the answer holds no settings.", source="wsman")
    service = _child(content, "Service")
    offers = _child(service, "Auth")
    return ServiceConfig(
        max_envelope_size_kb=_number(content, "MaxEnvelopeSizekb"),
        max_timeout_ms=_number(content, "MaxTimeoutms"),
        max_batch_items=_number(content, "MaxBatchItems"),
        max_concurrent_operations_per_user=_number(service, "MaxConcurrentOperationsPerUser"),
        allow_unencrypted={"true": True, "false": False}.get(_text(service, "AllowUnencrypted").lower()),
        # Beside the methods stands CbtHardeningLevel, which is neither true nor false.
        authentication=tuple(_name(offer) for offer in (() if offers is None else offers) if (offer.text or "").strip().lower() == "true"),
    )


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _child(parent: ET.Element | None, name: str) -> ET.Element | None:
    children: t.Iterable[ET.Element] = () if parent is None else parent
    return next((child for child in children if _name(child) == name), None)


def _text(parent: ET.Element | None, name: str) -> str:
    child = _child(parent, name)
    return (child.text or "").strip() if child is not None else ""


def _number(parent: ET.Element | None, name: str) -> int | None:
    text = _text(parent, name)
    return int(text) if _NUMBER.fullmatch(text) else None
