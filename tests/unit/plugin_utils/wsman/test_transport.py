# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The carriers against servers that are not as they should be: bounds are kept, and each case has its sentence."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import time
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import error_catalogue
import pytest
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader
from unit.plugin_utils.wsman.wire_server import ADDRESS, Talk, listening, psrp_plugin, saying, server_tls, session, winrm_plugin

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import http_carrier, transport
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.diagnosis import (
    explain_authentication,
    explain_broken,
    explain_tls,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import UnknownOutcome
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.transport import open_session

pytestmark = pytest.mark.tier("quick")

LIBRARIES = pytest.mark.parametrize("library", ["psrp", "winrm"])
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n"
HUGE, PIECE = 100 * 1024 * 1024, b" " * 65536


CERTIFICATES = {
    "a certificate for another name": (1, "kms-9.contoso.com", True),
    "a certificate that has expired": (-1, ADDRESS, True),
    "a certificate that nobody vouches for": (1, ADDRESS, False),
}
"""Days that the certificate is in date, the name it is for, and whether its authority is trusted."""

STATUSES = {
    "no WS-Management under this path, or WinRM 1.1": "404 Not Found",
    "the WinRM service is stopped": "503 Service Unavailable",
    "an account that may not use WinRM": "403 Forbidden",
    "wrong user or password of the connection": "401 Unauthorized",
    "a message that WinRM cannot read": "400 Bad Request",
    "a status that WinRM does not use": "418 I'm a teapot",
}

ROUTES = (
    "a proxy of the host's variables that is not there",
    "a proxy that does not let requests to the host pass",
    "a proxy that leads to its own page",
    "a proxy that only the environment names, and no way to the host without it",
    "a host that asks for a logon as a proxy does",
    "a redirect to another host",
    "a redirect that names no address",
    "an encrypted answer to a message that was not",
    "an answer whose encryption is another one",
)
"""Those of test_guard.py."""

KERBEROS = {
    "Kerberos: the clocks differ": "kinit: Clock skew too great while getting initial credentials",
    "Kerberos: no such service": "Server not found in Kerberos database",
    "Kerberos: no domain controller": "Cannot find KDC for realm CONTOSO.COM",
    "Kerberos: no ticket": "No Kerberos credentials available (default cache: FILE:/tmp/x)",
    "Kerberos: the ticket has expired": "Ticket expired",
    "Kerberos: wrong password": "kinit: Preauthentication failed while getting initial credentials",
    "Kerberos: no such user": "kinit: Client 'x@CONTOSO.COM' not found in Kerberos database",
    "Kerberos: kinit is missing": "Kerberos auth failure when calling kinit cmd 'kinit': No such file",
    "Kerberos: pywinrm is there without it": "requested auth method is kerberos, but pykerberos is not installed",
    "Kerberos: pypsrp is there without it": "The Python gssapi library is not installed so Kerberos cannot be negotiated.",
    "CredSSP: pywinrm is there without it": "requests auth method is credssp, but requests-credssp is not installed",
    "CredSSP: pypsrp is there without it": "Cannot use CredSSP auth as requests-credssp is not installed: No module named 'x'",
    "Kerberos is not on offer": (
        "The server did not response with one of the following authentication methods Kerberos - actual: 'Basic realm=\"WSMAN\", CredSSP'"
    ),
    "CredSSP is not on offer": (
        "The server did not response with one of the following authentication methods CredSSP - actual: 'Negotiate, Kerberos'"
    ),
}
"""What the libraries and krb5 say."""

NO_SPN, NO_SPN_OF_ADDRESS = "Kerberos: no such service, as psrp asks for it", "Kerberos: no such service, by an address"

HUGE_ANSWERS = {
    "an answer that is announced as too large": "length",
    "an answer in chunks that is too large": "chunks",
    "an answer that is compressed": "gzip",
    "an error that is too large": "until the end, with an error",
}

PAGE = "<html><body>It works!</body></html>"
OTHER_SERVERS = {
    "a web server in place of WinRM": f"HTTP/1.1 200 OK\nContent-Length: {len(PAGE)}\nConnection: close\n\n{PAGE}",
    "an SSH server in place of WinRM": "SSH-2.0-OpenSSH_9.2p1\n",
}

WRITTEN = error_catalogue.paired(
    "WinRM",
    [
        "a connection plugin that was rebuilt",
        "message encryption that psrp cannot do",
        "message encryption that winrm cannot do",
        "a client certificate without its key",
        "a client certificate that is not there",
        "nobody listens",
        "a name that DNS does not know",
        "a proxy that wants a logon",
        *ROUTES,
        "TLS 1.0 only, as on Windows 7 and Server 2008 R2",
        "https where http is spoken",
        "http where https is spoken",
        *CERTIFICATES,
        "a client certificate that the host does not accept",
        *KERBEROS,
        NO_SPN,
        NO_SPN_OF_ADDRESS,
        *STATUSES,
        *OTHER_SERVERS,
        *HUGE_ANSWERS,
        "an answer that does not end",
    ],
)


def check(case: str, error: ActivationError, **known: object) -> None:
    """The error is that of the case."""
    assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN[case], error, **known)


