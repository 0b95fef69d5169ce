# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example repository can be read: its YAML, its vault by the password that its README names, and each variable is one that there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from packaging.requirements import Requirement

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.known_variables import known_variables
from lab.windows import data

pytestmark = pytest.mark.tier("test")

TREE = Path(__file__).resolve().parents[2]
EXAMPLE = TREE / "docs/examples/contoso"
VARIABLES = EXAMPLE / "inventory/group_vars/all"
CONNECTION = {
    "ansible_connection",
    "ansible_port",
    "ansible_winrm_scheme",
    "ansible_winrm_transport",
    "ansible_user",
    "ansible_password",
}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def vault() -> dict[str, str]:
    found = re.search(r"password of the vault in this example is `([^`]+)`", (EXAMPLE / "README.md").read_text(encoding="utf-8"))
    assert found
    opened = VaultLib([("default", VaultSecret(found[1].encode()))]).decrypt((VARIABLES / "vault.yml").read_bytes())
    held: dict[str, str] = yaml.safe_load(opened)
    return held


def given() -> dict[str, Any]:
    """The variables of the inventory, without those of the vault."""
    every = [load(path) for path in sorted(VARIABLES.glob("*.yml")) if path.name != "vault.yml"]
    return {name: value for variables in every for name, value in variables.items()}


def of_hosts(group: Any) -> Iterator[str]:
    for name, value in (group or {}).items():
        if name == "hosts":
            yield from (variable for host in value.values() for variable in host or {})
        elif isinstance(value, dict):
            yield from of_hosts(value)


def test_the_vault_holds_what_the_files_name_and_no_key_of_anybody():
    held = vault()
    text = "\n".join(path.read_text(encoding="utf-8") for path in VARIABLES.glob("*.yml"))
    assert set(re.findall(r"\bvault_\w+", text)) == set(held)
    assert set(held) == set(re.findall(r"`(vault_\w+)`", (EXAMPLE / "README.md").read_text(encoding="utf-8")))
    made_up = {key.key for key in data.keys().values()}
    assert {held[name] for name in held if not name.endswith("_password")} <= made_up
    assert all(value.startswith("Lab.") for name, value in held.items() if name.endswith("_password"))


def test_each_variable_is_an_option_of_the_collection_or_of_the_connection():
    names = {*given(), *of_hosts(load(EXAMPLE / "inventory/hosts.yml"))}
    assert names - CONNECTION <= known_variables().names


def test_the_playbook_imports_what_there_is_each_with_a_tag_of_its_own():
    plays = load(EXAMPLE / "site.yml")
    names = [play["ansible.builtin.import_playbook"].rpartition(".")[2] for play in plays]
    assert all((TREE / "playbooks" / f"{name}.yml").is_file() for name in names)
    assert [play["tags"] for play in plays] == ["kms", "mak", "audit", "report"]


def test_no_playbook_and_no_role_runs_for_a_tag_of_another_part():
    paths = [*(TREE / "playbooks").glob("*.yml"), *(TREE / "roles").glob("*/tasks/*.yml")]
    assert [
        path.name for path in paths if re.search(r"^\s*(?:-\s*)?tags:.*\balways\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    ] == []


def test_versions_are_those_of_the_collection():
    (collection,) = load(EXAMPLE / "requirements.yml")["collections"]
    assert collection["version"] == f"=={load(TREE / 'galaxy.yml')['version']}"
    mine = [
        Requirement(line) for line in (EXAMPLE / "requirements.txt").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"
    ]
    needed = [
        Requirement(line)
        for line in (TREE / "meta/ee-requirements.txt").read_text(encoding="utf-8").splitlines()
        if line and line[0] != "#"
    ]
    by_name = {one.name: one for one in needed}
    assert all(str(one) == str(by_name[one.name]) for one in mine if one.name in by_name)


def test_the_ci_file_runs_the_audit_in_check_mode_and_names_the_slices():
    jobs = {name: job for name, job in load(EXAMPLE / ".gitlab-ci.yml").items() if isinstance(job, dict) and "script" in job}
    assert "ansible-playbook site.yml --tags audit --check" in jobs["check"]["script"]
    (matrix,) = jobs["clients"]["parallel"]["matrix"]
    groups = load(EXAMPLE / "inventory/hosts.yml")["all"]["children"]
    assert matrix["SLICE"] == list(groups["kms_clients"]["children"])
