# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a KMS host's records need is planned from DNS, and what no ticket could bring about is refused first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import Plan, StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.value import SrvValue
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host import publication_events
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.publication import (
    Publication,
    PublishedHost,
    WantedValue,
)

pytestmark = pytest.mark.tier("quick")

FQDN = "kms-2.contoso.com"
HOME = WantedValue("contoso.com")
WEST = WantedValue("west.contoso.com", 90, 75)


def value(port: int = 1688, priority: int = 0, weight: int = 0) -> SrvValue:
    return SrvValue(priority, weight, port, FQDN)


class Zones:
    """DNS with a host's values by domain; C(later) are there from the next restart on."""

    def __init__(self, now: Mapping[str, list[SrvValue]], later: Mapping[str, list[SrvValue]] | None = None) -> None:
        self.now = dict(now)
        self.later = dict(later or {})
        self.asked: list[list[str]] = []
        self.restarts = 0

    def values_of(self, fqdn: str, wanted: Mapping[str, Callable[[SrvValue], bool]]) -> dict[str, tuple[SrvValue, ...]]:
        assert fqdn == FQDN
        self.asked.append(list(wanted))
        return {domain: tuple(self.now.get(domain, ())) for domain in wanted}

    def restart(self) -> None:
        self.restarts += 1
        self.now |= self.later


def session(*, member: bool = True) -> SimpleNamespace:
    """A host that only tells its name."""
    row = {"DNSHostName": "KMS-2", "Domain": "Contoso.com", "PartOfDomain": member}
    return SimpleNamespace(host=FQDN, query=lambda *_arguments: [row])


def kms_host(zones: Zones, **properties: Any) -> Any:
    known = {"port": 1688, "publishes": True, "taken_as_made": False, "activating": False, "restarted": False, "publish_lines": ()}
    return SimpleNamespace(plan=Plan(), state=SimpleNamespace(licensed=True), **{**known, "restart": zones.restart, **properties})


def published(zones: Zones, *wanted: WantedValue, ticket: str = "wait", **properties: Any) -> tuple[PublishedHost, Plan]:
    """The records of a host, and the plan for them."""
    host = kms_host(zones, **properties)
    records = PublishedHost(session(), Publication(wanted, 1688, ticket, 0.1, 1, zones.values_of))
    records.plan(host)
    return records, host.plan


def test_a_host_that_is_named_needs_nothing():
    zones = Zones({"contoso.com": [value()], "west.contoso.com": [value(), value(1688, 90, 75)]})
    records, plan = published(zones, HOME, WEST)
    assert plan.steps == []
    assert records.shown == [
        {"record": "_vlmcs._tcp.contoso.com", "target": FQDN, "published_by": "before", "old_values": []},
        {
            "record": "_vlmcs._tcp.west.contoso.com",
            "target": FQDN,
            "published_by": "before",
            "old_values": [{"port": 1688, "priority": 0, "weight": 0}],
        },
    ]
    assert zones.asked == [["contoso.com", "west.contoso.com"]]


@pytest.mark.parametrize(("ports", "before"), [([], None), ([1690], f"{FQDN}:1690")])
def test_a_host_that_is_absent_or_named_with_another_port_is_to_be_published(ports: list[int], before: str | None):
    _records, plan = published(Zones({"contoso.com": [value(port) for port in ports]}), HOME)
    (step,) = plan.steps
    assert (step.object, step.attribute, step.before, step.after) == (FQDN, "SRV _vlmcs._tcp.contoso.com", before, f"{FQDN}:1688")


@pytest.mark.parametrize(
    ("numbers", "line", "after"),
    [
        ((90, 75), "West.contoso.com,90,75", f"{FQDN}:1688 (90 75)"),
        ((90, None), "west.contoso.com., 90", f"{FQDN}:1688 (priority 90)"),
        ((None, 1), "west.contoso.com , 5 , 1", f"{FQDN}:1688 (weight 1)"),
    ],
)
def test_a_host_that_is_named_with_other_numbers_is_to_be_published(numbers: tuple[int | None, int | None], line: str, after: str):
    zones = Zones({"west.contoso.com": [value()]})
    _records, plan = published(zones, WantedValue("west.contoso.com", *numbers), publish_lines=[line])
    (step,) = plan.steps
    assert (step.before, step.after) == (f"{FQDN}:1688 (0 0)", after)


