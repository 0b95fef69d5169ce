# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fuzzers: what once was found stays mended, inputs get past the outside, a seed is one input, and what is wrong is noticed."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

import guides
import pytest
import tiers
from fuzz import FOUND, corpus, judge
from fuzz import __main__ as program
from fuzz.judge import Heard, Parser
from fuzz.mutations import of_json, of_xml

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import entry
from ansible_collections.winops.volume_activation.plugins.plugin_utils._topology import reading
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import service

pytestmark = pytest.mark.tier("test")

PARSERS = list(program.PARSERS.values())
SHARE_SECONDS = 20.0
# How many inputs the gate tries, and how many outcomes they have at least: where the outside stops them all, there is one.
INPUTS, LEAST = 12, 2
NEVER_REFUSE = {"bind", "scan", "vault", "tasks", "objects", "dns", "records", "history", "descriptors", "identify"}


def named(parser: Parser) -> str:
    return parser.name


@pytest.mark.parametrize("parser", PARSERS, ids=named)
def test_seeds_and_inputs_that_once_were_findings(parser: Parser) -> None:
    # A seed of a task has no answer, and other tests run the tasks.
    files = [path for path in corpus(parser.name).iterdir() if parser.name != "tasks" or path.name.startswith(FOUND)]
    wrong = {path.name: judge.judge(parser, path.read_bytes()).findings for path in files}
    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.parametrize("parser", PARSERS, ids=named)
def test_some_inputs_of_each_parser(parser: Parser) -> None:
    # A task takes as long as some hundred answers.
    inputs = 5 if parser.name == "tasks" else INPUTS
    tried = program.fuzz(parser, 1, inputs, 60, keep=None)
    assert tried.found == {}
    assert tried.inputs == inputs
    assert len(tried.outcomes) >= LEAST or (parser.name in NEVER_REFUSE and (tried.outcomes["taken"] or parser.name == "vault"))


@pytest.mark.parametrize("parser", PARSERS, ids=named)
def test_a_seed_is_one_input(parser: Parser) -> None:
    seeds = program.seeds_of(parser.name)
    inputs = [program.input_of(parser, seed, seeds) for seed in (7, 8, 9, 10, 7)]
    assert inputs[0] == inputs[-1]
    assert len(set(inputs)) > 2


@pytest.mark.tier("soak")
@pytest.mark.parametrize("parser", PARSERS, ids=named)
def test_inputs_of_this_seed(parser: Parser) -> None:
    tried = program.fuzz(parser, tiers.seed() * 10**7, 10**7, SHARE_SECONDS, program.BUILD)
    said = [f"{finding.kind}: {program.command(parser, seed)}" for seed, finding in tried.found.values()]
    assert said == []


@pytest.mark.parametrize(
    ("where", "name", "was", "parser"),
    [
        (service, "_NUMBER", re.compile("[0-9]+"), "identify"),
        (entry, "_INTEGER", re.compile(".*"), "objects"),
        (reading, "_WHOLE", re.compile("[0-9]+"), "topology"),
    ],
)
def test_a_planted_bug_is_found(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, was: Any, parser: str) -> None:
    monkeypatch.setattr(where, name, was)
    found = [judge.judge(program.PARSERS[parser], path.read_bytes()).findings for path in corpus(parser).iterdir()]
    assert [finding.kind.partition(" ")[0] for findings in found for finding in findings] == ["ValueError"] * len(
        [one for one in found if one]
    )
    assert any(found)


def says(text: str) -> Callable[[bytes, Heard], None]:
    return lambda _data, heard: heard.sentences.append(text)


def refuses(text: str, **more: str) -> Callable[[bytes, Heard], None]:
    def read(_data: bytes, _heard: Heard) -> None:
        raise ActivationError(text, **more)

    return read


def takes_long(_data: bytes, _heard: Heard) -> None:
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass


def takes_room(_data: bytes, _heard: Heard) -> None:
    assert bytearray(judge.MEMORY + 1_000_000)


