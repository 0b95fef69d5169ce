# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The carriers: pywinrm and pypsrp as byte transports, set up by the host's own Ansible connection plugin.

The only file that touches private interfaces of ansible-core. The plugins' own way of connecting opens a WinRS shell
(winrm) or a PowerShell runspace (psrp) on the target; here only their settings are read, and the libraries' HTTP
transport is used directly.
"""

from __future__ import annotations

import copy
import typing as t
from dataclasses import dataclass

from .._errors import ActivationError
from . import diagnosis
from .bounds import limit_answers
from .http_carrier import READ_TIMEOUT, HttpCarrier, moved, patience_for
from .session import Carrier, Session

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
    if not isinstance(carrier, (_WinrmCarrier, _PsrpCarrier)):
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
    name = str(getattr(connection, "ansible_name", "")).rpartition(".")[2]
    if name == "winrm":
        return Session(_WinrmCarrier(connection, host), host)
    if name == "psrp":
        return Session(_PsrpCarrier(connection, host), host)
    raise ActivationError(
        f"{host}: WMI is reached over WS-Management, which ansible_connection={name} does not speak. Set for this host"
        " ansible_connection: psrp and ansible_port: 5985.",
        source="options",
    )


class _WinrmCarrier(HttpCarrier):
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
            # Never used itself: every connection is made with a copy, so that nothing of a broken one is left.
            self._pristine = copy.copy(self._protocol.transport)
            self._pristine.session = self._pristine.encryption = None
            # One number for connecting and reading would make a host that is off hold the task for a minute and more.
            seconds = int(self._pristine.read_timeout_sec or 30)
            self._pristine.read_timeout_sec = (seconds, max(seconds, READ_TIMEOUT))
            self.patience = patience_for([seconds])
            self._transport = self._fresh()
            self.endpoint = str(self._transport.endpoint)
        except AttributeError as error:
            raise moved("winrm", error) from error
        except Exception as error:
            # The connection plugin has its own words for what pywinrm and kinit say, without the host.
            clause = diagnosis.explain_authentication(str(error) or type(error).__name__)
            if diagnosis.is_a(error, "AnsibleConnectionFailure"):
                raise self.unreachable(clause) from None
            raise ActivationError(f"{host}: {clause}.", source="options") from None

    def _fresh(self) -> t.Any:
        """A transport without a connection, whose answers are limited.

        pywinrm authenticates while it builds its session, so the limits have to be there before.
        """
        transport = copy.copy(self._pristine)
        build, encrypt = transport.build_session, transport.setup_encryption

        def setup_encryption(session: t.Any) -> None:
            limit_answers(session)
            encrypt(session)

        def build_session() -> t.Any:
            session = build()
            limit_answers(session)
            return session

        transport.setup_encryption, transport.build_session = setup_encryption, build_session
        return transport

    def seals(self) -> bool:
        """See C(HttpCarrier.seals)."""
        return self._transport.encryption is not None

    def post(self, message: bytes) -> bytes:
        """See C(HttpCarrier.post)."""
        try:
            return t.cast(bytes, self._transport.send_message(message))
        except winrm.exceptions.InvalidCredentialsError:
            raise self.rejected() from None
        except winrm.exceptions.WinRMTransportError as error:
            return self.soap_fault(int(error.code), error.response_text or "")

    def facts(self) -> CarrierFacts:
        """See C(describe_carrier)."""
        method = str(self._transport.auth_method)
        if method in ("plaintext", "ssl"):
            # pywinrm's names for Basic; the second one means a client certificate where there is one.
            method = "certificate" if method == "ssl" and self._transport.cert_pem else "basic"
        return CarrierFacts("winrm", self.endpoint, method, self.encryption(), str(self._transport.username or ""))

    def reconnect(self) -> None:
        """See C(Carrier.reconnect)."""
        self._transport.close_session()
        self._transport = self._fresh()

    def close(self) -> None:
        """See C(Carrier.close)."""
        self._transport.close_session()


class _PsrpCarrier(HttpCarrier):
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
            self._transport = self._fresh()
            self.endpoint = str(self._transport.endpoint)
            self._timeout = (self._transport.connection_timeout, max(self._transport.read_timeout, READ_TIMEOUT))
            self.patience = patience_for(self._timeout)
        except AttributeError as error:
            raise moved("psrp", error) from error
        except ValueError as error:
            raise ActivationError(f"{host}: {str(error).rstrip('.')}.", source="options") from None

    def _fresh(self) -> t.Any:
        """A transport without a connection. pypsrp builds its session only when it sends, which is late for what limits it."""
        return pypsrp.wsman.WSMan(**self._arguments).transport

    def seals(self) -> bool:
        """See C(HttpCarrier.seals)."""
        return self._transport.encryption is not None

    def post(self, message: bytes) -> bytes:
        """See C(HttpCarrier.post)."""
        if self._transport.session is None:
            try:
                session = self._transport._build_session()
            except ValueError as error:
                raise ActivationError(f"{self.host}: {str(error).rstrip('.')}.", source="options") from None
            limit_answers(session)
            self._transport.session = session
        try:
            return t.cast(bytes, self._transport.send(message, timeout=self._timeout))
        except pypsrp.exceptions.AuthenticationError as error:
            if "actual:" in str(error):
                raise self.unreachable(diagnosis.explain_authentication(error)) from None
            raise self.rejected() from None
        except pypsrp.exceptions.WinRMTransportError as error:
            return self.soap_fault(int(error.code), error.response_text or "")

    def facts(self) -> CarrierFacts:
        """See C(describe_carrier)."""
        return CarrierFacts("psrp", self.endpoint, str(self._transport.auth), self.encryption(), str(self._transport.username or ""))

    def reconnect(self) -> None:
        """See C(Carrier.reconnect)."""
        self._transport.close()
        self._transport = self._fresh()

    def close(self) -> None:
        """See C(Carrier.close)."""
        self._transport.close()
