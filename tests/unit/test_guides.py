# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""README and guides for users: their examples can be, their links and drawings are there, and the site has all of them."""

from __future__ import annotations

import functools
import re
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import guides
import pytest
import troubleshooting
import yaml

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.known_variables import known_variables
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.slmgr_verbs import VERBS

pytestmark = pytest.mark.tier("quick")

README = guides.TREE / "README.md"
FOLDER = guides.TREE / "docs/docsite/rst"
GUIDES = sorted(FOLDER.glob("*.rst"))
DRAWINGS = sorted((FOLDER / "images").glob("*.svg"))
PAGES = [README, *GUIDES]
COLLECTION = "winops.volume_activation."
LABEL = "ansible_collections.winops.volume_activation.docsite."
PLAYBOOKS = {path.stem for path in (guides.TREE / "playbooks").glob("*.yml")}
MODULES = {path.stem for path in (guides.TREE / "plugins/modules").glob("*.yml")}
ROLES = {path.parent.parent.name for path in (guides.TREE / "roles").glob("*/meta/argument_specs.yml")}
PLUGINS = MODULES | {
    path.stem for kind in ("filter", "lookup", "inventory", "callback") for path in (guides.TREE / "plugins" / kind).glob("*")
}
# Programs that a guide may call, and what no machine needs this collection for.
PROGRAMS = {
    "ansible-playbook",
    "ansible-vault",
    "ansible-inventory",
    "ansible-galaxy",
    "ansible",
    "pip",
    "python3",
    "make",
    "export",
    "apt-get",
}
PROGRAMS |= {".", "tar", "cd", "./install.sh", "jq", "~/winops/bin/ansible-playbook", "findstr"}
_README_BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_GUIDE_BLOCK = re.compile(r"^\.\. code-block:: (\S+)\n\n((?:[ ]+.*\n|\n)+)", re.MULTILINE)


def blocks(page: Path, *languages: str) -> list[str]:
    """The examples of a page in these languages."""
    text = page.read_text(encoding="utf-8")
    found = _README_BLOCK.findall(text) if page.suffix == ".md" else _GUIDE_BLOCK.findall(text)
    return [textwrap.dedent(block) for language, block in found if language in languages]


def commands(block: str) -> Iterator[str]:
    """The commands of a console example, each on one line and without its comment."""
    for line in block.replace("\\\n", " ").splitlines():
        if command := re.split(r"\s{2,}#|\s#\s", line)[0].strip():
            yield command


def wrong_yaml(value: Any) -> Iterator[str]:
    """What plays, tasks and variables of an example name that there is not."""
    known = known_variables()
    if isinstance(value, list):
        for entry in value:
            yield from wrong_yaml(entry)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(name, str) and name.startswith(COLLECTION):
                yield from wrong_options(name.removeprefix(COLLECTION), inner or {})
            elif isinstance(name, str) and name.startswith(known.prefixes) and name not in known.names | PLAYBOOKS:
                yield f"{name} is no variable"
            yield from wrong_yaml(inner)
        if imported := value.get("ansible.builtin.import_playbook"):
            yield from [] if imported.removeprefix(COLLECTION) in PLAYBOOKS else [f"there is no playbook {imported}"]
        if isinstance(role := value.get("role"), str):
            yield from [] if role.removeprefix(COLLECTION) in ROLES else [f"there is no role {role}"]


