# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the BatchActivation service answers (docs/facts/mak.md#answer). Pure.

An answer that cannot be read may stand for an activation that was counted, so it is read as generously as it can be without guessing:
elements go by their local names, whatever their prefixes and wherever they stand.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from .._core.errors import ActivationError
from .._core.text import one_line, visible
from .._core.xml import HoldsDoctype, UnreadableXml, parse_xml
from .._licensing.offline_ids import MOST_DIGITS
from .batch_request import Question, RequestType

_DECLARATION = re.compile(r"<\?xml\s[^>]*\?>")
_BETWEEN_GROUPS = re.compile(r"[\s-]+")
_LONGEST_CODE = 24
_LONGEST_FAULT = 200


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """What the service said.

    Attributes:
        confirmation_id: Digits only; empty where none was asked for or there is an error.
        remaining: The activations that the key has left; C(None) where they were not asked for or are not in the answer.
        error: The error code; 0 where there is none.
    """

    confirmation_id: str = ""
    remaining: int | None = None
    error: int = 0


class UnreadableAnswer(ActivationError):
    """What came is no answer of the service to this request."""

    def __init__(self, clause: str) -> None:
        super().__init__(f"the answer {clause}", source="microsoft")


def parse(message: bytes, question: Question) -> BatchAnswer:
    """The answer to a request.

    Args:
        message: The body of the HTTP answer.
        question: What was asked.

    Raises:
        UnreadableAnswer: It is none, or one to something else.
    """
    inner = _inner(_tree(message, "is no XML, or not all of it"))
    answered = _one(inner, "ResponseType")
    repeated = _BETWEEN_GROUPS.sub("", _one(inner, "IID"))
    if question.installation_id and repeated and repeated != question.installation_id:
        raise UnreadableAnswer("belongs to another installation ID")
    if error := _error(_one(inner, "ErrorCode")):
        return BatchAnswer(remaining=_number(_one(inner, "ActivationRemaining")), error=error)
    if answered and answered != str(int(question.kind)):
        raise UnreadableAnswer("is one to another kind of request")
    if question.kind == RequestType.REMAINING:
        remaining = _number(_one(inner, "ActivationRemaining"))
        if remaining is None:
            raise UnreadableAnswer("holds no number of activations")
        return BatchAnswer(remaining=remaining)
    digits = _BETWEEN_GROUPS.sub("", _one(inner, "CID"))
    if not (digits.isascii() and digits.isdigit()):
        raise UnreadableAnswer("holds no confirmation ID")
    if len(digits) > MOST_DIGITS:
        raise UnreadableAnswer(f"holds a confirmation ID of {len(digits)} digits, which no Windows takes")
    return BatchAnswer(confirmation_id=digits)


def fault_text(message: bytes) -> str:
    """What the SOAP fault in the body of an HTTP error says, cut to a line; empty where there is none."""
    try:
        texts = [_text(element) for element in _tree(message, "is no XML, or not all of it").iter() if _local(element) == "faultstring"]
    except UnreadableAnswer:
        return ""
    return one_line(" ".join(texts), _LONGEST_FAULT)


def _tree(message: bytes | str, complaint: str) -> ET.Element:
    try:
        return parse_xml(message)
    except HoldsDoctype as doctype:
        raise UnreadableAnswer(str(doctype)) from None
    except UnreadableXml:
        raise UnreadableAnswer(complaint) from None


def _inner(outer: ET.Element) -> ET.Element:
    """The XML inside: text that declares UTF-16, which it was before it was put into an answer in UTF-8."""
    carriers = [element for element in outer.iter() if _local(element) == "ResponseXml"]
    if len(carriers) != 1:
        raise UnreadableAnswer("is not one of the BatchActivation service")
    text = (carriers[0].text or "").strip().lstrip("\ufeff").lstrip()
    return _tree(_DECLARATION.sub("", text, count=1), "holds something else than XML")


def _one(inner: ET.Element, name: str) -> str:
    """The text of the elements of that name, which must not differ; empty where there is none."""
    texts = {text for element in inner.iter() if _local(element) == name and (text := _text(element))}
    if len(texts) > 1:
        raise UnreadableAnswer(f"holds several {name}")
    return next(iter(texts), "")


def _error(text: str) -> int:
    """An error code, written as C(0x67), C(C004C017) or a signed number; 0 where there is none."""
    if not text:
        return 0
    try:
        code = int(text, 16) if re.fullmatch(r"[0-9A-Fa-f]{8}", text) else int(text, 0)
    except ValueError:
        raise UnreadableAnswer(f"holds the error code '{visible(text, _LONGEST_CODE)}', which is no number") from None
    return code & 0xFFFFFFFF


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else None


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(element: ET.Element) -> str:
    return (element.text or "").strip()
