# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and logons go where the inventory says: no redirect, no proxy that nobody chose, no account for whoever asks for one."""

from __future__ import annotations

import base64
import gc
import os
import socket
import weakref
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import error_catalogue
import pytest
from unit.plugin_utils.wsman.wire_server import ADDRESS, listening, psrp_plugin, saying, server_tls, winrm_plugin

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.carriers import open_with
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.contact import Contact
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session, UnknownOutcome
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.transport import open_session, read_settings

pytestmark = pytest.mark.tier("test")

WRITTEN = error_catalogue.cases("WinRM")
PLUGINS = {"winrm": winrm_plugin, "psrp": psrp_plugin}
WAY: dict[str, Callable[[SimpleNamespace, str], Session]] = {}
LIBRARIES = pytest.mark.parametrize("library", PLUGINS)
NTLM: dict[str, dict[str, Any]] = {
    "winrm": {"transport": "ntlm"},
    "psrp": {"auth": "ntlm", "encryption": "auto"},
}


def open_among_many(connection: SimpleNamespace, host: str) -> Session:
    """As a task that reads many hosts does it."""
    return open_with(read_settings(connection, host), host, Contact(5, watched=True))


@pytest.fixture(autouse=True, params=[open_session, open_among_many])
def opener(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[SimpleNamespace, str], Session]:
    """Every way to a host is guarded; without the proxies of this machine."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setitem(WAY, "open", request.param)
    return request.param  # type: ignore[no-any-return]


def error_of(connection: SimpleNamespace) -> ActivationError:
    with pytest.raises(ActivationError) as caught, WAY["open"](connection, "kms-1") as opened:
        opened.identify()
    assert caught.value.message.isprintable() and len(caught.value.message) < 600
    return caught.value


def check(case: str, error: ActivationError, **known: object) -> None:
    assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN[case], error, **known)


def over_tls(library: str, folder: Path) -> dict[str, Any]:
    """Settings for a server whose certificate is in a folder."""
    trusted = str(folder / "cert.pem")
    return {"ssl": True, "cert_validation": trusted} if library == "psrp" else {"scheme": "https", "ca_trust_path": trusted}


def redirect(status: int, location: str = "") -> str:
    return f"HTTP/1.1 {status} Elsewhere\n{location and f'Location: {location}'}\nContent-Length: 0\n\n".replace("\n\nContent", "\nContent")


@LIBRARIES
@pytest.mark.parametrize("method", ["basic", "ntlm"])
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 306, 307, 308, 399])
def test_no_redirect_is_followed_whatever_its_status(library: str, method: str, status: int):
    seen: list[bytes] = []
    with (
        listening(saying(redirect(200)), seen=seen) as other,
        listening(saying(redirect(status, f"http://{ADDRESS}:{other}/wsman"))) as port,
    ):
        error = error_of(PLUGINS[library](port, **(NTLM[library] if method == "ntlm" else {})))
    assert seen == []
    assert error.shown_code == f"HTTP {status}" and f"a redirect to http://{ADDRESS}:{other}/wsman" in error.message
    assert not isinstance(error, UnknownOutcome)
    if status == 307:
        check("a redirect to another host", error, port=port, other=other)


@LIBRARIES
@pytest.mark.parametrize(
    "location", ["/elsewhere", "//127.0.0.1:1/x", "ftp://127.0.0.1/", "\x1b[31m\u0085ok: [kms-1]", "x" * 5000, "file:///etc/passwd"]
)
def test_the_address_of_a_redirect_is_one_visible_line(library: str, location: str):
    text = redirect(302, location).replace("\n", "\r\n").encode("latin-1")
    with listening(lambda connection: connection.sendall(text)) as port:
        error = error_of(PLUGINS[library](port))
    assert "a redirect to " in error.message and "\x1b" not in error.message and "\x85" not in error.message


@LIBRARIES
def test_a_redirect_in_the_midst_of_an_authentication_is_not_followed(library: str):
    seen: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n")
        connection.recv(65536)
        connection.sendall(redirect(307, f"http://{ADDRESS}:{other}/wsman").replace("\n", "\r\n").encode())

    with listening(saying(redirect(200)), seen=seen) as other, listening(talk) as port:
        error = error_of(PLUGINS[library](port, **NTLM[library]))
    assert seen == []
    check("a redirect to another host", error, port=port, other=other)


@LIBRARIES
def test_a_redirect_over_tls_is_not_followed(library: str, tmp_path: Path):
    """Where many hosts share a TLS context, the adapter of the session is another one."""
    seen: list[bytes] = []
    with (
        listening(saying(redirect(200)), seen=seen) as other,
        listening(saying(redirect(307, f"http://{ADDRESS}:{other}/wsman")), server_tls(tmp_path)) as port,
    ):
        error = error_of(PLUGINS[library](port, **over_tls(library, tmp_path)))
    assert seen == []
    assert error.shown_code == "HTTP 307"


@LIBRARIES
def test_a_session_that_was_closed_is_gone_and_stays_guarded_until_then(
    library: str, opener: Callable[[SimpleNamespace, str], Session], tmp_path: Path
):
    """A thread that nobody waits for may still use it; of thousands of hosts none waits for the garbage collection."""
    with listening(saying("HTTP/1.1 200 OK\nContent-Length: 1\n\nx"), server_tls(tmp_path)) as port:
        session = opener(PLUGINS[library](port, **over_tls(library, tmp_path)), "kms-1")
        gc.collect()
        gc.disable()
        try:
            carrier: Any = session._carrier
            assert carrier.send(b"<x/>") == b"x"
            adapter = carrier._transport.session.get_adapter("https://")
            session.close()
            assert vars(adapter)["guarded"] and {"send", "build_response"} <= vars(adapter).keys()
            left = weakref.ref(adapter), weakref.ref(carrier._transport)
            del session, carrier, adapter
            assert [found() for found in left] == [None, None]
        finally:
            gc.enable()


@LIBRARIES
def test_a_redirect_without_an_address(library: str):
    with listening(saying(redirect(300))) as port:
        check("a redirect that names no address", error_of(PLUGINS[library](port)), port=port)


@LIBRARIES
@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "Http_Proxy", "all_proxy", "ALL_PROXY"])
def test_a_proxy_that_only_the_environment_names_gets_nothing(library: str, name: str, monkeypatch: pytest.MonkeyPatch):
    seen: list[bytes] = []
    with listening(saying(redirect(200)), seen=seen) as proxy, listening(saying(redirect(404))) as port:
        monkeypatch.setenv(name, f"http://user:Pa55-word@{ADDRESS}:{proxy}")
        error = error_of(PLUGINS[library](port))
        assert error.shown_code == "HTTP 404" and "proxy" not in error.message.lower()
    with listening(saying(""), seen=seen) as proxy:
        monkeypatch.setenv(name, f"http://user:Pa55-word@{ADDRESS}:{proxy}")
        error = error_of(PLUGINS[library](port))
        case = "a proxy that only the environment names, and no way to the host without it"
        check(case, error, port=port, proxy=proxy, name=name, variable=f"ansible_{library}_proxy")
        monkeypatch.setenv("no_proxy", ADDRESS)
        check("nobody listens", error_of(PLUGINS[library](port)), port=port)
    assert seen == []


@LIBRARIES
def test_a_proxy_of_the_environment_gets_no_connection_over_tls_either(library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen: list[bytes] = []
    with listening(saying(redirect(200)), seen=seen) as proxy, listening(saying(redirect(404)), server_tls(tmp_path)) as port:
        monkeypatch.setenv("https_proxy", f"http://{ADDRESS}:{proxy}")
        assert error_of(PLUGINS[library](port, **over_tls(library, tmp_path))).shown_code == "HTTP 404"
    assert seen == []


@LIBRARIES
def test_a_proxy_that_the_host_s_variables_name_is_used_and_named(library: str, monkeypatch: pytest.MonkeyPatch):
    seen: list[bytes] = []
    variable = f"ansible_{library}_proxy"
    monkeypatch.setenv("http_proxy", f"http://{ADDRESS}:1")
    with listening(saying(redirect(404)), seen=seen) as proxy:
        assert error_of(PLUGINS[library](5985, proxy=f"http://{ADDRESS}:{proxy}")).shown_code == "HTTP 404"
    assert seen[0].startswith(b"POST http://127.0.0.1:5985/wsman")
    error = error_of(PLUGINS[library](5985, proxy=f"http://user:Pa55-word@{ADDRESS}:{proxy}"))
    check("a proxy of the host's variables that is not there", error, port=proxy, variable=variable)
    assert error.unreachable


@LIBRARIES
@pytest.mark.parametrize(
    ("answer", "case"),
    [
        (redirect(403), "a proxy that does not let requests to the host pass"),
        (redirect(302, "https://proxy.contoso.com/logon"), "a proxy that leads to its own page"),
    ],
)
def test_what_a_proxy_answers_is_not_blamed_on_the_host(library: str, answer: str, case: str):
    with listening(saying(answer)) as proxy:
        error = error_of(PLUGINS[library](5985, proxy=f"http://{ADDRESS}:{proxy}"))
        check(case, error, port=proxy, variable=f"ansible_{library}_proxy")


@LIBRARIES
@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_a_refusal_of_the_host_is_its_own_whatever_proxy_the_environment_names(library: str, name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(name, f"http://{ADDRESS}:1")
    with listening(saying(redirect(403))) as port:
        check("an account that may not use WinRM", error_of(PLUGINS[library](port)), port=port)


@LIBRARIES
@pytest.mark.parametrize("by_proxy", [False, True])
def test_the_account_of_the_host_is_not_for_a_proxy(library: str, by_proxy: bool):
    """requests_ntlm would answer a 407 by NTLM with it."""
    seen: list[bytes] = []
    wanted = "HTTP/1.1 407 Proxy Authentication Required\nProxy-Authenticate: NTLM\nContent-Length: 0\n\n"
    with listening(saying(wanted * 3), seen=seen) as port:
        named = {"proxy": f"http://{ADDRESS}:{port}"} if by_proxy else {}
        error = error_of(PLUGINS[library](port, **NTLM[library], **named))
    assert len(seen) == 1 and b"Proxy-Authorization" not in seen[0] and b"TlRMTVNT" not in seen[0]
    if by_proxy:
        check("a proxy that wants a logon", error, port=port, variable=f"ansible_{library}_proxy")
    else:
        check("a host that asks for a logon as a proxy does", error, port=port)


@LIBRARIES
def test_the_accounts_of_a_netrc_are_for_nobody(library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / ".netrc").write_text(f"machine {ADDRESS} login other password other-secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    seen: list[bytes] = []
    key = {"transport": "certificate", "cert_pem": f"{tmp_path}/cert.pem", "cert_key_pem": f"{tmp_path}/key.pem"}
    with listening(saying(redirect(404)), server_tls(tmp_path), seen=seen) as port:
        trusted = str(tmp_path / "cert.pem")
        if library == "winrm":
            connection = winrm_plugin(port, "https", ca_trust_path=trusted, **key)
        else:
            pair = {"certificate_pem": key["cert_pem"], "certificate_key_pem": key["cert_key_pem"]}
            connection = psrp_plugin(port, ssl=True, auth="certificate", encryption="auto", cert_validation=trusted, **pair)
        error_of(connection)
    assert b"secprofile/https/mutual" in seen[0] and base64.b64encode(b"other:other-secret") not in seen[0]


@LIBRARIES
@pytest.mark.parametrize("offer", ['Basic realm="WSMAN"', "Digest realm=x", "NTLMish, Basic", ""])
def test_a_host_that_offers_something_weaker_gets_no_password(library: str, offer: str):
    seen: list[bytes] = []
    with listening(saying(f"HTTP/1.1 401 Unauthorized\nWWW-Authenticate: {offer}\nContent-Length: 0\n\n"), seen=seen) as port:
        error = error_of(PLUGINS[library](port, **NTLM[library]))
    assert error.unreachable
    assert not any(b"Authorization: Basic" in head or base64.b64encode(b"user:secret") in head for head in seen)


ENCRYPTED = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="{}"'


@LIBRARIES
def test_encryption_that_nobody_asked_for(library: str):
    for boundary, case in (
        ("Encrypted Boundary", "an encrypted answer to a message that was not"),
        # As a regular expression, which pypsrp makes of it, it never ends.
        ("(a+)+$", "an answer whose encryption is another one"),
        ('Encrypted Boundary";x="(a+)+$', "an answer whose encryption is another one"),
    ):
        body = "--" + "a" * 40 + "!"
        text = f"HTTP/1.1 200 OK\nContent-Type: {ENCRYPTED.format(boundary)}\nContent-Length: {len(body)}\n\n{body}"
        with listening(saying(text)) as port:
            error = error_of(PLUGINS[library](port))
        assert isinstance(error, UnknownOutcome)
        check(case, error)


@LIBRARIES
@pytest.mark.parametrize(
    "lines",
    ["Content-Length: 1\nContent-Length: 2", "Content-Length: 5\nContent-Encoding: br", "Transfer-Encoding: chunked\n\nzz"],
)
def test_a_message_whose_answer_is_nonsense_may_have_been_carried_out(library: str, lines: str):
    """With Basic there is no encryption by which the libraries know that the logon is over."""
    with listening(saying(f"HTTP/1.1 200 OK\n{lines}\n\nxxxxx")) as port:
        error = error_of(PLUGINS[library](port))
    assert isinstance(error, UnknownOutcome) and not error.unreachable


@LIBRARIES
@pytest.mark.parametrize(("status", "unknown"), [(403, False), (503, False), (500, True), (502, True)])
def test_an_error_page_that_is_not_utf_8_leaves_the_status(library: str, status: int, unknown: bool):
    page = "Nicht verfügbar".encode("latin-1")
    head = f"HTTP/1.1 {status} No\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n".encode()
    with listening(lambda connection: connection.sendall(head + page)) as port:
        error = error_of(PLUGINS[library](port))
    assert error.shown_code == f"HTTP {status}" and isinstance(error, UnknownOutcome) == unknown


@LIBRARIES
def test_a_logon_that_goes_wrong_is_no_file_that_is_missing(library: str):
    """requests_ntlm raises a PermissionError, which is an OSError, as a certificate that is not there is one."""

    def refuse_all(connection: socket.socket) -> None:
        refused = True
        while refused:
            connection.sendall(b"HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n")
            refused = bool(connection.recv(65536))

    with listening(refuse_all) as port:
        error = error_of(PLUGINS[library](port, **NTLM[library]))
    assert error.unreachable and error.source == "wsman"
