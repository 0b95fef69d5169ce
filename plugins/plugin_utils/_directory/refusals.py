# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a domain controller's refusal means, in one sentence.

Codes: RFC 4511 4.1.9; Active Directory puts the Win32 code in hexadecimal at the start of its diagnostic text.
"""

from __future__ import annotations

import re
import typing as t

from .._core.codes.code import plain
from .._core.errors import ActivationError

_NAMES: dict[int, str] = {
    1: "operationsError",
    2: "protocolError",
    3: "timeLimitExceeded",
    4: "sizeLimitExceeded",
    8: "strongerAuthRequired",
    10: "referral",
    11: "adminLimitExceeded",
    12: "unavailableCriticalExtension",
    13: "confidentialityRequired",
    16: "noSuchAttribute",
    19: "constraintViolation",
    20: "attributeOrValueExists",
    21: "invalidAttributeSyntax",
    32: "noSuchObject",
    34: "invalidDNSyntax",
    49: "invalidCredentials",
    50: "insufficientAccessRights",
    51: "busy",
    52: "unavailable",
    53: "unwillingToPerform",
    64: "namingViolation",
    65: "objectClassViolation",
    68: "entryAlreadyExists",
    80: "other",
}

_LOGON_REASONS: dict[str, str] = {
    "525": "the account does not exist. Check O(domain_username).",
    "52e": "wrong user name or password. Check O(domain_username) and O(domain_password).",
    "530": "the account may not log on at this time. Try again within its hours, or use another one.",
    "531": "the account may not log on from here. Use another one, or let it log on to this controller.",
    "532": "the password has expired. Change it, and give the new one in O(domain_password).",
    "533": "the account is disabled. Enable it, or use another one.",
    "701": "the account has expired. Extend it, or use another one.",
    "773": "the password must be changed first. Change it, and give the new one in O(domain_password).",
    "775": "the account is locked out. Unlock it, and look who tries wrong passwords.",
    "80090346": (
        "the controller demands channel binding, and what came with the logon does not fit its certificate: something between ends the TLS. "
        "Reach it directly, or use O(tls_mode) none."
    ),
}
"""C(data) in the diagnostic text of invalidCredentials."""

_DEMANDS: tuple[tuple[str, str], ...] = (
    (
        "integrity checking",
        "the controller demands signing (LDAP server signing requirements). Use O(tls_mode) none, which signs and seals, or ldaps.",
    ),
    ("sign or seal", "the controller demands signing or sealing. Use O(tls_mode) none, which does both, or ldaps."),
    ("encryption required", "the controller demands encryption. Use O(tls_mode) none, which seals the session, or ldaps."),
)
"""What strongerAuthRequired is about on port 389, by a phrase in the text of AD or Samba."""

LOGON_IN_TLS = "The logon inside TLS"
"""Where a layer of Kerberos is refused, whatever the text of the refusal asks for."""

_GENERAL: dict[int, str] = {
    8: "the controller demands signing or sealing by Kerberos, which cannot be had inside TLS. Use O(tls_mode) none.",
    13: "the controller demands encryption for this. Use O(tls_mode) none, which seals the session, or ldaps.",
    51: "the controller is busy. Try again.",
    52: "the controller is not available. Try again, or name another one in O(domain_server).",
    68: "an object with that name exists already and is something else. Choose another name or path.",
}


def refused(failure: Exception, doing: str, server: str, right: str = "") -> ActivationError:
    """The error for an exception of python-ldap.

    Args:
        failure: C(ldap.LDAPError).
        doing: What was tried, such as C(Changing the DACL of DC=…).
        server: The controller that was asked.
        right: The right that this takes, with its object, such as C(WRITE_DAC on DC=…).
    """
    details: dict[str, t.Any] = failure.args[0] if failure.args and isinstance(failure.args[0], dict) else {}
    number = int(details.get("result", 0))
    text = str(details.get("info") or details.get("desc") or failure).strip().strip("\0")
    name = _NAMES.get(number, "")
    code = plain(number) if name else None
    if number in (-1, -5, -11) or type(failure).__name__ in ("SERVER_DOWN", "TIMEOUT", "CONNECT_ERROR"):
        return ActivationError(f"{doing}: {_silence(doing, server)}", name=type(failure).__name__, source="ldap")
    if number == 50:
        who = f"The account lacks {right}." if right else "The account lacks a right."
        return ActivationError(
            f"{doing} was refused by {server}. {who} Have it delegated, or use another account.", code=code, name=name, source="ldap"
        )
    if number == 49:
        data = re.search(r"data ([0-9a-f]+)", text, re.IGNORECASE)
        reason = _LOGON_REASONS.get(data[1].lower() if data else "", f"{text.rstrip('.') or 'wrong user name or password'}.")
        return ActivationError(f"{doing} was refused by {server}: {reason}", code=code, name=name, source="ldap")
    meaning = _GENERAL.get(number, f"{text.rstrip('.')}." if text else "no reason given.")
    if number == 8 and doing != LOGON_IN_TLS:
        meaning = next((sentence for phrase, sentence in _DEMANDS if phrase in text.lower()), meaning)
    elif number == 10:
        meaning = _referral(text, server)
    return ActivationError(f"{doing} failed on {server}: {meaning}", code=code, name=name or type(failure).__name__, source="ldap")


def _silence(doing: str, server: str) -> str:
    stopped = f"the domain controller {server} stopped answering."
    if doing.startswith("Reading"):
        return f"{stopped} Nothing was changed by this; run it again when the controller is back, or name another one in O(domain_server)."
    return f"{stopped} Whether it was done is not known; the next run reads it again."


def _referral(text: str, server: str) -> str:
    """AD writes C(ref 1: 'host'), the protocol itself C(ldap://host/…)."""
    found = re.search(r"ref 1: '([^']+)'|ldaps?://([^/\s:]+)", text, re.IGNORECASE)
    where = (found[1] or found[2]) if found else ""
    start = f"{server} does not hold the object, or holds it for reading only, and"
    if not where or where.lower() == server.lower():
        return f"{start} names no other one that does. Name a controller that may write it in O(domain_server)."
    return f"{start} refers to {where}. Name that controller, or one of that domain, in O(domain_server)."
