# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the carriers have in common: HTTP by requests, bounds on an exchange, and errors that mean the same.

The one question behind every error is whether the host can have carried out the request. Where it certainly has not, the
error says what to do; otherwise it is an C(UnknownOutcome), and whoever asked reads the state again.
"""

from __future__ import annotations

from collections.abc import Collection

from .._core.codes.code import http
from .._core.errors import ActivationError
from .._core.text import visible
from . import diagnosis
from .bounds import TookTooLong, run_within
from .carrier import HttpError
from .contact import VARIABLE, Contact
from .diagnosis import ProxyOnTheWay
from .envelope import OPERATION_TIMEOUT
from .guard import AnswerRefused, ExchangeWatch, LogonWanted, SentElsewhere
from .session import UnknownOutcome
from .spn import Spn

READ_TIMEOUT = OPERATION_TIMEOUT + 10
"""Seconds without a byte. Longer than the operation timeout that the envelope asks for, so that the server's own answer to
a time-out arrives."""

MARGIN = 30
"""Seconds that connecting and authenticating may take beyond that."""

# A gateway that failed, or a service that fell over: nobody knows what came of the request.
_UNKNOWN_STATUSES = frozenset({500, 502, 504})
_HINTS = {
    # Of a broken encryption context this is the answer, too, but then the session has sent the message again before it gives up.
    400: (
        "WinRM could not read the message, not over a new connection either; a proxy in between, or a Kerberos ticket that is too large"
        " for HTTP.sys there (MaxFieldLength, MaxRequestBytes), ends like this"
    ),
    403: "The account may not use WinRM on this host; make it an administrator there, or a member of Remote Management Users",
    404: "There is no WS-Management under this path; on ports 80 and 443 another web server may listen beside WinRM 1.1",
    405: "This is no WS-Management service; check ansible_port",
    413: "The message is larger than the host's MaxEnvelopeSizekb allows; raise that there, to 500 for instance",
    500: "It gave no reason; messages without encryption are refused like this unless the host's AllowUnencrypted is set",
    503: "The WinRM service is stopped, busy or stopping; try again in a minute, or start it there",
}
_LONGEST_ADDRESS = 200
_NO_HINT = "It gave no reason; see whether ansible_port is that of WinRM"
# Nothing that a host sends makes a library raise these in our own code.
_DEFECTS = (AttributeError, NameError, TypeError)


class LogonRejected(ActivationError):
    """The account was not accepted, which domains and computers count as a bad logon."""


class NoAnswer(ActivationError):
    """Nothing came from the host, not even a refusal: it may be off, and who asks again waits again."""


def is_silent(error: BaseException) -> bool:
    """Whether the host let the time for its answer go by, so that who asks again would wait as long."""
    return isinstance(error, NoAnswer) or (isinstance(error, UnknownOutcome) and error.late)


class HttpCarrier:
    """A carrier (see C(carrier.Carrier)) over one of the libraries.

    Args:
        host: The host's name as the inventory has it.
        contact: Limits the first answer.

    Attributes:
        endpoint: The URL that the messages go to.
        patience: Seconds that one exchange may take, whatever comes meanwhile.
        watch: What is known of the exchange under way; each connection has its own.
        proxy: The proxy that the host's variables name.
    """

    endpoint: str
    proxy: ProxyOnTheWay | None = None

    def __init__(self, host: str, contact: Contact | None = None) -> None:
        self.host = host
        self.contact = contact or Contact()
        self.watch = ExchangeWatch()
        self.patience: float = READ_TIMEOUT + MARGIN
        self._answered = False

    def passed_over(self) -> ProxyOnTheWay | None:
        """The proxy that only the environment names, which nothing is sent to."""
        return None

    def spn(self) -> Spn | None:
        """The service that a Kerberos ticket is asked for, where the library asks for one."""
        return None

    def send(self, message: bytes) -> bytes:
        """See C(Carrier.send)."""
        self.watch.begin()
        try:
            # To limit an exchange as a whole costs a thread.
            answer = self.post(message) if self.contact.watched else run_within(self.patience, lambda: self.post(message))
        except ActivationError:
            raise
        except TookTooLong:
            raise self.unknown(f"the answer did not end within {self.patience:.0f} seconds", late=True) from None
        except AnswerRefused as refusal:
            raise self.unknown(str(refusal)) from None
        except SentElsewhere as redirect:
            raise HttpError(self._redirected(redirect), redirect.status, self.host) from None
        except LogonWanted:
            raise HttpError(self._logon_wanted(), 407, self.host) from None
        except Exception as error:
            if _is_defect(error):
                raise
            raise self._judge(error) from None
        self._answered = True
        return answer

    def post(self, message: bytes) -> bytes:
        """Send it by the library; the body of the answer."""
        raise NotImplementedError

    def seals(self) -> bool:
        """Whether there is a context that messages are encrypted with, so that the authentication is over."""
        raise NotImplementedError

    def _judge(self, error: Exception) -> ActivationError:
        """The error for whatever the libraries raised."""
        if diagnosis.is_a(error, "SSLError") and not self._answered:
            return self.unreachable(diagnosis.explain_tls(error, self.endpoint))
        if diagnosis.never_connected(error):
            return self.never_connected(error)
        if diagnosis.is_a(error, "ReadTimeout") and not self.contact.made:
            return self.unreachable(
                f"{self.endpoint} takes connections, but did not answer within {self.contact.seconds:g} seconds; see whether the host hangs,"
                f" or give it more in {VARIABLE}",
                NoAnswer,
            )
        if diagnosis.is_a(error, "ReadTimeout"):
            return self.unknown(f"no answer within {READ_TIMEOUT} seconds", late=True)
        if diagnosis.is_a(error, "ConnectionError", "ChunkedEncodingError", "SSLError"):
            return self.unknown(diagnosis.explain_broken(error, self.endpoint, self._answered))
        if isinstance(error, OSError) and not diagnosis.is_a(error, "RequestException") and not self.watch.status:
            # A file with a certificate or key that is not there.
            return ActivationError(f"{diagnosis.innermost(error)}.", subject=self.host, source="options")
        if self.watch.status >= 400 and self.watch.status != 401:
            # Neither library reads the text of an error that is not UTF-8, or not encrypted as it should be.
            return self._bare_status(self.watch.status)
        if self.watch.sent:
            # The libraries let through whatever is inside them: spnego, GSSAPI, struct, an AttributeError for a missing header.
            return self.unknown(
                f"the answer can't be {'decrypted' if self.seals() and self.watch.status else 'read'}{diagnosis.in_brackets(error)}"
            )
        if diagnosis.is_a(error, "WinRMError", "InvalidConfigurationException") and not self.seals():
            # Variables that do not go together, such as message encryption with an authentication that has none.
            return ActivationError(f"{diagnosis.innermost(error)}.", subject=self.host, source="options")
        return self.refused_logon(error)

    def never_connected(self, error: Exception) -> ActivationError:
        """The error for a connection that did not come about."""
        clause = diagnosis.explain_connection(error, self.endpoint, self.proxy)
        if other := self.passed_over():
            clause += f". The proxy {other.address}, which {other.named_by} names, is not used for WinRM; {other.chosen_by} chooses one"
        return self.unreachable(clause, NoAnswer if diagnosis.timed_out(error) else ActivationError)

    def _redirected(self, redirect: SentElsewhere) -> str:
        target = f"to {visible(redirect.location, _LONGEST_ADDRESS)}" if redirect.location else "that names no address"
        if proxy := self._in_between():
            return (
                f"HTTP {redirect.status} came by way of the proxy {proxy.address} of {proxy.named_by}, a redirect {target}, which is"
                f" not followed. See whether it lets requests to {self.endpoint} pass, or leave the variable out."
            )
        return (
            f"{self.endpoint} answered HTTP {redirect.status}, a redirect {target}. Requests go to no other address than that of"
            " the inventory; check ansible_host and ansible_port."
        )

    def _in_between(self) -> ProxyOnTheWay | None:
        """The proxy that can have answered in place of the host: one that TLS does not go through."""
        return None if self.endpoint.lower().startswith("https:") else self.proxy

    def _logon_wanted(self) -> str:
        if proxy := self.proxy:
            return (
                f"the proxy {proxy.address} of {proxy.named_by} wants a logon (HTTP 407). The account of the host is not for it;"
                " write one into the proxy's address, or let the proxy pass this host without."
            )
        return f"{self.endpoint} answered HTTP 407, as a proxy does that wants a logon. See what listens there, and what is on the way."

    def soap_fault(self, status: int, text: str) -> bytes:
        """The SOAP fault that came with an HTTP status of 400 or more.

        Raises:
            HttpError: None came, and the service has not seen the message.
            UnknownOutcome: None came, and nobody knows what the service has done.
        """
        self._answered = True
        if (":Fault" in text or "<Fault" in text) and not self.watch.plain:
            return text.encode("utf-8")
        raise self._bare_status(status)

    def _bare_status(self, status: int) -> ActivationError:
        """The error for an HTTP status without a fault."""
        clause, remedy = f"{self.endpoint} answered HTTP {status}.", f"{_HINTS.get(status, _NO_HINT)}."
        if proxy := self._in_between():
            clause = f"HTTP {status} came by way of the proxy {proxy.address} of {proxy.named_by}, and may be the proxy's own answer."
            remedy = f"See whether it lets requests to {self.endpoint} pass, or leave the variable out. If the host answers so: {remedy}"
        if status in _UNKNOWN_STATUSES:
            return UnknownOutcome(clause, subject=self.host, remedy=remedy, code=http(status), source="wsman")
        return HttpError(clause, status, self.host, remedy)

    def refused_logon(self, error: BaseException | str) -> ActivationError:
        """The error for an authentication that could not be carried out."""
        reason = diagnosis.explain_authentication(error, self.spn())
        kind = LogonRejected if diagnosis.rejects_account(error) else ActivationError
        return kind(f"{reason.clause}.", subject=self.host, remedy=reason.remedy and f"{reason.remedy}.", source="wsman", unreachable=True)

    def rejected(self) -> LogonRejected:
        """The error for HTTP 401."""
        return LogonRejected(
            f"{self.endpoint} did not accept the credentials (HTTP 401).",
            subject=self.host,
            remedy="Check ansible_user, ansible_password, and whether the listener allows ansible_winrm_transport or ansible_psrp_auth.",
            code=http(401),
            source="wsman",
            unreachable=True,
        )

    def unknown(self, clause: str, late: bool = False) -> UnknownOutcome:
        """Nobody knows what came of the request."""
        error = UnknownOutcome(f"{clause}.", subject=self.host, source="wsman")
        error.late = late
        return error

    def unreachable(self, clause: str, kind: type[ActivationError] = ActivationError) -> ActivationError:
        """Nothing was asked of the host."""
        return kind(f"{clause}.", subject=self.host, source="wsman", unreachable=True)

    def encryption(self) -> str:
        """C(tls), C(message) or C(none)."""
        if self.endpoint.lower().startswith("https:"):
            return "tls"
        return "message" if self.seals() else "none"


def _is_defect(error: Exception) -> bool:
    """Whether it is the collection that went wrong, not a library with what the host had sent: where it was raised tells."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return isinstance(error, _DEFECTS) and trace is not None and str(trace.tb_frame.f_globals.get("__package__")) == __package__


def moved(plugin: str, error: AttributeError) -> ActivationError:
    """The error for a library or a connection plugin that is not built as expected."""
    return ActivationError(
        f"The connection plugin {plugin} of this ansible-core, or its library, is built differently from those that the collection"
        f" knows ({error}); use the versions that the README names, and report this.",
        source="collection",
    )


def patience_for(timeouts: Collection[float]) -> float:
    """Seconds for an exchange, given the time-outs that the user's variables ask for."""
    return max(READ_TIMEOUT, *timeouts) + MARGIN
