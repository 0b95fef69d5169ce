# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every form of a fault becomes one exception with the code that says most."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import namespaces as ns
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.fault import WsmanFault, check_hresult, parse_fault

pytestmark = pytest.mark.tier("quick")

F = ns.WSMAN_FAULT


def fault_of(detail: str, subcode: str = "w:InternalError", reason: str = "") -> WsmanFault:
    """The exception for a fault with this detail."""
    element = ET.fromstring(
        f'<s:Fault xmlns:s="{ns.SOAP}"><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code>'
        f'<s:Reason><s:Text xml:lang="de-DE">{reason}</s:Text></s:Reason><s:Detail>{detail}</s:Detail></s:Fault>'
    )
    return parse_fault(element, "kms-1: SoftwareLicensingService.InstallProductKey")


def test_plain_fault():
    fault = fault_of(f'<f:WSManFault xmlns:f="{F}" Code="2150858793" Machine="x"><f:Message>Zeit</f:Message></f:WSManFault>', "w:TimedOut")
    assert fault.timed_out
    assert fault.shown_code == "0x80338029"


def test_a_nested_code_says_more_than_the_outer_one():
    fault = fault_of(
        f'<f:WSManFault xmlns:f="{F}" Code="2150859038"><f:Message><f:ProviderFault provider="p"><f:WSManFault Code="2147942402" xmlns:f="{F}">'
        "<f:Message>nicht gefunden</f:Message></f:WSManFault></f:ProviderFault></f:Message></f:WSManFault>"
    )
    assert fault.shown_code == "0x80070002"


@pytest.mark.parametrize("outer", [2150858752, 2150859010, 3221549136])
def test_an_hresult_that_stands_only_in_the_text_is_found(outer: int):
    fault = fault_of(
        f'<f:WSManFault xmlns:f="{F}" Code="{outer}"><f:Message><f:ProviderFault provider="p"><f:WSManFault Code="{outer}" xmlns:f="{F}">'
        "<f:Message>Der WMI-Dienst hat einen unbekannten Fehler gemeldet: HRESULT 0xc004f050 </f:Message></f:WSManFault></f:ProviderFault>"
        "</f:Message></f:WSManFault>"
    )
    assert fault.shown_code == "0xC004F050"
    assert "kms-1" in fault.message


def test_wmi_error_of_the_newer_providers():
    fault = fault_of(
        '<p:MSFT_WmiError xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/standardcimv2/MSFT_WmiError"'
        ' xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd" b:IsCIM_Error="true"><p:CIMStatusCode>6</p:CIMStatusCode>'
        "<p:MessageID>HRESULT 0x80041002</p:MessageID><p:error_Code>2147749890</p:error_Code></p:MSFT_WmiError>"
    )
    assert fault.not_found
    assert fault.shown_code == "0x80041002"


def test_a_fault_without_any_detail_still_has_a_sentence():
    fault = fault_of("", reason="")
    assert fault.shown_code == ""
    assert "InternalError" in fault.message


def test_the_codes_name_is_taken_from_the_error_table():
    fault = fault_of('<p:MSFT_WmiError xmlns:p="urn:x"><p:error_Code>3221549112</p:error_Code></p:MSFT_WmiError>')
    assert (fault.shown_code, fault.name != "") == ("0xC004F038", True)


@pytest.mark.parametrize(("code", "ok"), [(None, True), (0, True), (5, True), (-1073418160, False), (0x80041002, False)])
def test_what_a_method_returns_is_judged_like_a_fault_where_it_is_an_hresult(code: int | None, ok: bool):
    if ok:
        check_hresult(code, "x")
        return
    with pytest.raises(WsmanFault) as caught:
        check_hresult(code, "x")
    assert caught.value.codes == [code & 0xFFFFFFFF]
    assert caught.value.name


def test_an_unknown_code_without_a_text_is_named_once():
    with pytest.raises(WsmanFault) as caught:
        check_hresult(0x8FFF1234, "kms-1: call")
    assert caught.value.message.startswith("kms-1: call failed with 0x8FFF1234: a code that this collection does not know")
    assert caught.value.message.endswith("shows its text.")


