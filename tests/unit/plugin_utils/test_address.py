# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts with and without a port."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._address import split_address
from ansible_collections.winops.volume_activation.plugins.plugin_utils._errors import ActivationError


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


@pytest.mark.parametrize(
    "text", ["", ":1688", "kms-1:", "kms-1:0", "kms-1:65536", "kms-1:\u0661", "kms-1:x", "[::1", "[::1]x", "[::1]:", "a b", "[]:1"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ActivationError) as caught:
        split_address(text, 1688)
    assert caught.value.source == "options"
