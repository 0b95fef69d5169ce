# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The carriers: pywinrm and pypsrp as byte transports, set up by the host's own Ansible connection plugin.

The only file that touches private interfaces of ansible-core. The plugins' own way of connecting opens a WinRS shell
(winrm) or a PowerShell runspace (psrp) on the target; here only their settings are read, and the libraries' HTTP
transport is used directly.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._errors import ActivationError
from .envelope import OPERATION_TIMEOUT
from .session import Carrier, HttpError, Session, UnknownOutcome

try:
    import requests
    import urllib3.exceptions

    REQUESTS_ERROR: ImportError | None = None
except ImportError as error:
    REQUESTS_ERROR = error
try:
    import winrm.exceptions

    WINRM_ERROR: ImportError | None = None
except ImportError as error:
    WINRM_ERROR = error
try:
    import pypsrp.exceptions
    import pypsrp.wsman

    PSRP_ERROR: ImportError | None = None
except ImportError as error:
    PSRP_ERROR = error

# Longer than the operation timeout that the envelope asks for, so that the server's own time-out answer arrives.
_READ_TIMEOUT = OPERATION_TIMEOUT + 10


@dataclass(frozen=True, slots=True)
class CarrierFacts:
    """What a carrier is, for people who look for a fault.

    Attributes:
        connection: The connection plugin, C(winrm) or C(psrp).
        endpoint: The URL that the messages go to.
        authentication: What the host's variables ask for, such as C(negotiate); C(basic) also where the plugin calls
            it C(plaintext) or C(ssl).
        encryption: C(tls), C(message) where WinRM's own encryption is in use, or C(none).
        user: The account as it was given; empty where a ticket or certificate says who it is.
    """

    connection: str
    endpoint: str
    authentication: str
    encryption: str
    user: str


def describe_carrier(carrier: Carrier) -> CarrierFacts:
    """What a carrier is.

    Whether messages are encrypted is known only after the first one was sent.

    Raises:
        ActivationError: It is not one that C(open_session) made.
    """
    if not isinstance(carrier, _HttpCarrier):
        raise ActivationError(f"The carrier {type(carrier).__name__} is not one of a connection plugin.", source="collection")
    return carrier.facts()


def open_session(connection: t.Any, host: str) -> Session:
    """A session over the settings of an Ansible connection, which itself is not connected.

    Args:
        connection: The task's connection plugin, C(ansible.builtin.winrm) or C(ansible.builtin.psrp).
        host: The host's name as the inventory has it.

    Raises:
        ActivationError: The connection is of another kind, or its plugin has changed.
    """
    name = str(connection.ansible_name).rpartition(".")[2]
    if name == "winrm":
        return Session(_WinrmCarrier(connection, host), host)
    if name == "psrp":
        return Session(_PsrpCarrier(connection, host), host)
    raise ActivationError(
        f"{host}: WMI is reached over WS-Management, which ansible_connection={name} does not speak; set for this host"
        " ansible_connection: psrp and ansible_port: 5985 (or 5986 with TLS).",
        source="options",
    )


class _HttpCarrier:
    """What both libraries have in common: HTTP by requests, and errors that mean the same."""

    endpoint: str

    def __init__(self, host: str) -> None:
        self._host = host
        if REQUESTS_ERROR:
            raise ActivationError(
                f"{host}: the Python package requests is missing on the control node.", source="options"
            ) from REQUESTS_ERROR

    def send(self, message: bytes) -> bytes:
        """See C(Carrier.send)."""
        try:
            return self._post(message)
        except requests.exceptions.SSLError as error:
            raise ActivationError(
                f"{self._host}: TLS to {self.endpoint} failed: {_innermost(error)}. Name the CA that issued the certificate"
                " (ansible_winrm_ca_trust_path or ansible_psrp_ca_cert), or see whether the host offers TLS 1.2.",
                source="wsman",
                unreachable=True,
            ) from None
        except requests.exceptions.ConnectTimeout:
            raise ActivationError(
                f"{self._host}: {self.endpoint} does not answer. Is the host on, and is WinRM allowed through its firewall?",
                source="wsman",
                unreachable=True,
            ) from None
        except requests.exceptions.ReadTimeout:
            raise UnknownOutcome(f"{self._host}: no answer within {_READ_TIMEOUT} seconds.", source="wsman") from None
        except requests.exceptions.ConnectionError as error:
            if _never_connected(error):
                raise ActivationError(
                    f"{self._host}: no connection to {self.endpoint}: {_innermost(error)}. Is the host on, with a WinRM listener there?",
                    source="wsman",
                    unreachable=True,
                ) from None
            raise UnknownOutcome(f"{self._host}: the connection broke: {_innermost(error)}.", source="wsman") from None
        except requests.exceptions.RequestException as error:
            raise ActivationError(f"{self._host}: {self.endpoint}: {_innermost(error)}", source="wsman", unreachable=True) from None

    def _post(self, message: bytes) -> bytes:
        raise NotImplementedError

    def facts(self) -> CarrierFacts:
        """See C(describe_carrier)."""
        raise NotImplementedError

    def _encryption(self, of_messages: bool) -> str:
        if self.endpoint.lower().startswith("https:"):
            return "tls"
        return "message" if of_messages else "none"

    def _rejected(self) -> ActivationError:
        return ActivationError(
            f"{self._host}: {self.endpoint} did not accept the credentials (HTTP 401). Check user, password and the authentication"
            " that the listener allows.",
            code="HTTP 401",
            source="wsman",
            unreachable=True,
        )

    def _fault_text(self, status: int, text: str) -> bytes:
        """The SOAP fault that came with an HTTP status.

        Raises:
            HttpError: None came.
        """
        if ":Fault" in text or "<Fault" in text:
            return text.encode("utf-8")
        hint = {
            400: "The connection had been idle for too long",
            403: "The account may not use WinRM on this host",
            404: "There is no WS-Management under this path",
            413: "The message is larger than the host's MaxEnvelopeSizekb allows",
            503: "The WinRM service is busy or stopping",
        }.get(status, "The target gave no reason")
        raise HttpError(f"{self._host}: {self.endpoint} answered HTTP {status}. {hint}.", status)


