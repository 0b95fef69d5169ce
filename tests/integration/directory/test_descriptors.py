# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every descriptor of a real directory, byte for byte; and what is left of a record that was scavenged."""

from __future__ import annotations

import re

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import static_srv
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_acl import ensure_grant
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sddl import from_sddl, to_sddl
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.security_descriptor import SecurityDescriptor
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import DirectorySession
from lab import names
from lab.domain.controller import Domain
from lab.witness import KMS_RECORD_DN, Srv, Witness

from ..conftest import NEEDS_DOMAIN
from .helpers import GRANT, KMS_1, delete_in_database, descriptors_in_database, granting, wanted

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]


def test_every_real_descriptor_survives_byte_for_byte(pristine: Domain) -> None:
    """Of accounts, groups, containers, records, the configuration and the schema, SACL included."""
    partitions = ("", "CN=Configuration,", "CN=Schema,CN=Configuration,", "DC=DomainDnsZones,", "DC=ForestDnsZones,")
    found = descriptors_in_database(pristine, *(partition + names.BASE_DN for partition in partitions))
    assert len(found) > 2000
    assert len(set(found.values())) > 20
    for dn, data in found.items():
        descriptor = SecurityDescriptor.from_bytes(data)
        assert descriptor.to_bytes() == data, dn
        again = from_sddl(to_sddl(descriptor))
        assert (again.dacl, again.sacl, again.owner) == (descriptor.dacl, descriptor.sacl, descriptor.owner), dn


@pytest.mark.parametrize("state", ["present", "exact"])
def test_a_grant_that_is_taken_back_leaves_every_byte(session: DirectorySession, published: Witness, domain: Domain, state: str) -> None:
    """Among entries of every kind that AD knows, and of samba-tool's spelling."""
    for ace in ("(D;;CR;;;AN)", "(OA;;WP;e0fa1e69-9b45-11d0-afdd-00c04fd930c9;;AU)", f"(A;CI;RPWP;;;{published.sid(KMS_1.account)})"):
        published.add_ace(ace)
    before = descriptors_in_database(domain, KMS_RECORD_DN)[KMS_RECORD_DN.lower()]
    granting(session, state=state)
    during = descriptors_in_database(domain, KMS_RECORD_DN)[KMS_RECORD_DN.lower()]
    assert during != before
    old, new = SecurityDescriptor.from_bytes(before), SecurityDescriptor.from_bytes(during)
    assert (new.owner, new.group, new.sacl, new.control) == (old.owner, old.group, old.sacl, old.control)
    assert [ace for ace in published.aces() if ace.startswith(f"(A;;{GRANT};")] == [f"(A;;{GRANT};;;{published.sid(names.KMS_GROUP)})"]
    granting(session, state="absent")
    assert descriptors_in_database(domain, KMS_RECORD_DN)[KMS_RECORD_DN.lower()] == before


def test_rights_by_every_kind_of_name_are_the_same(session: DirectorySession, published: Witness) -> None:
    sid = published.sid(names.KMS_GROUP)
    granting(session)
    before = published.sddl()
    for given in (
        names.KMS_GROUP,
        f"CONTOSO\\{names.KMS_GROUP}",
        f"{names.KMS_GROUP}@contoso.com",
        sid,
        f"CN=KMS_Hosts,CN=Users,{names.BASE_DN}",
    ):
        for state in ("present", "exact"):
            assert granting(session, principal=given, state=state).steps == []
    assert published.sddl() == before
    # Generic rights, as a tool may have written them, are what AD stores for them.
    granting(session, state="absent")
    published.add_ace(f"(A;;GRGWSD;;;{sid})")
    assert granting(session).steps == []
    assert granting(session, state="exact").steps == []


def test_a_record_that_was_scavenged_comes_back_with_its_rights_in_one_go(
    session: DirectorySession, published: Witness, domain: Domain
) -> None:
    """The controllers removed the node, and its rights with it: the same two tasks restore both."""
    value = (0, 0, 1688, KMS_1.fqdn)

    def run(check_mode: bool) -> list[str]:
        record = static_srv.ensure(session, names.ZONE, names.KMS_RECORD, [value], "present", None, check_mode)
        rights = ensure_grant(session, wanted(after="the record"), check_mode)
        return [step.attribute for step in (*record.steps, *rights.steps)]

    run(check_mode=False)
    assert run(check_mode=False) == []
    delete_in_database(domain, KMS_RECORD_DN)
    with pytest.raises(ActivationError, match=re.escape("has no name _vlmcs._tcp")):
        granting(session)
    planned = run(check_mode=True)
    assert planned == [f"value 0 0 1688 {KMS_1.fqdn}", f"DACL CONTOSO\\{names.KMS_GROUP}"]
    assert run(check_mode=False) == planned
    assert published.srv() == [Srv(*value)]
    assert f"(A;;{GRANT};;;{published.sid(names.KMS_GROUP)})" in published.aces()
