# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two domain controllers: what was written to one is waited for on the other, and who is behind is named."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import Step, StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import replication, static_srv
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.groups import WantedGroup, ensure_group
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_acl import ensure_grant
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.replication import Awaited
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import DirectorySession, open_session
from lab import names
from lab.domain.controller import Domain
from lab.play import Run
from lab.publication import Publisher, identity_of
from lab.witness import Srv, Witness

from ..conftest import NEEDS_DOMAIN, Lab
from .helpers import GRANT, KMS_1, KMS_2, MEMBERS, NODE, settings, wanted

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

ZONES = f"DC=DomainDnsZones,{names.BASE_DN}"
FIRST, SECOND = "dc1.contoso.com", "dc2.contoso.com"
GROUP = WantedGroup(names.KMS_GROUP, members=MEMBERS)
BEHIND, DOWN = "a domain controller that is behind", "a domain controller that cannot be asked"
WRITTEN = error_catalogue.paired("Replication between domain controllers", [BEHIND, DOWN])


@pytest.fixture
def domain(pair_domain: Domain) -> Domain:
    return pair_domain


@pytest.fixture
def session(domain: Domain) -> Iterator[DirectorySession]:
    with open_session(settings(dns_servers=(domain.address,))) as opened:
        yield opened


@pytest.fixture
def granted(session: DirectorySession, domain: Domain) -> list[Step]:
    """The record is on both controllers; of its rights and of the group only the first knows."""
    name = domain.first.name
    Publisher(name.address, name.fqdn)(identity_of(KMS_1), names.ZONE, KMS_1.fqdn, 1688, 0, 0)
    domain.replicate_now("dc2")
    domain.hold_replication("dc2")
    ensure_group(session, GROUP, check_mode=False)
    return ensure_grant(session, wanted(), check_mode=False).steps


def wait(session: DirectorySession, domain: Domain, steps: list[Step], seconds: float) -> list[dict[str, object]]:
    what = "the rights of CONTOSO\\KMS_Hosts on _vlmcs._tcp.contoso.com"
    awaited = Awaited(ZONES, NODE, what, lambda other: ensure_grant(other, wanted(), check_mode=True).steps, seconds)
    return replication.wait(session, settings(dns_servers=(domain.address,)), awaited, steps)


def test_the_second_controller_does_the_work_while_the_first_is_down(two_controllers_lab: Lab, domain: Domain, second: Witness) -> None:
    """A controller that is down does not answer; both are known to the second one's DNS."""
    two_controllers_lab.control.stop_controller("dc1")
    try:
        known = settings(dns_servers=(domain.controllers[1].name.address,), timeout=2)
        with open_session(replace(known, others=(SECOND,))) as session:
            assert session.server == SECOND
            assert ensure_group(session, GROUP, check_mode=False).steps
        assert sorted(second.group_members()) == sorted(MEMBERS)
    finally:
        two_controllers_lab.control.start_controller("dc1")


def test_static_values_arrive_at_who_holds_the_partition(session: DirectorySession, domain: Domain, second: Witness) -> None:
    for partition in (ZONES, names.BASE_DN, f"DC=ForestDnsZones,{names.BASE_DN}", f"CN=Configuration,{names.BASE_DN}"):
        assert replication.controllers(session, partition) == [FIRST, SECOND]
    assert replication.controllers(session, "DC=fabrikam,DC=com") == []
    value = (10, 75, 1688, KMS_2.fqdn)

    def ensure(there: DirectorySession, check_mode: bool) -> static_srv.StaticOutcome:
        return static_srv.ensure(there, names.ZONE, names.KMS_RECORD, [value], "present", None, check_mode)

    done = ensure(session, False)
    awaited = Awaited(done.partition, done.steps[0].object, "it", lambda other: ensure(other, True).steps, 60)
    (arrived,) = replication.wait(session, settings(dns_servers=(domain.address,)), awaited, done.steps)
    assert arrived["name"] == SECOND
    assert second.srv() == [Srv(*value)]


def test_who_lacks_the_rights_is_named_and_the_wait_ends_when_they_have_arrived(
    session: DirectorySession, domain: Domain, second: Witness, granted: list[Step]
) -> None:
    with pytest.raises(StepFailed) as failed:
        wait(session, domain, granted, 1.5)
    cause = failed.value.__cause__
    assert error_catalogue.shown(cause) == error_catalogue.expected(WRITTEN[BEHIND], cause)
    assert (failed.value.done, failed.value.remaining) == (granted, [])
    assert not [ace for ace in second.aces() if GRANT in ace]
    release = threading.Timer(1.0, domain.release_replication, ["dc2"])
    release.start()
    (arrived,) = wait(session, domain, granted, 60)
    release.join()
    assert arrived["name"] == SECOND
    assert float(str(arrived["seconds"])) >= 1.0
    assert [ace for ace in second.aces() if GRANT in ace]
    assert second.group_members() == sorted(MEMBERS)


def test_who_cannot_be_asked_is_named_with_the_reason(session: DirectorySession, domain: Domain, granted: list[Step]) -> None:
    domain.stop_controller("dc2")
    with pytest.raises(StepFailed) as failed:
        wait(session, domain, granted, 2)
    cause = failed.value.__cause__
    assert error_catalogue.shown(cause) == error_catalogue.expected(WRITTEN[DOWN], cause)


def test_the_role_names_who_is_behind_and_ends_well_once_it_is_not(two_controllers_lab: Lab, second: Witness) -> None:
    def play(seconds: int) -> Run:
        port = two_controllers_lab.options.http_port
        return two_controllers_lab.play(
            arguments="--limit kms_hosts", volume_activation_wait_for_replication=f"{seconds}", ansible_port=port
        )

    two_controllers_lab.control.hold_replication("dc2")
    run = play(2)
    assert run.rc != 0
    assert f"after 2 s {SECOND} does not have it" in " ".join(run.output.split()), run.output[-3000:]
    assert second.search(f"(sAMAccountName={names.KMS_GROUP})") == []
    two_controllers_lab.control.release_replication("dc2")
    run = play(60)
    assert run.rc == 0, run.output[-3000:]
    assert second.group_members() == sorted(MEMBERS)
    assert [value.target for value in second.srv()] == [KMS_1.fqdn, KMS_2.fqdn]
    assert any(second.sid(names.KMS_GROUP) in ace for ace in second.aces())
