# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tiny host for tests of the WS-Management front end: a service class, static registry calls, a keyed class with many rows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lab.wsman.backend import WBEM_E_NOT_FOUND, CimClass, Method, Property, Reference, WmiError

SERVICE = CimClass(
    "root/cimv2",
    "Win32_Service",
    keys=("Name",),
    properties=(
        Property("Name", "string"),
        Property("State", "string"),
        Property("ProcessId", "uint32"),
        Property("Started", "boolean"),
        Property("InstallDate", "datetime"),
        Property("Uptime", "datetime"),
        Property("Tags", "string[]"),
        Property("System", "reference"),
        Property("Description", "string", writable=True),
    ),
    methods=(
        Method("StartService"),
        Method("Activate"),
        Method("Slow", inputs=(Property("Seconds", "uint32"),)),
        Method("Change", inputs=(Property("DisplayName", "string"), Property("Flags", "uint8[]"), Property("Since", "datetime"))),
    ),
)
REGISTRY = CimClass(
    "root/cimv2",
    "StdRegProv",
    methods=(
        Method(
            "GetStringValue",
            inputs=(Property("hDefKey", "uint32"), Property("sSubKeyName", "string"), Property("sValueName", "string")),
            outputs=(Property("sValue", "string"),),
            static=True,
        ),
        Method("EnumKey", inputs=(Property("hDefKey", "uint32"),), outputs=(Property("sNames", "string[]"),), static=True),
    ),
)
SYSTEM = CimClass(
    "root/cimv2",
    "Win32_OperatingSystem",
    keys=("Name",),
    properties=(Property("Name", "string"), Property("Version", "string")),
    methods=(Method("Reboot"),),
    singleton=True,
)
RULE = CimClass(
    "root/StandardCimv2",
    "MSFT_NetFirewallRule",
    keys=("InstanceID",),
    properties=(Property("InstanceID", "string"), Property("Enabled", "uint16")),
    methods=(Method("Enable", return_type=None),),
)
CLASSES = (SERVICE, REGISTRY, SYSTEM, RULE)


class FakeHost:
    """Implements Backend; ``calls`` keeps what was invoked."""

    def __init__(self, seed: int = 0, os_version: str = "10.0.20348", services: int = 3, language: str = "en-US") -> None:
        self.hostname = "fake.contoso.com"
        self.os_version = os_version
        self.language = language
        self.seed = seed
        self.allows_unencrypted = False
        self.administrators = {"contoso\\svc", "svc@contoso.com", "local"}
        self.calls: list[tuple[str, Any, dict[str, Any]]] = []
        self.services: dict[str, dict[str, Any]] = {}
        for number in range(services):
            self.services[f"svc{number:03}"] = {
                "Name": f"svc{number:03}",
                "State": "Running" if number % 2 else "Stopped",
                "ProcessId": number * 4,
                "Started": bool(number % 2),
                "InstallDate": datetime(2026, 1, 1 + number % 28, 12, 30, 5, 250000, tzinfo=UTC) if number else None,
                "Uptime": timedelta(days=2, hours=3, seconds=number),
                "Tags": None if number == 0 else [f"t{index}" for index in range(number % 3)],
                "System": Reference("root/cimv2", "Win32_ComputerSystem", (("Name", "FAKE"),)),
                "Description": "a < b & 'c'" if number else "",
            }

    def trusts(self, user: str) -> bool:
        return True

    def is_administrator(self, user: str) -> bool:
        return user.lower() in self.administrators

    def has_namespace(self, namespace: str) -> bool:
        return any(item.namespace.lower() == namespace.lower() for item in CLASSES)

    def cim_class(self, namespace: str, name: str) -> CimClass | None:
        wanted = (namespace.lower(), name.lower())
        return next((item for item in CLASSES if (item.namespace.lower(), item.name.lower()) == wanted), None)

    def instances(self, namespace: str, class_name: str, equal: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        if class_name == "Win32_Service":
            return list(self.services.values())
        if class_name == "Win32_OperatingSystem":
            return [{"Name": "Windows", "Version": self.os_version}]
        return [{"InstanceID": "SPPSVC-In-TCP", "Enabled": 2}] if class_name == "MSFT_NetFirewallRule" else []

    def get(self, namespace: str, class_name: str, selectors: Mapping[str, str]) -> Mapping[str, Any]:
        for row in self.instances(namespace, class_name):
            if all(str(row[name]).lower() == value.lower() for name, value in selectors.items()):
                return row
        raise WmiError(WBEM_E_NOT_FOUND, "Not found", "wbem", operation="GetObject", provider_name="CIMWin32")

    def put(self, namespace: str, class_name: str, selectors: Mapping[str, str], properties: Mapping[str, Any]) -> Mapping[str, Any]:
        row = self.services[selectors["Name"]]
        row.update(properties)
        return row

    def invoke(
        self, namespace: str, class_name: str, selectors: Mapping[str, str] | None, method: str, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        self.calls.append((method, selectors, dict(arguments)))
        if method == "Activate":
            raise WmiError(0xC004F038, "The count is too low.", "provider")
        if method == "Enable":
            return {}
        if method == "Slow":
            time.sleep(arguments["Seconds"])
        if method == "GetStringValue":
            return {"ReturnValue": 0, "sValue": f"<{arguments['sValueName']}>"}
        if method == "EnumKey":
            return {"ReturnValue": 0, "sNames": ["A", "B & C"]}
        return {"ReturnValue": 0}
