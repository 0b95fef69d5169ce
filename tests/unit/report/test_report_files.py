# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report counts, and its files for programs: CSV, JSON, metrics and the history."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fleets import HOSTILE, NOW, SCRIPT, audit, fleet, report_of, row, survey_file
from unit.timing import is_linear

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report import data, history, keys, model, run
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.deviations import grouped
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.page import as_html
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.prometheus import PREFIX, as_metrics
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.reading import read_audit, read_survey
from ansible_collections.winops.volume_activation.plugins.plugin_utils._state.directory import StateDirectory
from ansible_collections.winops.volume_activation.plugins.plugin_utils._state.kinds import FileKind

pytestmark = pytest.mark.tier("quick")

KEY = "BBBBB-BBBBB-BBBBB-BBBBB-CCCCC"
DARK = {"outcome": "unreachable", "state": None, "channel": None, "product": None, "partial_key": None, "reason": "no answer"}
# A sample of the text format: name, labels, value (Prometheus, "Exposition formats").
SAMPLE = re.compile(r'[a-z_]+(\{[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"(,[a-z_]+="(?:[^"\\\n]|\\[\\"n])*")*\})? [0-9.e+]+')


def test_computers_are_counted_by_product_channel_and_state():
    rows = [row("a"), row("b"), row("c", state=None, channel=None, product=None), row("d", **DARK), row("e", state="notification")]
    report = report_of(rows)
    enterprise = "Windows(R), Enterprise edition"
    assert report.licences == {(enterprise, "gvlk", "licensed"): 2, ("", "no_key", "no_key"): 1, (enterprise, "gvlk", "notification"): 1}
    assert report.outcomes == {"read": 4, "unreachable": 1}
    assert [computer.state for computer in report.computers] == ["licensed", "licensed", "no_key", "unreachable", "notification"]


def test_what_ends_soon_is_what_ends_and_was_read():
    rows = [
        row("late", expires_in_days=30),
        row("soon", expires_in_days=29),
        row("first", expires_in_days=0),
        row("never", permanent=True, expires_in_days=3),
        row("unknown", expires_in_days=None),
        row("dark", **DARK, expires_in_days=1),
    ]
    assert [computer.host for computer in report_of(rows).expiring] == ["first", "soon"]
    assert [computer.host for computer in report_of(rows, expiring_days=31).expiring] == ["first", "soon", "late"]


@pytest.mark.parametrize(
    "strange", [{"expires_in_days": "3"}, {"product": 7}, {"kms_client_settings": []}, {"count": True, "kms_host": True}, {"outcome": 5}]
)
def test_a_field_of_another_form_is_empty(strange: dict[str, Any]):
    assert report_of([row("a", **strange)]).computers[0].host == "a"
    assert as_html(report_of([row("a", **strange)]))


def test_kinds_of_licences_and_kms_hosts_are_bounded_whatever_computers_say():
    rows = [row(f"pc-{number}", product=f"Windows {number}", kms_host=True, count=number) for number in range(1000)]
    report = report_of(rows)
    assert len(report.licences) == model.MOST_KINDS + 1
    assert sum(report.licences.values()) == 1000
    assert len(report.kms_hosts) == model.MOST_KMS_HOSTS
    assert as_metrics(report).count(b"\n") < 450


