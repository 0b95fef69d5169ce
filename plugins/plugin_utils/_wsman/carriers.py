# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The carriers: pywinrm and pypsrp as byte transports.

Their own ways of working, which open a WinRS shell or a PowerShell runspace on the target, are not used.
"""

from __future__ import annotations

import copy
import typing as t
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from .._core.errors import ActivationError
from .carrier import Carrier
from .contact import Contact, Patience
from .diagnosis import ProxyOnTheWay
from .guard import ExchangeWatch, bound, guard
from .http_carrier import READ_TIMEOUT, HttpCarrier, patience_for
from .proxies import proxy_of_environment, proxy_of_variable
from .session import Session
from .settings import ConnectionSettings
from .shared import share
from .spn import Spn, of_psrp, of_winrm

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


def open_with(settings: ConnectionSettings, host: str, contact: Contact | None = None) -> Session:
    """A session over settings that were read before.

    Args:
        settings: How the host is reached.
        host: The host's name as the inventory has it.
        contact: Limits the first answer.
    """
    kind = _WinrmCarrier if settings.connection == "winrm" else _PsrpCarrier
    return Session(kind(settings, host, contact), host)


def psrp_transport(arguments: t.Mapping[str, t.Any]) -> t.Any:
    """What pypsrp makes of its arguments, without a connection.

    Raises:
        ValueError: They do not go together.
    """
    return pypsrp.wsman.WSMan(**arguments).transport


class _LibraryCarrier(HttpCarrier):
    """What both have in common beyond HTTP: made from settings, and told how their sessions are prepared."""

    def __init__(self, settings: ConnectionSettings, host: str, contact: Contact | None) -> None:
        super().__init__(host, contact)
        self._settings = settings
        self.patience = patience_for(settings.timeouts)
        self._timeout = Patience(self.contact, max(settings.timeouts[1], READ_TIMEOUT))
        self._proxy_variable = f"ansible_{settings.connection}_proxy"
        self.proxy = proxy_of_variable(settings.proxy, self._proxy_variable) if settings.proxy else None
        self._transport = self._fresh()

    def passed_over(self) -> ProxyOnTheWay | None:
        """See C(HttpCarrier.passed_over)."""
        return None if self.proxy or self._settings.chooses else proxy_of_environment(self.endpoint, self._proxy_variable)

    def _fresh(self) -> t.Any:
        """A transport without a connection."""
        raise NotImplementedError

    def facts(self) -> CarrierFacts:
        """See C(describe_carrier)."""
        known = self._settings
        return CarrierFacts(known.connection, self.endpoint, known.authentication, self.encryption(), known.user)

    def seals(self) -> bool:
        """See C(HttpCarrier.seals)."""
        return self._transport.encryption is not None

    def reconnect(self) -> None:
        """See C(Carrier.reconnect)."""
        self.close()
        self._transport = self._fresh()

    def close(self) -> None:
        """See C(Carrier.close)."""
        raise NotImplementedError

    def _guard(self) -> Callable[[t.Any], t.Any]:
        """What puts a session under guard, which has to be done before anything is sent over it; returns the session.

        It does not refer to the carrier, which refers to it.
        """
        watch = self.watch = ExchangeWatch(self.contact.make)
        settings, endpoint = self._settings, self.endpoint

        def guarded(session: t.Any) -> t.Any:
            if not settings.proxy:
                session.proxies = {}
            # Its adapters are among those that the guard is put on.
            share(session, endpoint)
            guard(session, watch, None if settings.proxy else {})
            return session

        return guarded


class _WinrmCarrier(_LibraryCarrier):
    """pywinrm, as the winrm connection plugin sets it up."""

    def _fresh(self) -> t.Any:
        """A transport without a connection, whose session is guarded.

        pywinrm authenticates while it builds its session, so the guard has to be there before.
        """
        transport = copy.copy(self._settings.pattern)
        transport.read_timeout_sec = self._timeout
        # What refers to itself waits for the garbage collection.
        build, encrypt = weakref.WeakMethod(transport.build_session), weakref.WeakMethod(transport.setup_encryption)
        self.endpoint = str(transport.endpoint)
        guarded = self._guard()

        def setup_encryption(session: t.Any) -> None:
            bound(encrypt)(guarded(session))

        def build_session() -> t.Any:
            return guarded(bound(build)())

        transport.setup_encryption, transport.build_session = setup_encryption, build_session
        return transport

    def post(self, message: bytes) -> bytes:
        """See C(HttpCarrier.post)."""
        try:
            return t.cast(bytes, self._transport.send_message(message))
        except winrm.exceptions.InvalidCredentialsError:
            raise self.rejected() from None
        except winrm.exceptions.WinRMTransportError as error:
            return self.soap_fault(int(error.code), error.response_text or "")

    def spn(self) -> Spn | None:
        """See C(HttpCarrier.spn)."""
        return of_winrm(self._transport, self.endpoint)

    def close(self) -> None:
        """See C(Carrier.close)."""
        self._transport.close_session()


class _PsrpCarrier(_LibraryCarrier):
    """pypsrp, as the psrp connection plugin sets it up."""

    def _fresh(self) -> t.Any:
        """A transport without a connection. pypsrp builds its session only when it sends, which is late for the guard."""
        transport = psrp_transport(self._settings.pattern)
        self.endpoint = str(transport.endpoint)
        self._guarded = self._guard()
        return transport

    def post(self, message: bytes) -> bytes:
        """See C(HttpCarrier.post)."""
        if self._transport.session is None:
            try:
                session = self._transport._build_session()
            except ValueError as error:
                raise ActivationError(f"{str(error).rstrip('.')}.", subject=self.host, source="options") from None
            self._transport.session = self._guarded(session)
        try:
            return t.cast(bytes, self._transport.send(message, timeout=self._timeout))
        except pypsrp.exceptions.AuthenticationError as error:
            if "actual:" in str(error).lower():
                raise self.refused_logon(error) from None
            raise self.rejected() from None
        except pypsrp.exceptions.WinRMTransportError as error:
            return self.soap_fault(int(error.code), error.response_text or "")

    def spn(self) -> Spn | None:
        """See C(HttpCarrier.spn)."""
        return of_psrp(self._settings.pattern, self.endpoint)

    def close(self) -> None:
        """See C(Carrier.close)."""
        self._transport.close()
