# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The multi-site scenario in two zones, from end to end: a look, a run, another run, drifts, and which host clients turn to."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.rdataset
import pytest
import yaml

from lab.witness import Srv

from .conftest import NEEDS_DOMAIN, Lab, eventually
from .multi_site import clients, count_clients, kms_hosts, meanwhile, play, table_5, world
from .stories import assert_foretold, changes, steady

pytestmark = [pytest.mark.tier("test"), NEEDS_DOMAIN]

RIGHTS = {"RP", "WP", "SD", "LC", "RC"}


@pytest.fixture(scope="module")
def lab(zones_lab: Lab) -> Iterator[Lab]:
    zones_lab.control.reset()
    yield zones_lab
    zones_lab.control.reset()


@pytest.fixture(scope="module")
def story(lab: Lab) -> dict[str, Any]:
    """The exception is on but on one host; the lab is checked in check mode, then really set up, then run again."""
    for machine in kms_hosts(lab)[:-1]:
        lab.control.drift("firewall_on", machine.label)
    before = world(lab)
    check = play(lab, arguments="--check --diff")
    after_check = world(lab)
    real = play(lab, arguments="--diff")
    return {"before": before, "check": check, "after_check": after_check, "real": real, "again": play(lab)}


def test_check_mode_succeeds_and_changes_nothing_that_a_witness_can_see(story: dict[str, Any]):
    assert story["check"].rc == 0, story["check"].output[-3000:]
    assert steady(story["after_check"], strict=True) == steady(story["before"], strict=True)


def test_check_mode_lists_the_very_steps_of_the_real_run(story: dict[str, Any]):
    assert_foretold(story["check"].steps(), story["real"].steps())


def test_the_records_are_those_of_table_5(story: dict[str, Any], lab: Lab):
    assert story["real"].rc == 0, story["real"].output[-5000:]
    for site in ("east", "west"):
        assert lab.witness.srv(f"{site}.contoso.com") == table_5(lab, site)


def test_both_groups_have_their_members_and_may_write_both_records(story: dict[str, Any], lab: Lab):
    for site in lab.options.site_list():
        assert lab.witness.group_members(site.group) == [machine.account for machine in kms_hosts(lab, site.name)]
        rights = lab.witness.rights(site.zone)
        for group in ("KMS_E", "KMS_W"):
            letters = rights[group]
            assert {letters[place : place + 2] for place in range(0, len(letters), 2)} >= RIGHTS


def test_every_host_published_itself_in_both_zones_and_its_port_is_open(story: dict[str, Any], lab: Lab):
    for machine in kms_hosts(lab):
        host = lab.control.host(machine.label)
        assert host["open_port"] == 1688
        assert host["firewall"]["SPPSVC-In-TCP"] is True
        published = {attempt["zone"]: attempt["hresult"] for attempt in host["publications"]}
        assert published == {"east.contoso.com": 0, "west.contoso.com": 0}
    opened = [step["object"] for step in story["real"].steps() if "firewall" in step["attribute"]]
    assert opened == [kms_hosts(lab)[-1].fqdn]


def test_every_client_is_licensed_and_set_up_as_table_6_has_it(story: dict[str, Any], lab: Lab):
    for machine in clients(lab):
        host = lab.control.host(machine.label)
        assert host["license_status"] == 1
        assert host["host_caching"] is False
        # A member asks its domain first, whatever the list says, so that is not in it.
        listed = [suffix for suffix in host["suffixes"] if suffix != "contoso.com"]
        assert listed == [f"{site}.contoso.com" for site in (machine.site, {"east": "west", "west": "east"}[machine.site])]
        assert host["registry"][next(name for name in host["registry"] if name.endswith("AlternateURL"))] == "https://help.contoso.com"


def test_a_second_run_changes_nothing(story: dict[str, Any]):
    assert story["again"].rc == 0, story["again"].output[-3000:]
    assert story["again"].changed() == 0
    assert story["again"].steps() == []


@pytest.mark.parametrize(("site", "own", "other"), [("east", "e", "w"), ("west", "w", "e")])
def test_by_the_order_of_another_author_the_shares_are_those_of_table_5(story: dict[str, Any], lab: Lab, site: str, own: str, other: str):
    zone = f"{site}.contoso.com"
    records = dns.rdataset.from_text("IN", "SRV", 0, *lab.witness.dig(f"_vlmcs._tcp.{zone}", "SRV"))
    draws = 4000
    orders = Counter("".join(str(value.target)[4:6] for value in records.processing_order()) for _draw in range(draws))
    for half, letter in ((0, own), (4, other)):
        assert {order[half : half + 4] for order in orders} == {f"{letter}1{letter}2", f"{letter}2{letter}1"}
        first = sum(count for order, count in orders.items() if order[half : half + 2] == f"{letter}1")
        # Four standard deviations around 75 of 100.
        assert abs(first / draws - 0.75) < 4 * (0.75 * 0.25 / draws) ** 0.5


