# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modes of the hostile endpoint that are about what stands in a message: XML, SOAP, faults and pages, one thing each."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.sax.saxutils import escape

from lab.wsman import namespaces as ns

from .hostile_endpoint import ADDRESS, Exchange, Mode
from .hostile_modes import MODES as OTHERS

MODES: list[Mode] = []
IN_XML = escape("ok: [pc-9]\n\tchanged\u0085\u009b2J\u202e\u200b\u2028gnp.exe").replace("\n", "&#10;")
"""What colours a terminal, turns a line round, hides, or makes a line of its own."""


# XML.


def document(name: str, make: Callable[[Exchange], str | bytes], harmless: bool = False) -> None:
    def act(exchange: Exchange) -> None:
        made = make(exchange)
        exchange.reply(made.encode("utf-8", "surrogatepass") if isinstance(made, str) else made)

    MODES.append(Mode(f"XML: {name}", act, harmless=harmless))


def sound(exchange: Exchange) -> str:
    return exchange.sound.body.decode("utf-8").lstrip("\ufeff")


def undeclared(exchange: Exchange) -> str:
    return re.sub(r"^<\?xml[^>]*\?>", "", sound(exchange))


for encoding in ("foo", "shift_jis", "utf-7", "utf-32", "idna", "rot13", "x" * 10_000):
    document(
        f"the encoding {encoding[:9]}",
        lambda exchange, encoding=encoding: f'<?xml version="1.0" encoding="{encoding}"?>{undeclared(exchange)}',
    )
document("UTF-16", lambda exchange: undeclared(exchange).encode("utf-16"), harmless=True)
document("UTF-16 that says UTF-8", lambda exchange: ('<?xml version="1.0" encoding="utf-8"?>' + undeclared(exchange)).encode("utf-16"))
document("bytes that are not UTF-8", lambda _exchange: b"<a>\xff\xfe\xc0\x80</a>")
document("NUL", lambda exchange: sound(exchange).replace("Body", "Bo\x00dy"))
document("a document type", lambda exchange: f'<!DOCTYPE x [<!ENTITY a "b">]>{undeclared(exchange)}')
document("a billion laughs", lambda _exchange: f"<!DOCTYPE x [<!ENTITY a0 'ha'>{LAUGHS}]><x>&a9;</x>")
LAUGHS = "".join(f"<!ENTITY a{level} '{f'&a{level - 1};' * 10}'>" for level in range(1, 10))
document("a foreign entity", lambda exchange: f'<!DOCTYPE x SYSTEM "http://{ADDRESS}:{exchange.elsewhere}/x">{undeclared(exchange)}')
document("deep", lambda _exchange: "<a>" * 100_000 + "</a>" * 100_000)
document("deep and never closed", lambda _exchange: "<a>" * 250_000)
document("deep in the body", lambda exchange: in_body(exchange, "<a>" * 60_000 + "</a>" * 60_000))
document("a giant attribute", lambda exchange: in_body(exchange, f'<a b="{"c" * 800_000}"/>'))
document("many attributes", lambda exchange: in_body(exchange, "<a " + " ".join(f'b{number}="c"' for number in range(40_000)) + "/>"))
document("many namespaces", lambda exchange: in_body(exchange, "<a " + " ".join(f'xmlns:b{number}="c"' for number in range(30_000)) + "/>"))
document("a long name", lambda exchange: in_body(exchange, f"<{'a' * 400_000}/>"))
document("comments", lambda exchange: "<!--x-->" * 60_000 + undeclared(exchange), harmless=True)
document("instructions", lambda exchange: "<?x y?>" * 60_000 + undeclared(exchange), harmless=True)
document("nothing", lambda _exchange: "")
document("two roots", lambda exchange: sound(exchange) + undeclared(exchange))
document("a web page", lambda _exchange: "<html><body>It works!</body></html>")
document("SOAP 1.1", lambda exchange: sound(exchange).replace(ns.SOAP, "http://schemas.xmlsoap.org/soap/envelope/"))


# SOAP and WS-Management.


