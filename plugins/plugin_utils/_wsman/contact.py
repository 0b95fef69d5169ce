# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a host may take until its first answer: less than for any other, since most of those that take long are off."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from types import SimpleNamespace

try:
    import urllib3.util
except ImportError:
    # Without it there is neither pywinrm nor pypsrp, and the carriers say which package is missing.
    urllib3 = SimpleNamespace(util=SimpleNamespace(Timeout=object))  # type: ignore[assignment]

VARIABLE = "volume_activation_first_contact_timeout"
"""The variable that has the seconds."""

FIRST_CONTACT = 10.0
"""Seconds where nobody says otherwise."""


@dataclass(slots=True)
class Contact:
    """The first answer of a host.

    Attributes:
        seconds: How long it may take until the connection is there, and then until the first answer.
        watched: Whoever asks watches over the time of the whole exchange.
        made: Whether anything came from the host.
    """

    seconds: float = FIRST_CONTACT
    watched: bool = False
    made: bool = False

    def make(self) -> None:
        """Something came."""
        self.made = True


class Patience(urllib3.util.Timeout):
    """What requests takes as C(timeout): short until the first answer.

    Args:
        contact: The first answer.
        reading: Seconds without a byte after it.
    """

    def __init__(self, contact: Contact, reading: float) -> None:
        super().__init__(connect=contact.seconds, read=contact.seconds)
        self._contact = contact
        self._reading = reading

    def clone(self) -> t.Any:
        """What applies to the next request, for each of which urllib3 takes a clone."""
        seconds = self._contact.seconds
        return urllib3.util.Timeout(connect=seconds, read=self._reading if self._contact.made else seconds)
