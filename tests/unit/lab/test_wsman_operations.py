# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on the WS-Management front end of the lab, by the foreign client pypsrp over real sockets."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from pypsrp.exceptions import WinRMTransportError
from pypsrp.wsman import OptionSet
from unit.lab.fake_host import FakeHost
from unit.lab.wsman_front_end import (
    ADDRESS,
    OTHER,
    QUERY_URI,
    SERVICE_URI,
    FrontEnd,
    collect,
    enumerate_body,
    fault_of,
    input_body,
    pull_body,
    selectors,
    send,
)

from lab.wsman import namespaces as ns

pytestmark = pytest.mark.tier("test")


def test_get_put_and_typed_values(lab: FrontEnd) -> None:
    with lab.pypsrp() as client:
        row = client.get(SERVICE_URI, selector_set=selectors(name="SVC002"))[0]
        assert row.tag == f"{{{SERVICE_URI}}}Win32_Service"
        values = {child.tag.rpartition("}")[2]: child for child in row}
        assert values["ProcessId"].text == "8"
        assert values["Started"].text == "false"
        assert values["InstallDate"].findtext(f"{{{ns.CIM_COMMON}}}Datetime") == "2026-01-03T12:30:05.250000Z"
        assert values["Uptime"].findtext(f"{{{ns.CIM_COMMON}}}Interval") == "P2DT3H0M2S"
        assert [child.text for child in row.iterfind(f"{{{SERVICE_URI}}}Tags")] == ["t0", "t1"]
        assert values["System"].findtext(f".//{{{ns.WSMAN}}}Selector") == "FAKE"
        body = ElementTree.Element(f"{{{SERVICE_URI}}}Win32_Service")
        ElementTree.SubElement(body, f"{{{SERVICE_URI}}}Description").text = "new"
        changed = client.put(SERVICE_URI, body, selector_set=selectors(Name="svc002"))[0]
        assert changed.findtext(f"{{{SERVICE_URI}}}Description") == "new"
    assert lab.host.services["svc002"]["Description"] == "new"


def test_null_arrays(lab: FrontEnd) -> None:
    options = OptionSet()
    options.add_option("msftwinrm:UsePreciseArrays", "true", {"Type": "xs:boolean"})
    with lab.pypsrp() as client:
        row = client.get(SERVICE_URI, selector_set=selectors(Name="svc000"), option_set=options)[0]
        tags = row.find(f"{{{SERVICE_URI}}}Tags")
        assert tags is not None
        assert tags.get(f"{{{ns.MSWSMAN}}}IsNullArray") == "true"
        assert row.find(f"{{{SERVICE_URI}}}InstallDate").get(f"{{{ns.XSI}}}nil") == "true"
        assert (row.findtext(f"{{{SERVICE_URI}}}Description") or "") == ""
    with lab.pypsrp(address=OTHER) as client:
        row = client.get(SERVICE_URI, selector_set=selectors(Name="svc000"), option_set=options)[0]
        assert row.find(f"{{{SERVICE_URI}}}Tags") is None


def test_pages_keep_to_the_envelope_size(lab: FrontEnd) -> None:
    lab.other.services = FakeHost(services=900).services
    with lab.pypsrp(address=OTHER, max_envelope_size=512000) as client:
        items, pulls = collect(client, "select * from Win32_Service")
    assert len(items) == 900
    assert pulls >= 4
    assert max(entry.bytes_out for entry in lab.log.entries) < 150 * 1024 + 1024


def test_results_of_none_and_one(lab: FrontEnd) -> None:
    for address in (ADDRESS, OTHER):
        with lab.pypsrp(address=address) as client:
            assert collect(client, "select * from Win32_Service where Name = 'none'") == ([], 0)
            assert len(collect(client, "select * from Win32_Service where Name = 'svc001'")[0]) == 1
            assert len(collect(client, "select * from Win32_Service", optimize=False)[0]) == 3


def test_references_come_with_objects(lab: FrontEnd) -> None:
    with lab.pypsrp() as client:
        items, _pulls = collect(client, "select * from Win32_Service", mode="EnumerateObjectAndEPR")
        references = [item[1] for item in items]
        assert {item.tag for item in references} == {f"{{{ns.ADDRESSING}}}EndpointReference"}
        assert {item.findtext(f".//{{{ns.WSMAN}}}ResourceURI") for item in references} == {ns.URI_WMI + "root/cimv2/Win32_Service"}
        names = [item.findtext(f".//{{{ns.WSMAN}}}Selector[@Name='Name']") for item in references]
        assert names == ["svc000", "svc001", "svc002"]
        items, _pulls = collect(client, "select * from Win32_OperatingSystem", mode="EnumerateEPR")
        assert items[0].find(f".//{{{ns.WSMAN}}}SelectorSet") is None


def test_a_context_ends_with_release(lab: FrontEnd) -> None:
    with lab.pypsrp() as client:
        answer = client.enumerate(QUERY_URI, enumerate_body("select * from Win32_Service"))[0]
        context = answer.findtext(f"{{{ns.ENUMERATION}}}EnumerationContext") or ""
        body = ElementTree.Element(f"{{{ns.ENUMERATION}}}Release")
        ElementTree.SubElement(body, f"{{{ns.ENUMERATION}}}EnumerationContext").text = context
        send(client, ns.ACTION_RELEASE, QUERY_URI, body)
        with pytest.raises(WinRMTransportError) as error:
            send(client, ns.ACTION_PULL, QUERY_URI, pull_body(context))
    assert "InvalidEnumerationContext" in error.value.response_text


