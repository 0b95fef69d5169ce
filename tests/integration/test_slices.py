# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs in slices as AWX makes them: all at once where they may be, with what they have in common left as it is; else refused before a request."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import awx_jobs
import awx_templates
import pytest
import yaml

from lab import names
from lab.play import Run, run_playbook

from . import test_awx
from .conftest import NEEDS_DOMAIN, Lab
from .multi_site import VARIABLES, clients, count_clients, kms_hosts, play, world
from .test_awx_templates import start, templates_of

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

DECLARED = awx_templates.read(awx_templates.FOLDER / "job_templates.yml")
OF_KMS = ("kms_multi_site", "kms_single_site")
REFUSED = [playbook for playbook, declared in DECLARED.items() if not declared["slices"]["allowed"] or playbook in OF_KMS]
"""Those that stop in a slice without a limit."""
SHARED = ("srv", "rights", "members")
SHARED_OF_ONE = ("srv", "sddl", "members")
# More than there are KMS hosts, so that a slice has none in its inventory.
SLICES = 7


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """What all slices have as their state directory."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def lab(zones_lab: Lab) -> Iterator[Lab]:
    """The KMS hosts of both sites are set up by a whole job, and have counted enough clients."""
    zones_lab.control.reset()
    whole = play(zones_lab, arguments="--limit kms_hosts")
    assert whole.rc == 0, whole.output[-3000:]
    count_clients(zones_lab)
    yield zones_lab
    zones_lab.control.reset()


@pytest.fixture(scope="module")
def as_it_was(lab: Lab) -> Iterator[None]:
    """Records, rights and groups are the same after the tests that take this."""
    before = shared(world(lab))
    yield
    assert shared(world(lab)) == before


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The job templates where the settings say how many hosts there are at least."""
    return templates_of(tmp_path_factory.mktemp("awx"), awx_min_hosts=15)


def one_slice(lab: Lab, folder: Path, playbook: str, told: dict[str, str], *, limit: str, inventory: dict[str, Any]) -> Run:
    """A job over the inventory of a slice.

    Args:
        told: What AWX tells it.
    """
    path = folder / "hosts.yml"
    folder.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(inventory), encoding="utf-8")
    run = run_playbook(
        lab.layout.root,
        f"winops.volume_activation.{playbook}",
        inventory=path,
        arguments=f"--forks 5 --limit {limit}",
        variables={**VARIABLES, **told},
    )
    assert (run.status, run.rc) == ("successful", 0), run.output[-4000:]
    return run


def at_once(lab: Lab, folder: Path, playbook: str, *, limit: str, inventory: dict[str, Any], count: int = SLICES) -> list[Run]:
    """All slices of a job, each in a process of its own at the same time."""
    told = awx_jobs.variables_of_slice(template_of(playbook))

    def one(number: int) -> Run:
        part = awx_jobs.slice_of(inventory, number, count)
        return one_slice(lab, folder / str(number), playbook, told, limit=limit, inventory=part)

    with ThreadPoolExecutor(count) as together:
        return list(together.map(one, range(1, count + 1)))


def template_of(playbook: str) -> str:
    """The name of its job template."""
    return str(awx_templates.PREFIX + DECLARED[playbook]["name"])


