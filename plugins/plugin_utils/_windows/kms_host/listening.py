# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the KMS really listens where it should: its settings tell only where it will after its next start."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..._wsman.session import Session
from ..platform import firewall
from ..platform.classes import NET_TCP_CONNECTION
from ..platform.versions import WINDOWS_8, WindowsVersion

Probe = Callable[[int], str]
"""Looks at a TCP port of the host from the control node, and says ANSWERING, REFUSED or why else no KMS answers there."""

ANSWERING = "answering"
REFUSED = "refused"

# MSFT_NetTCPConnection.State, as MIB_TCP_STATE_LISTEN.
_LISTEN = 2
_SECONDS = 10.0


def nobody_listens(session: Session, version: WindowsVersion, seen: str, port: int) -> bool:
    """Whether a port that does not answer is surely not listened on, so that the reason is the service and not a firewall.

    Args:
        session: The host.
        version: Its version of Windows.
        seen: What the probe found.
        port: The TCP port.
    """
    if version >= WINDOWS_8:
        return not session.query(NET_TCP_CONNECTION, ("LocalPort",), f"State={_LISTEN} and LocalPort={port}")
    # Before, WMI shows no listeners. A refusal comes from the host itself, and means that nothing listens where the firewall
    # lets the connection through; where it does not, it may come from there.
    if seen != REFUSED:
        return False
    return any(rule.enabled and str(port) in rule.ports for rule in firewall.read_kms_rules(session, version).values())


def comes_up(probe: Probe, port: int) -> bool:
    """Whether the port answers within a while: sppsvc is running before its KMS listens."""
    deadline = time.monotonic() + _SECONDS
    while probe(port) != ANSWERING:
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.5)
    return True
