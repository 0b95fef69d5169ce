# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canned hosts that remember what was set. The requests are written after docs/facts/wire.md#envelope, not by the collection."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from scale import changing, exchange, server, shells

pytestmark = pytest.mark.tier("test")

CIMV2 = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2"
FIREWALL = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/StandardCimv2/MSFT_NetFirewallRule"
GET = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
ENUMERATE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate"
PLATFORM = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"


def envelope(uri: str, action: str, body: str = "", selectors: str = "") -> bytes:
    return (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        f' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><e:Header><w:ResourceURI>{uri}</w:ResourceURI><a:Action>{action}</a:Action>'
        f"<a:MessageID>uuid:1</a:MessageID><w:SelectorSet>{selectors}</w:SelectorSet></e:Header><e:Body>{body}</e:Body></e:Envelope>"
    ).encode()


def rule(action: str, name: str = "SPPSVC-In-TCP") -> bytes:
    return envelope(FIREWALL, action, selectors=f'<w:Selector Name="CreationClassName">MSFT|FW|FirewallRule|{name}</w:Selector>')


class Machine:
    """One host, as a client sees it."""

    def __init__(self, kind: str, hosts: changing.ChangingHosts | None = None, number: int = 0) -> None:
        self.hosts = hosts or changing.ChangingHosts(kind)
        self._number = number

    def ask(self, request: bytes) -> str:
        answer = self.hosts.answer(request, self._number)
        assert answer is not None
        assert "RelatesTo>uuid:1<" in answer.decode() or ":Fault>" in answer.decode()
        return answer.decode()

    def call(self, of: str, method: str, *arguments: tuple[str, str]) -> str:
        inner = "".join(f"<x:{name}>{value}</x:{name}>" for name, value in arguments)
        uri = f"{CIMV2}/{of}"
        answer = self.ask(envelope(uri, f"{uri}/{method}", f'<x:{method}_INPUT xmlns:x="{uri}">{inner}</x:{method}_INPUT>'))
        assert f"Action>{uri}/{method}Response<" in answer
        return answer[answer.index(f"{method}_OUTPUT") :]

    def registry(self, method: str, key: str, name: str, *more: tuple[str, str]) -> tuple[str, list[str]]:
        answer = self.call("StdRegProv", method, ("hDefKey", "2147483650"), ("sSubKeyName", key), ("sValueName", name), *more)
        return re.findall(r"ReturnValue>(\d+)<", answer)[0], re.findall(r"<p:sValue>([^<]*)<", answer)

    def column(self, of: str, name: str) -> str | None:
        query = f"<w:Filter>select {name} from {of}</w:Filter>"
        answer = self.ask(envelope(f"{CIMV2}/*", ENUMERATE, query))
        found = re.search(rf"<{name}>([^<]*)</{name}>", answer)
        assert found or f'<{name} xsi:nil="true"/>' in answer
        return found[1] if found else None


SERVICE, PRODUCT = "SoftwareLicensingService", "SoftwareLicensingProduct"


def test_what_is_set_is_read_on_that_host_alone():
    one = Machine("client_due")
    other = Machine("client_due", one.hosts, number=7)
    assert one.column(SERVICE, "KeyManagementServiceMachine") == "old-kms.contoso.com"
    assert "<p:ReturnValue>0<" in one.call(SERVICE, "SetKeyManagementServiceMachine", ("MachineName", "a&amp;b"))
    assert one.column(SERVICE, "KeyManagementServiceMachine") == "a&amp;b"
    one.call(SERVICE, "ClearKeyManagementServiceMachine")
    assert one.column(SERVICE, "KeyManagementServiceMachine") is None
    assert other.column(SERVICE, "KeyManagementServiceMachine") == "old-kms.contoso.com"
    assert one.column(SERVICE, "ClientMachineID") != other.column(SERVICE, "ClientMachineID")


def test_a_method_that_disables_sets_the_opposite():
    machine = Machine("client_due")
    machine.call(SERVICE, "DisableKeyManagementServiceHostCaching", ("DisableCaching", "true"))
    assert machine.column(SERVICE, "KeyManagementServiceHostCaching") == "false"
    machine.call(SERVICE, "DisableKeyManagementServiceHostCaching", ("DisableCaching", "false"))
    assert machine.column(SERVICE, "KeyManagementServiceHostCaching") == "true"


@pytest.mark.parametrize("kind", ["client_due", "host_due"])
def test_a_key_leaves_its_last_five_characters_and_activation_a_license(kind: str):
    machine = Machine(kind)
    machine.call(SERVICE, "InstallProductKey", ("ProductKey", "BCDFG-HJKMN-QRTVW-XY234-C7TRQ"))
    assert machine.column(PRODUCT, "PartialProductKey") == "C7TRQ"
    assert machine.column(PRODUCT, "ProductKeyChannel") == {"client_due": "Volume:GVLK", "host_due": "Volume:CSVLK"}[kind]
    assert machine.column(PRODUCT, "LicenseStatus") == "5"
    machine.call(PRODUCT, "Activate")
    assert machine.column(PRODUCT, "LicenseStatus") == "1"


