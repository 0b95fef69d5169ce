# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every playbook as AWX runs it: by ansible-runner, with what a survey sends (text, and empty text for what nobody filled in),
credentials in the environment, nobody at a terminal, and a folder that is thrown away afterwards.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import awx_jobs
import pytest
import yaml

from lab import names
from lab.play import Run, run_playbook
from lab.windows.data import key_named

from . import documented
from .conftest import Lab
from .leaks import files, leaks, watched
from .multi_site import counting

pytestmark = pytest.mark.tier("test")

FIRST = names.kms_hosts()[0]
# Small enough to be quick, large enough that servers get their license.
LIMIT = f"{FIRST.fqdn}:srv-00*"
# Of several sites all KMS hosts, because each is in the records of all.
SITES_LIMIT = "kms_hosts:srv-*"
OF_SITES = ("kms_multi_site", "audit")
# It needs an inventory in which one host has just taken the place of another, which test_kms_multi_site.py makes; its tasks are those
# of kms_multi_site, and those of its own are looked through below.
# A reference computer leaves its domain, and with that the accounts of this inventory; test_reference_image.py sends it an empty survey.
# MAK proxy activation is several jobs in two networks that do not reach each other, which test_mak_proxy.py has.
LEFT_OUT = {"kms_replace_host", "reference_image", *(playbook for playbook in documented.PLAYBOOKS if playbook.startswith("mak_proxy_"))}
# For MAKs a lab of its own, in which two computers get keys; back from MAK they find a KMS host by DNS.
OF_MAKS = ("mak_independent", "kms_to_mak", "mak_to_kms")
# What changes no host.
READS = ("audit", "report", "survey")
MAK, MAK_LIMIT = "mak_win_enterprise", "pc-001*:pc-002*"
# What AWX takes for a workflow's next jobs; it keeps them in one database field and in every job's extra variables.
LARGEST_STATS = 1024
LARGEST_EVENT = 64 * 1024
# Modules and keywords that wait for somebody, or leave something on the disk of the job.
PROMPTS = {"vars_prompt", "pause", "ansible.builtin.pause"}
LEAVES_FILES = {"copy", "template", "fetch", "ansible.builtin.copy", "ansible.builtin.template", "ansible.builtin.fetch"}


def survey(playbook: str) -> dict[str, str]:
    """Every option of the playbook's roles as a survey sends it where nobody filled in anything."""
    options = [entry for role in documented.roles_of(playbook) for entry in documented.role_options(role).values()]
    return {name: "" for entry in options for name in entry if not required_by_inventory(name, entry)}


def required_by_inventory(name: str, options: dict[str, Any]) -> bool:
    """What the inventory or a credential of the lab gives; empty text in extra variables would come before that."""
    return bool(options[name].get("required") or options[name].get("no_log") or name.endswith("dns_servers"))


def state_variables(state: str) -> dict[str, str]:
    """The state directory by the alias of its variable, which an older job template has, beside the variable left empty."""
    return {"volume_activation_state_directory": "", "volume_activation_state_dir": state}


def variables_of(playbook: str, state: str) -> dict[str, str]:
    """What a job template of the playbook asks for, all of it text."""
    if playbook in OF_MAKS:
        return survey(playbook) | {"volume_activation_serial": "", "volume_activation_mak_hosts": "", **state_variables(state)}
    if playbook == "survey":
        asked = ("volume_activation_survey_hosts", "volume_activation_survey_columns", "volume_activation_survey_name")
        return dict.fromkeys(asked, "") | state_variables(state)
    given = {"volume_activation_serial": "", "kms_single_site_publish_timeout": "3"}
    # A list comes as text as well.
    given["kms_single_site_dns_servers"] = f"{names.DC_ADDRESS}, "
    of_sites = {"kms_multi_site_publish_timeout": "5"}
    return survey(playbook) | (of_sites if playbook in OF_SITES else given) | (state_variables(state) if playbook in READS else {})


