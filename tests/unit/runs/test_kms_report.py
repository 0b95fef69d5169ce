# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings and summaries say what people need."""

from __future__ import annotations

from typing import Any

import error_catalogue
import guides
import pytest
import yaml

from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.finding import license_findings, table
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms import findings as kms_findings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.findings import WRITERS, Look, key_facts
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.outcomes import client_counts
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.settings import read_settings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.summary import Clients, KmsHostResults, summary
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.work import single_site

CSVLK, OTHER_CSVLK, SETUP_KEY = "KMH22-PHMGX-8WP9X-CD9R9-C7TRQ", "KMH22-Q6M76-JJDV9-XTQ3X-7MYT2", "VDYBN-27WPP-V4HQT-9VMD4-VMK7H"

pytestmark = pytest.mark.tier("quick")


def license_of(status: str = "licensed", channel: str = "csvlk", count: int | None = None, offset: float = 0.0, held: str = ""):
    held = held or (CSVLK if channel == "csvlk" else SETUP_KEY)[-5:]
    return {
        "windows": {"status": status, "channel": channel, "partial_key": held},
        "service": {"current_count": count},
        "operating_system": {"caption": "Windows Server 2022 Datacenter", "clock_offset": offset},
    }


def system_of(caption: str, build: int, name: str, description: str = "", channel: str = "gvlk", *, server: bool = False):
    return {
        "windows": {
            "status": "licensed",
            "channel": channel,
            "partial_key": CSVLK[-5:],
            "name": f"Windows(R), {name} edition",
            "description": description,
        },
        "service": {"current_count": None},
        "operating_system": {"caption": caption, "clock_offset": 0.0, "build": str(build), "server": server},
    }


def key_of(text: str, build: int = 14393):
    return system_of("Windows Server 2016 Standard", build, "ServerStandard", f"Windows(R), {text} channel", "csvlk", server=True)


OLD_KEY = key_of("VOLUME_KMS_WS16")
NEW_SERVER = system_of("Windows Server 2022 Standard", 20348, "ServerStandard", server=True)


SITE = {"name": "contoso.com", "domain": "contoso.com", "record": "_vlmcs._tcp.contoso.com"}


def site(writer="published", hosts=("kms-1",), port=1688):
    settings = read_settings("kms_single_site", {"domain": "contoso.com", "records": writer, "port": port})
    return settings, single_site(settings, {host: f"{host}.contoso.com" for host in hosts})


def findings(licenses, kms_hosts=("kms-1",), clients=("pc-1",), *, key=CSVLK, checks=None, records=(), writer="published", port=1688):
    # The KMS host of the play is there and well, unless a test says otherwise.
    known = {**({"kms-1": license_of()} if kms_hosts != ("kms-9",) else {}), **licenses}
    look = Look(
        hosts=[host for host in kms_hosts if host in known],
        all_hosts=kms_hosts,
        clients=clients,
        all_clients=clients or ("pc-9",),
        licenses=known,
        keys=dict.fromkeys(kms_hosts, key_facts(key, "kms_single_site_csvlk")),
        records=[{"item": SITE, "records": [{"port": 1688, "priority": 0, "weight": 0, **entry} for entry in records]}],
        checks=list((checks or {}).items()),
    )
    return kms_findings.findings(*site(writer, look.hosts, port), look)


def test_nothing_to_find():
    assert findings({"kms-1": license_of(), "pc-1": license_of(channel="gvlk")}) == []


@pytest.mark.parametrize(("host", "blocks"), [("kms-1", True), ("pc-1", False)])
def test_only_a_kms_host_that_is_not_reached_stops_the_play(host: str, blocks: bool):
    found = findings({host: {"unreachable": True, "msg": "no connection"}})
    assert [(finding.object, finding.text, finding.blocks) for finding in found] == [(host, "no connection", blocks)]


