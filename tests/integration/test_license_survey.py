# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The survey on the lab, run by ansible-runner as AWX does: every way to connect, and wrong passwords that lock nobody."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from lab import inventory, mak_inventory, names, park
from lab.play import Run, run_playbook

from .conftest import NEEDS_DOMAIN, Lab

pytestmark = [pytest.mark.tier("test"), NEEDS_DOMAIN]
SOAK = pytest.mark.tier("soak")

VAULT_PASSWORD = "vault-Passw0rd"
WRONG = "wrong-Passw0rd"
THRESHOLD = 3
NOT_WSMAN = "WMI is reached over WS-Management, which ansible_connection=ssh does not speak. Set for this host"
LARGEST_EVENT = 64 * 1024


class Vaulted(str):
    """A text that the inventory holds as !vault."""


yaml.SafeDumper.add_representer(Vaulted, lambda dumper, text: dumper.represent_scalar("!vault", str(text), style="|"))


def vaulted(text: str) -> Vaulted:
    secret = VaultSecret(VAULT_PASSWORD.encode())
    return Vaulted(VaultLib([("default", secret)]).encrypt(text, secret=secret).decode())


def facts_of(connection: str, lab: Lab) -> inventory.Facts:
    """What an inventory of the lab needs to know for this way of connecting."""
    return inventory.Facts(lab.layout, connection, lab.options.dc_address, park.PARKS[lab.options.park])


def survey(lab: Lab, folder: Path, hosts: dict[str, Any], arguments: str = "", **variables: Any) -> tuple[Run, dict[str, dict[str, Any]]]:
    """The playbook on an inventory of its own; the run, and the rows by host."""
    written, password = folder / "inventory.yml", folder / "vault-password"
    written.write_text(yaml.safe_dump({"all": {"children": {"windows": {"hosts": hosts}}}}), encoding="utf-8")
    password.write_text(VAULT_PASSWORD, encoding="utf-8")
    run = run_playbook(
        lab.layout.root,
        "winops.volume_activation.survey",
        inventory=written,
        arguments=f"--vault-password-file {password} {arguments}",
        variables={"volume_activation_state_directory": str(folder / "state"), **variables},
    )
    file = folder / "state" / "survey.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    return run, {row["host"]: row for row in rows}


def bad_logons(lab: Lab, user: str) -> tuple[int, int]:
    """How often Samba has counted a bad logon of an account, and since when it is locked; 0 for never."""
    found = lab.witness.search(f"(sAMAccountName={user})", "badPwdCount", "lockoutTime")[0]
    return int(found.get("badPwdCount", ["0"])[0]), int(found.get("lockoutTime", ["0"])[0])


@pytest.fixture
def strict_lab(running_lab: Lab) -> Iterator[Lab]:
    """The domain locks an account after three bad logons."""
    tool = running_lab.witness
    settings = ("domain", "passwordsettings", "set", f"--URL={tool._url}")
    tool._samba_tool(*settings, f"--account-lockout-threshold={THRESHOLD}")
    yield running_lab
    tool._samba_tool(*settings, "--account-lockout-threshold=0")


def test_every_way_to_connect_in_one_task(running_lab: Lab, tmp_path: Path):
    """Winrm and psrp, Kerberos with and without pywinrm's kinit, vaulted passwords, a port and transport for each host."""
    running_lab.control.reset()
    hosts: dict[str, dict[str, Any]] = {}
    ways: dict[str, str] = {}
    machines = [machine for machine in running_lab.options.machines if machine.role != "kms"]
    for machine, connection in zip(machines, inventory.CONNECTIONS, strict=False):
        ways[machine.fqdn] = connection
        hosts[machine.fqdn] = {
            "ansible_host": machine.address,
            "ansible_password": vaulted(facts_of(connection, running_lab).winrm_password),
            "the_port": inventory.HTTPS_PORT if connection in inventory.OVER_TLS else inventory.HTTP_PORT,
            **inventory.CONNECTIONS[connection](running_lab.layout),
            "ansible_port": "{{ the_port }}",
        }
    hosts["linux.contoso.com"] = {"ansible_host": "127.0.0.1"}
    before = len(running_lab.requests())
    run, rows = survey(running_lab, tmp_path, hosts)
    assert run.rc == 0, run.output[-3000:]
    assert {name: (row["outcome"], row["reason"]) for name, row in rows.items() if row["outcome"] != "read"} == {
        "linux.contoso.com": (
            "failed",
            f"{NOT_WSMAN} ansible_connection: psrp and ansible_port: 5985.",
        )
    }
    assert {row["channel"] for row in rows.values() if row["outcome"] == "read"} == {"gvlk"}
    seen = running_lab.requests()[before:]
    for name, connection in ways.items():
        own = [entry for entry in seen if entry["host"] == name]
        assert {entry["authentication"] for entry in own} == {
            connection.partition("_")[2].removesuffix("_tls").replace("negotiate", "ntlm")
        }
        assert [entry["action"] for entry in own] == ["Enumerate"] * len(own)
        # One host of each account comes first and is no other than one of all: nobody is asked twice.
        assert len(own) <= 3
        assert len({entry["connection"] for entry in own}) == 1