def error_of(library: str, port: int, tls: Path | None = None) -> ActivationError:
    """What a first request over TLS, or without, comes to."""
    with pytest.raises(ActivationError) as caught, session(library, port, tls) as opened:
        opened.identify()
    assert "secret" not in caught.value.message
    assert "kms-1" in caught.value.message
    return caught.value


@pytest.mark.parametrize(
    ("plugin", "gone"),
    [
        *((psrp_plugin, name) for name in ("_build_kwargs", "_psrp_conn_kwargs")),
        *((winrm_plugin, name) for name in ("_build_winrm_kwargs", "shell_id", "protocol", "_winrm_connect")),
    ],
)
def test_a_connection_plugin_that_was_rebuilt_is_named(plugin: Any, gone: str):
    connection = plugin(5985)
    delattr(connection, gone)
    with pytest.raises(ActivationError) as caught:
        open_session(connection, "kms-1")
    check("a connection plugin that was rebuilt", caught.value, plugin=plugin.__name__.removesuffix("_plugin"), gone=gone)
    assert not caught.value.unreachable


def test_the_plugins_of_this_ansible_core_have_what_the_carriers_use():
    winrm = connection_loader.get("winrm", PlayContext())
    psrp = connection_loader.get("psrp", PlayContext())
    assert [name for name in ("_build_winrm_kwargs", "_winrm_connect", "shell_id", "protocol") if not hasattr(winrm, name)] == []
    for connection, host in ((winrm, "winrm-host"), (psrp, "psrp-host")):
        connection.set_options(
            var_options={"_extras": {}, "ansible_host": host, "ansible_port": 5985, "ansible_user": "user", "ansible_password": "secret"}
        )
        assert open_session(connection, host).carrier.endpoint == f"http://{host}:5985/wsman"


def test_the_variables_of_the_connection_reach_the_library():
    chosen = {"proxy": "http://proxy:8080", "send_cbt": False, "message_encryption": "never", "read_timeout_sec": 100}
    winrm = connection_loader.get("winrm", PlayContext())
    winrm.set_options(
        var_options={
            "_extras": {f"ansible_winrm_{name}": value for name, value in chosen.items()},
            "ansible_host": "kms-1",
            "ansible_port": 5985,
            "ansible_winrm_transport": ["ntlm"],
            "ansible_user": "user",
            "ansible_password": "secret",
        }
    )
    carrier = open_session(winrm, "kms-1").carrier
    transport = carrier._transport
    patience = chosen.pop("read_timeout_sec")
    assert {name: getattr(transport, name) for name in chosen} == chosen
    before = transport.read_timeout_sec.clone()
    carrier.contact.make()
    after = transport.read_timeout_sec.clone()
    assert (before.connect_timeout, before.read_timeout, after.connect_timeout, after.read_timeout) == (10, 10, 10, patience)
    assert carrier.patience > 100
    session = transport.build_session()
    assert session.proxies["http"] == "http://proxy:8080"
    assert session.auth.send_cbt is False
    assert transport.encryption is None
    psrp = connection_loader.get("psrp", PlayContext())
    psrp.set_options(
        var_options={
            "ansible_host": "kms-1",
            "ansible_psrp_proxy": "http://proxy:8080",
            "ansible_psrp_negotiate_send_cbt": False,
            "ansible_psrp_message_encryption": "never",
            "ansible_psrp_read_timeout": 100,
        }
    )
    carrier = open_session(psrp, "kms-1").carrier
    transport = carrier._transport
    assert (transport.proxy, transport.negotiate_send_cbt, transport.wrap_required, transport.read_timeout) == (
        "http://proxy:8080",
        False,
        False,
        100,
    )
    assert carrier.patience > 100


