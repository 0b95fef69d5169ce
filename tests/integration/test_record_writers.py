# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The single-site scenario where KMS hosts do not publish themselves: on BIND, as static values, and by the hands of others."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from pypsrp.wsman import WSMan

from lab import names
from lab.play import Run
from lab.witness import Srv

from .conftest import NEEDS_DOMAIN, Lab
from .test_foreign_clients import HKLM, REGISTRY, input_of
from .test_killed_runs import reached

pytestmark = [pytest.mark.tier("test"), NEEDS_DOMAIN]

BOTH = [machine.fqdn for machine in names.kms_hosts()]
# One KMS host, and servers, which need a count of 5 only.
FIRST = names.kms_hosts()[0].fqdn
SERVERS = [machine for machine in names.servers(9) if machine.label.startswith("srv-0")]
LIMIT = f"{FIRST}:srv-0*"
ON_BIND: dict[str, Any] = {
    "kms_single_site_records": "dynamic",
    "kms_single_site_domain": names.BIND_ZONE,
    "kms_single_site_dns_servers": [names.BIND_ADDRESS],
    "kms_single_site_record_server": names.BIND_ADDRESS,
    "volume_activation_key_name": names.TSIG_NAME,
    "volume_activation_key_secret": names.TSIG_SECRET,
}


def on_bind(zone: str = names.BIND_ZONE) -> list[str]:
    """The record as dig reads it."""
    command = ["dig", "+short", "+tcp", "+time=2", "+tries=1", f"@{names.BIND_ADDRESS}", f"{names.KMS_RECORD}.{zone}", "SRV"]
    return sorted(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines())


def look_in_fabrikam(machine: names.Machine) -> None:
    """Give a machine a suffix search list, as a policy would."""
    user = f"{names.NETBIOS_DOMAIN}\\{names.WINRM_USER}"
    client = WSMan(machine.address, port=5985, ssl=False, auth="ntlm", username=user, password=names.WINRM_PASSWORD)
    place = {"hDefKey": HKLM, "sSubKeyName": r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters", "sValueName": "SearchList"}
    with client:
        client.invoke(f"{REGISTRY}/SetStringValue", REGISTRY, input_of(REGISTRY, "SetStringValue", **place, sValue=names.BIND_ZONE))


def findings(run: Run) -> str:
    """What the preflight said."""
    return str([entry.result.get("msg") for entry in run.of_task("Report the findings")])


@pytest.mark.tier("soak")
def test_on_bind(fresh_lab: Lab):
    for machine in SERVERS:
        look_in_fabrikam(machine)
    planned = fresh_lab.play(arguments=f"--limit {LIMIT} --check", **ON_BIND)
    assert planned.rc == 0, planned.output[-3000:]
    assert on_bind() == []
    first = fresh_lab.play(arguments=f"--limit {LIMIT}", **ON_BIND)
    assert first.rc == 0, first.output[-3000:]
    assert on_bind() == [f"0 0 1688 {FIRST}."]
    assert {fresh_lab.control.host(machine.label)["license_status"] for machine in SERVERS} == {1}
    assert "written from the control node by dynamic update" in findings(first)
    # Nothing was asked of the directory, or done in it.
    assert fresh_lab.witness.srv() == []
    assert not fresh_lab.witness.search(f"(sAMAccountName={names.KMS_GROUP})")
    assert [step for step in planned.steps() if step["object"].startswith("SRV")] == [
        step for step in first.steps() if step["object"].startswith("SRV")
    ]
    second = fresh_lab.play(arguments=f"--limit {LIMIT}", **ON_BIND)
    assert (second.rc, second.changed()) == (0, 0), second.output[-3000:]
    assert names.TSIG_SECRET not in planned.output + first.output + second.output


def test_static_values_in_the_directory(fresh_lab: Lab):
    first = fresh_lab.play(arguments="--limit kms_hosts", kms_single_site_records="static")
    assert first.rc == 0, first.output[-3000:]
    assert fresh_lab.witness.srv() == [Srv(0, 0, 1688, host) for host in BOTH]
    stored = fresh_lab.witness.search(f"(dc={names.KMS_RECORD})", "dnsRecord", base=names.ZONE_DN)
    assert str(stored).count("dwTimeStamp") == str(stored).count("dwTimeStamp              : 0x00000000 (0)") == len(BOTH)
    second = fresh_lab.play(arguments="--limit kms_hosts", kms_single_site_records="static")
    assert (second.rc, second.changed()) == (0, 0), second.output[-3000:]


@pytest.mark.tier("soak")
@pytest.mark.parametrize("zone", [names.BIND_STATIC_ZONE])
def test_lines_for_those_who_run_dns(zone: str, fresh_lab: Lab):
    variables = {**ON_BIND, "kms_single_site_records": "printed", "kms_single_site_domain": zone}
    first = fresh_lab.play(arguments="--limit kms_hosts", **variables)
    assert first.rc == 2
    (failure,) = first.failures()
    assert failure.startswith("The KMS hosts are set up, but clients don't find them yet.")
    for host in BOTH:
        assert f"{names.KMS_RECORD}.{zone}. IN SRV 0 0 1688 {host}." in failure
    assert on_bind(zone) == []


@pytest.mark.tier("soak")
def test_a_zone_without_dynamic_update_is_a_finding(fresh_lab: Lab):
    before = reached(fresh_lab)
    run = fresh_lab.play(arguments="--limit kms_hosts", **{**ON_BIND, "kms_single_site_domain": names.BIND_STATIC_ZONE})
    assert run.rc == 2
    assert f"updates of {names.BIND_STATIC_ZONE} (REFUSED)" in run.failures()[0]
    assert reached(fresh_lab) == before


@pytest.mark.tier("soak")
@pytest.mark.parametrize("records", ["published", "static"])
def test_a_zone_that_is_not_in_the_directory_is_a_finding(records: str, fresh_lab: Lab):
    before = reached(fresh_lab)
    variables = {**ON_BIND, "kms_single_site_records": records, "kms_single_site_record_server": "", "volume_activation_key_name": ""}
    run = fresh_lab.play(arguments="--limit kms_hosts", **variables)
    assert run.rc == 2
    assert f"The zone {names.BIND_ZONE} is not AD-integrated" in run.failures()[0]
    assert f"names ns.{names.BIND_ZONE} as its primary server" in run.failures()[0]
    assert reached(fresh_lab) == before
