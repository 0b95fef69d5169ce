# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two domain controllers: what one learns the other learns, later, or not before a test allows it."""

from __future__ import annotations

import time
from collections.abc import Callable

import ldap
import pytest

from lab import names
from lab.control import ControlError
from lab.domain.controller import Domain, DomainError
from lab.publication import Publisher, identity_of
from lab.witness import Srv, Witness

from .conftest import NEEDS_DOMAIN, Lab

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

ADDRESSES = ("127.0.0.40", "127.0.0.41")
KMS_1, KMS_2 = names.kms_hosts()
SRV_1, SRV_2 = (Srv(0, 0, 1688, machine.fqdn) for machine in (KMS_1, KMS_2))
GRANT = "(A;;RPWPLCLORCSDDT;;;AU)"
QUIET_SECONDS = 4  # longer than it takes a controller to ask by itself


@pytest.fixture
def domain(pair_domain: Domain) -> Domain:
    return pair_domain


def until(holds: Callable[[], bool], seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def publish(domain: Domain, label: str, machine: names.Machine) -> None:
    name = domain.controller(label).name
    Publisher(name.address, name.fqdn)(identity_of(machine), names.ZONE, machine.fqdn, 1688, 0, 0)


def test_dns_names_both_controllers_on_both(domain: Domain, witness: Witness, second: Witness) -> None:
    for one in (witness, second):
        assert one.dig(names.ZONE, "NS") == ["dc1.contoso.com.", "dc2.contoso.com."]
        assert [one.dig(f"dc{n}.{names.ZONE}", "A") for n in (1, 2)] == [[address] for address in ADDRESSES]
        assert len(one.dig(f"_kerberos._tcp.{names.ZONE}", "SRV")) == 2
        assert len(one.dig(f"_ldap._tcp.pdc._msdcs.{names.ZONE}", "SRV")) == 1


def test_a_change_on_either_arrives_at_the_other(domain: Domain, witness: Witness, second: Witness) -> None:
    publish(domain, "dc1", KMS_1)
    assert until(lambda: second.srv() == [SRV_1])
    second.add_ace(GRANT)
    assert until(lambda: GRANT in witness.aces())
    second.add_group(members=(KMS_1.account,))
    domain.replicate_now("dc1")
    assert witness.group_members() == [KMS_1.account]


def test_what_is_held_back_arrives_when_it_is_released(domain: Domain, witness: Witness, second: Witness) -> None:
    publish(domain, "dc1", KMS_1)
    domain.replicate_now("dc2")
    before = second.aces()
    domain.hold_replication("dc2")
    witness.add_ace(GRANT)
    witness.add_group(members=(KMS_1.account,))
    # The other direction is open.
    second.add_group("From_DC2")
    assert until(lambda: bool(witness.search("(sAMAccountName=From_DC2)")))
    publish(domain, "dc1", KMS_2)
    time.sleep(QUIET_SECONDS)
    assert second.aces() == before
    assert second.srv() == [SRV_1]
    assert second.search(f"(sAMAccountName={names.KMS_GROUP})") == []

    domain.release_replication("dc2")
    assert GRANT in second.aces()
    assert second.srv() == [SRV_1, SRV_2]
    assert second.group_members() == [KMS_1.account]


def test_both_directions_can_be_held_and_reset_ends_that(domain: Domain, witness: Witness, second: Witness) -> None:
    domain.hold_replication()
    publish(domain, "dc1", KMS_1)
    publish(domain, "dc2", KMS_2)
    time.sleep(QUIET_SECONDS)
    assert (witness.srv(), second.srv()) == ([SRV_1], [SRV_2])
    with pytest.raises(DomainError, match="dc1 did not replicate"):
        domain.replicate_now("dc1")
    domain.stop_controller("dc2")
    domain.reset()
    assert (witness.srv(), second.srv()) == ([], [])
    publish(domain, "dc1", KMS_1)
    assert until(lambda: second.srv() == [SRV_1])


def test_a_controller_goes_away_and_learns_later_what_it_missed(two_controllers_lab: Lab, witness: Witness, second: Witness) -> None:
    connected = ldap.initialize(f"ldap://{ADDRESSES[0]}")
    assert connected.search_s("", ldap.SCOPE_BASE)
    two_controllers_lab.control.stop_controller("dc1")
    with pytest.raises(ldap.SERVER_DOWN):
        connected.search_s("", ldap.SCOPE_BASE)
    # Hosts turn to the other one: for a ticket, and for the update.
    publisher = Publisher.of([controller.name for controller in two_controllers_lab.domain.controllers])
    publisher(identity_of(KMS_1), names.ZONE, KMS_1.fqdn, 1688, 0, 0)
    assert second.srv() == [SRV_1]
    two_controllers_lab.control.start_controller("dc1")
    assert until(lambda: witness.srv() == [SRV_1])


def test_the_control_channel_holds_and_releases(two_controllers_lab: Lab, witness: Witness, second: Witness) -> None:
    control = two_controllers_lab.control
    control.hold_replication("dc2")
    witness.add_group()
    with pytest.raises(ControlError, match="dc2 did not replicate"):
        control.replicate_now("dc2")
    assert second.search(f"(sAMAccountName={names.KMS_GROUP})") == []
    control.release_replication("dc2")
    assert second.group_members() == []


def test_what_the_lab_hands_out_names_both(pair_lab: Lab) -> None:
    krb5_conf = pair_lab.layout.krb5_conf.read_text(encoding="utf-8")
    assert all(f"kdc = {address}:88" in krb5_conf for address in ADDRESSES)
    exports = pair_lab.layout.env.read_text(encoding="utf-8")
    assert "export LAB_DC1=127.0.0.40" in exports
    assert "export LAB_DC2=127.0.0.41" in exports
    assert "- 127.0.0.41" in pair_lab.layout.inventory.read_text(encoding="utf-8")
