# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The single-site scenario from end to end: a look, a run, another run, and everything that may go wrong in between."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lab import names
from lab.domain.controller import Domain
from lab.domain.editor import Editor
from lab.play import run_playbook
from lab.publication import Publisher, identity_of
from lab.windows import data
from lab.witness import Srv

from . import documented
from .conftest import Lab
from .labs import PLAY_VARIABLES
from .stories import assert_foretold, change, steady

pytestmark = pytest.mark.tier("test")

KMS_1, KMS_2 = names.kms_hosts()
BOTH = [Srv(0, 0, 1688, KMS_1.fqdn), Srv(0, 0, 1688, KMS_2.fqdn)]
ACCOUNTS = [KMS_1.account, KMS_2.account]
RECORD = "dnsNode _vlmcs._tcp.contoso.com"


def licensed_clients(lab: Lab) -> list[str]:
    machines = [machine for machine in lab.options.machines if machine.role != "kms"]
    return [machine.label for machine in machines if lab.control.host(machine.label)["license_status"] == 1]


@pytest.fixture(autouse=True)
def kerberos_configuration(running_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", str(running_lab.layout.krb5_conf))


@pytest.fixture(scope="module")
def story(running_lab: Lab) -> dict[str, Any]:
    """A fresh lab is checked in check mode, then really run, then run again."""
    running_lab.control.reset()
    before = running_lab.world()
    check = running_lab.play(arguments="--check --diff")
    after_check = running_lab.world()
    real = running_lab.play(arguments="--diff")
    again = running_lab.play()
    return {"before": before, "check": check, "after_check": after_check, "real": real, "again": again}


def test_check_mode_succeeds_and_changes_nothing_that_a_witness_can_see(story: dict[str, Any]):
    assert story["check"].rc == 0, story["check"].output[-3000:]
    assert steady(story["after_check"], strict=True) == steady(story["before"], strict=True)


def test_check_mode_lists_the_very_steps_of_the_real_run(story: dict[str, Any]):
    assert_foretold(story["check"].steps(), story["real"].steps())


def test_check_mode_marks_steps_that_need_an_earlier_one(story: dict[str, Any]):
    marked = {step["attribute"]: step["depends"] for step in story["check"].steps() if "depends" in step}
    assert marked["license status"].startswith("after ")
    assert any(attribute.startswith("DACL") for attribute in marked)
    assert all(depends.startswith("after ") for depends in marked.values())
    assert not any("depends" in step and step["attribute"] == "exists" for step in story["check"].steps())


def test_the_real_run_ends_well_and_the_witnesses_agree(story: dict[str, Any], running_lab: Lab):
    assert story["real"].rc == 0, story["real"].output[-5000:]
    witness = running_lab.witness
    assert witness.srv() == BOTH
    assert witness.group_members() == ACCOUNTS
    entries = {ace for ace in witness.aces() if "ID" not in ace.split(";")[1]}
    assert {f"(A;;RPWPLCLORCSDSW;;;{witness.sid(name)})" for name in (names.KMS_GROUP, *ACCOUNTS)} <= entries


def test_the_hosts_published_themselves(story: dict[str, Any], running_lab: Lab):
    for machine in (KMS_1, KMS_2):
        host = running_lab.control.host(machine.label)
        last = host["publications"][-1]
        assert (last["target"], last["port"], last["hresult"]) == (machine.fqdn, 1688, 0)
        assert not any(attempt["hresult"] for attempt in host["publications"])
    assert running_lab.witness.record_owner() not in ACCOUNTS


def test_one_activation_was_spent_for_each_host(story: dict[str, Any], running_lab: Lab):
    spent = running_lab.control.call("microsoft")
    assert sum(key["activations"] for key in spent.values()) == 2


def test_every_client_is_licensed(story: dict[str, Any], running_lab: Lab):
    assert len(licensed_clients(running_lab)) == running_lab.options.clients + running_lab.options.servers


def test_the_summary_can_be_pasted_into_a_ticket(story: dict[str, Any]):
    (summary,) = story["real"].of_task("Summary")
    text = "\n".join(summary.result["msg"])
    total = 70
    assert f"Clients: {total} of {total} licensed" in text
    assert f"KMS host {KMS_1.fqdn}: licensed, answering, clients counted 0 -> " in text
    assert f"{KMS_2.fqdn}:1688 (0 0)" in text
    assert story["real"].custom_stats["kms_single_site"]["licensed"] == total


def test_a_second_run_changes_nothing(story: dict[str, Any]):
    assert story["again"].rc == 0, story["again"].output[-3000:]
    assert story["again"].changed() == 0
    assert story["again"].steps() == []


def test_the_audit_of_the_site_is_clean_with_no_further_setting(story: dict[str, Any], running_lab: Lab, tmp_path: Path):
    run = running_lab.play("winops.volume_activation.audit", volume_activation_state_directory=str(tmp_path))
    (table,) = run.of_task("Show the deviations")
    assert run.rc == 0, table.result["msg"]
    assert run.custom_stats["audit"]["verdict"] == "as declared"


def test_no_shell_was_ever_opened(story: dict[str, Any], running_lab: Lab):
    actions = {entry["action"] for entry in running_lab.requests()}
    assert not [action for action in actions if action.startswith("Shell")]


def test_each_host_published_itself_without_a_new_ticket(story: dict[str, Any]):
    published: dict[str, list[str]] = {}
    for entry in story["real"].results:
        published.setdefault(entry.host, []).extend(seen["published_by"] for seen in entry.result.get("publications") or ())
    assert {host: ways for host, ways in published.items() if ways} == {KMS_1.fqdn: ["itself"], KMS_2.fqdn: ["itself"]}


DRIFTS: dict[str, tuple[tuple[Any, ...], ...]] = {
    "srv_removed": ((KMS_2.fqdn, "SRV _vlmcs._tcp.contoso.com", "None", f"'{KMS_2.fqdn}:1688'"),),
    "ace_removed": ((RECORD, "DACL CONTOSO\\KMS_Hosts", "[]", "['delete', 'read', 'write']"),),
    "right_removed": ((RECORD, "DACL CONTOSO\\KMS_Hosts", "['read', 'write']", "['delete', 'read', 'write']"),),
    "member_removed": (("group KMS_Hosts", f"member {KMS_2.account}", "'absent'", "'present'"),),
    "firewall_off": ((KMS_2.fqdn, "firewall rule SPPSVC-In-TCP", "'disabled'", "'enabled'"),),
    "publishing_disabled": ((KMS_2.fqdn, "DNS publishing", "False", "True"),),
    "port_changed": ((KMS_2.fqdn, "listening port", "1690", "1688"),),
}


# One of DNS; the story of several sites has those of the directory and of hosts, and the others are for the soak.
IN_THE_GATE = ("srv_removed",)


@pytest.mark.parametrize(
    "drift", [drift if drift in IN_THE_GATE else pytest.param(drift, marks=pytest.mark.tier("soak")) for drift in DRIFTS]
)
def test_each_drift_is_reported_and_mended_as_exactly_that_change(story: dict[str, Any], running_lab: Lab, drift: str):
    good = running_lab.world()
    running_lab.control.drift(drift)
    assert steady(running_lab.world()) != steady(good)
    check = running_lab.play(arguments="--check --limit kms_hosts")
    assert sorted(map(change, check.steps())) == sorted(DRIFTS[drift])
    mended = running_lab.play(arguments="--limit kms_hosts")
    assert mended.rc == 0, mended.output[-3000:]
    assert sorted(map(change, mended.steps())) == sorted(DRIFTS[drift])
    # That nothing else was left undone, the exact steps of the next drift show.
    assert steady(running_lab.world()) == steady(good)


def test_old_values_of_a_host_are_removed_and_those_of_others_stay(story: dict[str, Any], running_lab: Lab):
    editor, other = Editor(Domain(running_lab.layout, running_lab.options.dc_address)), names.servers(1)[0].fqdn
    editor.add_srv(names.ZONE, 0, 33, 1688, KMS_2.fqdn)
    editor.add_srv(names.ZONE, 0, 0, 1690, KMS_2.fqdn)
    editor.add_srv(names.ZONE, 0, 0, 1688, other)
    try:
        mended = running_lab.play(arguments="--limit kms_hosts")
        assert mended.rc == 0, mended.output[-3000:]
        record = "SRV _vlmcs._tcp.contoso.com"
        assert sorted(map(change, mended.steps())) == sorted(
            (record, f"value 0 {numbers} {KMS_2.fqdn}", "'present'", "'absent'") for numbers in ("33 1688", "0 1690")
        )
        assert running_lab.witness.srv() == [*BOTH, Srv(0, 0, 1688, other)]
    finally:
        editor.remove_srv(other)


@pytest.mark.tier("soak")
def test_one_new_client_is_licensed_without_a_kms_host_in_the_play(story: dict[str, Any], running_lab: Lab):
    new = names.clients(3)[2]
    running_lab.control.drift("licence_lost", new.label)
    before = len(running_lab.requests())
    run = running_lab.play(arguments=f"--limit {new.fqdn}")
    assert run.rc == 0, run.output[-3000:]
    assert running_lab.control.host(new.label)["license_status"] == 1
    assert {entry["host"] for entry in running_lab.requests()[before:]} == {new.fqdn}
    assert {step["object"] for step in run.steps()} == {new.fqdn}
    (found,) = run.of_task("Report the findings")
    assert "A limit leaves out all KMS hosts" in "\n".join(found.result["msg"])


def test_the_role_in_a_play_does_the_whole_scenario_and_costs_a_client_at_most_eight_tasks(
    story: dict[str, Any], running_lab: Lab, tmp_path: Path
):
    lost, well = names.clients(2)
    running_lab.control.drift("licence_lost", lost.label)
    running_lab.control.drift("firewall_off", KMS_2.label)
    tasks: Counter[str] = Counter()

    def count(event: dict[str, Any]) -> None:
        tasks[str(event["event_data"].get("host"))] += event["event"] == "runner_on_start"

    arguments = f"--limit kms_hosts:{lost.fqdn}:{well.fqdn} --forks 5"
    play = documented.own_play(tmp_path, "kms_single_site", "kms_hosts:kms_clients")
    run = run_playbook(running_lab.layout.root, play, arguments=arguments, variables=PLAY_VARIABLES, on_event=count)
    assert run.rc == 0, run.output[-3000:]
    assert {step["object"] for step in run.steps()} == {lost.fqdn, KMS_2.fqdn}
    assert running_lab.control.host(lost.label)["license_status"] == 1
    assert run.custom_stats["kms_single_site"] == {
        "licensed": 2,
        "counted": 0,
        "failed": 0,
        "not_reached": 0,
        "planned": 0,
        "kms_hosts_waiting": [],
    }
    assert tasks[well.fqdn] <= tasks[lost.fqdn] <= 8
    # Batches and hosts that go apart are refused before the first host is asked.
    before = len(running_lab.requests())
    for says, keywords in documented.REFUSED.items():
        play = documented.own_play(tmp_path, "kms_single_site", "kms_hosts:kms_clients", **keywords)
        refused = run_playbook(running_lab.layout.root, play, arguments=arguments)
        assert refused.rc != 0
        assert f"{says}, or run the playbook winops.volume_activation.kms_single_site." in refused.failures()[0]
    assert len(running_lab.requests()) == before


@pytest.mark.tier("soak")
def test_a_replaced_key_is_reported_and_mended_as_exactly_that_change(story: dict[str, Any], running_lab: Lab):
    running_lab.control.drift("key_replaced")
    check = running_lab.play(arguments="--check --limit kms_hosts")
    mended = running_lab.play(arguments="--limit kms_hosts")
    assert mended.rc == 0, mended.output[-3000:]
    for run in (check, mended):
        assert [(step["object"], step["attribute"]) for step in run.steps()] == [
            (KMS_2.fqdn, "product key"),
            (KMS_2.fqdn, "license status"),
        ]
    assert running_lab.control.host(KMS_2.label)["license_status"] == 1
    assert running_lab.play(arguments="--limit kms_hosts").changed() == 0


@pytest.mark.parametrize(
    ("key", "arguments"),
    [
        pytest.param("gvlk_server_2022_serverstandard", "", marks=pytest.mark.tier("test")),
        pytest.param("gvlk_office_2021_proplus", "--check", marks=pytest.mark.tier("soak")),
    ],
)
def test_a_key_that_would_end_the_kms_hosts_stops_the_play_before_it(story: dict[str, Any], running_lab: Lab, key: str, arguments: str):
    before = running_lab.world()
    run = running_lab.play(arguments=f"--limit kms_hosts {arguments}", kms_single_site_csvlk=data.key_named(key).key)
    assert run.rc != 0
    says = "kms_single_site_csvlk is the client setup key that Microsoft publishes for"
    for part in ("Nothing was changed. 1 of ", f"{KMS_1.fqdn}, {KMS_2.fqdn}", says):
        assert part in run.failures()[-1]
    assert steady(running_lab.world(), strict=True) == steady(before, strict=True)


def test_without_the_rights_the_play_says_which_one_is_missing_on_what_for_whom(fresh_lab: Lab):
    run = fresh_lab.play(arguments="--limit kms_hosts --skip-tags kms_single_site_rights")
    assert run.rc != 0
    assert fresh_lab.witness.srv() == BOTH[:1]
    (message,) = {failure for failure in run.failures() if " lack " in failure}
    for part in (KMS_2.fqdn, f"KMS_Hosts and CONTOSO\\{KMS_2.account} lack delete, read, write", "_vlmcs._tcp.contoso.com"):
        assert part in message


GUIDE = {"volume_activation_record_rights": "group"}
"""The guide to the letter: the first host makes the record, and a group alone has rights on it."""


@pytest.mark.tier("soak")
@pytest.mark.parametrize("ticket", ["reboot", "purge"])
def test_a_new_ticket(fresh_lab: Lab, ticket: str):
    run = fresh_lab.play(arguments="--limit kms_hosts", kms_single_site_ticket=ticket, **GUIDE)
    assert run.rc == 0, run.output[-3000:]
    assert fresh_lab.witness.srv() == BOTH
    (second,) = [seen for entry in run.results if entry.host == KMS_2.fqdn for seen in entry.result.get("publications") or ()]
    assert second["published_by"] == ticket
    own = {f"(A;;RPWPLCLORCSDSW;;;{fresh_lab.witness.sid(account)})" for account in ACCOUNTS}
    assert not own & set(fresh_lab.witness.aces())


@pytest.mark.tier("soak")
def test_a_host_that_waits_for_a_new_ticket_is_set_up_and_the_run_goes_on(fresh_lab: Lab):
    run = fresh_lab.play(**GUIDE)
    assert run.rc == 0, run.output[-3000:]
    assert fresh_lab.witness.srv() == BOTH[:1]
    assert len(licensed_clients(fresh_lab)) == fresh_lab.options.clients + fresh_lab.options.servers
    (summary,) = run.of_task("Summary")
    (waits,) = [line for line in summary.result["msg"] if line.startswith("Waiting for a new Kerberos ticket")]
    assert waits == f"Waiting for a new Kerberos ticket: {KMS_2.fqdn}. Run the play again once Windows has renewed their tickets."
    assert run.custom_stats["kms_single_site"]["kms_hosts_waiting"] == [KMS_2.fqdn]
    assert fresh_lab.control.host(KMS_2.label)["license_status"] == 1
    # Nothing is lost: with a way to a new ticket the next run finishes the work.
    again = fresh_lab.play(arguments="--limit kms_hosts", kms_single_site_ticket="purge", **GUIDE)
    assert (again.rc, fresh_lab.witness.srv()) == (0, BOTH)
    assert again.custom_stats["kms_single_site"]["kms_hosts_waiting"] == []


@pytest.mark.tier("soak")
def test_in_batches_of_five_every_client_is_licensed(fresh_lab: Lab):
    run = fresh_lab.play(volume_activation_serial="5")
    assert run.rc == 0, run.output[-3000:]
    assert len(licensed_clients(fresh_lab)) == fresh_lab.options.clients + fresh_lab.options.servers


@pytest.mark.tier("soak")
def test_below_the_threshold_the_summary_says_what_is_missing(fresh_lab: Lab):
    run = fresh_lab.play(arguments="--limit kms_hosts:pc-00*")
    assert run.rc == 0, run.output[-3000:]
    (summary,) = run.of_task("Summary")
    text = "\n".join(summary.result["msg"])
    assert "Clients: 0 of 9 licensed" in text
    assert "Counted, but not licensed yet: 9" in text
    assert "from 25 clients on" in text
    assert "every two hours" in text
    assert not [step for step in run.steps() if step["object"].startswith("pc-")]


@pytest.mark.tier("soak")
def test_a_record_of_a_host_of_former_days_is_no_obstacle(fresh_lab: Lab):
    old = names.servers(1)[0]
    Publisher()(identity_of(old), names.ZONE, old.fqdn, 1688, 0, 0)
    before = fresh_lab.witness.aces()
    run = fresh_lab.play(arguments="--limit kms_hosts")
    assert run.rc == 0, run.output[-3000:]
    assert fresh_lab.witness.srv() == [*BOTH, Srv(0, 0, 1688, old.fqdn)]
    # The entries of group and hosts came, and every other one is as it was and where it was.
    own = [fresh_lab.witness.sid(name) for name in (names.KMS_GROUP, *ACCOUNTS)]
    assert [ace for ace in fresh_lab.witness.aces() if not any(ace.endswith(f"{sid})") for sid in own)] == before
    (findings,) = run.of_task("Report the findings")
    text = "\n".join(findings.result["msg"])
    assert f"also names {old.fqdn}:1688" in text
    assert f"belongs to CONTOSO\\{old.account}, which may change its rights; it will be given to CONTOSO\\Domain Admins" in text
    assert fresh_lab.witness.record_owner() not in (old.account, *ACCOUNTS)


@pytest.mark.tier("soak")
def test_a_record_that_was_emptied_but_still_belongs_to_somebody_is_no_obstacle(fresh_lab: Lab):
    old = names.servers(1)[0]
    Publisher()(identity_of(old), names.ZONE, old.fqdn, 1688, 0, 0)
    Editor(Domain(fresh_lab.layout, fresh_lab.options.dc_address)).remove_srv(old.fqdn)
    assert fresh_lab.witness.srv() == []
    run = fresh_lab.play(arguments="--limit kms_hosts")
    assert run.rc == 0, run.output[-3000:]
    assert fresh_lab.witness.srv() == BOTH


@pytest.mark.tier("soak")
def test_one_host_alone_becomes_the_first(fresh_lab: Lab):
    run = fresh_lab.play(arguments=f"--limit {KMS_2.fqdn}")
    assert run.rc == 0, run.output[-3000:]
    assert fresh_lab.witness.srv() == BOTH[1:]
    assert fresh_lab.witness.group_members() == [KMS_2.account]


def test_a_kms_host_that_is_off_stops_the_play_before_the_first_change(fresh_lab: Lab):
    before = fresh_lab.world()
    fresh_lab.control.stop_host(KMS_2.label)
    run = fresh_lab.play(arguments="--limit kms_hosts")
    fresh_lab.control.start_host(KMS_2.label)
    assert run.rc != 0
    assert any("Nothing was changed" in message and KMS_2.fqdn in message for message in run.failures())
    after = fresh_lab.world()
    assert (after["srv"], after["members"]) == (before["srv"], before["members"])
    assert after["hosts"][KMS_1.label]["partial_key"] == before["hosts"][KMS_1.label]["partial_key"]


@pytest.mark.tier("soak")
def test_a_client_that_fails_fails_alone_and_after_the_summary(fresh_lab: Lab):
    broken = names.clients(1)[0]
    fresh_lab.control.inject(host=f"{broken.label}*", action="Invoke:Activate", hresult=0xC004F074, times=0)
    run = fresh_lab.play(arguments="--limit kms_hosts:srv-*:pc-001*")
    fresh_lab.control.clear_faults()
    assert run.rc != 0
    assert run.stats["failures"] == {broken.fqdn: 1}
    (summary,) = run.of_task("Summary")
    text = "\n".join(summary.result["msg"])
    assert f"Failed: {broken.fqdn}: " in text
    assert "Clients: 20 of 21 licensed" in text


@pytest.mark.tier("soak")
def test_a_lost_answer_is_looked_after_and_never_repeated_blindly(fresh_lab: Lab):
    fresh_lab.control.inject(host=f"{KMS_1.label}*", action="Invoke:Activate", drop=True)
    run = fresh_lab.play(arguments="--limit kms_hosts")
    assert run.rc != 0
    (message,) = {failure for failure in run.failures() if KMS_1.fqdn in failure}
    assert "A second run reads the state before it does anything" in message
    asked = [entry for entry in fresh_lab.requests() if entry["action"] == "Invoke:Activate"]
    assert len(asked) == 1
    assert fresh_lab.play(arguments="--limit kms_hosts").rc == 0
    assert sum(key["activations"] for key in fresh_lab.control.call("microsoft").values()) == 2
