# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of setup keys against the rows collected from Microsoft's pages, and the row of many installations."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.office_setup_keys_data import (
    ACTIVATION_IDS,
    DEPLOYMENT_TOOL,
    OFFICE,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.setup_keys import (
    OFFICE_KEYS,
    WINDOWS_KEYS,
    SetupKey,
    find,
    find_office,
    is_home,
    office_identity,
    office_product,
    office_setup_key,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.setup_keys_data import GVLK, OLDER

pytestmark = pytest.mark.tier("quick")

COLLECTED = Path(__file__).with_name("setup_key_rows.txt")
_DOUBTED = re.compile(r" \[(?:M|L)")
_MARK = re.compile(r" \[(?:M|L)[^]]*\]| \(third-party list\)| \(older page\)")

MICROSOFT = {row.key: row for row in (*WINDOWS_KEYS, *OFFICE_KEYS) if row.source in (GVLK, OLDER, OFFICE, DEPLOYMENT_TOOL)}


VERSIONS = {
    "SAC 1809-20H2": "1809 to 20H2",
    "SAC 1803": "1803",
    "SAC 1709": "1709",
    "LTSC 2024/2021/2019": "10/11 2019, 2021, 2024",
    "LTSC 2024/2021": "10/11 2021, 2024",
    "LTSB 2016": "10 2016",
    "LTSB 2015": "10 2015",
}
"""What the collected facts write otherwise than the table."""


def _named(prefix: str, version: str, edition: str) -> str:
    """Version and edition of a row of the collected facts, as the table has them."""
    edition = _MARK.sub("", edition).replace("w/o", "without")
    if version.startswith("LTSB"):
        edition = edition.replace("Enterprise", "Enterprise LTSB")
    version = _MARK.sub("", version)
    return f"{prefix} {VERSIONS.get(version, version)} {edition}"


def test_every_row_of_microsofts_pages_is_the_same_here_and_none_is_missing() -> None:
    listed, doubted = {}, set()
    lines = [line for line in COLLECTED.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    for line in lines:
        prefix, version, edition, key = line.split(" | ")
        assert re.fullmatch(r"[A-Z0-9]{5}(?:-[A-Z0-9]{5}){4}", key)
        listed[key] = _named(prefix, version, edition)
        if _DOUBTED.search(line):
            doubted.add(key)
    assert len(lines) == len(listed)
    assert listed == {row.key: row.name for row in (*WINDOWS_KEYS, *OFFICE_KEYS)}
    assert listed.keys() - doubted == MICROSOFT.keys()


def test_the_table_is_the_one_that_was_compared_with_microsofts_pages() -> None:
    # Whoever changes a row compares it with its source, and then this.
    rows = sorted(f"{row.version}|{row.edition}|{row.key}|{row.source}|{row.verified}" for row in (*WINDOWS_KEYS, *OFFICE_KEYS))
    assert hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16] == "89eb408dfd38da6d"
    assert (len(rows), len(MICROSOFT)) == (155, 126)


@pytest.mark.parametrize(
    ("edition_id", "build", "last_five"),
    [
        ("ServerStandard", 7600, "R7VHC"),
        ("ServerEnterprise", 7601, "CPX3Y"),
        ("ServerDatacenter", 7601, "7M648"),
        ("ServerWeb", 7601, "6RTM4"),
        ("ServerHPC", 7601, "9QCTX"),
        ("Enterprise", 7601, "HVTHH"),
        ("Professional", 7601, "GPDD4"),
        ("ProfessionalN", 7601, "QY7MG"),
        ("ServerStandard", 9200, "92BT4"),
        ("ServerDatacenter", 9200, "8W83P"),
        ("Professional", 9200, "J8CK4"),
        ("Enterprise", 9200, "CWCK7"),
        ("ServerStandard", 9600, "MDVJX"),
        ("ServerDatacenterCore", 9600, "Q3VJ9"),
        ("Professional", 9600, "9D6T9"),
        ("Enterprise", 9600, "MKKG7"),
        ("ServerStandard", 14393, "KHKQY"),
        ("ServerDatacenter", 14393, "8XDDG"),
        ("ServerStandard", 17763, "J464C"),
        ("ServerDatacenter", 17763, "63DFG"),
        ("ServerStandard", 20348, "VMK7H"),
        ("ServerDatacenter", 20348, "6VM33"),
        ("ServerTurbine", 20348, "KHMXV"),
        ("ServerStandard", 26100, "MY832"),
        ("ServerDatacenter", 26100, "YP6DF"),
        ("ServerTurbine", 26100, "8MCRC"),
        ("Enterprise", 10240, "2YT43"),
        ("Professional", 19045, "T83GX"),
        ("Education", 19045, "VCFB2"),
        ("EnterpriseS", 19044, "J462D"),
        ("ProfessionalWorkstation", 22631, "6Q84J"),
        ("Enterprise", 26200, "2YT43"),
        ("IoTEnterpriseS", 26100, "PDQGT"),
    ],
)
def test_the_row_of_an_installation(edition_id: str, build: int, last_five: str) -> None:
    found = find(edition_id, build)
    assert found is not None
    assert found.verified
    assert found.last_five == last_five


# Names as Office's own tool prints them.
@pytest.mark.parametrize(
    ("name", "product", "last_five"),
    [
        ("Office 16, Office16ProPlusVL_KMS_Client edition", ("2016", "Professional Plus"), "WFG99"),
        ("Office 16, Office16StandardVL_MAK edition", ("2016", "Standard"), "DRTFM"),
        ("Office 16, Office16VisioProVL_KMS_Client edition", ("2016", "Visio Professional"), "RJRJK"),
        ("Office 16, Office16ProjectProXC2RVL_KMS_ClientC2R edition", ("2016", "Project Professional (C2R)"), "DRTW9"),
        ("Office 16, Office16ProjectStdXC2RVL_KMS_ClientC2R edition", ("2016", "Project Standard (C2R)"), "6836M"),
        ("Office 16, Office16VisioProXC2RVL_MAKC2R edition", ("2016", "Visio Professional (C2R)"), "RM6XC"),
        ("Office 16, Office16VisioStdXC2RVL_MAKC2R edition", ("2016", "Visio Standard (C2R)"), "W4423"),
        ("Office 19, Office19ProPlus2019VL_KMS_Client_AE edition", ("2019", "Professional Plus"), "6MWKP"),
        ("Office 19, Office19VisioStd2019VL_KMS_Client_AE edition", ("2019", "Visio Standard"), "X4VQ2"),
        ("Office 19, Office19ProjectStd2019VL_MAK_AE edition", ("2019", "Project Standard"), "JXD2M"),
        ("Office 21, Office21ProPlus2021VL_KMS_Client_AE edition", ("2021", "Professional Plus"), "6F7TH"),
        ("Office 21, Office21ProjectPro2021VL_KMS_Client_AE edition", ("2021", "Project Professional"), "QV9H8"),
        ("Office 21, Office21SkypeforBusiness2021VL_KMS_Client_AE edition", ("2021", "Skype for Business"), "XK29P"),
        ("Office 21, Office21Excel2021VL_KMS_Client_AE edition", ("2021", "Excel"), "G6RVC"),
        ("Office 24, Office24ProPlus2024VL_KMS_Client_AE edition", ("2024", "Professional Plus"), "GCVGB"),
        ("Office 15, OfficeProPlusVL_KMS_Client edition", ("2013", "Professional Plus"), "GVGXT"),
    ],
)
def test_the_row_of_a_product_of_office(name: str, product: tuple[str, str], last_five: str) -> None:
    assert office_product(name) == product
    found = find_office(*product)
    assert found is not None
    assert found.last_five == last_five
    assert found.verified == (product[0] in ("2016", "2019", "2021"))


@given(st.sampled_from([row for row in OFFICE_KEYS if row.verified]))
def test_every_product_of_office_is_found_by_a_name_made_of_it(row: SetupKey) -> None:
    version, edition = row.version.split()[-1], row.edition
    short = (
        edition.replace("Professional Plus", "ProPlus")
        .replace(" Professional", "Pro")
        .replace(" Standard", "Std")
        .replace(" (C2R)", "XC2R")
        .replace(" ", "")
    )
    year = "" if version == "2016" else version
    assert office_product(f"Office {version[2:]}, Office{version[2:]}{short}{year}VL_KMS_Client_AE edition") == (version, edition)


UNKNOWN = [
    "",
    "Windows(R), Enterprise edition",
    "Office 16, Office16ProPlusR_Retail edition",
    "Office 16, Office16O365ProPlusR_Subscription1 edition",
]


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_no_volume_product_of_office(name: str) -> None:
    assert office_product(name) is None


@pytest.mark.parametrize("activation_id", ACTIVATION_IDS)
def test_a_product_that_is_known_by_its_activation_id_needs_no_name(activation_id: str) -> None:
    found = office_setup_key("a name that nobody knows", activation_id.upper())
    assert found is not None
    assert (found.source, found.verified) == (DEPLOYMENT_TOOL, True)


@given(st.sampled_from(UNKNOWN), st.sampled_from(UNKNOWN), st.uuids(), st.uuids())
def test_what_is_not_recognised_is_like_nothing_but_itself(one: str, other: str, one_id: UUID, other_id: UUID) -> None:
    identities = office_identity(one, str(one_id)), office_identity(other, str(other_id))
    assert (identities[0] == identities[1]) is ((one, one_id) == (other, other_id))
    assert office_identity(one, str(one_id).upper()) == identities[0]
    assert identities[0] != office_identity("Office 21, Office21ProPlus2021VL_MAK_AE edition", str(one_id))


@pytest.mark.parametrize(
    ("edition_id", "home"),
    [
        ("Core", True),
        ("CoreSingleLanguage", True),
        ("HomePremium", True),
        ("Ultimate", True),
        ("ServerStandardCore", False),
        ("Professional", False),
    ],
)
def test_home_editions(edition_id: str, home: bool) -> None:
    assert is_home(edition_id) is home
