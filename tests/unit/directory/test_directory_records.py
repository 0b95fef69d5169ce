# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS records as bytes of the directory."""

from __future__ import annotations

import contextlib
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import dns_record
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.dns_record import DnsRecord, srv_data
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.value import SrvValue

pytestmark = pytest.mark.tier("quick")

shorts, words = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
labels = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=63)
targets = st.lists(labels, max_size=5).map(".".join).filter(lambda name: len(name) <= 253).map(lambda name: name or ".")
srv = st.builds(SrvValue, shorts, shorts, shorts, targets)
octets = st.integers(0, 255)
records = st.builds(
    DnsRecord, shorts, st.binary(max_size=80), words, words, words, octets, octets, shorts, words, surplus=st.binary(max_size=4)
)

# As Samba's DNS server stored them: a value that a host published itself, and one that samba-tool dns add made.
PUBLISHED = "1b00210005f000006e00000000000e100000000056f738000000000006981303056b6d732d3107636f6e746f736f03636f6d00"
ADDED = "1700210005f000000200000000000384000000000000000000020003" + "00010f03016107636f6e746f736f03636f6d00"
SOA = (
    "4100060005f000000100000000000e1000000000000000000000000100000384000002580001518000000e10"
    "11030364633107636f6e746f736f03636f6d0018030a686f73746d617374657207636f6e746f736f03636f6d00"
)


@given(records)
def test_a_record_survives_byte_for_byte(record: DnsRecord) -> None:
    assert DnsRecord.from_bytes(record.to_bytes()) == record
    assert DnsRecord.from_bytes(record.to_bytes()).to_bytes() == record.to_bytes()


@given(srv, words, words)
def test_a_value_survives(value: SrvValue, ttl: int, serial: int) -> None:
    record = DnsRecord.from_bytes(dns_record.static_srv(value, ttl, serial).to_bytes())
    assert (record.srv, record.ttl, record.serial, record.is_static) == (value, ttl, serial, True)


@pytest.mark.parametrize(
    ("data", "value", "ttl", "serial", "static"),
    [
        (PUBLISHED, SrvValue(0, 0, 1688, "kms-1.contoso.com"), 3600, 110, False),
        (ADDED, SrvValue(2, 3, 1, "a.contoso.com"), 900, 2, True),
    ],
)
def test_what_a_dns_server_stored(data: str, value: SrvValue, ttl: int, serial: int, static: bool) -> None:
    record = DnsRecord.from_bytes(bytes.fromhex(data))
    assert (record.srv, record.ttl, record.serial, record.is_static) == (value, ttl, serial, static)
    assert record.to_bytes().hex() == data
    if static:
        assert dns_record.static_srv(value, ttl, serial).to_bytes().hex() == data


def test_the_zone_says_its_serial_number() -> None:
    assert DnsRecord.from_bytes(bytes.fromhex(SOA)).zone_serial == 1
    assert DnsRecord.from_bytes(bytes.fromhex(ADDED)).zone_serial is None
    assert DnsRecord(dns_record.TYPE_SOA, b"\0\1", 0, 0).zone_serial is None


def test_a_value_that_turns_static_keeps_everything_else() -> None:
    record = DnsRecord.from_bytes(bytes.fromhex(PUBLISHED))
    turned = record.made_static(None, record.serial)
    assert turned.to_bytes().hex() == PUBLISHED.replace("56f73800", "00000000")
    assert record.made_static(60, 9).to_bytes().hex() == PUBLISHED.replace("56f73800", "00000000").replace("00000e10", "0000003c").replace(
        "6e000000", "09000000"
    )


def test_a_tombstone_tells_when() -> None:
    """The FILETIME of 1970-01-01 is 116444736000000000 (MS-DTYP 2.3.3)."""
    record = dns_record.tombstone(7, datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC))
    assert (record.type, record.serial, record.ttl, record.timestamp) == (0, 7, 0, 0)
    assert int.from_bytes(record.data, "little") == 116444736000000000
    assert record.srv is None


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (SrvValue(65536, 0, 1, "a"), "priority that is no number from 0 to 65535"),
        (SrvValue(0, -1, 1, "a"), "weight"),
        (SrvValue(0, 0, 70000, "a"), "port"),
        (SrvValue(0, 0, 1, "a..b"), "no host name"),
        (SrvValue(0, 0, 1, "a" * 64), "no host name"),
        (SrvValue(0, 0, 1, ".".join(["a" * 60] * 5)), "no host name"),
        (SrvValue(0, 0, 1, "a b"), "no host name"),
        (SrvValue(0, 0, 1, "kms-ü.test"), "xn--"),
    ],
)
def test_values_that_cannot_be(value: SrvValue, sentence: str) -> None:
    with pytest.raises(ActivationError, match=sentence):
        srv_data(value)


def test_values_are_names_of_hosts_as_dns_compares_them() -> None:
    assert dns_record.srv_values([(0, 0, 1688, "KMS.Test."), (0, 0, 1688, "kms.test"), (1, 0, 1688, ".")]) == (
        SrvValue(0, 0, 1688, "kms.test"),
        SrvValue(1, 0, 1688, "."),
    )


@given(st.binary(max_size=70))
def test_noise_is_read_or_left_out(value: bytes) -> None:
    found = dns_record.records_in([value])
    with contextlib.suppress(ActivationError):
        assert found == {value: DnsRecord.from_bytes(value)}
        assert found[value].to_bytes() == value
        _ = found[value].srv


@pytest.mark.parametrize("data", ["", "000100000000", "0f03056b6d", "0f0300"])
def test_a_target_that_is_cut_off_is_no_value(data: str) -> None:
    assert DnsRecord(dns_record.TYPE_SRV, bytes(6) + bytes.fromhex(data), 0, 0).srv is None


def stored(*labels: bytes) -> SrvValue | None:
    """The value of a record whose target has these labels."""
    name = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    data = bytes.fromhex("000000000698") + bytes((len(name) & 0xFF, len(labels))) + name
    return DnsRecord(dns_record.TYPE_SRV, data, 600, 1).srv


def test_a_target_equals_no_other_whatever_its_labels_hold() -> None:
    plain = SrvValue(0, 0, 1688, "kms-1.contoso.com")
    assert stored(b"kms-1", b"contoso", b"com") == plain
    assert stored(b"KMS-1", b"contoso", b"com") == plain
    odd = [
        stored(b"kms-1.contoso", b"com"),
        stored(b"kms-1", b"contoso\0", b"com"),
        stored(b"kms-1\n", b"contoso", b"com"),
        stored(b"k\xff", b"com"),
    ]
    assert [value.target for value in odd if value] == [
        "kms-1\\.contoso.com",
        "kms-1.contoso\\000.com",
        "kms-1\\010.contoso.com",
        "k\\255.com",
    ]
    assert stored(*[b"x" * 63] * 4) is None
    assert stored(b"x" * 64) is None


def test_a_target_is_written_as_dnspython_writes_it() -> None:
    dns_name = pytest.importorskip("dns.name")
    for byte in range(256):
        label = bytes((byte,)) + b"x"
        found = stored(label, b"com")
        assert found is not None
        assert found.target == dns_name.Name([label, b"com"]).to_text().lower()
