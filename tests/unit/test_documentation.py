# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is documented is what there is, also where the documentation is not the argument spec itself: filters and other plugins,
action groups, and roles with their defaults and README.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

pytestmark = pytest.mark.tier("quick")

TREE = Path(__file__).resolve().parents[2]
PLUGINS = TREE / "plugins"
COLLECTION = "ansible_collections.winops.volume_activation.plugins"
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.yml"))
ROLES = sorted(path.parent.parent for path in (TREE / "roles").glob("*/meta/argument_specs.yml"))
RUNTIME = yaml.safe_load((TREE / "meta/runtime.yml").read_text(encoding="utf-8"))
PROSE = ("description", "details", "notes", "short_description")
# A template is a text until it is rendered, which is when the type of a default shows.
TEMPLATE = "{{"


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def filters() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in (PLUGINS / "filter").glob("*.py"):
        if path.stem != "__init__":
            found |= importlib.import_module(f"{COLLECTION}.filter.{path.stem}").FilterModule().filters()
    return found


def paragraphs(value: Any, name: str = "") -> Iterator[Any]:
    """What stands in a document for people to read."""
    if isinstance(value, dict):
        for inner, entry in value.items():
            # Of return values and options one may have such a name itself.
            yield from paragraphs(entry, "" if isinstance(entry, dict) else inner)
    elif isinstance(value, list):
        for entry in value:
            yield from paragraphs(entry, name) if name not in PROSE else [entry]
    elif name in PROSE:
        yield value


@pytest.mark.parametrize("path", sorted(PLUGINS.glob("*/*.yml")), ids=lambda path: path.stem)
def test_what_is_there_to_be_read_is_text(path: Path):
    """A colon in it makes YAML take it for something else, and ansible-doc shows nothing."""
    found = list(paragraphs(load(path)))
    assert found
    assert [entry for entry in found if not isinstance(entry, str)] == []


def test_every_filter_has_a_document_and_the_other_way_round():
    assert sorted(filters()) == sorted(path.stem for path in (PLUGINS / "filter").glob("*.yml"))


@pytest.mark.parametrize("name", sorted(filters()))
def test_a_filter_takes_the_documented_options_in_the_documented_order(name: str):
    document = load(PLUGINS / "filter" / f"{name}.yml")["DOCUMENTATION"]
    assert document["name"] == name
    _input, *parameters = inspect.signature(filters()[name]).parameters.values()
    options = {option: value for option, value in document["options"].items() if option != "_input"}
    assert [parameter.name for parameter in parameters] == document.get("positional", []) == list(options)
    for parameter in parameters:
        assert options[parameter.name].get("required", False) == (parameter.default is inspect.Parameter.empty)


@pytest.mark.parametrize("kind", ["callback", "lookup", "inventory"])
def test_other_plugins_carry_their_own_document(kind: str):
    for path in (PLUGINS / kind).glob("*.py") if (PLUGINS / kind).is_dir() else []:
        document = yaml.safe_load(importlib.import_module(f"{COLLECTION}.{kind}.{path.stem}").DOCUMENTATION)
        assert document["name"].rpartition(".")[2] == path.stem
        asked = set(re.findall(r"get_option\(\s*[\"'](\w+)[\"']", path.read_text(encoding="utf-8")))
        assert asked <= document["options"].keys() | {"strict", "compose", "groups", "keyed_groups", "cache"}


def groups_of(module: str) -> set[str]:
    groups = RUNTIME["action_groups"]
    own = {name for name, members in groups.items() if module in members}
    extended = groups["all"][0]["metadata"]["extend_group"]
    return own | ({"all"} if own & set(extended) else set())


