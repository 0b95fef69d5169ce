# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KMS hosts without Internet: one run stops with their installation IDs, the next one has confirmation IDs and goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab import names, park
from lab.play import Run
from lab.windows import identifiers
from lab.witness import Srv

from . import multi_site
from .conftest import Lab
from .stories import assert_foretold

pytestmark = pytest.mark.tier("test")

HOSTS = [machine.fqdn for machine in names.kms_hosts()]
CSVLK = park.PARKS["modern"].csvlk
OTHER = "1234567" * 9


def confirmation_id(installation_id: str) -> str:
    """What Microsoft gives, by the lab's own sums; of the extended PID the part counts that tells keys apart."""
    return identifiers.confirmation_id(installation_id, identifiers.extended_pid(CSVLK, "20348", is_volume=True))


@pytest.fixture(scope="module")
def story(running_lab: Lab) -> dict[str, Any]:
    """No Internet at all: a run that stops, one with an ID of other hardware, a look, a run that ends well, and another one."""
    running_lab.control.reset()

    def play(arguments: str = "", **variables: Any) -> Run:
        more = {"kms_single_site_activate": "offline", **variables}
        return running_lab.play(arguments=f"--limit kms_hosts {arguments} -e '{json.dumps(more)}'")

    first = play()
    waiting = first.custom_stats["kms_single_site_installation_ids"]
    given = {host: confirmation_id(digits) for host, digits in waiting.items()}
    before = running_lab.world()
    stale = play(kms_single_site_confirmation_ids=given, kms_single_site_installation_ids=waiting | {HOSTS[0]: OTHER})
    after = running_lab.world()
    # Once as a survey gives them.
    known = {"kms_single_site_confirmation_ids": json.dumps(given), "kms_single_site_installation_ids": waiting}
    planned, second, again = play("--check", **known), play(**known), play(**known)
    found = {"first": first, "waiting": waiting, "before": before, "stale": stale, "after": after}
    return found | {"planned": planned, "second": second, "again": again}


def test_the_first_run_installs_the_keys_and_stops_with_the_installation_ids(story: dict[str, Any], running_lab: Lab):
    assert story["first"].rc != 0
    assert list(story["waiting"]) == HOSTS
    (shown,) = story["first"].of_task("Show the installation IDs")
    (said,) = set(story["first"].failures())
    for line, (host, digits) in zip(shown.result["msg"], story["waiting"].items(), strict=True):
        groups = "-".join(digits[start : start + 7] for start in range(0, 63, 7))
        assert line == f"{host}: installation ID {groups}"
        assert line in said
    products = story["first"].custom_stats["kms_single_site_products"]
    assert {product["identifier"]: product["installation_id"] for product in products} == story["waiting"]
    assert {identifiers.serial_of_pid(product["extended_pid"]) for product in products} == {identifiers.key_serial(CSVLK)}
    assert story["before"]["srv"] == []
    assert [host["partial_key"] for label, host in story["before"]["hosts"].items() if label.startswith("kms")] == [CSVLK[-5:]] * 2


def test_a_host_whose_hardware_has_changed_is_named_and_nothing_is_spent(story: dict[str, Any]):
    assert story["stale"].rc != 0
    assert any(f"{HOSTS[0]} has the installation ID" in failure for failure in story["stale"].failures())
    states = [host["license_status"] for label, host in story["after"]["hosts"].items() if label.startswith("kms")]
    assert states == [host["license_status"] for label, host in story["before"]["hosts"].items() if label.startswith("kms")]
    assert len(states) == 2 and 1 not in states


def test_the_second_run_goes_on_and_no_host_asked_microsoft(story: dict[str, Any], running_lab: Lab):
    assert story["second"].rc == 0, story["second"].output[-3000:]
    assert_foretold(story["planned"].steps(), story["second"].steps())
    assert running_lab.witness.srv() == [Srv(0, 0, 1688, host) for host in HOSTS]
    for machine in names.kms_hosts():
        assert running_lab.control.host(machine.label)["license_status"] == 1
    assert sum(key["activations"] for key in running_lab.control.call("microsoft").values()) == 0
    actions = [entry["action"] for entry in running_lab.requests()]
    assert "Invoke:Activate" not in actions
    assert actions.count("Invoke:DepositOfflineConfirmationId") == 2
    # Nobody waits any more.
    assert story["second"].custom_stats["kms_single_site_installation_ids"] == {}


def test_a_third_run_changes_nothing(story: dict[str, Any]):
    assert story["again"].rc == 0, story["again"].output[-3000:]
    assert story["again"].changed() == 0
    assert story["again"].custom_stats["kms_single_site_installation_ids"] == {}


def test_no_confirmation_id_is_shown(story: dict[str, Any]):
    assert len(story["waiting"]) == 2
    for digits in story["waiting"].values():
        wanted = confirmation_id(digits)
        grouped = "-".join(wanted[start : start + 6] for start in range(0, 48, 6))
        for name in ("stale", "planned", "second", "again"):
            assert wanted not in story[name].output and grouped not in story[name].output


@pytest.mark.tier("soak")
def test_several_sites_are_set_up_in_two_runs_as_well(zones_lab: Lab):
    zones_lab.control.reset()
    hosts = [machine.fqdn for machine in multi_site.kms_hosts(zones_lab)]

    def play(**variables: Any) -> Run:
        more = {"kms_multi_site_activate": "offline", **variables}
        return multi_site.play(zones_lab, arguments=f"--limit kms_hosts -e '{json.dumps(more)}'")

    first = play()
    waiting = first.custom_stats["kms_multi_site_installation_ids"]
    assert (first.rc != 0, list(waiting)) == (True, hosts)
    assert "4 of them are not activated" in first.failures()[0]
    given = {host: confirmation_id(digits) for host, digits in waiting.items()}
    second = play(kms_multi_site_confirmation_ids=given, kms_multi_site_installation_ids=waiting)
    assert second.rc == 0, second.output[-3000:]
    for site in zones_lab.options.site_list():
        assert zones_lab.witness.srv(site.zone) == multi_site.table_5(zones_lab, site.zone.partition(".")[0])
    actions = [entry["action"] for entry in zones_lab.requests()]
    assert ("Invoke:Activate" in actions, actions.count("Invoke:DepositOfflineConfirmationId")) == (False, len(hosts))
    zones_lab.control.reset()
