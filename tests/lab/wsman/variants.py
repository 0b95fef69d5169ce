# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice among wire forms that no source proves: by the host's seed, one independent choice per topic."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """A question that no source answers.

    ``variants`` are its plausible answers, by name; ``why`` says what is known and under which heading of docs/facts.
    """

    variants: tuple[str, ...]
    why: str


TOPICS: Mapping[str, Topic] = {
    # Messages.
    "prefixes": Topic(("usual", "other"), "docs/facts/wire.md#namespaces: the usual prefixes were seen, and none may be relied on"),
    "fault relates": Topic(("named", "left out"), "docs/facts/wire-faults.md#envelope-of-a-fault: RelatesTo may be missing in a fault"),
    "fault action": Topic(("by subcode", "one for all"), "docs/facts/wire-faults.md#envelope-of-a-fault: the action of faults varies"),
    "fault reason": Topic(
        ("text", "empty"), "docs/facts/wire-faults.md#envelope-of-a-fault: Reason/Text may be empty, also where the detail has a text"
    ),
    "namespace case": Topic(
        ("lower", "repository"), "docs/facts/wire.md#namespaces: lower case by a client's word (NX); documents show the repository's"
    ),
    # Values.
    "null arrays": Topic(
        ("omit", "nil"),
        "docs/facts/wire-values.md#arrays: left out on 2008 to 2012, one nil by the documents; newer ones unseen without the option",
    ),
    "language on objects": Topic(
        ("named", "left out"), "docs/facts/wire-values.md#instances: xml:lang was seen on 2008 to 2012 and not on 2016"
    ),
    "times": Topic(("shortest", "six digits", "offset"), "docs/facts/wire-values.md#scalars: with or without a fraction, Z or an offset"),
    "embedded instance": Topic(
        ("in the element", "in an element of its class"), "docs/facts/wire-values.md#scalars: nested elements, without a recording"
    ),
    # Enumerations.
    "pages": Topic(
        ("one first", "all first", "end apart"),
        "docs/facts/wire.md#enumeration: one item first was seen up to 2016, any split has to be handled",
    ),
    "context": Topic(("kept", "new for each page"), "docs/facts/wire.md#enumeration: the context can change with each Pull"),
    "empty items": Topic(
        ("left out", "empty"),
        "docs/facts/wire.md#enumeration: without a result no Items by a client's word (NX), and it can be an empty element",
    ),
    # Methods.
    "return value": Topic(
        ("last", "first"), "docs/facts/wire-values.md#method-results: the order of ReturnValue and out parameters is documented both ways"
    ),
    "null outputs": Topic(
        ("nil", "left out"), "docs/facts/wire-values.md#method-results: out parameters may be nil; being left out is as plausible"
    ),
    "empty output": Topic(
        ("empty", "zero"), "docs/facts/wire-values.md#method-results: an empty element by a client's word (NX) for Enable and Disable"
    ),
    # Faults of WMI.
    "provider form": Topic(
        ("extended status", "error object", "nested text", "provider text", "direct", "return value"),
        "docs/facts/wire-faults.md#licensing-methods: how a method of the Software Protection Platform fails was never recorded",
    ),
    "wbem form": Topic(
        ("nested", "error object"), "docs/facts/wire-faults.md#forms: forms 3 and 4 were both seen for errors of WMI itself"
    ),
    "mi namespace": Topic(("own", "DMTF"), "docs/facts/wire-faults.md#forms: MSFT_WmiError in either namespace"),
    "mi error type": Topic(
        ("MI", "WIN32", "HRESULT", "left out"),
        "docs/facts/wire-faults.md#mi-results: MI was seen; the others are plausible, and so is what decides where none is given",
    ),
    "plug-in": Topic(("WMI Provider", "WMIv1 plugin"), "docs/facts/wire-faults.md#forms: both names were seen"),
    "extended status": Topic(("root/cimv2", "root/wmi", "DMTF"), "docs/facts/wire-faults.md#forms: three namespaces were seen"),
    "inner machine": Topic(("left out", "named"), "docs/facts/wire-faults.md#forms: both were seen"),
    "inner language": Topic(("left out", "named"), "docs/facts/wire-faults.md#forms: both were seen"),
    "invalid class": Topic(("nested", "error object"), "docs/facts/wire-faults.md#forms: 0x80041010 in either form"),
    "invalid query": Topic(
        ("filter", "error object", "filter with code"),
        "docs/facts/wire-faults.md#codes: CannotProcessFilter was seen, 0x80041017 is plausible",
    ),
    "access denied": Topic(
        ("error object", "service", "nested", "plain"), "docs/facts/wire-faults.md#codes: 0x80041003, 5, 0x80338104 to 0x80338106"
    ),
    "access denied code": Topic(("service", "provider", "connect"), "docs/facts/wire-faults.md#codes: 0x80338104, 0x80338105, 0x80338106"),
    "keys missing": Topic(("nested", "error object"), "docs/facts/wire-faults.md#codes: 0x803380FA in either form"),
    "invalid parameter": Topic(("nested", "error object"), "docs/facts/wire-faults.md#codes: 0x8033811E, or the error of WMI itself"),
}


def variant(seed: int, topic: str) -> str:
    """The variant of a topic, the same for the same seed."""
    names = TOPICS[topic].variants
    return names[zlib.crc32(f"{seed}:{topic}".encode()) % len(names)]


def build_number(os_version: str) -> tuple[int, int, int]:
    """``major.minor.build`` as numbers; what is missing counts as 0."""
    parts = [int(part) for part in os_version.split(".")[:3]] + [0, 0, 0]
    return parts[0], parts[1], parts[2]


def is_before_windows8(os_version: str) -> bool:
    """Whether the WinRM service is older than that of Windows 8 / Server 2012 (6.2): other limits and habits."""
    return build_number(os_version)[:2] < (6, 2)