@pytest.mark.parametrize(
    ("host", "offset", "blocks"),
    [("kms-1", 301, [True]), ("kms-1", -301, [True]), ("kms-1", 299, []), ("pc-1", 301, []), ("pc-1", 14401, [False])],
)
def test_clocks(host: str, offset: float, blocks: list[bool]):
    channel = "csvlk" if host == "kms-1" else "gvlk"
    assert [finding.blocks for finding in findings({host: license_of(channel=channel, offset=offset)})] == blocks


def test_a_host_can_be_kms_host_or_client_and_not_both():
    assert [finding.blocks for finding in findings({}, clients=("kms-1",))] == [True]


@pytest.mark.parametrize(("channel", "key", "blocks"), [("gvlk", "", [True]), ("gvlk", CSVLK, []), ("csvlk", "", []), ("csvlk", None, [])])
def test_a_kms_host_needs_a_key_of_its_own_or_a_given_one(channel: str, key: str | None, blocks: list[bool]):
    assert [finding.blocks for finding in findings({"kms-1": license_of(channel=channel)}, key=key)] == blocks


@pytest.mark.parametrize(
    ("status", "channel", "held", "blocks"),
    [
        ("licensed", "csvlk", OTHER_CSVLK[-5:], [False]),
        ("licensed", "csvlk", CSVLK[-5:], []),
        # It serves nobody.
        ("notification", "csvlk", OTHER_CSVLK[-5:], []),
        ("licensed", "gvlk", "VMK7H", []),
        # What it holds is none.
        ("licensed", "mak", CSVLK[-5:], [True]),
        ("licensed", "unknown", CSVLK[-5:], []),
    ],
)
def test_a_key_by_which_a_kms_host_is_licensed_is_replaced_and_that_is_said(status: str, channel: str, held: str, blocks: list[bool]):
    assert [found.blocks for found in findings({"kms-1": license_of(status, channel, held=held)})] == blocks


def test_kms_hosts_with_the_same_finding_are_named_together():
    hosts = tuple(f"kms-{number}" for number in range(1, 7))
    licenses = {host: license_of(held=OTHER_CSVLK[-5:]) for host in hosts}
    (found,) = findings(licenses, hosts, key=SETUP_KEY)
    assert (found.object, found.blocks) == ("kms-1, kms-2, kms-3, kms-4, kms-5 and 1 more", True)


def test_each_kms_host_is_judged_by_its_own_key():
    keys = {host: key_facts(key, "kms_multi_site_csvlk") for host, key in (("n1", CSVLK), ("s1", OTHER_CSVLK), ("s2", ""))}
    licenses = {host: license_of(channel="mak", held=CSVLK[-5:]) for host in keys}
    licenses["s2"] = license_of()
    assert [(found.object, found.blocks) for found in license_findings(licenses, list(keys), keys, "kms_multi_site_csvlk")] == [
        ("n1", True)
    ]


def test_a_key_that_was_refused_is_in_no_fact():
    for key in (CSVLK, SETUP_KEY, "MMKVP", ""):
        assert not key or key not in str(key_facts(key, "x"))
    assert key_facts(CSVLK, "x") == {"given": True, "last_five": "C7TRQ", "refusal": ""}


@pytest.mark.parametrize(("channel", "found"), [("gvlk", 0), ("mak", 1), ("retail", 1), ("csvlk", 1)])
def test_what_will_become_of_a_clients_key_is_said_and_stops_nothing(channel: str, found: int):
    assert [finding.blocks for finding in findings({"pc-1": license_of(channel=channel)})] == [False] * found


OWNER = {"attribute": "owner", "before": "CONTOSO\\OLD$", "after": "CONTOSO\\Domain Admins"}
LACKS = (
    "dnsNode _vlmcs._tcp.contoso.com cannot be made by this account: it lacks CREATE_CHILD (dnsNode) on DC=contoso.com."
    " Have it delegated, or use another account."
)
GRANTS = [
    {"principal": "CONTOSO\\KMS_Hosts", "missing": ["delete", "write"]},
    {"principal": "CONTOSO\\KMS_1$", "missing": ["write"]},
    {"principal": "CONTOSO\\KMS_2$", "missing": []},
]


