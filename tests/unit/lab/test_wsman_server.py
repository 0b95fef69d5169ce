# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WS-Management front end of the lab, driven by the foreign clients pypsrp and pywinrm over real sockets."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
import requests
from pypsrp.exceptions import AuthenticationError, WinRMTransportError
from pypsrp.wsman import OptionSet, SelectorSet, WSMan
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests_credssp.exceptions import NTStatusException
from unit.lab.fake_host import FakeHost
from winrm.exceptions import InvalidCredentialsError, WSManFaultError
from winrm.exceptions import WinRMTransportError as PywinrmTransportError
from winrm.protocol import Protocol

from lab.wsman import certificates
from lab.wsman import namespaces as ns
from lab.wsman.authentication import Account, check_of, prepare_acceptor, write_ntlm_users
from lab.wsman.backend import Directory, WmiError
from lab.wsman.request_log import Entry, RequestLog
from lab.wsman.server import ServerOptions, WsmanServer
from lab.wsman.service import DropConnection

ADDRESS = "127.77.1.1"
OTHER = "127.77.1.2"
USER = "CONTOSO\\svc"
PASSWORD = "Pa55-word!"
ACCOUNTS = [Account(USER, PASSWORD), Account("svc@CONTOSO.COM", PASSWORD), Account("local", PASSWORD), Account("CONTOSO\\guest", PASSWORD)]
SERVICE_URI = ns.URI_WMI + "root/cimv2/Win32_Service"
QUERY_URI = ns.URI_WMI + "root/cimv2/*"


@dataclass
class Lab:
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


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder: Path = tmp_path_factory.mktemp("wsman")
    write_ntlm_users(folder / "ntlm-users", ACCOUNTS)
    prepare_acceptor(folder / "ntlm-users")
    files = certificates.create(folder, ["fake.contoso.com"], [ADDRESS, OTHER], user="local@localhost")
    directory = Directory()
    log = RequestLog()
    options = ServerOptions(
        http_port=0,
        https_port=0,
        tls=certificates.server_context(files),
        check=check_of(ACCOUNTS),
        certificate_users={"local@localhost": "local"},
        credssp=True,
        idle_seconds=5,
        max_timeout=1.5,
    )
    with WsmanServer(directory, log, options) as server:
        yield Lab(server, FakeHost(), FakeHost(), log, files)


@pytest.fixture
def lab(running: Lab) -> Lab:
    # Of this version it is known how rows are split into pages.
    running.host = FakeHost(seed=1, os_version="10.0.14393")
    running.other = FakeHost(seed=2, os_version="6.1.7601", language="de-DE")
    running.server.directory.hosts = {ADDRESS: running.host, OTHER: running.other}
    running.log.truncate()
    return running


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


@pytest.mark.parametrize(
    ("auth", "options"),
    [
        ("ntlm", {}),
        ("negotiate", {}),
        ("credssp", {}),
        *((auth, {"ssl": True}) for auth in ("ntlm", "basic", "negotiate", "credssp", "certificate")),
    ],
)
def test_pypsrp_reads_all_rows(lab: Lab, auth: str, options: dict[str, object]) -> None:
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
def test_pywinrm_sends_any_message(lab: Lab, transport: str, user: str, options: dict[str, bool]) -> None:
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


def test_wrong_password_is_401(lab: Lab) -> None:
    for auth, options in (("ntlm", {}), ("basic", {"ssl": True})):
        with lab.pypsrp(auth, password="wrong", **options) as client, pytest.raises(AuthenticationError):
            collect(client, "select * from Win32_Service")
    with pytest.raises(InvalidCredentialsError):
        lab.pywinrm(password="wrong").transport.send_message("x")
    assert {(entry.action, entry.status) for entry in lab.log.entries} == {("Authenticate", 401)}


def test_a_wrong_password_in_credssp_and_a_certificate_without_an_account(lab: Lab) -> None:
    with lab.pypsrp("credssp", password="wrong") as client, pytest.raises(NTStatusException):
        collect(client, "select * from Win32_Service")
    lab.server.options.certificate_users = {}
    try:
        with lab.pypsrp("certificate", ssl=True) as client, pytest.raises(AuthenticationError):
            collect(client, "select * from Win32_Service")
    finally:
        lab.server.options.certificate_users = {"local@localhost": "local"}
    assert not [entry for entry in lab.log.entries if entry.status == 200]


def test_a_long_answer_over_credssp_comes_in_parts(lab: Lab) -> None:
    lab.host.services = FakeHost(services=403).services
    with lab.pypsrp("credssp") as client:
        items, _pulls = collect(client, "select * from Win32_Service")
    assert len(items) == 403
    assert max(entry.bytes_out for entry in lab.log.entries) > 100_000


