# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The multi-site scenario elsewhere: two domains that do not trust each other, three sites, and sites that can't work."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import park
from lab.domain.zones import Zones
from lab.sites import Site
from lab.windows import data

from .conftest import NEEDS_DOMAIN, Lab
from .multi_site import kms_hosts, play, table_5, world
from .stories import changes, steady

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

MONTH = 31 * 24
STATIC = {"kms_multi_site_remote_publish": "static"}
HOSTS = "--limit kms_hosts"


@pytest.fixture(scope="module")
def lab(domains_lab: Lab) -> Iterator[Lab]:
    domains_lab.control.reset()
    yield domains_lab
    domains_lab.control.reset()


def declared(lab: Lab) -> dict[str, Any]:
    """The inventory of a lab, as data that a test may change."""
    found: dict[str, Any] = yaml.safe_load(lab.layout.inventory.read_text(encoding="utf-8"))
    return found


def written(folder: Path, inventory: dict[str, Any]) -> Path:
    """It as a file."""
    path = folder / "inventory.yml"
    path.write_text(yaml.safe_dump(inventory, sort_keys=False), encoding="utf-8")
    return path


def _host_at_no_site(inventory: dict[str, Any]) -> None:
    inventory["all"]["vars"]["volume_activation_sites"]["west"]["kms_hosts"].pop()


def _unknown_credential(inventory: dict[str, Any]) -> None:
    inventory["all"]["vars"]["volume_activation_sites"]["west"]["credential"] = "wets"


def _wrong_lines(inventory: dict[str, Any]) -> None:
    sites = inventory["all"]["vars"]["volume_activation_sites"]
    sites["east"]["kms_hosts"][1]["weight"] = 70000
    sites["west"]["kms_hosts"][0]["name"] = "kms-e1.east.contoso.com"


STOPS: dict[str, tuple[Callable[[dict[str, Any]], None], tuple[str, ...]]] = {
    "host_at_no_site": (_host_at_no_site, ("Nothing was changed", "kms-w2.west.contoso.com", "at no site")),
    "unknown_credential": (_unknown_credential, ("volume_activation_sites.west.credential: volume_activation_credentials has no wets",)),
    "wrong_lines": (
        _wrong_lines,
        (
            "volume_activation_sites.east.kms_hosts[1].weight: 70000 is not in 0 to 65535",
            "volume_activation_sites.west.kms_hosts[0].name: kms-e1.east.contoso.com is at",
        ),
    ),
}


@pytest.fixture(scope="module")
def untouched(lab: Lab) -> dict[str, Any]:
    """What witnesses see before anything was run."""
    return world(lab)


@pytest.mark.parametrize("case", STOPS)
def test_sites_that_cannot_work_stop_the_play_before_the_first_change(lab: Lab, untouched: dict[str, Any], tmp_path: Path, case: str):
    spoil, parts = STOPS[case]
    inventory = copy.deepcopy(declared(lab))
    spoil(inventory)
    run = play(lab, inventory=written(tmp_path, inventory), arguments=HOSTS, **STATIC)
    assert run.rc != 0
    (message,) = set(run.failures())
    for part in parts:
        assert part in message
    assert run.steps() == []
    assert steady(world(lab), strict=True) == steady(untouched, strict=True)


def test_hosts_that_the_other_domain_does_not_trust_stop_the_play_before_the_first_change(lab: Lab, untouched: dict[str, Any]):
    run = play(lab, arguments=HOSTS, volume_activation_remote_publish="dynamic")
    assert run.rc != 0
    (message,) = set(run.failures())
    assert message.startswith("Nothing was changed. 2 of ")
    for own, other in (("east", "west"), ("west", "east")):
        refused = f"{own}.contoso.com does not trust {other}.contoso.com, so that its DNS servers refuse what KMS hosts of {other}.contoso.com publish."
        assert (
            f"{refused} Set volume_activation_remote_publish or remote_publish of the site {own} in volume_activation_sites to static."
            in message
        )
    assert run.steps() == []
    assert steady(world(lab), strict=True) == steady(untouched, strict=True)


@pytest.fixture(scope="module")
def story(lab: Lab) -> dict[str, Any]:
    """After those refusals: zones with aging, one run and another one."""
    for site in lab.options.site_list():
        zones_of(lab, site).set_aging(zone=site.zone)
    return {"real": play(lab, arguments=HOSTS, **STATIC), "again": play(lab, arguments=HOSTS, **STATIC)}


def zones_of(lab: Lab, site: Site) -> Zones:
    return Zones(lab.options.domain(lab.layout, site.name))


def test_both_domains_have_the_values_of_table_5_and_a_second_run_changes_nothing(story: dict[str, Any], lab: Lab):
    assert story["real"].rc == 0, story["real"].output[-5000:]
    for site in lab.options.site_list():
        witness = lab.witness_of(site.name)
        assert witness.srv(site.zone) == table_5(lab, site.name)
        assert witness.group_members(site.group) == [machine.account for machine in kms_hosts(lab, site.name)]
        assert site.group in witness.rights(site.zone)
    assert (story["again"].rc, story["again"].changed()) == (0, 0), story["again"].output[-3000:]


