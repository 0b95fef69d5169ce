# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of parks for MAKs: the key ring, a group for every key, and groups for who takes none and who has no way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from . import names
from .park import Kind, Park, mak_of
from .site_inventory import from_environment
from .windows import data

NOT_FOR_MAK, SECURE_ZONE, SECURE_ZONE_PROXY, ISOLATED = "not_for_mak", "secure_zone", "secure_zone_proxy", "isolated"
"""Names of groups beside those of the keys."""
ESU, OFFICE = "esu", "office"
CLIENTS = "mak_clients"
"""The group that the playbooks for MAKs work on, with every computer."""

_PRODUCTS = {"esu_windows_10_year_1": "add_on", "mak_office_2021_proplus": "office"}
"""What keys are for that are not for Windows itself, by their names in ``data/keys.yml``."""
_ANY = "mak_win_enterprise"
"""The key of those that take none; somebody did not know their edition."""


def variable(key: data.LabKey) -> str:
    """The environment variable that holds a key."""
    return f"LAB_{key.name.upper()}"


def ring_keys() -> list[data.LabKey]:
    """The MAKs that a company with such machines would have: one for every product, and none that is spoilt by design."""
    found: dict[str, data.LabKey] = {}
    for key in data.keys().values():
        if key.kind == "mak" and "state" not in key.microsoft and key.microsoft.get("remaining"):
            found.setdefault(key.product_id, key)
    return list(found.values())


def environment() -> dict[str, str]:
    """The keys."""
    return {variable(key): key.key for key in ring_keys()}


def ring() -> dict[str, Any]:
    """The variable volume_activation_mak_ring; keys by their names in ``data/keys.yml``, and their values from the environment."""
    found = {}
    for key in ring_keys():
        product = {"product": _PRODUCTS[key.name]} if key.name in _PRODUCTS else {}
        found[key.name] = {"key": from_environment(variable(key)), "description": f"Lab: {_product(key)}", **product}
    return found


def variables(root: Path) -> dict[str, Any]:
    """The ring, and a folder for the computer list that goes with the lab whose computers it knows."""
    return {"volume_activation_mak_ring": ring(), "volume_activation_state_directory": str(root / "state")}


def _product(key: data.LabKey) -> str:
    product = next(item for item in data.products() if item.id == key.product_id)
    return product.name or f"{product.edition} of {', '.join(product.generations)}"


def groups(park: Park, machines: Sequence[names.Machine]) -> dict[str, Any]:
    """Groups by name: one for each MAK with the computers whose Windows takes it, and those that are about other things."""

    def group(chosen: Callable[[names.Machine], bool]) -> dict[str, Any]:
        return {"hosts": {machine.fqdn: {} for machine in machines if machine.role != "kms" and chosen(machine)}}

    keys = {machine.fqdn: _key_name(park.kind(machine)) for machine in machines}
    found = {name: group(partial(_has, keys, name)) for name in sorted(set(keys.values()))}
    return {
        **found,
        SECURE_ZONE: group(lambda machine: park.kind(machine).zone == "secure"),
        SECURE_ZONE_PROXY: group(lambda machine: park.kind(machine).zone == "proxy"),
        ESU: group(lambda machine: park.kind(machine).options.get("activated") == "by KMS"),
        OFFICE: group(lambda machine: bool(park.kind(machine).options.get("office"))),
    }


def children(found: Mapping[str, Any]) -> dict[str, Any]:
    """The same as the playbooks for MAKs take them: each computer gets the key of its group."""
    keys = {name: name for name in found if name.startswith("mak_")} | ({NOT_FOR_MAK: _ANY} if NOT_FOR_MAK in found else {})
    assigned = {name: {**found[name], "vars": {"volume_activation_mak": key}} for name, key in keys.items()}
    return {**found, **assigned, CLIENTS: {"children": {name: {} for name in keys}}}


def _has(keys: Mapping[str, str], name: str, machine: names.Machine) -> bool:
    return keys[machine.fqdn] == name


def _key_name(kind: Kind) -> str:
    """The group of a computer: the name of the MAK that its Windows takes."""
    key = mak_of(kind.profile)
    return key.name if key is not None and kind.takes_mak else NOT_FOR_MAK
