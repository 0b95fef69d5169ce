# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts with and without a port."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.address import (
    checked_domain,
    checked_host,
    same_host,
    split_address,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError

pytestmark = pytest.mark.tier("quick")


@given(st.integers(1, 65535), st.one_of(st.from_regex(r"[a-z][a-z0-9.-]{0,30}", fullmatch=True), st.ip_addresses(v=4).map(str)))
def test_a_host_with_a_port_is_split(port: int, host: str) -> None:
    assert split_address(f" {host}:{port} ", 1688) == (host, port)
    assert split_address(host, 1688) == (host, 1688)
    assert split_address(host, 53) == (host, 53)


@given(st.integers(1, 65535), st.ip_addresses(v=6).map(str))
def test_an_ipv6_address_needs_brackets_for_a_port_only(port: int, address: str) -> None:
    assert split_address(f"[{address}]:{port}", 1688) == (address, port)
    assert split_address(f"[{address}]", 1688) == (address, 1688)
    assert split_address(address, 1688) == (address, 1688)


# Python reads no number of 5,000 digits.
MANY = f"kms-1:{'0' * 5000}1"


@pytest.mark.parametrize(
    "text", ["", ":1688", "kms-1:", "kms-1:0", "kms-1:65536", "kms-1:\u0661", "kms-1:x", "[::1", "[::1]x", "[::1]:", "a b", "[]:1", MANY]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ActivationError) as caught:
        split_address(text, 1688)
    assert caught.value.source == "options"


_LABELS = st.from_regex(r"[a-z_]([a-z0-9_-]{0,20}[a-z0-9_])?", fullmatch=True)
_NAMES = st.lists(_LABELS, min_size=1, max_size=5).map(".".join)


@given(_NAMES)
def test_a_name_is_taken_in_any_case_and_with_a_dot_at_its_end(name: str) -> None:
    for given_name in (name, f" {name.upper()}. "):
        assert checked_domain(given_name, "x") == name
        assert checked_host(given_name, "x") == name
        assert same_host(given_name, name)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_an_address_is_one_however_it_is_written(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    shown = checked_host(str(address), "x")
    assert shown == (f"[{address.compressed}]" if address.version == 6 else str(address))
    assert checked_host(shown, "x") == shown
    for text in (str(address), address.exploded, address.exploded.upper(), f"[{address.exploded}]"):
        assert same_host(text, shown)


@pytest.mark.parametrize(
    "text", ["", " ", ".", "a..b", "-a", "a-.b", "a b", "kms-1:1688", "b\u00fccher.example", "a" * 64, "a." * 126 + "aa"]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    for check in (checked_domain, checked_host):
        with pytest.raises(ActivationError, match="lookup is ") as caught:
            check(text, "lookup")
        assert caught.value.source == "options"


@pytest.mark.parametrize("text", ["192.0.2.256", "192.0.2", "[::1]:1688", "::g", "[kms-1]"])
def test_what_is_no_address_and_looks_like_one_is_no_host(text: str) -> None:
    with pytest.raises(ActivationError):
        checked_host(text, "kms_host")
