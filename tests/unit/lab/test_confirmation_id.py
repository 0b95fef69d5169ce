# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module confirmation_id, as a task would run it, against the laboratory's Microsoft: what is asked, kept, and never asked twice."""

from __future__ import annotations

import errno
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import error_catalogue
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from unit.lab.microsoft_requests import KEY, ask, settings
from unit.lab.test_microsoft_sentences import OF_KEYS, OF_RULES

from ansible_collections.winops.volume_activation.plugins.action.confirmation_id import ActionModule
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.base import Outcome
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.module_options import documented_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.vault import cipher_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import (
    Document,
    Export,
    ExportedProduct,
    FullList,
    ListedComputer,
    ListedProduct,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.store import ListFile
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.code import Code, CodeKind
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft import confirmation
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.counts import counts
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.failures import Fate
from lab.microsoft.server import BatchServer
from lab.microsoft.variants import seed_of
from lab.windows.data import key_named

pytestmark = pytest.mark.tier("test")

KILLED, NO_ID, LEFT_ALONE, DISK_FULL, NO_WAY, SUMMARY = (
    "a product that was asked for by a run that did not end",
    "a product of a list that Windows gave no installation ID for",
    "a service that did not answer the others",
    "a disk that is full when confirmation IDs come",
    "no way to Microsoft where a playbook asks for counts",
    "most confirmation IDs came",
)
WRITTEN = error_catalogue.paired("Confirmation IDs from Microsoft", [KILLED, NO_ID, LEFT_ALONE, DISK_FULL, NO_WAY, SUMMARY])
LIST_ID = "55c92734-d682-4d71-983e-d6ec3f16059f"
ACTIVATION_ID = "73111121-5638-40f6-bc11-f1d7b0d64300"
ASKED = "2026-11-27T03:42:07Z"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmation, "_FIRST_PAUSE", 0.01)


def run(microsoft: BatchServer, check_mode: bool = False, **options: Any) -> Outcome:
    given = {"microsoft_url": microsoft.url, "ca_path": microsoft.ca_path, "timeout": 10} | options
    checked = ArgumentSpecValidator(documented_options("confirmation_id"), **ActionModule.CONSTRAINTS).validate(given)
    assert checked.error_messages == []
    return ActionModule.__new__(ActionModule).execute(checked.validated_parameters, check_mode)


def numbers(outcome: Outcome) -> dict[str, int]:
    return {
        name: len(value) if isinstance(value, list) else value
        for name, value in outcome.result.items()
        if name not in ("summary", "confirmation_ids")
    }


def product(number: int, **values: Any) -> ExportedProduct:
    sample = BatchServer.sample(KEY, f"pc-{number:03}")
    return ExportedProduct(f"{number:032x}", ACTIVATION_ID, sample.installation_id, sample.extended_pid, **values)


def right(number: int) -> str:
    return BatchServer.sample(KEY, f"pc-{number:03}").confirmation_id


def save(path: Path, document: Document, **more: Any) -> str:
    file = ListFile(str(path), **more)
    with file.locked():
        file.save(document)
    return str(path)


def exported(folder: Path, *products: ExportedProduct) -> str:
    return save(folder / "export.json", Export(LIST_ID, list(products)))


def stored(path: str) -> list[tuple[str | None, bool]]:
    """Confirmation ID of each product in the file, and whether there is a mark that it was asked for; read by no code of ours."""
    products = json.loads(Path(path).read_text(encoding="utf-8"))["products"]
    return [(entry["confirmation_id"], entry["asked"] is not None) for entry in products]


def counted(microsoft: BatchServer) -> int:
    count: int = microsoft.microsoft.snapshot()[KEY]["activations"]
    return count


def test_each_is_asked_for_once_and_a_second_run_asks_nothing(microsoft: BatchServer, tmp_path: Path):
    path = exported(tmp_path, *(product(number) for number in range(1, 13)))
    planned = run(microsoft, True, path=path)
    assert (microsoft.journal.entries, stored(path)) == ([], [(None, False)] * 12)
    outcome = run(microsoft, path=path)
    assert [step.as_result() for step in planned.steps] == [step.as_result() for step in outcome.steps]
    assert len(outcome.steps) == 12
    assert outcome.result == {
        "asked": 12, "obtained": 12, "kept": 0, "missing": [], "unknown": [], "summary": "Confirmation IDs: 12 of 12, none without."
    }  # fmt: skip
    assert planned.result == outcome.result
    assert stored(path) == [(right(number), True) for number in range(1, 13)]
    assert (counted(microsoft), outcome.warnings) == (12, [])
    before = Path(path).read_bytes()
    again = run(microsoft, path=path)
    assert (again.steps, numbers(again)) == ([], {"asked": 0, "obtained": 0, "kept": 12, "missing": 0, "unknown": 0})
    assert (Path(path).read_bytes(), counted(microsoft), len(microsoft.journal.entries)) == (before, 12, 12)


