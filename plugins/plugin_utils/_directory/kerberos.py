# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos for one bind: a private ticket cache in memory from user and password. Private to the collection.

The GSSAPI library underneath SASL takes its cache and its configuration from the environment of the process. Both are set
for the bind only and then put back, so that two realms can be served by one process, one after the other.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import threading
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .._errors import ActivationError

try:
    import krb5
except ImportError as error:
    KRB5_ERROR: ImportError | None = error
else:
    KRB5_ERROR = None

_ENVIRONMENT = threading.Lock()
_TABLE_BASE = -1765328384
"""The krb5 error table starts here; RFC 4120 7.5.9 numbers are added to it, the library's own begin at 128."""

_ERRORS: dict[int, tuple[str, str]] = {
    6: ("KDC_ERR_C_PRINCIPAL_UNKNOWN", "the domain {realm} has no account {user}. Check domain_username."),
    7: ("KDC_ERR_S_PRINCIPAL_UNKNOWN", "the KDC of {realm} knows no such service. Check domain_server: it is the controller's full name."),
    12: ("KDC_ERR_POLICY", "a policy forbids {user} to log on here or now."),
    14: ("KDC_ERR_ETYPE_NOSUPP", "{user} and this node have no encryption type in common. A new password gives it AES keys."),
    18: ("KDC_ERR_CLIENT_REVOKED", "the account {user} is disabled, locked out or expired."),
    23: ("KDC_ERR_KEY_EXPIRED", "the password of {user} has expired or must be changed first."),
    24: ("KDC_ERR_PREAUTH_FAILED", "the password of {user} is wrong."),
    31: ("KRB_AP_ERR_BAD_INTEGRITY", "the password of {user} is wrong."),
    32: ("KRB_AP_ERR_TKT_EXPIRED", "the ticket in the cache has expired. Run kinit again, or give domain_username and domain_password."),
    37: ("KRB_AP_ERR_SKEW", "the clocks differ by more than the five minutes that Kerberos allows.{skew} Set the clock of this node."),
    68: ("KDC_ERR_WRONG_REALM", "{user} belongs to another realm than {realm}. Write it as user@REALM."),
    128 + 26: ("KRB5_REALM_UNKNOWN", "no KDC of the realm {realm} is known. Check the realm, or add it to krb5.conf of this node."),
    128 + 28: ("KRB5_KDC_UNREACH", "no KDC of the realm {realm} answers on port 88. Check the realm in domain_username and the firewall."),
    128 + 13: ("KRB5_CC_NOTFOUND", "there is no ticket for {user} in the cache. Run kinit, or give domain_password."),
    128 + 67: ("KRB5_FCC_NOFILE", "there is no ticket cache. Run kinit, or give domain_username and domain_password."),
    128 + 92: ("KRB5_REALM_CANT_RESOLVE", "the KDC of the realm {realm} has a name that cannot be resolved."),
}
"""Number in the table to symbolic name and what it means for the user."""

_PHRASES = (
    ("clock skew too great", 37),
    ("server not found in kerberos database", 7),
    ("ticket expired", 32),
    ("no kerberos credentials available", 128 + 67),
    ("no credentials cache found", 128 + 67),
    ("cannot find kdc", 128 + 26),
    ("cannot contact any kdc", 128 + 28),
    ("kdc has no support for encryption type", 14),
)
"""What SASL says of a failure is text only; these are the messages of MIT Kerberos in it."""


@dataclass(frozen=True, slots=True)
class Logon:
    """Who wants to be known to whom.

    Attributes:
        username: C(user@REALM), C(DOMAIN\\user), or empty.
        password: Empty to use the tickets that are there.
        realm: The realm of the domain controller.
        kdc: The controller's address: every writable controller is a KDC.
        skew: Seconds that this node's clock is ahead of the controller's.
    """

    username: str
    password: str = field(repr=False)
    realm: str
    kdc: str
    skew: float

    @property
    def principal(self) -> str:
        """The Kerberos principal; a Windows realm is the domain's DNS name in capitals."""
        if "\\" in self.username:
            return self.username.split("\\", 1)[1] + f"@{self.realm}"
        user, at, realm = self.username.rpartition("@")
        return f"{user}@{realm.upper()}" if at else f"{self.username}@{self.realm}"