def documented_groups(module: str) -> set[str]:
    """The groups that the module's fragments and its own attributes name."""
    document = load(PLUGINS / "modules" / f"{module}.yml")["DOCUMENTATION"]
    found = set()
    for fragment in document["extends_documentation_fragment"]:
        name, _dot, part = fragment.removeprefix("winops.volume_activation.").partition(".")
        text = getattr(importlib.import_module(f"{COLLECTION}.doc_fragments.{name}").ModuleDocFragment, part.upper() or "DOCUMENTATION")
        found |= set((yaml.safe_load(text).get("attributes") or {}).get("action_group", {}).get("membership", []))
    found |= set(document.get("attributes", {}).get("action_group", {}).get("membership", []))
    return {name.rpartition(".")[2] for name in found}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_in_the_action_groups_that_it_names_and_in_no_other(module: str):
    assert groups_of(module) == documented_groups(module)
    # What only roles of the collection use is in none.
    assert ("all" in groups_of(module)) != module.startswith("run_")


def test_the_groups_hold_modules_only_and_all_of_them_are_in_the_group_all():
    groups = {name: [member for member in members if isinstance(member, str)] for name, members in RUNTIME["action_groups"].items()}
    assert {member for members in groups.values() for member in members} == {name for name in MODULES if not name.startswith("run_")}
    assert sorted(RUNTIME["action_groups"]["all"][0]["metadata"]["extend_group"]) == sorted(groups.keys() - {"all"})
    assert all(members == sorted(members) for members in groups.values())


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_the_defaults_of_a_role_are_those_of_its_argument_specs(role: Path):
    defaults = load(role / "defaults/main.yml")
    options = {
        name: option
        for spec in load(role / "meta/argument_specs.yml")["argument_specs"].values()
        for name, option in spec["options"].items()
    }
    assert defaults.keys() == options.keys()
    for name, default in defaults.items():
        if TEMPLATE not in str(default):
            assert default == options[name].get("default"), name
    # What is given by a variable of the site has that variable's name in its description.
    for name, default in defaults.items():
        for variable in re.findall(r"volume_activation_\w+", str(default)):
            assert variable in str(options[name]["description"]), name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_the_argument_specs_take_the_defaults_and_the_empty_text_of_a_survey(role: Path):
    defaults = load(role / "defaults/main.yml")
    for spec in load(role / "meta/argument_specs.yml")["argument_specs"].values():
        options = spec["options"]
        plain = {name: value for name, value in defaults.items() if name in options and TEMPLATE not in str(value)}
        required = {name: "contoso.com" for name, option in options.items() if option.get("required")}
        assert ArgumentSpecValidator(options).validate({**plain, **required}).error_messages == []
        assert ArgumentSpecValidator(options).validate({**dict.fromkeys(options, ""), **required}).error_messages == []


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_the_readme_of_a_role_names_its_entry_points_and_variables_with_their_defaults(role: Path):
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", (role / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    specs = load(role / "meta/argument_specs.yml")["argument_specs"]
    defaults = load(role / "defaults/main.yml")
    assert rows.keys() >= specs.keys() | defaults.keys()
    for name, default in defaults.items():
        said = rows[name].strip("`")
        if TEMPLATE not in str(default) and default not in ("", [], {}, None):
            assert said == str(default), name


def uses_of_variables() -> dict[str, set[str]]:
    """By variable of the whole collection the modules, roles and playbooks that take it."""
    found: dict[str, set[str]] = {}
    for module in MODULES:
        for variable in importlib.import_module(f"{COLLECTION}.action.{module}").ActionModule.VARIABLES.values():
            found.setdefault(variable, set()).add(module)
    for folder, pattern in (("roles", "*/*/*.yml"), ("playbooks", "*.yml")):
        for path in (TREE / folder).glob(pattern):
            user = path.relative_to(TREE / folder).parts[0].removesuffix(".yml")
            for variable in re.findall(r"(?<![\w.])volume_activation_[a-z_]*[a-z]", path.read_text(encoding="utf-8")):
                found.setdefault(variable, set()).add(user)
    return found


