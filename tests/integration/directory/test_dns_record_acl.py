# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights on records in a real directory; what is written is witnessed by dig, samba-tool and ldbsearch."""

from __future__ import annotations

import os
import subprocess

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_acl import WantedGrant, ensure_grant
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import DirectorySession
from lab import names
from lab.domain.controller import Domain
from lab.publication import PublishError
from lab.witness import KMS_RECORD_DN, Witness

from ..conftest import NEEDS_DOMAIN
from .helpers import ADDRESS, GRANT, KMS_1, KMS_2, NODE, delete_in_database, granting, in_database, publish, shown, wanted

pytestmark = [pytest.mark.tier("test"), NEEDS_DOMAIN]


def test_the_second_host_may_publish_once_its_group_may_write(session: DirectorySession, published: Witness) -> None:
    with pytest.raises(PublishError):
        publish(KMS_2)
    before, owner = published.aces(), published.record_owner()
    planned = granting(session, check_mode=True)
    assert published.aces() == before
    assert (planned.result["granted"], planned.result["missing"]) == ([], ["delete", "read", "write"])
    requests = session.requests
    done = granting(session)
    assert session.requests - requests == 9
    assert shown(done.steps) == shown(planned.steps) == [(NODE, f"DACL CONTOSO\\{names.KMS_GROUP}", [], ["delete", "read", "write"])]
    after = published.aces()
    ace = f"(A;;{GRANT};;;{published.sid(names.KMS_GROUP)})"
    assert [entry for entry in after if entry != ace] == before
    explicit = [entry for entry in after if "ID" not in entry.split(";")[1]]
    assert explicit[-1] == ace
    assert after[: len(explicit)] == explicit
    assert published.record_owner() == owner == KMS_1.account
    assert done.result == {
        "dn": KMS_RECORD_DN,
        "partition": f"DC=DomainDnsZones,{names.BASE_DN}",
        "owner": f"CONTOSO\\{KMS_1.account}",
        "tombstoned": False,
        "principal": f"CONTOSO\\{names.KMS_GROUP}",
        "granted": ["delete", "read", "write"],
        "missing": [],
        "may_write": True,
    }
    assert done.warnings == []
    assert ace in done.diff[0]["after"].splitlines()
    assert ace not in done.diff[0]["before"]
    requests = session.requests
    assert granting(session).steps == []
    assert session.requests - requests == 5
    publish(KMS_2)
    assert [value.target for value in published.srv()] == [KMS_1.fqdn, KMS_2.fqdn]


def test_a_zone_in_two_partitions_is_not_touched(session: DirectorySession, published: Witness, domain: Domain) -> None:
    """Windows 2000 kept zones in the domain partition, and a copy may have been left there."""
    before = published.sddl(KMS_RECORD_DN)
    zone = f"DC={names.ZONE},CN=MicrosoftDNS,CN=System,{names.BASE_DN}"
    in_database(domain, f"dn: {zone}", "changetype: add", "objectClass: dnsZone")
    for check_mode in (True, False):
        with pytest.raises(ActivationError, match="is in two partitions") as failed:
            granting(session, check_mode=check_mode)
        assert f"CN=System,{names.BASE_DN}" in failed.value.message
    assert published.sddl(KMS_RECORD_DN) == before
    delete_in_database(domain, zone)
    assert granting(session).steps


def test_one_right_that_was_removed_is_mended_as_that(session: DirectorySession, published: Witness) -> None:
    granting(session)
    before = published.aces()
    ensure_grant(session, wanted(rights=("write",), state="absent"), check_mode=False)
    assert f"(A;;RPLCLORCSD;;;{published.sid(names.KMS_GROUP)})" in published.aces()
    done = granting(session)
    assert shown(done.steps) == [(NODE, f"DACL CONTOSO\\{names.KMS_GROUP}", ["delete", "read"], ["delete", "read", "write"])]
    assert published.aces() == before


def test_taking_the_rights_away_restores_what_was(session: DirectorySession, published: Witness) -> None:
    before = published.sddl()
    granting(session)
    done = granting(session, state="absent")
    assert shown(done.steps) == [(NODE, f"DACL CONTOSO\\{names.KMS_GROUP}", ["delete", "read", "write"], [])]
    assert published.sddl() == before
    assert granting(session, state="absent").steps == []


