# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A grant changes what is the principal's own, and nothing else."""

from __future__ import annotations

import pytest
from descriptor_strategies import acls, canonical_dacls, sids, words
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import grants, rights
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sddl import from_sddl, to_sddl
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.security_descriptor import INHERITED, Ace, Acl
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sid import Sid

pytestmark = pytest.mark.tier("quick")

GROUP = Sid.from_text("S-1-5-21-1-2-3-1110")
GROUP_TEXT = str(GROUP)
SCENARIO = rights.mask_of(["read", "write", "delete"])
DENYING = (0x01, 0x06, 0x0A, 0x0C)  # the ACE types that deny (MS-DTYP 2.4.4.1)
masks = words.map(lambda bits: rights.mapped(bits) & 0x000F01FF).filter(bool)
names = st.lists(st.sampled_from(sorted(rights.RIGHTS)), min_size=1, unique=True)


def dacl_of(text: str) -> Acl:
    """The DACL of SDDL in which G stands for the group."""
    dacl = from_sddl(f"D:{text.replace(';G)', f';{GROUP_TEXT})')}").dacl
    if dacl is None:
        raise ValueError(text)
    return dacl


def text_of(dacl: Acl) -> str:
    """The ACEs as SDDL, the group as G."""
    return to_sddl(from_sddl("D:").with_dacl(dacl)).removeprefix("D:").replace(GROUP_TEXT, "G")


def others(dacl: Acl, sid: Sid) -> list[bytes]:
    """What is not the principal's, as bytes and in order."""
    return [ace.to_bytes() for ace in dacl.aces if not (isinstance(ace, Ace) and ace.sid == sid)]


def is_canonical(dacl: Acl) -> bool:
    """Whether explicit ACEs stand before inherited ones, and explicit ones that deny before those that allow."""
    ranks = [2 if ace.flags & INHERITED else int(ace.type not in DENYING) for ace in dacl.aces]
    return ranks == sorted(ranks)


def owns(dacl: Acl, sid: Sid) -> bool:
    return any(isinstance(ace, Ace) and ace.sid == sid for ace in dacl.aces)


@given(acls, sids, masks)
def test_granting_and_taking_back_leaves_every_byte(dacl: Acl, sid: Sid, mask: int) -> None:
    assume(not owns(dacl, sid))
    granted = grants.grant(dacl, sid, mask)
    assert others(granted, sid) == others(dacl, sid)
    assert grants.granted(granted, sid) == mask
    assert grants.revoke(granted, sid, mask).to_bytes() == dacl.to_bytes()


@given(st.one_of(acls, canonical_dacls), st.data(), masks)
def test_a_grant_is_idempotent_and_covers_what_was_asked(dacl: Acl, draw: st.DataObject, mask: int) -> None:
    sid = draw.draw(st.one_of(sids, st.sampled_from([ace.sid for ace in dacl.aces if isinstance(ace, Ace)] or [GROUP])))
    granted = grants.grant(dacl, sid, mask)
    assert grants.granted(granted, sid) == grants.granted(dacl, sid) | mask
    assert others(granted, sid) == others(dacl, sid)
    assert grants.grant(granted, sid, mask) is granted
    taken = grants.revoke(granted, sid, mask)
    assert not grants.granted(taken, sid) & mask
    assert others(taken, sid) == others(dacl, sid)


@given(canonical_dacls, st.one_of(sids, st.just(GROUP)), masks)
def test_a_canonical_list_stays_canonical(dacl: Acl, sid: Sid, mask: int) -> None:
    assert is_canonical(dacl)
    for changed in (grants.grant(dacl, sid, mask), grants.revoke(dacl, sid, mask), grants.grant_exactly(dacl, sid, mask)):
        assert is_canonical(changed)
        assert others(changed, sid) == others(dacl, sid)


@given(st.one_of(acls, canonical_dacls), st.data(), masks)
def test_what_is_inherited_is_never_touched(dacl: Acl, draw: st.DataObject, mask: int) -> None:
    inherited = [ace for ace in dacl.aces if ace.flags & INHERITED]
    sid = draw.draw(st.sampled_from([ace.sid for ace in inherited if isinstance(ace, Ace)] or [GROUP]))
    for changed in (grants.grant(dacl, sid, mask), grants.revoke(dacl, sid, mask), grants.grant_exactly(dacl, sid, mask)):
        assert [ace for ace in changed.aces if ace.flags & INHERITED] == inherited


@given(st.one_of(acls, canonical_dacls), st.data(), masks)
def test_an_exact_grant_is_exact_and_idempotent(dacl: Acl, draw: st.DataObject, mask: int) -> None:
    sid = draw.draw(st.one_of(sids, st.sampled_from([ace.sid for ace in dacl.aces if isinstance(ace, Ace)] or [GROUP])))
    exact = grants.grant_exactly(dacl, sid, mask)
    assert grants.granted(exact, sid) == mask
    assert grants.partial_grants(exact, sid) == []
    assert others(exact, sid) == others(dacl, sid)
    assert grants.grant_exactly(exact, sid, mask) == exact


