# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal of Kerberos means, in one sentence."""

from __future__ import annotations

import typing as t

from .._core.codes.code import plain
from .._core.errors import ActivationError
from .logon import Logon

_TABLE_BASE = -1765328384
"""The krb5 error table starts here; RFC 4120 7.5.9 numbers are added to it, the library's own begin at 128."""

_NO_CACHE, _KEY_NOT_FOUND = 128 + 67, 128 + 53
_UNKNOWN_ACCOUNT, _UNKNOWN_REALM = 6, 128 + 26
NO_TICKET = 128 + 13

_ERRORS: dict[int, tuple[str, str]] = {
    1: ("KDC_ERR_NAME_EXP", "the account {user} has expired. Extend it, or use another one."),
    _UNKNOWN_ACCOUNT: ("KDC_ERR_C_PRINCIPAL_UNKNOWN", "the domain {realm} has no account {user}. Check O(domain_username)."),
    7: (
        "KDC_ERR_S_PRINCIPAL_UNKNOWN",
        "the KDC of {realm} knows no such service. Check O({server_option}): it is the controller's full name.",
    ),
    12: (
        "KDC_ERR_POLICY",
        "a policy forbids {user} to log on here or now. Check its logon hours and where it may log on, or use another account.",
    ),
    14: ("KDC_ERR_ETYPE_NOSUPP", "{user} and this node have no encryption type in common. A new password gives it AES keys."),
    18: ("KDC_ERR_CLIENT_REVOKED", "the account {user} is disabled, locked out or expired. Put it right, or use another one."),
    23: (
        "KDC_ERR_KEY_EXPIRED",
        "the password of {user} has expired or must be changed first. Change it, and give the new one in O(domain_password).",
    ),
    24: ("KDC_ERR_PREAUTH_FAILED", "the {secret} of {user} is wrong. Check {secret_option}."),
    31: ("KRB_AP_ERR_BAD_INTEGRITY", "the {secret} of {user} is wrong. Check {secret_option}."),
    32: (
        "KRB_AP_ERR_TKT_EXPIRED",
        "the ticket in the cache has expired. Run kinit again, or give O(domain_username) and O(domain_password).",
    ),
    37: ("KRB_AP_ERR_SKEW", "the clocks differ by more than the five minutes that Kerberos allows.{skew} Set the clock of this node."),
    68: ("KDC_ERR_WRONG_REALM", "{user} belongs to another realm than {realm}. Write it as user@REALM."),
    _UNKNOWN_REALM: ("KRB5_REALM_UNKNOWN", "no KDC of the realm {realm} is known. Check the realm, or add it to krb5.conf of this node."),
    128 + 28: (
        "KRB5_KDC_UNREACH",
        "no KDC of the realm {realm} answers on port 88. Check the realm in O(domain_username) and the firewall.",
    ),
    NO_TICKET: (
        "KRB5_CC_NOTFOUND",
        "there is no ticket for {user} in the cache. Run kinit, name another cache in O(domain_ccache), or give O(domain_password).",
    ),
    _KEY_NOT_FOUND: ("KRB5_KT_NOTFOUND", "the keytab {keytab} has no key of {user}. Check O(domain_username) and O(domain_keytab)."),
    _NO_CACHE: ("KRB5_FCC_NOFILE", "there is no ticket cache. Run kinit, or give O(domain_username) and O(domain_password)."),
    128 + 92: (
        "KRB5_REALM_CANT_RESOLVE",
        "the KDC of the realm {realm} has a name that cannot be resolved. Check DNS and krb5.conf of this node.",
    ),
}
"""Number in the table to symbolic name and what it means for the user."""

_PHRASES = (
    ("clock skew too great", 37),
    ("server not found in kerberos database", 7),
    ("ticket expired", 32),
    ("no kerberos credentials available", _NO_CACHE),
    ("no credentials cache found", _NO_CACHE),
    ("cannot find kdc", _UNKNOWN_REALM),
    ("cannot contact any kdc", 128 + 28),
    ("kdc has no support for encryption type", 14),
)
"""What SASL says of a failure is text only; these are the messages of MIT Kerberos in it."""

