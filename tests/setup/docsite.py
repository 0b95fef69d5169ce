# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""C(make docs): the documentation as a site. antsibull-docs writes the pages of plugins, roles and guides, those of the playbooks are made here, and
Sphinx makes HTML of all.

    docsite.py BUILD COLLECTION

Any warning fails: a reference that leads nowhere, a guide that no table of contents names, markup that is wrong. No network is needed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from antsibull_docs_parser.dom import PluginIdentifier
from antsibull_docs_parser.parser import Context, parse
from antsibull_docs_parser.rst import to_rst

NAME = "winops.volume_activation"
HERE = Path(__file__).resolve().parent
# What only roles of the collection use is for nobody to read.
INTERNAL = re.compile(r"^run_\w+_module$")
_OWN = f"ansible_collections.{NAME}"


def antsibull(pages: Path) -> None:
    """Let antsibull-docs write its pages into a folder."""
    shutil.rmtree(pages, ignore_errors=True)
    # antsibull-docs refuses a folder that others can write.
    pages.mkdir(parents=True, mode=0o700)
    command = ["antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", str(pages), NAME]
    subprocess.run(command, check=True)


def about(playbook: str) -> str:
    """What the comment at the top of a playbook says, as one paragraph of reStructuredText or several."""
    comment = re.search(r"^---\n((?:#.*\n)+)", playbook, re.MULTILINE)
    lines = [line.removeprefix("#").strip() for line in comment[1].splitlines()] if comment else []
    return re.sub(r"([\\*`|]|_(?=\W|$))", r"\\\1", "\n".join(lines))


def entry_points(playbooks: Path, name: str) -> list[tuple[str, str]]:
    """The roles that a playbook or the playbooks that it imports include, each with its documented entry point, in their order."""
    text = (playbooks / f"{name}.yml").read_text(encoding="utf-8")
    found = []
    for role, tasks in re.findall(rf"name: {re.escape(NAME)}\.(\w+)\n(?: +tasks_from: (\w+))?", text):
        if spec := specs(playbooks, role):
            found.append((role, next((entry for entry in spec if entry != "main" and tasks.startswith(entry)), "main")))
    for imported in re.findall(r"import_playbook: (\w+)\.yml", text):
        found += entry_points(playbooks, imported)
    return list(dict.fromkeys(found))


def specs(playbooks: Path, role: str) -> dict[str, Any]:
    """The argument specs of a role, by entry point; empty for one without."""
    path = playbooks.parent / "roles" / role / "meta/argument_specs.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"] if path.exists() else {}


def variable(plugin: PluginIdentifier, entry: str, name: str, spec: Mapping[str, Any]) -> str:
    """A variable with its type and the first paragraph about it, as an item of a definition list that links to all that is said of it."""
    known = [str(spec["type"])] + (["required"] if spec.get("required") else [])
    if spec.get("choices"):
        known.append(f"one of {', '.join(str(choice) for choice in spec['choices'] if choice != '')}")
    if spec.get("default") not in (None, "", [], {}):
        known.append(f"by default {json.dumps(spec['default'])}")
    first = spec["description"] if isinstance(spec["description"], str) else spec["description"][0]
    said = to_rst(parse(first, Context(current_plugin=plugin, role_entrypoint=entry)), current_plugin=plugin)
    return f":ansopt:`{plugin.fqcn}#role:{entry}:{name}` ({'; '.join(known)})\n    {said}"


def playbook_page(playbooks: Path, name: str) -> str:
    """The page of a playbook.

    Args:
        playbooks: The folder of the playbooks.
        name: The name of one.
    """
    text = (playbooks / f"{name}.yml").read_text(encoding="utf-8")
    title = f"{NAME}.{name} playbook"
    lines = [f".. _{_OWN}.{name}_playbook:", "", title, "=" * len(title), "", about(text), ""]
    lines += [".. code-block:: console", "", f"    ansible-playbook -i inventory.yml {NAME}.{name}", ""]
    plays = re.findall(r"^- name: (.+)$", text, re.MULTILINE)
    lines += ["Plays", "-----", "", *(f"#. {play}" for play in plays), ""]
    for role, entry in entry_points(playbooks, name):
        plugin = PluginIdentifier(f"{NAME}.{role}", "role")
        heading = f"Variables of the role {role}"
        lines += [heading, "-" * len(heading), ""]
        lines += [f"All is said of them on the page of the role :ansplugin:`{NAME}.{role}#role`.", ""]
        for option, spec in specs(playbooks, role)[entry]["options"].items():
            lines += [variable(plugin, entry, option, spec), ""]
    lines += [f"Roles share :ref:`the variables of the collection <{_OWN}.docsite.variables>`.", ""]
    return "\n".join(lines)


def playbook_section(names: list[str]) -> str:
    """The part of the first page about playbooks."""
    entries = "\n".join(f"    {name}_playbook" for name in names)
    return f"Playbook Index\n--------------\n\n.. toctree::\n    :maxdepth: 1\n\n{entries}\n\n"


def index(text: str, playbooks: list[str]) -> str:
    """The first page with playbooks and roles before plugins, and without what is internal.

    Args:
        text: The page as antsibull-docs writes it.
        playbooks: The names of the playbooks.
    """
    kept = "\n".join(line for line in text.splitlines() if not re.search(r":ansplugin:`run_|^    run_\w+_module$", line))
    start, plugins, roles = kept.partition(f".. _plugin_index_for_{NAME}:")[0], *_two(kept)
    title = "=" * len(NAME)
    begun = re.sub(r"^\S+\n=+$", f"{NAME}\n{title}", start, count=1, flags=re.MULTILINE)
    # The guides are the table of contents, so no second one of the page itself.
    begun = begun.replace(".. contents::\n   :local:\n   :depth: 1\n", "")
    return f"{begun}{playbook_section(playbooks)}{roles.rstrip()}\n\n{plugins}"


def _two(text: str) -> tuple[str, str]:
    """The part about plugins, and that about roles."""
    rest = text[text.index(f".. _plugin_index_for_{NAME}:") :]
    at = rest.index(f".. _role_plugins_in_{NAME}:")
    return rest[:at], rest[at:]


def complete(pages: Path, collection: Path) -> None:
    """Take out what is internal, put roles first, and bring the playbooks and the drawings, which antsibull-docs leaves behind.

    Args:
        pages: Where antsibull-docs wrote.
        collection: The folder of the collection.
    """
    for page in pages.glob("*.rst"):
        if INTERNAL.match(page.stem):
            page.unlink()
    first = pages / "index.rst"
    names = sorted(path.stem for path in (collection / "playbooks").glob("*.yml"))
    first.write_text(index(first.read_text(encoding="utf-8"), names), encoding="utf-8")
    for name in names:
        (pages / f"{name}_playbook.rst").write_text(playbook_page(collection / "playbooks", name), encoding="utf-8")
    shutil.copytree(collection / "docs/docsite/rst/images", pages / "docsite/images")


def main(build: Path, collection: Path) -> int:
    """Make the site; returns the exit code."""
    pages, site = build / "cache/docs/pages", build / "docs"
    antsibull(pages)
    complete(pages, collection)
    shutil.rmtree(site, ignore_errors=True)
    sphinx = [sys.executable, "-m", "sphinx", "-q", "-n", "-W", "--keep-going", "-b", "html", "-c", str(HERE / "docs")]
    # A kept state could hide a warning of a page that did not change.
    done = subprocess.run([*sphinx, "-E", "-d", str(build / "cache/docs/state"), str(pages), str(site)], check=False)
    if done.returncode == 0:
        print(f"docs: {os.path.relpath(site)}/index.html")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