WRONG: dict[str, tuple[Callable[[bytes, Heard], object], str]] = {
    "an exception that nobody expected": (lambda data, _heard: data.decode("ascii"), "UnicodeDecodeError in "),
    "a sentence of two lines": (says("One line.\nok: [kms-1]"), "not one visible line"),
    "a sentence with a control character": (says("\x9b31mred"), "not one visible line"),
    "a sentence without words": (says(""), "an empty sentence"),
    "a sentence of 3,000 characters": (says("x" * 3000), "too long"),
    "a sentence that blames the collection": (refuses("it failed; this is a bug in the collection"), "a bug"),
    "a refusal whose source is the collection": (refuses("it failed", source="collection"), "a bug"),
    "what the driver sees": (lambda _data, heard: heard.wrong.append("it is another one"), "it is another one"),
    "a tenth of a second for a few bytes": (takes_long, "too slow"),
    "memory for a few bytes": (takes_room, "too much memory"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_noticed(case: str) -> None:
    read, kind = WRONG[case]
    judged = judge.judge(Parser("planted", read, lambda _draw, data, _others: data, seconds=0.05), b"\xff", memory=True)
    assert any(finding.kind.startswith(kind) for finding in judged.findings)
    assert judged.outcome == "finding" or kind.startswith("too")


def test_what_is_right_is_let_pass() -> None:
    for read in (says("The host says 1\xa0000 and \u6f22."), refuses("kms-1: it failed."), lambda _data, _heard: None):
        assert judge.judge(Parser("sound", read, lambda _draw, data, _others: data), b"x", memory=True).findings == []


def test_what_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "HANGS_AFTER", 0.1)

    def read(_data: bytes, _heard: Heard) -> None:
        while True:
            pass

    assert judge.judge(Parser("endless", read, lambda _draw, data, _others: data), b"x").findings[0].kind == "hangs"


def is_xml(data: bytes) -> bool:
    try:
        ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError):
        return False
    return True


def test_most_changed_documents_are_still_read() -> None:
    """Else nothing gets past the parsers of XML and JSON."""
    text = b'<a><b c="1">text</b><b c="2"/><d><e>1</e></d></a>'
    changed = [of_xml(Random(seed), text, [text]) for seed in range(200)]
    assert len(set(changed)) > 100
    assert sum(map(is_xml, changed)) > 100
    document = b'{"a": {"b": [1, "x"]}, "c": null}'
    assert len({of_json(Random(seed), document, [document]) for seed in range(200)}) > 100


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["fuzz", *arguments])
    monkeypatch.setattr(program, "BUILD", folder)
    monkeypatch.setattr(program.resource, "setrlimit", lambda *_limits: None)
    return program.main()


def test_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, tmp_path, "--only", "bind,records", "--seed", "5", "--inputs", "3") == 0
    said = capsys.readouterr().out
    assert "fuzz: seeds from 5 on" in said and "bind: 3 inputs, " in said and "6 inputs, 0 kinds of findings" in said
    with pytest.raises(SystemExit):
        run(monkeypatch, tmp_path, "--only", "nobody")


def test_a_finding_is_kept_and_repeated_by_its_seed_and_by_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Parser("bind", says("two\nlines"), program.PARSERS["bind"].mutate)
    monkeypatch.setitem(program.PARSERS, "bind", wrong)
    assert run(monkeypatch, tmp_path, "--only", "bind", "--seed", "5", "--inputs", "3") == 1
    said = capsys.readouterr().out
    assert said.count("FOUND bind 5: not one visible line") == 1 and "make fuzz ONLY=bind SEED=5 INPUTS=1" in said
    kept = tmp_path / "bind-5"
    assert kept.read_bytes() == program.input_of(wrong, 5, program.seeds_of("bind"))
    assert run(monkeypatch, tmp_path, "--only", "bind", "--file", str(kept)) == 1
    assert "not one visible line" in capsys.readouterr().out


def test_the_page_names_every_parser() -> None:
    page = (guides.TREE / "tests/fuzz/README.md").read_text(encoding="utf-8")
    rows = {name for line in page.splitlines() if line.startswith("| `") for name in re.findall("`([a-z]+)`", line.split("|")[1])}
    assert rows == program.PARSERS.keys() == {path.name for path in corpus("").iterdir()}