def test_the_page_about_variables_has_all_of_them_with_what_takes_each():
    text = (TREE / "docs/docsite/rst/variables.rst").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^   \* - ``(volume_activation_\w+)``\n(?:     - .*\n|     -\n){2}     - (.+)\n", text, re.MULTILINE))
    uses = uses_of_variables()
    assert rows.keys() == uses.keys()
    modules = {name for name in MODULES if not name.startswith("run_")}
    public = {*modules, *(role.name for role in ROLES), *(path.stem for path in (TREE / "playbooks").glob("*.yml"))}
    for variable, users in uses.items():
        assert users & public <= set(re.findall(r"\w+", rows[variable])), variable
    # What the code of the plugins names is among them, too.
    for path in PLUGINS.rglob("*"):
        if path.suffix in (".py", ".yml"):
            named = re.findall(r"(?<![\w./{])volume_activation_[a-z_]*[a-z](?![\w(])", path.read_text(encoding="utf-8"))
            assert set(named) <= rows.keys(), path


def test_the_components_of_the_guide_to_targets_are_parts_of_an_answer_file():
    text = (TREE / "docs/docsite/rst/mak_targets.rst").read_text(encoding="utf-8")
    blocks = re.findall(r"code-block:: xml\n\n((?:(?:    .*)?\n)+)", text)
    namespace = "urn:schemas-microsoft-com:unattend"
    found = {}
    for block in blocks:
        document = ElementTree.fromstring(f'<unattend xmlns="{namespace}">{block}</unattend>')
        (component,) = document
        orders = [element.text for element in component.iter(f"{{{namespace}}}Order")]
        assert orders == [str(number) for number in range(1, len(orders) + 1)]
        assert (component.get("publicKeyToken"), component.get("processorArchitecture")) == ("31bf3856ad364e35", "amd64")
        # Windows Setup takes no longer path of a command, and no longer command at the first logon.
        lengths = {"Path": 259, "CommandLine": 1024}
        commands = [element for name in lengths for element in component.iter(f"{{{namespace}}}{name}")]
        assert len(commands) == len(orders)
        assert all(len(element.text or "") <= lengths[element.tag.rpartition("}")[2]] for element in commands)
        found[component.get("name")] = [element.text or "" for element in commands]
    assert any("LocalAccountTokenFilterPolicy" in command for command in found["Microsoft-Windows-Deployment"])
    assert any("winrm.cmd quickconfig" in command for command in found["Microsoft-Windows-Shell-Setup"])


def names_of_plays_and_tasks() -> set[str]:
    """All of them in playbooks and roles."""
    files = [*(TREE / "playbooks").glob("*.yml"), *(TREE / "roles").glob("*/tasks/*.yml")]
    return {name for path in files for name in re.findall(r"^ *- name: (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)}


NAMED = (
    (r"README.md", r"^PLAY (.+)$"),
    (r"README.md", r"^  (\S.*?) {2,}\d+ (?:ok|changed)$"),
    (r"docs/docsite/rst/*.rst", r"^    PLAY (.+?)(?: \(check mode\))?$"),
    (r"docs/docsite/rst/*.rst", r"^      (?:\.\.\. )?(\S.*?) {2,}\d+ (?:ok|changed|of \d+ hosts.*)$"),
    (r"docs/docsite/rst/*.rst", r"\bplays? \*([^*]+)\*"),
    (r"docs/docsite/rst/audit.rst", r"\b(Fail if .+)$"),
    (r"roles/*/README.md", r"\b(Fail if [^|]+?) \|"),
    (r"plugins/plugin_utils/_runs/**/*.py", r"^WHERE = \"(.+)\"$"),
)


@pytest.mark.parametrize(("files", "pattern"), NAMED)
def test_a_play_or_task_that_is_named_somewhere_is_there(files: str, pattern: str):
    found = {name for path in TREE.glob(files) for name in re.findall(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)}
    assert found
    assert found - names_of_plays_and_tasks() == set()