def test_one_restart_brings_the_host_into_all_its_records():
    zones = Zones({"east.contoso.com": [value()]}, {"contoso.com": [value()], "west.contoso.com": [value(1688, 90, 75)]})
    east = WantedValue("east.contoso.com")
    records, plan = published(zones, HOME, east, WEST, publish_lines=["west.contoso.com, 90, 75"])
    assert [step.attribute for step in plan.steps] == ["SRV _vlmcs._tcp.contoso.com", "SRV _vlmcs._tcp.west.contoso.com"]
    plan.run()
    assert zones.restarts == 1
    assert [entry["published_by"] for entry in records.shown] == ["restart", "before", "restart"]


def test_the_error_names_every_record_that_the_host_did_not_come_into(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(publication_events.PublicationLog, "explain", lambda _log, domains: f" Looked for {', '.join(domains)}.")
    zones = Zones({"west.contoso.com": [value()]}, {})
    _records, plan = published(zones, HOME, WEST, publish_lines=["west.contoso.com, 90, 75"])
    with pytest.raises(StepFailed) as failed:
        plan.run()
    said = str(failed.value.__cause__)
    assert f"_vlmcs._tcp.contoso.com does not name {FQDN} and" in said
    assert f"_vlmcs._tcp.west.contoso.com does not name {FQDN} with 90 75 (but {FQDN}:1688 (0 0)) within" in said
    assert said.endswith(". Looked for contoso.com, west.contoso.com.")


@pytest.mark.parametrize(
    ("lines", "held", "due", "old"),
    [
        ((), [value()], False, []),
        ((), [value(), value(weight=33)], False, [(1688, 33)]),
        ((), [value(), value(port=1690)], False, [(1690, 0)]),
        # The right one comes before the other goes.
        ((), [value(weight=33)], True, [(1688, 33)]),
        (("contoso.com, 0, 33",), [value(weight=33)], False, []),
        (("west.contoso.com, 9, 9",), [value()], False, []),
    ],
)
def test_with_its_own_numbers_other_values_of_a_host_are_old(
    lines: tuple[str, ...], held: list[SrvValue], due: bool, old: list[tuple[int, int]]
):
    zones = Zones({"contoso.com": held}, {"contoso.com": [*held, value()]})
    records, plan = published(zones, WantedValue("contoso.com", own_numbers=True), publish_lines=lines, activating=due)
    assert bool(plan.steps) is due
    assert [(entry["port"], entry["weight"]) for entry in records.shown[0]["old_values"]] == old
    # Without them any numbers will do.
    assert published(zones, HOME, publish_lines=lines)[1].steps == []


@pytest.mark.parametrize(
    ("properties", "wanted", "words"),
    [
        ({"publishes": False}, HOME, "switched off"),
        ({"port": 1690}, HOME, "listens on port 1690"),
        ({}, WEST, "publishes itself in contoso.com, and its DnsDomainPublishList does not name west.contoso.com"),
        ({"publish_lines": ["contoso.com", "east.contoso.com"]}, WEST, "publishes itself in contoso.com, east.contoso.com, and"),
        ({"publish_lines": ["west.contoso.com, 80, 75"]}, WEST, "priority 80 and weight 75, so Windows does not publish 90 75 there"),
        ({}, WantedValue("contoso.com", 10), "priority 0 and weight 0, so Windows does not publish priority 10 there"),
    ],
)
def test_a_host_that_would_not_publish_is_refused_unless_an_earlier_step_may_change_that(
    properties: dict[str, Any], wanted: WantedValue, words: str
):
    with pytest.raises(ActivationError, match=words):
        published(Zones({}), wanted, **properties)
    _records, plan = published(Zones({}), wanted, **properties, taken_as_made=True)
    assert len(plan.steps) == 1


def test_a_workgroup_computer_cant_publish_itself():
    publication = Publication((HOME,), None, "wait", 0.1, 1, Zones({}).values_of)
    with pytest.raises(ActivationError, match="not a member of a domain"):
        PublishedHost(session(member=False), publication)
