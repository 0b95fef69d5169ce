# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seeds of what hosts answer: of the laboratory, and of recordings of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from unit.action.test_recordings_of_the_lab import FOLDER, RECORDINGS
from unit.lab.hostile_tasks import STORIES

from lab.wsman import faults

from .hosts import NEXT, answers_of

_RELATES = re.compile(rb"(RelatesTo>)[^<]*<")


def _told(*wanted: bytes) -> Iterable[bytes]:
    """What sound hosts of the laboratory answer to tasks, one for each class or method that is asked for."""
    found: dict[bytes, bytes] = {}
    for name in STORIES:
        for answer in answers_of(name):
            asked = answer.partition(b"-->")[0]
            if asked.removeprefix(b"<!--").startswith(wanted) and b":Fault>" not in answer and len(answer) < 8_000:
                found.setdefault(asked, answer)
    return found.values()


def answers() -> Iterable[bytes]:
    """Of queries, instances and methods, as the laboratory has them; one of several pages."""
    yield from _told(b"query", b"get", b"put", b"invoke")
    row = (
        '<p:Win32_Service xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_Service"><p:Name>sppsvc</p:Name>'
        "<p:State>Running</p:State><p:StartMode>Auto</p:StartMode><p:ProcessId>7</p:ProcessId></p:Win32_Service>"
    )
    n, w = 'xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"', 'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
    context = "<n:EnumerationContext>uuid:1</n:EnumerationContext>"
    first = _message(f"<n:EnumerateResponse {n} {w}><w:Items>{row}</w:Items>{context}</n:EnumerateResponse>")
    pull = _message(f"<n:PullResponse {n}>{context}<n:Items>{row}</n:Items></n:PullResponse>")
    last = _message(f"<n:PullResponse {n}><n:Items>{row}</n:Items><n:EndOfSequence/></n:PullResponse>")
    yield b"<!--query Win32_Service-->" + NEXT.join([first, pull, last])


def _message(body: str) -> bytes:
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><s:Header>'
        f"<a:RelatesTo>@ID@</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def all_faults() -> Iterable[bytes]:
    """In the four forms that the laboratory has."""
    voice = faults.Voice("kms-1", "en-US", 1)
    status = faults.ExtendedStatus(**_status()) if _status() else None
    made = [
        faults.plain(voice, 0x80338029, "w:TimedOut", "The operation timed out.", receiver=True, detail="OperationTimeout"),
        faults.provider_text(voice, 0x80338000, "w:InternalError", "The service reported HRESULT 0xC004F050.", receiver=True),
        faults.nested(voice, 0x803380FA, "w:InternalError", "Not found.", inner_message="Not found", inner_code=0x80041002, status=status),
        faults.wmi_error(voice, 0x80041003, "Access denied.", namespace="root/standardcimv2", error_type="MI"),
        faults.wmi_error(voice, 0x80070002, "No such file.", namespace="root/standardcimv2", error_type="WIN32"),
    ]
    for number, fault in enumerate(made):
        asked = b"<!--get SoftwareLicensingProduct-->" if number % 2 else b"<!--invoke SoftwareLicensingProduct.Activate-->"
        yield asked + fault.render(voice, "@ID@")


def _status() -> dict[str, Any]:
    fields = faults.ExtendedStatus.__dataclass_fields__
    return {name: {"str": "ExecQuery", "int": 0x80041002}.get(str(field.type)) for name, field in fields.items()}


def identify() -> Iterable[bytes]:
    """What the service says of itself, in recordings."""
    for name in RECORDINGS:
        exchanges = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["exchanges"]
        answers = [exchange["answer"] for exchange in exchanges if "answer" in exchange]
        for asked, mark in (("identify", "IdentifyResponse"), ("config", "MaxEnvelopeSizekb")):
            found = next((answer for answer in answers if mark in answer), "")
            yield f"<!--{asked}-->".encode() + _RELATES.sub(rb"\1@ID@<", found.encode())


def scan() -> Iterable[bytes]:
    """Identify over HTTP: in one piece, in chunks, and to the end of the connection."""
    body = next(iter(identify())).replace(b"@ID@", b"")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml;charset=UTF-8\r\nServer: Microsoft-HTTPAPI/2.0\r\n"
    yield head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    yield (
        head
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"%x\r\n" % 100
        + body[:100]
        + b"\r\n%x;a=b\r\n" % len(body[100:])
        + body[100:]
        + b"\r\n0\r\n\r\n"
    )
    yield head + b"\r\n" + body


def tasks() -> Iterable[bytes]:
    """One for each story, whose first answer is left out: an input has another one."""
    for name in STORIES:
        yield json.dumps({"story": name, "nth": 0, "answer": ""}).encode()