@pytest.mark.parametrize(
    ("action", "uri", "body", "chosen", "code"),
    [
        (ns.ACTION_GET, SERVICE_URI, None, {}, 0x803380FA),
        (ns.ACTION_GET, SERVICE_URI, None, {"Nam": "x"}, 0x8033803D),
        (ns.ACTION_ENUMERATE, SERVICE_URI, enumerate_body(""), {"Name": "x"}, 0x80338108),
        (ns.ACTION_ENUMERATE, SERVICE_URI, enumerate_body("select * from Win32_Service"), {}, 0x803380FB),
        (ns.ACTION_ENUMERATE, SERVICE_URI, None, {}, 0x80338041),
        (ns.ACTION_ENUMERATE, SERVICE_URI + "x", enumerate_body(""), {}, 0x80041010),
        (ns.ACTION_ENUMERATE, QUERY_URI, enumerate_body("select * from Missing"), {}, 0x80041010),
        (SERVICE_URI + "/Nothing", SERVICE_URI, input_body(SERVICE_URI, "Nothing"), {"Name": "svc001"}, 0x8004102E),
        (SERVICE_URI + "/Activate", SERVICE_URI, None, {"Name": "svc001"}, 0x80338041),
        ("http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Command", ns.URI_SHELLS[0] + "/cmd", None, {}, 5),
        (ns.ACTION_CREATE, ns.URI_SHELLS[1] + "Microsoft.PowerShell", None, {}, 5),
    ],
)
def test_faults_with_one_code(
    lab: FrontEnd, action: str, uri: str, body: ElementTree.Element | None, chosen: dict[str, str], code: int
) -> None:
    for seed in range(6):
        lab.host.seed = seed
        with lab.pypsrp("basic", ssl=True) as client, pytest.raises(WinRMTransportError) as error:
            send(client, action, uri, body, selectors(**chosen))
        assert str(code) in error.value.response_text
        assert fault_of(error) is not None
        assert lab.log.entries[-1].fault == code


@pytest.mark.parametrize(
    ("method", "arguments", "codes"),
    [
        ("Change", {"displayName": "x"}, {0x8033811E, 0x8004102F}),
        ("Change", {"Flags": [1, 256]}, {0x8033811E, 0x8004102F}),
        ("Change", {"Since": "2026-01-01T00:00:00Z"}, {0x8033811E, 0x8004102F}),
        ("Change", {"DisplayName": ["a", "b"]}, {0x8033811E, 0x8004102F}),
        ("Slow", {"Seconds": "soon"}, {0x8033811E, 0x8004102F}),
    ],
)
def test_wrong_arguments_are_refused(lab: FrontEnd, method: str, arguments: dict[str, object], codes: set[int]) -> None:
    seen = set()
    for seed in range(8):
        lab.host.seed = seed
        with lab.pypsrp("basic", ssl=True) as client, pytest.raises(WinRMTransportError):
            send(client, f"{SERVICE_URI}/{method}", SERVICE_URI, input_body(SERVICE_URI, method, **arguments), selectors(Name="svc001"))
        seen.add(lab.log.entries[-1].fault)
    assert seen == codes
    assert lab.host.calls == []


def test_provider_error_comes_in_every_form(lab: FrontEnd) -> None:
    forms = set()
    for seed in range(60):
        lab.host.seed = seed
        with lab.pypsrp("basic", ssl=True) as client:
            body = input_body(SERVICE_URI, "Activate")
            try:
                answer = send(client, SERVICE_URI + "/Activate", SERVICE_URI, body, selectors(Name="svc001")).decode()
            except WinRMTransportError as error:
                answer = error.response_text
        assert "3221549112" in answer or "c004f038" in answer.lower()
        forms.add(("MSFT_WmiError" in answer, "__ExtendedStatus" in answer, "Activate_OUTPUT" in answer, "unknown error" in answer))
    assert len(forms) >= 5


def test_operation_goes_on_after_the_cap(lab: FrontEnd) -> None:
    with lab.pypsrp() as client, pytest.raises(WinRMTransportError) as error:
        send(client, SERVICE_URI + "/Slow", SERVICE_URI, input_body(SERVICE_URI, "Slow", Seconds=2), selectors(Name="svc001"))
    assert ":TimedOut<" in error.value.response_text
    assert lab.host.calls[0][2] == {"Seconds": 2}


def test_method_without_return_value(lab: FrontEnd) -> None:
    uri = ns.URI_WMI + "root/StandardCimv2/MSFT_NetFirewallRule"
    with lab.pypsrp() as client:
        answer = client.invoke(uri + "/Enable", uri, input_body(uri, "Enable"), selector_set=selectors(InstanceID="SPPSVC-In-TCP"))
    output = answer.find(f".//{{{uri.replace('StandardCimv2', 'standardcimv2')}}}Enable_OUTPUT")
    assert output is not None
    assert len(output) == 0


def test_class_schema_and_config(lab: FrontEnd) -> None:
    with lab.pypsrp() as client:
        schema = client.get(ns.URI_SCHEMA, selector_set=selectors(__cimnamespace="root/cimv2", ClassName="stdregprov"))[0]
        assert schema.get("NAME") == "StdRegProv"
        assert [item.get("TYPE") for item in schema.iterfind("METHOD[@NAME='EnumKey']/PARAMETER")] == ["uint32"]
        assert schema.find("METHOD[@NAME='EnumKey']/PARAMETER.ARRAY").get("NAME") == "sNames"
        client.update_max_payload_size()
        assert client.max_envelope_size == 500 * 1024
    assert [entry.action for entry in lab.log.entries] == ["GetClass", "Get"]