FATES = {name: fate for name, (_state, (fate, _again)) in OF_KEYS.items()} | {
    name: fate for name, (_rule, (fate, _again)) in OF_RULES.items()
}


@pytest.mark.parametrize("case", FATES)
def test_every_failure_leaves_the_others_theirs_and_the_next_run_asks_only_what_was_not_counted(
    microsoft: BatchServer, tmp_path: Path, case: str
):
    microsoft.service.seed = seed_of("echo", "both")
    path = exported(tmp_path, *(product(number) for number in range(1, 5)))
    seconds = {}
    if case in OF_RULES:
        rule = OF_RULES[case][0]
        microsoft.faults.add({**rule, "iid": product(3).installation_id, "times": 0})
        seconds = {"timeout": 1} if "seconds" in rule else {}
    else:
        other = BatchServer.sample("mak_server_2022_standard", "pc-003")
        bad = ExportedProduct(f"{3:032x}", ACTIVATION_ID, other.installation_id, other.extended_pid)
        microsoft.microsoft.set_state(key_named("mak_server_2022_standard").key, OF_KEYS[case][0])
        path = exported(tmp_path, product(1), product(2), bad, product(4))
    outcome = run(microsoft, path=path, retries=1, **seconds)
    lost = FATES[case] == Fate.LOST
    assert numbers(outcome) == {"asked": 4, "obtained": 3, "kept": 0, "missing": int(not lost), "unknown": int(lost)}
    (row,) = outcome.result["unknown" if lost else "missing"]
    assert row["identifier"] == product(3).identifier
    assert row["reason"].endswith(".") and (row["code"] in row["reason"])
    assert stored(path) == [(right(1), True), (right(2), True), (None, lost), (right(4), True)]
    assert outcome.result["summary"].startswith("Confirmation IDs: 3 of 4, 1 without")
    assert [step.attribute for step in outcome.steps].count("confirmation ID") == 3
    assert len(outcome.steps) == 3 + lost
    deadline = time.monotonic() + 60
    while len(microsoft.journal.entries) < 4 and time.monotonic() < deadline:
        # One that takes longer than we wait is written down when it is over.
        time.sleep(0.05)
    asked = Counter(entry.iid for entry in microsoft.journal.entries)
    may_be_repeated = not lost and (OF_RULES.get(case) or OF_KEYS[case])[1][1]
    assert sorted(asked.values()) == ([1, 1, 1, 2] if may_be_repeated else [1, 1, 1, 1])
    # Mended, and run again.
    microsoft.reset()
    microsoft.microsoft.set_state(key_named("mak_server_2022_standard").key, "valid")
    outcome = run(microsoft, path=path)
    assert numbers(outcome) == {"asked": int(not lost), "obtained": int(not lost), "kept": 3, "missing": 0, "unknown": int(lost)}
    assert len(microsoft.journal.entries) == int(not lost)
    if lost:
        assert "asked at 20" in outcome.result["unknown"][0]["reason"] and "ask_again: true" in outcome.result["unknown"][0]["reason"]
        outcome = run(microsoft, path=path, ask_again=True)
        assert numbers(outcome) == {"asked": 1, "obtained": 1, "kept": 3, "missing": 0, "unknown": 0}
    assert all(confirmation_id for confirmation_id, _asked in stored(path))


def test_what_a_run_left_that_was_killed_is_unknown(microsoft: BatchServer, tmp_path: Path):
    path = exported(tmp_path, product(1, asked=ASKED), product(2))
    outcome = run(microsoft, path=path)
    assert numbers(outcome) == {"asked": 1, "obtained": 1, "kept": 0, "missing": 0, "unknown": 1}
    assert outcome.result["unknown"][0]["reason"].startswith(f"Microsoft was asked at {ASKED}, and the outcome is unknown;")
    assert outcome.result["summary"] == ("Confirmation IDs: 1 of 2, 1 without, for 1 of them it is unknown whether Microsoft counted it.")


