# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SDDL says the same as the bytes."""

from __future__ import annotations

import pytest
from descriptor_strategies import DOMAIN, guids, object_aces, opaque_aces, plain_aces, sids
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import security_descriptor as sd
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sddl import from_sddl, to_sddl
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.security_descriptor import Acl, SecurityDescriptor

pytestmark = pytest.mark.tier("quick")

_ACL_BITS = sd.DACL_AUTO_INHERIT_REQ | sd.DACL_AUTO_INHERITED | sd.DACL_PROTECTED
_SACL_BITS = sd.SACL_AUTO_INHERIT_REQ | sd.SACL_AUTO_INHERITED | sd.SACL_PROTECTED
acls = st.lists(st.one_of(plain_aces, object_aces, opaque_aces), max_size=6).map(lambda entries: Acl(tuple(entries)))


@st.composite
def expressible(draw: st.DrawFn) -> SecurityDescriptor:
    """A descriptor that says nothing for which SDDL has no words."""
    dacl, sacl = draw(st.one_of(st.none(), acls)), draw(st.one_of(st.none(), acls))
    control = sd.SELF_RELATIVE
    if dacl is not None or draw(st.booleans()):
        control |= sd.DACL_PRESENT | draw(st.integers(0, 0xFFFF)) & _ACL_BITS
    if sacl is not None or draw(st.booleans()):
        control |= sd.SACL_PRESENT | draw(st.integers(0, 0xFFFF)) & _SACL_BITS
    return SecurityDescriptor(control, draw(st.one_of(st.none(), sids)), draw(st.one_of(st.none(), sids)), sacl, dacl)


@given(expressible(), st.sampled_from([None, DOMAIN]))
def test_a_descriptor_survives_sddl(descriptor: SecurityDescriptor, domain: sd.Sid | None) -> None:
    assert from_sddl(to_sddl(descriptor, domain), domain) == descriptor


@pytest.mark.parametrize(
    "text",
    [
        "O:DAG:DAD:AI(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)(A;;RPLCLORC;;;WD)(OA;CIID;RPWPCR;91e647de-d96f-4b70-9557-d63ff4f3ccd8;;PS)",
        "O:S-1-5-21-9-9-9-1103G:DUD:PAI(D;;WPDT;;;AN)(A;CIIOID;GA;;;CO)",
        "D:NO_ACCESS_CONTROL",
        "D:P",
        "O:BAG:SYS:AI(OU;CIIOIDSA;WP;f30e3bbe-9ff0-11d1-b603-0000f80367c1;bf967aa5-0de6-11d0-a285-00aa003049e2;WD)",
    ],
)
def test_known_texts_come_back_as_they_were(text: str) -> None:
    assert to_sddl(from_sddl(text, DOMAIN), DOMAIN) == text


def test_the_rights_are_those_of_ms_dtyp() -> None:
    names = ["CC", "DC", "LC", "SW", "RP", "WP", "DT", "LO", "CR", "SD", "RC", "WD", "WO", "GA", "GX", "GW", "GR"]
    bits = [0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x40, 0x80, 0x100, 0x10000, 0x20000, 0x40000, 0x80000, 1 << 28, 1 << 29, 1 << 30, 1 << 31]
    for name, bit in zip(names, bits, strict=True):
        dacl = from_sddl(f"D:(A;;{name};;;WD)").dacl
        assert dacl is not None
        assert dacl.aces == (sd.Ace(sd.ALLOWED, 0, bit, sd.Sid(1, (0,))),)


def test_aliases_of_a_domain_need_the_domain() -> None:
    assert to_sddl(from_sddl("O:DA", DOMAIN)) == "O:S-1-5-21-1111-2222-3333-512"
    with pytest.raises(ActivationError):
        from_sddl("O:DA")


@pytest.mark.parametrize("text", ["D:(A;;RP;;DA)", "D:(Z;;RP;;;WD)", "D:(A;;QQ;;;WD)", "X:WD", "D:(A;;RP;x;;WD)", "D:(A;;RP;;;WD"])
def test_what_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ActivationError):
        from_sddl(text)


@given(guids, guids)
def test_guids_stand_where_sddl_has_them(first: object, second: object) -> None:
    text = f"D:(OA;;RP;{first or ''};{second or ''};WD)"
    assert to_sddl(from_sddl(text)) == text