@pytest.mark.parametrize("part", ["(OA;;CR;e0fa1e69-9b45-11d0-afdd-00c04fd930c9;;G)", "(A;CIIO;GA;;;G)"])
def test_an_exact_grant_takes_rights_on_parts_and_children(part: str) -> None:
    dacl = dacl_of(f"(A;;WP;;;G){part}")
    assert grants.granted(dacl, GROUP) == 0x20
    assert text_of(grants.grant_exactly(dacl, GROUP, 0x20)) == "(A;;WP;;;G)"


def test_what_denies_the_principal_stays() -> None:
    dacl = dacl_of("(D;;WP;;;G)(A;;RP;;;G)")
    assert text_of(grants.grant_exactly(dacl, GROUP, 0x20)) == "(D;;WP;;;G)(A;;WP;;;G)"
    assert text_of(grants.revoke(dacl, GROUP, 0x30)) == "(D;;WP;;;G)"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "(A;;RPWPLCLORCSDSW;;;G)"),
        ("(D;;WP;;;AN)(A;;RP;;;WD)(A;CIID;RP;;;SY)", "(D;;WP;;;AN)(A;;RP;;;WD)(A;;RPWPLCLORCSDSW;;;G)(A;CIID;RP;;;SY)"),
        ("(A;CIID;RP;;;SY)", "(A;;RPWPLCLORCSDSW;;;G)(A;CIID;RP;;;SY)"),
        ("(A;;RP;;;G)(A;;RP;;;WD)", "(A;;RPWPLCLORCSDSW;;;G)(A;;RP;;;WD)"),
        ("(A;;GA;;;G)", "(A;;GA;;;G)"),
        ("(A;;GRGWSD;;;G)", "(A;;GRGWSD;;;G)"),
        ("(A;;RPLCLORC;;;G)(A;;WPSWSD;;;G)", "(A;;RPLCLORC;;;G)(A;;WPSWSD;;;G)"),
        ("(A;CI;RP;;;G)", "(A;CI;RP;;;G)(A;;WPLCLORCSDSW;;;G)"),
        ("(A;CIIO;GA;;;G)", "(A;CIIO;GA;;;G)(A;;RPWPLCLORCSDSW;;;G)"),
        ("(A;ID;GA;;;G)", "(A;;RPWPLCLORCSDSW;;;G)(A;ID;GA;;;G)"),
        (
            "(OA;;WP;e0fa1e69-9b45-11d0-afdd-00c04fd930c9;;G)",
            "(A;;RPWPLCLORCSDSW;;;G)(OA;;WP;e0fa1e69-9b45-11d0-afdd-00c04fd930c9;;G)",
        ),
    ],
)
def test_where_a_grant_goes(before: str, after: str) -> None:
    assert text_of(grants.grant(dacl_of(before), GROUP, SCENARIO)) == text_of(dacl_of(after))


@pytest.mark.parametrize(
    ("taken", "before", "after"),
    [
        (["write"], "(A;;RPWPLCLORCSDSW;;;G)", "(A;;RPLCLORCSD;;;G)"),
        (["read"], "(A;;RPWPLCLORCSDSW;;;G)", "(A;;WPSWRCSD;;;G)"),
        (["read", "write"], "(A;;RPWPLCLORCSDSW;;;G)", "(A;;SD;;;G)"),
        (["read", "write", "delete"], "(A;;RPWPLCLORCSDSW;;;G)", ""),
        (["read_control"], "(A;;RPWPLCLORCSDSW;;;G)", "(A;;RPWPLCLOSDSW;;;G)"),
        (["full_control"], "(A;;GA;;;G)", ""),
        (["delete"], "(A;;GA;;;G)", "(A;;RPWPCRCCDCLCLORCWOWDDTSW;;;G)"),
    ],
)
def test_taking_leaves_whole_what_stays(taken: list[str], before: str, after: str) -> None:
    dacl = dacl_of(before)
    mask = grants.revocable(taken, grants.granted(dacl, GROUP))
    assert text_of(grants.revoke(dacl, GROUP, mask)) == text_of(dacl_of(after))


@given(names, masks)
def test_nothing_of_what_is_taken_stays(taken: list[str], held: int) -> None:
    left = held & ~grants.revocable(taken, held)
    assert not rights.granted_of(taken, left)


def test_denials_are_seen_where_they_hit_the_object() -> None:
    dacl = dacl_of("(D;;WP;;;AN)(D;CIIO;WP;;;G)(D;;CR;;;G)(OD;;WP;;;AU)(A;;WP;;;G)(D;ID;GA;;;WD)")
    everyone, authenticated = Sid.from_text("S-1-1-0"), Sid.from_text("S-1-5-11")
    found = grants.denials(dacl, {GROUP, everyone, authenticated}, rights.mask_of(["write"]))
    assert [ace.sid for ace in found] == [authenticated, everyone]
