# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab puts on the wire has the shape of recorded answers of real Windows hosts."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from unit.windows_samples import NEEDS_SAMPLES, body_of, sample

from lab.windows.schema import CIMV2, system_class
from lab.wsman import backend as wmi
from lab.wsman import faults
from lab.wsman import namespaces as ns
from lab.wsman.backend import CimClass, Property
from lab.wsman.envelope import build
from lab.wsman.faults import Voice
from lab.wsman.schema import class_xml
from lab.wsman.values import Style, endpoint_reference_xml, fragment_xml, instance_xml
from lab.wsman.winrm_config import Limits, config_xml
from lab.wsman.wmi_faults import from_wmi_error, keys_missing

pytestmark = [pytest.mark.tier("test"), NEEDS_SAMPLES]

Shape = tuple[str, tuple[str, ...], tuple["Shape", ...]]


def shape(element: Element) -> Shape:
    return element.tag, tuple(sorted(element.attrib)), tuple(shape(child) for child in element)


def assert_same(ours: bytes, recorded: Element) -> None:
    mine = ElementTree.fromstring(ours)
    assert shape(body_of(mine)) == shape(body_of(recorded))
    tags = {item.tag for item in recorded.find(f"{{{ns.SOAP}}}Header") or []}
    assert {item.tag for item in mine.find(f"{{{ns.SOAP}}}Header") or []} <= tags
    actions = [found.findtext(f".//{{{ns.ADDRESSING}}}Action") for found in (mine, recorded)]
    assert actions[0] == actions[1]


def some_voice(render: object, recorded: Element) -> None:
    """One of the seeds gives the recorded shape."""
    wanted = shape(body_of(recorded))
    found = [
        seed
        for seed in range(200)
        if shape(body_of(ElementTree.fromstring(render(Voice("H", "en-US", seed))))) == wanted  # type: ignore[operator]
    ]
    assert found


def test_timeout() -> None:
    assert_same(
        faults.simple(Voice("H", "en-US", 1), "timeout").render(Voice("H", "en-US", 1), "uuid:x"),
        sample("omi03"),
    )


def test_schema_validation() -> None:
    fault = faults.simple(Voice("H", "en-US", 1), "schema")
    assert_same(fault.render(Voice("H", "en-US", 1), "uuid:x"), sample("pypsrp02"))


def test_instance_not_found() -> None:
    error = wmi.WmiError(wmi.WBEM_E_NOT_FOUND, "x", "wbem", operation="GetObject", parameter_info="A.B=1", provider_name="CIMWin32")

    def render(voice: Voice) -> bytes:
        return from_wmi_error(error, voice, "root/cimv2").render(voice, "uuid:x")

    recorded = sample("omi02")
    # The recording's object has the DMTF namespace, one of the three that the lab chooses from.
    some_voice(render, recorded)


def test_invalid_class_of_old_hosts() -> None:
    def render(voice: Voice) -> bytes:
        fault = faults.nested(voice, faults.CANNOT_PROCESS_FILTER, "n:CannotProcessFilter", "text")
        return fault.render(voice, "uuid:x")

    some_voice(render, sample("winrb01"))


def test_keys_missing() -> None:
    recorded = sample("msdocs02")
    shapes = []
    for seed in range(100):
        voice = Voice("H", "en-US", seed)
        detail = body_of(ElementTree.fromstring(keys_missing(voice).render(voice, ""))).find(f".//{{{ns.WSMAN_FAULT}}}WSManFault")
        shapes += [] if detail is None else [shape(detail[0])]
    assert shape(recorded[0]) in shapes


def test_projection() -> None:
    recorded = sample("opennms01")
    style = Style("de-DE", "omit", True)
    properties = (Property("Size", "uint64"), Property("Name", "string"), Property("FreeSpace", "uint64"))
    items = fragment_xml(properties, {"Name": "A:"}, style)
    body = f"<n:EnumerateResponse><n:EnumerationContext>uuid:x</n:EnumerationContext><w:Items>{items}</w:Items></n:EnumerateResponse>"
    assert_same(build(ns.ACTION_ENUMERATE + "Response", body, "de-DE", "uuid:x"), recorded)


