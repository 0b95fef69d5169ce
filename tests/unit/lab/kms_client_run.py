# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of kms_client's work on simulated machines, for its tests."""

from __future__ import annotations

from typing import Any

from unit.lab.product_session import open_direct

from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_client.setup import KmsClient
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_client.state import KmsClientWish
from lab.windows.host import Host

MODERN, SEVEN, VISTA = "windows_11_enterprise", "windows_7_enterprise", "windows_vista_enterprise"


def run(host: Host, wish: KmsClientWish, check_mode: bool = False) -> KmsClient:
    session, _carrier = open_direct(host)
    client = KmsClient(session, wish, check_mode)
    client.change()
    return client


def changes(client: KmsClient) -> dict[str, tuple[Any, Any]]:
    return {step.attribute: (step.before, step.after) for step in client.steps}
