# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of ``tests/lab/data`` as typed rows. Every row there names its source; nothing is decided here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

DATA = Path(__file__).resolve().parent.parent / "data"

WINDOWS_APPLICATION = "55c92734-d682-4d71-983e-d6ec3f16059f"
"""ApplicationID of Windows (docs/facts/licensing.md#application-ids)."""

OFFICE_APPLICATION = "0ff1ce15-a989-479d-af46-f275c6370663"
"""That of Office 2013 and later (docs/facts/licensing.md#application-ids)."""

KeyKind = Literal["csvlk", "gvlk", "mak", "retail", "oem", "eval"]


@dataclass(frozen=True)
class Profile:
    """One version and edition of Windows. ``schema`` is the generation of its licensing classes."""

    name: str
    generation: str
    edition: str
    version: str
    spp_version: str
    caption: str
    product_type: int
    sku: int
    schema: int
    initial_grace_minutes: int

    @property
    def build(self) -> str:
        """The last part of the version."""
        return self.version.rpartition(".")[2]

    @property
    def is_server(self) -> bool:
        """Whether it is a server OS (ProductType other than 1)."""
        return self.product_type != 1

    @property
    def has_firewall_classes(self) -> bool:
        """Whether WMI has classes for firewall rules: Windows 8, Server 2012 and later (docs/facts/system.md#firewall)."""
        return tuple(map(int, self.version.split(".")[:2])) >= (6, 2)

    @property
    def is_vista_era(self) -> bool:
        """Windows Vista and Server 2008: other registry path, SRV priority and weight ignored (docs/facts/kms.md#choice-of-a-host)."""
        return self.version.startswith("6.0.")


@dataclass(frozen=True)
class Product:
    """A SKU: one possible instance of SoftwareLicensingProduct.

    ``text`` is the channel in Description; ``serves`` is only filled for a KMS host product, ``suite`` for one of Office.
    """

    id: str
    generations: tuple[str, ...]
    edition: str
    channel: str
    text: str
    threshold: int = 0
    kms_group: str = ""
    name: str = ""
    is_addon: bool = False
    serves: tuple[str, ...] = ()
    suite: str = ""

    @property
    def is_kms_client(self) -> bool:
        """Activated by KMS (a setup key's product)."""
        return self.channel == "Volume:GVLK"

    @property
    def is_kms_host(self) -> bool:
        """Makes the machine a KMS host (a CSVLK's product)."""
        return self.channel == "Volume:CSVLK"

    @property
    def description(self) -> str:
        """``Description`` as slmgr tests it (docs/facts/slmgr.md#key-types)."""
        return f"{self.name.partition(',')[0] if self.suite else 'Windows(R) Operating System'}, {self.text} channel"

    @property
    def application(self) -> str:
        """``ApplicationID``."""
        return OFFICE_APPLICATION if self.suite else WINDOWS_APPLICATION


@dataclass(frozen=True)
class KeyGroup:
    """KMS host keys of one group: where they can be installed and what their hosts serve."""

    name: str
    product_id: str
    text: str
    installs_on: tuple[str, ...]
    serves: tuple[str, ...]


@dataclass(frozen=True)
class LabKey:
    """A product key; ``microsoft`` is how the simulated activation service treats it."""

    name: str
    key: str
    kind: KeyKind
    product_id: str
    microsoft: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_volume(self) -> bool:
        """Whether it came with a volume licence."""
        return self.kind in ("csvlk", "gvlk", "mak")

    @property
    def partial(self) -> str:
        """The last five characters, all that Windows ever shows of it."""
        return self.key[-5:]


@cache
def table(name: str) -> dict[str, Any]:
    """A data file as it stands."""
    loaded: dict[str, Any] = yaml.safe_load((DATA / f"{name}.yml").read_text(encoding="utf-8"))
    return loaded


@cache
def profiles() -> dict[str, Profile]:
    """Windows versions by profile name."""
    rows = ({name: value for name, value in row.items() if name != "source"} for row in table("os_profiles")["profiles"])
    return {row["name"]: Profile(**row) for row in rows}


@cache
def key_groups() -> dict[str, KeyGroup]:
    """Groups of KMS host keys by name."""
    return {
        row["name"]: KeyGroup(row["name"], row["product_id"], row["text"], tuple(row["installs_on"]), tuple(row["serves"]))
        for row in table("key_groups")["groups"]
    }


@cache
def products() -> tuple[Product, ...]:
    """Every SKU of the lab: base products, add-ons, KMS host products."""
    tables = table("products")
    found = [
        Product(row["id"], tuple(row["generations"]), row["edition"], row["channel"], row["text"], row["threshold"], row["kms_group"])
        for row in tables["products"]
    ]
    found += [
        Product(row["id"], tuple(row["generations"]), "", row["channel"], row["text"], name=row["name"], is_addon=True)
        for row in tables["addons"]
    ]
    found += [
        Product(row["id"], (), "", row["channel"], row["text"], row["threshold"], row["kms_group"], row["name"], suite=row["suite"])
        for row in tables["office"]
    ]
    found += [
        Product(group.product_id, group.installs_on, "", "Volume:CSVLK", group.text, serves=group.serves) for group in key_groups().values()
    ]
    return tuple(found)


def products_of(profile: Profile, has_updates: bool = False, office: Collection[str] = ()) -> list[Product]:
    """The SKUs whose licences a machine of that profile has; ``has_updates`` adds those that need an update, ``office`` suites."""
    wanted = {profile.generation} | ({f"{profile.generation}+kb"} if has_updates else set())
    own = [item for item in products() if wanted & set(item.generations) and item.edition in ("", profile.edition)]
    return own + [item for item in products() if item.suite and item.suite in office]


@cache
def application_of(product_id: str) -> str:
    """The ApplicationID of a SKU."""
    return next(item.application for item in products() if item.id == product_id.lower())


@cache
def keys() -> dict[str, LabKey]:
    """Every product key that the lab knows, by the key itself."""
    tables = table("keys")
    found = {}
    for row in [*tables["lab_keys"], *tables["setup_keys"]]:
        product_id = key_groups()[row["group"]].product_id if "group" in row else row["product_id"]
        found[row["key"]] = LabKey(row["name"], row["key"], row["kind"], product_id, row.get("microsoft", {}))
    return found


def key_named(name: str) -> LabKey:
    """A key by its name in ``keys.yml``, such as ``csvlk_2022``. Raises KeyError."""
    for item in keys().values():
        if item.name == name:
            return item
    raise KeyError(name)


def setup_key_of(profile: Profile) -> str:
    """The published client setup key of an edition, as a volume licence medium brings it; empty where there is none."""
    by_id = {item.product_id: item.key for item in keys().values() if item.kind == "gvlk"}
    return next((by_id[item.id] for item in products_of(profile) if item.is_kms_client), "")


def volume_profiles() -> list[str]:
    """The names of the Windows versions that volume licences are for."""
    return sorted(name for name, profile in profiles().items() if setup_key_of(profile))


@cache
def message(code: int, language: str) -> str:
    """What Windows says for an HRESULT, in its own language; empty for a code that the table lacks."""
    column = "de" if language.lower().startswith("de") else "en"
    return next((str(row[column]) for row in table("hresults")["hresults"] if row["code"] == code & 0xFFFFFFFF), "")
