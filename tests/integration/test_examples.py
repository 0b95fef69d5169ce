# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples that users copy are run: those of every module, and the plays of README.md and of the first guide, against the lab.

Where an example names what only its reader has (a vault's variable, a second domain controller), the lab's own stands in.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.winops.volume_activation.plugins.filter.kms_topology import kms_topology
from lab import names, park
from lab.play import Run, run_playbook
from lab.windows.data import key_named

from . import documented
from .conftest import Lab

pytestmark = pytest.mark.tier("test")

KMS_1, (PC_1, PC_2) = names.kms_hosts()[0], names.clients(2)
# Modules whose examples are about clients; the second client runs Windows 10, for which there are ESU keys.
# Lists are made of what was read of it before.
CLIENTS = {"kms_client": PC_1, "mak_client": PC_2, "computer_list": PC_2, "confirmation_id": PC_2}
# The variables that the examples take from a vault.
VARIABLES = {
    "csvlk": park.PARKS["modern"].csvlk,
    "vault_activation_admin": names.OPERATOR_PASSWORD,
    "confirmation_id": "-".join(["123456"] * 8),
    "installation_id": "-".join(["1234567"] * 9),
    "vault_activation_key": "bm8ga2V5IG9mIHRoaXMgbGFi",
    "vaulted_mak": key_named("mak_win_enterprise").key,
    "vaulted_esu_key": key_named("esu_windows_10_year_1").key,
}
ANSWER_FILE = """<unattend xmlns="urn:schemas-microsoft-com:unattend"><settings pass="specialize">
<component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64"></component>
</settings></unattend>"""
# The lab has one domain controller, which the control node's own resolver does not know, and no computers of a laboratory.
STAND_INS = {"dc2.contoso.com": names.DC_FQDN, "{{ groups['isolated'] }}": "{{ groups['kms_clients'][:2] }}"}
# Tasks that can only fail here, with what they fail with.
FAILS = {
    # Contoso has no such unit, and no such sub-domain.
    ("ad_group", "The same in an organizational unit, with the ticket of kinit"): "OU=Groups,OU=IT",
    ("kms_endpoint_info", "Show which KMS hosts the clients of a domain find"): "east.contoso.com",
    # The records of those domains belong to nobody's group here, and the one of Contoso still names the host. In check mode the host still has its
    # publishing switched off.
    ("kms_host", "Publish the host at home and, for clients whose own hosts are away, in the other site"): (
        "does not name kms-1.contoso.com|kms-1.contoso.com has DNS publishing switched off"
    ),
    ("kms_host", "Undo the host, once its values are gone from DNS"): "still sends clients to kms-1.contoso.com",
    # One host of the two is set up, and the control node's own resolver does not know Contoso. Both judge by a condition
    # of their own, which ansible-core calls an unknown error.
    ("kms_endpoint_info", "Wait until both domain controllers name both hosts"): "",
    ("kms_endpoint_info", "Check that the way to a KMS host is open"): "",
    # It is a member of the domain, and stays one.
    **{
        ("sysprep", name): "it is a member of contoso.com"
        for name in (
            "Generalize, and leave the computer to the image builder",
            "Generalize a virtual machine with an answer file, and shut it down",
            "Build on an image of last month without spending a rearm",
            "Show what would stop it",
        )
    },
    # The list is made by examples that come later, and its products are those of another computer.
    ("mak_client", "Activate by the confirmation ID that the computer list has for this host"): "list.json",
    # The client is the first that asks: it is counted only.
    ("license_info", "Stop where Windows is not licensed"): "",
}
# Modules whose examples need what the lab of these tests has not, and why.
LEFT_OUT = {
    "dns_srv": "Write to BIND with a key: its own tests have a BIND",
    "license_survey": "It reads groups of hosts from a play of its own: its own tests have such plays",
}


def prepared(value: Any) -> Any:
    """An example with the lab's own names."""
    if isinstance(value, dict):
        made = {name: prepared(entry) for name, entry in value.items()}
        if "dns_servers" in made:
            made["dns_servers"] = [names.DC_ADDRESS]
        if "retries" in made:
            made |= {"retries": 1, "delay": 0}
        return made
    if isinstance(value, str) and (found := re.match("recordings/|/srv/(?:deploy|activation)/|/media/usb/", value)):
        # The folder is the reader's.
        return f"{{{{ playbook_dir }}}}/{value[found.end() :]}"
    if isinstance(value, list):
        return [prepared(entry) for entry in value]
    return STAND_INS.get(value, value) if isinstance(value, str) else value


def tasks_of(module: str) -> list[dict[str, Any]]:
    return [prepared(task) | {"ignore_errors": True} for task in documented.examples_of(module) if module not in LEFT_OUT]


def play(lab: Lab, folder: Path, plays: list[tuple[str, list[dict[str, Any]]]], arguments: str = "") -> Run:
    path = folder / "play.yml"
    text = [{"name": "Examples", "hosts": hosts, "gather_facts": False, "tasks": tasks} for hosts, tasks in plays]
    path.write_text(yaml.safe_dump(text), encoding="utf-8")
    for name in ("Unattend.xml", "AutoUnattend.xml"):
        (folder / name).write_text(ANSWER_FILE, encoding="utf-8")
    return run_playbook(lab.layout.root, str(path), arguments=arguments, variables=VARIABLES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of the examples are, those of the real run also for check mode."""
    return tmp_path_factory.mktemp("examples")


@pytest.fixture(scope="module", params=["", "--check"], ids=["really", "check mode"])
def examples(request: pytest.FixtureRequest, running_lab: Lab, folder: Path) -> Run:
    """All examples on one KMS host and one client, in the order in which they make sense, and then once more in check mode."""
    if not request.param:
        running_lab.control.reset()
    order = ["kms_host", "ad_group", "dns_record_acl"]
    modules = sorted(documented.MODULES, key=lambda module: (order.index(module) if module in order else len(order), module))
    # The last example of kms_host is another port, where its clients would not find it yet.
    back = {"name": "The port of everybody", f"{documented.COLLECTION}.kms_host": {"listening_port": 1688}}
    plays = [(KMS_1.fqdn, tasks_of(module) + [back] * (module == "kms_host")) for module in modules if module not in CLIENTS]
    plays += [(machine.fqdn, tasks_of(module)) for module, machine in CLIENTS.items()]
    return play(running_lab, folder, plays, request.param)


def test_every_example_of_every_module_runs(examples: Run):
    failed = {}
    for module in documented.MODULES:
        for task in tasks_of(module):
            for entry in examples.of_task(task["name"]):
                if entry.event in ("runner_on_failed", "runner_on_unreachable") and (module, task["name"]) not in FAILS:
                    failed[module, task["name"]] = entry.result.get("msg")
    assert failed == {}, "\n".join(f"{where}: {why}" for where, why in failed.items())


def test_every_task_was_there(examples: Run):
    ran = {entry.task for entry in examples.results}
    skipped = {task["name"] for module in documented.MODULES for task in tasks_of(module) if "when" in task}
    assert {task["name"] for module in documented.MODULES for task in tasks_of(module)} - ran <= skipped


def test_those_that_fail_here_fail_for_the_reason_that_is_known(examples: Run):
    for (_module, name), text in FAILS.items():
        for entry in examples.of_task(name):
            if entry.event == "runner_on_failed":
                assert any(reason in entry.result["msg"] for reason in text.split("|")), name


def readme_blocks() -> list[Any]:
    """The YAML of README.md, also where it stands in a list."""
    text = (documented.TREE / "README.md").read_text(encoding="utf-8")
    return [yaml.safe_load(textwrap.dedent(block)) for block in re.findall(r"^ *```yaml\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)]


def guide_blocks(name: str) -> list[Any]:
    """The YAML of a guide."""
    text = (documented.TREE / "docs/docsite/rst" / f"{name}.rst").read_text(encoding="utf-8")
    found = re.findall(r"^\.\. code-block:: yaml\n\n((?:[ ]+.*\n|\n)+)", text, re.MULTILINE)
    return [yaml.safe_load(textwrap.dedent(block)) for block in found]


def test_the_plays_and_tasks_of_the_readme_run(running_lab: Lab, tmp_path: Path):
    ran = 0
    for block in readme_blocks():
        # An inventory is a dictionary; plays have hosts, and the rest are tasks.
        if not isinstance(block, list):
            assert block.keys() == {"all"}
            continue
        for one in block if any("hosts" in entry for entry in block) else [{"name": "Tasks", "tasks": block}]:
            run = play(running_lab, tmp_path, [(PC_1.fqdn, one["tasks"])])
            assert run.rc == 0, run.output[-2000:]
            ran += 1
    assert ran


def test_the_inventory_of_the_readme_is_what_the_playbook_takes():
    (block,) = [block for block in readme_blocks() if isinstance(block, dict)]
    role = {name for entry in documented.role_options("kms_single_site").values() for name in entry}
    given = {name for name in block["all"]["vars"] if name.startswith("kms_single_site")}
    assert given <= role
    assert block["all"]["children"].keys() == {"kms_hosts", "kms_clients"}


def test_the_first_guide_has_the_inventory_and_the_play_of_the_readme():
    inventory, state, site = guide_blocks("getting_started")
    (whole,) = [block for block in readme_blocks() if isinstance(block, dict)]
    assert whole["all"]["vars"] == inventory["all"]["vars"] | site
    assert whole["all"]["children"] == inventory["all"]["children"]
    assert state in readme_blocks()


def test_the_sites_of_the_guide_can_be():
    (block,) = [block for block in guide_blocks("sites") if "volume_activation_sites" in block]
    sites = kms_topology(block["volume_activation_sites"])
    assert sites["hosts"]["kms-e1.east.contoso.com"]["publish_lines"] == ["east.contoso.com, 10, 75", "west.contoso.com, 90, 75"]
    assert {site["credential"] for site in block["volume_activation_sites"].values()} == block["volume_activation_credentials"].keys()


def test_the_key_ring_of_the_guide_is_what_the_playbook_takes():
    (given,) = [block for block in guide_blocks("mak_independent") if "volume_activation_mak_ring" in block]
    spec = (documented.TREE / "roles/mak_independent/meta/argument_specs.yml").read_text(encoding="utf-8")
    assert all(f"C({name})" in spec for name in given)
    assert given["volume_activation_mak"] in given["volume_activation_mak_ring"]
