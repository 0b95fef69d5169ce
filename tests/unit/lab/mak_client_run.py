# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of mak_client's work on simulated machines, for its tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unit.lab.product_session import DirectCarrier, open_direct
from unit.lab.windows_fakes import FakeDomain

from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.mak_client.setup import MakClient
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.mak_client.state import MakClientWish
from lab.windows import data
from lab.windows.host import Host
from lab.wsman.request_log import Entry

MODERN, SEVEN = "windows_11_enterprise", "windows_7_enterprise"


def mak(name: str = "win_enterprise") -> str:
    return data.key_named(f"mak_{name}").key


def esu() -> str:
    return data.key_named("esu_windows_10_year_1").key


def run(host: Host, wish: MakClientWish, check_mode: bool = False) -> MakClient:
    session, _carrier = open_direct(host)
    client = MakClient(session, wish, check_mode)
    client.change()
    return client


def carried(host: Host, wish: MakClientWish, intercept: Callable[[Entry], None] = lambda _entry: None) -> tuple[MakClient, DirectCarrier]:
    """The client before its work, and the carrier whose log tells what was asked."""
    session, carrier = open_direct(host)
    carrier.intercept = intercept
    return MakClient(session, wish, False), carrier


def changes(client: MakClient) -> dict[str, tuple[Any, Any]]:
    return {step.attribute: (step.before, step.after) for step in client.steps}


def spent(domain: FakeDomain, name: str) -> int:
    """Activations that Microsoft has counted for a key."""
    count: int = domain.microsoft.snapshot()[name]["activations"]
    return count