@contextlib.contextmanager
def tickets(logon: Logon) -> Iterator[None]:
    """Within it, GSSAPI in this process acts as C(logon) says.

    Raises:
        ActivationError: No ticket, with the reason.
    """
    if KRB5_ERROR is not None:
        raise ActivationError(
            "Kerberos needs the Python package krb5 on the control node: pip install pyspnego[kerberos].", source="kerberos"
        ) from KRB5_ERROR
    with _ENVIRONMENT, _configuration(logon) as configuration, _environment({"KRB5_CONFIG": configuration}):
        context = krb5.init_context()
        if not logon.username:
            yield
            return
        if not logon.password:
            with _environment({"KRB5CCNAME": _existing_cache(context, logon)}):
                yield
            return
        cache = _new_cache(context, logon)
        try:
            with _environment({"KRB5CCNAME": f"MEMORY:{krb5.cc_get_name(context, cache).decode()}"}):
                yield
        finally:
            krb5.cc_destroy(context, cache)


def failure_in_sasl(text: str, logon: Logon, server: str) -> ActivationError:
    """The error for what SASL reports of a GSSAPI bind."""
    lowered = text.lower()
    for phrase, number in _PHRASES:
        if phrase in lowered:
            return _failure(number, logon, server)
    return ActivationError(f"Kerberos logon to {server} failed: {text.rstrip('.')}.", source="kerberos")


def failure_in_gssapi(failure: t.Any, logon: Logon, server: str) -> ActivationError:
    """The error for a C(GSSError)."""
    # The minor status is the krb5 code as an unsigned number of 32 bits.
    number = (failure.min_code & 0xFFFFFFFF) - (1 << 32) - _TABLE_BASE
    return _failure(number, logon, server) if number in _ERRORS else failure_in_sasl(str(failure), logon, server)


def _existing_cache(context: t.Any, logon: Logon) -> str:
    try:
        cache = krb5.cc_cache_match(context, krb5.parse_name_flags(context, logon.principal.encode()))
        return f"{(krb5.cc_get_type(context, cache) or b'FILE').decode()}:{krb5.cc_get_name(context, cache).decode()}"
    except krb5.Krb5Error:
        raise _failure(128 + 13, logon, logon.realm) from None


def _new_cache(context: t.Any, logon: Logon) -> t.Any:
    try:
        principal = krb5.parse_name_flags(context, logon.principal.encode())
        options = krb5.get_init_creds_opt_alloc(context)
        credentials = krb5.get_init_creds_password(context, principal, options, logon.password.encode())
        cache = krb5.cc_new_unique(context, b"MEMORY")
        krb5.cc_initialize(context, cache, principal)
        krb5.cc_store_cred(context, cache, credentials)
    except krb5.Krb5Error as failure:
        raise _failure(failure.err_code - _TABLE_BASE, logon, logon.realm, str(failure)) from None
    return cache


def _failure(number: int, logon: Logon, where: str, text: str = "") -> ActivationError:
    if number == 128 + 13 and not logon.username:
        number = 128 + 67
    name, meaning = _ERRORS.get(number, ("", f"{text.rstrip('.')}."))
    ahead = "ahead of" if logon.skew > 0 else "behind"
    skew = f" This node is {abs(logon.skew):.0f} s {ahead} the domain controller." if abs(logon.skew) > 60 else ""
    user, _at, realm = logon.principal.rpartition("@") if logon.username else ("the cached account", "", logon.realm)
    if name:
        meaning = meaning.format(user=user, realm=realm, skew=skew)
    return ActivationError(f"Kerberos logon to {where} failed: {meaning}", code=str(number + _TABLE_BASE), name=name, source="kerberos")


@contextlib.contextmanager
def _configuration(logon: Logon) -> Iterator[str]:
    """A list of configuration files for C(KRB5_CONFIG): the node's own, then one that knows the controller's realm.

    A node need not know the realm beforehand, and what its own krb5.conf says comes first. Names stay as they were given:
    an address of the lab or of a NAT has no reverse entry that could be trusted.
    """
    existing = os.environ.get("KRB5_CONFIG") or "/etc/krb5.conf"
    kdc = f"[{logon.kdc}]" if ":" in logon.kdc else logon.kdc
    domain = logon.realm.lower()
    if not re.fullmatch(r"[A-Z0-9._-]+", logon.realm):
        yield existing
        return
    text = (
        "[libdefaults]\n dns_canonicalize_hostname = false\n rdns = false\n"
        f"[realms]\n {logon.realm} = {{\n  kdc = {kdc}\n }}\n"
        f"[domain_realm]\n .{domain} = {logon.realm}\n {domain} = {logon.realm}\n"
    )
    with tempfile.NamedTemporaryFile("w", prefix="volume-activation-", suffix=".conf", encoding="ascii") as file:
        file.write(text)
        file.flush()
        yield f"{existing}:{file.name}"


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