class _WinrmCarrier(_HttpCarrier):
    """pywinrm, as the winrm connection plugin sets it up."""

    def __init__(self, connection: t.Any, host: str) -> None:
        super().__init__(host)
        if WINRM_ERROR:
            raise ActivationError(
                f"{host}: ansible_connection=winrm needs the Python package pywinrm on the control node.", source="options"
            ) from WINRM_ERROR
        try:
            connection._build_winrm_kwargs()
            # With a shell already named, _winrm_connect leaves open_shell out; it still runs kinit for managed Kerberos.
            shell_id = connection.shell_id
            connection.shell_id = shell_id or "none"
            try:
                self._protocol = connection.protocol or connection._winrm_connect()
            finally:
                connection.shell_id = shell_id
            self._transport = self._protocol.transport
            self.endpoint = str(self._transport.endpoint)
            self._transport.read_timeout_sec = max(int(self._transport.read_timeout_sec or 0), _READ_TIMEOUT)
        except AttributeError as error:
            raise _moved(connection, error) from error

    def _post(self, message: bytes) -> bytes:
        try:
            return t.cast(bytes, self._transport.send_message(message))
        except winrm.exceptions.InvalidCredentialsError:
            raise self._rejected() from None
        except winrm.exceptions.WinRMTransportError as error:
            return self._fault_text(int(error.code), error.response_text or "")

    def facts(self) -> CarrierFacts:
        """See C(describe_carrier)."""
        method = str(self._transport.auth_method)
        if method in ("plaintext", "ssl"):
            # pywinrm's names for Basic; the second one means a client certificate where there is one.
            method = "certificate" if method == "ssl" and self._transport.cert_pem else "basic"
        encryption = self._encryption(of_messages=self._transport.encryption is not None)
        return CarrierFacts("winrm", self.endpoint, method, encryption, str(self._transport.username or ""))

    def reconnect(self) -> None:
        """See C(Carrier.reconnect)."""
        self._transport.close_session()

    def close(self) -> None:
        """See C(Carrier.close)."""
        self._transport.close_session()


class _PsrpCarrier(_HttpCarrier):
    """pypsrp, as the psrp connection plugin sets it up."""

    def __init__(self, connection: t.Any, host: str) -> None:
        super().__init__(host)
        if PSRP_ERROR:
            raise ActivationError(
                f"{host}: ansible_connection=psrp needs the Python package pypsrp on the control node.", source="options"
            ) from PSRP_ERROR
        try:
            connection._build_kwargs()
            self._arguments = connection._psrp_conn_kwargs
            self._transport = pypsrp.wsman.WSMan(**self._arguments).transport
            self.endpoint = str(self._transport.endpoint)
        except AttributeError as error:
            raise _moved(connection, error) from error

    def _post(self, message: bytes) -> bytes:
        timeout = (self._transport.connection_timeout, max(self._transport.read_timeout, _READ_TIMEOUT))
        try:
            return self._transport.send(message, timeout=timeout)
        except pypsrp.exceptions.AuthenticationError:
            raise self._rejected() from None
        except pypsrp.exceptions.WinRMTransportError as error:
            return self._fault_text(int(error.code), error.response_text or "")

    def facts(self) -> CarrierFacts:
        """See C(describe_carrier)."""
        encryption = self._encryption(of_messages=self._transport.encryption is not None)
        return CarrierFacts("psrp", self.endpoint, str(self._transport.auth), encryption, str(self._transport.username or ""))

    def reconnect(self) -> None:
        """See C(Carrier.reconnect)."""
        self._transport.close()
        self._transport = pypsrp.wsman.WSMan(**self._arguments).transport

    def close(self) -> None:
        """See C(Carrier.close)."""
        self._transport.close()


def _moved(connection: t.Any, error: AttributeError) -> ActivationError:
    return ActivationError(
        f"The connection plugin {connection.ansible_name} of this ansible-core is built differently from those that the collection"
        f" knows ({error}); use an ansible-core that the README names, and report this.",
        source="collection",
    )


def _never_connected(error: BaseException) -> bool:
    """Whether the failure came before the first byte went out, so that certainly nothing was done."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(
        reason, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.NameResolutionError)
    )


def _innermost(error: BaseException) -> str:
    """The plain words of the deepest cause; requests wraps them four times."""
    while True:
        inner = error.__cause__ or error.__context__
        if inner is None:
            break
        error = inner
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