def test_a_request_goes_through_the_proxy():
    seen: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with listening(proxy, seen=seen) as port:
        for connection in (
            psrp_plugin(5985, server="kms-1.invalid", proxy=f"http://{ADDRESS}:{port}"),
            winrm_plugin(5985, host="kms-1.invalid", proxy=f"http://{ADDRESS}:{port}"),
        ):
            with pytest.raises(ActivationError) as caught:
                open_session(connection, "kms-1").identify()
            plugin = connection.ansible_name.rpartition(".")[2]
            check("a proxy that wants a logon", caught.value, port=port, variable=f"ansible_{plugin}_proxy")
    assert [head.partition(b" HTTP")[0] for head in seen] == [b"POST http://kms-1.invalid:5985/wsman"] * 2


@LIBRARIES
def test_message_encryption_where_there_is_none_is_a_matter_of_options(library: str):
    connection = psrp_plugin(5985, encryption="always") if library == "psrp" else winrm_plugin(5985, message_encryption="always")
    with pytest.raises(ActivationError) as caught:
        open_session(connection, "kms-1").identify()
    check(f"message encryption that {library} cannot do", caught.value)
    assert not caught.value.unreachable


@pytest.mark.parametrize("name", ["ansible.builtin.ssh", "local"])
def test_another_connection_is_told_the_two_variables_that_make_it_work(name: str):
    with pytest.raises(ActivationError) as caught:
        open_session(SimpleNamespace(ansible_name=name), "kms-1")
    said = caught.value.message
    assert said.startswith("kms-1: ") and name.rpartition(".")[2] in said
    assert said.endswith("ansible_connection: psrp and ansible_port: 5985.")


@pytest.mark.parametrize("case", KERBEROS)
def test_what_the_connection_plugin_says_is_told_with_the_host(case: str):
    class AnsibleConnectionFailure(Exception):
        pass

    def fail() -> None:
        raise AnsibleConnectionFailure(KERBEROS[case])

    connection = winrm_plugin(5985)
    connection._winrm_connect = fail
    with pytest.raises(ActivationError) as caught:
        open_session(connection, "kms-1")
    check(case, caught.value)
    assert caught.value.unreachable
    assert connection.shell_id is None


@pytest.mark.parametrize(
    ("connection", "case", "known"),
    [
        (psrp_plugin(5985, server="kms-1.contoso.com", auth="kerberos", negotiate_service="WSMAN"), NO_SPN, {}),
        (
            psrp_plugin(5985, auth="kerberos", negotiate_service="WSMAN", negotiate_hostname_override="kms-1.contoso.com"),
            NO_SPN,
            {},
        ),
        (
            psrp_plugin(5985, auth="kerberos", negotiate_service="WSMAN"),
            NO_SPN_OF_ADDRESS,
            {"service": "WSMAN", "variable": "ansible_psrp_negotiate_hostname_override"},
        ),
        (
            winrm_plugin(5985, transport="kerberos"),
            NO_SPN_OF_ADDRESS,
            {"service": "HTTP", "variable": "ansible_winrm_kerberos_hostname_override"},
        ),
    ],
)
def test_a_service_that_the_domain_does_not_know(connection: SimpleNamespace, case: str, known: dict[str, str]):
    """As pyspnego raises what GSSAPI says."""
    carrier: Any = open_session(connection, "kms-1").carrier
    carrier.post = raising(
        RuntimeError("SpnegoError (4294967295): Server not found in Kerberos database, Context: Processing security token")
    )
    with pytest.raises(ActivationError) as caught:
        carrier.send(b"<x/>")
    check(case, caught.value, **known)
    assert caught.value.unreachable


def test_a_service_that_every_computer_has_is_not_advised_again():
    connection = psrp_plugin(5985, server="kms-1.contoso.com", auth="kerberos", negotiate_service="host")
    carrier: Any = open_session(connection, "kms-1").carrier
    assert "negotiate_service" not in carrier.refused_logon("Server not found in Kerberos database").message


def raising(error: Exception) -> Callable[[bytes], bytes]:
    def post(_message: bytes) -> bytes:
        raise error

    return post


def huge(kind: str) -> Talk:
    def talk(connection: socket.socket) -> None:
        if kind == "length":
            connection.sendall(f"{HEAD}Content-Length: {HUGE}\r\n\r\n".encode())
        elif kind == "chunks":
            connection.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
        elif kind == "gzip":
            connection.sendall(f"{HEAD}Content-Encoding: gzip\r\nConnection: close\r\n\r\n".encode())
        else:
            connection.sendall(f"{HEAD.replace('200 OK', '500 No')}Connection: close\r\n\r\n".encode())
        packer = zlib.compressobj(level=1, wbits=16 + zlib.MAX_WBITS)
        for _number in range(HUGE // len(PIECE)):
            piece = packer.compress(PIECE) if kind == "gzip" else PIECE
            connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if kind == "chunks" else piece)

    return talk