@pytest.mark.parametrize(("steps", "may_write", "found"), [([{}], False, 1), ([{}], True, 0), ([], False, 0)])
def test_an_account_that_may_not_change_the_group_stands_in_the_way(steps: list[dict[str, Any]], may_write: bool, found: int):
    seen = findings({}, checks={"group": {"steps": steps, "may_write": may_write, "warnings": ["It lacks CREATE_CHILD."]}})
    assert [(item.text, item.blocks) for item in seen if item.object == "group"] == [("It lacks CREATE_CHILD.", True)] * found


@pytest.mark.parametrize(("missing", "may_write", "found"), [(["write"], False, 1), (["write"], True, 0), ([], False, 0)])
def test_an_account_that_may_not_give_the_rights_is_told(missing: list[str], may_write: bool, found: int):
    rows = [{"principal": "KMS_Hosts", "missing": missing}]
    seen = findings({}, checks={"record": {"missing": missing, "may_write": may_write, "grants": rows}})
    assert [finding.blocks for finding in seen] == [False] * found


def test_foreign_values_and_the_owner_of_the_record_are_said():
    records = [{"target": "kms-1.contoso.com"}, {"target": "old.contoso.com"}]
    texts = [finding.text for finding in findings({}, records=records, checks={"record": {"steps": [OWNER]}})]
    assert ["old.contoso.com:1688" in texts[0], "OLD$" in texts[1], len(texts)] == [True, True, 2]


def test_an_evaluation_can_be_no_kms_host():
    assert [finding.blocks for finding in findings({"kms-1": license_of(channel="timebased")})] == [True]


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ((OLD_KEY,), 1),
        # Another host serves it, or may: what is not known is not said.
        ((OLD_KEY, key_of("VOLUME_KMS_WS22")), 0),
        ((OLD_KEY, license_of(channel="gvlk")), 0),
        ((OLD_KEY, key_of("VOLUME_KMS_OF16")), 0),
        ((key_of("VOLUME_KMS_WS25"),), 0),
    ],
)
def test_a_client_is_unserved_only_where_no_host_can_serve_it(keys: tuple[Any, ...], found: int):
    hosts = {f"kms-{number}": key for number, key in enumerate(keys, 1)}
    seen = findings({**hosts, "pc-1": NEW_SERVER, "pc-2": NEW_SERVER}, kms_hosts=tuple(hosts))
    assert [(finding.object, finding.blocks) for finding in seen if "0xC004F042" in finding.text] == [("pc-1, pc-2", False)] * found


def test_a_failed_check_stops_the_play_and_the_table_lists_it_first():
    found = findings({"pc-1": {"unreachable": True, "msg": "off"}}, checks={"DNS": {"error": {}, "msg": "no answer"}})
    lines = table([finding.as_result() for finding in found])
    assert lines == ["STOP  DNS   no answer", "note  pc-1  off"]


def test_no_kms_host_at_all():
    found = findings({}, kms_hosts=("kms-9",), clients=())
    assert [finding.object for finding in found if finding.blocks] == ["inventory"]


CLIENTS = {
    "pc-1": {"license": license_of(), "client": {"activation": {"state": "licensed"}}},
    "pc-2": {"license": license_of(), "client": {"activation": {"state": "counted", "required_count": 25}}},
    "pc-3": {"license": {"unreachable": True, "msg": "off"}, "client": {}},
    "pc-4": {"license": license_of(), "client": {"failed": True, "msg": "0xC004F074"}},
}
ANSWERS = [{"host": "kms-1.contoso.com", "port": 1688, "state": "answering"}]
HOSTS = {"kms-1": KmsHostResults(license_of(count=None), license_of(count=12), "kms-1.contoso.com", ANSWERS)}
RECORD = [{"item": SITE, "records": [{"target": "kms-1.contoso.com", "port": 1688, "priority": 0, "weight": 0}]}]
GRANTED = {"item": {"record": SITE["record"]}, "grants": [{"principal": "KMS_Hosts", "granted": ["read"]}]}


