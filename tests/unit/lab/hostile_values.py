# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that send one odd value: which values, where in an answer they stand, and what may come of a task.

What a module reads is found out from the messages that it sends on a sound host; no list of properties is written down here.
"""

from __future__ import annotations

import copy
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from unit.lab.product_session import DirectCarrier

from lab.windows.host import Host
from lab.wsman import namespaces as ns
from lab.wsman.request_log import Entry

NIL = {f"{{{ns.XSI}}}nil": "true"}
_CIM_TIME = f"{{{ns.CIM_COMMON}}}Datetime"
_CIM_INTERVAL = f"{{{ns.CIM_COMMON}}}Interval"


@dataclass(frozen=True)
class Place:
    """Where a value stands: a property of a class, or of the output of a method; ``which`` tells calls of one method apart."""

    owner: str
    name: str
    which: str = ""

    def __str__(self) -> str:
        return f"{self.owner}.{self.name}{f' ({self.which})' if self.which else ''}"


def _text(text: str) -> Callable[[ET.Element], list[ET.Element]]:
    def make(element: ET.Element) -> list[ET.Element]:
        made = ET.Element(element.tag)
        made.text = text
        return [made]

    return make


def _inside(child_tag: str, text: str) -> Callable[[ET.Element], list[ET.Element]]:
    def make(element: ET.Element) -> list[ET.Element]:
        made = ET.Element(element.tag)
        ET.SubElement(made, child_tag).text = text
        return [made]

    return make


def _instance(element: ET.Element) -> list[ET.Element]:
    """An object of some class where a single value belongs."""
    made = ET.Element(element.tag)
    inner = ET.SubElement(made, f"{{{ns.URI_WMI}root/cimv2/Win32_Trustee}}Win32_Trustee")
    ET.SubElement(inner, f"{{{ns.URI_WMI}root/cimv2/Win32_Trustee}}Name").text = "x"
    return [made]


VALUES: dict[str, Callable[[ET.Element], list[ET.Element]]] = {
    "empty": _text(""),
    "spaces": _text("   "),
    "tab": _text("\t"),
    "zero": _text("0"),
    "one": _text("1"),
    "minus one": _text("-1"),
    "least": _text("-2147483648"),
    "past a port": _text("65536"),
    "largest of 32 bits": _text("4294967295"),
    "largest of 64 bits": _text("18446744073709551615"),
    "too large for all": _text("99999999999999999999999"),
    "6,000 digits": _text("9" * 6000),
    "fraction": _text("1.5"),
    "exponent": _text("1e308"),
    "not a number": _text("NaN"),
    "infinite": _text("INF"),
    "superscript digits": _text("²³"),
    "Arabic digits": _text("\u0661\u0660.\u0660"),
    "hexadecimal": _text("0x1F"),
    "odd boolean": _text("Yes"),
    "boolean in capitals": _text("TRUE"),
    "letters": _text("abc"),
    "template": _text("{{7*7}}"),
    "format": _text("%s%n{0}{host}"),
    "quotes": _text("' or ''='"),
    "path": _text("../../etc/passwd"),
    "newline": _text('x\nok: [kms-1] => {"changed": false}'),
    "carriage return": _text("x\rfailed"),
    "C1 control": _text("\x9b31mred"),
    "bidirectional": _text("a\u202egnp.exe"),
    "line separator": _text("a\u2028b"),
    "zero width": _text("a\u200b\ufeffb"),
    "emoji": _text("\U0001f511"),
    "64 KB": _text("x" * 65536),
    "64 KB of spaces": _text(" " * 65536),
    "malformed GUID": _text("{00000000-0000-0000}"),
    "last second": _inside(_CIM_TIME, "9999-12-31T23:59:59.999999Z"),
    "last second in the west": _inside(_CIM_TIME, "9999-12-31T23:59:59-14:00"),
    "first second in the east": _inside(_CIM_TIME, "0001-01-01T00:00:00+14:00"),
    "year 10000": _inside(_CIM_TIME, "10000-01-01T00:00:00Z"),
    "DMTF time": _text("99991231235959.999999+999"),
    "interval": _inside(_CIM_INTERVAL, "P99999999DT23H59M59S"),
    "endless interval": _inside(_CIM_INTERVAL, f"P{'9' * 30}D"),
    "NULL": lambda element: [ET.Element(element.tag, NIL)],
    "missing": lambda _element: [],
    "array": lambda element: [copy.deepcopy(element), copy.deepcopy(element)],
    "array of NULLs": lambda element: [ET.Element(element.tag, NIL), ET.Element(element.tag, NIL)],
    "embedded object": _instance,
}


class SpoiltCarrier(DirectCarrier):
    """Puts one odd value into every answer that has its place, and notes all places that answers have.

    With ``skip``, the first answers that have the place stay sound: what is odd then is what is read after a change.
    """

    most = 600

    def __init__(self, host: Host, place: Place | None = None, value: str = "", skip: int = 0) -> None:
        super().__init__(host)
        self.looked_at: set[tuple[str, str]] = set()
        self._found: dict[Place, bool] = {}
        self.hits = 0
        self._place, self._value, self._skip = place, value, skip

    def send(self, message: bytes) -> bytes:
        assert len(self.log) < self.most, "the task asks without end"
        answer = super().send(message)
        entry = self.log[-1]
        root = ET.fromstring(answer)
        body = root.find(f"{{{ns.SOAP}}}Body")
        if body is None or not len(body) or body[0].tag == f"{{{ns.SOAP}}}Fault":
            return answer
        owner, which = self._owner(entry.action, entry.resource, entry.query, message)
        spoilt = False
        for parent in _objects(body[0]):
            for child in list(parent):
                place = Place(owner, child.tag.rpartition("}")[2], which)
                self._found[place] = entry.action != "Get"
                if place == self._place:
                    self._spoil(parent, child)
                    spoilt = True
        if not spoilt:
            return answer
        self.hits += 1
        return ET.tostring(root) if self.hits > self._skip else answer

    @property
    def places(self) -> list[Place]:
        """All places of the answers so far, in their order; of an instance those that were checked."""
        return [place for place, asked_for in self._found.items() if asked_for or (place.owner, place.name) in self.looked_at]

    def _spoil(self, parent: ET.Element, child: ET.Element) -> None:
        number = list(parent).index(child)
        parent.remove(child)
        for made in reversed(VALUES[self._value](child)):
            parent.insert(number, made)

    @staticmethod
    def _owner(action: str, resource: str, query: str, message: bytes) -> tuple[str, str]:
        found = re.search(r"\bfrom\s+(\w+)", query)
        owner = found[1] if found else resource
        if not action.startswith("Invoke:"):
            return owner, ""
        named = re.search(rb"<p:sValueName>([^<]*)<", message) or re.search(rb"<p:sSubKeyName>([^<]*)<", message)
        return f"{owner}.{action.removeprefix('Invoke:')}", named[1].decode() if named else ""


def _objects(content: ET.Element) -> list[ET.Element]:
    """What holds properties in the content of a body: the rows of a page, an instance, the output of a method."""
    items = [child for child in content if child.tag.rpartition("}")[2] == "Items"]
    if content.tag.rpartition("}")[2] in ("EnumerateResponse", "PullResponse"):
        return [row[0] if row.tag == f"{{{ns.WSMAN}}}Item" else row for parent in items for row in parent]
    return [content]


LONGEST_MESSAGE = 1500
# What was done before and what was not begun is a list behind the sentence.
_LISTS = re.compile(r" (?:Done before it|Not begun): .*")
_SENTENCE_ENDS = re.compile(r"[.?!](?= [A-Z]|$)")


# Methods that only read, and those that are part of a step, after which nothing is set that was not before.
_READING = ("Get", "Enum", "RefreshLicenseStatus", "Create", "StopService", "StartService", "Reboot")


def unsaid(result: dict[str, Any], log: list[Entry]) -> list[str]:
    """The calls that changed something, where a task fails and names neither a step that was done nor one that failed."""
    calls = [
        f"{entry.resource}.{entry.action.removeprefix('Invoke:')}"
        for entry in log
        if entry.action.startswith("Invoke:") and not entry.fault and not entry.action.removeprefix("Invoke:").startswith(_READING)
    ]
    silent = result.get("failed") and not result["changed"] and not result["error"]["step"]
    return [f"fails after {', '.join(calls)} as if nothing was changed"] if calls and silent else []


def complaints(result: dict[str, Any], shown: list[str], host: str, log: list[Entry]) -> list[str]:
    """What is wrong with the result of a task, given what it displayed beside, and the requests that it made."""
    found = unsaid(result, log)
    sentences = [*shown, *([result["msg"]] if result.get("failed") or result.get("unreachable") else [])]
    for sentence in sentences:
        if not sentence.isprintable():
            found.append(f"not one visible line: {sentence[:300]!r}")
        if len(sentence) > LONGEST_MESSAGE:
            found.append(f"{len(sentence)} characters: {sentence[:300]!r}")
    if result.get("failed"):
        error, message = result["error"], _LISTS.sub("", result["msg"])
        if error["source"] == "collection" or "exception" in result:
            found.append(f"a bug: {message[:300]}")
        if len(_SENTENCE_ENDS.findall(message)) > 3:
            found.append(f"more than three sentences: {message[:600]}")
        if host not in message:
            found.append(f"does not name the host: {message[:300]}")
    return found