@LIBRARIES
@pytest.mark.parametrize("case", HUGE_ANSWERS)
def test_an_answer_of_100_mb_does_not_take_the_memory(library: str, case: str):
    with listening(huge(HUGE_ANSWERS[case])) as port:
        tracemalloc.start()
        try:
            error = error_of(library, port)
            _now, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert isinstance(error, UnknownOutcome)
    check(case, error)
    assert peak < 12_000_000


@LIBRARIES
@pytest.mark.parametrize("where", ["head", "body"])
def test_a_server_that_drips_does_not_hold_the_task(library: str, where: str):
    text = HEAD + "Content-Length: 100\r\n\r\n"

    def talk(connection: socket.socket) -> None:
        if where == "body":
            connection.sendall(text.encode())
        for byte in text.encode():
            connection.sendall(bytes([byte]))
            time.sleep(0.1)

    with listening(talk) as port, session(library, port) as opened:
        opened.carrier.patience = 0.5
        started = time.monotonic()
        with pytest.raises(UnknownOutcome) as caught:
            opened.identify()
        check("an answer that does not end", caught.value)
        # A read is asked twice.
        assert 1.0 <= time.monotonic() - started < 2.5


@LIBRARIES
@pytest.mark.parametrize("case", CERTIFICATES)
def test_certificates(library: str, case: str, tmp_path: Path):
    days, name, trusted = CERTIFICATES[case]
    other = tmp_path / "other"
    other.mkdir()
    server_tls(other)
    with listening(saying("x"), server_tls(tmp_path, name, days)) as port:
        error = error_of(library, port, (tmp_path if trusted else other) / "cert.pem")
    assert error.unreachable
    check(case, error, port=port)


