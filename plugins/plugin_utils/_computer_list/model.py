# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a computer list holds. Pure."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

FORMAT = "winops.volume_activation.computer_list"
VERSION = 1
FULL = "full"
EXPORT = "export"
LICENSED = "licensed"
MAK = "mak"


def utc_now() -> str:
    """The time now as the format writes it, such as C(2026-11-27T03:42:07Z)."""
    return as_text(datetime.now(UTC))


def as_text(moment: datetime) -> str:
    """A point in time as the format writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_time(text: str) -> datetime:
    """A point in time as the format has it.

    Raises:
        ValueError: It is none.
    """
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


@dataclass(slots=True)
class ExportedProduct:
    """A product of a computer as it may leave an isolated network: nothing here names a computer or a person.

    Attributes:
        identifier: 128 random bits, hexadecimal; they mean something only beside the full list.
        activation_id: Which product it is, the same on every computer.
        installation_id: The IID, digits only; empty where Windows gives none.
        extended_pid: The ePID; empty where Windows gives none.
        confirmation_id: The CID, digits only, or C(None).
        asked: When Microsoft was asked for the CID. Set before the request goes out, and taken back only where the answer
            says that nothing was counted; without a CID beside it it is unknown whether the activation was counted.
    """

    identifier: str
    activation_id: str
    installation_id: str
    extended_pid: str
    confirmation_id: str | None = None
    asked: str | None = None

    @property
    def pending(self) -> bool:
        """Whether a CID is missing and could be asked for."""
        return self.confirmation_id is None and bool(self.installation_id) and bool(self.extended_pid)

    @property
    def unknown(self) -> bool:
        """Whether a CID was asked for and no answer is known."""
        return self.confirmation_id is None and self.asked is not None


@dataclass(slots=True)
class Activation:
    """The activation of a product by its CID.

    Attributes:
        began: When it was begun.
        ended: When it was over; C(None) while nobody knows how it ended.
        outcome: What came of it, such as C(licensed), or a sentence.
    """

    began: str | None = None
    ended: str | None = None
    outcome: str = ""


@dataclass(slots=True)
class ListedProduct(ExportedProduct):
    """A product as the full list has it.

    Attributes:
        name: Its name.
        channel: The kind of its key, as C(license_info) says it.
        license_status: As C(license_info) says it.
        partial_product_key: The last five characters of its key.
        mak: The name of the key in the key ring.
        activation: What came of applying the CID.
    """

    name: str = ""
    channel: str = ""
    license_status: str = ""
    partial_product_key: str = ""
    mak: str = ""
    activation: Activation = field(default_factory=Activation)

    @property
    def pending(self) -> bool:
        """See the base class; a product that is licensed, or has no MAK, needs none."""
        wanting = self.channel == MAK and self.license_status != LICENSED and self.confirmation_id is None
        return wanting and bool(self.installation_id) and bool(self.extended_pid)


@dataclass(slots=True)
class ListedComputer:
    """A computer of the full list, which knows it by its name in the inventory.

    Attributes:
        computer_name: Its NetBIOS name.
        fqdn: Its full DNS name; empty where it has none.
        address: Where it was reached.
        operating_system: The name of its Windows.
        read: When its state was read last; C(None) where that never succeeded.
        products: Its products by activation ID.
    """

    computer_name: str = ""
    fqdn: str = ""
    address: str = ""
    operating_system: str = ""
    read: str | None = None
    products: dict[str, ListedProduct] = field(default_factory=dict)

    @property
    def is_unfinished(self) -> bool:
        """Whether an activation was begun that is not known to have ended with a license."""
        return any(product.activation.began and product.activation.outcome != LICENSED for product in self.products.values())


@dataclass(slots=True)
class FullList:
    """The list that stays where the computers are.

    Attributes:
        list_id: A random UUID, by which an export finds back.
        saved: When it was written last.
        computers: By inventory name.
    """

    list_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    saved: str = field(default_factory=utc_now)
    computers: dict[str, ListedComputer] = field(default_factory=dict)

    def entries(self) -> Iterator[ExportedProduct]:
        """All products, in the order of names and activation IDs."""
        return (product for _name, product in self.listed())

    def listed(self) -> Iterator[tuple[str, ListedProduct]]:
        """All products with the inventory names of their computers."""
        for name, computer in sorted(self.computers.items()):
            for _activation_id, product in sorted(computer.products.items()):
                yield name, product


@dataclass(slots=True)
class Export:
    """What leaves.

    Attributes:
        list_id: That of the full list.
        products: In the order of their random identifiers, so that the order tells nothing.
    """

    list_id: str
    products: list[ExportedProduct] = field(default_factory=list)

    def entries(self) -> Iterator[ExportedProduct]:
        """All products."""
        return iter(self.products)


Document = FullList | Export


def new_identifier() -> str:
    """128 random bits as 32 hexadecimal digits."""
    return secrets.token_hex(16)