def test_values_written_from_the_control_node_have_no_time_stamp_and_scavenging_leaves_them(story: dict[str, Any], lab: Lab):
    for site in lab.options.site_list():
        zones, witness = zones_of(lab, site), lab.witness_of(site.name)
        stamps = zones.time_stamps(zone_dn=site.realm.zone_dn())
        assert [bool(stamp) for stamp in stamps] == [False, False, True, True]
        rights = witness.rights(site.zone)
        assert zones.age(MONTH, zone_dn=site.realm.zone_dn()) == 2
        zones.scavenge(site.realm.zone_dn())
        assert witness.srv(site.zone) == [value for value in table_5(lab, site.name) if value.priority == 90]
        assert witness.rights(site.zone) == rights
    back = play(lab, arguments=HOSTS, **STATIC)
    assert back.rc == 0, back.output[-3000:]
    assert changes(back) == sorted(
        (machine.fqdn, f"SRV _vlmcs._tcp.{machine.zone}", "None", f"'{machine.fqdn}:1688 (10 {75 if machine.number == 1 else 25})'")
        for machine in kms_hosts(lab)
    )
    for site in lab.options.site_list():
        assert lab.witness_of(site.name).srv(site.zone) == table_5(lab, site.name)


def test_a_value_that_could_be_scavenged_is_mended_as_exactly_that(story: dict[str, Any], lab: Lab):
    lab.control.drift("remote_scavengeable", "kms-e1")
    run = play(lab, arguments=HOSTS, **STATIC)
    assert run.rc == 0, run.output[-3000:]
    mended = "aging of 90 75 1688 kms-e1.east.contoso.com"
    assert changes(run) == [("SRV _vlmcs._tcp.west.contoso.com", mended, "'dynamic'", "'static'")]


@pytest.mark.tier("soak")
@pytest.mark.parametrize("playbook", ["kms_multi_site", "kms_replace_host"])
@pytest.mark.parametrize(
    ("key", "says"),
    [
        (
            "gvlk_server_2022_serverdatacenter",
            "kms_multi_site_csvlk is the client setup key that Microsoft publishes for Windows Server 2022",
        ),
    ],
)
def test_a_key_that_would_end_the_kms_hosts_stops_the_play_before_it(story: dict[str, Any], lab: Lab, playbook: str, key: str, says: str):
    before = world(lab)
    named = f"winops.volume_activation.{playbook}"
    # One that would go; the play ends before.
    goes = {"kms_multi_site_retire": "kms-w2.west.contoso.com"}
    run = play(lab, named, arguments="--limit kms_hosts", kms_multi_site_csvlk=data.key_named(key).key, **goes)
    assert run.rc != 0
    assert says in run.failures()[-1]
    assert steady(world(lab), strict=True) == steady(before, strict=True)


def test_three_sites_with_three_hosts_each(three_sites_lab: Lab, tmp_path: Path):
    three_sites_lab.control.reset()
    inventory = declared(three_sites_lab)
    # Microsoft lets six hosts have one key: those of the last site have another.
    inventory["all"]["children"]["site_east"]["vars"]["kms_multi_site_csvlk"] = park.PARKS[three_sites_lab.options.park].other_csvlk
    three: dict[str, Any] = {"inventory": written(tmp_path, inventory), "kms_multi_site_hosts_per_csvlk": 9}
    run = play(three_sites_lab, arguments=HOSTS, **three)
    assert run.rc == 0, run.output[-5000:]
    for site in three_sites_lab.options.site_list():
        assert three_sites_lab.witness.srv(site.zone) == table_5(three_sites_lab, site.name)
        assert len(table_5(three_sites_lab, site.name)) == 9
        assert set(three_sites_lab.witness.rights(site.zone)) >= {item.group for item in three_sites_lab.options.site_list()}
    again = play(three_sites_lab, arguments=HOSTS, **three)
    assert (again.rc, again.changed()) == (0, 0), again.output[-3000:]


def test_nothing_knows_the_sites_of_the_document(project: Path):
    # Examples in documentation may: README files, the documentation of plugins, which is YAML beside the code, and C() in texts.
    known = re.compile(r"(?i)\b(east|west|kms[-_][ew]\d?)\b")
    code = [*(project / "plugins").rglob("*.py"), *(project / "playbooks").glob("*.yml"), *(project / "roles").rglob("*.yml")]
    assert code
    found = {
        f"{path.relative_to(project)}: {line.strip()}"
        for path in code
        for line in path.read_text(encoding="utf-8").splitlines()
        if known.search(re.sub(r"C\([^)]*\)", "", line))
    }
    assert found == set()
