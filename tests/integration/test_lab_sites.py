# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs with sites, as dig, samba-tool, kinit and pywinrm see them, and the kernel's own sockets."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from winrm.exceptions import InvalidCredentialsError, WSManFaultError
from winrm.protocol import Protocol

from lab import names, park
from lab.control import ControlError
from lab.domain.zones import Zones
from lab.witness import Srv, Witness

from .conftest import NEEDS_DOMAIN, Lab, eventually

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

RIGHTS = "RPWPLCLORCSDDT"
NOBODY_ANSWERED = "0xC004F074"
SUCCESS = "0x00000000"


def kms_hosts(lab: Lab, site: str = "") -> list[names.Machine]:
    return [item for item in lab.options.machines if item.role == "kms" and not item.spare and site in ("", item.site)]


def clients(lab: Lab, site: str, member: bool = True) -> list[names.Machine]:
    return [item for item in lab.options.machines if item.role == "client" and item.site == site and item.member == member]


def computers(witness: Witness) -> dict[str, set[str]]:
    """The computer accounts of a domain, each with its DNS name and its service names."""
    found = witness.search("(objectClass=computer)", "sAMAccountName", "dNSHostName", "servicePrincipalName")
    return {item["sAMAccountName"][0]: {*item["dNSHostName"], *item["servicePrincipalName"]} for item in found}


def set_publish_list(lab: Lab, machine: names.Machine, *lines: str) -> None:
    key = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"
    arguments = {"hDefKey": 0x80000002, "sSubKeyName": key, "sValueName": "DnsDomainPublishList", "sValue": lines}
    lab.control.call("call_method", host=machine.label, class_name="StdRegProv", method="SetMultiStringValue", arguments=arguments)


def make_kms_host(lab: Lab, machine: names.Machine, published: int = 1) -> None:
    """It has its key and an open port, is past the threshold, and tried to publish."""
    key = park.PARKS[lab.options.park].csvlk
    lab.control.call("call_service", host=machine.label, method="InstallProductKey", arguments={"ProductKey": key})
    assert lab.control.activate(machine.label) == SUCCESS
    lab.control.drift("firewall_on", machine.label)
    assert lab.control.count_clients(machine.label, 25) == 25
    assert eventually(lambda: len(lab.control.host(machine.label)["publications"]) == published)


def codes(lab: Lab, machine: names.Machine) -> dict[str, int]:
    """What became of each publication of a host, the latest of each zone."""
    return {attempt["zone"]: attempt["hresult"] for attempt in lab.control.host(machine.label)["publications"]}


def grant(lab: Lab, site: str, zone: str) -> None:
    """The group of a site may write the record of a zone."""
    group = next(item.group for item in lab.options.site_list() if item.name == site)
    lab.witness.add_ace(f"(A;;{RIGHTS};;;{lab.witness.sid(group)})", lab.witness.record_dn(zone))


def connects(machine: names.Machine, source: str = "", port: int = 1688) -> bool:
    """Whether the KMS port takes a connection; one that is blocked times out, one that is closed refuses."""
    try:
        socket.create_connection((machine.address, port), 0.3, (source, 0) if source else None).close()
    except TimeoutError:
        return False
    return True


@pytest.fixture(scope="module")
def zones(zones_lab: Lab) -> Iterator[Lab]:
    zones_lab.control.reset()
    yield zones_lab
    zones_lab.control.reset()


@pytest.fixture(scope="module")
def table_5(zones: Lab) -> Lab:
    """The lab as the scenario leaves it, by what its hosts do themselves."""
    sites = zones.options.site_list()
    zones.control.reset()
    for machine in kms_hosts(zones):
        weight = 75 if machine.number == 1 else 25
        set_publish_list(zones, machine, *(f"{site.zone}, {10 if site.name == machine.site else 90}, {weight}" for site in sites))
        if machine.netbios != "KMS_E1":
            # A start of Windows gives a ticket that knows the group.
            zones.control.stop_host(machine.label)
            zones.control.start_host(machine.label)
        make_kms_host(zones, machine, len(sites))
        if machine.netbios == "KMS_E1":
            for site in sites:
                zones.witness.add_group(site.group, tuple(item.account for item in kms_hosts(zones, site.name)))
            for group in sites:
                for zone in sites:
                    grant(zones, group.name, zone.zone)
    return zones


def test_each_site_has_a_zone_with_its_machines_and_all_accounts_are_in_one_domain(zones: Lab) -> None:
    witness = zones.witness
    accounts = computers(witness)
    for machine in zones.options.machines:
        assert machine.fqdn == f"{machine.label}.{machine.site}.contoso.com"
        assert witness.dig(machine.fqdn, "A") == [machine.address]
        assert (machine.account in accounts) == machine.member
        assert not machine.member or {machine.fqdn, f"WSMAN/{machine.fqdn}"} <= accounts[machine.account]
    for site in zones.options.site_list():
        assert witness.dig(site.zone, "NS") == ["dc1.contoso.com."]
        assert "(A;;CC;;;AU)" in witness.aces(names.CONTOSO.zone_dn(site.zone))


