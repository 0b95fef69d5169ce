# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A slice of a job of AWX: what ends it before any host is asked, what goes on, and what is not said of KMS hosts that are in other slices."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import awx_jobs
import awx_templates
import error_catalogue
import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from handmade import task_of

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.slices import may_be_slice, sliced_template
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.fleet import fleet_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms import findings as kms_findings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms import steps
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.settings import read_settings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.work import single_site

pytestmark = pytest.mark.tier("quick")

HOSTS = ["pc-1", "pc-2"]
SITES = {"east": {"domain": "contoso.com", "domain_controllers": ["dc1.contoso.com"], "kms_hosts": [{"name": "kms-1.contoso.com"}]}}
FIRST: dict[str, tuple[str, dict[str, Any]]] = {
    "audit": ("run_audit", {"step": "topology"}),
    "kms_multi_site": ("run_kms", {"step": "declare", "face": "kms_multi_site", "settings": {"sites": SITES}}),
    "kms_replace_host": ("run_kms", {"step": "declare", "face": "kms_multi_site", "settings": {"sites": SITES}}),
    "kms_single_site": ("run_kms", {"step": "declare", "face": "kms_single_site", "settings": {"domain": "contoso.com"}}),
    "kms_to_mak": ("run_mak", {"step": "assign"}),
    "mak_independent": ("run_mak", {"step": "assign"}),
    **{f"mak_proxy_{name}": ("run_mak_proxy", {"step": "options"}) for name in ("acquire", "apply", "collect", "phone", "reapply")},
    "mak_to_kms": ("run_mak", {"step": "give_back"}),
    "reference_image": ("run_image", {"step": "options"}),
    "report": ("run_report", {"step": "begin"}),
    "survey": ("license_survey", {}),
}
"""By playbook the action that begins it."""
OF_KMS = ("kms_multi_site", "kms_replace_host", "kms_single_site")
WHOLE, LIMITED = "a slice of a job that decides over all hosts", "a slice of a KMS job without the limit"
FEW, FEW_OF_KMS = "an inventory with fewer hosts than it should have", "an inventory of a KMS job with fewer hosts than it should have"
NO_NUMBER = "a number of hosts that is none"
CASES = error_catalogue.paired("Slices", [WHOLE, LIMITED, FEW, FEW_OF_KMS, NO_NUMBER])
DECLARED = awx_templates.read(awx_templates.FOLDER / "job_templates.yml")
TEMPLATE = "Volume activation: KMS for a single site"
SLICE = {"awx_workflow_job_name": TEMPLATE, "awx_job_template_name": TEMPLATE, "awx_job_launch_type": "workflow"}


class Began(Exception):
    """The action has gone on to read hosts."""


def begun(playbook: str, monkeypatch: pytest.MonkeyPatch, kms_hosts: list[str] | None = None, **variables: Any) -> str:
    """What the first action of a playbook says in a play over two hosts; empty where it goes on."""
    module, options = FIRST[playbook]

    def go_on(*_arguments: Any, **_named: Any) -> Any:
        raise Began

    action = importlib.import_module(f"{error_catalogue.COLLECTION}.action.{module}")
    base = importlib.import_module(f"{error_catalogue.COLLECTION}.plugin_utils._runs.action")
    monkeypatch.setattr(base, "collect", go_on)
    for name in ("read_limit", "run"):
        if module in ("license_survey", "run_report") and hasattr(action, name):
            monkeypatch.setattr(action, name, go_on if name == "read_limit" else SimpleNamespace(expiring_days=go_on))
    groups = {"all": HOSTS, "kms_hosts": kms_hosts or [], "kms_clients": HOSTS}
    magic = {"ansible_play_hosts_all": HOSTS, "ansible_play_hosts": HOSTS, "ansible_play_batch": HOSTS, "groups": groups}
    seen = {
        "inventory_hostname": "pc-1",
        **magic,
        "hostvars": SimpleNamespace(raw_get=lambda host: {"inventory_hostname": host}),
        **variables,
    }
    task = task_of(options, run_once=True, get_play=lambda: SimpleNamespace(get_vars=dict, strategy="linear"))
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="x"))
    made = action.ActionModule(task, connection, DataLoader(), None, Templar(DataLoader(), seen), None)
    found = made.run(task_vars=seen)
    return "" if found.get("error", {}).get("name") == "Began" else str(found["msg"])


def test_the_actions_are_those_that_begin_the_playbooks():
    assert FIRST.keys() == DECLARED.keys()


@pytest.mark.parametrize("playbook", FIRST)
def test_a_slice_is_refused_where_the_template_may_not_be_sliced(playbook: str, monkeypatch: pytest.MonkeyPatch):
    said = begun(playbook, monkeypatch, **SLICE)
    if playbook in OF_KMS:
        assert said == error_catalogue.said(CASES[LIMITED], template=TEMPLATE)
    else:
        assert said == ("" if DECLARED[playbook]["slices"]["allowed"] else error_catalogue.said(CASES[WHOLE], template=TEMPLATE))


