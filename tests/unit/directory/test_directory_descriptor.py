# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes in are bytes out, and what is malformed is refused."""

from __future__ import annotations

import contextlib
import struct

import pytest
from descriptor_strategies import aces, acls, descriptors, sids
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import security_descriptor as sd
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.security_descriptor import (
    Ace,
    Acl,
    OpaqueAce,
    SecurityDescriptor,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sid import Sid

pytestmark = pytest.mark.tier("quick")


@given(sids)
def test_a_sid_survives_both_forms(sid: Sid) -> None:
    assert Sid.from_bytes(sid.to_bytes() + b"more") == sid
    assert Sid.from_text(str(sid)) == sid


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("S-1-5-18", "010100000000000512000000"),
        ("S-1-1-0", "010100000000000100000000"),
        ("S-1-5-32-544", "01020000000000052000000020020000"),
        ("S-1-0x100000000000", "0100100000000000"),
    ],
)
def test_known_sids(text: str, data: str) -> None:
    assert Sid.from_text(text).to_bytes().hex() == data
    assert str(Sid.from_bytes(bytes.fromhex(data))) == text


@pytest.mark.parametrize("text", ["", "S-1", "S-2-5-18", "S-1-5-", "S-1-5-4294967296", "KMS_1$", "S-1-5" + "-1" * 16])
def test_what_is_no_sid(text: str) -> None:
    with pytest.raises(ActivationError):
        Sid.from_text(text)


@pytest.mark.parametrize("data", ["", "0101", "020100000000000512000000", "0102000000000005120000", "011000000000000512000000"])
def test_what_are_no_sid_bytes(data: str) -> None:
    with pytest.raises(ActivationError):
        Sid.from_bytes(bytes.fromhex(data))


def test_the_domain_of_an_account() -> None:
    assert Sid.from_text("S-1-5-21-1-2-3-512").domain == Sid.from_text("S-1-5-21-1-2-3")
    assert Sid.from_text("S-1-5-32-544").domain is None


@settings(max_examples=200)
@given(descriptors())
def test_a_descriptor_survives_byte_for_byte(descriptor: SecurityDescriptor) -> None:
    data = descriptor.to_bytes()
    again = SecurityDescriptor.from_bytes(data)
    assert again.to_bytes() == data
    assert (again.control, again.owner, again.group) == (descriptor.control, descriptor.owner, descriptor.group)
    assert (again.sacl, again.dacl) == (descriptor.sacl, descriptor.dacl)


@given(aces)
def test_an_ace_is_what_it_was(ace: Ace | OpaqueAce) -> None:
    assert Acl.from_bytes(Acl((ace,)).to_bytes()).aces == (ace,)


@given(st.binary(max_size=60), st.integers(0, 255))
def test_an_ace_with_any_body_is_carried_along(body: bytes, kind: int) -> None:
    data = struct.pack("<BBHHH", 2, 0, 12 + len(body), 1, 0) + struct.pack("<BBH", kind, 0, 4 + len(body)) + body
    assert Acl.from_bytes(data).to_bytes() == data


@given(acls, st.data())
def test_a_list_that_is_cut_off_is_refused(acl: Acl, draw: st.DataObject) -> None:
    data = acl.to_bytes()
    with pytest.raises(ActivationError):
        Acl.from_bytes(data[: draw.draw(st.integers(0, len(data) - 1))])


@given(st.binary(max_size=80))
def test_noise_is_read_or_refused_and_nothing_else(data: bytes) -> None:
    with contextlib.suppress(ActivationError):
        SecurityDescriptor.from_bytes(data)


def test_a_known_descriptor() -> None:
    """Written by hand from MS-DTYP 2.4: owner and group SYSTEM, one ACE for Everyone, protected."""
    system, everyone = "010100000000000512000000", "010100000000000100000000"
    ace = "00001400" + "94000200" + everyone
    acl = "0400" + "1c00" + "0100" + "0000" + ace
    data = bytes.fromhex("0100" + "0494" + "14000000" + "20000000" + "00000000" + "2c000000" + system + system + acl)
    descriptor = SecurityDescriptor.from_bytes(data)
    assert descriptor.control == sd.SELF_RELATIVE | sd.DACL_PRESENT | sd.DACL_PROTECTED | sd.DACL_AUTO_INHERITED
    assert descriptor.owner == descriptor.group == Sid.from_text("S-1-5-18")
    assert descriptor.dacl == Acl((Ace(sd.ALLOWED, 0, 0x20094, Sid.from_text("S-1-1-0")),))
    assert descriptor.to_bytes() == data


@given(descriptors(), acls)
def test_what_is_written_is_the_dacl_alone(descriptor: SecurityDescriptor, dacl: Acl) -> None:
    written = SecurityDescriptor.from_bytes(descriptor.with_dacl(dacl).dacl_alone().to_bytes())
    assert (written.owner, written.group, written.sacl, written.dacl) == (None, None, None, dacl)
    assert written.control & sd.DACL_PRESENT
    assert not written.control & (sd.SACL_PRESENT | sd.SACL_PROTECTED)
    for bit in (sd.DACL_PROTECTED, sd.DACL_AUTO_INHERITED):
        assert written.control & bit == descriptor.control & bit


@pytest.mark.parametrize(
    ("size", "length"),
    [(28, 24), (28, 3), (28, 0), (27, 20), (4, 20)],
    ids=["entry beyond the list", "entry below its header", "entry of nothing", "list below its entry", "list below its header"],
)
def test_sizes_that_contradict_each_other_are_refused(size: int, length: int) -> None:
    ace = struct.pack("<BBHI", 0, 0, length, 0x20094) + Sid(1, (0,)).to_bytes()
    with pytest.raises(ActivationError):
        Acl.from_bytes(struct.pack("<BBHHH", 4, 0, size, 1, 0) + ace + bytes(16))


def test_a_list_that_is_smaller_than_its_header_is_refused() -> None:
    with pytest.raises(ActivationError):
        Acl.from_bytes(struct.pack("<BBHHH", 4, 0, 4, 0, 0))


@pytest.mark.parametrize("bit", [sd.DACL_PROTECTED, sd.DACL_AUTO_INHERITED, sd.DACL_AUTO_INHERIT_REQ, sd.DACL_DEFAULTED])
def test_what_the_control_says_of_the_dacl_is_kept(bit: int) -> None:
    assert SecurityDescriptor(sd.SELF_RELATIVE | bit, dacl=Acl(())).dacl_alone().control & bit


def test_a_dacl_that_has_become_too_long_is_refused() -> None:
    with pytest.raises(ActivationError, match="64 KB"):
        Acl((OpaqueAce(9, 0, b"x" * 60000), OpaqueAce(9, 0, b"x" * 60000))).to_bytes()
