# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers are read as the references describe them, written here by a writer of its own."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.cim import CimClass, Method, format_value, parse_value
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.response import (
    parse_body,
    parse_instance,
    parse_output,
    parse_page,
)

S = "http://www.w3.org/2003/05/soap-envelope"
A = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
N = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
W = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
SAMPLES = next(
    (folder / "shared" / "wsman-samples" for folder in Path(__file__).resolve().parents if (folder / "shared" / "wsman-samples").is_dir()),
    None,
)
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


def test_a_document_type_is_refused_before_its_entities_are_read():
    bomb = f'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><s:Envelope xmlns:s="{S}"><s:Body>&b;</s:Body></s:Envelope>'
    with pytest.raises(ActivationError, match="document type"):
        parse_body(bomb.encode(), ID, "a query")


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


@pytest.mark.skipif(SAMPLES is None, reason="the folder with real Windows responses is not beside this checkout")
def test_a_projection_of_a_real_german_windows():
    root = ET.fromstring((SAMPLES / "opennms01-enumerate-xmlfragment-de.xml").read_bytes())
    found = parse_page(root.find(f"{{{S}}}Body")[0])
    assert [parse_instance(item, {"Name": "string", "FreeSpace": "uint64", "Size": "uint64"}) for item in found.items] == [
        {"Name": "A:", "FreeSpace": None, "Size": None}
    ]
    assert found.context.startswith("uuid:9BF32A71")


@pytest.mark.skipif(SAMPLES is None, reason="the folder with real Windows responses is not beside this checkout")
def test_an_instance_of_a_real_windows_with_a_null_array():
    root = ET.fromstring((SAMPLES / "samm01-2016-enumerate-epr-nullarray-1item-context.xml").read_bytes())
    item = next(element for element in root.iter() if element.tag.endswith("}Win32_DiskDrive"))
    types = {
        "BytesPerSector": "uint32",
        "Capabilities": "uint16[]",
        "ErrorMethodology": "string",
        "MediaLoaded": "boolean",
        "Size": "uint64",
    }
    found = parse_instance(item, types)
    assert (found["BytesPerSector"], found["MediaLoaded"]) == (512, True)
    assert found["Capabilities"] == [3, 4]
    assert found["ErrorMethodology"] is None


SCALARS = st.one_of(
    *(
        st.tuples(st.just(name), st.integers(low, high))
        for name, low, high in [("uint8", 0, 255), ("uint32", 0, 2**32 - 1), ("uint64", 0, 2**64 - 1), ("sint32", -(2**31), 2**31 - 1)]
    ),
    st.tuples(st.just("boolean"), st.booleans()),
    st.tuples(st.just("string"), st.text(st.characters(blacklist_categories=("Cs", "Cc")))),
)


@given(SCALARS)
def test_every_scalar_is_read_back(case):
    cim_type, value = case
    written = {True: "true", False: "false"}[value] if isinstance(value, bool) else escape(str(value))
    element = parse_body(envelope(f'<p:X xmlns:p="urn:x"><p:v>{written}</p:v></p:X>'), ID, "x")
    assert parse_instance(element, {"v": cim_type}) == {"v": value}
    assert escape(format_value(value, cim_type)) == written


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_every_array_is_read_back(values):
    body = "".join(f"<p:v>{value}</p:v>" for value in values)
    element = parse_body(envelope(f'<p:X xmlns:p="urn:x">{body}</p:X>'), ID, "x")
    assert parse_instance(element, {"v": "uint32[]"}) == {"v": values}


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
