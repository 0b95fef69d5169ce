# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record that is ours before a host publishes, with rights of each host and without a host that owns it."""

from __future__ import annotations

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_acl import GrantOutcome
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_rights import WantedRights, ensure
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import DirectorySession, open_session
from lab import names
from lab.domain.controller import Domain
from lab.witness import KMS_RECORD_DN, Witness

from ..conftest import NEEDS_DOMAIN
from .helpers import (
    DELEGATE,
    DELEGATE_PASSWORD,
    GRANT,
    KMS_1,
    KMS_2,
    MEMBERS,
    NODE,
    describe_in_database,
    node_in_database,
    publish,
    settings,
    shown,
    wanted,
)

pytestmark = [pytest.mark.tier("test"), NEEDS_DOMAIN]

ALL = (names.KMS_GROUP, *MEMBERS)
RIGHTS = ["delete", "read", "write"]
GRANTS = [(NODE, f"DACL CONTOSO\\{name}", [], RIGHTS) for name in ALL]


def ours(session: DirectorySession, check_mode: bool = False, principals: tuple[str, ...] = ALL, state: str = "exact") -> GrantOutcome:
    grant = wanted(principals[0], state=state)
    return ensure(session, WantedRights(grant, principals, create=state == "exact", disown_hosts=True), check_mode)


def explicit(witness: Witness) -> set[str]:
    return {ace for ace in witness.aces() if "ID" not in ace.split(";")[1]}


def test_all_hosts_publish_into_a_record_that_none_of_them_made(session: DirectorySession, witness: Witness, domain: Domain) -> None:
    witness.add_group(members=MEMBERS)
    planned = ours(session, check_mode=True)
    assert node_in_database(domain).count("dn:") == 0
    done = ours(session)
    assert shown(done.steps) == shown(planned.steps) == [(NODE, "name", "absent", "present, without a value"), *GRANTS]
    assert (done.warnings, done.result["missing"], done.result["tombstoned"]) == ([], [], True)
    assert [row["granted"] for row in done.result["grants"]] == [RIGHTS] * 3
    assert witness.srv() == []
    assert witness.record_owner() not in MEMBERS
    entries = explicit(witness)
    # In the other order than ever: who comes first has nothing more.
    for host in (KMS_2, KMS_1):
        publish(host)
    assert sorted(value.target for value in witness.srv()) == [KMS_1.fqdn, KMS_2.fqdn]
    assert explicit(witness) == entries
    assert {f"(A;;{GRANT};;;{witness.sid(name)})" for name in ALL} <= entries
    assert "dwTimeStamp                    : 0x00000000" not in node_in_database(domain)
    assert ours(session).steps == []
    assert witness.record_owner() not in MEMBERS


def test_what_a_host_made_is_taken_from_it(session: DirectorySession, published: Witness) -> None:
    assert published.record_owner() == KMS_1.account
    full = f"(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;{published.sid(KMS_1.account)})"
    assert full in published.aces()
    planned = ours(session, check_mode=True)
    assert published.record_owner() == KMS_1.account
    done = ours(session)
    steps = [GRANTS[0], (NODE, f"DACL CONTOSO\\{KMS_1.account}", ["full_control"], RIGHTS), GRANTS[2]]
    owner = (NODE, "owner", f"CONTOSO\\{KMS_1.account}", "CONTOSO\\Domain Admins")
    assert shown(done.steps) == shown(planned.steps) == [*steps, owner]
    assert (done.result["owner"], published.record_owner()) == ("CONTOSO\\Domain Admins", "DA")
    assert full not in published.aces()
    publish(KMS_2)
    assert [value.target for value in published.srv()] == [KMS_1.fqdn, KMS_2.fqdn]
    assert ours(session).steps == []


@pytest.mark.parametrize("drift", [*ALL, "owner", "wider"])
def test_each_drift_is_mended_as_that(session: DirectorySession, published: Witness, domain: Domain, drift: str) -> None:
    ours(session)
    before = explicit(published)
    if drift == "owner":
        sddl = published.sddl(KMS_RECORD_DN).replace("O:DA", f"O:{published.sid(KMS_2.account)}", 1)
        describe_in_database(domain, KMS_RECORD_DN, sddl)
        assert published.record_owner() == KMS_2.account
        expected = [(NODE, "owner", f"CONTOSO\\{KMS_2.account}", "CONTOSO\\Domain Admins")]
    elif drift == "wider":
        published.add_ace(f"(A;;WDWO;;;{published.sid(KMS_1.account)})")
        expected = [(NODE, f"DACL CONTOSO\\{KMS_1.account}", [*RIGHTS, "write_dac", "write_owner"], RIGHTS)]
    else:
        ours(session, principals=(drift,), state="absent")
        expected = [(NODE, f"DACL CONTOSO\\{drift}", [], RIGHTS)]
    assert shown(ours(session).steps) == expected
    assert explicit(published) == before
    assert published.record_owner() == "DA"


def test_an_account_that_lacks_rights_is_told_which(domain: Domain, witness: Witness) -> None:
    witness.add_group(members=MEMBERS)
    with open_session(settings(f"{DELEGATE}@{names.REALM}", DELEGATE_PASSWORD)) as session:
        # Everybody may make names in a new zone.
        describe_in_database(domain, names.ZONE_DN, "O:DAG:DAD:P(A;;GA;;;DA)(A;;GA;;;SY)(A;;GR;;;AU)")
        planned = ours(session, check_mode=True)
        assert planned.result["may_create"] is False
        assert f"it lacks CREATE_CHILD (dnsNode) on {names.ZONE_DN}." in planned.warnings[0]
        with pytest.raises(StepFailed) as failed:
            ours(session)
        assert f"lacks CREATE_CHILD (dnsNode) on {names.ZONE_DN}." in str(failed.value.__cause__)
        assert failed.value.done == []


def test_a_host_that_owns_it_stays_where_the_account_may_not_take_it(domain: Domain, published: Witness) -> None:
    published.add_ace(f"(A;;RPRCWD;;;{published.sid(DELEGATE)})")
    with open_session(settings(f"{DELEGATE}@{names.REALM}", DELEGATE_PASSWORD)) as session:
        for check_mode in (True, False):
            done = ours(session, check_mode)
            assert all(step.attribute != "owner" for step in done.steps)
            assert any(f"belongs to CONTOSO\\{KMS_1.account}" in said and "WRITE_OWNER" in said for said in done.warnings)
    assert published.record_owner() == KMS_1.account


def test_other_computers_with_rights_are_told_and_left_alone(session: DirectorySession, published: Witness, domain: Domain) -> None:
    ours(session)
    published.add_ace(f"(A;;GA;;;{published.sid(names.clients(1)[0].account)})")
    gone = f"{published.sid(names.KMS_GROUP).rpartition('-')[0]}-99999"
    published.add_ace(f"(A;;RPWP;;;{gone})")
    before = published.aces()
    done = ours(session)
    assert shown(done.steps) == []
    others = {row["principal"]: row["granted"] for row in done.result["other_computers"]}
    assert others == {f"CONTOSO\\{names.clients(1)[0].account}": ["full_control"], gone: ["read_property", "write_property"]}
    assert published.aces() == before