def test_a_play_and_its_files_may_say_how_hosts_are_reached(running_lab: Lab, tmp_path: Path):
    """The inventory has nothing but addresses, of which each host keeps its own; the password is a template of a vaulted file."""
    machines = [machine for machine in running_lab.options.machines if machine.role != "kms"][:3]
    hosts = {machine.fqdn: {"ansible_host": machine.address, "ansible_user": "nobody"} for machine in machines}
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}), encoding="utf-8")
    (tmp_path / "vault-password").write_text(VAULT_PASSWORD, encoding="utf-8")
    facts = facts_of("winrm_ntlm", running_lab)
    settings = inventory.CONNECTIONS["winrm_ntlm"](running_lab.layout)
    (tmp_path / "vars").mkdir()
    file = {"ansible_password": "{{ the_password }}", "the_password": vaulted(facts.winrm_password)}
    (tmp_path / "vars" / "secrets.yml").write_text(yaml.safe_dump(file), encoding="utf-8")
    play = {
        "hosts": "all",
        "gather_facts": False,
        "vars": {**settings, "ansible_port": inventory.HTTP_PORT},
        "vars_files": [["there_is_none.yml", "secrets.yml"]],
        "tasks": [
            {
                "name": "Survey",
                "winops.volume_activation.license_survey": {"state_directory": str(tmp_path / "state")},
                "register": "survey",
                "run_once": True,
            }
        ],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    run = run_playbook(
        running_lab.layout.root,
        str(tmp_path / "play.yml"),
        inventory=tmp_path / "inventory.yml",
        arguments=f"--vault-password-file {tmp_path / 'vault-password'}",
    )
    assert run.rc == 0, run.output[-3000:]
    result = run.of_task("Survey")[0].result
    assert (result["hosts"], result["counts"]["read"]) == (3, 3), result["summary"]


@pytest.mark.parametrize(
    "connection", ["winrm_kerberos", *(pytest.param(name, marks=SOAK) for name in ("psrp_negotiate", "psrp_kerberos", "winrm_ntlm"))]
)
def test_a_wrong_password_over_all_hosts_locks_nobody(strict_lab: Lab, tmp_path: Path, connection: str):
    strict_lab.control.reset()
    facts = facts_of(connection, strict_lab)
    hosts = {
        machine.fqdn: {"ansible_host": machine.address, "ansible_password": WRONG, **inventory.CONNECTIONS[connection](strict_lab.layout)}
        for machine in strict_lab.options.machines
    }
    before = bad_logons(strict_lab, names.WINRM_USER)[0]
    run, rows = survey(strict_lab, tmp_path, hosts)
    count, locked = bad_logons(strict_lab, names.WINRM_USER)
    assert locked == 0
    assert count - before < THRESHOLD
    # A job of which nobody let it in is none, and says why once more at its end.
    assert run.rc == 2, run.output[-3000:]
    assert [message for message in run.failures() if "did not accept the account" in message]
    asked = 0 if connection == "winrm_kerberos" else 1
    assert Counter(row["outcome"] for row in rows.values()) == +Counter({"rejected": asked, "not_asked": len(hosts) - asked})
    told = [line for line in run.of_task("Summary")[0].result["msg"] if "did not accept the account" in line]
    assert len(told) == 1
    assert told[0].endswith(
        f"{len(hosts) - asked} more hosts with it were not asked so that it is not locked; set ansible_user and ansible_password."
    )
    assert f"the account {inventory.DOMAIN_USER} (" in told[0]
    assert WRONG not in run.output + json.dumps(rows)
    # The right one, which a domain controller takes for the end of the series.
    for host in hosts.values():
        host["ansible_password"] = facts.winrm_password
    run, rows = survey(strict_lab, tmp_path, hosts)
    assert Counter(row["outcome"] for row in rows.values()) == Counter({"read": len(hosts)})


def test_the_check_of_logons_asks_one_host_for_each_account_and_fails_with_the_sentence(strict_lab: Lab, tmp_path: Path):
    strict_lab.control.reset()
    hosts = {
        machine.fqdn: {"ansible_host": machine.address, "ansible_password": WRONG, **inventory.CONNECTIONS["winrm_ntlm"](strict_lab.layout)}
        for machine in strict_lab.options.machines
    }
    written, play = tmp_path / "inventory.yml", tmp_path / "play.yml"
    tasks = [{"name": "Logons", "winops.volume_activation.license_survey": {"logons_only": True}, "run_once": True}]
    play.write_text(yaml.safe_dump([{"name": "Play", "hosts": "all", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    for password, code in ((WRONG, 2), (facts_of("winrm_ntlm", strict_lab).winrm_password, 0)):
        for host in hosts.values():
            host["ansible_password"] = password
        written.write_text(yaml.safe_dump({"all": {"hosts": hosts}}), encoding="utf-8")
        before = len(strict_lab.requests())
        run = run_playbook(strict_lab.layout.root, str(play), inventory=written)
        assert run.rc == code, run.output[-3000:]
        assert len({entry["host"] for entry in strict_lab.requests()[before:]}) <= 1
    assert bad_logons(strict_lab, names.WINRM_USER)[1] == 0
    # Of local accounts each host would count its own, so that nobody is asked.
    local = {**inventory.CONNECTIONS["winrm_basic_tls"](strict_lab.layout), "ansible_password": WRONG}
    written.write_text(yaml.safe_dump({"all": {"hosts": {name: {**host, **local} for name, host in hosts.items()}}}), encoding="utf-8")
    before = len(strict_lab.requests())
    assert run_playbook(strict_lab.layout.root, str(play), inventory=written).rc == 0
    assert strict_lab.requests()[before:] == []


MAK_HOSTS = {
    "volume_activation_mak_hosts": "kms_clients",
    "volume_activation_mak": "win",
    "volume_activation_mak_ring": {"win": {"key": mak_inventory.ring_keys()[0].key}},
}
# The variables that let a playbook run over hosts that it is not meant for.
PLAYBOOKS: dict[str, dict[str, Any]] = {
    "kms_single_site": {},
    "mak_independent": {**MAK_HOSTS, "mak_independent_count": False},
    "mak_to_kms": MAK_HOSTS,
    "mak_proxy_collect": MAK_HOSTS,
}


@pytest.mark.parametrize(
    "playbook", ["kms_single_site", *(pytest.param(name, marks=SOAK) for name in PLAYBOOKS if name != "kms_single_site")]
)
def test_a_playbook_with_a_mistyped_password_stops_before_the_first_change_and_locks_nobody(strict_lab: Lab, tmp_path: Path, playbook: str):
    strict_lab.control.reset()
    before, count = len(strict_lab.requests()), bad_logons(strict_lab, names.WINRM_USER)[0]
    state = {"volume_activation_state_directory": str(tmp_path / "state")}
    variables = {"ansible_password": WRONG, **state, **PLAYBOOKS[playbook]}
    run = run_playbook(strict_lab.layout.root, f"winops.volume_activation.{playbook}", variables=variables)
    counted, locked = bad_logons(strict_lab, names.WINRM_USER)
    assert locked == 0 and counted - count < THRESHOLD
    assert run.rc == 2
    assert len(set(run.failures())) == 1
    assert "more hosts with it were not asked so that it is not locked; set ansible_user and ansible_password." in run.failures()[0]
    assert len({entry["host"] for entry in strict_lab.requests()[before:]}) <= 1
    assert WRONG not in run.output


def test_a_row_says_what_license_info_says_and_more_where_it_is_asked_for(running_lab: Lab, tmp_path: Path):
    running_lab.control.reset()
    limit = ":".join({machine.role: machine.fqdn for machine in running_lab.options.machines}.values())
    play, state = tmp_path / "play.yml", {"volume_activation_state_directory": str(tmp_path)}
    tasks = [
        {
            "name": "Survey",
            "winops.volume_activation.license_survey": {"columns": ["license", "kms_client", "kms_host"]},
            "run_once": True,
        },
        {"name": "Full", "winops.volume_activation.license_info": None},
        {"name": "Small", "winops.volume_activation.license_info": {"detail": "summary"}},
    ]
    play.write_text(yaml.safe_dump([{"name": "P", "hosts": "all", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    run = run_playbook(running_lab.layout.root, str(play), arguments=f"--limit '{limit}'", variables=state)
    assert run.rc == 0, run.output[-3000:]
    rows = [json.loads(line) for line in (tmp_path / "survey.jsonl").read_text(encoding="utf-8").splitlines()]
    full, small = ({entry.host: entry.result for entry in run.of_task(name)} for name in ("Full", "Small"))
    assert len(rows) == len(full) == len(small) == 3
    for row in rows:
        seen, service = full[row["host"]]["windows"], full[row["host"]]["service"]
        for field, name in {"state": "status", "product": "name"}.items():
            assert row[field] == seen[name]
        for name in ("channel", "partial_key", "permanent", "expires_in_days"):
            assert row[name] == seen[name]
        assert {name: service[name] for name in row["kms_client_settings"] if name in service} == {
            name: value for name, value in row["kms_client_settings"].items() if name in service
        }
        assert row["kms_host_settings"]["listening_port"] == service["listening_port"]
        assert row["operating_system"]["build"] == full[row["host"]]["operating_system"]["build"]
        for part in ("windows", "service"):
            assert small[row["host"]][part].items() <= full[row["host"]][part].items()
        assert small[row["host"]].keys().isdisjoint({"products", "addons"})
        told = {name: small[row["host"]][name] for name in ("windows", "service", "operating_system")}
        assert len(json.dumps(told)) <= 1024


def test_limits_patterns_and_a_play_that_does_not_fit(running_lab: Lab, tmp_path: Path):
    running_lab.control.reset()
    task = {"name": "Survey", "winops.volume_activation.license_survey": {"hosts": ["kms_clients"], "facts": ["state"]}}
    variables = {"volume_activation_state_directory": str(tmp_path)}

    def run(limit: str, more: dict[str, Any], **keywords: Any) -> Run:
        play = tmp_path / "play.yml"
        tasks = [{**task, "run_once": True, **more}]
        play.write_text(
            yaml.safe_dump([{"name": "P", "hosts": "all", "gather_facts": False, "tasks": tasks, **keywords}]), encoding="utf-8"
        )
        return run_playbook(running_lab.layout.root, str(play), arguments=f"--limit '{limit}'", variables=variables)

    limited = run("kms_hosts:pc-00[1-3]*", {})
    assert limited.of_task("Survey")[0].result["facts"].keys() == {f"pc-00{number}.contoso.com" for number in (1, 2, 3)}
    delegated = run("kms_hosts:pc-001*", {"delegate_to": "localhost"})
    assert delegated.of_task("Survey")[0].result["counts"]["read"] == 1
    assert (
        run("pc-00[1-3]*", {"run_once": False}).failures()
        == ["license_survey reads all hosts from one task. Add run_once: true to it."] * 3
    )
    serial = run("pc-00[1-3]*", {"winops.volume_activation.license_survey": {}}, serial=1)
    assert serial.failures()[0].startswith("license_survey reads all hosts of the play at once. Take serial out of the play")
    events = json.dumps([entry.result for entry in limited.results])
    assert len(events) < LARGEST_EVENT
