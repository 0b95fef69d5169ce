# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab writes into its domain, byte by byte as MS-DNSP has it."""

from __future__ import annotations

import pytest

from lab import names
from lab.domain import entries

pytestmark = pytest.mark.tier("test")

FIRST, SECOND = names.controllers(2)
HEADER = 24
# SRV 0 100 389 dc1.contoso.com, as samba-tool's provision writes it.
SRV = entries.dns_record(33, bytes.fromhex("000000640185 11 03 03646331 07636f6e746f736f 03636f6d 00"))


def test_a_second_controller_gets_its_part_of_the_records() -> None:
    (added,) = entries.partner_records("_ldap._tcp", [SRV], FIRST, SECOND)
    assert entries.srv_of(added) == (0, 100, 389, "dc2.contoso.com")
    (added,) = entries.partner_records("@", [entries.address_record(FIRST.address)], FIRST, SECOND)
    assert added[HEADER:] == bytes([127, 0, 0, 11])


@pytest.mark.parametrize(
    ("label", "record"),
    [
        ("_ldap._tcp.pdc", SRV),
        ("dc1", entries.address_record(FIRST.address)),
        ("kms-1", entries.address_record("127.0.1.1")),
        ("@", entries.soa_record(FIRST.fqdn, "hostmaster.contoso.com")),
    ],
)
def test_what_is_the_first_ones_alone_stays_so(label: str, record: bytes) -> None:
    assert entries.partner_records(label, [record], FIRST, SECOND) == []


def test_a_counted_name_has_its_length_and_its_labels() -> None:
    assert entries.name_server_record("dc1.contoso.com")[HEADER:] == bytes.fromhex("11 03 03646331 07636f6e746f736f 03636f6d 00")


def test_there_are_no_more_than_two_controllers() -> None:
    with pytest.raises(ValueError, match="1 to 2"):
        names.controllers(3)
    assert [controller.address for controller in names.controllers(2, "127.0.0.40")] == ["127.0.0.40", "127.0.0.41"]