def envelope(exchange: Exchange, body: str, relates_to: str | None = None) -> str:
    related = exchange.message_id if relates_to is None else relates_to
    return (
        f'<s:Envelope xmlns:s="{ns.SOAP}" xmlns:a="{ns.ADDRESSING}" xmlns:n="{ns.ENUMERATION}" xmlns:w="{ns.WSMAN}"><s:Header>'
        f"<a:RelatesTo>{related}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def in_body(exchange: Exchange, body: str) -> str:
    return envelope(exchange, body)


document("it relates to nothing", lambda exchange: re.sub("<a:RelatesTo>[^<]*</a:RelatesTo>", "", sound(exchange)))
document("it relates to lines", lambda exchange: envelope(exchange, "<x/>", IN_XML))
document("it relates to a megabyte", lambda exchange: envelope(exchange, "<x/>", "x" * 900_000))
document("an empty body", lambda exchange: envelope(exchange, ""))
document("a body of another answer", lambda exchange: envelope(exchange, '<p:Shrink_OUTPUT xmlns:p="x"/>'))
document("another action", lambda exchange: sound(exchange).replace("Response</a:Action>", "Answer</a:Action>"), harmless=True)


def fault(name: str, code: str = "1", text: str = "", subcode: str = "w:InternalError", status: str = "500 No") -> None:
    def act(exchange: Exchange) -> None:
        body = (
            f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code>"
            f'<s:Reason><s:Text>{text}</s:Text></s:Reason><s:Detail><f:WSManFault xmlns:f="{ns.WSMAN_FAULT}" Code="{code}">'
            f"<f:Message>{text}</f:Message></f:WSManFault></s:Detail></s:Fault>"
        )
        exchange.reply(envelope(exchange, body).encode(), status=status)

    MODES.append(Mode(f"fault: {name}", act))


fault("a code of 6,000 digits", "9" * 6000)
fault("a code of another script", "²³")
fault("a code of letters", "0x\u202e12")
fault("a text of lines", "3221549310", IN_XML)
fault("a text of a megabyte", "3221549310", "x " * 400_000)
fault("a subcode of lines", "0", "", IN_XML)
fault("a subcode of a megabyte", "0", "", "x" * 800_000)
fault("nothing in it", "", "", "")
fault("with HTTP 200", "5", "x", status="200 OK")
fault("with HTTP 400", "5", "x", status="400 Bad")
fault("a time-out for ever", "2150858793", "x", "w:TimedOut")
fault("a quota", "2150859174", "x", "w:QuotaLimit")


def paged(name: str, items: Callable[[int], str], context: str = "uuid:1") -> None:
    """Pages without end, and each answer but those to queries as it is."""
    count = 0

    def act(exchange: Exchange) -> None:
        nonlocal count
        action = re.search(rb"<a:Action[^>]*>[^<]*/([A-Za-z]+)<", exchange.message)
        kind = action[1].decode() if action else ""
        if kind not in ("Enumerate", "Pull"):
            exchange.reply(exchange.sound.body, status=f"{exchange.sound.status} OK")
            return
        count += 1
        prefix = "w" if kind == "Enumerate" else "n"
        body = (
            f"<n:{kind}Response><n:EnumerationContext>{context}</n:EnumerationContext><{prefix}:Items>{items(count)}</{prefix}:Items>"
            f"</n:{kind}Response>"
        )
        exchange.reply(envelope(exchange, body).encode())

    MODES.append(Mode(f"query: {name}", act))


PAGE = "<w:XmlFragment><Name>x</Name></w:XmlFragment>" * 5000
WIDE = "<w:XmlFragment>" + "<Name>" + "x" * 400_000 + "</Name></w:XmlFragment>"
paged("pages without end", lambda _number: PAGE[:225])
paged("full pages without end", lambda _number: PAGE)
paged("empty pages without end", lambda _number: "")
paged("large rows without end", lambda _number: WIDE)
paged("a huge property", lambda _number: f"<w:XmlFragment><Version>{'9' * 800_000}</Version><Name>{'x' * 100_000}</Name></w:XmlFragment>")
paged("a property many times", lambda _number: f"<w:XmlFragment>{'<Version>1</Version>' * 20_000}</w:XmlFragment>")
paged("a property in a property", lambda _number: f"<w:XmlFragment><Version>{'<x>' * 30_000}{'</x>' * 30_000}</Version></w:XmlFragment>")
paged("lines in a property", lambda _number: f"<w:XmlFragment><Version>{IN_XML}</Version><Caption>{IN_XML}</Caption></w:XmlFragment>")
paged("a context of a megabyte", lambda _number: PAGE[:45], "x" * 800_000)
paged("a context of lines", lambda _number: PAGE[:45], IN_XML)


ALL = [*OTHERS, *MODES]
