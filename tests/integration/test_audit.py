# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The daily look at all sites: it finds what was changed behind everybody's back, that alone, and changes nothing itself.

Its account in the directory is an ordinary user, who may read and nothing else. On the Windows hosts it comes with the lab's
usual connection: who may read over WMI without being an administrator is set on each host, and the lab has no such user.

The tests stand in the order in which the world goes from set up to changed to mended.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import names
from lab.domain.accounts import PASSWORD, Accounts
from lab.play import Run
from lab.witness import Witness, WitnessError

from .conftest import NEEDS_DOMAIN, Lab
from .multi_site import VARIABLES, play
from .stories import steady

pytestmark = [pytest.mark.tier("test"), NEEDS_DOMAIN]

AUDIT = "winops.volume_activation.audit"
READER = "audit-reader"
READS = ("Identify", "Enumerate", "Pull", "Release", "Get", "Invoke:Get", "Invoke:Enum")
# RIGHT_DS_READ_PROPERTY, LIST_CONTENTS, LIST_OBJECT, READ_CONTROL, as SDDL has them.
READ_RIGHTS = {"RP", "LC", "LO", "RC"}
# Nothing is at this address.
SILENT_SERVER = "127.0.0.99"
EAST, WEST = "_vlmcs._tcp.east.contoso.com", "_vlmcs._tcp.west.contoso.com"
E1, E2 = "kms-e1.east.contoso.com", "kms-e2.east.contoso.com"
W1, W2 = "kms-w1.west.contoso.com", "kms-w2.west.contoso.com"

Found = set[tuple[str, str]]

# A drift, the machine that it is about, and what the audit says of it, as object and attribute.
PLANTED: list[tuple[str, str, Found]] = [
    ("priority_changed", E1, {(EAST, f"priority of {E1}")}),
    ("srv_removed", E2, {(EAST, f"value of {E2}")}),
    ("foreign_target", E1, {(EAST, "value of kms-old.east.contoso.com")}),
    ("weight_changed", W1, {(WEST, f"weight of {W1}")}),
    ("old_value", W2, {(WEST, f"old value of {W2}")}),
    ("right_removed", E1, {(f"dnsNode {EAST}", "DACL CONTOSO\\KMS_E")}),
    ("other_ace_removed", E1, {(f"dnsNode {EAST}", "DACL CONTOSO\\KMS_W")}),
    ("ace_removed", W1, {(f"dnsNode {WEST}", "DACL CONTOSO\\KMS_W")}),
    ("member_removed", E2, {("group KMS_E", "member KMS_E2$")}),
    ("foreign_member", W1, {("group KMS_W", "member PC-001$")}),
    ("publish_line_removed", E1, {(E1, "DnsDomainPublishList west.contoso.com")}),
    ("port_changed", E1, {(E1, "listening port")}),
    ("publish_lines_reordered", E2, {(E2, "order of DnsDomainPublishList")}),
    ("count_lost", E2, {(E2, "client count")}),
    ("publish_line_changed", W1, {(W1, "DnsDomainPublishList west.contoso.com")}),
    ("publishing_disabled", W1, {(W1, "DNS publishing")}),
    ("publish_line_added", W2, {(W2, "DnsDomainPublishList fabrikam.com")}),
    ("key_replaced", W2, {(W2, "license status"), (W2, "client count")}),
    # The rule, and what comes of it.
    ("firewall_off", W2, {(W2, "firewall rule SPPSVC-In-TCP"), (W2, "KMS port 1688")}),
    ("caching_on", "pc-001", {("pc-001.east.contoso.com", "KMS host caching")}),
    ("suffixes_changed", "pc-003", {("pc-003.east.contoso.com", "DNS suffix search list")}),
    ("suffixes_by_policy", "pc-005", {("pc-005.east.contoso.com", "DNS suffix search list")}),
    ("fixed_host", "pc-007", {("pc-007.east.contoso.com", "KMS host")}),
    ("address_changed", "pc-008", {("pc-008.west.contoso.com", "alternate URL")}),
    ("licence_lost", "pc-009", {("pc-009.east.contoso.com", "license status")}),
    ("licence_expiring", "pc-011", {("pc-011.east.contoso.com", "license expiry")}),
]
# What the role leaves to people: whose value and member it is, what policy says, why a client has not renewed itself.
LEFT_TO_PEOPLE = {"foreign_target", "foreign_member", "suffixes_by_policy", "licence_expiring"}