def test_user_without_rights_gets_a_fault(lab: Lab) -> None:
    with lab.pypsrp(user="CONTOSO\\guest") as client, pytest.raises(WinRMTransportError):
        send(client, ns.ACTION_GET, SERVICE_URI, None, selectors(Name="svc001"))
    assert lab.log.entries[-1].fault != 0


def test_basic_over_http_is_not_offered_unless_allowed(lab: Lab) -> None:
    with lab.pypsrp("basic", encryption="never") as client, pytest.raises(AuthenticationError):
        collect(client, "select * from Win32_Service")
    lab.host.allows_unencrypted = True
    with lab.pypsrp("basic", encryption="never") as client:
        assert len(collect(client, "select * from Win32_Service")[0]) == 3


def test_plain_message_on_http_is_refused(lab: Lab) -> None:
    with lab.pypsrp("ntlm", encryption="never") as client, pytest.raises(WinRMTransportError) as error:
        client.transport.send(b"<x/>")
    assert error.value.code == 500


def test_encrypted_message_on_a_new_connection_is_400(lab: Lab) -> None:
    protocol = lab.pywinrm()
    protocol.transport.build_session()
    lab.server.disconnect(ADDRESS)
    with pytest.raises(PywinrmTransportError) as error:
        protocol.transport.send_message("<x/>")
    assert error.value.code == 400
    protocol.transport.close_session()


def test_get_put_and_typed_values(lab: Lab) -> None:
    with lab.pypsrp() as client:
        row = client.get(SERVICE_URI, selector_set=selectors(name="SVC002"))[0]
        assert row.tag == f"{{{SERVICE_URI}}}Win32_Service"
        values = {child.tag.rpartition("}")[2]: child for child in row}
        assert values["ProcessId"].text == "8"
        assert values["Started"].text == "false"
        assert values["InstallDate"].findtext(f"{{{ns.CIM_COMMON}}}Datetime") == "2026-01-03T12:30:05.250000Z"
        assert values["Uptime"].findtext(f"{{{ns.CIM_COMMON}}}Interval") == "P2DT3H0M2S"
        assert [child.text for child in row.iterfind(f"{{{SERVICE_URI}}}Tags")] == ["t0", "t1"]
        assert values["System"].findtext(f".//{{{ns.WSMAN}}}Selector") == "FAKE"
        body = ElementTree.Element(f"{{{SERVICE_URI}}}Win32_Service")
        ElementTree.SubElement(body, f"{{{SERVICE_URI}}}Description").text = "new"
        changed = client.put(SERVICE_URI, body, selector_set=selectors(Name="svc002"))[0]
        assert changed.findtext(f"{{{SERVICE_URI}}}Description") == "new"
    assert lab.host.services["svc002"]["Description"] == "new"


def test_null_arrays(lab: Lab) -> None:
    options = OptionSet()
    options.add_option("msftwinrm:UsePreciseArrays", "true", {"Type": "xs:boolean"})
    with lab.pypsrp() as client:
        row = client.get(SERVICE_URI, selector_set=selectors(Name="svc000"), option_set=options)[0]
        tags = row.find(f"{{{SERVICE_URI}}}Tags")
        assert tags is not None
        assert tags.get(f"{{{ns.MSWSMAN}}}IsNullArray") == "true"
        assert row.find(f"{{{SERVICE_URI}}}InstallDate").get(f"{{{ns.XSI}}}nil") == "true"
        assert (row.findtext(f"{{{SERVICE_URI}}}Description") or "") == ""
    with lab.pypsrp(address=OTHER) as client:
        row = client.get(SERVICE_URI, selector_set=selectors(Name="svc000"), option_set=options)[0]
        assert row.find(f"{{{SERVICE_URI}}}Tags") is None


def test_pages_keep_to_the_envelope_size(lab: Lab) -> None:
    lab.other.services = FakeHost(services=900).services
    with lab.pypsrp(address=OTHER, max_envelope_size=512000) as client:
        items, pulls = collect(client, "select * from Win32_Service")
    assert len(items) == 900
    assert pulls >= 4
    assert max(entry.bytes_out for entry in lab.log.entries) < 150 * 1024 + 1024


def test_results_of_none_and_one(lab: Lab) -> None:
    for address in (ADDRESS, OTHER):
        with lab.pypsrp(address=address) as client:
            assert collect(client, "select * from Win32_Service where Name = 'none'") == ([], 0)
            assert len(collect(client, "select * from Win32_Service where Name = 'svc001'")[0]) == 1
            assert len(collect(client, "select * from Win32_Service", optimize=False)[0]) == 3


