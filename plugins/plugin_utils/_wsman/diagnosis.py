# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a host could not be reached: what the libraries raise, in one sentence with what to do.

Pure: exceptions are told apart by the names and the texts that OpenSSL, krb5 and the libraries gave them, so that none
of the libraries has to be imported.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from .._core.text import one_line, some, visible
from .reason import Reason
from .spn import Spn

_TLS_OTHER_WAY = "enable TLS 1.2 there, or use the HTTP listener on port 5985, where NTLM and Kerberos encrypt the messages"
_PLAIN_WAY = "a listener for HTTP, usually on port 5985, needs ansible_winrm_scheme: http or ansible_psrp_protocol: http"
_HOST_NAME = (
    "connect to the host's full DNS name, not to its address (ansible_winrm_kerberos_hostname_override,"
    " ansible_psrp_negotiate_hostname_override)"
)
_NO_SERVICE = ("server not found in kerberos database", "server krbtgt")

# What OpenSSL calls it, and what it means here.
_TLS_REASONS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("UNSUPPORTED_PROTOCOL", "ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE", "UNSUPPORTED_SSL_VERSION"),
        f"the host offers no TLS 1.2, as Windows 7 and Server 2008 R2 do unless told otherwise; {_TLS_OTHER_WAY}",
    ),
    (
        ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL"),
        f"what listens there does not speak TLS; {_PLAIN_WAY}",
    ),
    (
        (
            "ALERT_CERTIFICATE_REQUIRED",
            "ALERT_UNKNOWN_CA",
            "ALERT_BAD_CERTIFICATE",
            "ALERT_CERTIFICATE_UNKNOWN",
            "ALERT_CERTIFICATE_EXPIRED",
        ),
        "the host does not accept the user's certificate; it has to be of an authority that the host trusts, and in date",
    ),
    (
        ("HANDSHAKE_FAILURE", "NO_SHARED_CIPHER", "INSUFFICIENT_SECURITY", "DH_KEY_TOO_SMALL", "EE_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"),
        f"host and control node have no sufficiently strong algorithm in common; {_TLS_OTHER_WAY}",
    ),
)

# X509_V_ERR_… of OpenSSL's x509_vfy.h.
_CERTIFICATE_CODES = {
    9: "the host's certificate is not valid yet; compare the clocks of host and control node",
    10: "the host's certificate has expired; give its listener a new one",
    18: "the host's certificate is self-signed",
    19: "the host's certificate comes from an authority that is not trusted",
    20: "the host's certificate comes from an authority that is not trusted",
    21: "the host's certificate comes from an authority that is not trusted",
    23: "the host's certificate was revoked; give its listener a new one",
    62: "the host's certificate is for another name than the one connected to (ansible_host)",
    64: "the host's certificate is for another name than the address connected to (ansible_host)",
}
_UNTRUSTED = (18, 19, 20, 21)
_NAME_AUTHORITY = "name the authority's certificate by ansible_winrm_ca_trust_path or ansible_psrp_ca_cert"
_WRONG_NAME = "connect to the name that it is for, or give the listener another certificate"

_NO_EXTRA = "the Kerberos extra of {0} is missing on the control node: pip install '{0}[kerberos]'"

# Words of MIT krb5, also inside GSSAPI errors, and what to do.
_KERBEROS: tuple[tuple[tuple[str, ...], Reason], ...] = (
    (("clock skew",), Reason("the clocks of control node and domain controller differ by more than five minutes", "synchronize them")),
    (
        ("cannot find kdc", "cannot contact any kdc", "cannot resolve", "kdc unreachable"),
        Reason("no domain controller of the realm was found", "check the realm in ansible_user (upper case), krb5.conf and DNS"),
    ),
    (
        ("ticket expired", "credential expired", "credentials have expired"),
        Reason("the ticket has expired", "run kinit, or give ansible_password"),
    ),
    (
        ("no kerberos credentials", "no credentials", "no credential", "credentials cache", "did not find a plugin for ccache_ops"),
        Reason("there is no Kerberos ticket", "run kinit, or give ansible_user (name@REALM) and ansible_password"),
    ),
    (
        ("preauthentication failed", "password incorrect", "decrypt integrity check failed"),
        Reason("the password is wrong", "check ansible_user and ansible_password"),
    ),
    (("client not found", "client '"), Reason("the domain has no such user", "write it as name@REALM in ansible_user")),
    (("revoked", "locked out"), Reason("the account is locked or disabled", "unlock or enable it in the domain, or use another one")),
    (
        ("password has expired", "key has expired"),
        Reason("the account's password has expired", "change it, and give the new one as ansible_password"),
    ),
    (("kerberos library is not installed", "pykerberos is not installed"), Reason(_NO_EXTRA.format("pywinrm"))),
    (("gssapi library is not installed",), Reason(_NO_EXTRA.format("pypsrp"))),
    (("calling kinit cmd",), Reason("the program kinit is missing on the control node (Debian: krb5-user)")),
)

