# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands around the code is true as well: workflows, hooks, issue forms, and what stays out of the artifact."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import guides
import pytest
import yaml

pytestmark = pytest.mark.tier("quick")

TREE = guides.TREE
WORKFLOWS = sorted((TREE / ".github/workflows").glob("*.yml"))
FORMS = sorted(path for path in (TREE / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config")
PAGES = [TREE / "README.md", TREE / "SECURITY.md", TREE / ".github/pull_request_template.md"]
VERSIONS = {("2.19", "3.11"), ("2.19", "3.12"), ("2.19", "3.13"), ("2.20", "3.12"), ("2.20", "3.13"), ("2.21", "3.12"), ("2.21", "3.13")}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


def wrong_steps(workflow: dict[str, Any]) -> list[str]:
    """What the steps of a workflow call that there is not, and what they let a stranger write into a shell."""
    wrong = []
    for step in steps(workflow):
        run = step.get("run", "")
        for line in run.splitlines():
            if line.startswith("make "):
                wrong += guides.wrong_command(line)
        wrong += [f"there is no {path}" for path in re.findall(r"(?:^|\s)((?:tests|\.ci)/[\w./-]+)", run) if not named(path)]
        wrong += [f"{found} in a command" for found in re.findall(r"\$\{\{\s*((?:github\.(?:head|event)|inputs)[\w.]*)", run)]
        if "uses" in step and not re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]):
            wrong.append(f"{step['uses']} is not one of GitHub's own actions")
    return wrong


def named(path: str) -> bool:
    """Whether there is such a file, which may be one in a folder for a collection."""
    return (TREE / path).exists() or any(TREE.glob(f"{path}*"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_calls_what_there_is(path: Path):
    workflow = load(path)
    assert wrong_steps(workflow) == []
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 360, name
        assert all(step.get("name") for step in job["steps"]), name


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ({"run": "cd somewhere\nmake quikc"}, "no target quikc"),
        ({"run": "make soak SEEDS=1"}, "no variable SEEDS"),
        ({"run": "python tests/setup/no.py"}, "no tests/setup/no.py"),
        ({"run": "echo ${{ github.event.issue.title }}"}, "github.event.issue.title in a command"),
        ({"run": "make test ARGS=${{ inputs.seed }}"}, "inputs.seed in a command"),
        ({"uses": "somebody/action@v1"}, "somebody/action@v1"),
    ],
)
def test_a_wrong_step_is_found(step: dict[str, Any], why: str):
    assert any(why in wrong for wrong in wrong_steps({"jobs": {"job": {"steps": [step]}}}))


def test_ci_runs_each_tier_when_it_should():
    workflow = load(TREE / ".github/workflows/ci.yml")
    jobs, when = workflow["jobs"], workflow["on"]
    ran = {name: [step["run"].split()[1] for step in job["steps"] if step.get("run", "").startswith("make ")] for name, job in jobs.items()}
    assert ran == {"quick": ["quick"], "sanity": ["sanity"], "test": ["test"], "soak": ["soak"]}
    # Each push, whatever its branch and files.
    assert when["push"] is None and "'push'" in jobs["quick"]["if"] and "refs/" not in jobs["quick"]["if"]
    assert when["pull_request"] is None and "'pull_request'" in jobs["test"]["if"] and "refs/heads/main" in jobs["test"]["if"]
    assert re.fullmatch(r"\d+ \d+ \* \* \*", when["schedule"][0]["cron"]) and "'schedule'" in jobs["soak"]["if"]
    (soak,) = (step for step in jobs["soak"]["steps"] if "soak" in step.get("run", ""))
    assert "github.run_number" in soak["env"]["SEED"] and 'SEED="$SEED"' in soak["run"]
    minutes = int(re.findall(r"'(\d+)'", soak["env"]["MINUTES"])[0])
    assert minutes == int(when["workflow_dispatch"]["inputs"]["minutes"]["default"]) < jobs["soak"]["timeout-minutes"]


@pytest.mark.parametrize("job", ["quick", "sanity"])
def test_ci_has_every_version_that_is_supported(job: str):
    found = load(TREE / ".github/workflows/ci.yml")["jobs"][job]
    assert {(row["ansible"], row["python"]) for row in found["strategy"]["matrix"]["include"]} == VERSIONS
    (take,) = (step["run"] for step in found["steps"] if "ansible-core" in step.get("run", ""))
    _sed, _in_place, _extended, expression, *_files = shlex.split(take)
    pattern, written = expression.split("/")[1:3]
    pins = (TREE / "tests/setup/control-node.txt").read_text(encoding="utf-8")
    changed = re.sub(pattern, written.replace("${{ matrix.ansible }}", "2.20"), pins, flags=re.MULTILINE)
    assert set(re.findall(r"^ansible-core.*", changed, re.MULTILINE)) == {"ansible-core~=2.20.0"}


