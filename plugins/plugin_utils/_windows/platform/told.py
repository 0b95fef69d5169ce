# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of what a host tells of itself, looked at where it enters.

What has another form than Windows gives it names the wrong thing later: a product in a query, an account in a group, a line in
a job log. So that host fails, with the name of the property, and the others go on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ..._core.errors import ActivationError
from ..._core.text import LONGEST_NAME, visible
from ..._licensing.offline_ids import INSTALLATION_ID_DIGITS, MOST_DIGITS, is_extended_pid, is_guid, is_installation_id
from ..._wsman.cim import Value

_A_GUID = "a GUID such as 55c92734-d682-4d71-983e-d6ec3f16059f"
_AN_EXTENDED_PID = "an extended PID such as 03612-00206-271-344265-03-1033-20348.0000-0012026"
_AN_INSTALLATION_ID = f"an installation ID of {' or '.join(map(str, INSTALLATION_ID_DIGITS))} digits"
_LONGEST_COMPUTER_NAME = 63
# Those of NetBIOS names (Microsoft, "Naming conventions in Active Directory for computers, domains, sites, and OUs").
_NOT_IN_COMPUTER_NAMES = re.compile(r'[\s\\/:*?"<>|$]')
_DNS_NAME = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63})*")
_LONGEST_DNS_NAME = 253

_FORMS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "ID": (is_guid, _A_GUID),
    "ApplicationID": (is_guid, _A_GUID),
    "ClientMachineID": (is_guid, _A_GUID),
    "PartialProductKey": (re.compile(r"[0-9A-Za-z]{5}").fullmatch, "the last five characters of a key"),
    # Of a product that is not asked about with Microsoft only the characters count.
    "ProductKeyID": (re.compile(r"[0-9A-Za-z.-]{1,64}").fullmatch, _AN_EXTENDED_PID),
    "OfflineInstallationId": (re.compile(f"[0-9]{{1,{MOST_DIGITS}}}").fullmatch, _AN_INSTALLATION_ID),
}


def check_row(host: str, row: Mapping[str, Value]) -> Mapping[str, Value]:
    """A row of SoftwareLicensingProduct or SoftwareLicensingService whose identifiers have their form; NULL and empty have none.

    Args:
        host: The host, for the message.
        row: The columns as they were read.

    Raises:
        ActivationError: One of them has another form.
    """
    for name in _FORMS.keys() & row.keys():
        if row[name]:
            _check(host, name, str(row[name]), *_FORMS[name])
    return row


def installation_id(host: str, value: Value) -> str:
    """OfflineInstallationId as Microsoft takes it.

    Raises:
        ActivationError: It is none.
    """
    return _check(host, "OfflineInstallationId", str(value), is_installation_id, _AN_INSTALLATION_ID)


def extended_pid(host: str, value: Value) -> str:
    """ProductKeyID as Microsoft takes it; empty where Windows gives none.

    Raises:
        ActivationError: It is none.
    """
    return _check(host, "ProductKeyID", str(value), is_extended_pid, _AN_EXTENDED_PID) if value else ""


def computer_name(host: str, value: Value) -> str:
    """CSName: the name of the computer, which with a C($) behind it is that of its account; empty where Windows gives none.

    Raises:
        ActivationError: It is none.
    """
    return _check(host, "CSName", str(value), _is_computer_name, "a name of a computer") if value else ""


def dns_name(host: str, name: str, value: Value) -> str:
    """A DNS name in lower case; empty where Windows gives none.

    Raises:
        ActivationError: It is none.
    """
    return _check(host, name, str(value), _is_dns_name, "a DNS name").lower() if value else ""


def _is_computer_name(text: str) -> bool:
    return len(text) <= _LONGEST_COMPUTER_NAME and not _NOT_IN_COMPUTER_NAMES.search(text) and visible(text) == text


def _is_dns_name(text: str) -> bool:
    return len(text) <= _LONGEST_DNS_NAME and _DNS_NAME.fullmatch(text.rstrip(".")) is not None


def _check(host: str, name: str, text: str, fits: Callable[[str], object], wanted: str) -> str:
    if not fits(text):
        raise ActivationError(
            f"Windows gives {name} as '{visible(text, LONGEST_NAME)}', which is not {wanted}.",
            subject=host,
            remedy="Look at the computer before anything is done with it.",
            source="windows",
        )
    return text
