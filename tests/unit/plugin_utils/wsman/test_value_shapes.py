# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a writer of the documented shapes writes is read back, for every type, in every form and split into any pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from unit.plugin_utils.wsman import shapes
from unit.plugin_utils.wsman.shapes import Shape, Writer

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.cim import CimClass, CimType, Embedded, Method, Reference
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session

pytestmark = pytest.mark.tier("test")

# A message takes hundreds of choices: to make a failing one small would take minutes.
UNSHRUNK = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate], max_examples=60)
CONTEXT = re.compile(r"<(?:\w+:)?EnumerationContext>(.*?)</")


class Server:
    """A carrier that sends prepared bodies, in order, and notes the contexts that it was asked with."""

    endpoint = "http://host:5985/wsman"

    def __init__(self, writer: Writer, bodies: list[str]) -> None:
        self._writer = writer
        self._bodies = iter(bodies)
        self.asked: list[str] = []

    def send(self, message: bytes) -> bytes:
        text = message.decode()
        self.asked += CONTEXT.findall(text)
        return self._writer.message(next(self._bodies), re.search(r"MessageID>(.*?)<", text)[1])

    def reconnect(self) -> None:
        raise AssertionError("nothing broke")

    def close(self) -> None:
        pass


def cim_type(shape: Shape) -> CimType:
    """The collection's own way to say a type."""
    if shape.members is not None:
        return Embedded(cim_class(shape.name, shape.members), shape.is_array)
    return shape.name + ("[]" if shape.is_array else "")


def cim_class(name: str, members: dict[str, Shape]) -> CimClass:
    types = {member: cim_type(shape) for member, shape in members.items()}
    return CimClass(name, types, {"Read": Method(outputs={member: kind for member, kind in types.items() if member != "ReturnValue"})})


def plain(value: Any) -> Any:
    """The collection's references as those of the tests."""
    if isinstance(value, Reference):
        return shapes.Reference(value.resource_uri, dict(value.selectors))
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list) else value


@UNSHRUNK
@given(st.data())
def test_a_query_gives_its_rows_in_any_form_and_any_pages(data: st.DataObject) -> None:
    types = data.draw(shapes.members())
    table = data.draw(st.lists(shapes.rows(types), max_size=6))
    writer = Writer(data.draw)
    form = writer.choose(*shapes.FORMS)
    items = [writer.item(form, "Win32_Derived", types, row) for row in table]
    # A page without items may be the first, the last, or one between.
    cuts = sorted(data.draw(st.lists(st.integers(0, len(items)), max_size=4)))
    pages = [items[start:end] for start, end in zip([0, *cuts], [*cuts, len(items)], strict=True)]
    moving = writer.choose(True, False)
    contexts = [f"uuid:{number if moving else 0}" for number in range(len(pages) - 1)]
    bodies = [
        writer.page(page, context, first=number == 0) for number, (page, context) in enumerate(zip(pages, [*contexts, ""], strict=True))
    ]
    server = Server(writer, bodies)
    found = Session(server, "host").query(cim_class("Win32_Base", types), list(types))
    assert plain(found) == [shapes.expected(types, row) for row in table]
    assert server.asked == contexts


@UNSHRUNK
@given(st.data())
def test_an_instance_is_read_back(data: st.DataObject) -> None:
    types = data.draw(shapes.members())
    row = data.draw(shapes.rows(types))
    writer = Writer(data.draw)
    server = Server(writer, [writer.object("Win32_X", types, row)])
    assert plain(Session(server, "host").get(cim_class("Win32_X", types), {"Name": "a"})) == shapes.expected(types, row)


@UNSHRUNK
@given(st.data())
def test_the_output_of_a_method_is_read_back(data: st.DataObject) -> None:
    types = {**data.draw(shapes.members()), "ReturnValue": Shape("uint32")}
    row = data.draw(shapes.rows(types))
    # One with the high bit set is an HRESULT, and no output.
    row["ReturnValue"] = data.draw(st.none() | st.integers(0, 0x7FFFFFFF))
    writer = Writer(data.draw)
    server = Server(writer, [writer.object("Read_OUTPUT", types, row)])
    assert plain(Session(server, "host").invoke(cim_class("Win32_X", types), "Read")) == shapes.expected(types, row)


@UNSHRUNK
@given(st.data())
def test_a_value_of_another_type_is_refused_by_name_or_is_a_value_of_both(data: st.DataObject) -> None:
    """Nothing but a clear error, or a value that Python has for the type asked for."""
    sent, known = data.draw(shapes.shapes()), data.draw(shapes.shapes())
    value = data.draw(shapes.values(sent))
    writer = Writer(data.draw)
    server = Server(writer, [writer.object("Win32_X", {"Member": sent}, {"Member": value})])
    refusal = ""
    try:
        found = Session(server, "host").get(cim_class("Win32_X", {"Member": known}), {"Name": "a"})["Member"]
    except ActivationError as error:
        refusal = error.message
    assert "Member" in refusal if refusal else isinstance(found, list) == known.is_array