def test_exact_takes_what_is_more(session: DirectorySession, published: Witness) -> None:
    before, sid = published.aces(), published.sid(names.KMS_GROUP)
    published.add_ace(f"(A;;GA;;;{sid})")
    done = granting(session, state="exact")
    assert shown(done.steps) == [(NODE, f"DACL CONTOSO\\{names.KMS_GROUP}", ["full_control"], ["delete", "read", "write"])]
    assert sorted(published.aces()) == sorted([*before, f"(A;;{GRANT};;;{sid})"])
    assert granting(session, state="exact").steps == []


def test_a_record_that_comes_later(session: DirectorySession, witness: Witness) -> None:
    for missing in ("no name _vlmcs._tcp", f"no {names.KMS_GROUP} in contoso.com"):
        with pytest.raises(ActivationError, match=missing):
            granting(session, check_mode=True)
        with pytest.raises(ActivationError, match=missing):
            granting(session, after="publication")
        planned = granting(session, check_mode=True, after="publication")
        assert shown(planned.steps) == [(NODE, f"DACL CONTOSO\\{names.KMS_GROUP}", [], ["delete", "read", "write"])]
        assert planned.steps[0].after_step == "publication"
        assert planned.result["missing"] == ["delete", "read", "write"]
        assert planned.result["may_write"] is True
        if "_vlmcs" in missing:
            publish(KMS_1)
    assert granting(session, state="absent").steps == []


def test_a_record_that_was_deleted_keeps_its_rights(session: DirectorySession, published: Witness, domain: Domain) -> None:
    lines = f"server {ADDRESS}\nzone {names.ZONE}\nupdate delete {names.KMS_RECORD}.{names.ZONE} SRV\nsend\n"
    with_ticket(domain, KMS_1, ["nsupdate", "-g"], lines)
    assert published.srv() == []
    done = granting(session)
    assert done.result["tombstoned"] is True
    assert "tombstoned" in done.warnings[0]
    publish(KMS_2)
    assert [value.target for value in published.srv()] == [KMS_2.fqdn]


def with_ticket(domain: Domain, machine: names.Machine, argv: list[str], lines: str) -> None:
    env = {**os.environ, "KRB5CCNAME": f"FILE:{domain.layout.root}/{machine.netbios}.cache"}
    kinit = ["kinit", f"{machine.account}@{names.REALM}"]
    subprocess.run(kinit, input=machine.password, text=True, env=env, check=True, capture_output=True)
    # The answer's signature does not verify with this Samba, although the update is done; the witness says so.
    subprocess.run(argv, input=lines, text=True, env=env, check=False, capture_output=True)


def test_zones_in_every_place(session: DirectorySession, witness: Witness, domain: Domain) -> None:
    legacy = f"DC=old.test,CN=MicrosoftDNS,CN=System,{names.BASE_DN}"
    forest = f"DC=forest.test,CN=MicrosoftDNS,DC=ForestDnsZones,{names.BASE_DN}"
    for zone in (forest, legacy):
        session.add(zone, {"objectClass": [b"dnsZone"]}, "")
        session.add(f"DC=_vlmcs._tcp,{zone}", {"objectClass": [b"dnsNode"]}, "")
    witness.add_group()
    for zone, dn in (("forest.test.", forest), ("old.test", legacy)):
        asked = WantedGrant.of(zone, f"_vlmcs._tcp.{zone}", names.KMS_GROUP, ["write"], "present", "")
        done = ensure_grant(session, asked, check_mode=False)
        assert done.result["dn"] == f"DC=_vlmcs._tcp,{dn}"
        assert any(witness.sid(names.KMS_GROUP) in ace for ace in witness.aces(f"DC=_vlmcs._tcp,{dn}"))
    with pytest.raises(ActivationError) as failed:
        ensure_grant(session, WantedGrant("no.test", "_vlmcs._tcp", names.KMS_GROUP, ("write",)), check_mode=True)
    for partition in ("DC=DomainDnsZones,", "DC=ForestDnsZones,", "CN=System,"):
        assert f"DC=no.test,CN=MicrosoftDNS,{partition}{names.BASE_DN}" in str(failed.value)
