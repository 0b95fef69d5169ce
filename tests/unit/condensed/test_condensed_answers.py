# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts, differences and lines of the condensed output: equal for many hosts, one visible line each, and bounded."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._condensed.answers import HIDDEN, NO_MESSAGE, TaskAnswer, answer_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._condensed.differences import difference
from ansible_collections.winops.volume_activation.plugins.plugin_utils._condensed.kinds import MOST_REMEMBERED, Hosts, Kinds
from ansible_collections.winops.volume_activation.plugins.plugin_utils._condensed.lines import broken, in_two_columns
from ansible_collections.winops.volume_activation.plugins.plugin_utils._condensed.texts import MOST_LINES, block, sentence, without_name

pytestmark = pytest.mark.tier("quick")

PC = "pc-001.contoso.com"
NAMES = [PC, "192.0.2.7"]


def shown(given: Any, names: list[str] | None = None) -> list[str]:
    found = difference(given, names or NAMES)
    return [] if found is None else found.shown()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"{PC}: WinRM at {PC}:5985 answered HTTP 503.", "<host>: WinRM at <host>:5985 answered HTTP 503."),
        ("PC-001.Contoso.com is off. 192.0.2.7 as well.", "<host> is off. <host> as well."),
        # Others whose names hold this one.
        (f"x{PC} my-{PC} {PC}.example {PC}-2 192.0.2.70", f"x{PC} my-{PC} {PC}.example {PC}-2 192.0.2.70"),
    ],
)
def test_a_host_is_known_by_its_own_names_alone(text: str, left: str):
    assert without_name(text, NAMES) == left


def test_a_sentence_has_no_name_in_front_and_nothing_that_a_terminal_obeys():
    key = "BBBBB-CCCCC-DDDDD-FFFFF-GGGGG"
    found = sentence(f"{PC}: the key\n  \x1b[31m {key}", NAMES)
    assert found.startswith("the key \\x1b[31m") and found.endswith("GGGGG") and "BBBBB" not in found


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        (
            {"before": {"dnsNode": {"values": ["a"]}}, "after": {"dnsNode": {"values": ["a", "b"]}}},
            ['dnsNode: values: ["a"] -> ["a", "b"]'],
        ),
        ({"before": {}, "after": {"group": {"members": ""}}}, ['group: members: (none) -> ""']),
        (
            {"before": "a\nb\n", "after": "a\nc\n", "after_header": "/etc/x"},
            ["--- before", "+++ after: /etc/x", "@@ -1,2 +1,2 @@", " a", "-b", "+c"],
        ),
        ({"before": "a", "after": "a"}, []),
        ({"before": None, "after": "x"}, ["--- before", "+++ after", "@@ -0,0 +1 @@", "+x"]),
        ({"prepared": "one\ntwo"}, ["one", "two"]),
        ({"dst_binary": 1}, ["(a file that is binary or too large)"]),
        (None, []),
        ("something else", []),
    ],
)
def test_each_form_of_a_difference(given: Any, lines: list[str]):
    assert shown(given) == lines


def test_a_difference_is_bounded_in_depth_and_in_lines_and_those_that_differ_behind_are_not_equal():
    assert len(shown({"before": {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}, "after": {"a": {"b": {"c": {"d": {"e": {"f": 2}}}}}}})) == 1
    long, longer = ({"before": {}, "after": {str(n): n for n in range(many)}} for many in (100, 101))
    assert shown(long)[-1] == f"({100 - MOST_LINES} more lines)"
    assert len(shown(long)) == MOST_LINES + 1
    assert difference(long, []) != difference(longer, [])
    assert block([str(n) for n in range(MOST_LINES + 1)]).shown()[-1] == str(MOST_LINES)


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        ({"msg": f"{PC}: no"}, TaskAnswer(failures=("no",))),
        ({"msg": ["one", "two"]}, TaskAnswer(failures=("one two",))),
        ({"msg": "non-zero return code", "stderr": "not\nfound"}, TaskAnswer(failures=("non-zero return code: not found",))),
        ({}, TaskAnswer(failures=(NO_MESSAGE,))),
        ({"msg": "no", "warnings": [f"{PC}: slow"]}, TaskAnswer(failures=("no",), warnings=("slow",))),
        ({"censored": "hidden", "warnings": ["secret"]}, TaskAnswer(failures=(HIDDEN,))),
        ({"msg": "secret", "_ansible_no_log": True}, TaskAnswer(failures=(HIDDEN,))),
    ],
)
def test_what_a_failure_tells(result: dict[str, Any], answer: TaskAnswer):
    assert answer_of(result, NAMES, "ping", failed=True) == answer


