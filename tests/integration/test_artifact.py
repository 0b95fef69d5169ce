# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users install: the built collection, what Galaxy says of it, what an execution environment takes from it, and that it runs
from a place where nothing else is.
"""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from lab import names
from lab.witness import Srv

from .conftest import Lab
from .documented import TREE

pytestmark = pytest.mark.tier("soak")

COMMANDS = Path(sys.executable).parent
# tests/ stays out: it needs the set-up around it, which is no part of a collection.
AT_THE_TOP = {
    "CHANGELOG.md",
    "CHANGELOG.rst",
    "FILES.json",
    "LICENSE",
    "LICENSES",
    "MANIFEST.json",
    "README.md",
    "REUSE.toml",
    "SECURITY.md",
    "changelogs",
    "execution-environment.yml",
    "docs",
    "extensions",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}
KINDS = {".md", ".py", ".rst", ".svg", ".toml", ".txt", ".yaml", ".yml", ".json", ""}
# Packages that are called otherwise than what is imported from them.
PACKAGES = {"dns": "dnspython", "ldap": "python-ldap", "winrm": "pywinrm", "yaml": "pyyaml"}
# Packages that nothing in plugins/ imports, and why they are needed all the same.
NOT_IMPORTED = {"pyspnego": "its extra kerberos brings gssapi and krb5"}


def run(*command: object, place: Path | None = None, **environment: str) -> str:
    """Run a command of the environment in a place, and return all that it says."""
    done = subprocess.run(
        [COMMANDS / str(command[0]), *map(str, command[1:])],
        env={**os.environ, "PATH": f"{COMMANDS}{os.pathsep}{os.environ['PATH']}", **environment},
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def staged(project: Path) -> Path:
    """The collection as it is staged for tests."""
    return project / "build/collections/ansible_collections/winops/volume_activation"


@pytest.fixture(scope="session")
def artifact(staged: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built collection."""
    folder = tmp_path_factory.mktemp("artifact")
    run("ansible-galaxy", "collection", "build", staged, "--output-path", folder)
    (built,) = folder.glob("*.tar.gz")
    return built


def test_the_artifact_holds_the_collection_and_no_junk(artifact: Path):
    with tarfile.open(artifact) as archive:
        held = [member.name for member in archive.getmembers() if member.isfile()]
    assert {name.partition("/")[0] for name in held} <= AT_THE_TOP
    tracked = subprocess.check_output(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=TREE, text=True).splitlines()
    ignored = yaml.safe_load((TREE / "galaxy.yml").read_text(encoding="utf-8"))["build_ignore"]
    expected = {
        name for name in tracked if (TREE / name).is_file() and not any(name == part or name.startswith(f"{part}/") for part in ignored)
    }
    assert set(held) - {"FILES.json", "MANIFEST.json"} == expected - {"galaxy.yml"}
    assert {Path(name).suffix for name in held} <= KINDS
    assert artifact.stat().st_size < 1_000_000


def test_galaxy_would_take_it(artifact: Path, tmp_path: Path):
    # Sanity tests have a make target of their own.
    (tmp_path / "importer.cfg").write_text("[galaxy-importer]\nRUN_ANSIBLE_TEST = False\nCHECK_REQUIRED_TAGS = True\n", encoding="utf-8")
    settings = {"GALAXY_IMPORTER_CONFIG": str(tmp_path / "importer.cfg"), "HOME": str(tmp_path)}
    # It leaves a file with its result where it is started.
    said = run("python", "-m", "galaxy_importer.main", artifact, "--output-path", tmp_path, place=tmp_path, **settings)
    assert "Importer processing completed successfully" in said, said
    assert [line for line in said.splitlines() if line.startswith(("WARNING", "ERROR", "CRITICAL"))] == []


