# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects for AWX fit the roles, awx.awx and each other: surveys, credential types, workflows, schedules and slices."""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import awx_jobs
import awx_templates
import pytest
from awx_templates import FOLDER, PREFIX, TREE, read
from jinja2 import StrictUndefined, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

pytestmark = pytest.mark.tier("quick")

CLASSES = ("asked", "credential", "inventory")
CLASSIFIED: dict[str, list[dict[str, Any]]] = read(FOLDER / "options.yml")
DECLARED: dict[str, dict[str, Any]] = read(FOLDER / "job_templates.yml")
DATA = awx_jobs.data()
TEMPLATES: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in DATA["controller_templates"]}
TYPES: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in DATA["controller_credential_types"]}
WORKFLOWS: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in DATA["controller_workflows"]}
OPTIONS = awx_templates.role_options()
ACTIONS = sorted(path.stem for path in (TREE / "plugins/modules").glob("*.yml"))
# The rules of AWX for a question: its types, and those whose empty answer AWX takes where no answer is required.
QUESTION_TYPES = {"text", "textarea", "password", "multiplechoice", "multiselect", "integer", "float"}
TAKES_EMPTY = {"text", "textarea", "password", "multiplechoice", "multiselect"}
QUESTION_KEYS = {"question_name", "question_description", "variable", "type", "required", "choices", "default", "min", "max"}
# By what a node of a workflow sets, what the job template has to ask on launch for it to be taken.
PROMPTS = {"limit": "ask_limit_on_launch", "job_type": "ask_job_type_on_launch", "diff_mode": "ask_diff_mode_on_launch"}


def of_class(name: str) -> set[str]:
    return {option for group in CLASSIFIED[name] for option in group["options"]}


def wrong_classes(known: Iterable[str]) -> list[str]:
    """What is wrong with the classes of options, for those that there are."""
    listed = [option for name in CLASSES for group in CLASSIFIED[name] for option in group["options"]]
    wrong = [f"{name} is neither asked, nor from a credential, nor left to the inventory" for name in set(known) - set(listed)]
    wrong += [f"there is no {name}" for name in set(listed) - set(known)]
    return wrong + [f"{name} is listed twice" for name in set(listed) if listed.count(name) > 1]


def test_each_option_is_asked_or_from_a_credential_or_left_to_the_inventory():
    known = OPTIONS.keys() | awx_templates.shared_variables().keys()
    assert len(known) > 140
    assert CLASSIFIED.keys() == set(CLASSES)
    assert all(group["why"].endswith(".") for groups in CLASSIFIED.values() for group in groups)
    assert wrong_classes(known) == []


def test_an_option_that_is_new_gone_or_listed_twice_is_found(monkeypatch: pytest.MonkeyPatch):
    known = OPTIONS.keys() | awx_templates.shared_variables().keys()
    assert wrong_classes({*known, "kms_audit_planted"}) == [
        "kms_audit_planted is neither asked, nor from a credential, nor left to the inventory"
    ]
    assert wrong_classes(known - {"kms_audit_flows"}) == ["there is no kms_audit_flows"]
    twice = [*CLASSIFIED["inventory"], {"why": "Planted.", "options": ["kms_audit_flows"]}]
    monkeypatch.setitem(CLASSIFIED, "inventory", twice)
    assert wrong_classes(known) == ["kms_audit_flows is listed twice"]


def test_the_templates_are_those_that_the_specs_give():
    assert awx_templates.WRITTEN.read_text(encoding="utf-8") == awx_templates.written(), "write them again: python3 tests/awx_templates.py"


def test_there_is_a_template_for_each_playbook():
    playbooks = {path.name for path in (TREE / "playbooks").glob("*.yml")}
    assert {Path(template["playbook"]).name for template in TEMPLATES.values()} == playbooks
    assert all(name.startswith(PREFIX) for name in (*TEMPLATES, *TYPES, *WORKFLOWS))


@functools.cache
def texts_of(playbook: str) -> str:
    """The text of a playbook with what it imports and the roles of both."""
    text = (TREE / "playbooks" / f"{playbook}.yml").read_text(encoding="utf-8")
    roles = set(re.findall(r"name: winops\.volume_activation\.(\w+)", text))
    roles |= {"kms_run"} if any(role.startswith("kms_") for role in roles) else set()
    found = [path.read_text(encoding="utf-8") for role in sorted(roles) for path in (TREE / "roles" / role).glob("*/*.yml")]
    return "\n".join([text, *found, *map(texts_of, re.findall(r"import_playbook: (\w+)\.yml", text))])


@pytest.mark.parametrize("playbook", DECLARED)
def test_what_is_asked_is_taken_by_the_playbook(playbook: str):
    text = texts_of(playbook)
    assert [name for name in DECLARED[playbook]["asked"] if name not in text] == []