def summed_up(clients: dict[str, Any], hosts=HOSTS, records=RECORD, *, shared=(), check_mode=False) -> list[str]:
    """The summary of these clients, of which those that are licensed were so before."""
    silent = [name for name, client in clients.items() if client["license"].get("unreachable")]
    asked = {name: client["client"] for name, client in clients.items() if name not in silent}
    records = [{**result, "item": {**result["item"], "records": "published"}} for result in records]
    return summary(site()[1], hosts, Clients(0, silent, asked, (), shared), records, [GRANTED], 25, False, check_mode)


def test_the_summary_names_who_waits_for_what_and_who_failed():
    text = "\n".join(summed_up(CLIENTS))
    assert "KMS host kms-1: licensed, answering, clients counted 0 -> 12, activates from 25 clients on" in text
    assert "kms-1.contoso.com:1688 (0 0); KMS_Hosts has read on it" in text
    assert "Clients: 1 of 4 licensed" in text
    for part in ("1 (pc-2)", "25 clients", "kms-1 12", "every two hours"):
        assert part in text
    assert "Not reached: 1 (pc-3)" in text
    assert "Failed: pc-4: 0xC004F074" in text
    assert "check mode" not in text


def test_the_counts_are_of_each_state():
    assert client_counts(CLIENTS) == {"licensed": 1, "counted": 1, "failed": 1, "not_reached": 1, "planned": 0}


def test_many_names_are_cut():
    clients = {f"pc-{number}": CLIENTS["pc-2"] for number in range(9)}
    text = "\n".join(summed_up(clients, check_mode=True))
    assert "and 4 more" in text
    assert "check mode: nothing was changed" in text


KMS_HOST, CLIENT = "kms-1", "pc-1"


def with_id(client_id: str | None) -> dict[str, Any]:
    """A client with this CMID."""
    found = license_of(channel="gvlk")
    found["service"]["client_machine_id"] = client_id
    return found


AFTER_THE_FIRST = {"kms-1": license_of(count=3), **{name: license_of(held=OTHER_CSVLK[-5:], count=30) for name in ("kms-2", "kms-3")}}
SEVEN = tuple(f"kms-{number}" for number in range(1, 8))

