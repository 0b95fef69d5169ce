# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Windows host takes although the specification does not say so, and what it adds to its answers, in the laboratory as there."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from unit.lab.fake_host import FakeHost

from lab.wsman import namespaces as ns
from lab.wsman.request_log import Entry
from lab.wsman.service import Reply, Service

pytestmark = pytest.mark.tier("test")

SERVICE_URI = ns.URI_WMI + "root/cimv2/Win32_Service"
SYSTEM_URI = ns.URI_WMI + "root/cimv2/Win32_OperatingSystem"
OPERATION = "<p:OperationID>uuid:1111</p:OperationID><p:SequenceId>7</p:SequenceId>"
WITH_REPLY = f"<a:ReplyTo><a:Address>{ns.ANONYMOUS}</a:Address></a:ReplyTo>"


def ask(host: Any, action: str, uri: str, body: str = "", headers: str = WITH_REPLY, **selectors: str) -> tuple[Reply, str]:
    """The answer to a message of these parts."""
    chosen = "".join(f'<w:Selector Name="{name}">{value}</w:Selector>' for name, value in selectors.items())
    chosen = f"<w:SelectorSet>{chosen}</w:SelectorSet>" if chosen else ""
    message = (
        f'<s:Envelope xmlns:s="{ns.SOAP}" xmlns:a="{ns.ADDRESSING}" xmlns:w="{ns.WSMAN}" xmlns:p="{ns.MSWSMAN}" xmlns:n="{ns.ENUMERATION}">'
        f"<s:Header><a:To>http://x</a:To><w:ResourceURI>{uri}</w:ResourceURI><a:Action>{action}</a:Action><a:MessageID>uuid:2</a:MessageID>"
        f"{headers}{chosen}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
    reply = Service().handle(host, "127.0.0.1", "local", message.encode(), Entry())
    return reply, reply.body.decode()


@pytest.mark.parametrize(("version", "echoes"), [("6.3.9600", False), ("10.0.14393", True), ("10.0.20348", True)])
def test_the_operation_is_named_in_the_answer(version: str, echoes: bool):
    reply, _text = ask(FakeHost(os_version=version), ns.ACTION_GET, SYSTEM_URI, headers=WITH_REPLY + OPERATION)
    root = ET.fromstring(reply.body)
    found = [root.findtext(f".//{{{ns.MSWSMAN}}}{name}") for name in ("OperationID", "SequenceId")]
    assert (reply.status, found) == (200, ["uuid:1111", "7"] if echoes else [None, None])
    assert "OperationID" not in ask(FakeHost(os_version=version), ns.ACTION_GET, SYSTEM_URI)[1]


def test_the_message_that_closes_an_operation_needs_no_reply_to():
    reply, text = ask(FakeHost(), ns.ACTION_END, ns.URI_FULL_DUPLEX, headers=OPERATION)
    assert (reply.status, "uuid:1111" in text) == (200, True)
    assert ask(FakeHost(), ns.ACTION_GET, SYSTEM_URI, headers="")[0].status == 500


def test_a_method_is_called_with_part_of_the_keys_and_with_arguments_of_another_namespace():
    uri = ns.URI_WMI + "root/StandardCimv2/MSFT_NetFirewallRule"
    host = FakeHost()
    body = '<x:Enable_INPUT xmlns:x="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/Msvm_X"/>'
    assert ask(host, uri + "/Enable", uri, body, InstanceID="SPPSVC-In-TCP")[0].status == 200
    # What is no key, and another method's arguments, are refused as before.
    assert ask(host, uri + "/Enable", uri, body, Name="x")[0].status == 500
    assert ask(host, uri + "/Enable", uri, body.replace("Enable_", "Disable_"), InstanceID="SPPSVC-In-TCP")[0].status == 500


@pytest.mark.parametrize("version", ["6.1.7601", "10.0.20348"])
def test_a_query_in_a_namespace_that_does_not_exist_is_an_error_object(version: str):
    query = f'<n:Enumerate><w:Filter Dialect="{ns.DIALECT_WQL}">select Name from X</w:Filter></n:Enumerate>'
    reply, text = ask(FakeHost(os_version=version), ns.ACTION_ENUMERATE, ns.URI_WMI + "root/nowhere/*", query)
    assert (reply.status, "MSFT_WmiError" in text, ">2150858778<" in text) == (500, True, True)
    assert ">2150858778<" not in ask(FakeHost(), ns.ACTION_ENUMERATE, ns.URI_WMI + "root/cimv2/*", query)[1]


def test_more_elements_than_a_page_may_have_are_capped():
    query = (
        "<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>4000000</w:MaxElements>"
        f'<w:Filter Dialect="{ns.DIALECT_WQL}">select Name from Win32_Service</w:Filter></n:Enumerate>'
    )
    assert ask(FakeHost(services=5), ns.ACTION_ENUMERATE, ns.URI_WMI + "root/cimv2/*", query)[0].status == 200