def inventory_without_secrets(lab: Lab) -> dict[str, Any]:
    """The lab's inventory. The directory's credential comes from the environment alone, as an injector of a credential type gives it."""
    inventory: dict[str, Any] = yaml.safe_load(lab.layout.inventory.read_text(encoding="utf-8"))
    variables = inventory["all"]["vars"]
    for name in ("volume_activation_domain_username", "volume_activation_domain_password", "volume_activation_domain_server"):
        del variables[name]
    for credential in variables.get("volume_activation_credentials", {}).values():
        credential["password"] = "{{ lookup('ansible.builtin.env', 'VOLUME_ACTIVATION_DOMAIN_PASSWORD') }}"
    if MAK in inventory["all"]["children"]:
        inventory["all"]["children"]["mak_clients"] = {"children": {MAK: {}}, "vars": {"volume_activation_mak": MAK}}
    return inventory


def run_job(lab: Lab, playbook: str, limit: str, factory: pytest.TempPathFactory, state: str = "") -> dict[str, Any]:
    """A job of a playbook, with its folder."""
    kept = factory.mktemp("job")
    (kept / "project").mkdir()
    account = awx_jobs.Job()
    given = {"username": f"{names.OPERATOR}@{names.REALM}", "password": names.OPERATOR_PASSWORD, "server": names.DC_FQDN}
    account.attach(awx_jobs.types_by_key()["domain"], given, kept)
    hosts = kept.parent / f"{playbook}.yml"
    hosts.write_text(yaml.safe_dump(inventory_without_secrets(lab)), encoding="utf-8")
    with watched() as watch:
        run = run_playbook(
            lab.layout.root,
            f"{documented.COLLECTION}.{playbook}",
            inventory=hosts,
            arguments=f"--limit {limit} -vvvv",
            variables=variables_of(playbook, state),
            environment=account.environment,
            on_event=counting(lab) if playbook in OF_SITES else None,
            keep=kept,
        )
    return {"playbook": playbook, "run": run, "kept": kept, "watch": watch, "lab": lab, "limit": limit, "hosts": hosts, "state": state}


