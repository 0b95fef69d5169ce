# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every class provider of a host shares: finding an instance by its keys, refusing what it cannot do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..wsman.backend import (
    WBEM_E_INVALID_METHOD,
    WBEM_E_NOT_FOUND,
    WBEM_E_PROVIDER_NOT_CAPABLE,
    CimClass,
    FaultKind,
    WmiError,
)
from .data import message

Instance = dict[str, Any]


class Provider:
    """One class of one host."""

    kind: FaultKind = "wbem"

    def __init__(self, cim_class: CimClass, language: str) -> None:
        self.cim_class = cim_class
        self.language = language

    def error(self, code: int, kind: FaultKind | None = None) -> WmiError:
        """An HRESULT with the text of this machine's language."""
        return WmiError(code, message(code, self.language), kind or self.kind, provider_name=self.cim_class.name)

    def instances(self, equal: Mapping[str, object] | None = None) -> Sequence[Instance]:
        """All instances now; ``equal`` is only a hint."""
        return []

    def get(self, selectors: Mapping[str, str]) -> Instance:
        """The instance with these keys; names and values are compared without case (docs/facts/wire.md#selectors)."""
        names = {item.name.lower(): item.name for item in self.cim_class.properties}
        wanted = {names.get(name.lower(), ""): value.lower() for name, value in selectors.items()}
        if "" in wanted or (self.cim_class.keys and not wanted):
            raise self.error(WBEM_E_NOT_FOUND)
        for instance in self.instances():
            if all(str("" if instance[name] is None else instance[name]).lower() == value for name, value in wanted.items()):
                return instance
        raise self.error(WBEM_E_NOT_FOUND)

    def put(self, selectors: Mapping[str, str], properties: Mapping[str, Any]) -> Instance:
        """Write properties; most classes of Windows refuse."""
        raise self.error(WBEM_E_PROVIDER_NOT_CAPABLE)

    def call(self, instance: Instance | None, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run a method; ``instance`` is None for a static one."""
        raise self.error(WBEM_E_INVALID_METHOD)

    def complete(self, values: Mapping[str, Any]) -> Instance:
        """An instance with every property of the class, NULL where nothing is given, nothing that the class lacks."""
        return {item.name: values.get(item.name) for item in self.cim_class.properties}