def test_the_versions_are_those_that_the_collection_names():
    oldest = load(TREE / "meta/runtime.yml")["requires_ansible"]
    assert oldest.startswith(f">={min(ansible for ansible, _python in VERSIONS)}.")
    assert "ansible-core 2.19 on Python 3.11 up to 2.21 on Python 3.13" in (TREE / "README.md").read_text(encoding="utf-8")
    assert {"3.11", "3.13"} <= {python for _ansible, python in VERSIONS}
    assert max(VERSIONS) == ("2.21", "3.13")


def test_hooks_are_local_and_call_tools_of_the_environments():
    (repository,) = load(TREE / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    pins = (TREE / "tests/setup/requirements.txt").read_text(encoding="utf-8")
    tools = []
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        bash, option, script, tool, *_arguments = shlex.split(hook["entry"])
        assert (bash, option) == ("bash", "-c")
        assert "build/venv-quick/bin:build/venv/bin:" in script
        assert re.search(rf"^{tool}(-py)?==", pins, re.MULTILINE), tool
        tools.append(tool)
    assert set(tools) == {"ruff", "mypy", "shellcheck"}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_asks_for_a_recording(path: Path):
    form = load(path)
    fields = {field["id"]: field for field in form["body"] if field["type"] != "markdown"}
    assert form["name"] and form["description"]
    assert len(fields) == sum(field["type"] != "markdown" for field in form["body"])
    recording = fields["recording"]
    assert recording["validations"]["required"]
    description = recording["attributes"]["description"]
    assert "winops.volume_activation.debug_winrm_session" in description
    options = load(TREE / "plugins/modules/debug_winrm_session.yml")["DOCUMENTATION"]["options"]
    asked = set(re.findall(r"`(\w+)(?:: true)?`", description)) | set(re.findall(r"^ +(\w+): (?:\"|true)", description, re.MULTILINE))
    assert {"record", "anonymise"} <= asked <= options.keys()


def test_the_task_of_the_bug_report_is_a_task():
    form = load(TREE / ".github/ISSUE_TEMPLATE/bug_report.yml")
    (text,) = (field["attributes"]["description"] for field in form["body"] if field.get("id") == "recording")
    ((task,),) = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))
    assert task["winops.volume_activation.debug_winrm_session"]["anonymise"] is True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_files_of_a_page_are_there(page: Path):
    assert guides.wrong_files(page) == []
    text = page.read_text(encoding="utf-8")
    assert [wrong for command in guides.inline_commands(text) for wrong in guides.wrong_command(command)] == []


def test_what_is_for_contributors_alone_stays_out_of_the_artifact():
    ignored = set(load(TREE / "galaxy.yml")["build_ignore"])
    hidden = {path.name for path in TREE.iterdir() if path.name.startswith(".") and path.name in tracked_at_the_top()}
    assert hidden <= ignored
    assert {"CONTRIBUTING.md", "Makefile", "docs/architecture.md", "docs/architecture.svg", "pyproject.toml", "tests"} <= ignored
    assert all((TREE / name).exists() for name in ignored - {"build", "changelogs/.plugin-cache.yaml"})


def test_the_license_is_also_where_tools_look_for_it():
    assert (TREE / "LICENSES/GPL-3.0-or-later.txt").read_text(encoding="utf-8") == (TREE / "LICENSE").read_text(encoding="utf-8")


def tracked_at_the_top() -> set[str]:
    """What git has at the top, as the staged copy shows it."""
    return {path.name for path in (TREE / "build/collections/ansible_collections/winops/volume_activation").iterdir()}


def test_a_hint_for_pip_can_be_copied_into_any_shell():
    """Brackets and greater-than signs mean something to shells, and zsh refuses a bracket that matches no file."""
    paths = [path for folder in ("plugins", "roles", "playbooks", "docs") for path in (TREE / folder).rglob("*")]
    texts = {
        path: path.read_text(encoding="utf-8") for path in [TREE / "README.md", *paths] if path.suffix in (".py", ".yml", ".md", ".rst")
    }
    hints = [(path, hint) for path, text in texts.items() for hint in re.findall(r"pip install ([^\n\"`]*)", text)]
    assert len(hints) > 5
    assert [(path, hint) for path, hint in hints if re.search(r"[\[<>]", re.sub(r"'[^']*'", "", hint))] == []
