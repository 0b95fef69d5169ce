# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task of slmgr on a simulated machine: what it did, and what it called."""

from __future__ import annotations

from typing import Any

from unit.lab.product_session import DirectCarrier, open_direct

from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.slmgr.requests import parse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.slmgr.run import VerbsDone, run
from lab.windows.host import Host

TOKEN = '<licenseGroup><tokenLicense ilid="il-1" ilvid="2" description="Contoso"/></licenseGroup>'


def slmgr(host: Host, *entries: dict[str, Any], check_mode: bool = False) -> tuple[VerbsDone, DirectCarrier]:
    session, carrier = open_direct(host)
    return run(session, parse(entries, lambda path: (path, TOKEN)), check_mode), carrier


def calls(carrier: DirectCarrier) -> list[str]:
    """The methods, with their arguments left out."""
    return [entry.action.removeprefix("Invoke:") for entry in carrier.log if entry.action.startswith("Invoke:")]


def changes(done: VerbsDone) -> list[tuple[str, Any, Any]]:
    return [(step.attribute, step.before, step.after) for step in done.steps]


def row_of(host: Host, product_id: str) -> Any:
    return host.get("root/cimv2", "SoftwareLicensingProduct", {"ID": product_id})
