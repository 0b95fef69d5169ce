# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each job template of extensions/awx as AWX starts it: the survey left empty, secrets from its credential types alone, the inventory
without any. The cases stand in the order in which the world of each laboratory goes on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import awx_jobs
import pytest
import yaml

from lab import names, park
from lab.inventory import CONNECTIONS
from lab.microsoft.server import microsoft_in_thread
from lab.play import Run, run_playbook
from lab.windows.data import key_named

from . import documented, test_awx
from .conftest import Lab
from .leaks import files, leaks, watched
from .multi_site import counting

pytestmark = pytest.mark.tier("soak")

MAK, LIST_PASSWORD = test_awx.MAK, "a password for the list"
CSVLK = park.PARKS["modern"].csvlk
ACCOUNT = {"username": f"{names.OPERATOR}@{names.REALM}", "password": names.OPERATOR_PASSWORD}
# What the inventory does not have, because credentials give it.
GIVEN = ("volume_activation_domain_username", "volume_activation_domain_password", "volume_activation_domain_server")
GIVEN += ("kms_single_site_csvlk", "kms_multi_site_csvlk", "volume_activation_mak_ring", "volume_activation_credentials")
INPUTS: dict[str, dict[str, str]] = {
    "domain": {**ACCOUNT, "server": names.DC_FQDN},
    "csvlk": {"csvlk": CSVLK},
    "confirmation_ids": {},
    "mak_ring": {"ring": yaml.safe_dump({MAK: {"key": key_named(MAK).key, "description": "Windows"}})},
    "list_password": {"password": LIST_PASSWORD},
}
SECRETS = {
    "CSVLK": CSVLK,
    "MAK": key_named(MAK).key,
    "domain password": names.OPERATOR_PASSWORD,
    "password of the list": LIST_PASSWORD,
    "WinRM password": names.WINRM_PASSWORD,
}
FIRST, *OTHERS = ("kms_multi_site", "audit")
ORDER = (FIRST, *OTHERS, "kms_single_site", "survey", "mak_independent", "mak_to_kms", "kms_to_mak")


def templates_of(folder: Path, **settings: Any) -> dict[str, dict[str, Any]]:
    """The job templates as the playbook creates them, by playbook; with the credentials for which there are inputs.

    Args:
        folder: A place for the stand-ins of AWX.
        settings: In place of those of settings.yml.
    """
    keys = awx_jobs.data()["awx_credentials"]
    credentials = {key: key if key in (*INPUTS, "machine", "site_accounts") else "" for key in keys}
    found = awx_jobs.created(folder, awx_credentials=credentials, **settings)["job_template"]
    return {Path(template["playbook"]).stem: template for template in found}


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The job templates with the settings as they are."""
    return templates_of(tmp_path_factory.mktemp("awx"))


@pytest.fixture(scope="module")
def state() -> Iterator[str]:
    """A folder that outlasts a job also where the tests run in a container."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield folder


@pytest.fixture(scope="module")
def mak_park(running_mak_lab: Lab) -> Iterator[Lab]:
    yield test_awx.ready_for_maks(running_mak_lab)
    running_mak_lab.control.reset()


def accounts_of(inventory: dict[str, Any]) -> dict[str, str]:
    """The accounts of the sites as somebody types them into the credential."""
    accounts = inventory["all"]["vars"].get("volume_activation_credentials", {"none": {}})
    given = {name: {**account, "password": names.OPERATOR_PASSWORD} for name, account in accounts.items()}
    return {"accounts": yaml.safe_dump(given)}


def start(
    lab: Lab,
    template: dict[str, Any],
    folder: Path,
    *,
    limit: str = "",
    change: Callable[[dict[str, Any]], None] | None = None,
    on_event: Callable[[dict[str, Any]], None] | None = None,
    **answers: str,
) -> Run:
    """A job of a template, which leaves no secret behind.

    Args:
        folder: Of the job.
        limit: Empty for none, which lets localhost in, as C(all) does not.
        change: Changes the inventory, as whoever keeps it does.
        answers: To the survey; what is not among them is left empty.
    """
    inventory: dict[str, Any] = yaml.safe_load(lab.layout.inventory.read_text(encoding="utf-8"))
    inputs = INPUTS | {"site_accounts": accounts_of(inventory)}
    inventory["all"]["vars"] = {name: value for name, value in inventory["all"]["vars"].items() if name not in GIVEN}
    if change:
        change(inventory)
    for name in ("project", "secrets"):
        (folder / name).mkdir(parents=True)
    asked = awx_jobs.answers(template)
    assert answers.keys() <= asked.keys()
    job = awx_jobs.Job(variables=dict(template["extra_vars"]), texts=asked | answers)
    for key in template["credentials"]:
        if key != "machine":
            job.attach(awx_jobs.types_by_key()[key], inputs[key], folder / "secrets")
    job.write(folder / "secrets" / "variables.yml")
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    kept = folder / "project"
    with watched() as watch:
        run = run_playbook(
            lab.layout.root,
            f"{documented.COLLECTION}.{Path(template['playbook']).stem}",
            inventory=folder / "hosts.yml",
            arguments=f"{f'--limit {limit} ' if limit else ''}-e @{folder / 'secrets' / 'variables.yml'} -vvvv",
            environment=job.environment,
            on_event=on_event,
            keep=kept,
        )
    # ansible-runner writes down the environment that it was given in the file named command; AWX deletes it with the folder.
    held = [(place, content) for place, content in files(kept) if not place.endswith("/command")]
    lines = [(place, content) for place, content in watch.places if place.startswith("cmdline")]
    assert held and lines
    assert leaks([*held, *lines], SECRETS) == []
    return run