# What pypsrp says, and what pywinrm says.
_NO_CREDSSP = {"cannot use credssp auth as requests-credssp is not installed": "pypsrp", "requests-credssp is not installed": "pywinrm"}

# What SSPI and MIT krb5 say of an account that a domain controller or a computer turned down.
_BAD_LOGONS = (
    *("0x8009030c", "logon was denied"),
    "logon denied",
    "preauthentication failed",
    "password incorrect",
    "decrypt integrity check failed",
    "client not found",
    "client '",
    "revoked",
    "locked out",
    "password has expired",
    "key has expired",
)


_LONGEST_WORDS = 200
# What Python raises where a library takes for granted what the host did not send: its text is about the library.
_SLIPS = ("AttributeError", "TypeError", "KeyError", "IndexError", "AssertionError", "error")


@dataclass(frozen=True, slots=True)
class ProxyOnTheWay:
    """A proxy on the way to a host, for messages.

    Attributes:
        address: Its URL without an account.
        named_by: The variable that names it.
        chosen_by: The variable of the host by which one is chosen.
    """

    address: str
    named_by: str
    chosen_by: str


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that it wraps, by any of the ways in which requests and urllib3 do that."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        found = waiting.pop(0)
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [*found.args, getattr(found, "reason", None), found.__cause__, found.__context__]


def is_a(error: BaseException, *names: str) -> bool:
    """Whether the error is of a class of that name, or of one derived from it."""
    return any(kind.__name__ in names for kind in type(error).__mro__)


def never_connected(error: BaseException) -> bool:
    """Whether the failure came before the first byte went out, so that certainly nothing was done."""
    # urllib3 has a ProxyError for what happens until the connection by the proxy is there, and not behind it.
    wanted = ("NewConnectionError", "ConnectTimeoutError", "NameResolutionError", "ConnectTimeout", "ProxyError")
    return any(type(cause).__name__ in wanted for cause in causes(error))


def timed_out(error: BaseException) -> bool:
    """Whether the connection did not come about because nothing came back."""
    return any(type(cause).__name__ in ("ConnectTimeoutError", "TimeoutError") for cause in causes(error))


def explain_connection(error: BaseException, endpoint: str, proxy: ProxyOnTheWay | None = None) -> str:
    """Why no connection came about.

    Args:
        error: What was raised.
        endpoint: The URL in use.
        proxy: The proxy on the way.
    """
    parts = urlsplit(endpoint)
    chain = list(causes(error))
    if proxy and any(type(cause).__name__ == "ProxyError" for cause in chain):
        return f"the proxy {proxy.address} of {proxy.named_by} could not be used ({innermost(error)}); check the variable and the proxy"
    if any(type(cause).__name__ in ("NameResolutionError", "gaierror") for cause in chain):
        return f"the name {parts.hostname} could not be resolved; check ansible_host and DNS"
    numbers = {cause.errno for cause in chain if isinstance(cause, OSError)}
    if errno.ECONNREFUSED in numbers:
        listeners = "see there whether WinRM has a listener on this port (winrm enumerate winrm/config/listener)"
        return f"{endpoint} refuses connections; {listeners}{_other_ports(parts.port)}"
    if numbers & {errno.EHOSTUNREACH, errno.ENETUNREACH}:
        return f"there is no way to {parts.hostname}; check ansible_host, the network, and whether the host is on"
    return f"{endpoint} does not answer; see whether the host is on and its firewall lets WinRM in{_other_ports(parts.port)}"


def explain_broken(error: BaseException, endpoint: str, answered: bool) -> str:
    """What a connection that ended without an answer means.

    Args:
        error: What was raised.
        endpoint: The URL in use.
        answered: Whether this endpoint has answered before, so that it is the right one.
    """
    # http.client lets through what int() says of a status that is no number.
    sentence = "what answers does not speak HTTP" if is_a(_deepest(error), "ValueError") else f"the connection broke ({innermost(error)})"
    parts = urlsplit(endpoint)
    if not answered and parts.scheme == "http" and (parts.port in (443, 5986) or "\\x15\\x03" in repr(error)):
        sentence += f"; port {parts.port} usually speaks TLS, which needs ansible_winrm_scheme: https or ansible_psrp_protocol: https"
    return sentence