def test_it_runs_from_an_empty_place(artifact: Path, fresh_lab: Lab, tmp_path: Path):
    installed = tmp_path / "collections"
    # Where the staged collection is on the path, nothing would be installed beside it.
    paths = {"HOME": str(tmp_path), "ANSIBLE_COLLECTIONS_PATH": str(installed)}
    run("ansible-galaxy", "collection", "install", artifact, "--collections-path", installed, "--offline", **paths)
    first = names.kms_hosts()[0]
    done = subprocess.run(
        [
            *(COMMANDS / "ansible-playbook", "-vv", "-i", fresh_lab.layout.inventory, "winops.volume_activation.kms_single_site"),
            *("--limit", f"{first.fqdn}:srv-001*", "-e", "kms_single_site_publish_timeout=5"),
        ],
        cwd=tmp_path,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE", "PYTHON"))},
            **dict(_exports(fresh_lab.layout.env)),
            "PATH": f"{COMMANDS}{os.pathsep}{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(installed),
            "HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert f"task path: {installed}/" in done.stdout
    assert str(TREE / "plugins") not in done.stdout
    assert str(TREE / "build/collections") not in done.stdout
    assert fresh_lab.witness.srv() == [Srv(0, 0, 1688, first.fqdn)]


def _exports(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _equals, value = line.removeprefix("export ").partition("=")
        yield name, value.strip("'\"")


def requirements() -> dict[str, Requirement]:
    """What an execution environment installs, by name."""
    lines = (TREE / "meta/ee-requirements.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {requirement.name: requirement for requirement in found}


def brought_by(requirement: Requirement) -> set[str]:
    """The packages that come with one, as those that are installed here say it."""
    found: set[str] = set()
    waiting = [requirement]
    while waiting:
        one = waiting.pop()
        name = normal(one.name)
        for text in importlib.metadata.requires(name) or [] if name not in found else []:
            needed = Requirement(text)
            extras = one.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(needed)
        found.add(name)
    return found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported() -> set[str]:
    """The packages that plugins import, other than Ansible and what Python brings."""
    found = set()
    for path in (TREE / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            names_ = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names_ = [node.module or ""]
            found.update(name.partition(".")[0] for name in names_)
    return {PACKAGES.get(name, name) for name in found - sys.stdlib_module_names if name != "ansible"}


def test_an_environment_gets_every_package_that_plugins_import_and_no_other():
    wanted = requirements()
    brought = {name: brought_by(requirement) for name, requirement in wanted.items()}
    assert imported() <= set().union(brought_by(Requirement("ansible-core")), *brought.values())
    assert {name for name in wanted if normal(name) not in imported()} == NOT_IMPORTED.keys()
    for requirement in wanted.values():
        assert requirement.specifier.contains(importlib.metadata.version(requirement.name)), requirement


def test_the_oldest_versions_are_those_of_the_documentation():
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("doc_fragments", "modules")
        for path in (TREE / "plugins" / folder).iterdir()
        if path.is_file()
    )
    said = dict(re.findall(r"^ *- ([\w-]+)(?:\[\w+\])? >= ([\d.]+), on the control node", text, re.MULTILINE))
    assert said
    for name, version in said.items():
        assert str(requirements()[name].specifier).startswith(f">={version}"), name


def test_ansible_builder_finds_what_the_collection_needs(staged: Path):
    found = yaml.safe_load(run("ansible-builder", "introspect", staged.parents[2]))
    python = [line.partition("  #")[0] for line in found["python"]]
    assert sorted(map(str, map(Requirement, python))) == sorted(map(str, requirements().values()))
    assert {line.split()[0] for line in found["system"]} == set(system_packages("dpkg")) | set(system_packages("rpm"))


def system_packages(platform: str) -> list[str]:
    """The Debian or Red Hat packages of the environment."""
    lines = (TREE / "meta/ee-bindep.txt").read_text(encoding="utf-8").splitlines()
    return [
        line.split()[0]
        for line in lines
        if line and not line.startswith("#") and (f"platform:{platform}" in line or "platform:" not in line)
    ]


def test_bindep_reads_the_system_packages_and_debian_has_them_here():
    listed = run("bindep", "--file", TREE / "meta/ee-bindep.txt", "--list_all", "newline", "compile").split()
    assert set(listed) == set(system_packages("dpkg"))
    set_up = (TREE / "tests/setup/apt-packages.txt").read_text(encoding="utf-8")
    # ldap-utils stands for the libraries of OpenLDAP, which here come with the headers.
    assert {name for name in listed if f"\n{name} " not in set_up} == {"ldap-utils"}


@pytest.mark.parametrize("path", ["meta/ee-requirements.txt", "meta/ee-bindep.txt"])
def test_every_entry_has_a_reason_before_it(path: str):
    explained = False
    for line in (TREE / path).read_text(encoding="utf-8").splitlines()[2:]:
        explained = line.startswith("#") or (explained and bool(line))
        assert explained or not line, line


VERSION = yaml.safe_load((TREE / "galaxy.yml").read_text(encoding="utf-8"))["version"]
ARTIFACT = f"winops-volume_activation-{VERSION}.tar.gz"
FROM_GALAXY, FROM_CHECKOUT = "execution-environment.yml", "execution-environment-checkout.yml"
TAKEN = {
    FROM_GALAXY: {"name": "winops.volume_activation", "version": f"=={VERSION}"},
    FROM_CHECKOUT: {"name": f"/build/files/{ARTIFACT}", "type": "file"},
}


def definition(name: str) -> Any:
    return yaml.safe_load((TREE / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", TAKEN)
def test_ansible_builder_makes_the_context_of_an_image(name: str, artifact: Path, tmp_path: Path):
    # The definition beside its artifact, as in a checkout.
    (tmp_path / "build").mkdir()
    shutil.copy(TREE / name, tmp_path)
    shutil.copy(artifact, tmp_path / "build" / ARTIFACT)
    context = tmp_path / "context"
    said = run("ansible-builder", "create", "--file", tmp_path / name, "--context", context, "--output-filename", "Containerfile")
    assert "Complete!" in said
    container = (context / "Containerfile").read_text(encoding="utf-8")
    assert "python3.12" in container
    assert "ansible-galaxy collection install" in container
    assert re.search(r"^(?:ADD|COPY) _build /build$", container, re.MULTILINE)
    collections = yaml.safe_load((context / "_build/requirements.yml").read_text(encoding="utf-8"))
    assert collections["collections"] == [TAKEN[name]]
    packages = {Requirement(line) for line in (context / "_build/requirements.txt").read_text(encoding="utf-8").splitlines() if line}
    assert {str(one.specifier)[:2] for one in packages} == {"=="}
    if name == FROM_CHECKOUT:
        assert (context / "_build/files" / ARTIFACT).read_bytes() == artifact.read_bytes()


def test_the_two_definitions_differ_in_where_the_collection_comes_from_alone():
    galaxy, checkout = definition(FROM_GALAXY), definition(FROM_CHECKOUT)
    assert checkout.pop("additional_build_files") == [{"src": f"build/{ARTIFACT}", "dest": "files"}]
    assert [found["dependencies"].pop("galaxy") for found in (galaxy, checkout)] == [
        {"collections": [TAKEN[name]]} for name in (FROM_GALAXY, FROM_CHECKOUT)
    ]
    assert galaxy == checkout


def test_an_image_has_the_versions_that_tests_run_with():
    found = definition(FROM_GALAXY)["dependencies"]
    mine = {Requirement(line) for line in [*found["python"], found["ansible_core"]["package_pip"], found["ansible_runner"]["package_pip"]]}
    lines = (TREE / "tests/setup/control-node.txt").read_text(encoding="utf-8").splitlines()
    tested = [Requirement(line) for line in lines if line and not line.startswith("#")]
    newest = [one for one in tested if one.marker is None or one.marker.evaluate({"python_version": "3.12"})]
    assert {(one.name, str(one.specifier), *one.extras) for one in mine} == {(one.name, str(one.specifier), *one.extras) for one in newest}
    # No pin is outside of what the collection asks for.
    for name, wanted in requirements().items():
        assert next(wanted.specifier.contains(str(one.specifier).removeprefix("==")) for one in mine if normal(one.name) == normal(name))


def test_the_manifest_says_what_galaxy_yml_says(artifact: Path):
    with tarfile.open(artifact) as archive:
        manifest = json.load(archive.extractfile("MANIFEST.json") or pytest.fail("there is no manifest"))
    said = yaml.safe_load((TREE / "galaxy.yml").read_text(encoding="utf-8"))
    assert {name: manifest["collection_info"][name] for name in ("namespace", "name", "version")} == {
        name: said[name] for name in ("namespace", "name", "version")
    }