def test_no_answer_hides_what_the_inventory_sets():
    """An empty answer is the role's own default then, so that this has to be a value and not another variable."""
    asked = {name for declared in DECLARED.values() for name in declared["asked"]}
    assert asked == of_class("asked")
    defaults: dict[str, Any] = {}
    for path in (TREE / "roles").glob("*/defaults/main.yml"):
        defaults |= read(path)
    assert [name for name in asked if "{{" in str(defaults.get(name, ""))] == []
    assert [name for name in asked if OPTIONS.get(name, {}).get("required")] == []


def wrong_survey(survey: dict[str, Any]) -> list[str]:
    """What AWX would refuse of a survey, or what would not go as its reader expects."""
    if survey.keys() != {"name", "description", "spec"} or not all(isinstance(survey[key], str) for key in ("name", "description")):
        return ["a survey is a name, a description and a spec"]
    wrong = [] if survey["spec"] else ["a survey without a question"]
    variables = [question["variable"] for question in survey["spec"]]
    wrong += [f"{name} is asked twice" for name in set(variables) if variables.count(name) > 1]
    for question in survey["spec"]:
        name, kind, choices = question["variable"], question["type"], question.get("choices")
        wrong += [f"{name}: unknown key {key}" for key in question.keys() - QUESTION_KEYS]
        wrong += [f"{name} is no identifier"] * (not name.isidentifier())
        wrong += [f"{name}: unknown type {kind}"] * (kind not in QUESTION_TYPES)
        wrong += [f"{name}: an empty answer is refused"] * (not question["required"] and kind not in TAKES_EMPTY)
        wrong += [f"{name}: required"] * (question["required"] is not False)
        wrong += [f"{name}: has a default"] * ("default" in question)
        wrong += [f"{name}: {key} is no number" for key in ("min", "max") if not isinstance(question.get(key, 0), int)]
        if (kind in ("multiplechoice", "multiselect")) != isinstance(choices, list):
            wrong.append(f"{name}: choices")
        elif choices and ("" not in choices or len(set(choices)) != len(choices) or not all(isinstance(entry, str) for entry in choices)):
            wrong.append(f"{name}: an empty answer is none of the choices")
        text = question["question_name"] + question["question_description"]
        wrong += [f"{name}: markup or a template in the text"] * bool(re.search(r"\b[A-Z]\(|``|\{\{|:ref:", text))
        wrong += [f"{name}: no text"] * (not question["question_name"])
    return wrong


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_survey_is_one_that_awx_takes(name: str):
    assert TEMPLATES[name]["survey_enabled"] is True
    assert wrong_survey(TEMPLATES[name]["survey_spec"]) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"variable": "a-b"}, "a-b is no identifier"),
        ({"type": "number"}, "v: unknown type number"),
        ({"type": "integer"}, "v: an empty answer is refused"),
        ({"type": "multiplechoice"}, "v: choices"),
        ({"type": "multiplechoice", "choices": ["a"]}, "v: an empty answer is none of the choices"),
        ({"default": "a"}, "v: has a default"),
        ({"min": "1"}, "v: min is no number"),
        ({"question_name": "V(a)"}, "v: markup or a template in the text"),
    ],
)
def test_a_wrong_question_is_found(change: dict[str, Any], why: str):
    question = {"question_name": "V", "question_description": "", "variable": "v", "type": "text", "required": False} | change
    assert why in wrong_survey({"name": "", "description": "", "spec": [question]})


def test_the_type_of_a_question_follows_from_the_spec():
    found = {question["variable"]: question for template in TEMPLATES.values() for question in template["survey_spec"]["spec"]}
    for name, question in found.items():
        option = OPTIONS.get(name, {})
        assert (question["type"] == "password") == bool(option.get("no_log"))
        if option.get("choices"):
            assert set(question["choices"]) == set(option["choices"])
    assert found["mak_proxy_confirmation_ids"]["type"] == "password"
    assert found["kms_multi_site_gone"]["choices"] == ["", "true", "false"]
    assert found["kms_multi_site_drain"]["type"] == "text"


@functools.cache
def variables_of_modules(secret: bool) -> set[str]:
    """The variables that stand in for options of modules; of secret ones, if that is wanted."""
    found = set()
    for name in ACTIONS:
        action = importlib.import_module(f"ansible_collections.winops.volume_activation.plugins.action.{name}").ActionModule
        found |= {variable for option, variable in action.VARIABLES.items() if not secret or option in action.SECRETS}
    return found


def fields_in(text: str) -> set[str]:
    return set(meta.find_undeclared_variables(ImmutableSandboxedEnvironment().parse(text)))