def of_drifts(*left_out: str, only: set[str] | None = None) -> Found:
    chosen = [found for drift, _host, found in PLANTED if drift not in left_out and (only is None or drift in only)]
    return set().union(*chosen)


@pytest.fixture(scope="module")
def lab(zones_lab: Lab) -> Iterator[Lab]:
    """The sites as the role sets them up, and an ordinary user."""
    zones_lab.control.reset()
    run = play(zones_lab)
    assert run.rc == 0, run.output[-4000:]
    Accounts(zones_lab.domain).user(READER)
    yield zones_lab
    zones_lab.control.reset()


def world(lab: Lab) -> dict[str, Any]:
    """What witnesses see of all that an audit looks at."""
    zones = {
        site.zone: (lab.witness.srv(site.zone), lab.witness.sddl(lab.witness.record_dn(site.zone))) for site in lab.options.site_list()
    }
    groups = {site.group: lab.witness.group_members(site.group) for site in lab.options.site_list()}
    hosts = {machine.label: lab.control.host(machine.label) for machine in lab.options.machines}
    return {**zones, **groups, **steady({"hosts": hosts}, strict=True)}


def audit(lab: Lab, arguments: str = "", **variables: Any) -> tuple[Run, dict[str, Any]]:
    """A run with an account that may only read, and its report; it has changed nothing and asked Windows for nothing but data."""
    credentials = {"contoso": {"username": names.CONTOSO.principal(READER), "password": PASSWORD}}
    before, asked = world(lab), len(lab.requests())
    given = {"volume_activation_state_directory": str(lab.layout.root / "state"), **VARIABLES, **variables}
    run = lab.play(AUDIT, arguments=arguments, volume_activation_credentials=credentials, **given)
    assert world(lab) == before
    actions = {entry["action"] for entry in lab.requests()[asked:]} - {"Authenticate"}
    assert actions
    assert [action for action in actions if not action.startswith(READS)] == []
    assert run.changed() == 0
    # It is in the file, or in the output.
    printed = [entry.result["msg"] for entry in run.of_task("Print the report as JSON") if "msg" in entry.result]
    assert bool(printed) == ("kms_audit_report_file" not in given)
    (shown,) = printed or [json.loads(Path(given["kms_audit_report_file"]).read_text(encoding="utf-8"))]
    return run, shown


def found(report: dict[str, Any]) -> Found:
    deviations = [(entry["object"], entry["attribute"]) for entry in report["deviations"] if entry["severity"] == "deviation"]
    assert len(deviations) == len(set(deviations)) == report["counts"]["deviation"]
    return set(deviations)


def test_the_reader_may_not_write(lab: Lab):
    reader = Witness(lab.domain, user=READER, password=PASSWORD)
    assert reader.group_members("KMS_E") == lab.witness.group_members("KMS_E")
    with pytest.raises(WitnessError, match=r"(?i)insufficient.access"):
        reader.add_group("KMS_X")
    everybody = {"WD", "AU", "DU", "BU", "RU", lab.witness.sid(READER)}
    for site in lab.options.site_list():
        aces = [ace.strip("()").split(";") for ace in lab.witness.aces(lab.witness.record_dn(site.zone))]
        granted = {
            letters[at : at + 2] for _kind, _flags, letters, *_rest, who in aces if who in everybody for at in range(0, len(letters), 2)
        }
        assert granted <= READ_RIGHTS


