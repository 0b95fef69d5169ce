# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a domain controller's refusal means, in one sentence. Private to the collection.

Codes: RFC 4511 4.1.9; Active Directory puts the Win32 code in hexadecimal at the start of its diagnostic text.
"""

from __future__ import annotations

import re
import typing as t

from .._errors import ActivationError

_NAMES: dict[int, str] = {
    1: "operationsError",
    2: "protocolError",
    3: "timeLimitExceeded",
    4: "sizeLimitExceeded",
    8: "strongerAuthRequired",
    10: "referral",
    11: "adminLimitExceeded",
    12: "unavailableCriticalExtension",
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
    "525": "the account does not exist",
    "52e": "wrong user name or password",
    "530": "the account may not log on at this time",
    "531": "the account may not log on from here",
    "532": "the password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "the password must be changed first",
    "775": "the account is locked out",
    "80090346": "the controller demands channel binding, which this client cannot give over LDAPS; use tls_mode none",
}
"""C(data) in the diagnostic text of invalidCredentials."""

_GENERAL: dict[int, str] = {
    8: "the controller demands signing or sealing by Kerberos, which cannot be had inside TLS. Use tls_mode none.",
    51: "the controller is busy. Try again.",
    52: "the controller is not available. Try again, or name another one in domain_server.",
    10: "the object belongs to another domain. Name a controller of that domain in domain_server.",
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
    code = str(number) if name else ""
    if number in (-1, -5, -11) or type(failure).__name__ in ("SERVER_DOWN", "TIMEOUT", "CONNECT_ERROR"):
        return ActivationError(
            f"{doing}: the domain controller {server} stopped answering. Whether it was done is not known; the next run reads it again.",
            name=type(failure).__name__,
            source="ldap",
        )
    if number == 50:
        who = f"The account lacks {right}" if right else "The account lacks a right"
        return ActivationError(f"{doing} was refused by {server}. {who}.", code=code, name=name, source="ldap")
    if number == 49:
        data = re.search(r"data ([0-9a-f]+)", text, re.IGNORECASE)
        reason = _LOGON_REASONS.get(data[1].lower() if data else "", text or "wrong user name or password")
        return ActivationError(f"{doing} was refused by {server}: {reason}.", code=code, name=name, source="ldap")
    meaning = _GENERAL.get(number, f"{text.rstrip('.')}." if text else "no reason given.")
    return ActivationError(f"{doing} failed on {server}: {meaning}", code=code, name=name or type(failure).__name__, source="ldap")
