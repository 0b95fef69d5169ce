# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages for contributors, the workflows and the hooks say there is: files, functions, links, make targets and commands.

Each function returns what is wrong, as sentences; an empty list if all is there. Needs the standard library alone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

TREE = Path(__file__).resolve().parents[1]

_SUFFIXES = (".cfg", ".json", ".md", ".py", ".rst", ".sh", ".svg", ".toml", ".txt", ".yaml", ".yml")
_CODE = re.compile(r"`([^`\n]+)`")
_BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
_VARIABLE = re.compile(r"([A-Z][A-Z_]*)=(.*)")
# What a name in the text stands for a choice with.
_ANY = re.compile(r"\bNAME\b")
# Command in an environment to the pinned package that brings it.
_PACKAGES = {"ansible": "ansible-core", "ansible-galaxy": "ansible-core", "ansible-playbook": "ansible-core"}


def commands(text: str) -> list[str]:
    """The lines of all console blocks, without the comments behind them."""
    lines = [line for block in _CONSOLE.findall(text) for line in block.splitlines()]
    return [line.partition("  # ")[0].strip() for line in lines if line.strip()]


def inline_commands(text: str) -> list[str]:
    """The commands in the text itself that call make or something by its path."""
    return [found for found in _CODE.findall(_BLOCK.sub("", text)) if re.match(r"make [a-z-]", found)]


def makefile(tree: Path = TREE) -> str:
    """The Makefile, with its folder for everything that is made by its name."""
    return (tree / "Makefile").read_text(encoding="utf-8").replace("$(build)", "build")


def targets(make: str) -> set[str]:
    """The targets of a Makefile."""
    return set(re.findall(r"^([a-z][a-z-]*)\s*:(?!=)", make, re.MULTILINE))


def wrong_command(command: str, tree: Path = TREE) -> list[str]:
    """What a command names that there is not."""
    words = shlex.split(command)
    while words and _VARIABLE.fullmatch(words[0]):
        words = words[1:]
    program, *arguments = words
    if program == "make":
        return _wrong_make(arguments, tree)
    if program == "git":
        # A clone of nothing that could be checked; its arguments are for the reader to choose.
        return [] if arguments[:1] == ["clone"] else [f"git {' '.join(arguments)}: only a clone is expected"]
    wrong = []
    if program.startswith("build/"):
        wrong = _wrong_program(program, tree)
    elif program not in (".", "python3"):
        wrong = [f"{program} is no command that this tree brings"]
    return wrong + [text for argument in arguments for text in _wrong_path(argument.partition("::")[0], tree)]


def _wrong_make(arguments: Iterable[str], tree: Path) -> list[str]:
    make, wrong = makefile(tree), []
    words = iter(arguments)
    for word in words:
        variable = _VARIABLE.fullmatch(word)
        if word == "-C":
            next(words)
        elif variable is None:
            wrong += [] if word in targets(make) else [f"make has no target {word}"]
        elif not re.search(rf"\b{variable[1]}\b", make):
            wrong.append(f"make has no variable {variable[1]}")
        elif variable[1] == "PLAY" and not (tree / "playbooks" / f"{variable[2]}.yml").exists():
            wrong.append(f"there is no playbook {variable[2]}")
    return wrong


def _wrong_program(program: str, tree: Path) -> list[str]:
    environment, _slash, name = program.rpartition("/bin/")
    setup = "".join(path.read_text(encoding="utf-8") for path in sorted((tree / "tests/setup").glob("*.*")))
    pinned = set(re.findall(r"^([a-z0-9-]+)==", setup, re.MULTILINE))
    wrong = [] if re.search(rf"{re.escape(environment)}(?![\w-])", makefile(tree) + setup) else [f"nothing makes {environment}"]
    return wrong + ([] if name == "python" or _PACKAGES.get(name, name) in pinned else [f"{environment} has no {name}"])


def _wrong_path(argument: str, tree: Path) -> list[str]:
    if "/" not in argument or argument.startswith("-"):
        return []
    if argument.startswith("build/"):
        return [] if argument in makefile(tree) or argument.endswith("/winops/volume_activation") else [f"nothing makes {argument}"]
    return [] if (tree / argument).exists() else [f"there is no {argument}"]


def named_files(text: str) -> Iterator[str]:
    """What stands as code in the text and looks like a file or folder."""
    for found in _CODE.findall(_BLOCK.sub("", text)):
        if re.fullmatch(r"[\w./-]+", found) and (
            found.endswith((*_SUFFIXES, "/")) or found.startswith((".", "docs/", "plugins/", "tests/"))
        ):
            yield found


def wrong_files(page: Path, tree: Path = TREE, folder: Path | None = None) -> list[str]:
    """Files that a page names and links that it has, with nothing behind them.

    Args:
        page: The page.
        tree: The top of the tree, where names of files begin.
        folder: Another folder where they may begin.
    """
    text = page.read_text(encoding="utf-8")
    wrong = []
    for name in named_files(text):
        pattern = _ANY.sub("*", name.strip("/"))
        if not name.startswith("build/") and not any(any(place.glob(pattern)) for place in (tree, folder or tree)):
            wrong.append(f"{page.name} names {name}, which is not there")
    links = [target for target in _LINK.findall(text) if "://" not in target]
    return wrong + [f"{page.name} links to {target}, which is not there" for target in links if not (page.parent / target).exists()]


def wrong_functions(page: Path, source: Path) -> list[str]:
    """Functions and methods that a page names as C(name()) and that no file below a folder defines."""
    defined = set()
    for path in source.rglob("*.py"):
        defined |= set(re.findall(r"^\s*(?:def|class) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    called = re.findall(r"`(?:[\w.]+\.)?(\w+)\(\)`", _BLOCK.sub("", page.read_text(encoding="utf-8")))
    return [f"{page.name} names {name}(), which nothing defines" for name in called if name not in defined]
