# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SOAP envelopes: a request as typed data, a response as text (docs/facts/wire.md#envelope)."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError
from xml.etree.ElementTree import fromstring as parse_xml
from xml.sax.saxutils import escape, quoteattr

from . import namespaces as ns

MUST_UNDERSTAND = f"{{{ns.SOAP}}}mustUnderstand"
KNOWN_HEADERS = frozenset(
    [f"{{{ns.ADDRESSING}}}{name}" for name in ("To", "ReplyTo", "FaultTo", "From", "Action", "MessageID", "RelatesTo")]
    + [
        f"{{{ns.WSMAN}}}{name}"
        for name in ("ResourceURI", "MaxEnvelopeSize", "OperationTimeout", "Locale", "SelectorSet", "OptionSet", "RequestEPR")
    ]
    + [f"{{{ns.MSWSMAN}}}{name}" for name in ("DataLocale", "SessionId", "OperationID", "SequenceId", "ActivityId")]
)
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


class BadEnvelope(ValueError):
    """A message that cannot be processed at all; ``reason`` names which of the faults it earns."""

    def __init__(self, reason: str, text: str, message_id: str = "") -> None:
        super().__init__(text)
        self.reason = reason
        self.message_id = message_id


@dataclass
class Request:
    """A WS-Management request.

    ``selectors`` and ``options`` keep the order of the message; ``operation_timeout`` is in seconds, None if absent;
    ``operation`` has the headers OperationID and SequenceId by name; ``body`` is the first element inside ``s:Body``, None if that
    is empty.
    """

    action: str
    resource_uri: str
    message_id: str
    selectors: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    max_envelope_size: int | None = None
    operation_timeout: float | None = None
    operation: dict[str, str] = field(default_factory=dict)
    body: Element | None = None

    def option(self, name: str) -> bool:
        """Whether a boolean option is on; the prefix of its name does not count."""
        wanted = name.lower()
        return any(key.rpartition(":")[2].lower() == wanted and value.strip() in ("true", "1") for key, value in self.options.items())


def parse_duration(text: str) -> float:
    """An ``xs:duration`` of days and smaller in seconds. Raises ValueError."""
    match = _DURATION.fullmatch(text.strip())
    if not match or not any(match.groups()):
        raise ValueError(f"{text!r} is no duration")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def parse(message: bytes, language: str) -> Request | None:
    """Read a request; None is an Identify request, which has no headers of addressing.

    Raises :class:`BadEnvelope`.
    """
    if b"<!DOCTYPE" in message or b"<!ENTITY" in message:
        raise BadEnvelope("xml", "a DOCTYPE is not allowed")
    try:
        root = parse_xml(message)
    except (ParseError, ValueError, LookupError) as error:
        raise BadEnvelope("xml", str(error)) from error
    if root.tag != f"{{{ns.SOAP}}}Envelope":
        raise BadEnvelope("version", "not a SOAP 1.2 envelope")
    body = root.find(f"{{{ns.SOAP}}}Body")
    if body is None:
        raise BadEnvelope("body", "no s:Body")
    first = next(iter(body), None)
    if first is not None and first.tag == f"{{{ns.IDENTITY}}}Identify":
        return None
    header = root.find(f"{{{ns.SOAP}}}Header")
    if header is None:
        raise BadEnvelope("headers", "no s:Header")
    return _parse_header(header, first, language)


def _parse_header(header: Element, body: Element | None, language: str) -> Request:
    message_id = (header.findtext(f"{{{ns.ADDRESSING}}}MessageID") or "").strip()
    _check_understanding(header, message_id, language)
    action = (header.findtext(f"{{{ns.ADDRESSING}}}Action") or "").strip()
    resource_uri = (header.findtext(f"{{{ns.WSMAN}}}ResourceURI") or "").strip()
    reply_to = header.findtext(f"{{{ns.ADDRESSING}}}ReplyTo/{{{ns.ADDRESSING}}}Address") or ""
    if not action or not message_id or header.find(f"{{{ns.ADDRESSING}}}To") is None:
        raise BadEnvelope("headers", "To, Action and MessageID are needed", message_id)
    if not resource_uri:
        raise BadEnvelope("resource uri", "ResourceURI is needed", message_id)
    # The message that closes an operation in full duplex has no ReplyTo (docs/facts/wire.md#full-duplex).
    if reply_to.strip() != ns.ANONYMOUS and action != ns.ACTION_END:
        raise BadEnvelope("headers", "ReplyTo has to be anonymous", message_id)
    request = Request(action, resource_uri, message_id, body=body)
    size = header.findtext(f"{{{ns.WSMAN}}}MaxEnvelopeSize")
    timeout = header.findtext(f"{{{ns.WSMAN}}}OperationTimeout")
    try:
        request.max_envelope_size = None if size is None else int(size)
        request.operation_timeout = None if timeout is None else parse_duration(timeout)
    except ValueError as error:
        raise BadEnvelope("headers", str(error), message_id) from error
    for name in ("OperationID", "SequenceId"):
        text = header.findtext(f"{{{ns.MSWSMAN}}}{name}")
        if text is not None:
            request.operation[name] = text.strip()
    for selector in header.iterfind(f"{{{ns.WSMAN}}}SelectorSet/{{{ns.WSMAN}}}Selector"):
        request.selectors[selector.get("Name") or ""] = selector.text or ""
    for option in header.iterfind(f"{{{ns.WSMAN}}}OptionSet/{{{ns.WSMAN}}}Option"):
        request.options[option.get("Name") or ""] = option.text or ""
    return request