def test_a_cell_is_no_formula_and_a_row_stays_a_row():
    rows = [row(name, product=name, reason='a "b", c') for name in (*HOSTILE, "@SUM(A1)", "-1", "+1")]
    made = data.as_csv(report_of(rows)).decode("utf-8-sig")
    table = list(csv.reader(io.StringIO(made, newline="")))
    assert table[0] == ["host", "state", "product", "channel", "key", "days", "expires", "kms", "count", "reason"]
    assert len(table) == 1 + len(rows)
    assert not [cell for cells in table for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert [cells[0] for cells in table[1:3]] == [SCRIPT, HOSTILE[1]]
    assert "'=1+1" in made
    # Numbers are numbers.
    assert table[1][5] == "172"


def test_the_data_hold_the_numbers_and_the_audit():
    report = report_of(fleet(200), audit=audit(), maks=[model.MakLeft("win", "BBBBB", 2, 47)], listed={"computers": 2})
    report.history = {"kms-e1.east.contoso.com": [(NOW, 50)]}
    found = json.loads(data.as_json(report))
    assert (found["version"], found["time"], found["hosts"], found["outcomes"]) == (1, NOW, 201, {"read": 198, "unreachable": 3})
    assert sum(entry["count"] for entry in found["licences"]) == 198
    assert found["kms_hosts"] == [{"host": "kms-e1.east.contoso.com", "count": 50, "history": [{"at": NOW, "count": 50}]}]
    assert found["maks"] == [{"name": "win", "key": "BBBBB", "computers": 2, "remaining": 47, "note": ""}]
    assert found["audit"]["verdict"] == "deviations"
    assert found["expiring"] == [
        {"host": "pc-00011.east.contoso.com", "days": 11, "expires": "2027-05-22T04:14Z", "kms": "kms-e1.east.contoso.com"}
    ]


def test_metrics_follow_the_text_format_and_escape_labels():
    rows = [row("a", product='x" \\ y'), row("b\nc", kms_host=True, count=3), row("d", **DARK)]
    report = report_of(rows, audit=audit(), maks=[model.MakLeft('w"in', "BBBBB", 1, 47), model.MakLeft("none", "", 0, None)])
    lines = as_metrics(report).decode().splitlines()
    samples = [line for line in lines if not line.startswith("#")]
    assert not [line for line in samples if not SAMPLE.fullmatch(line)]
    assert f'{PREFIX}licences{{product="x\\" \\\\ y",channel="gvlk",state="licensed"}} 1' in samples
    assert f'{PREFIX}mak_remaining_activations{{mak="w\\"in",key="BBBBB"}} 47' in samples
    assert f'{PREFIX}computers{{outcome="unreachable"}} 1' in samples
    assert f'{PREFIX}deviations{{severity="deviation"}} 2' in samples
    assert f"{PREFIX}report_timestamp_seconds 1796098442" in samples
    # Help and type stand once, right before the samples of a metric, and no name ends like a part of another kind of metric.
    named = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(named) == len(set(named)) == sum(line.startswith("# HELP") for line in lines)
    assert not [name for name in named if name.endswith(("_total", "_count", "_sum", "_bucket", "_info"))]
    assert as_metrics(report).endswith(b"\n")


def test_no_metric_is_for_each_client():
    assert len(as_metrics(report_of(fleet(2000)))) < len(as_metrics(report_of(fleet(200)))) + 100


def test_the_history_keeps_the_last_counts_of_each_host():
    kept: history.History = {name: [(f"{day:020}", day) for day in range(history.MOST_OF_HOST)] for name in ("kms-1", "kms-2")}
    for day in range(history.MOST_OF_HOST, history.MOST_OF_HOST + 5):
        kept = history.parse(history.encode(history.with_report(kept, f"{day:020}", {"kms-1": day, "kms-2": 1})))
    assert len(kept["kms-1"]) == len(kept["kms-2"]) == history.MOST_OF_HOST
    assert kept["kms-1"][-1] == (f"{history.MOST_OF_HOST + 4:020}", history.MOST_OF_HOST + 4)


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"host": 1}', b'{"host": "a", "at": "x", "count": true}', b"\xff", b"[" * 100_000])
def test_a_line_that_is_none_of_the_history_is_passed_over(line: bytes):
    good = b'{"at": "2026-12-01T04:14:02Z", "host": "kms-1", "count": 25}\n'
    assert history.parse(good + line + b"\n" + good) == {"kms-1": [(NOW, 25), (NOW, 25)]}


def test_the_history_as_a_whole_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history, "MOST", 4000)
    many = {f"kms-{number}": [(f"{day:020}", 1) for day in range(history.MOST_OF_HOST)] for number in range(12)}
    assert history.encode(many).count(b"\n") == 4000
    assert 40_000 * len(history.encode({"k" * 255: [("0" * 20, 10**9)]})) < history.LARGEST


def test_files_take_the_place_of_those_of_the_last_report(tmp_path: Path):
    directory = StateDirectory.judge(str(tmp_path / "state"), {}, ["/"])
    for _time in range(2):
        made = run.written(report_of(fleet(100), audit=audit()), directory)
    assert made["files"]["page"] == str(tmp_path / "state/report.html")
    names = [
        kind.file for kind in (FileKind.REPORT_PAGE, FileKind.REPORT_TABLE, FileKind.REPORT_DATA, FileKind.METRICS, FileKind.REPORT_HISTORY)
    ]
    assert {name: (tmp_path / "state" / name).stat().st_mode & 0o777 for name in names} == dict.fromkeys(names, 0o600)
    assert [path.name for path in (tmp_path / "state").glob("*.tmp")] == []
    assert (tmp_path / "state/report_history.jsonl").read_text().count("kms-e1") == 2
    assert made["summary"][-1] == "Compared with the declared sites: 2 deviations, 1 unknown, 0 notes."
    assert made["numbers"]["verdict"] == "deviations"


