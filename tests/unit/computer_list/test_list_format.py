# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A computer list comes back from its file as it went, and every other file is refused with what is wrong with it."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import jsonschema
import lists
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list import writing
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.fields import check_document
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import Export, FullList
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.reading import of_kind_export, of_kind_full, parse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError

pytestmark = pytest.mark.tier("test")

DOCS = Path(__file__).resolve().parents[3] / "docs"
SCHEMA = json.loads((DOCS / "computer_list.schema.json").read_text(encoding="utf-8"))
GUIDE = DOCS / "docsite/rst/computer_list.rst"
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
DOCUMENTS = lists.full_lists | lists.exports


def refusal(data: bytes) -> str:
    with pytest.raises(ActivationError) as refused:
        parse(data, "list.json")
    assert refused.value.source == "file"
    return refused.value.message


def signed(document: dict[str, Any]) -> bytes:
    """A document as somebody writes it who knows the format."""
    return json.dumps({**document, "checksum": writing.checksum(document)}).encode()


@given(DOCUMENTS)
def test_what_is_written_is_read_as_it_was(document: FullList | Export):
    again = parse(writing.render(document), "list.json")
    if isinstance(document, Export):
        document.products.sort(key=lambda product: product.identifier)
    assert again == document
    assert writing.render(again) == writing.render(document)


@given(DOCUMENTS, st.data())
def test_a_file_that_was_cut_short_is_refused_wherever_it_ends(document: FullList | Export, data: st.DataObject):
    text = writing.render(document)
    length = data.draw(st.integers(0, len(text.rstrip()) - 1))
    said = refusal(text[:length])
    assert "is empty" in said or "cut short" in said
    assert said.endswith("Copy it once more from where it came, or take the newest of its backups.")


@given(DOCUMENTS, st.data())
def test_a_byte_that_was_changed_is_noticed(document: FullList | Export, data: st.DataObject):
    text = bytearray(writing.render(document))
    place = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != text[place]))
    text[place] = byte
    try:
        again = parse(bytes(text), "list.json")
    except ActivationError as refused:
        said = refused.message
    else:
        said = "."
        # White space, and letters in an escape, may be written in another way.
        assert writing.render(again) == writing.render(document)
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "list.json is empty."),
        (b"\x00" * 4096, "list.json is empty."),
        (b"<SoftwareLicensingData/>", "list.json is no computer list: line 1, column 1 is not JSON (Expecting value)."),
        (b"\xff\xfe{\x00}\x00", "list.json is no computer list: byte 1 is not UTF-8."),
        (b"[]", "list.json is JSON, but no computer list: it has no field format."),
        (b"{}", "list.json is JSON, but no computer list: it has no field format."),
        (b'{"format": "x"}', "list.json is no computer list: its format is 'x', and has to be 'winops.volume_activation.computer_list'."),
        (b'{"format": NaN}', "list.json is no computer list: it has a number, or so many levels, as no computer list has."),
        (b'{"format": ' + b"[" * 100000 + b"]" * 100000 + b"}", "list.json is no computer list: it has a number, or so many levels"),
        (b'{"format": "x", "format": "y"}', "list.json was changed by hand: the name 'format' stands twice in one object."),
        (b'{"a": 1} {"b": 2}', "list.json is no computer list: line 1, column 10 is not JSON (Extra data)."),
    ],
)
def test_another_file_is_refused_with_what_it_is(data: bytes, said: str):
    assert refusal(data).startswith(said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "list.json is of version 2, and this collection knows 1; install a newer one."),
        (
            {"version": 0},
            "list.json is of version 0, which this collection reads no more; save it anew with the one that wrote it.",
        ),
        ({"version": "1"}, "list.json: version is '1', and has to be a number."),
        ({"version": True}, "list.json: version is true, and has to be a number."),
        ({"kind": "half"}, 'list.json: kind is "half", and has to be full or export.'),
        ({"list_id": "mine"}, 'list.json: list_id is "mine", and has to be a GUID in small letters such as'),
        ({"saved": "yesterday"}, 'list.json: saved is "yesterday", and has to be a time such as 2026-11-27T03:42:07Z.'),
        ({"saved": "2026-02-30T03:42:07Z"}, 'list.json: saved is "2026-02-30T03:42:07Z", and has to be a time such as'),
        ({"computers": []}, "list.json: computers is [], and has to be an object."),
        ({"author": "me"}, "list.json: there is no field author."),
    ],
)
def test_a_field_that_is_wrong_is_named(change: dict[str, Any], said: str):
    document = {**writing.as_json(lists.isolated()), **change}
    del document["checksum"]
    assert refusal(signed(document)).startswith(said)