def test_what_was_asked_for_before_stays_unknown_where_asking_again_is_refused(microsoft: BatchServer, tmp_path: Path):
    path = exported(tmp_path, product(1, asked=ASKED))
    microsoft.microsoft.set_state(key_named(KEY).key, "exhausted")
    outcome = run(microsoft, path=path, ask_again=True)
    assert (len(outcome.result["unknown"]), outcome.steps) == (1, [])
    assert outcome.result["unknown"][0]["code"] == "0x7F"
    assert json.loads(Path(path).read_text(encoding="utf-8"))["products"][0]["asked"] == ASKED


def test_one_installation_id_is_asked_for_once_however_often_it_stands_there(microsoft: BatchServer, tmp_path: Path):
    twice = product(1)
    twice.identifier = "f" * 32
    path = exported(tmp_path, product(1), product(2), twice)
    outcome = run(microsoft, path=path)
    assert numbers(outcome) == {"asked": 2, "obtained": 3, "kept": 0, "missing": 0, "unknown": 0}
    assert [digits for digits, _asked in stored(path)] == [right(1), right(2), right(1)]
    assert counted(microsoft) == 2
    # And where another one has its confirmation ID, nobody is asked.
    path = exported(tmp_path, product(1, confirmation_id=right(1)), twice)
    outcome = run(microsoft, path=path)
    assert numbers(outcome) == {"asked": 0, "obtained": 1, "kept": 1, "missing": 0, "unknown": 0}
    assert [digits for digits, _asked in stored(path)] == [right(1), right(1)]


def listed(number: int, **values: Any) -> ListedProduct:
    base = product(number)
    known = {name: getattr(base, name) for name in ExportedProduct.__dataclass_fields__}
    return ListedProduct(**(known | {"name": "Windows", "channel": "mak", "license_status": "oob_grace"} | values))


def full(*products: ListedProduct) -> FullList:
    return FullList(
        LIST_ID, ASKED, {f"pc-{place}": ListedComputer(products={ACTIVATION_ID: one}) for place, one in enumerate(products, start=1)}
    )


def test_a_full_list_names_computers_and_leaves_out_what_is_licensed(microsoft: BatchServer, tmp_path: Path):
    document = full(
        listed(1), listed(2, license_status="licensed"), listed(3, installation_id="", extended_pid=""), listed(4, installation_id="1" * 63)
    )
    path = save(tmp_path / "list.json", document)
    outcome = run(microsoft, path=path)
    assert numbers(outcome) == {"asked": 2, "obtained": 1, "kept": 0, "missing": 2, "unknown": 0}
    assert [(step.object, step.attribute, step.before, step.after) for step in outcome.steps] == [
        ("pc-1", "confirmation ID", None, "stored")
    ]
    assert [(row["name"], row["code"]) for row in outcome.result["missing"]] == [("pc-3", ""), ("pc-4", "0x90")]
    assert outcome.result["missing"][0]["reason"] == error_catalogue.said(WRITTEN[NO_ID])
    assert list(tmp_path.glob("list.json.~*~")) == [tmp_path / "list.json.~1~"]


def test_an_encrypted_list_stays_so_and_a_readable_one_too(microsoft: BatchServer, tmp_path: Path):
    hidden = save(tmp_path / "hidden.json", full(listed(1)), cipher=cipher_of("a password", None))
    run(microsoft, path=hidden, vault_password="a password")
    assert Path(hidden).read_bytes().startswith(b"$ANSIBLE_VAULT;")
    document = ListFile(hidden, cipher_of("a password", None)).load()
    assert [entry.confirmation_id for entry in document.entries()] == [right(1)]
    path = exported(tmp_path, product(2))
    run(microsoft, path=path, vault_password="a password")
    assert stored(path) == [(right(2), True)]
    with pytest.raises(ActivationError, match="encrypted by Ansible Vault, and no password is given"):
        run(microsoft, path=hidden)


