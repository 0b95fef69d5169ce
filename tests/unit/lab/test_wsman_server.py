# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets in to the WS-Management front end of the lab, and what it refuses: the foreign clients pypsrp and pywinrm over real sockets."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import pytest
import requests
from pypsrp.exceptions import AuthenticationError, WinRMTransportError
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests_credssp.exceptions import NTStatusException
from unit.lab.fake_host import FakeHost
from unit.lab.wsman_front_end import (
    ADDRESS,
    SERVICE_URI,
    USER,
    FrontEnd,
    collect,
    selectors,
    send,
)
from winrm.exceptions import InvalidCredentialsError, WSManFaultError
from winrm.exceptions import WinRMTransportError as PywinrmTransportError

from lab.wsman import namespaces as ns
from lab.wsman.backend import WmiError
from lab.wsman.request_log import Entry
from lab.wsman.service import DropConnection

pytestmark = pytest.mark.tier("test")


@pytest.mark.parametrize(
    ("auth", "options"),
    [
        ("ntlm", {}),
        ("negotiate", {}),
        ("credssp", {}),
        *((auth, {"ssl": True}) for auth in ("ntlm", "basic", "negotiate", "credssp", "certificate")),
    ],
)
def test_pypsrp_reads_all_rows(lab: FrontEnd, auth: str, options: dict[str, object]) -> None:
    with lab.pypsrp(auth, **options) as client:
        items, pulls = collect(client, "select Name, State from Win32_Service")
    assert [item.findtext("Name") for item in items] == ["svc000", "svc001", "svc002"]
    assert pulls == 1
    assert [child.tag for child in items[0]] == ["Name", "State"]
    entries = lab.log.entries
    assert [entry.action for entry in entries] == ["Enumerate", "Pull"]
    assert {entry.resource for entry in entries} == {"*", "Win32_Service"}
    assert {entry.encrypted for entry in entries} == {"ssl" not in options}
    assert entries[0].query == "select Name, State from Win32_Service"
    assert entries[0].bytes_in > 500
    assert entries[0].user.lower() == ("local" if auth == "certificate" else USER.lower())
    assert entries[0].authentication == {"negotiate": "ntlm"}.get(auth, auth)
    # CredSSP: a handshake of TLS, one of NTLM, the public key and the credentials, each a request.
    wanted = {"basic": 0, "certificate": 0, "credssp": 5}.get(auth, 2)
    assert entries[0].auth_exchanges == wanted + ("ssl" not in options)


@pytest.mark.parametrize(
    ("transport", "user", "options"),
    [
        ("ntlm", USER, {}),
        ("ntlm", "svc@CONTOSO.COM", {}),
        ("ntlm", "local", {}),
        ("basic", "local", {}),
        ("certificate", "local", {}),
        ("credssp", USER, {}),
        ("credssp", USER, {"tls": True}),
    ],
)
def test_pywinrm_sends_any_message(lab: FrontEnd, transport: str, user: str, options: dict[str, bool]) -> None:
    protocol = lab.pywinrm(transport, user, **options)
    uri = ns.URI_WMI + "root/cimv2/StdRegProv"
    message = (
        f'<s:Envelope xmlns:s="{ns.SOAP}" xmlns:a="{ns.ADDRESSING}" xmlns:w="{ns.WSMAN}"><s:Header><a:To>http://x</a:To>'
        f"<a:ReplyTo><a:Address>{ns.ANONYMOUS}</a:Address></a:ReplyTo><a:Action>{uri}/GetStringValue</a:Action>"
        f"<a:MessageID>uuid:{uuid.uuid4()}</a:MessageID><w:ResourceURI>{uri}</w:ResourceURI></s:Header><s:Body>"
        f'<p:GetStringValue_INPUT xmlns:p="{uri}"><p:hDefKey>2147483650</p:hDefKey><p:sSubKeyName>SOFTWARE\\X</p:sSubKeyName>'
        "<p:sValueName>Wert &amp; ü</p:sValueName></p:GetStringValue_INPUT></s:Body></s:Envelope>"
    )
    for _time in range(2):
        answer = ElementTree.fromstring(protocol.transport.send_message(message))
        output = answer.find(f".//{{{uri}}}GetStringValue_OUTPUT")
        assert output is not None
        assert output.findtext(f"{{{uri}}}ReturnValue") == "0"
        assert output.findtext(f"{{{uri}}}sValue") == "<Wert & ü>"
    protocol.transport.close_session()
    assert lab.host.calls[0] == (
        "GetStringValue",
        None,
        {"hDefKey": 2147483650, "sSubKeyName": "SOFTWARE\\X", "sValueName": "Wert & ü"},
    )
    assert [entry.action for entry in lab.log.entries] == ["Invoke:GetStringValue"] * 2
    assert len({entry.connection for entry in lab.log.entries}) == 1


def test_wrong_password_is_401(lab: FrontEnd) -> None:
    for auth, options in (("ntlm", {}), ("basic", {"ssl": True})):
        with lab.pypsrp(auth, password="wrong", **options) as client, pytest.raises(AuthenticationError):
            collect(client, "select * from Win32_Service")
    with pytest.raises(InvalidCredentialsError):
        lab.pywinrm(password="wrong").transport.send_message("x")
    assert {(entry.action, entry.status) for entry in lab.log.entries} == {("Authenticate", 401)}


