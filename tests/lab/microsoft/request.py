# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request to BatchActivation, checked as strictly as its form is known (docs/facts/mak.md#request).

With which HTTP status a wrong one is refused is the lab's own choice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SERVICE = "http://www.microsoft.com/BatchActivationService"
REQUEST = "http://www.microsoft.com/DRM/SL/BatchActivationRequest/1.0"
ACTION = f"{SERVICE}/BatchActivate"
PATH = "/BatchActivation/BatchActivation.asmx"
CONFIRMATION, COUNT = 1, 2

_DIGEST_KEY = bytes.fromhex("fe319875fb4884869cf3f1ce99a89064ab571fca470450583024e214628779a0")


class RequestRefused(Exception):
    """No request of BatchActivation; ``status`` is the HTTP status, the text what is wrong."""

    def __init__(self, text: str, status: int = 500) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class BatchRequest:
    """What is asked: ``kind`` 1 for a confirmation ID, 2 for the remaining count, which has no installation ID."""

    kind: int
    pid: str
    installation_id: str = ""


def check_headers(headers: Mapping[str, str]) -> None:
    """Content-Type, Accept and SOAPAction, by names in lower case. Raises RequestRefused."""
    media, _semicolon, rest = headers.get("content-type", "").partition(";")
    charset = rest.strip().lower().removeprefix("charset=").strip('"')
    if media.strip().lower() != "text/xml" or charset != "utf-8":
        raise RequestRefused(f"Content-Type is {headers.get('content-type')}", 415)
    accepted = [item.partition(";")[0].strip() for item in headers.get("accept", "").split(",")]
    if not {"text/xml", "*/*"} & set(accepted):
        raise RequestRefused(f"Accept is {headers.get('accept')}", 406)
    if headers.get("soapaction", "").strip('"') != ACTION:
        raise RequestRefused(f"Server did not recognize the value of HTTP Header SOAPAction: {headers.get('soapaction')}")


def parse(body: bytes) -> BatchRequest:
    """The request in a SOAP envelope, its digest checked. Raises RequestRefused."""
    envelope = _tree(body.decode("utf-8", "replace").lstrip("\ufeff"), f"{{{SOAP}}}Envelope")
    call = _only(_only(envelope, f"{{{SOAP}}}Body"), f"{{{SERVICE}}}BatchActivate")
    request = _only(call, f"{{{SERVICE}}}request")
    digest, text = (_decode(_text(request, f"{{{SERVICE}}}{name}"), name) for name in ("Digest", "RequestXml"))
    if not hmac.compare_digest(digest, hmac.new(_DIGEST_KEY, text, hashlib.sha256).digest()):
        raise RequestRefused("the digest is not that of the request")
    return _inner(text)


def _inner(encoded: bytes) -> BatchRequest:
    if encoded[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise RequestRefused("the request has a byte order mark")
    try:
        text = encoded.decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise RequestRefused("the request is not UTF-16LE") from error
    tree = _tree(text, f"{{{REQUEST}}}ActivationRequest")
    if _text(tree, f"{{{REQUEST}}}VersionNumber") != "2.0":
        raise RequestRefused("the version is not 2.0")
    kind = _text(tree, f"{{{REQUEST}}}RequestType")
    if kind not in (str(CONFIRMATION), str(COUNT)):
        raise RequestRefused(f"there is no request type {kind}")
    # More than one was never seen (docs/facts/mak.md#request).
    one = _only(_only(tree, f"{{{REQUEST}}}Requests"), f"{{{REQUEST}}}Request")
    fields = {child.tag.rpartition("}")[2]: (child.text or "") for child in one}
    wanted = {"PID", "IID"} if int(kind) == CONFIRMATION else {"PID"}
    if set(fields) != wanted or any(not child.tag.startswith(f"{{{REQUEST}}}") for child in one):
        raise RequestRefused(f"a request of type {kind} has {', '.join(sorted(wanted))} and not {', '.join(sorted(fields))}")
    return BatchRequest(int(kind), fields["PID"], fields.get("IID", ""))


def _tree(text: str, root: str) -> ET.Element:
    if "<!DOCTYPE" in text:
        raise RequestRefused("there is a DOCTYPE", 400)
    try:
        tree = ET.fromstring(text)
    except ET.ParseError as error:
        raise RequestRefused(f"no XML: {error}", 400) from error
    if tree.tag != root:
        raise RequestRefused(f"the root is {tree.tag} and not {root}")
    return tree


def _only(parent: ET.Element, name: str) -> ET.Element:
    found = parent.findall(name)
    if len(found) != 1:
        raise RequestRefused(f"{parent.tag} has {len(found)} of {name}")
    return found[0]


def _text(parent: ET.Element, name: str) -> str:
    return _only(parent, name).text or ""


def _decode(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except binascii.Error as error:
        raise RequestRefused(f"{name} is not base64") from error
