# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers are read as docs/facts/wire-values.md#instances and its neighbours describe them, written here by a writer of its own."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.cim import (
    CimClass,
    Embedded,
    Method,
    format_value,
    parse_value,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.fault import WsmanFault
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.response import (
    parse_body,
    parse_instance,
    parse_output,
    parse_page,
)

pytestmark = pytest.mark.tier("quick")

S = "http://www.w3.org/2003/05/soap-envelope"
A = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
N = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
W = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
ID = "uuid:0A6CE2B2-0DB9-4F35-8E5B-6C9B4A4F0B11"


def envelope(body: str, relates_to: str = ID) -> bytes:
    """A message as a server would write it, with prefixes of its own."""
    return (
        f'<E:Envelope xmlns:E="{S}" xmlns:adr="{A}" xml:lang="de-DE"><E:Header><adr:RelatesTo>{relates_to}</adr:RelatesTo></E:Header>'
        f"<E:Body>{body}</E:Body></E:Envelope>"
    ).encode()


def page(body: str, relates_to: str = ID):
    """The page in a message."""
    return parse_page(parse_body(envelope(body, relates_to), ID, "a query"))


def test_first_page_has_its_items_and_end_in_the_namespace_of_ws_management():
    found = page(
        f'<n:EnumerateResponse xmlns:n="{N}" xmlns:w="{W}"><n:EnumerationContext></n:EnumerationContext>'
        "<w:Items><w:XmlFragment><Name>Spooler</Name></w:XmlFragment></w:Items><w:EndOfSequence/></n:EnumerateResponse>"
    )
    assert [parse_instance(item, {"Name": "string"}) for item in found.items] == [{"Name": "Spooler"}]
    assert found.context == ""


def test_later_pages_have_them_in_that_of_ws_enumeration_and_a_new_context():
    found = page(
        f'<n:PullResponse xmlns:n="{N}"><n:EnumerationContext>uuid:2</n:EnumerationContext>'
        "<n:Items><x><Name>a</Name></x><x><Name>b</Name></x></n:Items></n:PullResponse>"
    )
    assert (len(found.items), found.context) == (2, "uuid:2")


def test_an_end_marker_inside_an_item_ends_nothing():
    found = page(
        f'<n:PullResponse xmlns:n="{N}"><n:Items><x><n:EndOfSequence/></x></n:Items>'
        "<n:EnumerationContext>uuid:3</n:EnumerationContext></n:PullResponse>"
    )
    assert found.context == "uuid:3"


def test_a_context_beside_an_end_marker_is_not_followed():
    found = page(
        f'<n:PullResponse xmlns:n="{N}"><n:EnumerationContext>uuid:4</n:EnumerationContext><n:Items/><n:EndOfSequence/></n:PullResponse>'
    )
    assert (found.items, found.context) == ([], "")


def test_no_result_has_no_items_at_all():
    assert (
        page(f'<n:EnumerateResponse xmlns:n="{N}" xmlns:w="{W}"><n:EnumerationContext/><w:EndOfSequence/></n:EnumerateResponse>').items
        == []
    )


def test_an_answer_to_another_request_is_refused():
    with pytest.raises(ActivationError, match="another request"):
        page(f'<n:PullResponse xmlns:n="{N}"/>', relates_to="uuid:other")


def test_the_case_of_the_message_id_does_not_matter():
    assert page(f'<n:PullResponse xmlns:n="{N}"/>', relates_to=ID.lower()).items == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-1", "us-ascii"])
def test_a_document_type_is_refused_in_any_encoding_before_its_entities_are_read(encoding: str):
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>' if "16" not in encoding else ""
    bomb = f'{declaration}<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><s:Envelope xmlns:s="{S}"><s:Body>&b;</s:Body></s:Envelope>'
    with pytest.raises(ActivationError, match="document type"):
        parse_body(bomb.encode(encoding), ID, "a query")


def test_a_foreign_document_type_is_refused_before_anything_is_fetched():
    with pytest.raises(ActivationError, match="document type"):
        parse_body(f'<!DOCTYPE x SYSTEM "file:///etc/passwd"><s:Envelope xmlns:s="{S}"/>'.encode(), ID, "a query")


@pytest.mark.parametrize(
    "body",
    [
        "<x>" * 100_000 + "</x>" * 100_000,
        "<x " + " ".join(f"a{number}='1'" for number in range(50_000)) + "/>",
        f"<x>{'<y/>' * 200_000}</x>",
    ],
    ids=["deep", "many attributes", "many elements"],
)
def test_an_answer_of_an_odd_build_is_read(body: str):
    """No stack is run down, however deep it is."""
    assert parse_instance(parse_body(envelope(body), ID, "x"), {"a": "string"}) == {"a": None}
    with pytest.raises(WsmanFault, match="gave no reason"):
        parse_body(envelope(f'<s:Fault xmlns:s="{S}"><s:Detail>{body}</s:Detail></s:Fault>'), ID, "x")