_NO_MECHANISM = ("sasl(-4)", "no mechanism available", "no worthy mechs", "unknown authentication method")
"""The same where libsasl (SASL_NOMECH) or libldap has no plugin for GSSAPI."""


def in_library(failure: t.Any, logon: Logon, where: str) -> ActivationError:
    """The error for a C(krb5.Krb5Error)."""
    return numbered(failure.err_code - _TABLE_BASE, logon, where, str(failure))


def is_unknown_realm(failure: t.Any) -> bool:
    """Whether a C(krb5.Krb5Error) says that nobody knows a KDC of the realm."""
    return bool(failure.err_code == _UNKNOWN_REALM + _TABLE_BASE)


def is_unknown_account(failure: t.Any) -> bool:
    """Whether a C(krb5.Krb5Error) says that the realm has no such account."""
    return bool(failure.err_code == _UNKNOWN_ACCOUNT + _TABLE_BASE)


def neither_realm_nor_suffix(logon: Logon) -> ActivationError:
    """The error for an account whose realm nobody knows, and which is no user principal name in the server's realm either."""
    realm = logon.principal.rpartition("@")[2]
    return ActivationError(
        f"Kerberos logon to {logon.realm} failed: no KDC of the realm {realm} is known, and {logon.realm} has no account with the user "
        f"principal name {logon.username}. Check O(domain_username), or add the realm to krb5.conf of this node.",
        code=plain(_UNKNOWN_REALM + _TABLE_BASE),
        name=_ERRORS[_UNKNOWN_REALM][0],
        source="kerberos",
    )


def in_sasl(text: str, logon: Logon, server: str) -> ActivationError:
    """The error for what SASL reports of a GSSAPI bind."""
    lowered = text.lower()
    if any(phrase in lowered for phrase in _NO_MECHANISM):
        return ActivationError(
            "SASL has no GSSAPI mechanism on the control node. Install libsasl2-modules-gssapi-mit (Debian) or cyrus-sasl-gssapi (RHEL).",
            source="kerberos",
        )
    if "minor code" in lowered:
        # libsasl puts what Kerberos says into brackets behind what GSSAPI says.
        text = text.rpartition("(")[2].partition(")")[0]
    for phrase, number in _PHRASES:
        if phrase in lowered:
            return numbered(number, logon, server)
    return ActivationError(f"Kerberos logon to {server} failed: {text.rstrip('.')}.", source="kerberos")


def in_gssapi(failure: t.Any, logon: Logon, server: str) -> ActivationError:
    """The error for a C(GSSError)."""
    # The minor status is the krb5 code as an unsigned number of 32 bits.
    number = (failure.min_code & 0xFFFFFFFF) - (1 << 32) - _TABLE_BASE
    return numbered(number, logon, server) if number in _ERRORS else in_sasl(str(failure), logon, server)


def numbered(number: int, logon: Logon, where: str, text: str = "") -> ActivationError:
    """The error for a number of the krb5 table; C(text) stands in for one that has no sentence here."""
    if number == NO_TICKET and not logon.username:
        number = _NO_CACHE
    name, meaning = _ERRORS.get(number, ("", f"{text.rstrip('.')}."))
    ahead = "ahead of" if logon.skew > 0 else "behind"
    skew = f" This node is {abs(logon.skew):.0f} s {ahead} the domain controller." if abs(logon.skew) > 60 else ""
    user, _at, realm = logon.principal.rpartition("@") if logon.username else ("the cached account", "", logon.realm)
    if name:
        secret = "key in the keytab" if logon.keytab else "password"
        meaning = meaning.format(
            user=user,
            realm=realm,
            skew=skew,
            secret=secret,
            secret_option="O(domain_keytab), which is made anew when the password changes" if logon.keytab else "O(domain_password)",
            keytab=logon.keytab,
            server_option=logon.server_option,
        )
    return ActivationError(f"Kerberos logon to {where} failed: {meaning}", code=plain(number + _TABLE_BASE), name=name, source="kerberos")
