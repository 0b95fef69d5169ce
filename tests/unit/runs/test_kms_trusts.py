# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KMS hosts that publish in the zones of other domains: where the trusts are read, and what is said of them."""

from __future__ import annotations

from typing import Any

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.trusts import due_trusts, trust_findings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.work import hosts_work
from ansible_collections.winops.volume_activation.plugins.plugin_utils._topology.derived import derived
from ansible_collections.winops.volume_activation.plugins.plugin_utils._topology.sites import read_sites

pytestmark = pytest.mark.tier("quick")

NORTH, SOUTH = "n1.north.example", "s1.south.example"
HOSTS = [NORTH, SOUTH]
SITES: dict[str, dict[str, Any]] = {
    name: {"domain": f"{name}.example", "domain_controllers": [f"dc.{name}.example"], "credential": name, "kms_hosts": [{"name": host}]}
    for name, host in (("north", NORTH), ("south", SOUTH))
}


def topology(publish: str = "dynamic", **south: Any) -> dict[str, Any]:
    return derived(read_sites({**SITES, "south": {**SITES["south"], **south}}, {"remote_publish": publish}))


def told(**domains: str) -> list[dict[str, Any]]:
    """What controllers have said of their domains when they looked for hosts."""
    hosts = {"north": NORTH, "south": SOUTH}
    return [{"item": {"name": site}, "domain": domain, "hosts": {hosts[site]: {}}} for site, domain in domains.items()]


BOTH_WAYS = {
    "_vlmcs._tcp.north.example": {"south.example": "remote_publish"},
    "_vlmcs._tcp.south.example": {"north.example": "remote_publish"},
}


@pytest.mark.parametrize(
    ("sites", "looked", "read", "due"),
    [
        (topology(), [], HOSTS, BOTH_WAYS),
        (topology(), told(north="north.example", south="south.example"), HOSTS, BOTH_WAYS),
        (topology(), [], [NORTH], {"_vlmcs._tcp.south.example": {"north.example": "remote_publish"}}),
        (topology(), [], [], {}),
        # Nobody of another domain publishes.
        (topology("static"), [], HOSTS, {}),
        (topology(remote_publish="static"), [], HOSTS, {"_vlmcs._tcp.north.example": {"south.example": "remote_publish"}}),
        (topology(ad_domain="north.example"), [], HOSTS, {}),
        # Zones of one domain, which the sites do not say; what was looked up does.
        (topology(), told(north="corp.example", south="corp.example"), HOSTS, {}),
        # A host whose account is not in the domain of its own site.
        (
            topology("static", group_scope="universal", kms_hosts=[{"name": SOUTH, "ad_domain": "north.example"}]),
            [],
            HOSTS,
            {"_vlmcs._tcp.south.example": {"north.example": "records"}},
        ),
        (
            topology(group_scope="universal", kms_hosts=[{"name": SOUTH, "ad_domain": "north.example"}]),
            [],
            HOSTS,
            {"_vlmcs._tcp.south.example": {"north.example": "records"}},
        ),
    ],
)
def test_trusts_are_read_where_hosts_of_other_domains_publish(
    sites: dict[str, Any], looked: list[dict[str, Any]], read: list[str], due: dict[str, dict[str, str]]
):
    found = due_trusts(sites, looked, read)
    assert {record["record"]: record["domains"] for record in found} == due
    for record in found:
        assert record["domain_controllers"] == [f"dc.{record['ad_domain']}"]
        assert record["credential"] == record["site"]


NOT_TRUSTED, HOME = "a domain that does not trust that of a KMS host", "a domain that does not trust that of a KMS host of its own site"
SELECTIVE, UNKNOWN, REFUSED = (
    "a domain that trusts that of a KMS host with selective authentication",
    "a domain whose trusts are not known",
    "a domain whose trusts were not asked for",
)
CASES: dict[str, tuple[str, dict[str, Any], bool]] = {
    NOT_TRUSTED: ("remote_publish", {"trusts": {"north.example": {"state": "not_trusted", "why": ""}}}, True),
    HOME: ("records", {"trusts": {"north.example": {"state": "not_trusted", "why": ""}}}, True),
    SELECTIVE: ("remote_publish", {"trusts": {"north.example": {"state": "selective", "why": ""}}}, False),
    UNKNOWN: ("remote_publish", {"trusts": {"north.example": {"state": "unknown", "why": "dc.south.example is dark."}}}, False),
    REFUSED: ("remote_publish", {"failed": True, "msg": "domain_server is missing."}, False),
}
WRITTEN = error_catalogue.paired("KMS hosts that publish in zones of other domains", CASES)


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_of_a_trust(case: str):
    setting, answer, blocks = CASES[case]
    (record,) = due_trusts(topology(), [], [NORTH])
    (finding,) = trust_findings([{**answer, "item": {**record, "domains": {"north.example": setting}}}])
    assert (finding.object, finding.blocks) == ("_vlmcs._tcp.south.example", blocks)
    assert finding.text == error_catalogue.said(WRITTEN[case])


def test_nothing_is_said_of_a_domain_that_is_trusted():
    (record,) = due_trusts(topology(), [], [NORTH])
    assert list(trust_findings([{"item": record, "trusts": {"north.example": {"state": "trusted", "why": ""}}}])) == []


def test_domains_that_a_host_is_not_to_publish_in_leave_its_publish_list():
    lists = {
        publish: {
            name: ([line["domain"] for line in host["publish_list"]], host["publish_list_absent"])
            for name, host in hosts_work(topology(publish), HOSTS, listed=True).items()
        }
        for publish in ("dynamic", "static")
    }
    assert lists["dynamic"] == {NORTH: (["north.example", "south.example"], []), SOUTH: (["south.example", "north.example"], [])}
    assert lists["static"] == {NORTH: (["north.example"], ["south.example"]), SOUTH: (["south.example"], ["north.example"])}
    assert "publish_list_absent" not in hosts_work(topology("static"), HOSTS, listed=False)[NORTH]