@pytest.mark.parametrize("message", [b"", b"<html><body>It works", b"<html><body>It works</body></html>", b"\x00\xff\xfe"])
def test_what_is_not_ws_management_says_so(message: bytes):
    with pytest.raises(ActivationError, match="something else listening"):
        parse_body(message, ID, "a query")


def test_null_empty_and_absent_differ_for_scalars_and_not_for_arrays():
    element = parse_body(
        envelope(f'<p:X xmlns:p="urn:x" xmlns:xsi="{XSI}"><p:a xsi:nil="true"/><p:b></p:b><p:d xsi:nil="true"/><p:e>1</p:e></p:X>'), ID, "x"
    )
    types = {"a": "string", "b": "string", "c": "string", "d": "uint8[]", "e": "uint8[]", "f": "uint8[]"}
    assert parse_instance(element, types) == {"a": None, "b": "", "c": None, "d": [], "e": [1], "f": []}


@pytest.mark.parametrize("wrapper", ["cim:Datetime", "Datetime"])
@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2013-04-15T16:28:43.488171Z", "2013-04-15T16:28:43.488171+00:00"),
        ("2013-04-15T16:28:43Z", "2013-04-15T16:28:43+00:00"),
        ("2013-04-15T18:28:43+02:00", "2013-04-15T18:28:43+02:00"),
    ],
)
def test_datetimes_stand_one_level_deeper(wrapper: str, text: str, utc: str):
    element = parse_body(
        envelope(
            f'<p:X xmlns:p="urn:x" xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common"><p:t><{wrapper}>{text}</{wrapper}></p:t></p:X>'
        ),
        ID,
        "x",
    )
    assert parse_instance(element, {"t": "datetime"})["t"].isoformat() == utc


def test_an_empty_output_is_success():
    rule = CimClass("MSFT_NetFirewallRule", methods={"Enable": Method()})
    element = parse_body(envelope('<p:Enable_OUTPUT xmlns:p="urn:x"/>'), ID, "x")
    assert parse_output(element, rule, "Enable") == {"ReturnValue": None}


STREET = CimClass("Win32_Street", properties={"Number": "uint8"})


@pytest.mark.parametrize(
    ("known", "sent", "why"),
    [
        ("uint32", "<Member>1</Member><Member>2</Member>", "2 values where WMI has a single one"),
        ("uint32", "<Member>1_0</Member>", "'1_0' where WMI has a value of type uint32"),
        ("uint32", "<Member></Member>", "'' where WMI has a value of type uint32"),
        ("uint8[]", "<Member>1</Member><Member>256</Member>", "256, which is outside the range of uint8"),
        ("string", "<Member><Part>a</Part></Member>", "elements where WMI has a value of type string"),
        ("char16", "<Member>ab</Member>", "'ab' where WMI has a value of type char16"),
        ("datetime", "<Member><Datetime>20130415</Datetime><Datetime>x</Datetime></Member>", "elements where"),
        ("datetime", "<Member><Interval>P</Interval></Member>", "'P' where WMI has a value of type datetime"),
        ("datetime", "<Member><Interval>P99999999999D</Interval></Member>", "where WMI has a value of type datetime"),
        ("datetime", "<Member>2013041516****.******+000</Member>", "where WMI has a value of type datetime"),
        ("reference", "<Member><Part>a</Part></Member>", "a reference that names no resource"),
        (Embedded(STREET), "<Member>text</Member>", "a text where WMI has an instance of Win32_Street"),
        (Embedded(STREET), "<Member><Number>x</Number></Member>", "Number does not fit its type"),
        (Embedded(STREET), "<Member/><Member/>", "2 values where"),
    ],
)
def test_an_answer_that_does_not_fit_the_schema_says_what_and_where(known: str | Embedded, sent: str, why: str):
    with pytest.raises(ActivationError, match=rf"the answer's Member does not fit its type: .*{re.escape(why)}"):
        parse_instance(ET.fromstring(f"<X>{sent}</X>"), {"Member": known})


def test_a_null_among_the_elements_of_an_array_keeps_its_place():
    """StdRegProv.EnumValues answers two arrays that belong together by position."""
    element = ET.fromstring(f'<X xmlns:i="{XSI}"><Member>a</Member><Member i:nil="true"/><Member>c</Member></X>')
    assert parse_instance(element, {"Member": "string[]"}) == {"Member": ["a", None, "c"]}


@pytest.mark.parametrize(
    ("text", "cim_type"), [("x", "uint32"), ("-1", "uint8x"), ("4294967296", "uint32"), ("ja", "boolean"), ("gestern", "datetime")]
)
def test_what_is_no_value_of_its_type_is_refused(text: str, cim_type: str):
    with pytest.raises(ActivationError):
        parse_value(text, cim_type)


def test_a_negative_unsigned_number_is_that_of_the_same_bits():
    assert parse_value("-1", "uint32") == 2**32 - 1


@pytest.mark.parametrize(("value", "cim_type"), [(70000, "uint16"), (True, "uint16"), ("1", "uint32"), (1, "string"), (1, "boolean")])
def test_a_value_that_does_not_fit_is_not_sent(value, cim_type: str):
    with pytest.raises(ActivationError):
        format_value(value, cim_type)