FINDINGS = {
    "no KMS host in the play": lambda: [found for found in findings({}, kms_hosts=("kms-9",), clients=()) if found.blocks],
    "a host that is to be KMS host and client": lambda: findings({}, clients=("kms-1",)),
    "a host that was not asked": lambda: findings({KMS_HOST: {}}),
    "a KMS host whose clock is wrong": lambda: findings({KMS_HOST: license_of(offset=612)}),
    "a client whose clock is wrong": lambda: findings({CLIENT: license_of(channel="gvlk", offset=-20000)}),
    "a KMS host that is an evaluation": lambda: findings({KMS_HOST: license_of(channel="timebased")}),
    "no KMS host key": lambda: findings({KMS_HOST: license_of(channel="gvlk")}, key=""),
    "a client setup key for KMS hosts": lambda: findings({}, key=SETUP_KEY),
    "a KMS host key without the shape of one": lambda: findings({}, key="MMKVP"),
    "a MAK for KMS hosts": lambda: findings({KMS_HOST: license_of(channel="mak", held=CSVLK[-5:])}),
    "another key for a KMS host": lambda: findings({KMS_HOST: license_of(held=OTHER_CSVLK[-5:])}),
    "KMS hosts that keep their key for now": lambda: findings(AFTER_THE_FIRST, ("kms-1", "kms-2", "kms-3")),
    "another key for the only KMS host that serves": lambda: [
        found for found in findings({KMS_HOST: license_of(held=OTHER_CSVLK[-5:], count=30)}) if found.blocks
    ],
    "many KMS hosts with one key": lambda: findings({host: license_of() for host in SEVEN}, SEVEN),
    "a client that is a KMS host": lambda: findings({CLIENT: license_of()}),
    "a client with a key of its own": lambda: findings({CLIENT: license_of(channel="mak")}),
    "a client that is an evaluation": lambda: findings({CLIENT: license_of(channel="timebased")}),
    "a client that is a home edition": lambda: findings({CLIENT: system_of("Windows 11 Home", 26100, "Core", channel="retail")}),
    "clients that no key of the KMS hosts serves": lambda: findings({KMS_HOST: OLD_KEY, CLIENT: NEW_SERVER}),
    "a record that names a stranger": lambda: findings({}, records=[{"target": "old.contoso.com"}]),
    "a record that a host owns": lambda: findings({}, checks={"record": {"steps": [OWNER]}}),
    "a zone in which the account may not make the record": lambda: findings(
        {}, checks={"record": {"may_create": False, "warnings": [LACKS]}}
    ),
    "several who lack rights on a record": lambda: findings(
        {}, checks={"record": {"missing": ["delete", "write"], "may_write": False, "grants": GRANTS}}
    ),
    "an account that may not give the rights": lambda: findings(
        {}, checks={"record": {"missing": ["delete", "write"], "may_write": False, "grants": GRANTS[:1]}}
    ),
    "something that could not be checked": lambda: findings({}, checks={"DNS": {"failed": True}}),
    "clients that share a client machine ID": lambda: findings({CLIENT: with_id("aa11"), "pc-2": with_id("bb22"), "pc-3": with_id("AA11")}),
    **{f"values that are {how}": lambda how=how: findings({}, writer=how) for how in WRITERS},
    "a limit that leaves out the KMS hosts": lambda: findings({}, kms_hosts=("kms-9",)),
    "an inventory without clients": lambda: kms_findings.findings(*site(), Look(["kms-1"], ["kms-1"], [], [], {"kms-1": license_of()})),
    "another port than that of Windows' own exception": lambda: findings({}, port=1690),
    "an old value of a KMS host": lambda: findings({}, records=[{"target": "kms-1.contoso.com", "port": 1690}]),
}
"""A play in which this is the only finding."""
SUMMARY = {
    "clients that are counted, below the threshold": "pc-2",
    "clients that were not reached": "pc-3",
    "a client that failed": "pc-4",
}
SCAVENGED = "a KMS host whose value was scavenged"
ONE_ADDRESS = "a KMS host that does not answer at one of its addresses"
NO_HOSTS = {
    "kms_single_site": "an inventory without KMS hosts and clients",
    "kms_multi_site": "an inventory without KMS hosts and clients",
    "audit": "an inventory without hosts to audit",
    "kms_replace_host": "an inventory without a KMS host that comes or one that goes",
    "reference_image": "an inventory without a reference computer",
    **dict.fromkeys(
        ["mak_independent", "mak_to_kms", "mak_proxy_collect", "mak_proxy_apply", "mak_proxy_reapply"],
        "an inventory without computers for a MAK",
    ),
    "survey": "an inventory without hosts to survey",
    "report": "an inventory without hosts to report on",
}
# Their work is done on the control node.
NO_LIMIT = {
    "mak_proxy_acquire": "a limit that leaves out the control node, which is to ask Microsoft",
    "mak_proxy_phone": "a limit that leaves out the control node, which is to take confirmation IDs",
}
# It is another one with variables.
ANOTHER = "kms_to_mak"
WRITTEN = error_catalogue.paired(
    "What the role finds and sums up", [*FINDINGS, *SUMMARY, SCAVENGED, ONE_ADDRESS, *NO_HOSTS.values(), *NO_LIMIT.values()]
)