def test_references_come_with_objects(lab: Lab) -> None:
    with lab.pypsrp() as client:
        items, _pulls = collect(client, "select * from Win32_Service", mode="EnumerateObjectAndEPR")
        references = [item[1] for item in items]
        assert {item.tag for item in references} == {f"{{{ns.ADDRESSING}}}EndpointReference"}
        assert {item.findtext(f".//{{{ns.WSMAN}}}ResourceURI") for item in references} == {ns.URI_WMI + "root/cimv2/Win32_Service"}
        names = [item.findtext(f".//{{{ns.WSMAN}}}Selector[@Name='Name']") for item in references]
        assert names == ["svc000", "svc001", "svc002"]
        items, _pulls = collect(client, "select * from Win32_OperatingSystem", mode="EnumerateEPR")
        assert items[0].find(f".//{{{ns.WSMAN}}}SelectorSet") is None


def test_a_context_ends_with_release(lab: Lab) -> None:
    with lab.pypsrp() as client:
        answer = client.enumerate(QUERY_URI, enumerate_body("select * from Win32_Service"))[0]
        context = answer.findtext(f"{{{ns.ENUMERATION}}}EnumerationContext") or ""
        body = ElementTree.Element(f"{{{ns.ENUMERATION}}}Release")
        ElementTree.SubElement(body, f"{{{ns.ENUMERATION}}}EnumerationContext").text = context
        send(client, ns.ACTION_RELEASE, QUERY_URI, body)
        with pytest.raises(WinRMTransportError) as error:
            send(client, ns.ACTION_PULL, QUERY_URI, pull_body(context))
    assert "InvalidEnumerationContext" in error.value.response_text


@pytest.mark.parametrize(
    ("action", "uri", "body", "chosen", "code"),
    [
        (ns.ACTION_GET, SERVICE_URI, None, {}, 0x803380FA),
        (ns.ACTION_GET, SERVICE_URI, None, {"Nam": "x"}, 0x8033803D),
        (ns.ACTION_ENUMERATE, SERVICE_URI, enumerate_body(""), {"Name": "x"}, 0x80338108),
        (ns.ACTION_ENUMERATE, SERVICE_URI, enumerate_body("select * from Win32_Service"), {}, 0x803380FB),
        (ns.ACTION_ENUMERATE, SERVICE_URI, None, {}, 0x80338041),
        (ns.ACTION_ENUMERATE, SERVICE_URI + "x", enumerate_body(""), {}, 0x80041010),
        (ns.ACTION_ENUMERATE, QUERY_URI, enumerate_body("select * from Missing"), {}, 0x80041010),
        (SERVICE_URI + "/Nothing", SERVICE_URI, input_body(SERVICE_URI, "Nothing"), {"Name": "svc001"}, 0x8004102E),
        (SERVICE_URI + "/Activate", SERVICE_URI, None, {"Name": "svc001"}, 0x80338041),
        ("http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Command", ns.URI_SHELLS[0] + "/cmd", None, {}, 5),
        (ns.ACTION_CREATE, ns.URI_SHELLS[1] + "Microsoft.PowerShell", None, {}, 5),
    ],
)
def test_faults_with_one_code(lab: Lab, action: str, uri: str, body: ElementTree.Element | None, chosen: dict[str, str], code: int) -> None:
    for seed in range(6):
        lab.host.seed = seed
        with lab.pypsrp("basic", ssl=True) as client, pytest.raises(WinRMTransportError) as error:
            send(client, action, uri, body, selectors(**chosen))
        assert str(code) in error.value.response_text
        assert fault_of(error) is not None
        assert lab.log.entries[-1].fault == code


@pytest.mark.parametrize(
    ("method", "arguments", "codes"),
    [
        ("Change", {"displayName": "x"}, {0x8033811E, 0x8004102F}),
        ("Change", {"Flags": [1, 256]}, {0x8033811E, 0x8004102F}),
        ("Change", {"Since": "2026-01-01T00:00:00Z"}, {0x8033811E, 0x8004102F}),
        ("Change", {"DisplayName": ["a", "b"]}, {0x8033811E, 0x8004102F}),
        ("Slow", {"Seconds": "soon"}, {0x8033811E, 0x8004102F}),
    ],
)
def test_wrong_arguments_are_refused(lab: Lab, method: str, arguments: dict[str, object], codes: set[int]) -> None:
    seen = set()
    for seed in range(8):
        lab.host.seed = seed
        with lab.pypsrp("basic", ssl=True) as client, pytest.raises(WinRMTransportError):
            send(client, f"{SERVICE_URI}/{method}", SERVICE_URI, input_body(SERVICE_URI, method, **arguments), selectors(Name="svc001"))
        seen.add(lab.log.entries[-1].fault)
    assert seen == codes
    assert lab.host.calls == []


