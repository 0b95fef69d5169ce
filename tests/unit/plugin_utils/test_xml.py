# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML from outside: what is not to be read ends in one exception, whoever sent it."""

from __future__ import annotations

import contextlib
import encodings
import pkgutil
from collections.abc import Callable

import pytest
from unit.timing import is_linear

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.xml import UnreadableXml, parse_xml
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.batch_request import Question
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.batch_response import UnreadableAnswer, parse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.replay import Replay
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.response import parse_body

pytestmark = pytest.mark.tier("quick")

PYTHONS = [module.name for module in pkgutil.iter_modules(encodings.__path__)]


@pytest.mark.parametrize("encoding", ["foo", "shift_jis", "utf-7", "idna", "rot13", "utf-32", "x" * 100_000])
def test_an_encoding_that_cannot_be_read_is_told(encoding: str):
    with pytest.raises(UnreadableXml, match=r"^is (in an encoding that cannot be read|not XML )"):
        parse_xml(f'<?xml version="1.0" encoding="{encoding}"?><a>+AGE-</a>'.encode())


@pytest.mark.parametrize("encoding", PYTHONS)
@pytest.mark.parametrize("body", [b"<a>\xff\xfe+AGE-</a>", b"<a>x</a>"])
def test_no_encoding_of_python_ends_in_anything_else(encoding: str, body: bytes):
    with contextlib.suppress(UnreadableXml):
        assert parse_xml(b'<?xml version="1.0" encoding="%b"?>%b' % (encoding.encode(), body)).tag == "a"


@pytest.mark.parametrize("encoding", ["foo", "shift_jis", "utf-7"])
def test_whoever_reads_xml_has_its_own_error_for_that(encoding: str):
    message = f'<?xml version="1.0" encoding="{encoding}"?><a>+AGE-</a>'
    with pytest.raises(ActivationError, match=r"the answer is (in an encoding|not XML)"):
        parse_body(message.encode(), "", "Identify")
    with pytest.raises(UnreadableAnswer):
        parse(message.encode(), Question("12345"))
    with pytest.raises(ActivationError, match=r"A recorded request is (in an encoding|not XML)"):
        Replay({"exchanges": [{"request": message.replace("+AGE-", "&")}]})


@pytest.mark.parametrize("text", ["<!DOCTYPE a><a/>", "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
def test_a_document_type_is_refused(text: str):
    with pytest.raises(UnreadableXml, match=r"^holds a document type declaration$"):
        parse_xml(text)


@pytest.mark.parametrize(
    "shape",
    [
        lambda count: b"<a>" * count + b"</a>" * count,
        lambda count: b"<a " + b" ".join(b'b%d="c"' % number for number in range(count)) + b"/>",
        lambda count: b"<a " + b" ".join(b'xmlns:b%d="c"' % number for number in range(count)) + b"/>",
        lambda count: b'<a b="' + b"c" * 10 * count + b'"/>',
        lambda count: b"<a>" + b"&lt;" * count + b"</a>",
    ],
    ids=["deep", "attributes", "namespaces", "a long attribute", "references"],
)
def test_what_is_as_large_as_an_answer_may_be_takes_linear_time(shape: Callable[[int], bytes]):
    assert is_linear(lambda text: list(parse_xml(text).iter()), shape, 80_000)