def test_where_everything_is_as_declared_nothing_is_found(lab: Lab):
    run, report = audit(lab)
    assert (run.rc, report["verdict"]) == (0, "as declared"), report["deviations"]
    # How many clients belong to a domain is worth a word, and so are links that nobody has looked at; they are no deviations.
    noted = [("note", "link")] * 4 + [("note", "domain members")]
    assert [(entry["severity"], entry["attribute"]) for entry in report["deviations"]] == noted
    assert run.custom_stats == {"audit": {"deviation": 0, "unknown": 0, "note": 5, "verdict": "as declared"}}
    (table,) = [entry.result["msg"] for entry in run.of_task("Show the deviations")]
    assert len(table) == 3
    assert run.of_task("Show the connections that firewalls must allow") == []


def test_a_limit_on_a_client_makes_no_deviation_of_what_it_leaves_out(lab: Lab, tmp_path: Path):
    file = tmp_path / "report.json"
    run, report = audit(lab, "--limit pc-001.east.contoso.com --check", kms_audit_report_file=str(file))
    assert (run.rc, report["verdict"]) == (0, "as declared"), report["deviations"]
    others = [machine for machine in lab.options.machines if machine.role != "kms" and machine.label != "pc-001"]
    assert report["left_out"] == {"kms_hosts": 4, "kms_clients": len(others)}
    # Check mode changes nothing that is checked, and a report is what the run is for.
    assert json.loads(file.read_text(encoding="utf-8")) == report


@pytest.mark.tier("soak")
def test_links_are_seen_from_where_somebody_stands(lab: Lab):
    nodes = {"kms_audit_nodes": {"east": "localhost"}, "kms_audit_control_site": "west", "kms_audit_flows": "true"}
    run, report = audit(lab, **nodes)
    assert run.rc == 0
    known = {(link["from_site"], link["to_host"]): (link["state"], link["evidence"]) for link in report["links"]}
    seen = {"east": ("open", "a connection from localhost"), "west": ("open", "a bind from the control node")}
    assert known == {("east", W1): seen["east"], ("east", W2): seen["east"], ("west", E1): seen["west"], ("west", E2): seen["west"]}
    (flows,) = [entry.result["msg"] for entry in run.of_task("Show the connections that firewalls must allow")]
    assert len([line for line in flows if line.endswith("fallback")]) == 4


@pytest.mark.tier("soak")
def test_the_report_shows_the_sites_and_what_answers_and_changes_nothing(lab: Lab):
    before, state = world(lab), lab.layout.root / "state"
    given = {"volume_activation_state_directory": str(state), "kms_audit_control_site": "west", **VARIABLES}
    run = lab.play("winops.volume_activation.report", **given)
    assert run.rc == 0, run.output[-4000:]
    assert (world(lab), run.changed()) == (before, 0)
    found = json.loads((state / "report.json").read_text(encoding="utf-8"))
    assert found["outcomes"] == {"read": found["hosts"]}
    assert found["audit"]["verdict"] == "as declared", found["audit"]["deviations"]
    assert {(end["host"], end["state"]) for end in found["audit"]["endpoints"]} == {(host, "answering") for host in (E1, E2, W1, W2)}
    assert {entry["host"] for entry in found["kms_hosts"]} == {E1, E2, W1, W2}
    assert all(entry["count"] == entry["history"][-1]["count"] for entry in found["kms_hosts"])
    page = (state / "report.html").read_text(encoding="utf-8")
    assert page.count("link open: a bind from the control node") >= 2
    assert "east falls back to west (not seen)" in page
    assert run.custom_stats["report"]["verdict"] == "as declared"


def test_a_report_that_can_not_be_written_ends_the_run_before_anything_is_read(lab: Lab, tmp_path: Path):
    asked = len(lab.requests())
    run = lab.play(AUDIT, kms_audit_report_file=str(tmp_path / "none/report.json"))
    assert (run.rc, len(lab.requests())) == (2, asked)
    assert run.failures() == [
        f"kms_audit_report_file: {tmp_path}/none/report.json can't be written: No such file or directory (ENOENT); make its folder first."
    ]


@pytest.fixture(scope="module")
def planted(lab: Lab) -> None:
    """Every deviation, from where all is as declared."""
    for drift, host, _found in PLANTED:
        lab.control.drift(drift, host)


