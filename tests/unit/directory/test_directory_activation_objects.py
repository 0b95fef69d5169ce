# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Activation objects by their names, without a directory."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.activation_objects import ActivationObjects
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.entry import DirectoryEntry

pytestmark = pytest.mark.tier("test")

CONFIGURATION = "CN=Configuration,DC=contoso,DC=com"
CONTAINER = f"CN=Activation Objects,CN=Microsoft SPP,CN=Services,{CONFIGURATION}"
SKU = uuid.UUID("97a0acdc-b989-5704-b7bd-51ea3642ca1c")


class Directory:
    """As much of a session as is asked for: objects by their names."""

    root = SimpleNamespace(configuration_dn=CONFIGURATION)

    def __init__(self, *entries: DirectoryEntry) -> None:
        self.entries = {entry.dn.lower(): entry for entry in entries}
        self.deleted: list[str] = []

    def read(self, dn: str, _attributes: Any) -> DirectoryEntry | None:
        return self.entries.get(dn.lower())

    def search(self, base: str, _text: str, _attributes: Any, one_level: bool) -> list[DirectoryEntry]:
        assert (base, one_level) == (CONTAINER, True)
        return list(self.entries.values())

    def delete(self, dn: str, _right: str) -> None:
        self.deleted.append(dn)


def entry(dn: str, kind: str = "msSPP-ActivationObject", **values: bytes) -> DirectoryEntry:
    return DirectoryEntry.of(
        dn, {"objectClass": [b"top", kind.encode()], **{name.replace("_", "-"): [value] for name, value in values.items()}}
    )


@pytest.mark.parametrize(
    ("name", "dn"),
    [
        ("Contoso 2022", f"CN=Contoso 2022,{CONTAINER}"),
        ("cn=Contoso 2022", f"CN=Contoso 2022,{CONTAINER}"),
        (f"CN=Contoso 2022,{CONTAINER}", f"CN=Contoso 2022,{CONTAINER}"),
        (f" cn=contoso 2022,{CONTAINER.lower()}", f"CN=Contoso 2022,{CONTAINER}"),
        ("Contoso, Inc. + more", f"CN=Contoso\\, Inc. \\+ more,{CONTAINER}"),
    ],
)
def test_an_object_is_removed_by_any_of_its_names(name: str, dn: str):
    directory = Directory(entry(dn, displayName=b"Shown"))
    plan = ActivationObjects(directory).plan_removal(name)  # type: ignore[arg-type]
    (step,) = plan.steps
    assert (step.object, step.before, step.after) == (dn, "Shown", None)
    plan.run()
    assert directory.deleted == [dn]


def test_what_is_not_there_needs_no_step():
    assert not ActivationObjects(Directory()).plan_removal("Contoso 2022")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("dn", "kind"),
    [(f"CN=Contoso 2022,{CONTAINER}", "container"), (f"CN=Contoso 2022,CN=Services,{CONFIGURATION}", "msSPP-ActivationObject")],
)
def test_another_kind_of_object_and_one_elsewhere_are_left_alone(dn: str, kind: str):
    with pytest.raises(ActivationError, match="is no activation object, so it is left alone"):
        ActivationObjects(Directory(entry(dn, kind))).plan_removal(dn)  # type: ignore[arg-type]


def test_objects_are_shown_in_order_with_their_ids_as_windows_writes_them():
    directory = Directory(
        entry(f"CN=B,{CONTAINER}", cn=b"B", msSPP_CSVLKSkuId=SKU.bytes_le, msSPP_CSVLKPid=b"1-2", msSPP_CSVLKPartialProductKey=b"ABCDE"),
        entry(f"CN=A,{CONTAINER}", cn=b"A", displayName=b"Shown", msSPP_CSVLKSkuId=b"short"),
    )
    first, second = ActivationObjects(directory).shown()  # type: ignore[arg-type]
    assert (first["name"], first["csvlk_activation_id"]) == ("Shown", None)
    assert second == {"name": "B", "dn": f"CN=B,{CONTAINER}", "csvlk_activation_id": str(SKU), "csvlk_pid": "1-2", "partial_key": "ABCDE"}