@pytest.mark.parametrize("playbook", ORDER)
def test_a_template_does_its_work_with_an_empty_survey(
    playbook: str, configured: dict[str, dict[str, Any]], state: str, request: pytest.FixtureRequest, tmp_path: Path
):
    def change(inventory: dict[str, Any]) -> None:
        inventory["all"]["vars"] |= {"volume_activation_state_directory": state, "kms_single_site_publish_timeout": 3}
        inventory["all"]["vars"] |= {"kms_multi_site_publish_timeout": 5}
        if playbook in test_awx.OF_MAKS:
            inventory["all"]["children"]["mak_clients"] = {"children": {MAK: {}}, "vars": {"volume_activation_mak": MAK}}

    limit, on_event = test_awx.LIMIT, None
    if playbook in test_awx.OF_SITES:
        lab: Lab = request.getfixturevalue("zones_lab")
        limit, on_event = test_awx.SITES_LIMIT, counting(lab)
    elif playbook in test_awx.OF_MAKS:
        lab, limit = request.getfixturevalue("mak_park"), test_awx.MAK_LIMIT
        for label in ("pc-001", "pc-002"):
            lab.control.reimage(label, with_key=playbook != "mak_to_kms")
    else:
        lab = request.getfixturevalue("running_lab")
    # The audit finds the sites that were set up.
    if playbook in (FIRST, "kms_single_site"):
        lab.control.reset()
    run = start(lab, configured[playbook], tmp_path, limit=limit, change=change, on_event=on_event)
    assert (run.status, run.rc) == ("successful", 0), run.output[-4000:]
    assert (run.changed() > 0) == (playbook not in test_awx.READS)
    assert all(name in documented.PLAYBOOKS for name in run.custom_stats)


def test_a_reference_image_is_made_only_when_somebody_says_so(configured: dict[str, dict[str, Any]], running_lab: Lab, tmp_path: Path):
    lab = running_lab
    lab.control.reset()
    host = names.clients(1)[0]

    def change(inventory: dict[str, Any]) -> None:
        local = CONNECTIONS["psrp_basic_tls"](lab.layout)
        own = {**local, "ansible_host": host.address, "ansible_password": names.LOCAL_ADMIN_PASSWORD}
        inventory["all"]["children"] = {"reference_computers": {"hosts": {host.fqdn: own}}}

    before = lab.control.host(host.label)
    run = start(lab, configured["reference_image"], tmp_path / "refused", change=change)
    assert run.rc == 2 and "reference_image_allow_domain_member" in run.output
    assert lab.control.host(host.label)["partial_key"] == before["partial_key"]


def test_the_templates_of_mak_proxy_hand_the_export_on(
    configured: dict[str, dict[str, Any]], isolated_lab: Lab, state: str, tmp_path: Path
):
    lab = isolated_lab
    place = str(Path(state) / "proxy")
    with microsoft_in_thread(tmp_path / "microsoft") as microsoft:

        def change(inventory: dict[str, Any]) -> None:
            inventory["all"]["vars"] |= {"volume_activation_state_directory": place, "volume_activation_mak": MAK}
            service = {"volume_activation_microsoft_url": microsoft.url, "volume_activation_microsoft_ca_path": microsoft.ca_path}
            inventory["all"]["vars"] |= service
            inventory["all"]["children"]["mak_clients"] = {"children": {MAK: {}}}

        def job(step: str, limit: str = "") -> Run:
            template = configured[f"mak_proxy_{step}"]
            assert template["ask_limit_on_launch"] == (step not in ("phone", "acquire"))
            run = start(lab, template, tmp_path / step, limit=limit, change=change)
            assert (run.status, run.rc) == ("successful", 0), run.output[-4000:]
            return run

        hosts = list(yaml.safe_load(lab.layout.inventory.read_text(encoding="utf-8"))["all"]["children"][MAK]["hosts"])[:2]
        job("collect", ",".join(hosts))
        assert (Path(place) / "computer_list.json").read_bytes().startswith(b"$ANSIBLE_VAULT")
        job("phone")
        job("acquire")
        job("apply", ",".join(hosts))
        labels = [host.partition(".")[0] for host in hosts]
        assert [lab.control.host(label)["license_status"] for label in labels] == [1, 1]
        lab.control.reimage(labels[0], same_hardware=True)
        job("reapply", hosts[0])
        assert lab.control.host(labels[0])["license_status"] == 1