def test_provider_error_comes_in_every_form(lab: Lab) -> None:
    forms = set()
    for seed in range(60):
        lab.host.seed = seed
        with lab.pypsrp("basic", ssl=True) as client:
            body = input_body(SERVICE_URI, "Activate")
            try:
                answer = send(client, SERVICE_URI + "/Activate", SERVICE_URI, body, selectors(Name="svc001")).decode()
            except WinRMTransportError as error:
                answer = error.response_text
        assert "3221549112" in answer or "c004f038" in answer.lower()
        forms.add(("MSFT_WmiError" in answer, "__ExtendedStatus" in answer, "Activate_OUTPUT" in answer, "unknown error" in answer))
    assert len(forms) >= 5


def test_operation_goes_on_after_the_cap(lab: Lab) -> None:
    with lab.pypsrp() as client, pytest.raises(WinRMTransportError) as error:
        send(client, SERVICE_URI + "/Slow", SERVICE_URI, input_body(SERVICE_URI, "Slow", Seconds=2), selectors(Name="svc001"))
    assert ":TimedOut<" in error.value.response_text
    assert lab.host.calls[0][2] == {"Seconds": 2}


def test_method_without_return_value(lab: Lab) -> None:
    uri = ns.URI_WMI + "root/StandardCimv2/MSFT_NetFirewallRule"
    with lab.pypsrp() as client:
        answer = client.invoke(uri + "/Enable", uri, input_body(uri, "Enable"), selector_set=selectors(InstanceID="SPPSVC-In-TCP"))
    output = answer.find(f".//{{{uri.replace('StandardCimv2', 'standardcimv2')}}}Enable_OUTPUT")
    assert output is not None
    assert len(output) == 0


def test_class_schema_and_config(lab: Lab) -> None:
    with lab.pypsrp() as client:
        schema = client.get(ns.URI_SCHEMA, selector_set=selectors(__cimnamespace="root/cimv2", ClassName="stdregprov"))[0]
        assert schema.get("NAME") == "StdRegProv"
        assert [item.get("TYPE") for item in schema.iterfind("METHOD[@NAME='EnumKey']/PARAMETER")] == ["uint32"]
        assert schema.find("METHOD[@NAME='EnumKey']/PARAMETER.ARRAY").get("NAME") == "sNames"
        client.update_max_payload_size()
        assert client.max_envelope_size == 500 * 1024
    assert [entry.action for entry in lab.log.entries] == ["GetClass", "Get"]


def test_unknown_address_is_hung_up_on(lab: Lab) -> None:
    with lab.pypsrp(address="127.77.1.99") as client, pytest.raises(Exception, match=r"aborted|reset|closed"):
        client.transport.send(b"<x/>")


def test_product_keys_are_masked_in_the_log(lab: Lab) -> None:
    with lab.pypsrp() as client:
        collect(client, "select * from Win32_Service where Name = 'ABCDE-FGHIJ-KLMNO-PQRST-12345'")
    assert lab.log.entries[0].query.endswith("'XXXXX-XXXXX-XXXXX-XXXXX-12345'")


def test_a_shell_is_refused_and_logged(lab: Lab) -> None:
    protocol = lab.pywinrm()
    with pytest.raises(WSManFaultError) as error:
        protocol.open_shell()
    assert error.value.wsman_fault_code == 5
    assert [(entry.action, entry.fault) for entry in lab.log.entries] == [("Shell:Create", 5)]


def test_requests_can_be_intercepted(lab: Lab) -> None:
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


def test_many_clients_at_once(lab: Lab) -> None:
    def read(_number: int) -> int:
        with lab.pypsrp() as client:
            return sum(len(collect(client, "select Name from Win32_Service")[0]) for _time in range(3))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(24))) == [9] * 24
    assert len({entry.connection for entry in lab.log.entries}) == 24


def test_identify_needs_no_credentials(lab: Lab) -> None:
    url = f"http://{ADDRESS}:{lab.server.http_port}/wsman"
    body = f'<s:Envelope xmlns:s="{ns.SOAP}"><s:Body><i:Identify xmlns:i="{ns.IDENTITY}"/></s:Body></s:Envelope>'
    answer = requests.post(url, body, headers={"WSMANIDENTIFY": "unauthenticated"}, timeout=5)
    assert "OS: 0.0.0" in answer.text
    answer = requests.post(url, body, timeout=5)
    assert answer.status_code == 401
    assert "Basic" not in answer.headers["WWW-Authenticate"]
    assert requests.get(url, timeout=5).status_code == 405
    assert requests.post(url, b"x" * 600_000, timeout=5).status_code == 413


def test_a_document_type_is_refused(lab: Lab) -> None:
    with lab.pypsrp() as client, pytest.raises(WinRMTransportError, match="SchemaValidationError"):
        client.transport.send(b'<!DOCTYPE x [<!ENTITY a "b">]><x/>')