def test_nothing_of_a_key_but_its_last_five_characters_is_in_a_report(tmp_path: Path):
    ring = keys.ring_of({"win": {"key": KEY}, "broken": {"key": "short"}, "none": {}})
    report = report_of(
        [row("a", channel="mak", partial_key="CCCCC", reason=f"it holds {KEY}"), row("b", channel="gvlk", partial_key="CCCCC")]
    )
    assert keys.first_holders(ring, report.computers) == [{"key": "win", "host": "a"}]
    report.maks = keys.maks_left(ring, report.computers, [], {})
    assert [(mak.name, mak.key, mak.computers) for mak in report.maks] == [("win", "CCCCC", 1), ("broken", "", 0), ("none", "", 0)]
    assert all(mak.note for mak in report.maks)
    directory = StateDirectory.judge(str(tmp_path), {}, ["/"])
    run.written(report, directory)
    for path in tmp_path.glob("*"):
        assert "BBBBB" not in path.read_text(encoding="utf-8")


def test_what_microsoft_has_left_is_told_by_key():
    ring = keys.ring_of({"win": {"key": KEY}, "office": {"key": KEY.replace("C", "D")}})
    pid = "03612-00206-271-344265-03-1033-20348.0000-0012026"
    held = [
        {"item": {"key": "win", "host": "a"}, "product": {"extended_pid": pid}},
        {"item": {"key": "office", "host": "b"}, "msg": "It failed."},
    ]
    assert keys.extended_pids(held) == [{"name": "win", "extended_pid": pid}]
    computers = report_of([row("a", channel="mak", partial_key="CCCCC"), row("b", channel="mak", partial_key="DDDDD")]).computers
    asked = {"counts": [{"name": "win", "remaining": 47, "error": "", "unlimited_or_blocked": False}]}
    assert [(mak.remaining, mak.note) for mak in keys.maks_left(ring, computers, held, asked)] == [(47, ""), (None, "It failed.")]
    blocked = {"counts": [{"name": "win", "remaining": None, "error": "", "unlimited_or_blocked": True}]}
    assert keys.maks_left(ring, computers, held, blocked)[0].note.startswith("Microsoft tells no number")


def test_deviations_that_differ_in_the_name_alone_are_one():
    assert [(group.severity, group.who) for group in grouped(audit()["deviations"])] == [("deviation", "pc-1, pc-2"), ("unknown", "kms-e1")]


@pytest.mark.parametrize("given", ["few", "-1", "3.5", 2.5, True, "\u0663", "99999999999", "0" * 5000])
def test_a_number_of_days_that_is_none_is_refused(given: Any):
    with pytest.raises(ActivationError, match="volume_activation_report_expiring_days is "):
        run.expiring_days(given)
    assert (run.expiring_days(" 45 "), run.expiring_days(0), run.expiring_days("")) == (45, 0, 30)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 2}'])
def test_a_file_that_is_no_audit_is_refused(tmp_path: Path, content: str):
    path = tmp_path / "audit.json"
    path.write_text(content)
    with pytest.raises(ActivationError, match=r"is no report of an audit. Run the playbook audit again."):
        read_audit(str(path))


def test_time_grows_with_the_hosts(tmp_path: Path):
    def made(hosts: int) -> Path:
        return survey_file(tmp_path / f"survey.{hosts}.jsonl", fleet(hosts))

    def whole(path: Path) -> None:
        report = report_of(())
        read_survey(report, str(path))
        for form in (as_html, data.as_csv, data.as_json, as_metrics):
            form(report)

    assert is_linear(whole, made, 1000)


@pytest.mark.parametrize(
    ("wanted", "declared", "hosts", "due"),
    [
        (None, True, ["kms-1", "pc-1"], (True, ["kms-1"])),
        ("", True, ["kms-1"], (True, ["kms-1"])),
        (False, True, ["kms-1", "pc-1"], (False, [])),
        ("false", True, ["kms-1"], (False, [])),
        (True, False, ["kms-1"], (False, [])),
        # A pattern or a limit leaves out the KMS hosts, or all that the sites are about.
        (True, True, ["pc-1"], (True, [])),
        (True, True, ["pc-9"], (False, [])),
    ],
)
def test_the_sites_are_audited_where_they_are_declared_and_nobody_says_no(
    wanted: Any, declared: bool, hosts: list[str], due: tuple[bool, list[str]]
):
    groups = {"kms_hosts": ["kms-1", "kms-2"], "kms_clients": ["pc-1"]}
    assert tuple(run.audited(wanted, declared, groups, hosts).values()) == due


def test_whether_to_audit_is_true_or_false():
    with pytest.raises(ActivationError, match="volume_activation_report_audit: perhaps is neither true nor false"):
        run.audited("perhaps", True, {}, [])
