# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice among forms of BatchActivation's answers that no source proves: by a seed, one independent choice per topic."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from ..wsman.variants import Topic

TOPICS: Mapping[str, Topic] = {
    # HTTP.
    "framing": Topic(("length", "chunked", "until the end"), "docs/facts/mak.md#request: the headers of a request only"),
    "content type": Topic(
        ("plain", "quoted"), "docs/facts/mak.md#request: charset in quotes in a request; of the response nothing is said"
    ),
    # The envelope.
    "envelope prefixes": Topic(("soap", "s", "none"), "docs/facts/mak.md#request: SOAP 1.1; clients go by namespaces"),
    "envelope declaration": Topic(("declared", "left out", "byte order mark"), "docs/facts/mak.md#answer: carried in utf-8"),
    "envelope attributes": Topic(("none", "schema", "schema reversed"), "ASP.NET declares xsi and xsd, in either order"),
    "escaping": Topic(("entities", "CDATA", "numbers"), "docs/facts/mak.md#answer: escaped inner XML"),
    # The answer in it.
    "answer prefixes": Topic(("none", "named"), "docs/facts/mak.md#answer: a namespace, no prefix"),
    "answer declaration": Topic(
        ("utf-16", "UTF-16", "standalone", "left out"), "docs/facts/mak.md#answer: declares utf-16 although carried in utf-8"
    ),
    "whitespace": Topic(("none", "indented", "padded"), "no source prints an answer"),
    "echo": Topic(("both", "PID", "none"), "whether an answer names what it is about is not said"),
    "place of the confirmation ID": Topic(
        ("in the response", "one deeper"), "docs/facts/mak.md#answer: a field CID; clients look anywhere for it"
    ),
    "place of the error": Topic(
        ("in ErrorInfo", "in the response"), "docs/facts/mak.md#answer: a field ErrorCode; where it stands is the lab's own choice"
    ),
    "other fields": Topic(("left out", "empty"), "whether an error leaves the field of the answer out is not said"),
    "case of the code": Topic(("upper", "lower"), "docs/facts/mak.md#answer-codes: 0x7F; nothing says that the service writes it so"),
    "blocked count": Topic(
        ("with the code", "alone"), "docs/facts/mak.md#remaining-activations: -1 is unlimited or blocked, negative with 0x67 is blocked"
    ),
}


def variant(seed: int, topic: str) -> str:
    """The variant of a topic, the same for the same seed."""
    names = TOPICS[topic].variants
    return names[zlib.crc32(f"{seed}:{topic}".encode()) % len(names)]


def seed_of(topic: str, wanted: str) -> int:
    """A seed that gives this variant of a topic, and of the others whatever it gives."""
    return next(seed for seed in range(1000) if variant(seed, topic) == wanted)
