# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay in front of a domain controller that counts the LDAP messages of its clients, sealed ones as well.

A message is one BER element (RFC 4511, 5.1), or after a bind with a security layer one buffer of SASL with its length before it
(RFC 4422, 3.7), in which OpenLDAP puts one message.
"""

from __future__ import annotations

import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ADDRESS, PORT = "127.0.0.77", 389
_SEQUENCE = 0x30


@dataclass
class Messages:
    """The stream of a client, in which messages are counted as they come.

    Attributes:
        count: How many began.
    """

    count: int = 0
    _head: bytes = b""
    _left: int = 0

    def feed(self, data: bytes) -> None:
        """More of the stream."""
        while data:
            taken = min(self._left, len(data))
            self._left -= taken
            data = data[taken:]
            if not data:
                return
            self._head, data = self._head + data[:1], data[1:]
            length = _length(self._head)
            if length is not None:
                self.count += 1
                self._head, self._left = b"", length


def _length(head: bytes) -> int | None:
    """How long what follows the head of a message is; C(None) where the head is not complete."""
    if head[0] != _SEQUENCE:
        return int.from_bytes(head, "big") if len(head) == 4 else None
    if len(head) < 2:
        return None
    if head[1] < 0x80:
        return head[1]
    return int.from_bytes(head[2:], "big") if len(head) == 2 + head[1] - 0x80 else None


@dataclass
class Relay:
    """One that runs.

    Attributes:
        folder: Where it has the file by which programs know it by the name of the controller.
    """

    folder: Path
    _streams: list[Messages] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Messages and connections since the last time."""
        streams, self._streams = self._streams, []
        return dict(Counter(messages=sum(stream.count for stream in streams), connections=len(streams)))

    def within(self, command: Sequence[str]) -> list[str]:
        """A command that finds the relay by the name of the controller."""
        mount = f'mount --bind {self.folder / "hosts"} /etc/hosts && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", mount, "sh", *command]

    def serve(self, listening: socket.socket, controller: str) -> None:
        """Take connections until the socket is closed."""
        while True:
            try:
                client, _address = listening.accept()
            except OSError:
                return
            server = socket.create_connection((controller, PORT), timeout=10)
            server.settimeout(None)
            stream = Messages()
            self._streams.append(stream)
            for source, target, seen in ((client, server, stream), (server, client, None)):
                threading.Thread(target=_carry, args=(source, target, seen), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket, seen: Messages | None) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if seen:
                seen.feed(data)
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def running(folder: Path, name: str, controller: str) -> Iterator[Relay]:
    """A relay meanwhile.

    Args:
        folder: For its file.
        name: The name of the controller.
        controller: Its address.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hosts").write_text(f"127.0.0.1 localhost\n{ADDRESS} {name}\n", encoding="ascii")
    # The network is this process's own.
    subprocess.run(["ip", "address", "replace", f"{ADDRESS}/8", "dev", "lo"], check=True)
    relay = Relay(folder)
    with socket.create_server((ADDRESS, PORT)) as listening:
        thread = threading.Thread(target=relay.serve, args=(listening, controller), daemon=True)
        thread.start()
        try:
            yield relay
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(10)