def turned_to(lab: Lab, site: str, asked: int) -> set[str]:
    """Which KMS hosts answered the clients of a site, the first so many of them."""
    found = set()
    for machine in clients(lab, site)[:asked]:
        assert lab.control.activate(machine.label) == "0x00000000"
        found.add(str(lab.control.host(machine.label)["discovered"]))
    return found


@pytest.fixture
def links(lab: Lab) -> Iterator[Lab]:
    """Whatever a test takes away comes back."""
    yield lab
    lab.control.mend_link("east", "west")
    for machine in kms_hosts(lab):
        if not lab.control.host(machine.label)["running"]:
            start(lab, machine.label)


def start(lab: Lab, label: str) -> None:
    """Turn a KMS host on and wait until it has published itself in both zones, so that it does not do so in the middle of a later test."""

    def published() -> int:
        return len(lab.control.host(label)["publications"])

    before = published()
    lab.control.start_host(label)
    assert eventually(lambda: published() == before + 2, seconds=30)


@pytest.mark.tier("soak")
@pytest.mark.parametrize(("site", "other", "asked"), [("east", "west", 7), ("west", "east", 3)])
def test_clients_turn_to_the_second_host_and_then_to_the_other_site(story: dict[str, Any], links: Lab, site: str, other: str, asked: int):
    (first, second), theirs = (machine.fqdn for machine in kms_hosts(links, site)), {machine.fqdn for machine in kms_hosts(links, other)}
    assert turned_to(links, site, asked) <= {first, second}
    links.control.stop_host(first)
    assert turned_to(links, site, asked) == {second}
    links.control.stop_host(second)
    seen: set[str] = set()
    for _round in range(10):
        seen |= turned_to(links, site, asked)
        if seen == theirs:
            break
    assert seen == theirs


@pytest.mark.tier("soak")
def test_with_no_host_left_the_client_says_what_failed_in_one_sentence(story: dict[str, Any], links: Lab):
    for machine in kms_hosts(links, "east"):
        links.control.stop_host(machine.label)
    links.control.cut_link("east", "west")
    lost = clients(links, "east")[0]
    links.control.drift("licence_lost", lost.label)
    limit = f"--limit {kms_hosts(links, 'west')[0].fqdn},{lost.fqdn}"
    run = play(links, arguments=limit)
    assert run.rc != 0
    (message,) = set(run.failures())
    assert lost.fqdn in message
    assert "0xC004F074" in message
    assert "SL_E_VL_BINDING_SERVICE_UNAVAILABLE" in message
    links.control.mend_link("east", "west")
    assert links.control.activate(lost.label) == "0x00000000"


EAST, WEST = "SRV _vlmcs._tcp.east.contoso.com", "SRV _vlmcs._tcp.west.contoso.com"
E1, E2, E3 = (f"kms-e{number}.east.contoso.com" for number in (1, 2, 3))
W1, W2 = (f"kms-w{number}.west.contoso.com" for number in (1, 2))
LIST = "DnsDomainPublishList"
# Drifts that have nothing to do with each other are planted together: the steps are exactly those of each.
DRIFTS: dict[str, tuple[dict[str, str], list[tuple[str, ...]]]] = {
    "directory": (
        {
            "priority_changed": E2,
            "weight_changed": W2,
            "old_value": W1,
            "foreign_target": E1,
            "other_ace_removed": E2,
            "member_removed": E1,
            "publish_line_added": W1,
        },
        [
            (EAST, f"value 55 25 1688 {E2}", "'present'", "'absent'"),
            (E2, EAST, f"'{E2}:1688 (55 25)'", f"'{E2}:1688 (10 25)'"),
            (WEST, f"value 10 44 1688 {W2}", "'present'", "'absent'"),
            (W2, WEST, f"'{W2}:1688 (10 44)'", f"'{W2}:1688 (10 25)'"),
            (WEST, f"value 0 0 1688 {W1}", "'present'", "'absent'"),
            ("dnsNode _vlmcs._tcp.east.contoso.com", "DACL CONTOSO\\KMS_W", "[]", "['delete', 'read', 'write']"),
            ("group KMS_E", "member KMS_E1$", "'absent'", "'present'"),
        ],
    ),
    "hosts": (
        {"publish_line_removed": E1, "publish_lines_reordered": E2, "publish_line_changed": W2, "firewall_off": W1},
        [
            (E1, f"{LIST} west.contoso.com", "None", "'90, 75'"),
            (E2, f"order of {LIST}", "['west.contoso.com', 'east.contoso.com']", "['east.contoso.com', 'west.contoso.com']"),
            (W2, f"{LIST} west.contoso.com", "'55, 25'", "'10, 25'"),
            (W1, "firewall rule SPPSVC-In-TCP", "'disabled'", "'enabled'"),
        ],
    ),
}