def test_object_with_reference() -> None:
    recorded = sample("samm01")
    item = recorded.find(f".//{{{ns.WSMAN}}}Item")
    assert item is not None
    properties: dict[str, list[str]] = {}
    for child in item[0]:
        properties.setdefault(child.tag.rpartition("}")[2], []).append(child.text or "")
    arrays = {"Capabilities", "CapabilityDescriptions", "PowerManagementCapabilities"}
    cim_class = CimClass(
        "root/cimv2",
        "Win32_DiskDrive",
        keys=("DeviceID",),
        properties=tuple(Property(name, "string[]" if name in arrays else "string") for name in reversed(properties)),
    )
    values = {name: (texts if name in arrays else texts[0]) if texts != [""] else None for name, texts in properties.items()}
    uri = ns.URI_DMTF + "Win32_DiskDrive"
    ours = ElementTree.fromstring(
        f'<w:Item xmlns:w="{ns.WSMAN}">'
        + instance_xml(cim_class, values, Style("en-US", "precise", False), uri)
        + endpoint_reference_xml(uri, {"DeviceID": "x", "__cimnamespace": "root/cimv2"})
        + "</w:Item>"
    )
    assert shape(ours) == shape(item)


def test_class_schema() -> None:
    (recorded,) = sample("samm02")
    properties, methods = [], []
    for item in recorded:
        cim_type = item.get("TYPE", "") + ("[]" if item.tag.endswith(".ARRAY") else "")
        if item.tag == "METHOD":
            inputs = tuple(Property(child.get("NAME", ""), child.get("TYPE", "")) for child in item)
            methods.append(wmi.Method(item.get("NAME", ""), inputs))
        else:
            properties.append(Property(item.get("NAME", ""), cim_type))
    cim_class = CimClass("root/cimv2", "Win32_OperatingSystem", (), tuple(properties), tuple(methods), superclass="CIM_OperatingSystem")
    ours = ElementTree.fromstring(class_xml(cim_class, qualifiers=False))

    def essence(element: Element) -> list[tuple[str, str | None, str | None]]:
        return [(item.tag, item.get("NAME"), item.get("TYPE")) for item in element.iter()]

    assert essence(ours) == essence(recorded)


def test_provider_with_a_text() -> None:
    for name, subcode, receiver, detail in (
        ("omi01", "w:InternalError", True, ""),
        ("pypsrp01", "w:InvalidParameter", False, "InvalidValue"),
    ):

        def render(voice: Voice, subcode: str = subcode, receiver: bool = receiver, detail: str = detail) -> bytes:
            return faults.provider_text(voice, 87, subcode, "text", receiver=receiver, detail=detail).render(voice, "uuid:x")

        some_voice(render, sample(name))


def test_settings_of_the_service() -> None:
    recorded = sample("pypsrp03")
    ours = build(ns.ACTION_GET + "Response", config_xml(Limits.of("10.0.14393"), allows_unencrypted=False), "en-US", "uuid:x")
    assert_same(ours, recorded)

    def limits(envelope: Element) -> dict[str, str | None]:
        return {item.tag.rpartition("}")[2]: item.text for item in body_of(envelope).iter() if "Max" in item.tag or "Timeout" in item.tag}

    ignored = ("IdleTimeout", "Shell", "Processes", "Users")
    theirs = {name: text for name, text in limits(recorded).items() if not any(part in name for part in ignored)}
    assert {name: limits(ElementTree.fromstring(ours))[name] for name in theirs} == theirs


def test_types_of_the_operating_system() -> None:
    """The lab's class has a part of the real one's properties, each of the real type."""
    (recorded,) = sample("samm02")
    types = {
        item.get("NAME"): item.get("TYPE", "") + ("[]" if item.tag.endswith(".ARRAY") else "") for item in recorded if item.tag != "METHOD"
    }
    lab_class = system_class("Win32_OperatingSystem", CIMV2)
    assert lab_class.superclass == recorded.get("SUPERCLASS")
    assert {item.name: item.type for item in lab_class.properties} == {item.name: types.get(item.name) for item in lab_class.properties}
    methods = {item.get("NAME"): {part.get("NAME"): part.get("TYPE") for part in item} for item in recorded.iter("METHOD")}
    assert {method.name: {item.name: item.type for item in method.inputs} for method in lab_class.methods} == {
        method.name: methods[method.name] for method in lab_class.methods
    }
