# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scavenging, zones in unusual places and accounts with too few rights, as real programs see them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from lab import names
from lab.domain.accounts import PASSWORD, Accounts
from lab.domain.controller import Domain
from lab.domain.zones import CONTAINERS, Place, Zones
from lab.layout import Layout
from lab.publication import Publisher, identity_of
from lab.witness import KMS_RECORD_DN, Srv, Witness, WitnessError

from .conftest import NEEDS_DOMAIN, domain_up

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

ADDRESS = "127.0.0.31"
KMS_1, KMS_2 = names.kms_hosts()
MONTH = 31 * 24
GRANT = "(A;;RPWPLCLORCSDDT;;;AU)"
ADMINISTRATOR = f"{names.NETBIOS_DOMAIN}\\{names.ADMINISTRATOR}%{names.ADMINISTRATOR_PASSWORD}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    domain = Domain(Layout.at(tmp_path_factory.mktemp("zones") / "lab"), ADDRESS)
    domain.provision(names.machines(2, 1))
    with domain_up(domain):
        yield domain


def publish(machine: names.Machine) -> None:
    Publisher(ADDRESS)(identity_of(machine), names.ZONE, machine.fqdn, 1688, 0, 0)


def samba_tool(domain: Domain, *argv: str) -> None:
    argv = ("samba-tool", *argv, f"--configfile={domain.smb_conf}", f"--username={ADMINISTRATOR}")
    subprocess.run(argv, check=True, capture_output=True)


def as_seen_by(user: str, domain: Domain) -> str:
    """The record over the network; without its SACL, which only administrators may ask for."""
    argv = [
        "ldbsearch",
        f"--configfile={domain.smb_conf}",
        "-H",
        f"ldap://{ADDRESS}",
        f"--user={names.NETBIOS_DOMAIN}\\{user}%{PASSWORD}",
    ]
    argv += ["--controls=sd_flags:1:7", "--scope=base", "-b", KMS_RECORD_DN, "(objectClass=*)", "dnsRecord", "nTSecurityDescriptor"]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_scavenging_takes_what_nobody_refreshed_and_leaves_what_is_static(domain: Domain, witness: Witness) -> None:
    zones = Zones(domain)
    zones.set_aging()
    # samba-tool's record is static, the host's own is dynamic.
    samba_tool(domain, "dns", "add", ADDRESS, names.ZONE, "static", "SRV", f"{KMS_2.fqdn} 1688 0 0")
    static_dn = f"DC=static,{names.ZONE_DN}"
    witness.add_ace(GRANT, static_dn)
    publish(KMS_1)
    assert zones.time_stamps("static") == [0]
    assert zones.time_stamps()[0] > 0
    zones.scavenge()
    assert witness.srv() == [Srv(0, 0, 1688, KMS_1.fqdn)]

    assert zones.age(MONTH) == 1
    assert zones.age(MONTH, "static") == 0
    zones.set_aging(on=False)
    zones.scavenge()
    assert witness.srv() == [Srv(0, 0, 1688, KMS_1.fqdn)]
    zones.set_aging()
    zones.scavenge()
    assert witness.srv() == []
    (node,) = witness.search(f"(dc={names.KMS_RECORD})", "dNSTombstoned", base=names.ZONE_DN)
    assert node["dNSTombstoned"] == ["TRUE"]
    assert witness.dig(f"static.{names.ZONE}", "SRV") == [f"0 0 1688 {KMS_2.fqdn}."]
    assert GRANT in witness.aces(static_dn)


def test_a_tombstoned_node_is_there_and_is_not_served(domain: Domain, witness: Witness) -> None:
    publish(KMS_1)
    Zones(domain).tombstone()
    assert witness.srv() == []
    (node,) = witness.search(f"(dc={names.KMS_RECORD})", "dNSTombstoned", base=names.ZONE_DN)
    assert node["dNSTombstoned"] == ["TRUE"]


def test_zones_in_other_partitions_are_served_and_can_be_written(domain: Domain, witness: Witness) -> None:
    zones = Zones(domain)
    places: tuple[Place, ...] = ("forest", "legacy")
    for place in places:
        zone = f"{place}.contoso.net"
        dn = zones.create(zone, place)
        assert dn.endswith(CONTAINERS[place])
        assert witness.dig(zone, "NS") == [f"{names.DC_FQDN}."]
        Publisher(ADDRESS)(identity_of(KMS_1), zone, KMS_1.fqdn, 1688, 0, 0)
        assert witness.srv(zone) == [Srv(0, 0, 1688, KMS_1.fqdn)]
        assert witness.search(f"(dc={names.KMS_RECORD})", base=dn)


def test_an_expired_password_gives_no_ticket(domain: Domain) -> None:
    accounts = Accounts(domain)
    accounts.user("anybody")
    accounts.with_expired_password("late")
    for name, said in (("anybody", ""), ("late", "expired")):
        env = {**os.environ, "KRB5CCNAME": "MEMORY:", "LC_ALL": "C"}
        done = subprocess.run(["kinit", name], input=f"{PASSWORD}\n", text=True, env=env, capture_output=True, check=False)
        assert (done.returncode == 0) == (not said)
        assert said in (done.stdout + done.stderr).lower()


def test_rights_that_are_missing_are_missing(domain: Domain, witness: Witness) -> None:
    publish(KMS_1)
    accounts = Accounts(domain)
    accounts.user("reader")
    accounts.who_may_not_read_the_dacl("blind", KMS_RECORD_DN)
    assert "nTSecurityDescriptor:" in as_seen_by("reader", domain)
    seen = as_seen_by("blind", domain)
    assert "dnsRecord:" in seen
    assert "nTSecurityDescriptor:" not in seen
    with pytest.raises(WitnessError):
        Witness(domain, user="reader", password=PASSWORD).add_ace(GRANT)
    assert GRANT not in witness.aces()