@pytest.mark.parametrize(("inner", "missing"), [("2147942402", True), ("2147749890", True), ("2147942405", False), ("", True)])
def test_an_instance_is_missing_only_if_nothing_else_is_behind_it(inner: str, missing: bool):
    nested = f'<f:WSManFault xmlns:f="{F}" Code="{inner}"><f:Message/></f:WSManFault>' if inner else ""
    fault = fault_of(
        f'<f:WSManFault xmlns:f="{F}" Code="2150858752"><f:Message><f:ProviderFault>{nested}</f:ProviderFault></f:Message></f:WSManFault>'
    )
    assert fault.not_found == missing


def error_object(**parts: object) -> WsmanFault:
    """The fault of a provider that reports a CIM error of its own."""
    lines = "".join(f"<p:{name}>{value}</p:{name}>" for name, value in parts.items())
    return fault_of(
        '<p:MSFT_WmiError xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/standardcimv2/MSFT_WmiError"'
        f' xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd" b:IsCIM_Error="true">{lines}</p:MSFT_WmiError>'
    )


@pytest.mark.parametrize(
    ("parts", "code", "missing"),
    [
        # One number, four types, four meanings.
        ({"error_Type": "MI", "error_Code": 2}, "0x80041003", False),
        ({"error_Type": "WIN32", "error_Code": 2}, "0x80070002", True),
        ({"error_Type": "HRESULT", "error_Code": 2}, "HRESULT 2", False),
        ({"error_Type": "NETSH", "error_Code": 2}, "NETSH 2", False),
        ({"error_Type": "MI", "error_Code": 6}, "0x80041002", True),
        ({"error_Type": "WIN32", "error_Code": 6}, "0x80070006", False),
        ({"error_Type": "MI", "error_Code": 5}, "0x80041010", False),
        ({"error_Type": "WIN32", "error_Code": 5}, "0x80070005", False),
        ({"error_Type": "MI", "error_Code": 11}, "0x80041019", False),
        ({"error_Type": " mi ", "error_Code": 6}, "0x80041002", True),
        ({"error_Type": "HRESULT", "error_Code": 2147749890}, "0x80041002", True),
        ({"error_Type": "HRESULT", "error_Code": -2147217406}, "0x80041002", True),
        ({"error_Type": "WMI", "error_Code": 2147749891}, "0x80041003", False),
        ({"error_Type": "WIN32", "error_Code": 2150858752}, "0x80338000", True),
        # MI_Result that no HRESULT stands for, and numbers that it does not have.
        ({"error_Type": "MI", "error_Code": 27}, "MI RESULT 27", False),
        ({"error_Type": "MI", "error_Code": 2147749890}, "MI RESULT 2147749890", False),
        # Without a type MessageID has it, and without that CIMStatusCode decides.
        ({"MessageID": "MI RESULT 6", "error_Code": 6}, "0x80041002", True),
        ({"MessageID": "MI RESULT 2"}, "0x80041003", False),
        ({"MessageID": "Windows System Error 2", "error_Code": 2}, "0x80070002", True),
        ({"MessageID": "HRESULT 0x80041003", "error_Code": 2147749891}, "0x80041003", False),
        ({"CIMStatusCode": 6, "error_Code": 2}, "0x80041002", True),
        ({"CIMStatusCode": 2, "error_Code": 6}, "0x80041003", False),
        ({"CIMStatusCode": 6}, "0x80041002", True),
        ({"CIMStatusCode": 3}, "0x8004100E", False),
        ({"CIMStatusCode": 200}, "CIMStatusCode 200", False),
        ({"error_Code": 6}, "error_Code 6", False),
        # The type counts, whatever stands beside it.
        ({"error_Type": "MI", "error_Code": 2, "CIMStatusCode": 6, "MessageID": "HRESULT 0x80041002"}, "0x80041003", False),
        ({"Message": "0x80041002 zu oeffnen", "error_Type": "MI", "error_Code": 2}, "0x80041003", False),
        ({"error_Type": "NETSH", "error_Code": 6, "CIMStatusCode": 6}, "NETSH 6", False),
    ],
)
def test_the_type_of_a_code_decides_what_its_number_means(parts: dict[str, object], code: str, missing: bool):
    fault = error_object(**parts)
    assert (fault.shown_code, fault.not_found) == (code, missing)


