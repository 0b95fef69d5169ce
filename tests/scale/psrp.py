# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a PowerShell runspace pool says to a client, as the bytes of its stream (MS-PSRP 2.2.1, 2.2.2 and 2.2.4)."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Sequence
from xml.sax.saxutils import escape

_CLIENT = 1
_START_AND_END = 3
_NONE = uuid.UUID(int=0)
_SESSION_CAPABILITY, _APPLICATION_PRIVATE_DATA, _RUNSPACEPOOL_STATE = 0x00010002, 0x00021009, 0x00021005
_PIPELINE_OUTPUT, _PIPELINE_STATE = 0x00041004, 0x00041006

_GREETING = (
    (
        _SESSION_CAPABILITY,
        (
            '<Obj RefId="0"><MS><Version N="protocolversion">2.3</Version><Version N="PSVersion">2.0</Version>'
            '<Version N="SerializationVersion">1.1.0.1</Version></MS></Obj>'
        ),
    ),
    (
        _APPLICATION_PRIVATE_DATA,
        (
            '<Obj RefId="0"><MS><Obj N="ApplicationPrivateData" RefId="1"><TN RefId="0">'
            "<T>System.Management.Automation.PSPrimitiveDictionary</T><T>System.Collections.Hashtable</T><T>System.Object</T></TN>"
            "<DCT /></Obj></MS></Obj>"
        ),
    ),
    # 2 is Opened.
    (_RUNSPACEPOOL_STATE, '<Obj RefId="0"><MS><I32 N="RunspaceState">2</I32></MS></Obj>'),
)
# 4 is Completed.
_COMPLETED = (_PIPELINE_STATE, '<Obj RefId="0"><MS><I32 N="PipelineState">4</I32></MS></Obj>')


def opened(pool: uuid.UUID) -> bytes:
    """The pool is open: its capability, its private data and its state."""
    return _stream(_GREETING, pool, _NONE)


def output(pool: uuid.UUID, pipeline: uuid.UUID, text: str) -> bytes:
    """One string as the output of a pipeline, which is over then."""
    return _stream([(_PIPELINE_OUTPUT, f"<S>{escape(text)}</S>"), _COMPLETED], pool, pipeline)


def _stream(messages: Sequence[tuple[int, str]], pool: uuid.UUID, pipeline: uuid.UUID) -> bytes:
    """Messages by type and body, one fragment each."""
    parts = []
    for number, (kind, body) in enumerate(messages, start=1):
        message = struct.pack("<II", _CLIENT, kind) + pool.bytes_le + pipeline.bytes_le + body.encode()
        parts.append(struct.pack(">QQBI", number, 0, _START_AND_END, len(message)) + message)
    return b"".join(parts)