def explain_tls(error: BaseException, endpoint: str) -> str:
    """Why TLS failed."""
    start = f"TLS to {endpoint} failed: "
    chain = list(causes(error))
    for cause in chain:
        code = getattr(cause, "verify_code", 0)
        if code in _CERTIFICATE_CODES:
            remedy = {True: f"; {_NAME_AUTHORITY}"}.get(code in _UNTRUSTED, f"; {_WRONG_NAME}" if code in (62, 64) else "")
            return start + _CERTIFICATE_CODES[code] + remedy
    text = " ".join(str(cause) for cause in chain)
    plain = text.lower()
    if "doesn't match" in plain:
        return start + f"{_CERTIFICATE_CODES[62]}; {_WRONG_NAME}"
    reasons = {str(getattr(cause, "reason", "")) for cause in chain} | set(re.findall(r"\[ssl: ([a-z0-9_]+)", plain))
    for names, meaning in _TLS_REASONS:
        if any(name in reason.upper() for name in names for reason in reasons):
            return start + meaning
    if "eof" in plain or any(isinstance(cause, ConnectionError) for cause in chain):
        return (
            start
            + "the host ended the handshake, as one does that offers no TLS 1.2, has no certificate for its listener, or does not accept"
            f" the user's; {_TLS_OTHER_WAY}"
        )
    return start + innermost(error)


def explain_authentication(error: BaseException | str, spn: Spn | None = None) -> Reason:
    """Why the authentication could not be carried out.

    Args:
        error: What was raised, or what the connection plugin says.
        spn: The service that a ticket was asked for, where one is.
    """
    text = error if isinstance(error, str) else " ".join(str(cause) for cause in causes(error))
    plain = text.lower()
    if offered := re.search(r"actual: '([^']*)'", text, re.IGNORECASE):
        offers = visible(some(re.findall(r"(?:^|,\s*)([A-Za-z]+)", offered[1]))) or "none"
        return Reason(
            f"the listener does not allow the authentication asked for; it offers {offers}. Choose another one (ansible_winrm_transport,"
            " ansible_psrp_auth), or allow it there (winrm get winrm/config/service/auth)"
        )
    if "0x8009030c" in plain or "logon was denied" in plain or "logon denied" in plain:
        return Reason("the credentials were not accepted", "check user and password")
    if any(word in plain for word in _NO_SERVICE):
        unknown = spn.unknown() if spn else f"the domain knows no service of the name connected to; {_HOST_NAME}"
        return Reason(f"Kerberos is not possible: {unknown}")
    for words, meaning in _KERBEROS:
        if any(word in plain for word in words):
            return meaning._replace(clause=f"Kerberos is not possible: {meaning.clause}")
    if missing := next((package for said, package in _NO_CREDSSP.items() if said in plain), ""):
        return Reason(f"CredSSP is not possible: its extra of {missing} is missing on the control node: pip install '{missing}[credssp]'")
    if lacking := re.search(r"requires a (user|password)", plain):
        return Reason(f"ansible_{lacking[1]} is not set", "set it")
    if isinstance(error, str):
        return Reason(one_line(text).rstrip("."))
    if is_a(_deepest(error), *_SLIPS):
        remedy = "check ansible_port, ansible_winrm_transport and ansible_psrp_auth"
        return Reason("what answers does not carry the authentication through", remedy)
    return Reason(innermost(error))


def rejects_account(error: BaseException | str) -> bool:
    """Whether the reason is the account or its password, so that a domain or computer counts it as a bad logon."""
    text = error if isinstance(error, str) else " ".join(str(cause) for cause in causes(error))
    plain = text.lower()
    return any(word in plain for word in _BAD_LOGONS)


def innermost(error: BaseException) -> str:
    """The plain words of the deepest cause; requests wraps them four times."""
    inner = _deepest(error)
    return one_line(str(getattr(inner, "strerror", None) or inner) or type(inner).__name__, _LONGEST_WORDS).rstrip(".")


def in_brackets(error: BaseException) -> str:
    """The same behind a clause; empty where a user has nothing from it."""
    return "" if is_a(_deepest(error), *_SLIPS) else f" ({innermost(error)})"


def _deepest(error: BaseException) -> BaseException:
    while inner := error.__cause__ or error.__context__:
        error = inner
    return error


def _other_ports(port: int | None) -> str:
    """WinRM 1.1 had the ports of the web; those of today came with 2.0 (Windows 7, Server 2008 R2)."""
    old = {5985: 80, 5986: 443}.get(port or 0)
    return f"; WinRM 1.1 of Windows Vista and Server 2008 listens on port {old} instead" if old else ""
