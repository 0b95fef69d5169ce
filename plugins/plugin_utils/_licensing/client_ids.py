# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client machine IDs (CMIDs), by which a KMS host tells its clients apart (Microsoft's troubleshooting of 0xC004F038)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._core.text import some


def shared_ids(licenses: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """The CMIDs that more than one computer has, each with the names of those.

    Args:
        licenses: Results of C(license_info) by name; one that has no CMID, such as that of a computer that is off, is passed over.
    """
    return shared((name, (result.get("service") or {}).get("client_machine_id")) for name, result in licenses.items())


def shared(client_ids: Iterable[tuple[str, str | None]]) -> dict[str, list[str]]:
    """The same from names, each with its CMID; empty or C(None) for one that has none."""
    found: dict[str, list[str]] = {}
    for name, client_id in client_ids:
        if client_id:
            found.setdefault(str(client_id).lower(), []).append(name)
    return {client_id: names for client_id, names in found.items() if len(names) > 1}


def said_of(client_id: str, names: list[str]) -> str:
    """What to tell people of one of them."""
    return (
        f"{len(names)} computers ({some(names)}) share the client machine ID (CMID) {client_id}, so that a KMS host counts them as one"
        " client, which is the usual cause of 0xC004F038. They are copies of an image that was not generalized (sysprep /generalize). Run the verb"
        " rearm of winops.volume_activation.slmgr on each of them, restart them, and let them ask again; generalize the image before it is copied again."
    )
