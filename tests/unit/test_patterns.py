# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every regular expression of the plugins takes time by the length of the text, whatever the text.

Each is found in the sources and called as they call it, with pieces that are repeated and that its own words and the usual suspects
make, between beginnings and ends that let it begin and keep it from ending.
"""

from __future__ import annotations

import ast
import importlib
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tiers
from unit import timing

TREE = Path(__file__).resolve().parents[2]
COLLECTION = "ansible_collections.winops.volume_activation.plugins"
CALLS = frozenset({"match", "fullmatch", "search", "sub", "split", "findall", "finditer"})
PIECES = ("0", "a", "A", " ", "\n", ".", ":", "=", "-", "_", "/", "\\", "<", ">", '"', "'", "(", ")", ",", "&amp;", "0 ", "a:", "0:", "a.", "a-", "0-",
          " a", "<a ", ' a="', " = ", "\u200b")  # fmt: skip
BEGINNINGS = ("", "<", "<a ", "D:", "P")
ENDS = ("", "!", "x", "\0")


class Pattern:
    """A regular expression, where it is, and how it is called."""

    def __init__(self, where: str, pattern: re.Pattern[Any], calls: set[str]) -> None:
        self.where = where
        self.pattern = pattern
        self.calls = calls

    def __call__(self, text: str) -> None:
        given: Any = text.encode("utf-8") if isinstance(self.pattern.pattern, bytes) else text
        for call in self.calls:
            if call in ("match", "fullmatch", "search"):
                getattr(self.pattern, call)(given)
            else:
                for _found in self.pattern.finditer(given):
                    pass

    def pieces(self) -> Iterator[str]:
        """What is repeated: the usual suspects, and the words that the pattern itself has."""
        yield from PIECES
        source = self.pattern.pattern if isinstance(self.pattern.pattern, str) else self.pattern.pattern.decode("latin-1")
        for word in dict.fromkeys(re.findall(r"[A-Za-z0-9][A-Za-z0-9:=. -]{1,60}", source)):
            yield from (word, f"{word} ", f"{word} a ", f"{word}a")

    def texts(self, length: int, beginnings: tuple[str, ...], ends: tuple[str, ...]) -> Iterator[Callable[[int], str]]:
        """Texts of this length or another that take longest at first sight."""
        timed = []
        for piece in self.pieces():
            for beginning in beginnings:
                for end in ends:
                    made = _text(beginning, piece, end)
                    timed.append((timing.once(self, made(length)), len(timed), made))
        yield from (made for _seconds, _place, made in sorted(timed, reverse=True, key=lambda entry: entry[:2])[:3])


def _text(beginning: str, piece: str, end: str) -> Callable[[int], str]:
    return lambda length: f"{beginning}{piece * (length // len(piece))}{end}"


def patterns() -> Iterator[Pattern]:
    sources = {path: path.read_text(encoding="utf-8") for path in sorted((TREE / "plugins").rglob("*.py")) if path.name != "__init__.py"}
    for path, source in sources.items():
        where = path.relative_to(TREE / "plugins").with_suffix("")
        if "re." not in source:
            continue
        module = importlib.import_module(f"{COLLECTION}.{'.'.join(where.parts)}")
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern) and re.search(rf"^{name} = ", source, re.MULTILINE):
                # A private one is used where it is; others have the same name.
                texts = [source] if name.startswith("_") else sources.values()
                calls = {call for text in texts for call in re.findall(rf"\b{name}\.(\w+)\(", text)} & CALLS
                yield Pattern(f"{where}:{name}", value, calls or {"fullmatch"})
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call) or not ast.unparse(node.func).startswith("re.") or not isinstance(node.args[0], ast.Constant):
                continue
            call = ast.unparse(node.func).removeprefix("re.")
            flags = re.IGNORECASE if "IGNORECASE" in ast.unparse(node) else 0
            if call in CALLS:
                yield Pattern(f"{where}:{node.lineno}", re.compile(str(node.args[0].value), flags), {call})


def too_slow(found: Pattern, length: int, beginnings: tuple[str, ...], ends: tuple[str, ...]) -> list[str]:
    made = found.texts(length // 8, beginnings, ends)
    return [f"{found.where} with {text(8)!r}" for text in made if not timing.is_linear(found, text, length)]


@pytest.mark.tier("test")
def test_every_regular_expression_takes_linear_time():
    known = list(patterns())
    assert len(known) > 40
    assert [slow for found in known for slow in too_slow(found, 8_000, ("", "<a "), ("!",))] == []


@pytest.mark.tier("soak")
def test_with_more_beginnings_and_ends():
    # All of them together take a quarter of an hour; a soak has another few each time.
    chosen = random.Random(tiers.seed())
    few = [(chosen.sample(BEGINNINGS, 2), chosen.sample(ENDS, 1)) for _pattern in patterns()]
    slow = [too_slow(found, 32_000, tuple(begins), tuple(ends)) for found, (begins, ends) in zip(patterns(), few, strict=True)]
    assert [text for texts in slow for text in texts] == []


@pytest.mark.tier("test")
@pytest.mark.parametrize(("slow", "length"), [(r"a[^<]*y", 6_000), (r"(?=[0-9 ]*[A-Z])[A-Z]{5}", 2_000)])
def test_one_that_takes_the_square_is_found(slow: str, length: int):
    assert too_slow(Pattern("here", re.compile(slow), {"search"}), length, ("",), ("!",))