def test_a_wrong_password_in_credssp_and_a_certificate_without_an_account(lab: FrontEnd) -> None:
    with lab.pypsrp("credssp", password="wrong") as client, pytest.raises(NTStatusException):
        collect(client, "select * from Win32_Service")
    lab.server.options.certificate_users = {}
    try:
        with lab.pypsrp("certificate", ssl=True) as client, pytest.raises(AuthenticationError):
            collect(client, "select * from Win32_Service")
    finally:
        lab.server.options.certificate_users = {"local@localhost": "local"}
    assert not [entry for entry in lab.log.entries if entry.status == 200]


def test_a_long_answer_over_credssp_comes_in_parts(lab: FrontEnd) -> None:
    lab.host.services = FakeHost(services=403).services
    with lab.pypsrp("credssp") as client:
        items, _pulls = collect(client, "select * from Win32_Service")
    assert len(items) == 403
    assert max(entry.bytes_out for entry in lab.log.entries) > 100_000


def test_user_without_rights_gets_a_fault(lab: FrontEnd) -> None:
    with lab.pypsrp(user="CONTOSO\\guest") as client, pytest.raises(WinRMTransportError):
        send(client, ns.ACTION_GET, SERVICE_URI, None, selectors(Name="svc001"))
    assert lab.log.entries[-1].fault != 0


def test_basic_over_http_is_not_offered_unless_allowed(lab: FrontEnd) -> None:
    with lab.pypsrp("basic", encryption="never") as client, pytest.raises(AuthenticationError):
        collect(client, "select * from Win32_Service")
    lab.host.allows_unencrypted = True
    with lab.pypsrp("basic", encryption="never") as client:
        assert len(collect(client, "select * from Win32_Service")[0]) == 3


def test_plain_message_on_http_is_refused(lab: FrontEnd) -> None:
    with lab.pypsrp("ntlm", encryption="never") as client, pytest.raises(WinRMTransportError) as error:
        client.transport.send(b"<x/>")
    assert error.value.code == 500


def test_encrypted_message_on_a_new_connection_is_400(lab: FrontEnd) -> None:
    protocol = lab.pywinrm()
    protocol.transport.build_session()
    lab.server.disconnect(ADDRESS)
    with pytest.raises(PywinrmTransportError) as error:
        protocol.transport.send_message("<x/>")
    assert error.value.code == 400
    protocol.transport.close_session()


def test_unknown_address_is_hung_up_on(lab: FrontEnd) -> None:
    with lab.pypsrp(address="127.77.1.99") as client, pytest.raises(Exception, match=r"aborted|reset|closed"):
        client.transport.send(b"<x/>")


def test_product_keys_are_masked_in_the_log(lab: FrontEnd) -> None:
    with lab.pypsrp() as client:
        collect(client, "select * from Win32_Service where Name = 'ABCDE-FGHIJ-KLMNO-PQRST-12345'")
    assert lab.log.entries[0].query.endswith("'XXXXX-XXXXX-XXXXX-XXXXX-12345'")


def test_a_shell_is_refused_and_logged(lab: FrontEnd) -> None:
    protocol = lab.pywinrm()
    with pytest.raises(WSManFaultError) as error:
        protocol.open_shell()
    assert error.value.wsman_fault_code == 5
    assert [(entry.action, entry.fault) for entry in lab.log.entries] == [("Shell:Create", 5)]


def test_requests_can_be_intercepted(lab: FrontEnd) -> None:
    def intercept(entry: Entry) -> None:
        assert entry.user == USER
        if entry.action == "Get":
            raise WmiError(0x80041001, "injected", "wbem")
        raise DropConnection

    lab.server.service.intercept = intercept
    try:
        with lab.pypsrp() as client:
            with pytest.raises(WinRMTransportError, match=r"injected|80041001|2147749889"):
                send(client, ns.ACTION_GET, SERVICE_URI, None, selectors(Name="svc001"))
            with pytest.raises(RequestsConnectionError):
                collect(client, "select * from Win32_Service")
    finally:
        lab.server.service.intercept = None
    assert [entry.status for entry in lab.log.entries] == [500, 0]


def test_many_clients_at_once(lab: FrontEnd) -> None:
    def read(_number: int) -> int:
        with lab.pypsrp() as client:
            return sum(len(collect(client, "select Name from Win32_Service")[0]) for _time in range(3))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(24))) == [9] * 24
    assert len({entry.connection for entry in lab.log.entries}) == 24


def test_identify_needs_no_credentials(lab: FrontEnd) -> None:
    url = f"http://{ADDRESS}:{lab.server.http_port}/wsman"
    body = f'<s:Envelope xmlns:s="{ns.SOAP}"><s:Body><i:Identify xmlns:i="{ns.IDENTITY}"/></s:Body></s:Envelope>'
    answer = requests.post(url, body, headers={"WSMANIDENTIFY": "unauthenticated"}, timeout=5)
    assert "OS: 0.0.0" in answer.text
    answer = requests.post(url, body, timeout=5)
    assert answer.status_code == 401
    assert "Basic" not in answer.headers["WWW-Authenticate"]
    assert requests.get(url, timeout=5).status_code == 405
    assert requests.post(url, b"x" * 600_000, timeout=5).status_code == 413


def test_a_document_type_is_refused(lab: FrontEnd) -> None:
    with lab.pypsrp() as client, pytest.raises(WinRMTransportError, match="SchemaValidationError"):
        client.transport.send(b'<!DOCTYPE x [<!ENTITY a "b">]><x/>')
