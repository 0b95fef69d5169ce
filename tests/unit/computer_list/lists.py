# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Computer lists for tests: one that is written out, and any."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import (
    Activation,
    Export,
    ExportedProduct,
    FullList,
    ListedComputer,
    ListedProduct,
    new_identifier,
)

WINDOWS_10 = "73111121-5638-40f6-bc11-f1d7b0d64300"
EPID = "06401-00206-271-298329-03-1033-19041.0000-3302026"
READ = "2026-11-27T03:42:07Z"


def iid(number: int) -> str:
    """An installation ID of 63 digits."""
    return f"{number:063}"


def cid(number: int) -> str:
    """A confirmation ID of 48 digits."""
    return f"9{number:047}"


def listed(number: int, **more: object) -> ListedProduct:
    """Windows 10 with a MAK that is not activated."""
    values = {
        "identifier": new_identifier(),
        "activation_id": WINDOWS_10,
        "installation_id": iid(number),
        "extended_pid": EPID,
        "name": "Windows(R), Enterprise edition",
        "channel": "mak",
        "license_status": "oob_grace",
        "partial_product_key": "7CFBY",
        "mak": "clients",
        **more,
    }
    return ListedProduct(**values)  # type: ignore[arg-type]


def computer(number: int, **more: object) -> ListedComputer:
    """A computer with one product."""
    product = listed(number, **more)
    return ListedComputer(
        computer_name=f"ISO-{number:03}",
        address=f"10.1.1.{number}",
        operating_system="Microsoft Windows 10 Enterprise",
        read=READ,
        products={product.activation_id: product},
    )


def isolated(computers: int = 3) -> FullList:
    """A list of so many computers."""
    return FullList(saved=READ, computers={f"iso-{number:03}": computer(number) for number in range(1, computers + 1)})


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
_digits = st.integers(0, 10**63).map(str)
_times = st.datetimes().map(lambda moment: f"{moment:%m-%dT%H:%M:%S}Z").map(lambda text: f"2026-{text}".replace("-02-29", "-02-28"))
_guids = st.uuids().map(str)
_identifiers = st.uuids().map(lambda value: value.hex)
_epids = st.text(f"{string.digits}{string.ascii_letters}.-", min_size=1, max_size=20)

products = st.builds(
    ExportedProduct,
    identifier=_identifiers,
    activation_id=_guids,
    installation_id=_digits,
    extended_pid=_epids,
    confirmation_id=st.none() | _digits,
    asked=st.none() | _times,
)
listed_products = st.builds(
    ListedProduct,
    identifier=_identifiers,
    activation_id=_guids,
    installation_id=_digits | st.just(""),
    extended_pid=_epids | st.just(""),
    confirmation_id=st.none() | _digits,
    asked=st.none() | _times,
    name=_texts,
    channel=st.sampled_from(["mak", "gvlk", "retail"]),
    license_status=st.sampled_from(["licensed", "oob_grace", "notification"]),
    partial_product_key=st.sampled_from(["7CFBY", "2YT43"]),
    mak=_texts,
    activation=st.builds(Activation, began=st.none() | _times, ended=st.none() | _times, outcome=_texts),
)
computers = st.builds(
    ListedComputer,
    computer_name=_texts,
    fqdn=_texts,
    address=_texts,
    operating_system=_texts,
    read=st.none() | _times,
    products=st.lists(listed_products, max_size=2, unique_by=lambda product: product.activation_id).map(
        lambda found: {product.activation_id: product for product in found}
    ),
)
_names = _texts.filter(bool)
full_lists = st.builds(FullList, list_id=_guids, saved=_times, computers=st.dictionaries(_names, computers, max_size=3)).filter(
    lambda found: len({product.identifier for product in found.entries()}) == len(list(found.entries()))
)
exports = st.builds(Export, list_id=_guids, products=st.lists(products, max_size=5, unique_by=lambda product: product.identifier))