@pytest.fixture(scope="module")
def job_of_sites(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A job that sets several sites up; what comes after finds them so."""
    lab: Lab = request.getfixturevalue("zones_lab")
    lab.control.reset()
    yield run_job(lab, "kms_multi_site", SITES_LIMIT, tmp_path_factory)
    lab.control.reset()


@pytest.fixture(scope="module")
def state() -> Iterator[str]:
    """A folder that outlasts a job also where the tests run in a container, whose own file system does not."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield folder


def ready_for_maks(lab: Lab) -> Lab:
    """Computers that get a MAK, and a KMS host that has counted enough of them."""
    lab.control.reset()
    arguments = {"ProductKey": key_named("csvlk_2022").key}
    lab.control.call("call_service", host=FIRST.label, method="InstallProductKey", arguments=arguments)
    lab.control.activate(FIRST.label)
    lab.control.drift("firewall_on", FIRST.label)
    lab.control.count_clients(FIRST.label, 30)
    return lab


@pytest.fixture(scope="module")
def mak_park(running_mak_lab: Lab) -> Iterator[Lab]:
    """That laboratory for all jobs with MAKs."""
    yield ready_for_maks(running_mak_lab)
    running_mak_lab.control.reset()


@pytest.fixture(scope="module", params=[playbook for playbook in documented.PLAYBOOKS if playbook not in LEFT_OUT])
def job(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A job of the playbook: against the lab as on its first day, and of an audit against sites that are set up."""
    if request.param in OF_SITES:
        first: dict[str, Any] = request.getfixturevalue("job_of_sites")
        if request.param == first["playbook"]:
            return first
        return run_job(first["lab"], request.param, SITES_LIMIT, tmp_path_factory, request.getfixturevalue("state"))
    if request.param in OF_MAKS:
        park: Lab = request.getfixturevalue("mak_park")
        for label in ("pc-001", "pc-002"):
            park.control.reimage(label, with_key=request.param != "mak_to_kms")
        return run_job(park, request.param, MAK_LIMIT, tmp_path_factory, request.getfixturevalue("state"))
    lab: Lab = request.getfixturevalue("running_lab")
    lab.control.reset()
    state = request.getfixturevalue("state") if request.param in READS else ""
    return run_job(lab, request.param, LIMIT, tmp_path_factory, state)


def test_it_ends_well_with_an_empty_survey(job: dict[str, Any]):
    run: Run = job["run"]
    assert (run.status, run.rc) == ("successful", 0), run.output[-4000:]
    assert (run.changed() > 0) == (job["playbook"] not in READS)


def test_the_summary_for_the_next_job_of_a_workflow_is_small_and_named_after_the_playbook(job: dict[str, Any]):
    stats = job["run"].custom_stats
    assert stats
    assert len(json.dumps(stats)) <= LARGEST_STATS
    assert all(name in documented.PLAYBOOKS for name in stats)


def test_no_event_is_large(job: dict[str, Any]):
    sizes = {path.name: path.stat().st_size for path in job["kept"].glob("artifacts/*/job_events/*.json")}
    assert sizes
    assert {name: size for name, size in sizes.items() if size > LARGEST_EVENT} == {}


def test_findings_and_summary_read_as_lines(job: dict[str, Any]):
    told = [entry for entry in job["run"].results if isinstance(entry.result.get("msg"), list)]
    assert told
    for entry in told:
        assert all(isinstance(line, str) and "\n" not in line for line in entry.result["msg"])


def test_nothing_is_kept_on_the_disk_of_the_job(job: dict[str, Any]):
    left = {path.relative_to(job["kept"]).parts[0] for path in job["kept"].rglob("*") if path.is_file()}
    assert "artifacts" in left and left <= {"artifacts", "env"}
    # env holds what ansible-runner was told, and with that nothing that AWX has to hide.
    assert not [path for path in (job["kept"] / "env").rglob("*") if path.is_file() and path.name in ("extravars", "envvars", "passwords")]


def test_no_secret_is_in_the_artifacts_or_with_any_child(job: dict[str, Any]):
    lab: Lab = job["lab"]
    csvlk = next(line for line in lab.layout.env.read_text(encoding="utf-8").splitlines() if "LAB_CSVLK" in line).split("=")[1].strip("'\"")
    key = key_named(MAK).key if job["playbook"] in OF_MAKS else csvlk
    secrets = {"key": key, "domain password": names.OPERATOR_PASSWORD, "WinRM password": names.WINRM_PASSWORD}
    # ansible-runner writes down the environment that it was given in the file named command; AWX deletes it with the folder.
    held = [(place, content) for place, content in files(job["kept"]) if not place.endswith("/command")]
    # That environment is also the one of ansible-playbook and its workers, which are the same program.
    lines = [(place, content) for place, content in job["watch"].places if place.startswith("cmdline")]
    assert held and lines
    assert leaks([*held, *lines], secrets) == []
    assert (key[-5:] in job["run"].output) == (job["playbook"] not in ("mak_to_kms", "report", "survey"))


@pytest.mark.tier("soak")
def test_a_second_job_changes_nothing(job: dict[str, Any]):
    playbook, arguments = f"{documented.COLLECTION}.{job['playbook']}", f"--limit {job['limit']}"
    variables = {"volume_activation_state_directory": job["state"]} if job["state"] else {}
    if job["playbook"] in OF_MAKS:
        again = run_playbook(job["lab"].layout.root, playbook, inventory=job["hosts"], arguments=arguments, variables=variables)
    else:
        again = job["lab"].play(playbook, arguments=arguments, **variables)
    assert (again.rc, again.changed()) == (0, 0), again.output[-3000:]


@pytest.mark.parametrize(
    "path", sorted((documented.TREE / "playbooks").glob("*.yml")) + sorted((documented.TREE / "roles").glob("*/tasks/*.yml"))
)
def test_nobody_is_asked_and_no_file_is_left(path: Path):
    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(keys, value.values()))
        return set().union(*map(keys, value)) if isinstance(value, list) else set()

    tasks = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert keys(tasks) & (PROMPTS | LEAVES_FILES) == set()
