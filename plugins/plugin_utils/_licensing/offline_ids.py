# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of installation IDs, confirmation IDs, extended PIDs and activation IDs. Pure."""

from __future__ import annotations

import re
import uuid

from .._core.errors import ActivationError
from .._core.text import LONGEST_NAME, visible
from .copied import compact, joined, without_labels, without_separators

CONFIRMATION_ID_DIGITS = 48
"""Eight groups of six (Microsoft's text for activation by telephone)."""

INSTALLATION_ID_DIGITS = (54, 63)
"""Nine groups of six before Windows 8, of seven since (docs/facts/mak.md#installation-id)."""

MOST_DIGITS = 128
"""More than any installation ID or confirmation ID has; a computer list holds none that is longer."""

# Such as 03612-00206-271-344265-03-1033-20348.0000-0012026: groups of digits, in the last but one the build.
_EXTENDED_PID = re.compile(r"[0-9]{1,10}(?:-[0-9]{1,10}){5}-[0-9]{1,10}\.[0-9]{1,10}-[0-9]{1,10}")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DIGITS = re.compile(r"[0-9]+")

_CONFIRMATION_LABELS = "ABCDEFGH"
_INSTALLATION_LABELS = "123456789"
# One public client expects 54 digits; no real computer showed that (docs/facts/mak.md#confirmation-id).
_TAKEN = (CONFIRMATION_ID_DIGITS, 54)


def is_installation_id(text: str) -> bool:
    """Whether it is an installation ID as Windows writes one, digits only."""
    return len(text) in INSTALLATION_ID_DIGITS and _DIGITS.fullmatch(text) is not None


def is_extended_pid(text: str) -> bool:
    """Whether it is an extended PID as Microsoft's service takes one."""
    return _EXTENDED_PID.fullmatch(text) is not None


def is_guid(text: str) -> bool:
    """Whether it is a GUID as Windows writes one, such as an activation ID or a client machine ID."""
    return _GUID.fullmatch(text) is not None


def confirmation_digits(text: str) -> str:
    """A confirmation ID as Windows takes it, digits only, however its groups were parted, and without the letters that portals put
    in front of them.

    Raises:
        ActivationError: There is something else in it than digits, or another number of them. The message does not repeat it.
    """
    digits = without_separators(without_labels(joined(text), _CONFIRMATION_LABELS))
    if not (digits.isascii() and digits.isdigit()):
        raise ActivationError("The confirmation ID has to be digits, in groups or not.", source="options")
    if len(digits) not in _TAKEN:
        raise ActivationError(
            f"The confirmation ID has {len(digits)} digits, but those of Microsoft have {CONFIRMATION_ID_DIGITS}; copy it again.",
            source="options",
        )
    return digits


def confirmation_warnings(host: str, digits: str) -> list[str]:
    """What to say of a confirmation ID whose length is not Microsoft's, which Windows may take all the same.

    Args:
        host: The host that it is for.
        digits: The confirmation ID, digits only.
    """
    if len(digits) == CONFIRMATION_ID_DIGITS:
        return []
    return [f"{host}: the confirmation ID has {len(digits)} digits; those of Microsoft have {CONFIRMATION_ID_DIGITS}."]


def installation_digits(text: str) -> str:
    """An installation ID as Windows gives it, digits only, however its groups were parted.

    Raises:
        ActivationError: It is none, so that no computer could have it.
    """
    digits = without_separators(without_labels(joined(text), _INSTALLATION_LABELS))
    if not (digits.isascii() and digits.isdigit()):
        raise ActivationError("The installation ID has to be digits, in groups or not.", source="options")
    if len(digits) not in INSTALLATION_ID_DIGITS:
        lengths = " or ".join(str(length) for length in INSTALLATION_ID_DIGITS)
        raise ActivationError(
            f"The installation ID has {len(digits)} digits, but those of Windows have {lengths}; copy it again.", source="options"
        )
    return digits


def grouped(digits: str) -> str:
    """An installation ID or a confirmation ID for people, in the groups in which Windows and Microsoft's telephone line have them.

    An installation ID has nine groups; a confirmation ID has groups of six, as has what is of another length.
    """
    size = len(digits) // 9 if len(digits) in INSTALLATION_ID_DIGITS else 6
    return "-".join(digits[start : start + size] for start in range(0, len(digits), size))


def checked_guid(text: str, name: str) -> str:
    """An activation ID or application ID in the form in which Windows shows it.

    Args:
        text: What was given; braces around it are taken off.
        name: The option, for the message.

    Raises:
        ActivationError: It is no GUID, so that it could match nothing.
    """
    try:
        return str(uuid.UUID(compact(text).strip("{}")))
    except ValueError:
        raise ActivationError(
            f"O({name}) is '{visible(text, LONGEST_NAME)}', which is no GUID such as 55c92734-d682-4d71-983e-d6ec3f16059f; license_info shows those of a host.",
            source="options",
        ) from None
