# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Search lists for DHCP servers and policies, and the table of orders."""

from __future__ import annotations

import configparser
import json
import re
from typing import Any

import dns.name
import pytest
from ansible.errors import AnsibleFilterError
from declared_topologies import contoso
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.filter.kms_topology import (
    kms_option_119,
    kms_order_table,
    kms_suffix_policy,
    kms_topology,
)

pytestmark = pytest.mark.tier("quick")

labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
# Few labels, so that names share their ends.
domains = st.lists(st.one_of(st.sampled_from(["com", "contoso", "east", "corp"]), labels), min_size=2, max_size=6).map(".".join)


def decoded(value: bytes) -> list[str]:
    """Another author's reading: dnspython follows the pointers."""
    place, found = 0, []
    while place < len(value):
        name, used = dns.name.from_wire(value, place)
        found.append(name.to_text(omit_final_dot=True))
        place += used
    return found


@given(st.lists(domains, min_size=1, max_size=40, unique=True))
# Ends that first occur where no pointer reaches.
@example([f"a-rather-long-label-number-{number}.net" for number in range(600)] + [f"{number}.corp.east.contoso.com" for number in range(3)])
@example([f"a-rather-long-label-of-site-number-{number}.contoso.com" for number in range(600)])
def test_what_is_encoded_can_be_read_and_is_never_longer_than_without_pointers(suffixes: list[str]):
    found = kms_option_119(suffixes)
    parts = [bytes.fromhex(part) for part in found["options"]]
    assert decoded(b"".join(parts)) == suffixes
    assert b"".join(parts) == bytes.fromhex(found["hex"])
    assert [len(part) for part in parts[:-1]] == [255] * (len(parts) - 1)
    assert 0 < len(parts[-1]) <= 255
    assert len(found["hex"]) // 2 <= sum(len(suffix) + 2 for suffix in suffixes)
    assert bool(found["windows"]) == (len(parts) == 1)


def test_the_example_of_rfc_3397():
    # Section 2: eng.apple.com. and marketing.apple.com., the second with a pointer to the place of apple.com.
    assert bytes.fromhex(kms_option_119(["eng.apple.com", "marketing.apple.com"])["hex"]) == b"\3eng\5apple\3com\0\tmarketing\xc0\4"


def test_the_texts_for_dhcp_servers_name_the_list_in_order():
    found = kms_option_119(["east.contoso.com", "WEST.contoso.com."])
    assert found["dhcpd"] == 'option domain-search "east.contoso.com", "west.contoso.com";'
    assert json.loads(found["kea"]) == {"name": "domain-search", "data": "east.contoso.com, west.contoso.com"}
    define, put = found["windows"].split("\n")
    assert define.startswith("Add-DhcpServerv4OptionDefinition ")
    listed = re.fullmatch(r"Set-DhcpServerv4OptionValue -OptionId 119 -Value ((?:0x[0-9A-F]{2},?)+)", put)
    assert bytes(int(byte, 16) for byte in listed[1].split(",")).hex() == found["hex"]


def test_the_policy_can_be_read_as_a_registry_file():
    found = kms_suffix_policy(["east.contoso.com", "west.contoso.com"], gpo="Contoso's suffixes")
    heading, _, rest = found["reg"].partition("\r\n")
    assert heading == "Windows Registry Editor Version 5.00"
    file = configparser.ConfigParser()
    file.optionxform = str
    file.read_string(rest)
    assert {key: dict(file[key]) for key in file.sections()} == {
        r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows NT\DNSClient": {'"SearchList"': '"east.contoso.com,west.contoso.com"'}
    }
    assert found["data"] == "east.contoso.com,west.contoso.com"
    assert "-Name 'Contoso''s suffixes' " in found["powershell"]
    assert found["powershell"].endswith(" -ValueName SearchList -Type String -Value 'east.contoso.com,west.contoso.com'")


def test_the_own_domain_of_each_site_stays_first():
    sites = kms_topology(contoso())["sites"]
    assert sites["east"]["dns_suffixes"] == ["east.contoso.com", "west.contoso.com"]
    assert sites["west"]["dns_suffixes"] == ["west.contoso.com", "east.contoso.com"]


@pytest.mark.parametrize(
    ("suffixes", "sentence"),
    [
        ([], "suffixes: give at least one DNS domain."),
        ("", "suffixes: give at least one DNS domain."),
        (["east.contoso.com", "we st.com"], "suffixes[1]: we st.com is no full DNS name, such as kms-1.contoso.com."),
        ({"east": 1}, "suffixes: dict is no list."),
    ],
)
def test_a_wrong_list_is_refused(suffixes: Any, sentence: str):
    for render in (kms_option_119, kms_suffix_policy):
        with pytest.raises(AnsibleFilterError) as refused:
            render(suffixes)
        assert str(refused.value) == sentence


def test_the_table_of_orders():
    assert kms_order_table(kms_topology(contoso())) == [
        "  step  KMS host                      of site  priority  weight  share",
        "Clients of east ask _vlmcs._tcp.east.contoso.com:",
        "     1  kms-e1.east.contoso.com:1688  east           10      75   75 %",
        "        kms-e2.east.contoso.com:1688  east           10      25   25 %",
        "     2  kms-w1.west.contoso.com:1688  west           90      75   75 %",
        "        kms-w2.west.contoso.com:1688  west           90      25   25 %",
        "Clients of west ask _vlmcs._tcp.west.contoso.com:",
        "     1  kms-w1.west.contoso.com:1688  west           10      75   75 %",
        "        kms-w2.west.contoso.com:1688  west           10      25   25 %",
        "     2  kms-e1.east.contoso.com:1688  east           90      75   75 %",
        "        kms-e2.east.contoso.com:1688  east           90      25   25 %",
    ]
