# Copyright: (c) 2026, winops contributors
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
    assert fault.code == "0x80338029"


def test_a_nested_code_says_more_than_the_outer_one():
    fault = fault_of(
        f'<f:WSManFault xmlns:f="{F}" Code="2150859038"><f:Message><f:ProviderFault provider="p"><f:WSManFault Code="2147942402" xmlns:f="{F}">'
        "<f:Message>nicht gefunden</f:Message></f:WSManFault></f:ProviderFault></f:Message></f:WSManFault>"
    )
    assert fault.code == "0x80070002"


@pytest.mark.parametrize("outer", [2150858752, 2150859010, 3221549136])
def test_an_hresult_that_stands_only_in_the_text_is_found(outer: int):
    fault = fault_of(
        f'<f:WSManFault xmlns:f="{F}" Code="{outer}"><f:Message><f:ProviderFault provider="p"><f:WSManFault Code="{outer}" xmlns:f="{F}">'
        "<f:Message>Der WMI-Dienst hat einen unbekannten Fehler gemeldet: HRESULT 0xc004f050 </f:Message></f:WSManFault></f:ProviderFault>"
        "</f:Message></f:WSManFault>"
    )
    assert fault.code == "0xC004F050"
    assert "kms-1" in fault.message


def test_wmi_error_of_the_newer_providers():
    fault = fault_of(
        '<p:MSFT_WmiError xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/standardcimv2/MSFT_WmiError"'
        ' xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd" b:IsCIM_Error="true"><p:CIMStatusCode>6</p:CIMStatusCode>'
        "<p:MessageID>HRESULT 0x80041002</p:MessageID><p:error_Code>2147749890</p:error_Code></p:MSFT_WmiError>"
    )
    assert fault.not_found
    assert fault.code == "0x80041002"


def test_a_fault_without_any_detail_still_has_a_sentence():
    fault = fault_of("", reason="")
    assert fault.code == ""
    assert "InternalError" in fault.message


def test_the_codes_name_is_taken_from_the_error_table():
    fault = fault_of('<p:MSFT_WmiError xmlns:p="urn:x"><p:error_Code>3221549112</p:error_Code></p:MSFT_WmiError>')
    assert (fault.code, fault.name != "") == ("0xC004F038", True)


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