@functools.cache
def options_of(module: str) -> frozenset[str]:
    """The options that a module documents itself, and all those of fragments."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = (guides.TREE / "plugins/modules" / f"{module}.yml").read_text(encoding="utf-8")
    shared = "".join(path.read_text(encoding="utf-8") for path in (guides.TREE / "plugins/doc_fragments").glob("_*.py"))
    return frozenset(yaml.load(text, loader)["DOCUMENTATION"]["options"]) | frozenset(re.findall(r"^  (\w+):$", shared, re.MULTILINE))


def wrong_options(module: str, given: dict[str, Any]) -> Iterator[str]:
    """Options of a task that its module does not have."""
    if module not in MODULES:
        yield f"there is no module {module}"
    else:
        yield from (f"{module} has no option {option}" for option in given if option not in options_of(module))


def wrong_command(command: str) -> Iterator[str]:
    """What a command of an example names that there is not."""
    for part in re.split(r"""\s(?:&&|\|)\s(?=(?:[^'"]|'[^']*'|"[^"]*")*$)""", command):
        program = part.split()[0]
        if program not in PROGRAMS:
            yield f"{program} is no command that a guide may need"
        if program == "make":
            yield from guides.wrong_command(part)
        for name in re.findall(rf"{re.escape(COLLECTION)}(\w+)", part):
            if name not in PLAYBOOKS | PLUGINS:
                yield f"there is no {name}"
        for name in re.findall(r"-e (\w+)=", part):
            if name not in known_variables().names:
                yield f"{name} is no variable"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_yaml_of_a_page_is_yaml_and_names_only_what_there_is(page: Path):
    wrong = []
    for block in blocks(page, "yaml", "yaml+jinja"):
        wrong += list(wrong_yaml(yaml.safe_load(block)))
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_name_only_what_there_is(page: Path):
    found = [command for block in blocks(page, "console") for command in commands(block)]
    assert [wrong for command in found for wrong in wrong_command(command)] == []


def test_the_commands_and_scripts_of_all_pages_have_the_syntax_of_a_shell():
    text = "\n".join(block for page in PAGES for block in blocks(page, "console", "sh"))
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_readme_can_be_read_in_one_go():
    assert len(README.read_text(encoding="utf-8").splitlines()) < 180


def test_the_readme_leads_to_the_first_guide_and_to_what_was_tried():
    text = README.read_text(encoding="utf-8")
    for name in ("getting_started", "limits", "contents", "requirements"):
        assert f"](docs/docsite/rst/{name}.rst)" in text


def test_the_table_of_contents_has_every_guide_once_and_begins_with_the_first_one():
    sections = yaml.safe_load((FOLDER.parent / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    listed = [entry for section in sections for entry in section["toctree"]]
    assert sorted(listed) == [path.stem for path in GUIDES]
    assert listed[0] == "getting_started"


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_a_guide_has_its_label_and_links_to_guides_and_plugins_that_there_are(page: Path):
    text = page.read_text(encoding="utf-8")
    assert f".. _{LABEL}{page.stem}:\n" in text
    labels = re.findall(rf"[<`]{re.escape(LABEL)}(\w+)[>`]", text)
    assert [label for label in labels if not (FOLDER / f"{label}.rst").exists()] == []
    named = re.findall(rf":ansplugin:`{re.escape(COLLECTION)}(\w+)#(\w+)`", text)
    assert [name for name, kind in named if name not in (ROLES if kind == "role" else PLUGINS)] == []


def test_every_drawing_is_shown_and_every_drawing_that_is_shown_is_there():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert set(re.findall(r"images/(\w+\.svg)", text)) == {path.name for path in DRAWINGS}


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_a_drawing_can_be_read_on_a_phone(path: Path):
    """It is as wide as a phone at most, its text is large enough, and no text or box reaches beyond the edge."""
    root = ElementTree.parse(path).getroot()
    width, height, size = (float(root.get(name, 0)) for name in ("width", "height", "font-size"))
    assert width <= 360
    assert size >= 12
    for element in root.iter("{http://www.w3.org/2000/svg}text"):
        length, x = len(element.text or "") * size * 0.62, float(element.get("x", 0))
        left = x - {"start": 0.0, "middle": length / 2, "end": length}[element.get("text-anchor", "start")]
        assert left >= 0, element.text
        assert left + length <= width, element.text
        assert 0 < float(element.get("y", 0)) < height
    for element in root.iter("{http://www.w3.org/2000/svg}rect"):
        assert float(element.get("x", 0)) + float(element.get("width", 0)) <= width


def test_the_page_about_errors_is_that_of_the_error_table():
    written = troubleshooting.PAGE.read_text(encoding="utf-8")
    assert written == troubleshooting.page(), "write it again: PYTHONPATH=build/collections python3 tests/troubleshooting.py"


def test_a_code_with_two_causes_has_both_on_the_page():
    _before, _code, entry = troubleshooting.page().partition("``0x800706BA``")
    assert "TCP port 1688 of the KMS host" in entry.partition("``0x")[0]
    assert "RpcSs" in entry.partition("``0x")[0]


def test_those_who_come_from_slmgr_find_every_verb_once():
    text = (FOLDER / "from_slmgr.rst").read_text(encoding="utf-8")
    rows = re.findall(r"^   \* - (``/.+)$", text, re.MULTILINE)
    assert sorted(verb for row in rows for verb in re.findall(r"``/([\w-]+)``", row)) == sorted(VERBS)


@pytest.mark.parametrize(
    ("example", "why"),
    [
        ({"kms_single_site_tickt": "purge"}, "kms_single_site_tickt is no variable"),
        ([{"name": "x", "winops.volume_activation.kms_hots": {}}], "no module kms_hots"),
        ([{"name": "x", "winops.volume_activation.kms_host": {"prot": 1}}], "no option prot"),
        ([{"hosts": "all", "roles": [{"role": "winops.volume_activation.kms"}]}], "no role"),
        ([{"ansible.builtin.import_playbook": "winops.volume_activation.kms"}], "no playbook"),
    ],
)
def test_a_wrong_example_is_found(example: Any, why: str):
    (found,) = wrong_yaml(example)
    assert why in found


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("ansible-playbok -i inventory.yml state.yml", "ansible-playbok is no command"),
        ("make dosc", "no target dosc"),
        ("ansible-playbook -i inventory.yml winops.volume_activation.kms_sinlge_site", "no kms_sinlge_site"),
        ("ansible-playbook site.yml -e mak_proxy_exprot=x", "mak_proxy_exprot is no variable"),
    ],
)
def test_a_wrong_command_is_found(command: str, why: str):
    (found,) = wrong_command(command)
    assert why in found
