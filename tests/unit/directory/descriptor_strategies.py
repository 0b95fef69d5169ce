# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Descriptors as hypothesis makes them up: what AD stores, and what it could."""

from __future__ import annotations

from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import security_descriptor as sd
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.security_descriptor import (
    Ace,
    Acl,
    OpaqueAce,
    SecurityDescriptor,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sid import Sid

DOMAIN = Sid(5, (21, 1111, 2222, 3333))

words = st.integers(0, 0xFFFFFFFF)
sids = st.one_of(
    st.builds(Sid, st.integers(0, (1 << 48) - 1), st.lists(words, max_size=15).map(tuple)),
    st.builds(lambda rid: Sid(5, (*DOMAIN.subauthorities, rid)), st.integers(500, 1200)),
    st.sampled_from([Sid(1, (0,)), Sid(5, (11,)), Sid(5, (18,)), Sid(5, (32, 544))]),
)
guids = st.one_of(st.none(), st.uuids())
flags = st.integers(0, 0xFF)
plain_aces = st.builds(Ace, st.sampled_from([0, 1, 2]), flags, words, sids)
object_aces = st.builds(Ace, st.sampled_from([5, 6, 7]), flags, words, sids, guids, guids)
odd_aces = st.builds(
    Ace, st.sampled_from([5, 6, 7]), flags, words, sids, guids, guids, words.map(lambda bits: bits & ~3), st.binary(max_size=8)
)
opaque_aces = st.builds(OpaqueAce, st.sampled_from([3, 4, 9, 10, 11, 12, 15, 17, 18, 255]), flags, st.binary(max_size=40))
aces = st.one_of(plain_aces, object_aces, odd_aces, opaque_aces)
acls = st.builds(
    Acl,
    st.lists(aces, max_size=8).map(tuple),
    st.sampled_from([2, 4]),
    st.tuples(st.integers(0, 255), st.integers(0, 0xFFFF)),
    st.binary(max_size=8),
)


@st.composite
def descriptors(draw: st.DrawFn) -> SecurityDescriptor:
    """Any descriptor, with its parts in any order."""
    control = draw(st.integers(0, 0xFFFF)) | sd.SELF_RELATIVE
    order = tuple(draw(st.permutations(["owner", "group", "sacl", "dacl"])))
    parts = [draw(st.one_of(st.none(), part)) for part in (sids, sids, acls, acls)]
    return SecurityDescriptor(control, *parts, resource_manager=draw(st.integers(0, 255)), order=order)


def _rank(ace: Ace) -> int:
    if ace.flags & sd.INHERITED:
        return 4
    return {1: 0, 6: 1, 0: 2, 5: 3}[ace.type]


canonical_dacls = st.lists(
    st.builds(Ace, st.sampled_from([0, 1]), st.integers(0, 0x1F), words, sids)
    | st.builds(Ace, st.sampled_from([5, 6]), st.integers(0, 0x1F), words, sids, guids, guids),
    max_size=8,
).map(lambda entries: Acl(tuple(sorted(entries, key=_rank))))