def wrong_type(kind: dict[str, Any]) -> list[str]:
    """What AWX would refuse of a credential type, what no option reads, and what would be shown."""
    fields = {entry["id"]: entry for entry in kind["inputs"]["fields"]}
    injectors = kind["injectors"]
    wrong = [f"required {name}" for name in set(kind["inputs"].get("required", ())) - fields.keys()]
    wrong += [f"{name}: a secret of type {entry['type']}" for name, entry in fields.items() if entry["type"] != "string"]
    wrong += [f"{name} begins with ANSIBLE_" for name in injectors.get("env", {}) if name.startswith("ANSIBLE_")]
    places = {name.partition(".")[2] for name in injectors.get("file", {})}
    files = {
        name: f"lookup('ansible.builtin.env', '{name}')" in str(DATA["awx_variables_of_credentials"]) for name in injectors.get("env", {})
    }
    secrets = variables_of_modules(secret=True) | {name for name, option in OPTIONS.items() if option.get("no_log")}
    for name, text in [*injectors.get("env", {}).items(), *injectors.get("extra_vars", {}).items(), *injectors.get("file", {}).items()]:
        example = dict.fromkeys(fields, "x") | {"tower": {"filename": dict.fromkeys(places, "x")}}
        assert ImmutableSandboxedEnvironment(undefined=StrictUndefined).from_string(text).render(example)
        is_file = name in injectors.get("file", {})
        read_by = variables_of_modules(secret=False) if name.isupper() else OPTIONS.keys()
        wrong += [f"nothing reads {name}"] * (not is_file and name.lower() not in read_by and not files.get(name))
        if is_file or name.lower() in secrets:
            wrong += [f"{field} is shown" for field in fields_in(text) if not fields[field].get("secret")]
    used = set().union(*(fields_in(text) for group in injectors.values() for text in group.values()))
    return wrong + [f"nothing uses {name}" for name in fields.keys() - used]


@pytest.mark.parametrize("name", TYPES)
def test_a_credential_type_gives_what_an_option_reads_and_hides_secrets(name: str):
    assert TYPES[name]["kind"] == "cloud" and set(TYPES[name]["injectors"]) <= {"env", "extra_vars", "file"}
    assert wrong_type(TYPES[name]) == []


def test_a_wrong_credential_type_is_found():
    fields = [{"id": "a", "type": "string"}, {"id": "b", "type": "string"}]
    env = {"ANSIBLE_CONFIG": "{{ a }}", "VOLUME_ACTIVATION_DOMAIN_PASSWORD": "{{ a }}"}
    wrong = wrong_type({"inputs": {"fields": fields}, "injectors": {"env": env, "extra_vars": {"kms_multi_site_key": "{{ a }}"}}})
    assert wrong == [
        "ANSIBLE_CONFIG begins with ANSIBLE_",
        "nothing reads ANSIBLE_CONFIG",
        "a is shown",
        "nothing reads kms_multi_site_key",
        "nothing uses b",
    ]


def test_what_is_from_a_credential_is_given_by_one():
    given = {name.lower() for kind in TYPES.values() for part in ("env", "extra_vars") for name in kind["injectors"].get(part, {})}
    given |= {name for variables in DATA["awx_variables_of_credentials"].values() for name in variables}
    # By default these are the variable volume_activation_credentials.
    of_sites = {"kms_multi_site_credentials", "kms_audit_credentials"}
    assert of_class("credential") - of_sites == {name for name in given if not name.endswith("_file")}
    assert awx_jobs.types_by_key().keys() >= DATA["awx_variables_of_credentials"].keys()
    assert {name for declared in DECLARED.values() for name in declared["credentials"]} == DATA["awx_credentials"].keys()


def test_the_keys_are_those_of_the_modules_and_the_playbook_passes_all_of_them_on():
    tasks = read(FOLDER / "tasks/controller.yml")
    passed = {task_of(task): set(task[f"awx.awx.{task_of(task)}"]) for task in tasks}
    assert passed.keys() == awx_jobs.MODULES.keys()
    for module, variable in awx_jobs.LISTS.items():
        used = {key for entry in DATA[variable] for key in entry}
        assert used <= awx_jobs.MODULES[module].keys()
        assert used == passed[module] - {"destroy_current_nodes"}
        names = [entry["name"] for entry in DATA[variable]]
        assert len(set(names)) == len(names)


def task_of(task: dict[str, Any]) -> str:
    (name,) = (key.removeprefix("awx.awx.") for key in task if key.startswith("awx.awx."))
    return name


