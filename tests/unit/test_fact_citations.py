# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever cites a fact cites a heading that is there (docs/facts/README.md#how-to-cite)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from lab.microsoft import variants as microsoft_variants
from lab.wsman import variants as wsman_variants

pytestmark = pytest.mark.tier("quick")

TREE = Path(__file__).resolve().parents[2]
FACTS = "docs/facts"
KINDS = {".cfg", ".in", ".j2", ".json", ".md", ".ps1", ".py", ".rst", ".sh", ".toml", ".txt", ".yaml", ".yml", ""}
PROSE = {".md", ".rst"}
MARKS = ("documented", "seen", "third party", "open")

# The last character is no punctuation, so that a sentence can end behind a citation.
_MENTION = re.compile(r"docs/facts/([\w./#-]*\w)?")
_SECTION_BEHIND = re.compile(r"docs/facts/[\w./#-]*\w,? (?:section )?\d+\.\d+")
_SHORT = re.compile(r"(?<![\w/.-])(?:\.{0,2}/)*(?:facts/)?[\w-]+\.md#[\w-]+")
# A sheet that somebody has beside the tree: a name of this kind, with or without a section.
_SHEET = re.compile(r"\b[a-z]+-(?:(?:conventions|costs|facts|scenarios|sheet)(?![\w-])|wire(?:\.md\b|,? §|,? \d))")
_LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")
_BRACKETS = re.compile(r"\[([^\[\]]+)\](?!\()")
_ABBREVIATION = re.compile(r"(?!KB\d|RFC\b)[A-Z][A-Z0-9]+")
_SOURCE = re.compile(r"(lab|[A-Z][A-Z0-9]+|MS-[A-Z]+ \d+(?:\.\d+)*|RFC \d+(?: \d+(?:\.\d+)*)?|docs/facts/\S+)(?: \(.*\))?")


def anchor(heading: str) -> str:
    """What a heading is called in an address, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


def headings(text: str) -> list[str]:
    """The anchors of a page, in order; what looks like a heading in a block of code is none."""
    found, in_code = [], False
    for line in text.splitlines():
        in_code ^= line.startswith("```")
        if not in_code and (heading := re.fullmatch(r"#+ (.+)", line)):
            found.append(anchor(heading[1]))
    return found


@cache
def pages() -> Mapping[str, list[str]]:
    return {path.name: headings(path.read_text(encoding="utf-8")) for path in (TREE / FACTS).glob("*.md")}


@cache
def abbreviations() -> frozenset[str]:
    """What the table of sources explains."""
    _, _, table = (TREE / FACTS / "README.md").read_text(encoding="utf-8").partition("\n## Sources\n")
    return frozenset(re.findall(r"^\| ([A-Z0-9]+) \| \S", table, re.MULTILINE))


@cache
def texts() -> Mapping[str, str]:
    """All of the tree that people write, by its name from the top; this file holds wrong citations on purpose."""
    found = {}
    for folder, below, files in os.walk(TREE):
        below[:] = [name for name in below if name not in {".git", "build", "__pycache__", "output"}]
        for path in (Path(folder, name) for name in files):
            if path.suffix in KINDS and path != Path(__file__).resolve() and path.name != ".git":
                found[path.relative_to(TREE).as_posix()] = path.read_text(encoding="utf-8", errors="replace")
    return found


def unresolved(page: str, heading: str, *, page_alone: bool) -> str | None:
    """What is wrong with this page and heading, if something is."""
    if page not in pages():
        return f"{FACTS} has no page {page}"
    if not heading:
        return None if page_alone else f"{page} without a heading"
    return None if heading in pages()[page] else f"{page} has no heading {heading}"


def complaints(name: str, text: str) -> Iterator[str]:
    """What is wrong with the citations in a file of the tree."""
    prose = PurePosixPath(name).suffix in PROSE
    for found in _MENTION.finditer(text):
        if found[1]:
            page, _, heading = found[1].partition("#")
            # A guide may send its reader to a page; code and data say where on it.
            if said := unresolved(page, heading, page_alone=prose):
                yield said
    yield from (f"'{found[0]}' names a section by number" for found in _SECTION_BEHIND.finditer(text))
    yield from (f"'{found[0]}' is not in the tree" for found in _SHEET.finditer(text))
    if "§" in text:
        yield "a section sign: name a heading, or the section of a public document without the sign"
    if not prose:
        yield from (f"'{found[0]}' is no path from the top of the tree" for found in _SHORT.finditer(text))
    elif name.endswith(".md"):
        for target, heading in _LINK.findall(text):
            path = PurePosixPath(os.path.normpath(PurePosixPath(name).parent / target)) if target else PurePosixPath(name)
            if path.parent == PurePosixPath(FACTS) and (said := unresolved(path.name, heading[1:], page_alone=True)):
                yield said


def unexplained_marks(text: str) -> Iterator[str]:
    """Marks of a page of facts that the README does not have, and abbreviations in them that it does not explain."""
    for mark in _BRACKETS.findall(re.sub(r"`[^`]*`", "", text)):
        kind, _, sources = mark.replace("\n", " ").partition(": ")
        if not kind.startswith(MARKS):
            yield f"[{mark}] is no mark"
        for word in (source.split()[0] for source in re.split(r"[,;]", sources) if source.split()):
            if _ABBREVIATION.fullmatch(word) and word not in abbreviations():
                yield f"{word} in [{mark}] is not explained"


def sources(value: Any) -> Iterator[str]:
    """Every source: and id_source: in the data."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from [str(entry)] if key in {"source", "id_source"} else sources(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from sources(entry)


