# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WS-Management front end of the lab with two hosts, and messages for it that the foreign clients do not make by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

import pytest
from pypsrp.exceptions import WinRMTransportError
from pypsrp.wsman import SelectorSet, WSMan
from unit.lab.fake_host import FakeHost
from winrm.protocol import Protocol

from lab.wsman import certificates
from lab.wsman import namespaces as ns
from lab.wsman.authentication import Account
from lab.wsman.request_log import RequestLog
from lab.wsman.server import WsmanServer

ADDRESS = "127.77.1.1"
OTHER = "127.77.1.2"
USER = "CONTOSO\\svc"
PASSWORD = "Pa55-word!"
ACCOUNTS = [Account(USER, PASSWORD), Account("svc@CONTOSO.COM", PASSWORD), Account("local", PASSWORD), Account("CONTOSO\\guest", PASSWORD)]
SERVICE_URI = ns.URI_WMI + "root/cimv2/Win32_Service"
QUERY_URI = ns.URI_WMI + "root/cimv2/*"


@dataclass
class FrontEnd:
    """A server with two hosts, one of them modern, one old and German."""

    server: WsmanServer
    host: FakeHost
    other: FakeHost
    log: RequestLog
    files: certificates.CertificateFiles

    def pypsrp(self, auth: str = "ntlm", user: str = USER, password: str = PASSWORD, address: str = ADDRESS, **options: object) -> WSMan:
        use_tls = options.pop("ssl", False)
        if auth == "certificate":
            options |= {"certificate_pem": str(self.files.user_certificate), "certificate_key_pem": str(self.files.user_key)}
        port = self.server.https_port if use_tls else self.server.http_port
        validation = str(self.files.authority) if use_tls else False
        return WSMan(address, port=port, username=user, password=password, ssl=use_tls, auth=auth, cert_validation=validation, **options)

    def pywinrm(
        self, transport: str = "ntlm", user: str = USER, password: str = PASSWORD, address: str = ADDRESS, **options: object
    ) -> Protocol:
        scheme = "https" if options.pop("tls", transport in ("basic", "certificate")) else "http"
        port = self.server.https_port if scheme == "https" else self.server.http_port
        if transport == "certificate":
            options |= {"cert_pem": str(self.files.user_certificate), "cert_key_pem": str(self.files.user_key)}
        return Protocol(
            f"{scheme}://{address}:{port}/wsman",
            transport=transport,
            username=user,
            password=password,
            ca_trust_path=str(self.files.authority),
            **options,
        )


def enumerate_body(query: str, optimize: bool = True, mode: str = "", elements: int = 32000) -> ElementTree.Element:
    body = ElementTree.Element(f"{{{ns.ENUMERATION}}}Enumerate")
    if optimize:
        ElementTree.SubElement(body, f"{{{ns.WSMAN}}}OptimizeEnumeration")
        ElementTree.SubElement(body, f"{{{ns.WSMAN}}}MaxElements").text = str(elements)
    if mode:
        ElementTree.SubElement(body, f"{{{ns.WSMAN}}}EnumerationMode").text = mode
    if query:
        ElementTree.SubElement(body, f"{{{ns.WSMAN}}}Filter", Dialect=ns.DIALECT_WQL).text = query
    return body


def pull_body(context: str, elements: int = 32000) -> ElementTree.Element:
    body = ElementTree.Element(f"{{{ns.ENUMERATION}}}Pull")
    ElementTree.SubElement(body, f"{{{ns.ENUMERATION}}}EnumerationContext").text = context
    ElementTree.SubElement(body, f"{{{ns.ENUMERATION}}}MaxElements").text = str(elements)
    return body


def collect(client: WSMan, query: str, **options: object) -> tuple[list[ElementTree.Element], int]:
    """All rows, and in how many pulls."""
    answer = client.enumerate(QUERY_URI, enumerate_body(query, **options))[0]
    items = list(answer.find(f"{{{ns.WSMAN}}}Items") or [])
    context = answer.findtext(f"{{{ns.ENUMERATION}}}EnumerationContext")
    ended = answer.find(f"{{{ns.WSMAN}}}EndOfSequence") is not None
    pulls = 0
    while not ended:
        pulls += 1
        answer = client.pull(QUERY_URI, pull_body(context or ""))[0]
        items += list(answer.find(f"{{{ns.ENUMERATION}}}Items") or [])
        context = answer.findtext(f"{{{ns.ENUMERATION}}}EnumerationContext") or context
        ended = answer.find(f"{{{ns.ENUMERATION}}}EndOfSequence") is not None
    return items, pulls


def input_body(uri: str, method: str, **arguments: object) -> ElementTree.Element:
    body = ElementTree.Element(f"{{{uri}}}{method}_INPUT")
    for name, value in arguments.items():
        for item in value if isinstance(value, list) else [value]:
            ElementTree.SubElement(body, f"{{{uri}}}{name}").text = str(item)
    return body


def selectors(**values: str) -> SelectorSet:
    chosen = SelectorSet()
    for name, value in values.items():
        chosen.add_option(name, value)
    return chosen


def fault_of(error: pytest.ExceptionInfo[WinRMTransportError]) -> ElementTree.Element:
    assert error.value.code == 500
    return ElementTree.fromstring(error.value.response_text)


def send(client: WSMan, action: str, uri: str, body: ElementTree.Element | None, chosen: SelectorSet | None = None) -> bytes:
    """Send without pypsrp's own reading of faults, which loses the XML."""
    _message_id, header = client._create_header(action, uri, None, chosen, 20)
    envelope = ElementTree.Element(f"{{{ns.SOAP}}}Envelope")
    envelope.append(header)
    ElementTree.SubElement(envelope, f"{{{ns.SOAP}}}Body").extend([] if body is None else [body])
    return client.transport.send(ElementTree.tostring(envelope))
