# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of Microsoft's published client setup keys belongs to an installation.

The key has to match the EditionID, never the caption: the caption is translated and renamed.
Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .office_setup_keys_data import ACTIVATION_IDS
from .office_setup_keys_data import ROWS as OFFICE_ROWS
from .setup_keys_data import WINDOWS

# Win32_OperatingSystem.ProductType.
WORKSTATION = 1
DOMAIN_CONTROLLER = 2
SERVER = 3

# Editions that are sold to consumers only, which no volume licence is for (EditionID since Vista).
_HOME = re.compile(
    r"(?:Core|CoreN|CoreSingleLanguage|CoreCountrySpecific|Starter\w*|HomeBasic\w*|HomePremium\w*|Ultimate\w*)", re.IGNORECASE
)
# SoftwareLicensingProduct.Name, such as "Office 21, Office21ProPlus2021VL_KMS_Client_AE edition". XC2R marks
# the Click-to-Run forms of Project and Visio 2016, which are products of their own.
_OFFICE_NAME = re.compile(
    r"Office(?P<release>1[456]|19|2[14])?(?P<product>[A-Z][A-Za-z]{1,64}?)(?P<c2r>XC2R)?(?P<year>20\d\d)?VL_", re.IGNORECASE
)
_OFFICE_RELEASES = {"14": "2010", "15": "2013", "16": "2016", "19": "2019", "21": "2021", "24": "2024"}
_OFFICE_PRODUCTS = {
    "proplus": "Professional Plus",
    "projectpro": "Project Professional",
    "projectstd": "Project Standard",
    "visiopro": "Visio Professional",
    "visiostd": "Visio Standard",
    "skypeforbusiness": "Skype for Business",
}
_EVALUATION = re.compile(r"Eval(?:Cor|Core)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SetupKey:
    """One published client setup key.

    Attributes:
        version: Such as C(Windows Server 2022).
        edition: Such as C(Datacenter).
        key: The 25 characters. They are public, and yet shown by name and last five only.
        source: The document that has it.
        verified: Whether that document is Microsoft's own and current.
        edition_ids: The EditionIDs that it belongs to; empty for rows that are found by name only.
        builds: The first and last build of each range; C(None) as last means "and later".
    """

    version: str
    edition: str
    key: str = field(repr=False)
    source: str
    verified: bool
    edition_ids: tuple[str, ...] = ()
    builds: tuple[tuple[int, int | None], ...] = ()

    @property
    def name(self) -> str:
        """Version and edition, for people."""
        return f"{self.version} {self.edition}"

    @property
    def last_five(self) -> str:
        """What Windows shows of the key once it is installed."""
        return self.key[-5:]

    @property
    def for_server(self) -> bool:
        """Whether the key is one of Windows Server."""
        return self.version.startswith("Windows Server")

    @property
    def for_office(self) -> bool:
        """Whether the key is one of Office, Project or Visio."""
        return self.version.startswith("Office")

    def has_build(self, build: int) -> bool:
        """Whether a build is in one of the ranges."""
        return any(first <= build and (last is None or build <= last) for first, last in self.builds)


WINDOWS_KEYS: tuple[SetupKey, ...] = tuple(
    SetupKey(version, edition, key, source, verified, edition_ids, builds)
    for version, edition, edition_ids, builds, key, source, verified in WINDOWS
)
OFFICE_KEYS: tuple[SetupKey, ...] = tuple(
    SetupKey(version, edition, key, source, verified) for version, edition, key, source, verified in OFFICE_ROWS
)

_BY_EDITION_ID: dict[str, list[SetupKey]] = {}
for _row in WINDOWS_KEYS:
    for _edition_id in _row.edition_ids:
        _BY_EDITION_ID.setdefault(_edition_id.lower(), []).append(_row)


def find(edition_id: str, build: int, product_type: int | None = None) -> SetupKey | None:
    """The client setup key of an installation of Windows; C(None) where Microsoft publishes none that fits.

    Args:
        edition_id: EditionID of C(HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion).
        build: The build number, such as 20348.
        product_type: Win32_OperatingSystem.ProductType (1 workstation, 2 domain controller, 3 server), where it is known;
            a key of the other kind is then never given.
    """
    for row in _BY_EDITION_ID.get(edition_id.strip().lower(), ()):
        if row.has_build(build) and (product_type is None or row.for_server == (product_type != WORKSTATION)):
            return row
    return None


def is_evaluation(edition_id: str) -> bool:
    """Whether the edition is an evaluation, which takes no client setup key before DISM /Set-Edition converted it."""
    return _EVALUATION.search(edition_id.strip()) is not None


def find_office(version: str, product: str) -> SetupKey | None:
    """The client setup key of a product of the Office family by name: C(2021) or C(Office LTSC 2021), C(Professional Plus).

    Rows that only third parties have say so in C(verified).
    """
    wanted = version.lower().replace("office", "").replace("ltsc", "").strip()
    for row in OFFICE_KEYS:
        if row.version.endswith(f" {wanted}") and row.edition.lower() == product.strip().lower():
            return row
    return None


def is_home(edition_id: str) -> bool:
    """Whether the edition is one for consumers, which KMS does not activate."""
    return _HOME.fullmatch(edition_id.strip()) is not None


def office_product(name: str, activation_id: str = "") -> tuple[str, str] | None:
    """Version and product of a row of SoftwareLicensingProduct, such as C(2021) and C(Professional Plus); C(None) for another than
    a volume product of Office. To compare two rows, C(office_identity) is there: nothing that is C(None) here is like another.

    Args:
        name: The row's Name, which is the same in every language.
        activation_id: The row's ID, which decides where it is known.
    """
    if known := ACTIVATION_IDS.get(activation_id.lower()):
        return known
    found = _OFFICE_NAME.search(name)
    if found is None:
        return None
    version = found["year"] or _OFFICE_RELEASES[found["release"] or "15"]
    product = _OFFICE_PRODUCTS.get(found["product"].lower(), found["product"])
    return version, f"{product} (C2R)" if found["c2r"] else product


def office_identity(name: str, activation_id: str) -> tuple[str, ...]:
    """What two rows have in common that are licenses of one product of Office. A row that is not recognised has its own alone."""
    return office_product(name, activation_id) or ("", activation_id.lower(), name)


def office_setup_key(name: str, activation_id: str) -> SetupKey | None:
    """The client setup key of a row of SoftwareLicensingProduct; C(None) where it is no product of Office, or none is known for it."""
    product = office_product(name, activation_id)
    return find_office(*product) if product else None


def by_key(key: str) -> SetupKey | None:
    """The published key that a normalised key is; C(None) for any other, which is then a secret."""
    return _BY_KEY.get(key)


_BY_KEY = {row.key: row for row in (*WINDOWS_KEYS, *OFFICE_KEYS)}
