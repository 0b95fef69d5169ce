# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated machine behind the lab's WS-Management, seen by pypsrp: classes, types and faults arrive as they should."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pypsrp.exceptions import WinRMTransportError
from pypsrp.wsman import SelectorSet, WSMan
from unit.lab.windows_fakes import FakeDomain, rule_keys

from lab.windows import data
from lab.wsman import namespaces as ns
from lab.wsman.authentication import Account, check_of, prepare_acceptor, write_ntlm_users
from lab.wsman.backend import Directory
from lab.wsman.request_log import RequestLog
from lab.wsman.server import ServerOptions, WsmanServer

pytestmark = pytest.mark.tier("test")

USER, PASSWORD = "CONTOSO\\svc-winrm", "Pa55-word!"
SERVICE = ns.URI_WMI + "root/cimv2/SoftwareLicensingService"
RULE = ns.URI_WMI + "root/StandardCimv2/MSFT_NetFirewallRule"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[WSMan]:
    domain = FakeDomain()
    host = domain.add("kms-1", "server_2022_standard")
    write_ntlm_users(tmp_path / "users", [Account(USER, PASSWORD)])
    prepare_acceptor(tmp_path / "users")
    directory = Directory({host.spec.address: host})
    options = ServerOptions(http_port=0, https_port=None, check=check_of([Account(USER, PASSWORD)]))
    with WsmanServer(directory, RequestLog(), options) as server:
        yield WSMan(host.spec.address, port=server.http_port, username=USER, password=PASSWORD, ssl=False, auth="ntlm")
    domain.close()


def call(client: WSMan, uri: str, method: str, selectors: dict[str, str], **arguments: str) -> ElementTree.Element:
    body = ElementTree.Element(f"{{{uri}}}{method}_INPUT")
    for name, value in arguments.items():
        ElementTree.SubElement(body, f"{{{uri}}}{name}").text = value
    chosen = SelectorSet()
    for name, value in selectors.items():
        chosen.add_option(name, value)
    return client.invoke(f"{uri}/{method}", uri, body, selector_set=chosen)


def value(element: ElementTree.Element, name: str) -> str | None:
    return next((item.text for item in element.iter() if item.tag.rpartition("}")[2] == name), None)


def test_a_key_is_installed_and_a_wrong_one_is_a_fault_with_its_code(client: WSMan) -> None:
    version = data.profiles()["server_2022_standard"].spp_version
    answer = call(client, SERVICE, "InstallProductKey", {"Version": version}, ProductKey=data.key_named("csvlk_2022").key)
    assert value(answer, "ReturnValue") == "0"
    chosen = SelectorSet()
    chosen.add_option("Version", version)
    row = client.get(SERVICE, selector_set=chosen)
    assert value(row, "IsKeyManagementServiceMachine") == "1"
    assert value(row, "KeyManagementServiceCurrentCount") == "4294967295"
    assert value(row, "KeyManagementServiceDnsPublishing") == "true"
    codes = re.findall(r"0x[0-9a-f]{8}|\b3221549136\b", failed_install(client, version), re.IGNORECASE)
    assert {"0xc004f050", "3221549136"} & {code.lower() for code in codes}


def failed_install(client: WSMan, version: str) -> str:
    """The answer to a wrong key: a fault or a ReturnValue, whatever this host's seed makes of it."""
    try:
        return client.transport.send(_install(version, "BBBBB-BBBBB-BBBBB-BBBBB-BBBBB")).decode()
    except WinRMTransportError as error:
        return str(error.response_text)


def _install(version: str, key: str) -> bytes:
    return f"""<s:Envelope xmlns:s="{ns.SOAP}" xmlns:a="{ns.ADDRESSING}" xmlns:w="{ns.WSMAN}"><s:Header>
<a:To>http://host/wsman</a:To><w:ResourceURI s:mustUnderstand="true">{SERVICE}</w:ResourceURI>
<a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>
<a:Action s:mustUnderstand="true">{SERVICE}/InstallProductKey</a:Action><a:MessageID>uuid:11111111-1111-4111-8111-111111111111</a:MessageID>
<w:SelectorSet><w:Selector Name="Version">{version}</w:Selector></w:SelectorSet></s:Header>
<s:Body><p:InstallProductKey_INPUT xmlns:p="{SERVICE}"><p:ProductKey>{key}</p:ProductKey></p:InstallProductKey_INPUT></s:Body>
</s:Envelope>""".encode()


def test_a_rule_is_enabled_by_its_keys_and_the_answer_is_empty(client: WSMan) -> None:
    answer = call(client, RULE, "Enable", rule_keys("SPPSVC-In-TCP"))
    assert value(answer, "ReturnValue") is None
    chosen = SelectorSet()
    for name, text in rule_keys("SPPSVC-In-TCP").items():
        chosen.add_option(name, text)
    assert value(client.get(RULE, selector_set=chosen), "Enabled") == "1"
