# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module computer_list as a task runs it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lists
import pytest
from handmade import task_of

from ansible_collections.winops.volume_activation.plugins.action.computer_list import ActionModule

pytestmark = pytest.mark.tier("quick")

OTHER = "55c92734-d682-4d71-983e-d6ec3f16059f"


def run(options: dict[str, Any], check_mode: bool = False, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    """The result of a task."""
    task = task_of(options, check_mode=check_mode, diff=True)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="x"))
    templar = SimpleNamespace(template=lambda value: value)
    action = ActionModule(task, connection, None, None, templar, None)
    return action.run(task_vars={"inventory_hostname": "localhost", **(variables or {})})


def read(number: int, **more: Any) -> dict[str, Any]:
    """A computer as a role gives it."""
    product = {
        "activation_id": lists.WINDOWS_10,
        "name": "Windows",
        "channel": "mak",
        "license_status": "oob_grace",
        "partial_product_key": "7CFBY",
        "extended_pid": lists.EPID,
        "installation_id": lists.iid(number),
        "mak": "clients",
        **more,
    }
    return {"name": f"iso-{number:03}", "computer_name": f"ISO-{number:03}", "products": [product]}


class Place:
    """A list, its export, and the tasks that are about them."""

    def __init__(self, folder: Path) -> None:
        self.path, self.leaves = str(folder / "list.json"), str(folder / "export.json")

    def save(self, *computers: dict[str, Any], **more: Any) -> dict[str, Any]:
        return run({"state": "saved", "path": self.path, "computers": list(computers)} | more.pop("options", {}), **more)

    def export(self, **more: Any) -> dict[str, Any]:
        return run({"state": "exported", "path": self.path, "export_path": self.leaves} | more.pop("options", {}), **more)

    def merge(self, **more: Any) -> dict[str, Any]:
        return run({"state": "merged", "path": self.path, "export_path": self.leaves} | more.pop("options", {}), **more)

    def inspect(self, **options: Any) -> dict[str, Any]:
        return run({"path": self.path, **options})

    def answer(self, *numbers: int) -> None:
        """Write confirmation IDs into the export, with nothing of the product."""
        document = json.loads(Path(self.leaves).read_text(encoding="utf-8"))
        for product in document["products"]:
            if int(product["installation_id"]) in numbers:
                product["confirmation_id"] = lists.cid(int(product["installation_id"]))
                product["asked"] = lists.READ
        del document["checksum"]
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        document["checksum"] = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
        Path(self.leaves).write_text(json.dumps(document), encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_from_the_first_reading_to_the_last_confirmation_id(place: Place):
    saved = place.save(read(1), read(2))
    assert (saved["changed"], saved["new"]) == (True, ["iso-001", "iso-002"])
    assert saved["counts"] == {"computers": 2, "products": 2, "licensed": 0, "confirmed": 0, "pending": 2, "unknown": 0}
    assert saved["diff"][0]["after"][place.path] == {"computer list": saved["list_id"]}
    exported = place.export()
    assert (exported["changed"], len(exported["products"])) == (True, 2)
    place.answer(1)
    merged = place.merge()
    assert (merged["changed"], merged["new"], merged["missing"], merged["conflicting"]) == (True, ["iso-001"], ["iso-002"], [])
    assert [(step["object"], step["attribute"], step["after"]) for step in merged["steps"]] == [
        ("iso-001", f"asked of {lists.WINDOWS_10}", lists.READ),
        ("iso-001", f"confirmation_id of {lists.WINDOWS_10}", "stored"),
    ]
    place.answer(2)
    assert place.merge()["missing"] == []
    assert lists.cid(1) not in json.dumps([saved, exported, merged, place.inspect()])
    shown = place.inspect(show_confirmation_ids=True)["computers"]
    assert [computer["products"][0]["confirmation_id"] for computer in shown] == [lists.cid(1), lists.cid(2)]


def test_a_second_run_changes_nothing(place: Place):
    place.save(read(1))
    again = place.save(read(1))
    assert (again["changed"], again["steps"]) == (False, [])
    place.export()
    assert place.export()["changed"] is False
    place.answer(1)
    # What was answered stays in the export that is there.
    assert place.export()["changed"] is False
    place.merge()
    assert place.merge()["changed"] is False


def test_check_mode_says_what_a_run_does_and_writes_nothing(place: Place, tmp_path: Path):
    planned = place.save(read(1), check_mode=True)
    assert list(tmp_path.iterdir()) == []
    made = place.save(read(1))
    assert [step["attribute"] for step in planned["steps"]] == [step["attribute"] for step in made["steps"]]
    assert place.export(check_mode=True)["steps"] == place.export()["steps"]
    place.answer(1)
    before = Path(place.path).read_bytes()
    planned = place.merge(check_mode=True)
    assert Path(place.path).read_bytes() == before
    assert planned["steps"] == place.merge()["steps"]


def test_a_change_behind_the_back_of_the_list_is_that_change(place: Place):
    place.save(read(1), read(2))
    drifted = place.save(read(1, license_status="licensed"), read(2))
    assert [(step["object"], step["attribute"], step["before"], step["after"]) for step in drifted["steps"]] == [
        ("iso-001", f"license_status of {lists.WINDOWS_10}", "oob_grace", "licensed")
    ]


def test_other_hardware_is_a_conflict_until_it_is_settled(place: Place):
    place.save(read(1))
    other = {**read(1), "products": read(7)["products"]}
    conflict = place.save(other)
    assert (conflict["changed"], conflict["conflicting"][0]["name"]) == (False, "iso-001")
    settled = place.save(other, options={"replace_hardware": ["iso-001"]})
    assert (settled["changed"], settled["conflicting"]) == (True, [])


def test_only_hosts_that_are_unknown_or_read_long_ago_have_to_be_read(place: Place):
    hosts = ["iso-001", "iso-002", "iso-003"]
    assert place.inspect(hosts=hosts)["to_read"] == hosts
    place.save(read(1), {**read(2), "read": "2020-01-01T00:00:00Z"})
    assert place.inspect(hosts=hosts)["to_read"] == ["iso-002", "iso-003"]
    assert place.inspect(hosts=hosts, max_age=10**9)["to_read"] == ["iso-003"]
    assert place.inspect(hosts=["iso-001"])["counts"]["computers"] == 1


def test_a_host_that_was_to_be_activated_on_line_has_to_be_read_for_its_installation_id(place: Place):
    place.save(
        read(1, installation_id=None),
        read(2, installation_id=None, license_status="licensed"),
        read(3, installation_id=None, channel="oem"),
    )
    assert place.inspect(hosts=["iso-001", "iso-002", "iso-003"])["to_read"] == ["iso-001"]


def test_only_hosts_of_a_group_leave(place: Place):
    place.save(read(1), read(2))
    assert len(place.export(options={"hosts": ["iso-002"]})["products"]) == 1


def test_an_export_that_holds_answers_is_not_overwritten(place: Place):
    place.save(read(1))
    place.export()
    place.answer(1)
    place.save(read(2))
    refused = place.export()
    assert refused["msg"] == (
        f"{place.leaves} holds 1 answers of Microsoft that the list does not have, so it is not overwritten; merge it first, or give"
        " another export_path."
    )
    place.merge()
    assert place.export()["steps"][0]["after"] == 1


def test_typed_confirmation_ids_may_stand_in_groups(place: Place):
    place.save(read(1))
    typed = {"installation_id": f"{lists.iid(1)[:7]}-{lists.iid(1)[7:]}", "confirmation_id": "123456 " * 8}
    merged = run({"state": "merged", "path": place.path, "confirmation_ids": [typed]})
    assert (merged["new"], merged["missing"]) == (["iso-001"], [])
    assert "123456" * 8 not in json.dumps(merged)


def test_an_encrypted_list_is_opened_by_its_password_alone(place: Place):
    place.save(read(1))
    sealed = place.save(read(1), options={"vault_password": "correct horse"})
    assert [(step["attribute"], step["after"]) for step in sealed["steps"]] == [("encryption", "Ansible Vault")]
    assert "encrypted by Ansible Vault" in place.inspect()["msg"]
    by_variable = run({"path": place.path}, variables={"volume_activation_list_vault_password": "correct horse"})
    assert by_variable["counts"]["computers"] == 1
    assert place.save(read(1), options={"vault_password": "correct horse"})["changed"] is False
    assert "correct horse" not in json.dumps([sealed, by_variable])


def test_what_leaves_is_shown_field_by_field(place: Place):
    place.save(read(1))
    place.export()
    shown = run({"path": place.leaves})
    assert shown["kind"] == "export"
    assert {entry["field"].removeprefix("products[].") for entry in shown["leaves"]} >= shown["products"][0].keys() - {"extended_pid_tells"}
    assert shown["products"][0]["extended_pid_tells"]["channel"] == "volume"