@pytest.mark.parametrize("playbook", FIRST)
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"awx_job_template_name": TEMPLATE, "awx_job_launch_type": "manual"},
        {**SLICE, "awx_workflow_job_name": "Volume activation: site by site"},
        {"awx_workflow_job_name": "", "awx_job_template_name": ""},
        {"volume_activation_min_hosts": 2},
        {"volume_activation_min_hosts": ""},
    ],
)
def test_a_job_that_is_no_slice_goes_on(playbook: str, variables: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    assert begun(playbook, monkeypatch, **variables) == ""


@pytest.mark.parametrize("playbook", OF_KMS)
def test_a_slice_of_clients_goes_on_with_a_limit_that_leaves_out_kms_hosts(playbook: str, monkeypatch: pytest.MonkeyPatch):
    assert begun(playbook, monkeypatch, ansible_limit="kms_clients", **SLICE) == ""
    with_hosts = begun(playbook, monkeypatch, kms_hosts=["pc-2"], ansible_limit="all", **SLICE)
    assert with_hosts == error_catalogue.said(CASES[LIMITED], template=TEMPLATE)


@pytest.mark.parametrize("playbook", FIRST)
def test_an_inventory_with_fewer_hosts_is_refused_where_all_are_needed(playbook: str, monkeypatch: pytest.MonkeyPatch):
    said = begun(playbook, monkeypatch, volume_activation_min_hosts="3")
    sliced = DECLARED[playbook]["slices"]["allowed"] and playbook not in OF_KMS
    assert said == ("" if sliced else error_catalogue.said(CASES[FEW_OF_KMS if playbook in OF_KMS else FEW]))


def test_a_play_over_the_control_node_alone_needs_no_inventory(monkeypatch: pytest.MonkeyPatch):
    only = {name: ["localhost"] for name in ("ansible_play_hosts_all", "ansible_play_batch", "ansible_play_hosts")}
    variables = {**only, "inventory_hostname": "localhost", "volume_activation_min_hosts": 3}
    assert begun("mak_proxy_acquire", monkeypatch, **variables) == ""


@pytest.mark.parametrize("given", ["many", True, "-1", "9" * 10])
def test_a_number_of_hosts_that_is_none_is_refused(given: Any, monkeypatch: pytest.MonkeyPatch):
    said = begun("audit", monkeypatch, volume_activation_min_hosts=given)
    assert said == error_catalogue.said(CASES[NO_NUMBER]).replace("many", str(given))


def test_awx_names_its_variables_in_two_ways():
    old = {name.replace("awx_", "tower_"): value for name, value in SLICE.items()}
    assert sliced_template(old) == sliced_template(SLICE) == TEMPLATE
    assert may_be_slice(old) and may_be_slice({"tower_job_launch_type": "relaunch"})
    assert not may_be_slice({"awx_job_launch_type": "manual", "awx_job_template_name": TEMPLATE})


@pytest.mark.parametrize("part", [True, False])
def test_kms_hosts_of_other_slices_are_neither_missed_nor_strange(part: bool):
    record = {"item": {"record": "_vlmcs._tcp.contoso.com", "domain": "contoso.com"}}
    record["records"] = [{"target": "kms-1.contoso.com", "port": 1688, "priority": 0, "weight": 0}]
    settings = read_settings("kms_single_site", {"domain": "contoso.com"})
    look = kms_findings.Look([], [], HOSTS, HOSTS, records=[record], part=part)
    texts = [(finding.text, finding.blocks) for finding in kms_findings.findings(settings, single_site(settings, {}), look)]
    left_out = ("A limit leaves out all KMS hosts, so that they are not checked; the clients ask them as they are.", False)
    assert (texts == [left_out]) == part
    # No host of the group that the sites name is there in a slice without KMS hosts.
    sites = steps.declare("kms_multi_site", {"sites": SITES}, [], [])["topology"]
    look = kms_findings.Look([], [], HOSTS, HOSTS, part=part)
    texts = [(finding.text, finding.blocks) for finding in kms_findings.findings(read_settings("kms_multi_site", {}), sites, look)]
    assert (texts == [left_out]) == part


def test_a_fleet_is_a_part_where_it_is_told():
    assert fleet_of(HOSTS, HOSTS, {"all": HOSTS}, (), True).part
    assert not fleet_of(HOSTS, HOSTS, {"all": HOSTS}, ()).part


@pytest.mark.parametrize("path", sorted((awx_templates.TREE / "playbooks").glob("*.yml")), ids=lambda path: path.stem)
def test_the_guide_says_of_each_playbook_how_to_slice_it_or_why_not(path: Path):
    text = (awx_templates.TREE / "docs/docsite/rst/awx.rst").read_text(encoding="utf-8")
    declared = DECLARED[path.stem]
    answer = "yes" if declared["slices"]["allowed"] else "no"
    assert f"   * - {declared['name']}\n     - {answer}\n     - {declared['slices']['why']}\n" in text


def test_each_host_is_in_one_slice_in_the_groups_that_it_has():
    hosts = {name: {"ansible_host": name} for name in ("d", "b", "a", "c")}
    groups = {"windows": {"hosts": hosts}, "kms_clients": {"children": {"windows": {}}}, "kms_hosts": {"hosts": {"e": None}}}
    inventory = {"all": {"vars": {"x": 1}, "children": groups}}
    first, second = (awx_jobs.slice_of(inventory, number, 2) for number in (1, 2))
    assert list(first["all"]["children"]["windows"]["hosts"]) == ["a", "c"]
    assert sorted(second["all"]["children"]["windows"]["hosts"]) == ["b", "d"]
    assert first["all"]["children"].keys() == second["all"]["children"].keys() == groups.keys()
    assert [part["all"]["children"]["kms_hosts"]["hosts"] for part in (first, second)] == [{"e": None}, {}]
    assert awx_jobs.slice_of(inventory, 1, 1) == {
        "all": {**inventory["all"], "children": {**groups, "kms_clients": {"children": {"windows": {}}}}}
    }


def test_no_workflow_has_the_name_of_a_job_template():
    """By that a job finds that it is a slice."""
    data = awx_jobs.data()
    workflows, templates = ({entry["name"] for entry in data[f"controller_{kind}"]} for kind in ("workflows", "templates"))
    assert workflows and templates and not workflows & templates
