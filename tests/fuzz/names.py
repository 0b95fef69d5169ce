# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What name servers answer, to questions and to updates.

An input is a message whose number, and whose type of question, become those of the message that it answers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Any
from unittest.mock import patch

import dns.message
import dns.name
import dns.query

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.addresses import read_addresses
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.compare import compare
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.hosting import primary_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.naming import Names
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.rrset import RrsetChange
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.signing import SharedKey, Unsigned
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.srv import Server, read_srv
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.update import OvertakenError, Zone
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.value import SrvValue, is_full_name

from .judge import Heard, Parser
from .mutations import of_bytes, times

SERVER = Server("dc1.contoso.com", "192.0.2.1")
NAME, ZONE = "_vlmcs._tcp.contoso.com", "contoso.com"
_HEADER = 12


def name_end(data: bytes, place: int) -> int:
    """Behind a name; an error where it has no end."""
    while True:
        length = data[place]
        if length >= 0xC0:
            return place + 2
        place += 1 + length
        if not length:
            return place


def related(data: bytes, asked: bytes) -> bytes:
    """The message as an answer to what was asked: its number, and the type and class of its question."""
    data = asked[:2] + data[2:]
    with suppress(IndexError):
        if data[4:6] == b"\0\1":
            end, own = name_end(data, _HEADER), name_end(asked, _HEADER)
            data = data[:end] + asked[own : own + 4] + data[end + 4 :]
    return data


def asked_name(data: bytes) -> str:
    """The name that the message is about, for the question to be about the same."""
    try:
        name, _used = dns.name.from_wire(data, _HEADER)
        text = name.to_text(omit_final_dot=True)
    except Exception:
        return NAME
    return text if is_full_name(text) else NAME


class Channel:
    """Answers each message with the input."""

    server, timeout, messages = SERVER, 1.0, 0

    def __init__(self, data: bytes, heard: Heard) -> None:
        self._data, self._heard = data, heard

    def exchange(self, message: bytes, *, repeatable: bool = True) -> bytes:
        self._heard.size += len(self._data)
        return related(self._data, message)


def _no_resolver(*_asked: object, **_how: object) -> list[Any]:
    raise OSError("nobody is asked but the input")


def read_message(data: bytes, heard: Heard) -> None:
    """The message as the answer to every question that the collection has."""
    name = asked_name(data)

    def over_udp(query: dns.message.Message, *_where: object, **_how: object) -> dns.message.Message:
        # What dnspython can't read it passes over by UDP, so that all is read by TCP.
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.TC
        return answer

    def over_tcp(query: dns.message.Message, *_where: object, **_how: object) -> dns.message.Message:
        heard.size += len(data)
        answer = dns.message.from_wire(related(data, query.to_wire()))
        if not query.is_response(answer):
            raise dns.query.BadResponse
        return answer

    channel: Any = Channel(data, heard)
    unsigned, signed = Zone(channel, ZONE, Unsigned()), Zone(channel, ZONE, SharedKey("key.contoso.com", "c2VjcmV0", "hmac-sha256"))
    change = [RrsetChange(SrvValue(10, 75, 1688, "kms-1.contoso.com"), None, 600)]
    works: list[Callable[[], object]] = [
        lambda: compare([SERVER], [read_srv(SERVER, name)]),
        lambda: read_srv(SERVER, name, authoritative=True),
        lambda: read_addresses([SERVER], name),
        lambda: primary_of(name, [SERVER]),
        lambda: Names([SERVER]).full_name(name),
        lambda: Names([SERVER]).full_name("10.0.0.1"),
        lambda: unsigned.read(name),
        unsigned.name_servers,
        unsigned.check_authority,
        lambda: unsigned.has_record(name),
        lambda: unsigned.change(name, change, {}),
        lambda: signed.change(name, change, None),
        lambda: signed.read(name),
        signed.check_updates,
    ]
    refusals = []
    with patch.object(dns.query, "udp", over_udp), patch.object(dns.query, "tcp", over_tcp), patch("socket.getaddrinfo", _no_resolver):
        for work in works:
            try:
                work()
            except ActivationError as refusal:
                refusals.append(refusal)
            except OvertakenError:
                pass
    heard.sentences += [refusal.message for refusal in refusals]
    if len(refusals) == len(works):
        raise refusals[0]


def parts_of(data: bytes) -> tuple[bytes, bytes, list[list[tuple[bytes, bytes, bytes]]]]:
    """Flags, question, and the records of each section: name, type with class and time to live, data."""
    counts = struct.unpack_from(">4H", data, 4)
    place = _HEADER
    for _question in range(counts[0]):
        place = name_end(data, place) + 4
    question, sections = data[_HEADER:place], []
    for count in counts[1:]:
        section = []
        for _record in range(count):
            end = name_end(data, place)
            (length,) = struct.unpack_from(">H", data, end + 8)
            section.append((data[place:end], data[end : end + 8], data[end + 10 : end + 10 + length]))
            place = end + 10 + length
        sections.append(section)
    return data[2:4], question, sections


def message_of(flags: bytes, question: bytes, sections: Sequence[Sequence[tuple[bytes, bytes, bytes]]]) -> bytes:
    """A message with right counts and lengths."""
    written = b"".join(name + head + struct.pack(">H", len(data) & 0xFFFF) + data for section in sections for name, head, data in section)
    return b"\0\0" + flags + struct.pack(">4H", bool(question), *(len(section) & 0xFFFF for section in sections)) + question + written


def _of_message(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """One record changed, doubled, taken from another message or left out; now and then any bytes."""
    for _time in range(times(draw)):
        try:
            flags, question, sections = parts_of(data)
        except (IndexError, struct.error):
            return of_bytes(draw, data, others)
        kind, section = draw.randrange(10), draw.choice(sections)
        if kind == 0:
            data = of_bytes(draw, data, others)
            continue
        if kind == 1:
            flags = of_bytes(draw, flags, others)[:2].ljust(2, b"\0")
        elif kind == 2:
            with suppress(IndexError, struct.error):
                taken = [record for found in parts_of(draw.choice(others))[2] for record in found]
                section.insert(draw.randrange(len(section) + 1), draw.choice(taken))
        elif kind == 3 and section:
            section[:] = section * draw.choice([2, 3, 100])
        elif kind == 4 and section:
            del section[draw.randrange(len(section))]
        elif section:
            place = draw.randrange(len(section))
            name, head, body = section[place]
            which = draw.randrange(4)
            if which == 0:
                name = of_bytes(draw, name, [name]) or b"\0"
            elif which == 1:
                head = (
                    struct.pack(">HH", draw.choice([0, 1, 2, 5, 6, 12, 28, 33, 41, 46, 249, 250, 255]), draw.choice([1, 1, 254, 255]))
                    + head[4:]
                )
            else:
                body = of_bytes(draw, body, [body]) if which == 2 else draw.choice([b"", body[:-1], b"\xc0\x0c", body + b"\0"])
            section[place] = (name, head, body)
        data = message_of(flags, question, sections)[:65_535]
    return data


PARSERS = [Parser("dns", read_message, _of_message)]