def test_hosts_publish_where_they_are_and_elsewhere_once_their_group_may(zones: Lab) -> None:
    witness = zones.witness
    (e1, e2), (w1, *_) = kms_hosts(zones, "east"), kms_hosts(zones, "west")
    for machine in (e1, e2, w1):
        make_kms_host(zones, machine)
    # Without a list a host publishes in its primary suffix. The second one is refused: the record is the first one's.
    assert codes(zones, e1) == {"east.contoso.com": 0}
    assert codes(zones, e2) == {"east.contoso.com": 0x80072338}
    assert witness.srv("east.contoso.com") == [Srv(0, 0, 1688, e1.fqdn)]
    assert witness.srv("west.contoso.com") == [Srv(0, 0, 1688, w1.fqdn)]
    assert witness.srv() == []
    assert witness.record_owner(witness.record_dn("west.contoso.com")) == "KMS_W1$"

    set_publish_list(zones, e1, "west.contoso.com, 90, 75")
    witness.add_group("KMS_E", (e1.account, e2.account))
    for expected in (0x80072338, 0):
        zones.control.stop_host(e1.label)
        zones.control.start_host(e1.label)
        assert eventually(lambda: codes(zones, e1).get("west.contoso.com") == expected)  # noqa: B023
        if expected:
            grant(zones, "east", "west.contoso.com")
    assert Srv(90, 75, 1688, e1.fqdn) in witness.srv("west.contoso.com")
    assert witness.rights("west.contoso.com")["KMS_E"] == RIGHTS
    assert "KMS_E" not in witness.rights("east.contoso.com")


def test_four_hosts_end_with_table_5_in_both_zones(table_5: Lab) -> None:
    for zone in ("east", "west"):
        expected = [
            Srv(10 if machine.site == zone else 90, 75 if machine.number == 1 else 25, 1688, machine.fqdn) for machine in kms_hosts(table_5)
        ]
        assert table_5.witness.srv(f"{zone}.contoso.com") == expected


def test_clients_follow_priority_and_a_cut_link_is_silent(table_5: Lab) -> None:
    control = table_5.control
    (client, *_rest), (guest, *_others) = clients(table_5, "east"), clients(table_5, "east", member=False)
    e1, e2 = (machine.fqdn for machine in kms_hosts(table_5, "east"))
    west = {machine.fqdn for machine in kms_hosts(table_5, "west")}
    for machine in (client, guest):
        assert control.activate(machine.label) == SUCCESS
        assert control.host(machine.label)["discovered"] in (e1, e2)
    for label, left in (("kms-e1", {e2}), ("kms-e2", west)):
        control.stop_host(label)
        assert control.activate(guest.label) == SUCCESS
        assert control.host(guest.label)["discovered"] in left
    control.cut_link("west", "east", "from")
    assert control.status()["cut_links"] == [["east", "west"]]
    started = time.monotonic()
    assert control.activate(guest.label) == NOBODY_ANSWERED
    assert 2 * park.SITE_KMS_TIMEOUT <= time.monotonic() - started < 5
    control.mend_link("east", "west")
    assert control.activate(guest.label) == SUCCESS
    for label in ("kms-e1", "kms-e2"):
        control.start_host(label)


def test_a_link_is_cut_in_the_kernel_and_the_control_node_is_on_neither_side(table_5: Lab) -> None:
    control = table_5.control
    (here, *_), (there, *_) = kms_hosts(table_5, "east"), kms_hosts(table_5, "west")

    def seen() -> tuple[bool, ...]:
        return connects(there, here.address), connects(here, there.address), connects(there), connects(here)

    assert seen() == (True, True, True, True)
    control.cut_link("east", "west", "to")
    assert seen() == (False, True, True, True)
    control.cut_link("east", "west")
    assert seen() == (False, False, True, True)
    control.block_control_node("west")
    # A port that is opened anew is as blocked as before.
    control.drift("firewall_off", there.label)
    control.drift("firewall_on", there.label)
    assert seen() == (False, False, False, True)
    control.mend_link("west", "east")
    control.block_control_node("west", False)
    assert seen() == (True, True, True, True)


