# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of hosts and domains, as an inventory writes them, are those that DNS has."""

from __future__ import annotations

from typing import Any

import guides
import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from ansible_collections.winops.volume_activation.plugins.filter.kms_single_site import kms_zone_lines
from ansible_collections.winops.volume_activation.plugins.plugin_utils import _report

pytestmark = pytest.mark.tier("quick")

HOST, DOMAIN = "kms-1.contoso.com", "contoso.com"
HOSTS = pytest.mark.parametrize("host", [HOST, "KMS-1.contoso.com", "Kms-1.Contoso.com."])
DOMAINS = pytest.mark.parametrize("domain", [DOMAIN, "contoso.com.", " CONTOSO.com"])


def of_role(role: str, name: str, **given: Any) -> Any:
    """A variable of a role, with those that it is made from."""
    text = (guides.TREE / f"roles/{role}/vars/main.yml").read_text(encoding="utf-8")
    own = {key: trust_as_template(value) for key, value in yaml.safe_load(text).items() if isinstance(value, str)}
    return Templar(DataLoader(), {**own, **given}).template(own[name])


@HOSTS
@DOMAINS
@pytest.mark.parametrize("chosen", ["", "KMS-1.contoso.com."])
def test_lines_that_are_in_dns_are_not_asked_for_again(host: str, domain: str, chosen: str):
    given = {"inventory_hostname": host, "kms_single_site_domain": domain, "kms_single_site_target": chosen, "kms_single_site_port": ""}
    target = of_role("kms_single_site", "__kms_single_site_target", **given)
    assert (target, of_role("kms_single_site", "__kms_single_site_record_name", **given)) == (HOST, "_vlmcs._tcp.contoso.com")
    shown = {"records": [{"target": HOST, "port": 1688, "priority": 0, "weight": 0}]}
    values = [{"target": target, "port": 1688}]
    lacking = of_role(
        "kms_single_site", "__kms_single_site_lacking", **given, __kms_single_site_values=values, __kms_single_site_shown=shown
    )
    assert lacking == []


def test_a_short_name_is_completed_by_the_domain():
    license_result = {"operating_system": {"computer_name": "KMS-1"}}
    given = {"inventory_hostname": "kms1", "kms_single_site_domain": "Contoso.com.", "__kms_single_site_license": license_result}
    assert of_role("kms_single_site", "__kms_single_site_target", **given) == HOST


@HOSTS
@DOMAINS
def test_a_printed_line_ends_with_one_dot(host: str, domain: str):
    lines = kms_zone_lines([{"record": f"_vlmcs._tcp.{domain.strip()}", "target": host, "port": 1688}])
    assert lines == ["_vlmcs._tcp.contoso.com. IN SRV 0 0 1688 kms-1.contoso.com."]


@HOSTS
@DOMAINS
def test_the_summary_and_the_findings_know_the_host_by_its_name(host: str, domain: str):
    endpoints = {"endpoints": [{"host": HOST, "state": "answering"}], "records": []}
    hosts = {host: _report.KmsHostResults({}, {}, "")}
    lines = _report.single_site_summary(domain, hosts, {}, endpoints, "no rights", check_mode=False)
    assert lines[0] == "KMS in contoso.com" and lines[2].startswith("Record _vlmcs._tcp.contoso.com:")
    assert "answering" in lines[1]
    named = {"records": [{"target": HOST, "port": 1688}]}
    found = _report.single_site_findings({}, [host], [], {}, {"DNS": named}, "published")
    assert [finding for finding in found if "no KMS host of this play" in finding.text] == []


@pytest.mark.parametrize("written", [HOST, "KMS-1.contoso.com"])
def test_a_host_finds_itself_among_the_sites(written: str):
    entry = {"name": HOST, "inventory_hostname": HOST, "site": "east"}
    other = {"name": "kms-10.contoso.com", "inventory_hostname": "kms-10.contoso.com", "site": "west"}
    given = {"inventory_hostname": written, "__kms_multi_site_topology": {"hosts": {"kms-10.contoso.com": other, HOST: entry}}}
    assert of_role("kms_multi_site", "__kms_multi_site_self", **given) == entry
    assert of_role("kms_multi_site", "__kms_multi_site_self", **{**given, "inventory_hostname": "kms-1xcontoso.com"}) == {}