def test_what_an_action_hides_because_of_its_size_has_warnings_that_are_read():
    result = {"censored": "hidden", "msg": "large", "warnings": [f"{PC}: no variable"]}
    assert answer_of(result, NAMES, "run_kms", failed=False, emptied=True) == TaskAnswer(warnings=("no variable",))
    assert answer_of(result, NAMES, "run_kms", failed=False) == TaskAnswer()


def test_an_item_is_named_briefly():
    (text,) = answer_of({"msg": "no"}, NAMES, "ping", failed=True, item={"name": "x" * 1000}).failures
    assert text.startswith('no (item {"name": "xxx') and len(text) < 90


@pytest.mark.parametrize("action", ["debug", "ansible.builtin.debug", "ansible.legacy.debug"])
def test_what_debug_shows(action: str):
    def told(result: dict[str, Any], **arguments: Any) -> TaskAnswer:
        return answer_of({**result, "_ansible_verbose_always": True, "changed": False}, NAMES, action, failed=False, **arguments)

    assert told({"msg": "one\x07 line"}) == TaskAnswer(said=("one\\x07 line",))
    assert told({"msg": ["a", "b"]}) == TaskAnswer(summary=(("a", "b"),))
    assert told({"msg": []}).said[0].shown() == ["[]"]
    assert told({"groups.all": ["a"]}).said[0].shown() == ["{", '  "groups.all": [', '    "a"', "  ]", "}"]
    assert told({"msg": {"a": 1}}).said[0].shown() == ["{", '  "a": 1', "}"]
    assert told({"msg": "All items completed", "results": []}, of_loop=True) == TaskAnswer()
    assert told({"msg": "secret", "_ansible_no_log": True}) == TaskAnswer()
    assert answer_of({"msg": "All is well"}, NAMES, "assert", failed=False) == TaskAnswer()


def test_answers_of_items_are_joined_each_once():
    joined = TaskAnswer(failures=("a", "b")).and_also(TaskAnswer(failures=("b", "c"), warnings=("w",)))
    assert joined == TaskAnswer(failures=("a", "b", "c"), warnings=("w",))


@pytest.mark.parametrize(
    ("count", "most", "text"),
    [
        (1, 3, "h0"),
        (2, 3, "2 hosts (h0, h1)"),
        (3, 3, "3 hosts (h0, h1, h2)"),
        (5, 3, "5 hosts (h0, h1, h2 and 2 more)"),
        (5, None, "5 hosts (h0, h1, h2, h3, h4)"),
        (5, 0, "5 hosts"),
        (1, 0, "1 host"),
    ],
)
def test_hosts_are_counted_and_the_first_are_named(count: int, most: int | None, text: str):
    hosts = Hosts()
    for number in range(count):
        hosts.add(f"h{number}", most)
    assert str(hosts) == text


def test_what_is_remembered_grows_with_the_kinds_and_is_bounded():
    kinds: Kinds[str] = Kinds(3)
    for number in range(10_000):
        kinds.add([f"kind {number}" if number % 2 else "the frequent one"], f"h{number}")
    shown_kinds, others = kinds.shown(2)
    assert [(text, hosts.count) for text, hosts in shown_kinds] == [("the frequent one", 5000), ("kind 1", 1)]
    assert others.count == 4999 and len(others.first) == 3
    assert len(kinds._found) == MOST_REMEMBERED


def test_one_kind_more_is_shown_rather_than_counted():
    kinds: Kinds[str] = Kinds(3)
    for number in range(3):
        kinds.add([f"kind {number}"], f"h{number}")
    assert len(kinds.shown(2)[0]) == 3
    kinds.add(["kind 3"], "h3")
    assert (len(kinds.shown(2)[0]), kinds.shown(2)[1].count) == (2, 2)


def test_a_table_survives_a_narrow_output():
    row = f"STOP  {PC}  " + "word " * 20
    lines = broken(row.rstrip(), 79)
    assert len(lines) > 1 and max(map(len, lines)) <= 79
    assert all(line.startswith(" " * len(f"STOP  {PC}  ") + "word") for line in lines[1:])
    assert " ".join(" ".join(lines).split()) == " ".join(row.split())
    assert broken("  " + "word " * 20, 40)[1].startswith("    word")
    assert broken("x" * 200, 79) == ["x" * 200]


def test_a_long_name_makes_room_for_the_counts():
    assert in_two_columns("  name", "3 ok", 20) == "  name" + " " * 16 + "3 ok"
    line = in_two_columns("  " + "n" * 100, "3 ok", 79)
    assert len(line) == 79 and line.endswith("n...  3 ok")