def test_over_a_cut_link_nobody_publishes(table_5: Lab) -> None:
    control, host = table_5.control, kms_hosts(table_5, "east")[0]
    for expected in (0x8007232A, 0):
        control.stop_host(host.label)
        if expected:
            control.cut_link("east", "west")
        else:
            control.mend_link("east", "west")
        before = len(control.host(host.label)["publications"])
        control.start_host(host.label)
        assert eventually(lambda: len(control.host(host.label)["publications"]) == before + 2)  # noqa: B023
        assert codes(table_5, host) == {"east.contoso.com": 0, "west.contoso.com": expected}


EAST = "east.contoso.com"
DRIFTS = {
    "priority_changed": lambda witness: Srv(55, 25, 1688, "kms-e2.east.contoso.com") in witness.srv(EAST),
    "weight_changed": lambda witness: Srv(55, 44, 1688, "kms-e2.east.contoso.com") in witness.srv(EAST),
    "old_value": lambda witness: Srv(0, 0, 1688, "kms-e2.east.contoso.com") in witness.srv(EAST),
    "foreign_target": lambda witness: Srv(0, 0, 1688, "kms-old.east.contoso.com") in witness.srv(EAST),
    "right_removed": lambda witness: "SD" not in witness.rights(EAST)["KMS_E"],
    "ace_removed": lambda witness: "KMS_E" not in witness.rights(EAST),
    "other_ace_removed": lambda witness: "KMS_W" not in witness.rights(EAST),
    "foreign_member": lambda witness: "PC-001$" in witness.group_members("KMS_E"),
    "member_removed": lambda witness: "KMS_E2$" not in witness.group_members("KMS_E"),
    "srv_removed": lambda witness: "kms-e2.east.contoso.com" not in [value.target for value in witness.srv(EAST)],
}


@pytest.mark.parametrize("name", DRIFTS)
def test_each_drift_in_the_directory_is_one_change_that_witnesses_see(table_5: Lab, name: str) -> None:
    holds = DRIFTS[name]
    assert not holds(table_5.witness)
    said = table_5.control.drift(name)
    assert holds(table_5.witness)
    assert "E2" in said.upper() or "KMS_" in said or "kms-old" in said
    with pytest.raises(ControlError, match="NothingToChange"):
        table_5.control.drift(name)


def test_drifts_of_hosts_and_clients_are_what_their_own_state_shows(table_5: Lab) -> None:
    control = table_5.control

    def listed() -> list[str]:
        return next(data for name, data in control.host("kms-w2")["registry"].items() if name.endswith("DnsDomainPublishList"))

    before = listed()
    control.drift("publish_lines_reordered", "kms-w2")
    assert listed() == before[::-1]
    control.drift("publish_line_changed", "kms-w2")
    assert listed() == [before[1].replace(", 10,", ", 55,"), before[0]]
    control.drift("publish_line_removed", "kms-w2")
    assert listed() == [before[1].replace(", 10,", ", 55,")]
    control.drift("count_lost", "kms-w2")
    assert control.host("kms-w2")["count"] == 0xFFFFFFFF
    assert Zones(table_5.domain).time_stamps(zone_dn=names.CONTOSO.zone_dn("west.contoso.com")).count(0) == 0

    client = clients(table_5, "west")[0].label
    control.call("call_service", host=client, method="DisableKeyManagementServiceHostCaching", arguments={"DisableCaching": True})
    for drift, holds in {
        "caching_on": lambda state: state["host_caching"],
        "fixed_host": lambda state: "kms-old.west.contoso.com" in state["registry"].values(),
    }.items():
        assert not holds(control.host(client))
        control.drift(drift, client)
        assert holds(control.host(client))
    for drift in ("suffixes_changed", "suffixes_by_policy"):
        assert "fabrikam.com" in control.drift(drift, client)


def test_a_domain_for_each_site_knows_its_own_accounts_only(domains_lab: Lab, tmp_path: Path) -> None:
    domains_lab.control.reset()
    sites = domains_lab.options.site_list()
    for site in sites:
        witness = domains_lab.witness_of(site.name)
        own = {item.account for item in domains_lab.options.machines if item.site == site.name and item.member}
        assert set(computers(witness)) - {"DC1$"} == own
        for machine in kms_hosts(domains_lab):
            # What lies in the other domain is found through its DNS servers.
            assert witness.dig(machine.fqdn, "A") == [machine.address]
        assert names.OPERATOR in witness.group_members("Domain Admins")
        environment = {**os.environ, "KRB5_CONFIG": str(domains_lab.layout.krb5_conf), "KRB5CCNAME": f"FILE:{tmp_path / site.name}"}
        for other in sites:
            argv, secret = ["kinit", site.realm.principal(names.OPERATOR)], other.realm.password(names.OPERATOR)
            done = subprocess.run(argv, input=f"{secret}\n", text=True, env=environment, check=False, capture_output=True)
            assert (done.returncode == 0) == (site == other)
        # The realm of a host is found by its name (domain_realm).
        argv = ["kvno", "-k", str(domains_lab.layout.keytab), "-S", "WSMAN", kms_hosts(domains_lab, site.name)[0].fqdn]
        done = subprocess.run(argv, text=True, env=environment, check=False, capture_output=True)
        assert "keytab entry valid" in done.stdout, done.stderr


