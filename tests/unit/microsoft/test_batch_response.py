# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Microsoft answers, in every form that means the same, and what cannot be read."""

from __future__ import annotations

from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing import batch_errors
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.batch_request import Question
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.batch_response import (
    BatchAnswer,
    UnreadableAnswer,
    fault_text,
    parse,
)

pytestmark = pytest.mark.tier("quick")

PID = "03612-00206-271-344265-03-1033-20348.0000-0012026"
IID = "0123456" * 9
CID = "012345" * 8
FOR_CID, FOR_COUNT = Question(PID, IID), Question(PID)
DECLARATION = '<?xml version="1.0" encoding="utf-16"?>'
NAMESPACE = "http://www.microsoft.com/DRM/SL/BatchActivationResponse/1.0"


def inner(*elements: str, prefix: str = "", between: str = "") -> str:
    """The inner XML, with each element given as name=text."""
    mark = f"{prefix}:" if prefix else ""
    declared = f"xmlns:{prefix}" if prefix else "xmlns"

    def written(text: str) -> str:
        name, _equals, value = text.partition("=")
        return f"{between}<{mark}{name}>{value}</{mark}{name}>{between}"

    outside = [element for element in elements if element.startswith("ResponseType")]
    inside = "".join(written(element) for element in elements if element not in outside)
    return (
        f'<{mark}ActivationResponse {declared}="{NAMESPACE}">{between}<{mark}VersionNumber>2.0</{mark}VersionNumber>'
        f"{''.join(map(written, outside))}<{mark}Responses><{mark}Response>{inside}</{mark}Response></{mark}Responses>"
        f"</{mark}ActivationResponse>"
    )