def test_the_registry_answers_as_documented():
    machine = Machine("host_due")
    assert machine.registry("GetStringValue", "SOFTWARE\\Nothing", "x") == ("2", [])
    assert machine.registry("GetMultiStringValue", PLATFORM, "DnsDomainPublishList") == ("1", [])
    assert machine.registry("DeleteValue", PLATFORM, "DnsDomainPublishList")[0] == "2"
    lines = [("sValue", "contoso.com, 10, 75"), ("sValue", "b, 0, 0")]
    assert machine.registry("SetMultiStringValue", PLATFORM.upper(), "DnsDomainPublishList", *lines)[0] == "0"
    assert machine.registry("GetMultiStringValue", PLATFORM, "dnsdomainpublishlist") == ("0", [value for _name, value in lines])
    assert machine.registry("SetStringValue", PLATFORM + "\\Activation", "AlternateURL", ("sValue", "u"))[0] == "2"
    assert machine.registry("CreateKey", PLATFORM + "\\Activation", "")[0] == "0"
    assert machine.registry("SetStringValue", PLATFORM + "\\Activation", "AlternateURL", ("sValue", "u"))[0] == "0"
    assert machine.registry("GetStringValue", PLATFORM + "\\Activation", "AlternateURL") == ("0", ["u"])
    assert machine.registry("DeleteValue", PLATFORM + "\\Activation", "AlternateURL")[0] == "0"


def test_a_suffix_search_list_is_in_the_registry_afterwards():
    machine = Machine("fleet_due")
    machine.call("Win32_NetworkAdapterConfiguration", "SetDNSSuffixSearchOrder", *(("DNSDomainSuffixSearchOrder", name) for name in "ab"))
    assert machine.registry("GetStringValue", r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters", "SearchList") == ("0", ["a,b"])


def test_a_service_that_is_started_again_is_another_process():
    machine = Machine("host_set")

    def state() -> list[str]:
        return re.findall(r"p:(?:State|ProcessId)>(\w+)<", machine.ask(envelope(f"{CIMV2}/Win32_Service", GET)))

    before = state()
    assert before[1] == "Running"
    codes = [re.findall(r"ReturnValue>(\d+)<", machine.call("Win32_Service", method))[0] for method in ("StartService", "StopService")]
    assert (codes, state()) == (["10", "0"], ["0", "Stopped"])
    machine.call("Win32_Service", "StartService")
    assert state()[1] == "Running"
    assert state()[0] != before[0]


def test_a_rule_is_switched_and_one_that_is_not_there_is_a_fault_with_http_500():
    machine = Machine("host_due")
    assert "<p:Enabled>2<" in machine.ask(rule(GET))
    assert re.search(r"<p:Enable_OUTPUT[^>]*></p:Enable_OUTPUT>", machine.ask(rule(f"{FIREWALL}/Enable")))
    assert "<p:Enabled>1<" in machine.ask(rule(GET))
    connection = exchange.Exchange(0, machine.hosts.answer, exchange.Counts(), False, False)
    head = b"POST /wsman HTTP/1.1\r\nAuthorization: Basic " + exchange._BASIC.split()[1]
    assert connection.answer(head, rule(GET)).startswith(b"HTTP/1.1 200 ")
    missing = connection.answer(head, rule(GET, "SPPSVC-In-TCP-NoScope"))
    assert missing.startswith(b"HTTP/1.1 500 ")
    assert b"HRESULT 0x80041002" in missing


def test_nothing_is_said_about_what_is_not_known():
    hosts = changing.ChangingHosts("client_set")
    uri = f"{CIMV2}/{SERVICE}"
    assert hosts.answer(envelope(uri, f"{uri}/ReArmWindows")) is None
    assert hosts.answer(envelope(f"{CIMV2}/Win32_Nothing", GET)) is None
    assert hosts.answer(envelope(f"{CIMV2}/*", ENUMERATE, "<w:Filter>select A from Win32_Nothing</w:Filter>")) is None


def test_each_method_sets_a_column_that_hosts_have():
    data = yaml.safe_load((shells.RESULTS.parent / "changing.yml").read_text(encoding="utf-8"))
    machine = Machine("host_set")
    for row in data["methods"][SERVICE].values():
        machine.column(SERVICE, row["column"])


def test_all_hosts_begin_anew():
    hosts = server.Hosts()

    def say(number: int, request: bytes) -> bytes | None:
        return hosts.exchange(number)._respond(request)

    hosts.begin_anew(json.dumps({"kind": "client_due", "results": {}}))
    uri = f"{CIMV2}/{PRODUCT}"
    query = envelope(f"{CIMV2}/*", ENUMERATE, f"<w:Filter>select LicenseStatus from {PRODUCT}</w:Filter>")
    assert say(3, envelope(uri, f"{uri}/Activate"))
    assert b"<LicenseStatus>1<" in (say(3, query) or b"")
    hosts.begin_anew(json.dumps({"kind": "client_due", "results": {}}))
    assert b"<LicenseStatus>5<" in (say(3, query) or b"")


def test_a_module_returns_by_turns_what_is_listed():
    first: dict[str, Any] = {"changed": True}
    opened = shells.Shells({"win_powershell": [first, {"changed": False}], "win_ping": {"ping": "pong"}})
    told = [opened._result(b'{"Script": "ansible.windows.win_powershell.ps1"}') for _time in range(3)]
    assert told == [first, {"changed": False}, first]