@pytest.mark.parametrize("kind", DRIFTS)
def test_drifts_are_mended_as_exactly_those_changes(story: dict[str, Any], lab: Lab, kind: str):
    drifts, expected = DRIFTS[kind]
    for name, host in drifts.items():
        lab.control.drift(name, host)
    run = play(lab, arguments="--limit kms_hosts")
    assert run.rc == 0, run.output[-3000:]
    assert changes(run) == sorted(expected)
    # Nobody asked to take away what the sites do not know; it is said.
    foreign = Srv(0, 0, 1688, "kms-old.east.contoso.com")
    assert lab.witness.srv("west.contoso.com") == table_5(lab, "west")
    assert [value for value in lab.witness.srv("east.contoso.com") if value != foreign] == table_5(lab, "east")
    assert foreign in lab.witness.srv("east.contoso.com")
    said = "\n".join(line for name in ("Report the findings", "Summary") for entry in run.of_task(name) for line in entry.result["msg"])
    assert "kms-old.east.contoso.com:1688 (0 0), which is no KMS host of the sites; it is left alone" in said
    assert f"{W1} has fabrikam.com, 1, 1 in its publish list" in said
    assert listed_on(lab, W1) == ["west.contoso.com, 10, 75", "east.contoso.com, 90, 75", "fabrikam.com, 1, 1"]


def listed_on(lab: Lab, host: str) -> list[str]:
    """DnsDomainPublishList of a host, empty where it has none."""
    registry = lab.control.host(host)["registry"]
    return next((data for name, data in registry.items() if name.endswith(LIST)), [])


@pytest.fixture
def replaced(lab: Lab, tmp_path: Path) -> Path:
    """The inventory of somebody who lets the spare host take the place of the first one."""
    inventory = yaml.safe_load(lab.layout.inventory.read_text(encoding="utf-8"))
    groups = inventory["all"]["children"]
    groups["kms_retired"] = {"hosts": {E1: groups["kms_hosts"]["hosts"].pop(E1)}}
    groups["kms_hosts"]["hosts"][E3] = groups["kms_spare"]["hosts"][E3]
    inventory["all"]["vars"]["volume_activation_sites"]["east"]["kms_hosts"][0]["name"] = E3
    path = tmp_path / "inventory.yml"
    path.write_text(yaml.safe_dump(inventory, sort_keys=False), encoding="utf-8")
    return path


COLD, GRANT = "0xC004F038", "RPWPLCLORCSDSW"


@contextmanager
def clients_that_activate(lab: Lab) -> Iterator[list[tuple[str, str]]]:
    """Meanwhile all clients ask for their license again and again; gives each with the HRESULT."""
    answers: list[tuple[str, str]] = []
    everybody = itertools.cycle(clients(lab))

    def ask() -> None:
        machine = next(everybody)
        code = lab.control.activate(machine.label)
        if code == COLD:
            # A host that is new has counted nobody; of a company's clients enough ask it within the hour.
            count_clients(lab)
            code = lab.control.activate(machine.label)
        answers.append((machine.label, code))

    with meanwhile(ask):
        yield answers


def test_a_host_is_replaced_while_clients_activate_and_none_fails(story: dict[str, Any], lab: Lab, replaced: Path):
    before = world(lab)
    limited = play(lab, "winops.volume_activation.kms_replace_host", inventory=replaced, arguments=f"--limit {E1}")
    assert "The limit leaves out the KMS hosts" in limited.failures()[-1]
    check = play(lab, "winops.volume_activation.kms_replace_host", inventory=replaced, arguments="--check --diff")
    assert check.rc == 0, check.output[-5000:]
    assert steady(world(lab), strict=True) == steady(before, strict=True)
    with clients_that_activate(lab) as answers:
        run = play(lab, "winops.volume_activation.kms_replace_host", inventory=replaced)
    assert run.rc == 0, run.output[-5000:]
    assert_foretold(check.steps(), run.steps())
    assert len(answers) > 5 * len(clients(lab))
    assert {code for _client, code in answers} == {"0x00000000"}

    for zone in ("east.contoso.com", "west.contoso.com"):
        values = lab.witness.srv(zone)
        own = 10 if zone.startswith("east") else 90
        assert Srv(own, 75, 1688, E3) in values
        assert E1 not in [value.target for value in values]
        own_rights = lab.witness.rights(zone)
        assert [own_rights.get(f"KMS_E{number}$") for number in (1, 2, 3)] == [None, GRANT, GRANT]
        assert not lab.witness.record_owner(lab.witness.record_dn(zone)).startswith("KMS_")
    assert lab.witness.group_members("KMS_E") == ["KMS_E2$", "KMS_E3$"]
    old, new = lab.control.host("kms-e1"), lab.control.host("kms-e3")
    assert (old["is_kms_host"], old["channel"], old["open_port"], old["firewall"]["SPPSVC-In-TCP"]) == (False, "Volume:GVLK", 0, False)
    assert listed_on(lab, E1) == []
    assert (new["is_kms_host"], new["open_port"], new["firewall"]["SPPSVC-In-TCP"]) == (True, 1688, True)
    assert listed_on(lab, E3) == ["east.contoso.com, 10, 75", "west.contoso.com, 90, 75"]

    again = play(lab, "winops.volume_activation.kms_replace_host", inventory=replaced)
    assert (again.rc, again.changed(), changes(again)) == (0, 0, []), again.output[-3000:]