def _check_understanding(header: Element, message_id: str, language: str) -> None:
    """Headers marked mustUnderstand that the service does not know, or a language that it does not have, are refused."""
    for item in header:
        if item.get(MUST_UNDERSTAND) not in ("true", "1"):
            continue
        if item.tag not in KNOWN_HEADERS:
            raise BadEnvelope("must understand", item.tag, message_id)
        if item.tag == f"{{{ns.WSMAN}}}Locale" and (item.get(f"{{{ns.XML}}}lang") or "").lower() != language.lower():
            raise BadEnvelope("locale", "language not installed", message_id)


def new_id() -> str:
    """A message or context id as WinRM writes them."""
    return f"uuid:{uuid.uuid4()}".upper().replace("UUID:", "uuid:", 1)


_OPENING = (
    f'xmlns:s="{ns.SOAP}" xmlns:a="{ns.ADDRESSING}" xmlns:x="{ns.TRANSFER}" xmlns:e="{ns.EVENTING}" '
    f'xmlns:n="{ns.ENUMERATION}" xmlns:w="{ns.WSMAN}" xmlns:p="{ns.MSWSMAN}"'
)


def build(action: str, body: str, language: str, relates_to: str = "", extra_headers: str = "") -> bytes:
    """A response envelope around the XML of its body; an empty ``relates_to`` leaves the header out."""
    relation = f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo>" if relates_to else ""
    return (
        f"<s:Envelope xml:lang={quoteattr(language)} {_OPENING}><s:Header><a:Action>{escape(action)}</a:Action>"
        f"<a:MessageID>{new_id()}</a:MessageID>{extra_headers}<a:To>{ns.ANONYMOUS}</a:To>{relation}</s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode("utf-8", "replace")


def operation_headers(operation: dict[str, str]) -> str:
    """The headers that say which operation an answer belongs to, as they came."""
    return "".join(f"<p:{name}>{escape(text)}</p:{name}>" for name, text in operation.items())


_PREFIX = re.compile(r"(</?|\sxmlns:|\s)([saxenw])(?=[:=])")
_TAG_OR_CODE = re.compile(r"<[^<>]*>|(?<=Value>)[saxenw](?=:\w+</)")
# As long as the usual ones, so that a page keeps its size.
_OTHER_PREFIXES = {"s": "z", "a": "t", "x": "y", "e": "g", "n": "q", "w": "u"}


def with_other_prefixes(message: bytes) -> bytes:
    """The same message with other prefixes for what SOAP and WS-Management define, also inside the codes of a fault."""

    def rename(found: re.Match[str]) -> str:
        text = found[0]
        if not text.startswith("<"):
            return _OTHER_PREFIXES[text]
        return _PREFIX.sub(lambda part: part[1] + _OTHER_PREFIXES[part[2]], text)

    return _TAG_OR_CODE.sub(rename, message.decode()).encode()


def build_identify(language: str, product_version: str) -> bytes:
    """The answer to Identify."""
    return (
        f'<s:Envelope xml:lang={quoteattr(language)} xmlns:s="{ns.SOAP}"><s:Header/><s:Body>'
        f'<wsmid:IdentifyResponse xmlns:wsmid="{ns.IDENTITY}"><wsmid:ProtocolVersion>{ns.WSMAN}</wsmid:ProtocolVersion>'
        f"<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        f"<wsmid:ProductVersion>{escape(product_version)}</wsmid:ProductVersion></wsmid:IdentifyResponse></s:Body></s:Envelope>"
    ).encode()