@pytest.fixture(scope="module")
def mended(lab: Lab, planted: None) -> Run:
    """The role has been run since."""
    return play(lab, kms_multi_site_publish_list="exact")


def test_each_planted_deviation_is_found_and_nothing_else(lab: Lab, planted: None, tmp_path: Path):
    file = tmp_path / "report.json"
    run, report = audit(lab, kms_audit_report_file=str(file))
    assert len(PLANTED) >= 15
    assert found(report) == of_drifts()
    assert run.rc == 2
    counts = {"deviation": len(of_drifts()), "unknown": 0, "note": 5}
    assert run.custom_stats == {"audit": {**counts, "verdict": "deviations"}}
    # People read the same, equal ones in one line, and at the end of the job a number and where to look.
    (table,) = [entry.result["msg"] for entry in run.of_task("Show the deviations")]
    # Those of one kind that differ in a number have a sentence together.
    told = [entry["text"] for entry in report["deviations"] if entry["attribute"] != "client count"]
    assert [text for text in told if not any(text in line for line in table)] == []
    assert any("They have counted fewer than 25 clients" in line for line in table)
    assert run.failures() == [
        (
            f"{counts['deviation']} deviations, 0 unknown, 5 notes: not all is as the sites declare it. The task 'Show the deviations' lists them, and"
            f" the report is in {file}."
        )
    ]
    assert [entry.task for entry in run.results if entry.event == "runner_on_failed"] == ["Fail if something deviates from the sites"]


@pytest.mark.tier("soak")
def test_the_role_mends_what_it_may_and_the_audit_names_the_rest(lab: Lab, mended: Run):
    assert mended.rc == 0, mended.output[-4000:]
    # What the sites say now and nobody has set up yet is found as well.
    _run, report = audit(lab, volume_activation_remote_publish="static")
    written = {(EAST, f"time stamp of {host}") for host in (W1, W2)} | {(WEST, f"time stamp of {host}") for host in (E1, E2)}
    lists = {(host, "DnsDomainPublishList west.contoso.com") for host in (E1, E2)}
    lists |= {(host, "DnsDomainPublishList east.contoso.com") for host in (W1, W2)}
    # Who does not publish itself there any more needs no rights there.
    rights = {(WEST, f"rights of CONTOSO\\KMS_E{number}$") for number in (1, 2)} | {
        (EAST, f"rights of CONTOSO\\KMS_W{number}$") for number in (1, 2)
    }
    assert found(report) == of_drifts(only=LEFT_TO_PEOPLE) | written | lists | rights


@pytest.mark.tier("soak")
def test_what_does_not_answer_is_found_and_the_rest_is_looked_at(lab: Lab, mended: Run):
    lab.control.stop_host(W2)
    lab.control.stop_host("pc-002")
    lab.control.block_control_node("east")
    sites = copy.deepcopy(yaml.safe_load(lab.layout.inventory.read_text(encoding="utf-8"))["all"]["vars"]["volume_activation_sites"])
    sites["east"]["dns_servers"].append(SILENT_SERVER)
    run, report = audit(lab, volume_activation_sites=sites, kms_audit_control_site="west", kms_audit_fail="false")
    assert run.rc == 0
    silent = {(EAST, f"DNS server {SILENT_SERVER}"), (E1, "KMS port 1688"), (E2, "KMS port 1688"), (W2, "KMS port 1688")}
    unknown = {(entry["object"], entry["attribute"]) for entry in report["deviations"] if entry["severity"] == "unknown"}
    assert unknown == {(W2, "license"), ("pc-002.west.contoso.com", "license")}
    # Nobody knows the account of the host that is off, so that nobody is told to be a stranger in its group.
    assert found(report) == of_drifts(only=LEFT_TO_PEOPLE - {"foreign_member"}) | silent
    texts = {entry["object"]: entry["text"] for entry in report["deviations"] if entry["attribute"] == "KMS port 1688"}
    assert {host for host, text in texts.items() if text.startswith("On the way from west to east: ")} == {E1, E2}
