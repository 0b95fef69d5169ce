# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What leaves with an export, and what it still tells. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from .model import Export, ExportedProduct, FullList
from .writing import as_json

_EPID = re.compile(r"([0-9]{5})-([0-9]{5})-([0-9]{3})-([0-9]{6})-([0-9]{2})-([0-9]{1,5})-([0-9]+)\.[0-9]+-([0-9]{3})([0-9]{4})")
_CHANNELS = {0: "retail", 1: "retail", 2: "OEM", 3: "volume"}

TOP = {
    "format": "Which kind of file it is; the same in every one.",
    "version": "The version of the format; the same in every file.",
    "kind": "That it is an export; the same in every one.",
    "list_id": "A random UUID by which the file finds back to its full list. It tells that two exports are of one list.",
    "checksum": "SHA-256 over the rest of the file, against accidents.",
}
PRODUCT = {
    "identifier": "128 random bits. They mean something only beside the full list; they tell that two exports hold the same product.",
    "installation_id": (
        "The installation ID: digits that Windows computes from a hash of the hardware and from the product key. Names can't be won"
        " from it; who has the same computer before them, or another installation ID of it, can tell that it is the same hardware."
    ),
    "extended_pid": (
        "The extended PID: the product group, the number of the product key within it (the same for all computers with one key), the"
        " channel, the language of the installation (LCID), the build of Windows, and the day on which the key was installed."
    ),
    "activation_id": "Which product and edition of Windows or Office it is; the same on every computer that has it.",
    "confirmation_id": "The confirmation ID, once there is one. It fits this installation ID and no other.",
    "asked": "When Microsoft was asked for the confirmation ID, in UTC; null where nobody asked.",
}


@dataclass(frozen=True, slots=True)
class Leaving:
    """A field that leaves.

    Attributes:
        field: Its name; those of products begin with C(products[].).
        tells: What it tells who has the file.
        values: How many different values the file has of it.
    """

    field: str
    tells: str
    values: int

    def as_result(self) -> dict[str, Any]:
        """As a task result shows it."""
        return {"field": self.field, "tells": self.tells, "values": self.values}


def export_of(full: FullList, hosts: Collection[str] | None = None) -> Export:
    """What leaves of a full list: the products that still need a confirmation ID, without anything that names a computer.

    Args:
        full: The list.
        hosts: Only of these computers; C(None) for all.
    """
    chosen = None if hosts is None else frozenset(hosts)
    products = [
        ExportedProduct(listed.identifier, listed.activation_id, listed.installation_id, listed.extended_pid, None, listed.asked)
        for name, listed in full.listed()
        if listed.pending and (chosen is None or name in chosen)
    ]
    return Export(full.list_id, sorted(products, key=lambda product: product.identifier))


def leaving(export: Export) -> list[Leaving]:
    """Every field of an export, taken from what is really written, so that none can be forgotten."""
    written = as_json(export)
    found = [Leaving(name, TOP[name], 1) for name in written if name != "products"]
    for name in PRODUCT if written["products"] else ():
        values = {product[name] for product in written["products"]} - {None}
        found.append(Leaving(f"products[].{name}", PRODUCT[name], len(values)))
    for product in written["products"]:
        if unknown := product.keys() - PRODUCT.keys():
            raise KeyError(f"{', '.join(sorted(unknown))} has no description")
    return found


def explained(product: ExportedProduct) -> dict[str, Any]:
    """A product that leaves, with what its extended PID tells."""
    return {
        "identifier": product.identifier,
        "installation_id": product.installation_id,
        "activation_id": product.activation_id,
        "extended_pid": product.extended_pid,
        "extended_pid_tells": extended_pid_parts(product.extended_pid),
        "confirmation_id": "stored" if product.confirmation_id else None,
        "asked": product.asked,
    }


def extended_pid_parts(text: str) -> dict[str, Any] | None:
    """What an extended PID tells: channel, language (LCID), build of Windows, and the day of the year of installation.

    The form is that of slmgr.vbs /dlv: C(platform-group-serial-serial-channel-language-build-date).

    Returns:
        C(None) where it has another form.
    """
    parts = _EPID.fullmatch(text)
    if parts is None:
        return None
    platform, group, high, low, channel, language, build, day, year = parts.groups()
    return {
        "platform": platform,
        "group": group,
        "serial": f"{high}-{low}",
        "channel": _CHANNELS.get(int(channel), channel),
        "language": int(language),
        "build": int(build),
        "installed": f"day {int(day)} of {year}",
    }
