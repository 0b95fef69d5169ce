# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Static SRV values in a real directory; what is written is witnessed by dig, samba-tool and ldbsearch."""

from __future__ import annotations

import re

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import static_srv
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import DirectorySession, open_session
from lab import names
from lab.domain.controller import Domain
from lab.witness import KMS_RECORD_DN, Srv, Witness

from ..conftest import NEEDS_DOMAIN
from .helpers import DELEGATE, DELEGATE_PASSWORD, KMS_1, KMS_2, granting, node_in_database, publish, samba_dns, settings, shown

pytestmark = [pytest.mark.tier("test"), NEEDS_DOMAIN]

FIRST, SECOND = (10, 75, 1688, KMS_1.fqdn), (10, 25, 1688, KMS_2.fqdn)
OBJECT = f"SRV {names.KMS_RECORD}.{names.ZONE}"


def ensure(
    session: DirectorySession, *values: tuple[int, int, int, str], state: str = "present", ttl: int | None = None, check_mode: bool = False
) -> static_srv.StaticOutcome:
    return static_srv.ensure(session, names.ZONE, names.KMS_RECORD, values, state, ttl, check_mode)


def stored(domain: Domain) -> list[tuple[str, int, int]]:
    """Type, TTL and time stamp of each record as ldbsearch takes it apart."""
    pattern = r"wType\s*: DNS_TYPE_(\w+)\s.*?dwTtlSeconds\s*: \w+ \((\d+)\).*?dwTimeStamp\s*: \w+ \((\d+)\)"
    found = re.findall(pattern, node_in_database(domain), re.DOTALL)
    return sorted((kind, int(ttl), int(stamp)) for kind, ttl, stamp in found)


def test_values_are_made_once_and_are_static(session: DirectorySession, witness: Witness, domain: Domain) -> None:
    planned = ensure(session, FIRST, SECOND, check_mode=True)
    assert witness.srv() == []
    done = ensure(session, FIRST, SECOND)
    assert shown(done.steps) == shown(planned.steps)
    assert shown(done.steps) == [
        (OBJECT, f"value 10 75 1688 {KMS_1.fqdn}", "absent", "present"),
        (OBJECT, f"value 10 25 1688 {KMS_2.fqdn}", "absent", "present"),
    ]
    assert witness.srv() == [Srv(*FIRST), Srv(*SECOND)]
    assert stored(domain) == [("SRV", 3600, 0)] * 2
    said = samba_dns(domain, "query", names.KMS_RECORD, "SRV")
    assert f"SRV: {KMS_1.fqdn}. (1688, 10, 75) (flags=f0, serial=2, ttl=3600)" in said
    assert done.dn == KMS_RECORD_DN
    assert (done.before, done.after) == (planned.before, planned.after)
    assert done.after == [
        {"priority": 10, "weight": 25, "port": 1688, "target": KMS_2.fqdn, "ttl": 3600, "static": True},
        {"priority": 10, "weight": 75, "port": 1688, "target": KMS_1.fqdn, "ttl": 3600, "static": True},
    ]
    requests = session.requests
    assert ensure(session, FIRST, SECOND).steps == []
    assert session.requests - requests == 3


def test_each_drift_is_mended_as_exactly_that(session: DirectorySession, published: Witness, domain: Domain) -> None:
    """A value gone, another TTL, one more, and one that a host refreshed, each behind the back of the others."""
    ensure(session, FIRST, SECOND, state="exact", ttl=600)
    good = (published.srv(), stored(domain))
    samba_dns(domain, "delete", names.KMS_RECORD, "SRV", f"{KMS_2.fqdn} 1688 10 25")
    drifts = [[(OBJECT, f"value 10 25 1688 {KMS_2.fqdn}", "absent", "present")]]
    assert drift_mended(session) == drifts[0]
    samba_dns(domain, "update", names.KMS_RECORD, "SRV", f"{KMS_2.fqdn} 1688 10 25", f"{KMS_2.fqdn} 1690 10 25")
    assert drift_mended(session) == [
        (OBJECT, f"value 10 25 1690 {KMS_2.fqdn}", "present", "absent"),
        (OBJECT, f"value 10 25 1688 {KMS_2.fqdn}", "absent", "present"),
    ]
    publish(KMS_1)
    assert drift_mended(session) == [(OBJECT, f"value 0 0 1688 {KMS_1.fqdn}", "present", "absent")]
    assert (published.srv(), stored(domain)) == good
    assert shown(ensure(session, FIRST, ttl=60).steps) == [(OBJECT, f"ttl of 10 75 1688 {KMS_1.fqdn}", 600, 60)]
    assert sorted(ttl for _type, ttl, _stamp in stored(domain)) == [60, 600]


def drift_mended(session: DirectorySession) -> list[tuple[str, str, object, object]]:
    planned = ensure(session, FIRST, SECOND, state="exact", ttl=600, check_mode=True)
    done = ensure(session, FIRST, SECOND, state="exact", ttl=600)
    assert shown(planned.steps) == shown(done.steps)
    assert ensure(session, FIRST, SECOND, state="exact", ttl=600).steps == []
    return shown(done.steps)


def test_what_a_host_published_becomes_static_and_keeps_its_data(session: DirectorySession, published: Witness, domain: Domain) -> None:
    ((_type, ttl, stamp),) = stored(domain)
    assert stamp > 0
    owner, rights = published.record_owner(), published.sddl()
    done = ensure(session, (0, 0, 1688, KMS_1.fqdn.upper() + "."))
    assert shown(done.steps) == [(OBJECT, f"aging of 0 0 1688 {KMS_1.fqdn}", "dynamic", "static")]
    assert stored(domain) == [("SRV", ttl, 0)]
    assert (published.record_owner(), published.sddl()) == (owner, rights)
    assert published.srv() == [Srv(0, 0, 1688, KMS_1.fqdn)]
    # The host refreshes it, and it stays static.
    publish(KMS_1)
    assert stored(domain) == [("SRV", ttl, 0)]