def test_a_code_of_its_own_is_told_by_type_name_and_meaning():
    fault = error_object(error_Type="MI", error_Code=27, Message="Zu viel")
    assert fault.name == "MI_RESULT_SERVER_LIMITS_EXCEEDED"
    assert fault.message == (
        "kms-1: SoftwareLicensingService.InstallProductKey failed with MI RESULT 27 (MI_RESULT_SERVER_LIMITS_EXCEEDED): the server's"
        " limits are exceeded. Windows said: Zu viel."
    )


ODD_NUMBERS = ["²³", "٢", "6" * 6000, "-6", "6.0", "0x6", "1e1", "6 6", "4294967302", "NaN"]


@pytest.mark.parametrize("text", ODD_NUMBERS)
@pytest.mark.parametrize(
    "form",
    [
        (
            '<f:WSManFault xmlns:f="{uri}" Code="2150858752"><f:Message><f:ProviderFault><f:WSManFault Code="{text}"><f:Message/>'
            "</f:WSManFault></f:ProviderFault></f:Message></f:WSManFault>"
        ),
        '<f:WSManFault xmlns:f="{uri}" Code="{text}"><f:Message/></f:WSManFault>',
        (
            '<f:WSManFault xmlns:f="{uri}" Code="2150858752"><f:Message><f:ProviderFault><f:ExtendedError><p:__ExtendedStatus'
            ' xmlns:p="urn:x"><p:StatusCode>{text}</p:StatusCode></p:__ExtendedStatus></f:ExtendedError></f:ProviderFault></f:Message>'
            "</f:WSManFault>"
        ),
        '<p:MSFT_WmiError xmlns:p="urn:x"><p:error_Type>MI</p:error_Type><p:error_Code>{text}</p:error_Code></p:MSFT_WmiError>',
        '<p:MSFT_WmiError xmlns:p="urn:x"><p:CIMStatusCode>{text}</p:CIMStatusCode></p:MSFT_WmiError>',
    ],
    ids=["inner", "outer", "status", "typed", "cim"],
)
def test_what_is_no_code_is_shown_in_short_and_equals_none(form: str, text: str):
    fault = fault_of(form.format(uri=F, text=text))
    assert not fault.not_found
    assert fault.shown_code
    assert len(fault.message) < 300
    assert fault.message.isprintable()


@pytest.mark.parametrize("status", ["5", "2", "1168"])
def test_a_providers_own_status_number_is_no_win32_code(status: str):
    fault = fault_of(
        f'<f:WSManFault xmlns:f="{F}" Code="2150858752"><f:Message><f:ProviderFault><f:ExtendedError><p:__ExtendedStatus xmlns:p="urn:x">'
        f"<p:StatusCode>{status}</p:StatusCode></p:__ExtendedStatus></f:ExtendedError></f:ProviderFault></f:Message></f:WSManFault>"
    )
    assert (fault.shown_code, fault.not_found) == (f"StatusCode {status}", False)


@pytest.mark.parametrize("text", ["sieh 0x80041002", "Adresse 0x00000000, dann 0x80070002"])
@pytest.mark.parametrize("placed", ["5", "2150859012"])
def test_a_code_in_its_place_counts_before_one_that_a_text_mentions(placed: str, text: str):
    fault = fault_of(
        f'<f:WSManFault xmlns:f="{F}" Code="{placed}"><f:Message><f:ProviderFault>{text}</f:ProviderFault></f:Message></f:WSManFault>'
    )
    assert fault.shown_code in ("0x80070005", "0x80338104")
    assert not fault.not_found


def test_the_words_of_the_host_are_one_visible_line():
    fault = fault_of(f'<f:WSManFault xmlns:f="{F}" Code="1"><f:Message>a\nok: [kms-1]\x9b31m\u202e{"x" * 70000}</f:Message></f:WSManFault>')
    assert fault.message.isprintable()
    assert len(fault.message) < 1000
