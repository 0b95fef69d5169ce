# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of hosts and domains, as an inventory writes them, are those that DNS has."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms import findings as kms_findings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.records import lacking_lines
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.settings import read_settings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.summary import Clients, KmsHostResults, summary
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.work import hosts_of, single_site, target_of

pytestmark = pytest.mark.tier("quick")

HOST, DOMAIN = "kms-1.contoso.com", "contoso.com"
HOSTS = pytest.mark.parametrize("host", [HOST, "KMS-1.contoso.com", "Kms-1.Contoso.com."])
DOMAINS = pytest.mark.parametrize("domain", [DOMAIN, "contoso.com.", " CONTOSO.com"])
VALUE = {"target": HOST, "port": 1688, "priority": 0, "weight": 0}


def printed(host: str, domain: str, chosen: str = "") -> tuple[Any, dict[str, Any]]:
    """The settings and the topology of a site whose record others write."""
    settings = read_settings("kms_single_site", {"domain": domain, "records": "printed"})
    return settings, single_site(settings, {host: target_of(host, chosen)})


def read(topology: dict[str, Any], *values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"item": site, "records": list(values)} for site in topology["sites"].values()]


@HOSTS
@DOMAINS
@pytest.mark.parametrize("chosen", ["", "KMS-1.contoso.com."])
def test_lines_that_are_in_dns_are_not_asked_for_again(host: str, domain: str, chosen: str):
    _settings, topology = printed(host, domain, chosen)
    assert list(topology["hosts"]) == [HOST]
    assert lacking_lines(topology, {HOST}, read(topology, VALUE), listed=False) == []
    # With other numbers, too, clients find it.
    assert lacking_lines(topology, {HOST}, read(topology, {**VALUE, "weight": 7}), listed=False) == []
    assert lacking_lines(topology, {HOST}, read(topology, {**VALUE, "port": 1690}), listed=False) != []


@pytest.mark.parametrize(
    ("name", "given", "found", "target"),
    [
        ("kms1", "", HOST, HOST),
        ("10.0.0.7", "", HOST, HOST),
        ("fe80::7", "", HOST, HOST),
        ("kms.fabrikam.com", "", HOST, "kms.fabrikam.com"),
        ("kms.fabrikam.com", "Kms-9.contoso.com.", HOST, "kms-9.contoso.com"),
        ("kms1", "", "", "kms1"),
    ],
)
def test_a_name_that_is_no_full_one_is_completed_by_what_was_found(name: str, given: str, found: str, target: str):
    assert target_of(name, given, found) == target


@HOSTS
@DOMAINS
def test_a_printed_line_ends_with_one_dot(host: str, domain: str):
    lines = lacking_lines(printed(host, domain)[1], {HOST}, [], listed=False)
    assert lines == ["_vlmcs._tcp.contoso.com. IN SRV 0 0 1688 kms-1.contoso.com."]


@HOSTS
@DOMAINS
def test_the_summary_and_the_findings_know_the_host_by_its_name(host: str, domain: str):
    settings, topology = printed(host, domain)
    hosts = {host: KmsHostResults({}, {}, "", [{"host": HOST, "state": "answering"}])}
    lines = summary(topology, hosts, Clients(), read(topology), [], 25, False, False)
    assert lines[0] == "KMS in contoso.com" and lines[2].startswith("Record _vlmcs._tcp.contoso.com:")
    assert "answering" in lines[1]
    look = kms_findings.Look([host], [host], [], [], records=read(topology, VALUE))
    found = kms_findings.findings(settings, topology, look)
    assert [finding for finding in found if HOST in finding.text] == []


@pytest.mark.parametrize("written", [HOST, "KMS-1.contoso.com"])
def test_a_host_finds_itself_among_the_sites(written: str):
    entry = {"name": HOST, "inventory_hostname": HOST, "site": "east"}
    other = {"name": "kms-10.contoso.com", "inventory_hostname": "kms-10.contoso.com", "site": "west"}
    topology = {"hosts": {"kms-10.contoso.com": other, HOST: entry}}
    assert hosts_of(topology, [written]) == {written: entry}
    assert hosts_of(topology, ["kms-1xcontoso.com"]) == {}
