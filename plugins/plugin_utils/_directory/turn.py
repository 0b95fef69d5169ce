# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One writer at a time for an object's security descriptor.

A descriptor is one value that is replaced as a whole, and a controller does not compare it before: AD has no assertion
control (RFC 4528), and to delete the old value and add the new one in one message is refused for this attribute. So what
another writer granted between our read and our write would be lost.

A controller does compare other attributes, and a message is done as a whole or not at all. Whose turn it is stands in
C(adminDescription), which has one value and which DNS servers do not read: to add a value where there is one fails, and the
message that replaces the descriptor takes the value away again, and so fails where the turn was lost meanwhile. Nothing is
left of it afterwards. Who dies in his turn leaves it behind; the next one takes it over after a few seconds.

Writers that know nothing of this, such as the DNS console, are not kept out.
"""

from __future__ import annotations

import contextlib
import random
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .._core.errors import ActivationError
from .session import Change, DirectorySession

ATTRIBUTE = "adminDescription"
_MARK = b"winops.volume_activation is changing the rights "
_TAKEN = frozenset({"attributeOrValueExists", "constraintViolation", "noSuchAttribute", "busy"})
_DEAD_AFTER = 5.0
"""Seconds after which a turn that does not end is taken over; a living one lasts milliseconds."""

_PATIENCE = 60.0
_PAUSE, _LONGEST_PAUSE = 0.02, 0.2


@dataclass(slots=True)
class Turn:
    """The right to write.

    Attributes:
        dn: The object.
        value: What says so; empty where the account may not say it, and has to do without.
    """

    dn: str
    value: bytes

    def write(self, session: DirectorySession, change: Change, right: str, sd_flags: int) -> bool:
        """Write, and end the turn in the same message.

        Returns:
            False where the turn had been lost, so that nothing was written.

        Raises:
            ActivationError: The controller refused.
        """
        ending: list[Change] = [("delete", ATTRIBUTE, [self.value])] if self.value else []
        try:
            session.modify(self.dn, [*ending, change], right, sd_flags=sd_flags)
        except ActivationError as failure:
            if failure.name == "busy" or (self.value and failure.name == "noSuchAttribute"):
                return False
            raise
        self.value = b""
        return True


@contextlib.contextmanager
def turn(session: DirectorySession, dn: str) -> Iterator[Turn]:
    """Wait for the turn to write the descriptor of an object.

    Raises:
        ActivationError: Others took all turns for a minute, or the object is gone.
    """
    taken = Turn(dn, _take(session, dn))
    try:
        yield taken
    finally:
        if taken.value:
            with contextlib.suppress(ActivationError):
                session.modify(dn, _exchange([taken.value], []), "")


def _take(session: DirectorySession, dn: str) -> bytes:
    mine = _MARK + str(uuid.uuid4()).encode()
    deadline = time.monotonic() + _PATIENCE
    seen, since, pause = b"", time.monotonic(), _PAUSE
    now = b""
    while time.monotonic() < deadline:
        is_dead = bool(now) and time.monotonic() - since > _DEAD_AFTER
        # To look costs the controller less than to try, so only a turn that seems free is tried for.
        if not now or is_dead:
            try:
                session.modify(dn, _exchange([now] if is_dead else [], [mine]), f"WRITE_PROPERTY ({ATTRIBUTE}) on {dn}")
            except ActivationError as failure:
                if failure.name == "insufficientAccessRights":
                    return b""
                if failure.name not in _TAKEN:
                    raise
            else:
                return mine
        time.sleep(random.uniform(pause / 2, pause))  # noqa: S311
        pause = min(pause * 1.5, _LONGEST_PAUSE)
        entry = session.read(dn, [ATTRIBUTE])
        now = entry.first(ATTRIBUTE) if entry else b""
        if now and not now.startswith(_MARK):
            # A description that people wrote; it is theirs.
            return b""
        if now != seen:
            seen, since = now, time.monotonic()
    raise ActivationError(
        f"Others kept changing the rights on {dn} for {_PATIENCE:.0f} s without a pause. Run it again when they are done.", source="ldap"
    )


def _exchange(old: Sequence[bytes], new: Sequence[bytes]) -> list[Change]:
    changes: list[Change] = [("delete", ATTRIBUTE, old)] if old else []
    return [*changes, ("add", ATTRIBUTE, new)] if new else changes
