# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a row holds, what rows amount to, and the file that they are in."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._state.directory import StateDirectory
from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.file import SurveyFile, read_rows, survey_path
from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.rows import LONGEST, Row, RowOutcome, license_facts
from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.schedule import Rejected
from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.tally import SurveyTally

pytestmark = pytest.mark.tier("quick")

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
# All of Unicode, lone surrogates and what turns the direction of writing among it.
texts = st.text(max_size=600)


def place(folder: Path, name: str = "survey") -> Path:
    """Where a survey is whose state directory is in that folder; made, as for a run."""
    directory = StateDirectory.judge(str(folder / "state"), {}, ["/"])
    directory.make()
    return survey_path(directory, name)


def facts(name: str, key: str, status: str = "licensed") -> dict[str, Any]:
    windows = {
        "name": name,
        "partial_key": key,
        "status": status,
        "channel": "gvlk",
        "permanent": False,
        "expires_in_days": 180,
        "minutes": 259200,
    }
    return license_facts(windows, [{"status": "licensed"}, {"status": "notification"}], {"kms_host": True, "current_count": 50}, AT)


@example(host="日" * 255, reason="本" * 500, code="x" * 200, name="語" * 200, key="日" * 5, outcome=RowOutcome.READ)
@example(host="a\u202eb\ud800", reason="\x1b[31m\u2028\u2066x", code="\x00", name="\u202e", key="\ud800", outcome=RowOutcome.FAILED)
@given(host=texts, reason=texts, code=texts, name=texts, key=texts, outcome=st.sampled_from(RowOutcome))
def test_a_row_is_one_visible_line_of_at_most_a_kilobyte(host: str, reason: str, code: str, name: str, key: str, outcome: RowOutcome):
    line = Row(host, outcome, AT, reason, code, facts(name, key)).as_line()
    assert len(f"{line}\n".encode()) <= LONGEST
    assert not any(letter in line for letter in "\n\r\u2028\u2029\u202e\x00\x1b")
    data = json.loads(line)
    assert all(letter.isprintable() or letter.isspace() for letter in line)
    assert data["outcome"] == outcome
    assert data["expires"] == "2027-05-23T12:00Z"


def test_a_row_of_a_host_that_was_not_read_has_the_same_fields():
    read, failed = (
        Row("pc-1", outcome, AT, facts=given).as_data()
        for outcome, given in ((RowOutcome.READ, facts("W", "2YT43")), (RowOutcome.FAILED, {}))
    )
    assert read.keys() == failed.keys()


def test_counts_and_failures_stay_small_whatever_hosts_say():
    tally = SurveyTally(10_000)
    started = time.process_time()
    for number in range(10_000):
        code = f"0x{number:08X}"
        tally.add(Row("\u65e5" * 255, list(RowOutcome)[number % 5], AT, "\u65e5" * 400, code, facts("W", "2YT43", f"state {number % 7}")))
    rejected = [Rejected("\u65e5" * 255, "\u65e5" * 255, "\u65e5" * 400, 9) for _number in range(100)]
    result = tally.as_result(rejected)
    assert len(json.dumps(result)) < 64 * 1024
    assert time.process_time() - started < 5
    assert sum(result["counts"].values()) == 10_000
    assert len(result["failures"]) == 20


def test_the_summary_has_a_line_for_each_kind_of_failure():
    tally = SurveyTally(6)
    for number in range(3):
        tally.add(Row(f"pc-{number}", RowOutcome.READ, AT, facts=facts("W", "2YT43")))
    for number in range(3, 5):
        tally.add(Row(f"pc-{number}", RowOutcome.UNREACHABLE, AT, "http://x does not answer."))
    tally.add(Row("pc-5", RowOutcome.FAILED, AT, "HTTP 503", "HTTP 503"))
    assert tally.lines() == [
        "3 of 6 hosts were read: 3 licensed.",
        "2 could not be reached (pc-3, pc-4): http://x does not answer.",
        "1 could not be read (pc-5): HTTP 503",
    ]


def test_the_file_takes_its_name_at_the_end_and_is_the_owners_alone(tmp_path: Path):
    path = place(tmp_path)
    with SurveyFile(path) as file:
        file.write(Row("pc-1", RowOutcome.FAILED, AT).as_line())
        assert not path.exists()
    assert [row["host"] for row in read_rows(path)] == ["pc-1"]
    assert (path.parent.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert list(path.parent.iterdir()) == [path]


def test_a_survey_that_fails_leaves_the_last_whole_one(tmp_path: Path):
    path = place(tmp_path)
    with SurveyFile(path) as file:
        file.write(Row("pc-1", RowOutcome.FAILED, AT).as_line())
    with contextlib.suppress(KeyError), SurveyFile(path) as file:
        file.write(Row("pc-2", RowOutcome.FAILED, AT).as_line())
        raise KeyError
    assert [row["host"] for row in read_rows(path)] == ["pc-1"]


def test_two_surveys_of_one_name_do_not_write_into_each_other(tmp_path: Path):
    path = place(tmp_path)
    with SurveyFile(path) as file:
        file.write(Row("pc-1", RowOutcome.FAILED, AT).as_line())
        with pytest.raises(ActivationError, match="Another survey writes into"):
            SurveyFile(path)
        with SurveyFile(place(tmp_path, "other")):
            pass
    assert len(list(read_rows(path))) == 1


def _write_for_ever(path: Path) -> None:
    with SurveyFile(path) as file:
        number = 0
        while True:
            file.write(Row(f"pc-{number}", RowOutcome.FAILED, AT, "reason " * (number % 50)).as_line())
            number += 1


def test_a_survey_that_is_killed_leaves_whole_lines_and_the_next_begins_anew(tmp_path: Path):
    path = place(tmp_path)
    partial = path.with_name("survey.jsonl.partial")
    process = multiprocessing.get_context("fork").Process(target=_write_for_ever, args=(path,))
    process.start()
    deadline = time.monotonic() + 20
    while not (partial.exists() and partial.stat().st_size > 100_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    hosts = [row["host"] for row in read_rows(partial)]
    assert hosts == [f"pc-{number}" for number in range(len(hosts))]
    assert len(hosts) > 100
    with SurveyFile(path) as file:
        file.write(Row("anew", RowOutcome.FAILED, AT).as_line())
    assert [row["host"] for row in read_rows(path)] == ["anew"]


def test_a_survey_has_the_name_that_the_state_directory_has_for_it(tmp_path: Path):
    assert (place(tmp_path).name, place(tmp_path, "journal").name) == ("survey.jsonl", "survey.journal.jsonl")


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path: Path):
    path, other = place(tmp_path), tmp_path / "other"
    other.write_bytes(b"kept")
    path.with_name("survey.jsonl.partial").symlink_to(other)
    with pytest.raises(ActivationError, match="is a symbolic link"):
        SurveyFile(path)
    path.with_name("survey.jsonl.partial").unlink()
    path.symlink_to(other)
    with SurveyFile(path) as file:
        file.write(Row("pc-1", RowOutcome.FAILED, AT).as_line())
    assert other.read_bytes() == b"kept"
    assert not path.is_symlink()


def test_a_line_without_its_end_was_not_written(tmp_path: Path):
    path = tmp_path / "survey.jsonl"
    path.write_bytes(b'{"host":"pc-1"}\n{"host":"pc-2"}')
    assert [row["host"] for row in read_rows(path)] == ["pc-1"]


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 65, "a\n"])
def test_a_name_is_the_name_of_a_file(name: str):
    with pytest.raises(ActivationError, match="name is"):
        survey_path(StateDirectory("/state", "", ""), name)