def inventory_of(lab: Lab, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(lab.layout.inventory.read_text(encoding="utf-8"))
    found["all"]["vars"] |= variables
    return found


def shared(seen: dict[str, Any]) -> dict[str, Any]:
    """What all slices have in common: records with their rights, and groups."""
    return {name: value for name, value in seen.items() if name.endswith(SHARED)}


def asked(lab: Lab, since: int) -> Counter[str]:
    """How many connections each host took."""
    entries = lab.requests()[since:]
    return Counter(host for host, _connection in {(entry["host"].partition(".")[0], entry["connection"]) for entry in entries})


def test_clients_of_all_slices_are_licensed_while_what_they_share_stays_as_it_is(lab: Lab, state: Path, tmp_path: Path):
    before, since = world(lab), len(lab.requests())
    inventory = inventory_of(lab, volume_activation_state_directory=str(state / "kms"))
    runs = at_once(lab, tmp_path, "kms_multi_site", limit="kms_clients", inventory=inventory)
    after = world(lab)
    assert shared(after) == shared(before) and len(shared(before)) == 6 and all(shared(before).values())
    assert {machine.label for machine in clients(lab) if after["hosts"][machine.label]["license_status"] != 1} == set()
    # No slice logs on to a KMS host, and no client is in two slices.
    logons = asked(lab, since)
    assert {machine.label for machine in kms_hosts(lab)} & logons.keys() == set()
    assert logons.keys() == {machine.label for machine in clients(lab)}
    assert sum(run.custom_stats["kms_multi_site"]["licensed"] for run in runs) == len(clients(lab))
    assert not (state / "kms").exists()
    # Each says once that KMS hosts are left out, and misses none.
    for run in runs:
        assert run.output.count("A limit leaves out all KMS hosts") == 1
        assert "not in the group kms_hosts" not in run.output and "no KMS host of" not in run.output
    # A whole job over the same clients finds nothing to do, and asks each as often as a slice does.
    since = len(lab.requests())
    sliced = at_once(lab, tmp_path, "kms_multi_site", limit="kms_clients", inventory=inventory)
    in_slices, since = asked(lab, since), len(lab.requests())
    whole = play(lab, arguments="--limit kms_clients")
    assert (whole.rc, whole.changed(), sum(run.changed() for run in sliced)) == (0, 0, 0)
    assert in_slices == asked(lab, since)


def test_a_slice_of_clients_that_is_started_again_does_the_same_without_kms_hosts_in_its_inventory(lab: Lab, tmp_path: Path):
    slices = [awx_jobs.slice_of(inventory_of(lab), number, SLICES) for number in range(1, SLICES + 1)]
    without, *_others = [
        part for part in slices if not any(machine.fqdn in str(part["all"]["children"]["kms_hosts"]) for machine in kms_hosts(lab))
    ]
    told = {"awx_job_template_name": template_of("kms_multi_site"), "awx_job_launch_type": "relaunch"}
    run = one_slice(lab, tmp_path, "kms_multi_site", told, limit="kms_clients", inventory=without)
    assert "A limit leaves out all KMS hosts" in run.output


@pytest.mark.usefixtures("as_it_was")
@pytest.mark.parametrize("playbook", REFUSED)
def test_what_may_not_be_sliced_stops_before_any_request(
    playbook: str, lab: Lab, configured: dict[str, dict[str, Any]], state: Path, tmp_path: Path
):
    def change(inventory: dict[str, Any]) -> None:
        group = {name: {} for name in sorted(item.fqdn for item in kms_hosts(lab))}
        inventory["all"]["children"] |= {
            "mak_clients": {"children": {"kms_clients": {}}},
            "kms_retired": {"hosts": dict(list(group.items())[:1])},
        }
        inventory["all"]["vars"] |= {
            "volume_activation_state_directory": str(state / playbook),
            "kms_single_site_domain": "east.contoso.com",
        }
        inventory.update(awx_jobs.slice_of(inventory, 1, 2))

    template = configured[playbook]
    since = len(lab.requests())
    told = awx_jobs.variables_of_slice(template["name"])
    run = start(lab, {**template, "extra_vars": {**template["extra_vars"], **told}}, tmp_path / "slice", change=change)
    assert run.rc == 2 and any(f'one of the slices of the job template "{template["name"]}"' in said for said in run.failures()), run.output
    if not awx_templates.on_control_node(playbook):
        # A slice that is started again is named no workflow job.
        told = {"awx_job_template_name": template["name"], "awx_job_launch_type": "relaunch"}
        run = start(lab, {**template, "extra_vars": {**template["extra_vars"], **told}}, tmp_path / "again", change=change)
        assert run.rc == 2 and any("volume_activation_min_hosts is 15" in said for said in run.failures()), run.output
    assert len(lab.requests()) == since
    assert not (state / playbook).exists()


def test_computers_go_back_to_kms_in_slices_beside_the_list_and_the_journal(
    mak_lab: Lab, configured: dict[str, dict[str, Any]], state: Path, tmp_path: Path
):
    lab = test_awx.ready_for_maks(mak_lab)
    labels = [f"pc-00{number}" for number in range(1, 5)]
    for label in labels:
        lab.control.reimage(label)
    limit = ":".join(f"{label}*" for label in labels)
    inventory = inventory_of(lab, volume_activation_state_directory=str(state / "mak"), volume_activation_mak=test_awx.MAK)
    inventory["all"]["children"]["mak_clients"] = {"children": {test_awx.MAK: {}}}
    path = tmp_path / "whole.yml"
    path.write_text(yaml.safe_dump(inventory), encoding="utf-8")
    whole = run_playbook(lab.layout.root, "winops.volume_activation.mak_independent", inventory=path, arguments=f"--limit {limit}")
    assert whole.rc == 0, whole.output[-3000:]
    kept = {file.name: file.read_bytes() for file in (state / "mak").iterdir() if file.is_file()}
    before, since = lab.world(), len(lab.requests())
    runs = at_once(lab, tmp_path, "mak_to_kms", limit=limit, inventory=inventory, count=2)
    after = lab.world()
    assert {name: after[name] for name in (*SHARED_OF_ONE, "microsoft")} == {name: before[name] for name in (*SHARED_OF_ONE, "microsoft")}
    assert {file.name: file.read_bytes() for file in (state / "mak").iterdir() if file.is_file()} == kept and kept
    assert asked(lab, since).keys() == set(labels)
    assert [after["hosts"][label]["license_status"] for label in labels] == [1] * 4
    assert sum(run.custom_stats["mak_to_kms"]["licensed"] for run in runs) == 4
    assert names.kms_hosts()[0].label not in asked(lab, since)