def unknown_sources(source: str) -> Iterator[str]:
    """Parts of a source: that are neither a citation, nor explained, nor public, nor the lab's own."""
    for part in re.split(r";\s*(?![^(]*\))", source):
        found = _SOURCE.fullmatch(part)
        if not found:
            yield f"'{part}' is no source"
        elif _ABBREVIATION.fullmatch(found[1]) and found[1] not in abbreviations():
            yield f"{found[1]} is not explained"
        elif found[1].startswith(FACTS):
            yield from complaints("data.yml", found[1])


def test_every_citation_in_the_tree_resolves():
    wrong = {name: said for name, text in texts().items() if (said := list(complaints(name, text)))}
    assert wrong == {}


def test_the_tree_cites_facts_in_code_tests_and_data():
    """Or else the tests here look in the wrong place."""
    cited = [name for name, text in texts().items() if "docs/facts/" in text]
    for part in ("plugins/plugin_utils/_licensing/", "tests/unit/lab/", "tests/lab/wsman/", "tests/lab/data/"):
        assert any(name.startswith(part) for name in cited), part


def test_no_page_has_two_headings_with_one_anchor():
    assert {page: found for page, found in pages().items() if len(set(found)) != len(found)} == {}


def test_every_page_is_in_the_table_of_pages():
    listed = re.findall(r"^\| \[([\w-]+\.md)\]\(\1\) \|", (TREE / FACTS / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted([*listed, "README.md"]) == sorted(pages())


@pytest.mark.parametrize("page", sorted(pages()))
def test_marks_of_facts_are_explained(page: str):
    assert list(unexplained_marks((TREE / FACTS / page).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", sorted((TREE / "tests/lab/data").glob("*.yml")), ids=lambda path: path.stem)
def test_sources_of_lab_data_are_explained(path: Path):
    given = sorted(set(sources(yaml.safe_load(path.read_text(encoding="utf-8")))))
    assert given
    assert {source: said for source in given if (said := list(unknown_sources(source)))} == {}


@pytest.mark.parametrize("topics", [wsman_variants.TOPICS, microsoft_variants.TOPICS], ids=["wsman", "microsoft"])
def test_open_questions_name_no_section_by_number(topics: Mapping[str, wsman_variants.Topic]):
    assert {name: topic.why for name, topic in topics.items() if re.match(r"\d", topic.why)} == {}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("plugins/a.py", '"""Codes (docs/facts/errors.md#no-such-heading)."""', "has no heading no-such-heading"),
        ("plugins/a.py", '"""Codes (docs/facts/no-such-page.md#kms)."""', "has no page no-such-page.md"),
        ("plugins/a.py", "# Codes: docs/facts/errors.md.", "errors.md without a heading"),
        ("plugins/a.py", "# Codes: docs/facts/errors.md#", "errors.md without a heading"),
        ("plugins/a.py", "# Codes: docs/facts/errors#kms", "has no page errors"),
        ("plugins/a.py", "# docs/facts/errors.md#KMS", "has no heading KMS"),
        ("plugins/a.py", "# docs/facts/errors.md#kms, docs/facts/kms.md#cuont", "has no heading cuont"),
        ("plugins/a.py", "# docs/facts/errors.md#kms 4.2", "by number"),
        ("plugins/a.py", "# errors.md#kms", "no path from the top"),
        ("tests/lab/a.yml", "source: facts/errors.md#kms", "no path from the top"),
        ("tests/lab/a.yml", "source: other-facts 5", "'other-facts' is not in the tree"),
        ("tests/lab/a.py", '"""As the wire has it (host-wire §4.4)."""', "'host-wire §' is not in the tree"),
        ("tests/lab/a.py", '"""``reference/host-wire.md`` says how."""', "'host-wire.md' is not in the tree"),
        ("tests/lab/a.py", '"""A refused client is counted (§11)."""', "a section sign"),
        ("CONTRIBUTING.md", "See [the facts](docs/facts/no-such-page.md).", "has no page no-such-page.md"),
        ("docs/architecture.md", "See [the codes](facts/errors.md#no-such-heading).", "has no heading no-such-heading"),
        ("docs/facts/kms.md", "See [the codes](errors.md#no-such-heading).", "has no heading no-such-heading"),
        ("docs/facts/kms.md", "See [below](#no-such-heading).", "has no heading no-such-heading"),
    ],
)
def test_a_wrong_citation_is_found(name: str, text: str, said: str):
    assert any(said in complaint for complaint in complaints(name, text)), list(complaints(name, text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plugins/a.py", '"""Codes (docs/facts/errors.md#kms, docs/facts/kms.md#count). Pure."""'),
        ("plugins/a.py", "# The end of a sentence: docs/facts/errors.md#kms."),
        ("plugins/a.py", "# As MS-DNSP 2.3.2.2 has it; pages are docs/facts/*.md. over-the-wire, ansible_facts"),
        ("CONTRIBUTING.md", "Facts: `docs/facts/README.md`, [errors](docs/facts/errors.md), [KMS](docs/facts/errors.md#kms)."),
    ],
)
def test_a_right_citation_is_not_complained_of(name: str, text: str):
    assert list(complaints(name, text)) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("NOSUCHDOC", "NOSUCHDOC is not explained"),
        ("GVLKDOC; NOSUCHDOC (page 3)", "NOSUCHDOC is not explained"),
        ("lab; caption as published", "'caption as published' is no source"),
        ("dump of a machine", "'dump of a machine' is no source"),
        ("docs/facts/errors.md#no-such-heading (codes)", "has no heading no-such-heading"),
        ("docs/facts/errors.md", "errors.md without a heading"),
        ("", "'' is no source"),
    ],
)
def test_a_wrong_source_is_found(source: str, said: str):
    assert any(said in complaint for complaint in unknown_sources(source)), list(unknown_sources(source))


@pytest.mark.parametrize("source", ["lab", "GVLKDOC; RUSTDUMP", "MS-GPFAS 2.2.2", "lab (one; two); docs/facts/errors.md#kms (codes)"])
def test_a_right_source_is_not_complained_of(source: str):
    assert list(unknown_sources(source)) == []


@pytest.mark.parametrize("text", ["A fact [certain].", "A fact [documented: NOSUCHDOC].", "A fact [third party: ACTWS, NOSUCHDOC 4]."])
def test_a_wrong_mark_is_found(text: str):
    assert list(unexplained_marks(text))