@LIBRARIES
def test_a_client_certificate_of_an_authority_that_the_host_does_not_trust(library: str, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    server_tls(other)
    context = server_tls(tmp_path)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(tmp_path / "cert.pem")
    trusted, pem, key = (str(path) for path in (tmp_path / "cert.pem", other / "cert.pem", other / "key.pem"))
    with listening(saying("x"), context) as port:
        if library == "psrp":
            settings = {"ssl": True, "auth": "certificate", "encryption": "auto", "certificate_pem": pem, "certificate_key_pem": key}
            connection = psrp_plugin(port, **settings, cert_validation=trusted)
        else:
            certificate = {"transport": "certificate", "cert_pem": pem, "cert_key_pem": key}
            connection = winrm_plugin(port, "https", **certificate, ca_trust_path=trusted)
        with pytest.raises(ActivationError) as caught:
            open_session(connection, "kms-1").identify()
    check("a client certificate that the host does not accept", caught.value, port=port)


@LIBRARIES
def test_a_host_with_tls_1_0_only(library: str, tmp_path: Path):
    context = server_tls(tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    with listening(saying("x"), context) as port:
        error = error_of(library, port, tmp_path / "cert.pem")
    assert error.unreachable
    check("TLS 1.0 only, as on Windows 7 and Server 2008 R2", error, port=port)


@LIBRARIES
def test_schemes_that_do_not_fit_the_listener(library: str, tmp_path: Path):
    with listening(saying("HTTP/1.1 400 Bad Request\n\n")) as port:
        server_tls(tmp_path)
        error = error_of(library, port, tmp_path / "cert.pem")
        assert error.unreachable
        check("https where http is spoken", error, port=port)
    with listening(saying("x"), server_tls(tmp_path)) as port:
        error = error_of(library, port)
        assert isinstance(error, UnknownOutcome)
        check("http where https is spoken", error)


def test_http_on_the_port_of_tls_is_guessed():
    broken = ConnectionResetError(104, "Connection reset by peer")
    assert "port 5986 usually speaks TLS" in explain_broken(broken, "http://kms-1:5986/wsman", answered=False)
    assert "usually" not in explain_broken(broken, "http://kms-1:5986/wsman", answered=True)
    assert "usually" not in explain_broken(broken, "http://kms-1:5985/wsman", answered=False)


@LIBRARIES
@pytest.mark.parametrize("case", STATUSES)
def test_bare_statuses(library: str, case: str):
    with listening(saying(f"HTTP/1.1 {STATUSES[case]}\nContent-Length: 5\nConnection: close\n\n<p/>x")) as port:
        error = error_of(library, port)
    check(case, error, port=port)
    assert not isinstance(error, UnknownOutcome)


@LIBRARIES
@pytest.mark.parametrize("case", OTHER_SERVERS)
def test_another_server_on_this_port(library: str, case: str):
    with listening(saying(OTHER_SERVERS[case])) as port:
        check(case, error_of(library, port))


def test_nobody_there():
    with socket.create_server((ADDRESS, 0)) as taken:
        port = taken.getsockname()[1]
    for library in ("psrp", "winrm"):
        error = error_of(library, port)
        assert error.unreachable
        check("nobody listens", error, port=port)
    for connection in (psrp_plugin(5985, server="kms-1.invalid"), winrm_plugin(5985, host="kms-1.invalid")):
        with pytest.raises(ActivationError) as caught:
            open_session(connection, "kms-1").identify()
        check("a name that DNS does not know", caught.value)


def test_files_that_are_not_there_are_a_matter_of_options(tmp_path: Path):
    settings = {"ssl": True, "auth": "certificate", "encryption": "auto"}
    missing = {"certificate_pem": str(tmp_path / "none.pem"), "certificate_key_pem": str(tmp_path / "none.key")}
    for more, case in (({}, "a client certificate without its key"), (missing, "a client certificate that is not there")):
        with listening(saying("x"), server_tls(tmp_path)) as port, pytest.raises(ActivationError) as caught:
            open_session(psrp_plugin(port, **settings, **more, cert_validation=str(tmp_path / "cert.pem")), "kms-1").identify()
        check(case, caught.value, folder=tmp_path)
        assert not caught.value.unreachable


@pytest.mark.parametrize("spelled", [str, str.upper, str.lower, str.swapcase])
def test_what_libraries_say_is_known_in_every_spelling(spelled: Callable[[str], str]):
    assert "offers " in str(
        explain_authentication(spelled("The server did not respond with one of the methods Kerberos - actual: 'Basic'"))
    )
    for text, meaning in (
        ("hostname 'kms-9' doesn't match 'kms-1'", "is for another name"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "does not speak TLS"),
        ("EOF occurred in violation of protocol", "the host ended the handshake"),
    ):
        assert meaning in explain_tls(ValueError(spelled(text)), "https://kms-1:5986/wsman")


def test_an_unknown_reason_is_told_in_its_own_words():
    with contextlib.suppress(ValueError):
        raise ValueError from RuntimeError("something  new.")
    assert str(explain_authentication("something  new.")) == "something new"


def test_a_slip_of_our_own_is_a_defect_and_no_host_that_is_down(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(http_carrier.HttpCarrier, "soap_fault", None)
    answer = "HTTP/1.1 500 No\nContent-Length: 0\nConnection: close\n\n"
    with listening(saying(answer)) as port, session("psrp", port) as opened, pytest.raises(TypeError, match="NoneType"):
        opened.identify()
    # The same from within a library is what the library makes of an answer.
    monkeypatch.setattr(opened.carrier, "post", lambda _message: json.dumps(object()))
    with pytest.raises(ActivationError, match=r"^kms-1: what answers does not carry the authentication through;"):
        opened.identify()


@pytest.mark.parametrize(
    ("lacks", "says"),
    [
        ((), "Set for this host ansible_connection: psrp and ansible_port: 5985."),
        (("WINRM",), "Set for this host ansible_connection: psrp and ansible_port: 5985."),
        (("PSRP",), "Set for this host ansible_connection: winrm and ansible_port: 5985."),
        (
            ("WINRM", "PSRP"),
            (
                "Set for this host ansible_connection: winrm and ansible_port: 5985. Install its package: pip install pywinrm, with Kerberos"
                " 'pywinrm[kerberos]'."
            ),
        ),
    ],
)
def test_the_connection_whose_package_is_installed_is_recommended(monkeypatch: pytest.MonkeyPatch, lacks: tuple[str, ...], says: str):
    for name in ("WINRM", "PSRP"):
        monkeypatch.setattr(transport, f"{name}_ERROR", ImportError("no") if name in lacks else None)
    assert transport.not_wsman("ssh", "kms-1").message == (
        f"kms-1: WMI is reached over WS-Management, which ansible_connection=ssh does not speak. {says}"
    )


@pytest.mark.parametrize("others", [True, False])
def test_a_connection_without_its_package_names_the_other_only_where_that_has_its_own(monkeypatch: pytest.MonkeyPatch, others: bool):
    monkeypatch.setattr(transport, "WINRM_ERROR", ImportError("no"))
    monkeypatch.setattr(transport, "PSRP_ERROR", None if others else ImportError("no"))
    with pytest.raises(ActivationError) as caught:
        transport.read_settings(SimpleNamespace(ansible_name="ansible.builtin.winrm"), "kms-1")
    assert ("ansible_connection: psrp" in caught.value.message) == others
