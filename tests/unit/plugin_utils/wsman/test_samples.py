# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded answers of real Windows hosts are read into what they say."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from unit import windows_samples
from unit.windows_samples import NEEDS_SAMPLES, sample

from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform.classes import WIN32_OPERATING_SYSTEM
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import envelope
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import namespaces as ns
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.fault import WsmanFault, parse_fault
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.response import parse_body, parse_instance, parse_page
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.service import parse_config

pytestmark = [pytest.mark.tier("quick"), NEEDS_SAMPLES]

FAULTS = {
    "omi01": ("0x80540FA0", "InternalError", "Error with error code -2144108472 occurred while calling method WSManPluginReceiveResult."),
    "omi02": ("0x80338000", "DestinationUnreachable", "The WS-Management service cannot process the request."),
    "omi03": ("0x80338029", "TimedOut", "The WS-Management service cannot complete the operation within the time"),
    "pypsrp01": ("0x80070057", "InvalidParameter", "The parameter is incorrect."),
    "pypsrp02": ("0x80338041", "SchemaValidationError", "The Windows Remote Shell cannot process the request."),
    "winrb01": ("0x8033801A", "CannotProcessFilter", "The specified class does not exist in the given namespace."),
}
OTHERS = {"msdocs02", "opennms01", "pypsrp03", "samm01", "samm02"}


def answer(name: str) -> ET.Element | None:
    """What a client reads of a recorded answer to its own request."""
    recorded = sample(name)
    relates_to = recorded.findtext(f".//{{{ns.ADDRESSING}}}RelatesTo", "").strip()
    return parse_body(ET.tostring(recorded), relates_to, "a request")


def test_every_recording_is_read_by_a_test():
    assert {path.name.partition("-")[0] for path in windows_samples.FOLDER.glob("*.xml")} == FAULTS.keys() | OTHERS


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault(name: str):
    code, subcode, text = FAULTS[name]
    with pytest.raises(WsmanFault) as caught:
        answer(name)
    assert (caught.value.shown_code, caught.value.subcode) == (code, subcode)
    assert caught.value.text.startswith(text)
    assert caught.value.timed_out == (name == "omi03")
    assert caught.value.not_found == (name == "omi02")


def test_the_fault_of_a_get_without_keys():
    fault = ET.Element(f"{{{ns.SOAP}}}Fault")
    ET.SubElement(fault, f"{{{ns.SOAP}}}Detail").append(sample("msdocs02"))
    found = parse_fault(fault, "x")
    assert (found.shown_code, found.codes) == ("0x803380FA", [0x803380FA])
    assert "does not contain keys" in found.text


def test_a_projection_of_a_german_host():
    page = parse_page(answer("opennms01"))
    types = {"Name": "string", "FreeSpace": "uint64", "Size": "uint64"}
    assert [parse_instance(item, types) for item in page.items] == [{"Name": "A:", "FreeSpace": None, "Size": None}]
    assert page.context == "uuid:9BF32A71-F913-4F19-95C9-A642AD4B758F"


def test_an_object_beside_its_reference_with_a_null_array():
    page = parse_page(answer("samm01"))
    types = {
        "BytesPerSector": "uint32",
        "Capabilities": "uint16[]",
        "CapabilityDescriptions": "string[]",
        "CompressionMethod": "string",
        "DeviceID": "string",
        "InstallDate": "datetime",
        "MediaLoaded": "boolean",
        "PNPDeviceID": "string",
        "PowerManagementCapabilities": "uint16[]",
        "Size": "uint64",
    }
    (found,) = (parse_instance(item, types) for item in page.items)
    descriptions = found.pop("CapabilityDescriptions")
    assert descriptions[-1] == "Supports Writing"
    assert found == {
        "BytesPerSector": 512,
        "Capabilities": [3, 4],
        "CompressionMethod": None,
        "DeviceID": r"\\.\PHYSICALDRIVE0",
        "InstallDate": None,
        "MediaLoaded": True,
        "PNPDeviceID": r"SCSI\DISK&VEN_RED_HAT&PROD_VIRTIO\4&35110308&0&000000",
        "PowerManagementCapabilities": [],
        "Size": 54755688960,
    }
    assert page.context


def test_the_schema_that_ships_with_the_collection_is_that_of_a_real_class():
    (recorded,) = sample("samm02")
    types = {
        item.get("NAME"): item.get("TYPE", "") + ("[]" if item.tag.endswith(".ARRAY") else "") for item in recorded if item.tag != "METHOD"
    }
    assert {name: types.get(name) for name in WIN32_OPERATING_SYSTEM.properties} == WIN32_OPERATING_SYSTEM.properties
    methods = {item.get("NAME"): {part.get("NAME"): part.get("TYPE") for part in item} for item in recorded.iter("METHOD")}
    for name, method in WIN32_OPERATING_SYSTEM.methods.items():
        assert methods[name] == method.inputs


def test_the_settings_of_a_server_2016():
    config = parse_config(answer("pypsrp03"))
    assert (config.max_envelope_size_kb, config.max_timeout_ms, config.max_batch_items) == (500, 60000, 32000)
    assert (config.max_concurrent_operations_per_user, config.allow_unencrypted) == (1500, False)
    assert config.authentication == ("Basic", "Kerberos", "Negotiate", "CredSSP")


def test_a_request_that_a_real_host_answered_has_the_headers_of_ours():
    (path,) = windows_samples.FOLDER.glob("pypsrp03-*.request.xml")
    recorded, ours = ET.parse(path).getroot(), ET.fromstring(envelope.config_request("https://127.0.0.1:55986/wsman").envelope)

    def headers(message: ET.Element) -> dict[str, tuple[str, dict[str, str]]]:
        found = message.find(f"{{{ns.SOAP}}}Header")
        return {item.tag: ("".join(item.itertext()), dict(item.attrib)) for item in (() if found is None else found)}

    theirs, mine = headers(recorded), headers(ours)
    # A session ID says which client it is, to nobody's use here; size and time are the client's choice, the ID is new each time.
    assert theirs.keys() - mine.keys() == {f"{{{ns.WSMAN_MICROSOFT}}}SessionId"}
    assert mine.keys() <= theirs.keys()
    chosen = {f"{{{ns.WSMAN}}}MaxEnvelopeSize", f"{{{ns.WSMAN}}}OperationTimeout", f"{{{ns.ADDRESSING}}}MessageID"}
    assert {tag: mine[tag] for tag in mine.keys() - chosen} == {tag: theirs[tag] for tag in mine.keys() - chosen}
    assert all(mine[tag][1] == theirs[tag][1] for tag in chosen)