@pytest.mark.parametrize("name", FINDINGS)
def test_each_finding_is_worded_as_the_catalogue_has_it(name: str):
    (found,) = FINDINGS[name]()
    assert found.text == error_catalogue.said(WRITTEN[name])


@pytest.mark.parametrize("name", SUMMARY)
def test_each_line_of_the_summary_about_clients_that_are_not_licensed(name: str):
    client = SUMMARY[name]
    failed = {"pc-4": {**CLIENTS["pc-4"], "client": {"failed": True, "msg": "pc-4: no KMS host could be reached."}}}
    lines = summed_up({client: {**CLIENTS, **failed}[client]})
    assert lines[-1] == error_catalogue.said(WRITTEN[name])


def test_a_kms_host_has_a_cmid_of_no_interest_to_its_clients():
    assert findings({KMS_HOST: {**license_of(), "service": {"client_machine_id": "aa11"}}, CLIENT: with_id("aa11")}) == []


def test_a_value_that_is_gone_from_dns_shows_in_the_line_of_its_host():
    hosts = {"kms-1": KmsHostResults(license_of(count=None), license_of(count=12), "kms-1.contoso.com")}
    lines = summed_up({}, hosts, [{"item": SITE, "records": []}])
    assert lines[1] == error_catalogue.said(WRITTEN[SCAVENGED])


def test_one_of_several_addresses_that_does_not_answer_is_a_line_of_its_own():
    silent = {
        "host": "kms-1.contoso.com",
        "port": 1688,
        "state": "closed",
        "detail": "kms-1.contoso.com (10.0.0.2): nobody listens on port 1688.",
    }
    hosts = {"kms-1": KmsHostResults(license_of(), license_of(), "kms-1.contoso.com", [*ANSWERS, silent])}
    assert summed_up({}, hosts)[2] == error_catalogue.said(WRITTEN[ONE_ADDRESS])


@pytest.mark.parametrize("playbook", sorted(path.stem for path in (guides.TREE / "playbooks").glob("*.yml")))
def test_a_playbook_says_that_there_are_no_hosts(playbook: str):
    first = yaml.safe_load((guides.TREE / f"playbooks/{playbook}.yml").read_text(encoding="utf-8"))[0]
    if playbook == ANOTHER:
        assert "ansible.builtin.import_playbook" in first
        return
    assert first["hosts"] == "all" if playbook in NO_LIMIT else first["hosts"].endswith("else 'all:localhost' }}")
    assert first["tasks"][0]["ansible.builtin.fail"]["msg"] == error_catalogue.said(WRITTEN[{**NO_HOSTS, **NO_LIMIT}[playbook]])


@pytest.mark.parametrize(
    ("inventory", "limited", "computer", "found"),
    [
        (["KMS-1.contoso.com"], [], "KMS-1", 0),
        (["10.0.0.7"], [], "KMS-1", 0),
        (["10.0.0.7"], [], "OTHER", 1),
        # It may be the one that the limit leaves out, whose name nobody knows.
        (["10.0.0.7"], ["10.0.0.8"], "OTHER", 0),
        (["10.0.0.7"], ["kms-2.contoso.com"], "OTHER", 1),
    ],
)
def test_a_host_of_the_record_is_compared_by_the_name_that_dns_has(inventory: list[str], limited: list[str], computer: str, found: int):
    result = {**license_of(), "operating_system": {**license_of()["operating_system"], "computer_name": computer}}
    record = [{"item": SITE, "records": [{"target": "kms-1.contoso.com", "port": 1688, "priority": 0, "weight": 0}]}]
    look = Look(inventory, [*inventory, *limited], ["pc-1"], ["pc-1"], dict.fromkeys(inventory, result), records=record)
    settings = read_settings("kms_single_site", {"domain": "contoso.com"})
    topology = single_site(settings, {host: f"{computer.lower()}.contoso.com" for host in inventory})
    texts = [finding.text for finding in kms_findings.findings(settings, topology, look)]
    assert len([text for text in texts if "no KMS host of this play" in text]) == found
