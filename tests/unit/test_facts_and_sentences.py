# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing in C(plugins) decides by a sentence or by a label for people: errors carry facts, and steps have a kind.

The sources are parsed, so that a comment or a docstring is no violation.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.tier("quick")

TREE = Path(__file__).resolve().parents[2]
# Where the parts become a sentence.
EDGE = "plugins/plugin_utils/_core/errors.py"
# The one compares what modules would change with what an administrator declared, attribute by attribute; the other shows what modules of
# all collections say, of which there is nothing but the sentence.
SHOWN = frozenset({"plugins/plugin_utils/_runs/audit/deviation.py", "plugins/plugin_utils/_condensed/texts.py"})
TAKES_APART = frozenset({"removeprefix", "removesuffix", "partition", "rpartition", "split", "startswith", "endswith", "index", "find"})
SENTENCES = frozenset({"message", "said", "clause", "remedy"})
LABELS = frozenset({"attribute", "how"})


def complaints(source: str) -> Iterator[str]:
    """What of a source decides by words, as C(line: why)."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield from (f"{node.lineno}: {why}" for why in _of_call(node))
        elif isinstance(node, ast.Compare):
            yield from (f"{node.lineno}: {why}" for side in (node.left, *node.comparators) for why in _of_side(side, node))


def _of_call(node: ast.Call) -> Iterator[str]:
    called = node.func
    if isinstance(called, ast.Attribute) and called.attr in TAKES_APART:
        of = called.value
        if isinstance(of, ast.Attribute) and of.attr in SENTENCES:
            yield f"takes apart a sentence by {called.attr}()"
        if isinstance(of, ast.Attribute) and of.attr in LABELS:
            yield f"decides by a label with {called.attr}()"
        if isinstance(of, ast.Attribute) and of.attr == "code":
            yield f"takes apart a code by {called.attr}()"
        first = node.args[0] if node.args else None
        if isinstance(first, ast.JoinedStr) and called.attr == "removeprefix" and ast.unparse(first).rstrip("'\"").endswith(": "):
            yield "cuts a subject off a sentence"
    if isinstance(called, ast.Name) and called.id == "int" and len(node.args) == 2 and _is_a_code(node.args[0]):
        yield "parses a code"


def _is_a_code(value: ast.expr) -> bool:
    return (isinstance(value, ast.Attribute) and value.attr == "code") or (
        isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Constant) and value.slice.value == "code"
    )


def _of_side(side: ast.expr, node: ast.Compare) -> Iterator[str]:
    text = any(isinstance(other, ast.Constant) and isinstance(other.value, str) and other.value for other in (node.left, *node.comparators))
    if isinstance(side, ast.Attribute) and side.attr == "code" and text:
        yield "compares a code as text"
    if isinstance(side, ast.Attribute) and side.attr in LABELS and all(isinstance(op, (ast.Eq, ast.In)) for op in node.ops):
        yield "compares a label"
    if isinstance(side, ast.Subscript) and isinstance(side.slice, ast.Constant) and side.slice.value in LABELS:
        yield "compares a label"


def test_nothing_decides_by_a_sentence_or_a_label() -> None:
    found = []
    for path in sorted((TREE / "plugins").rglob("*.py")):
        file = path.relative_to(TREE).as_posix()
        if file not in (EDGE, *SHOWN):
            found += [f"{file}:{complaint}" for complaint in complaints(path.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "failure.message.removeprefix(f'{host}: ')",
        "failure.message.partition('. ')[0]",
        "str(failure).removeprefix(f'{self.host}: ')",
        "failure.said.startswith('kms-1')",
        "failure.code.startswith('0x')",
        "int(failure.code, 16)",
        "int(error['code'], 16)",
        "failure.code == 'HTTP 401'",
        "'0xC004F075' != failure.code",
        "any(step.attribute == 'license status' for step in steps)",
        "step.attribute in names",
        "step.how.startswith('netsh')",
        "step['attribute'] == attribute",
    ],
)
def test_a_planted_violation_is_found(source: str) -> None:
    assert list(complaints(source))


@pytest.mark.parametrize(
    "source",
    [
        "failure.message.rstrip('.')",
        "failure.code == http(401)",
        "failure.hresult != STOPPING",
        "int(digits, 16)",
        "step.kind is Kind.LICENSE",
        "shown = {'attribute': step.attribute}",
        "fragment.removeprefix('winops.volume_activation.')",
        "name.removeprefix(f'{option}.')",
    ],
)
def test_what_is_allowed_is_not_reported(source: str) -> None:
    assert not list(complaints(source))