def message(text: str, prefix: str = "soap", declaration: str = DECLARATION) -> bytes:
    """The answer around the inner XML."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><{prefix}:Envelope xmlns:{prefix}="http://schemas.xmlsoap.org/soap/envelope/">'
        f'<{prefix}:Body><BatchActivateResponse xmlns="http://www.microsoft.com/BatchActivationService"><BatchActivateResult>'
        f"<ResponseXml>{escape(declaration + text)}</ResponseXml></BatchActivateResult></BatchActivateResponse></{prefix}:Body>"
        f"</{prefix}:Envelope>"
    ).encode()


CONFIRMED = inner("ResponseType=1", f"PID={PID}", f"IID={IID}", f"CID={CID}")


@pytest.mark.parametrize("declaration", [DECLARATION, "", f"\n  {DECLARATION}\n", f"\ufeff{DECLARATION}", "<?xml version='1.0'?>"])
@pytest.mark.parametrize("prefix", ["", "a"])
@pytest.mark.parametrize("between", ["", "\n  "])
def test_a_confirmation_id_in_every_dress(declaration: str, prefix: str, between: str):
    text = inner("ResponseType=1", f"PID={PID}", f"IID={between}{IID}", f"CID={between}{CID}", prefix=prefix, between=between)
    assert parse(message(text, prefix or "soap", declaration), FOR_CID) == BatchAnswer(confirmation_id=CID)


@pytest.mark.parametrize(
    ("elements", "answer"),
    [
        (["ResponseType=1", f"CID={'-'.join(CID[start : start + 6] for start in range(0, 48, 6))}"], BatchAnswer(CID)),
        (["ResponseType=1", f"CID={CID}", "ErrorCode="], BatchAnswer(CID)),
        (["ResponseType=1", f"CID={CID}123456"], BatchAnswer(f"{CID}123456")),
        (["ResponseType=1", "CID=", "ErrorCode=0x7F"], BatchAnswer(error=0x7F)),
        (["ResponseType=1", f"PID={PID}", f"IID={IID}", "ErrorCode=0xC004C017"], BatchAnswer(error=0xC004C017)),
        (["ErrorCode=0x90"], BatchAnswer(error=0x90)),
        (["ErrorCode=C004C017"], BatchAnswer(error=0xC004C017)),
        (["ErrorCode=-1073430505"], BatchAnswer(error=0xC004C017)),
        (["ErrorCode=127"], BatchAnswer(error=0x7F)),
    ],
)
def test_answers_about_a_confirmation_id(elements: list[str], answer: BatchAnswer):
    assert parse(message(inner(*elements)), FOR_CID) == answer


@pytest.mark.parametrize(
    ("elements", "answer"),
    [
        (["ResponseType=2", f"PID={PID}", "ActivationRemaining=47"], BatchAnswer(remaining=47)),
        (["ResponseType=2", "ActivationRemaining=0"], BatchAnswer(remaining=0)),
        (["ResponseType=2", "ActivationRemaining=-1"], BatchAnswer(remaining=-1)),
        (["ResponseType=2", "ActivationRemaining=-1", "ErrorCode=0x67"], BatchAnswer(remaining=-1, error=0x67)),
        (["ErrorCode=0x67"], BatchAnswer(error=0x67)),
    ],
)
def test_answers_about_a_count(elements: list[str], answer: BatchAnswer):
    assert parse(message(inner(*elements)), FOR_COUNT) == answer


BOMB = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>'


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "is no XML, or not all of it"),
        (b"<html><body>Sign in</body></html>", "is not one of the BatchActivation service"),
        (b"<html><br>", "is no XML, or not all of it"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "is no XML, or not all of it"),
        (message("just text", declaration=""), "holds something else than XML"),
        (message(""), "holds something else than XML"),
        (message(CONFIRMED)[:-20], "is no XML, or not all of it"),
        (BOMB.encode() + b"<a>&c;</a>", "holds a document type declaration"),
        (message(BOMB + "<a>&c;</a>", declaration=""), "holds a document type declaration"),
        (message(inner("ResponseType=1")), "holds no confirmation ID"),
        (message(inner("ResponseType=1", "CID=012-34x")), "holds no confirmation ID"),
        (message(inner("ResponseType=1", "CID=" + "1" * 129)), "holds a confirmation ID of 129 digits, which no Windows takes"),
        (message(inner("ResponseType=2", f"CID={CID}")), "is one to another kind of request"),
        (message(inner("ResponseType=1", f"IID={IID[::-1]}", f"CID={CID}")), "belongs to another installation ID"),
        (message(inner("ResponseType=1", f"CID={CID}", f"CID={CID[::-1]}")), "holds several CID"),
        (message(inner("ErrorCode=busy")), "holds the error code 'busy', which is no number"),
    ],
)
def test_what_cannot_be_read_says_so(body: bytes, why: str):
    with pytest.raises(UnreadableAnswer) as unreadable:
        parse(body, FOR_CID)
    assert unreadable.value.message == f"the answer {why}"


def test_a_count_that_is_none_cannot_be_read():
    with pytest.raises(UnreadableAnswer, match="holds no number of activations"):
        parse(message(inner("ResponseType=2", "ActivationRemaining=many")), FOR_COUNT)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | st.text(max_size=100).map(lambda text: message(escape(text))))
def test_nothing_that_comes_is_a_traceback(body: bytes):
    with pytest.raises(UnreadableAnswer):
        parse(body, FOR_CID)


@given(st.integers(0, len(message(CONFIRMED)) - 1), st.binary(max_size=3))
def test_an_answer_that_was_damaged_is_read_or_refused(place: int, instead: bytes):
    whole = message(CONFIRMED)
    try:
        answer = parse(whole[:place] + instead + whole[place + len(instead) :], FOR_CID)
    except UnreadableAnswer:
        return
    assert answer.error or answer.confirmation_id.isdigit()


def test_the_text_of_a_fault():
    fault = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Server</faultcode>'
        "<faultstring>Server was unable\n  to process request.</faultstring></s:Fault></s:Body></s:Envelope>"
    )
    assert fault_text(fault.encode()) == "Server was unable to process request."
    assert fault_text(fault.replace("Server was", "x" * 300).encode()).endswith("x...")
    assert fault_text(b"Internal Server Error") == ""


# docs/facts/mak.md#answer-codes.
KINDS = {
    0x67: "key",
    0x68: "key",
    0x71: "key",
    0x7F: "key",
    0x86: "key",
    0x90: "iid",
    0xD5: "key",
    0xD6: "key",
    0xC004C017: "key",
    0x80131600: "service",
    0x80004003: "service",
}


def test_the_table_has_the_errors_of_the_facts_and_a_sentence_for_each():
    assert {row.code: row.kind for row in batch_errors.ROWS} == KINDS
    assert len(batch_errors.ROWS) == len(KINDS)
    for row in batch_errors.ROWS:
        assert batch_errors.sentence(row.code) == (f"0x{row.code:X}{f' ({row.name})' if row.name else ''}: {row.meaning}; {row.remedy}.")
        assert not row.meaning.endswith(".") and not row.remedy.endswith(".")
    assert batch_errors.sentence(0x42) == "0x42: a code that this collection does not know; ask Microsoft's licensing center."
    assert batch_errors.sentence(0xC004C003).startswith("0xC004C003 (SL_E_CHPA_PRODUCT_KEY_BLOCKED): ")