def test_other_values_of_the_same_host(session: DirectorySession, published: Witness) -> None:
    """Its value of former days goes with the new one, and all of the host goes in the end."""
    ensure(session, SECOND)
    both = [(*FIRST,), (20, 0, 1688, KMS_1.fqdn)]
    done = static_srv.ensure(session, names.ZONE, names.KMS_RECORD, both, "present", None, False, match_target=True)
    assert [(step.attribute, step.after) for step in done.steps] == [
        (f"value 0 0 1688 {KMS_1.fqdn}", "absent"),
        (f"value 10 75 1688 {KMS_1.fqdn}", "present"),
        (f"value 20 0 1688 {KMS_1.fqdn}", "present"),
    ]
    static_srv.ensure(session, names.ZONE, names.KMS_RECORD, [FIRST], "absent", None, False, match_target=True)
    assert published.srv() == [Srv(*SECOND)]


def test_records_of_other_types_and_foreign_values_stay(session: DirectorySession, published: Witness, domain: Domain) -> None:
    samba_dns(domain, "add", names.KMS_RECORD, "TXT", "'left alone'")
    ensure(session, FIRST)
    assert published.srv() == [Srv(0, 0, 1688, KMS_1.fqdn), Srv(*FIRST)]
    assert shown(ensure(session, state="exact").steps) == [
        (OBJECT, f"value 0 0 1688 {KMS_1.fqdn}", "present", "absent"),
        (OBJECT, f"value 10 75 1688 {KMS_1.fqdn}", "present", "absent"),
    ]
    assert published.srv() == []
    assert published.dig(f"{names.KMS_RECORD}.{names.ZONE}", "TXT") == ['"left alone"']


def test_the_last_value_leaves_a_tombstone_and_the_next_one_revives_it(
    session: DirectorySession, published: Witness, domain: Domain
) -> None:
    granting(session)
    rights = published.sddl()
    done = ensure(session, (0, 0, 1688, KMS_1.fqdn), state="absent")
    assert shown(done.steps) == [(OBJECT, f"value 0 0 1688 {KMS_1.fqdn}", "present", "absent")]
    assert "dNSTombstoned: TRUE" in node_in_database(domain)
    assert stored(domain) == [("TOMBSTONE", 0, 0)]
    assert published.srv() == []
    assert granting(session).result["tombstoned"] is True
    assert ensure(session, (0, 0, 1688, KMS_1.fqdn), state="absent").steps == []
    ensure(session, FIRST)
    assert "dNSTombstoned: FALSE" in node_in_database(domain)
    assert stored(domain) == [("SRV", 3600, 0)]
    assert published.srv() == [Srv(*FIRST)]
    assert published.sddl() == rights
    # The host, whose record it was, may write it as before.
    publish(KMS_1)


def test_a_value_behind_a_tombstone_is_shown_again(session: DirectorySession, witness: Witness) -> None:
    """As when one writer took the last value that he knew of while another added one, and was killed before he looked."""
    ensure(session, FIRST)
    session.modify(KMS_RECORD_DN, [("replace", "dNSTombstoned", [b"TRUE"])], "")
    done = ensure(session, FIRST)
    assert shown(done.steps) == [(OBJECT, "tombstoned", True, False)]
    assert (done.before, len(done.after)) == ([], 1)
    assert ensure(session, FIRST).steps == []


def test_a_writer_in_between_costs_nobody_a_value(
    session: DirectorySession, published: Witness, domain: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host publishes, and refreshes the very value that is just being made static, between read and write."""
    modify = DirectorySession.modify
    turns: list[str] = []

    def raced(self, dn, changes, right, **more):
        turns.append(dn)
        if len(turns) == 1:
            modify(session, dn, [("delete", "dnsRecord", [before]), ("add", "dnsRecord", [refreshed])], "")
        modify(self, dn, changes, right, **more)

    entry = session.read(KMS_RECORD_DN, ["dnsRecord"])
    before = entry.first("dnsRecord") if entry else b""
    hours = int.from_bytes(before[20:24], "little") + 1
    refreshed = before[:20] + hours.to_bytes(4, "little") + before[24:]
    monkeypatch.setattr(DirectorySession, "modify", raced)
    done = ensure(session, (0, 0, 1688, KMS_1.fqdn), FIRST)
    assert [step.attribute for step in done.steps] == [f"aging of 0 0 1688 {KMS_1.fqdn}", f"value 10 75 1688 {KMS_1.fqdn}"]
    assert len(turns) == 2
    assert stored(domain) == [("SRV", 3600, 0)] * 2


def test_who_may_not_is_told_which_right(published: Witness) -> None:
    with open_session(settings(f"{DELEGATE}@{names.REALM}", DELEGATE_PASSWORD)) as session:
        planned = ensure(session, FIRST, check_mode=True)
        assert planned.steps
        assert "lacks WRITE_PROPERTY (dnsRecord" in planned.lacks
        with pytest.raises(StepFailed) as failed:
            ensure(session, FIRST)
    cause = failed.value.__cause__
    assert "lacks WRITE_PROPERTY (dnsRecord" in str(cause)
    assert KMS_RECORD_DN in str(cause)
    assert published.srv() == [Srv(0, 0, 1688, KMS_1.fqdn)]