def test_a_field_that_is_missing_or_deep_inside_is_named():
    document = writing.as_json(lists.isolated(1))
    product = document["computers"]["iso-001"]["products"][lists.WINDOWS_10]
    product["installation_id"] = "12a"
    where = f"computers.iso-001.products.{lists.WINDOWS_10}.installation_id"
    assert refusal(signed_again(document)).startswith(f'list.json: {where} is "12a", and has to be digits, or empty.')
    del product["installation_id"]
    assert refusal(signed_again(document)).startswith(f"list.json: the field {where} is missing.")


def signed_again(document: dict[str, Any]) -> bytes:
    return signed({name: value for name, value in document.items() if name != "checksum"})


def test_an_edit_is_noticed_by_the_checksum():
    text = writing.render(lists.isolated()).replace(b"oob_grace", b"licensed!", 1)
    assert refusal(text) == (
        "list.json was changed since it was written: its checksum does not fit. Copy it once more from where it came, or take the"
        " newest of its backups."
    )
    document = json.loads(writing.render(lists.isolated()))
    del document["checksum"]
    assert "its checksum does not fit" in refusal(json.dumps(document).encode())


def test_white_space_and_order_are_no_edit():
    full = lists.isolated()
    document = json.loads(writing.render(full))
    assert parse(json.dumps(dict(reversed(document.items()))).encode(), "list.json") == full


def test_two_products_with_one_identifier_are_refused():
    full = lists.isolated(2)
    one, two = full.entries()
    two.identifier = one.identifier
    assert "and has to be one that no other product has" in refusal(writing.render(full))


def test_the_other_kind_is_refused():
    full, export = lists.isolated(), Export("55c92734-d682-4d71-983e-d6ec3f16059f")
    assert of_kind_full(full, "x") is full
    assert of_kind_export(export, "x") is export
    with pytest.raises(ActivationError, match=r"x is an export \(kind: export\), and a full list is needed here \(kind: full\)\."):
        of_kind_full(export, "x")
    with pytest.raises(ActivationError, match=r"x is a full list \(kind: full\), and an export is needed here \(kind: export\)\."):
        of_kind_export(full, "x")


def places(value: Any, where: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [where, *(path for name, entry in inner for path in places(entry, (*where, name)))]


STRANGE = st.sampled_from(
    [None, True, 0, 1, 1.5, "", "x", "full", "export", "0" * 32, "é", [], {}, ["x"], {"x": 1}, "2026-11-27T03:42:07Z"]
)


@given(DOCUMENTS, st.data(), STRANGE)
def test_the_published_schema_takes_what_the_collection_takes(document: FullList | Export, data: st.DataObject, strange: Any):
    written = writing.as_json(document)
    assert VALIDATOR.is_valid(written)
    *parents, last = data.draw(st.sampled_from(places(written)[1:]))
    owner: Any = written
    for name in parents:
        owner = owner[name]
    kind = data.draw(st.sampled_from(["replace", "delete", "add"]))
    if kind == "replace":
        owner[last] = strange
    elif kind == "delete":
        del owner[last]
    elif isinstance(owner, dict):
        owner[data.draw(st.sampled_from(["x", "", "products", lists.WINDOWS_10]))] = strange
    else:
        owner.append(strange)
    assert VALIDATOR.is_valid(written) == (check_document(written) == ""), check_document(written)


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert VALIDATOR.is_valid(json.loads(writing.render(lists.isolated())))


def test_the_example_of_the_guide_is_a_list():
    text = GUIDE.read_text(encoding="utf-8").partition(".. code-block:: json\n\n")[2].partition("\nComputers stand under")[0]
    document = parse(textwrap.dedent(text).encode(), "example")
    assert isinstance(document, FullList)
    assert [product.pending for product in document.entries()] == [True]