def strange_keys(given: dict[str, Any], options: dict[str, Any], where: str = "node") -> list[str]:
    """The keys of a node of a workflow, at any depth, that the module does not know."""
    wrong = [f"{where}.{key}" for key in given.keys() - options.keys()]
    for key in given.keys() & options.keys():
        for value in given[key] if isinstance(given[key], list) else [given[key]]:
            if isinstance(value, dict):
                wrong += strange_keys(value, options[key], f"{where}.{key}")
    return wrong


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_leads_from_one_node_over_approvals_to_its_end(name: str):
    nodes = {node["identifier"]: (node, after) for node, after in awx_jobs.nodes(WORKFLOWS[name])}
    assert len(nodes) == len(WORKFLOWS[name]["workflow_nodes"])
    order = list(nodes)
    for identifier, (node, after) in nodes.items():
        assert strange_keys(node, awx_jobs.MODULES["workflow_job_template"]["workflow_nodes"]) == []
        job, kind = node["unified_job_template"], node["unified_job_template"]["type"]
        # What is denied ends the workflow.
        assert kind == "job_template" or (kind == "workflow_approval" and list(after) == ["success_nodes"])
        if kind == "job_template":
            template = TEMPLATES[job["name"].replace("{{ awx_kms_template }}", DATA["awx_kms_template"])]
            assert all(template[PROMPTS[key]] for key in node.keys() - {"identifier", "unified_job_template", "related"})
        assert all(order.index(later) > order.index(identifier) for entries in after.values() for later in entries)
    reached = [later for _node, after in nodes.values() for entries in after.values() for later in entries]
    assert sorted(reached) == sorted(order[1:])
    assert strange_keys({"limits": "", "related": {"success": []}}, awx_jobs.MODULES["workflow_job_template"]["workflow_nodes"]) == [
        "node.limits",
        "node.related.success",
    ]


def test_a_change_to_hosts_by_a_workflow_follows_an_approval_or_waits_for_one():
    """The first change of a workflow is the one that somebody started; each other one has an approval or a look in check mode before it."""
    for workflow in WORKFLOWS.values():
        before = {later: node for node, after in awx_jobs.nodes(workflow) for entries in after.values() for later in entries}
        for node, _after in list(awx_jobs.nodes(workflow))[1:]:
            reads = node["unified_job_template"].get("name") == f"{PREFIX}Audit" or node.get("job_type") == "check"
            approval = before[node["identifier"]]["unified_job_template"]["type"] == "workflow_approval"
            assert reads or approval or node["unified_job_template"]["type"] == "workflow_approval", node["identifier"]


def test_a_schedule_starts_a_template_that_changes_nothing():
    for schedule in DATA["controller_schedules"]:
        template = TEMPLATES[schedule["unified_job_template"]]
        assert template["description"].endswith("Changes nothing.")
        # AWX takes rules with a start and an interval alone.
        assert re.fullmatch(r"DTSTART:\d{8}T\d{6}Z RRULE:FREQ=(DAILY|WEEKLY);INTERVAL=\d+(;BYDAY=[A-Z]{2})?", schedule["rrule"])


@pytest.mark.parametrize("playbook", DECLARED)
def test_an_inventory_is_sliced_only_where_that_is_allowed(playbook: str):
    (template,) = (entry for entry in TEMPLATES.values() if entry["playbook"] == f"playbooks/{playbook}.yml")
    slices = DECLARED[playbook]["slices"]
    assert (template["job_slice_count"], template["ask_job_slice_count_on_launch"]) == (1, slices["allowed"])
    assert slices.keys() == {"allowed", "why"} and slices["why"].endswith(".")
    # Two jobs of one template at a time would decide over the same hosts.
    assert template["allow_simultaneous"] is False
    # A slice that is started again shows itself by how few hosts it has alone.
    assert ("awx_min_hosts" in template["extra_vars"]) != awx_templates.on_control_node(playbook)


def test_all_that_the_data_takes_is_a_setting():
    settings = read(FOLDER / "settings.yml").keys() | {"awx_variables_of_credentials"}
    used = set()
    for name in ("templates", "workflows", "schedules"):
        used |= set(re.findall(r"\bawx_\w+", (FOLDER / f"{name}.yml").read_text(encoding="utf-8"))) - {"awx_templates"}
    assert used == settings


def test_the_guide_names_what_there_is():
    text = (TREE / "docs/docsite/rst/awx.rst").read_text(encoding="utf-8")
    for key, kind in awx_jobs.types_by_key().items():
        assert f"   * - ``{key}``\n     - *{kind['name']}*\n" in text
    assert re.findall(r"^   \* - \*([^*]+)\*$", text, re.MULTILINE) == [name.removeprefix(PREFIX) for name in WORKFLOWS]
    files = {path.name for path in FOLDER.glob("*.yml")}
    assert files == set(re.findall(r"^   \* - ``(\w+\.yml)``$", text, re.MULTILINE))