def test_confirmation_ids_are_shown_only_when_asked_for(microsoft: BatchServer, tmp_path: Path):
    path = exported(tmp_path, product(1), product(2, confirmation_id=right(2)))
    assert right(1) not in str(run(microsoft, True, path=path).result)
    outcome = run(microsoft, path=path)
    assert outcome.result["obtained"] == 1
    for digits in (right(1), right(2)):
        assert digits not in str((outcome.result, outcome.steps, outcome.diff, outcome.warnings))
    shown = run(microsoft, path=path, show_confirmation_ids=True).result["confirmation_ids"]
    assert shown == [{"identifier": product(number).identifier, "confirmation_id": right(number)} for number in (1, 2)]


def test_products_that_come_from_no_file(microsoft: BatchServer):
    sample = BatchServer.sample(KEY, "pc-001")
    grouped = "-".join(sample.installation_id[start : start + 7] for start in range(0, 63, 7))
    rows = [{"installation_id": grouped, "extended_pid": sample.extended_pid}]
    planned = run(microsoft, True, products=rows, show_confirmation_ids=True)
    outcome = run(microsoft, products=rows, show_confirmation_ids=True)
    assert planned.steps == outcome.steps
    assert outcome.result["confirmation_ids"] == [{"identifier": "1", "confirmation_id": sample.confirmation_id}]
    assert (planned.result["confirmation_ids"], counted(microsoft)) == ([], 1)


def test_a_confirmation_id_that_cannot_be_saved_is_told(microsoft: BatchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = exported(tmp_path, product(1), product(2), product(3))
    saved, saves = ListFile.save, []

    def save_until_full(self: ListFile, document: Document) -> None:
        saves.append(document)
        if len(saves) >= 4:
            raise ActivationError("The disk is full.", code=Code(CodeKind.ERRNO, errno.ENOSPC), name="ENOSPC", source="file")
        saved(self, document)

    monkeypatch.setattr(ListFile, "save", save_until_full)
    with pytest.raises(ActivationError) as failed:
        run(microsoft, path=path, parallel=1)
    digits = "-".join(right(2)[start : start + 6] for start in range(0, 48, 6))
    expected = error_catalogue.expected(WRITTEN[DISK_FULL], failed.value, identifier=product(2).identifier, digits=digits)
    assert error_catalogue.shown(failed.value) == expected
    assert stored(path) == [(right(1), True), (None, True), (None, False)]
    assert counted(microsoft) == 2


def test_a_list_that_cannot_be_written_is_asked_nothing_for(microsoft: BatchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = exported(tmp_path, product(1), product(2))

    def full_disk(self: ListFile, document: Document) -> None:
        raise ActivationError("The disk is full.", source="file")

    monkeypatch.setattr(ListFile, "save", full_disk)
    with pytest.raises(ActivationError, match=r"^The disk is full\.$"):
        run(microsoft, path=path)
    assert (microsoft.journal.entries, stored(path)) == ([], [(None, False)] * 2)


def test_a_service_that_answers_nobody_costs_a_few_only(microsoft: BatchServer, tmp_path: Path):
    path = exported(tmp_path, *(product(number) for number in range(1, 41)))
    microsoft.faults.add({"fault": "close_after", "times": 0})
    outcome = run(microsoft, path=path)
    assert 5 <= len(outcome.result["unknown"]) == counted(microsoft) <= 9
    assert len(outcome.result["missing"]) == 40 - counted(microsoft)
    place = microsoft.url.split("/")[2]
    assert {row["reason"] for row in outcome.result["missing"]} == {error_catalogue.said(WRITTEN[LEFT_ALONE], place=place)}
    microsoft.reset()
    assert run(microsoft, path=path).result["obtained"] == len(outcome.result["missing"])
    assert counted(microsoft) == 40


def test_without_a_way_to_microsoft_the_task_fails_and_the_list_is_as_it_was(microsoft: BatchServer, tmp_path: Path):
    path = exported(tmp_path, *(product(number) for number in range(1, 30)))
    how = settings(microsoft, url="https://127.0.0.1:9/x", retries=0)
    with pytest.raises(ActivationError, match=r"There is no connection to 127\.0\.0\.1:9 "):
        run(microsoft, path=path, microsoft_url="https://127.0.0.1:9/x", retries=1)
    assert stored(path) == [(None, False)] * 29
    sample = BatchServer.sample(KEY)
    with pytest.raises(ActivationError) as failed:
        counts([("clients", sample.extended_pid)], lambda question: ask(how, question), how)
    assert error_catalogue.shown(failed.value) == error_catalogue.expected(WRITTEN[NO_WAY], failed.value, place=how.place)
