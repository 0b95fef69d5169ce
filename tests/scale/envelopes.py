# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection sends to a host, for scripts that send the same without it."""

from __future__ import annotations

import importlib

from . import canned


def sent_by(module: str, function: str) -> list[str]:
    """The envelopes of a function that reads a host, with places for endpoint and message ID. The collection has to be on the path.

    Args:
        module: Where the function is, below C(plugin_utils).
        function: Takes a session.
    """
    utils = "ansible_collections.winops.volume_activation.plugins.plugin_utils"
    read = getattr(importlib.import_module(f"{utils}.{module}"), function)
    session = importlib.import_module(f"{utils}._wsman.session").Session
    host = canned.hosts()[0]
    seen: list[str] = []

    class Listener:
        endpoint = "@ENDPOINT@"

        def send(self, message: bytes) -> bytes:
            """Answer as the server does."""
            answer = host.answer(message)
            assert answer is not None
            place = message.index(b"MessageID>") + len(b"MessageID>")
            seen.append((message[:place] + b"@MESSAGE_ID@" + message[message.index(b"<", place) :]).decode())
            return answer

        def reconnect(self) -> None:
            """Nothing to do."""

        def close(self) -> None:
            """Nothing to do."""

    read(session(Listener(), "scale"))
    return seen