def test_an_account_of_one_domain_is_a_stranger_to_the_hosts_of_the_other(domains_lab: Lab) -> None:
    for site in domains_lab.options.site_list():
        for machine in (kms_hosts(domains_lab, "east")[0], kms_hosts(domains_lab, "west")[0]):
            session = Protocol(
                f"http://{machine.address}:{domains_lab.options.http_port}/wsman",
                transport="ntlm",
                username=f"{site.realm.netbios}\\{names.WINRM_USER}",
                password=site.realm.password(names.WINRM_USER),
                message_encryption="always",
            )
            # The lab has no shells: a fault of WMI says that the account came in.
            expected = WSManFaultError if machine.site == site.name else InvalidCredentialsError
            with pytest.raises(expected):
                session.open_shell()


def test_hosts_publish_in_their_own_domain_and_no_other(domains_lab: Lab) -> None:
    e1, w1 = kms_hosts(domains_lab, "east")[0], kms_hosts(domains_lab, "west")[0]
    for machine in (e1, w1):
        set_publish_list(domains_lab, machine, "east.contoso.com, 1, 1", "west.contoso.com, 2, 2")
        make_kms_host(domains_lab, machine, 2)
    assert codes(domains_lab, e1) == {"east.contoso.com": 0, "west.contoso.com": 0x80072338}
    assert codes(domains_lab, w1) == {"east.contoso.com": 0x80072338, "west.contoso.com": 0}
    assert domains_lab.witness_of("east").srv() == [Srv(1, 1, 1688, e1.fqdn)]
    assert domains_lab.witness_of("west").srv() == [Srv(2, 2, 1688, w1.fqdn)]
    assert domains_lab.witness_of("east").srv("west.contoso.com") == [Srv(2, 2, 1688, w1.fqdn)]
    (guest, *_) = clients(domains_lab, "west", member=False)
    assert domains_lab.control.activate(guest.label) == SUCCESS
    assert domains_lab.control.host(guest.label)["discovered"] == w1.fqdn
    domains_lab.control.reset()


@pytest.mark.parametrize("lab", ["zones_lab", "domains_lab"])
def test_the_inventory_declares_the_topology_and_holds_no_secret(lab: str, request: pytest.FixtureRequest) -> None:
    found: Lab = request.getfixturevalue(lab)
    text = found.layout.inventory.read_text(encoding="utf-8")
    written = yaml.safe_load(text)["all"]
    assert list(written["children"]["kms_spare"]["hosts"]) == ["kms-e3.east.contoso.com"]
    assert list(written["children"]["kms_hosts"]["hosts"]) == [machine.fqdn for machine in kms_hosts(found)]
    exports = found.layout.env.read_text(encoding="utf-8")
    for name, site in written["vars"]["volume_activation_sites"].items():
        assert site["domain"] == f"{name}.contoso.com"
        assert [(host["name"], host["weight"]) for host in site["kms_hosts"]] == [
            (machine.fqdn, 75 if machine.number == 1 else 25) for machine in kms_hosts(found, name)
        ]
        logon = written["vars"]["volume_activation_credentials"][site["credential"]]
        assert logon["username"].endswith(f"@{site.get('ad_domain', site['domain']).upper()}")
        variable = logon["password"].split("'")[3]
        realm = next(item.realm for item in found.options.site_list() if item.name == name)
        assert f"export {variable}={realm.password(names.OPERATOR)}\n" in exports
        assert realm.password(names.OPERATOR) not in text
    assert names.LOCAL_ADMIN_PASSWORD not in text


def test_three_sites_of_three_hosts(three_sites_lab: Lab) -> None:
    three_sites_lab.control.reset()
    hosts = kms_hosts(three_sites_lab)
    assert [machine.label for machine in hosts] == [f"kms-{letter}{number}" for letter in "nse" for number in (1, 2, 3)]
    for machine in hosts[::3]:
        make_kms_host(three_sites_lab, machine)
        assert three_sites_lab.witness.srv(machine.zone) == [Srv(0, 0, 1688, machine.fqdn)]
    three_sites_lab.control.cut_link("north", "east")
    north, south, east = hosts[::3]
    assert [connects(east, machine.address) for machine in (north, south, east)] == [False, True, True]
    three_sites_lab.control.reset()
    assert three_sites_lab.control.status()["cut_links"] == []
