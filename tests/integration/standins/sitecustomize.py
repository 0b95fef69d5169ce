# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for libraries at their worst: whoever opens a connection, a parser or a lock gets an error that nobody expects, whose text holds all
that can be seen from where it is raised. Python reads this file at its start where it is on the path.
"""

from __future__ import annotations

import base64
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn


class TalkativeError(Exception):
    """No error that a program would catch by name."""


def _tell(*_arguments: Any, **_named: Any) -> NoReturn:
    seen = []
    frame = sys._getframe(1)
    while frame is not None:
        if "volume_activation" in frame.f_code.co_filename:
            for name, value in frame.f_locals.items():
                # The variables of all hosts are in Ansible's hands; no library is ever given them.
                if name == "task_vars" or type(value).__name__ == "ActionModule":
                    continue
                # Objects show their attributes, with those that a careful class leaves out of its repr.
                inside = getattr(value, "__dict__", None) or {
                    slot: getattr(value, slot, None) for slot in getattr(type(value), "__slots__", ())
                }
                seen.append(f"{name}={value!r} {inside!r}")
                texts = [value, *inside.values(), *(value.values() if isinstance(value, dict) else ())]
                for text in (f"user:{text}" for text in texts if isinstance(text, str)):
                    seen += [text, *(base64.b64encode(text.encode(encoding, "replace")).decode() for encoding in ("utf-8", "utf-16-le"))]
        frame = frame.f_back
    raise TalkativeError(f"{len(seen)} values: {seen}")


def _unless_for_a_library(original: Callable[..., Any]) -> Callable[..., Any]:
    """Calls of the collection are answered by the error; dnspython's own resolver would take it for a lost answer."""

    def call(*arguments: Any, **named: Any) -> Any:
        if "volume_activation" in sys._getframe(1).f_code.co_filename:
            _tell()
        return original(*arguments, **named)

    return call


def _plant() -> None:
    socket.socket.connect = _tell  # type: ignore[method-assign]
    import fcntl  # noqa: PLC0415
    import xml.parsers.expat  # noqa: PLC0415

    import dns.query  # noqa: PLC0415
    import ldap  # noqa: PLC0415

    ldap.initialize = _tell
    fcntl.flock = _unless_for_a_library(fcntl.flock)
    xml.parsers.expat.ParserCreate = _unless_for_a_library(xml.parsers.expat.ParserCreate)
    dns.query.udp, dns.query.tcp = map(_unless_for_a_library, (dns.query.udp, dns.query.tcp))


if any("ansible-playbook" in part for part in sys.orig_argv):
    _plant()
