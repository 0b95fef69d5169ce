# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The product that is to be a KMS client: Windows itself, a product of Office, or one that is named by its activation ID."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..._core.errors import ActivationError
from ..._licensing.channels import Channel
from ..._licensing.kms import OFFICE, WINDOWS, is_office
from ..._wsman.session import Session
from ..platform.versions import WINDOWS_8, WindowsVersion
from . import licensing
from .licensing import HOLDS_KEY, PRODUCT_COLUMNS, Product

THE_SYSTEM, THE_OFFICE = "windows", "office"
ACTIVATION_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ACTIVATION_TYPE = "VLActivationTypeEnabled"
_OF_THE_SYSTEM = (*PRODUCT_COLUMNS, "VLActivationType", "ADActivationObjectName")
_OWN_COLUMNS = (
    *_OF_THE_SYSTEM,
    "KeyManagementServiceMachine",
    "KeyManagementServicePort",
    "KeyManagementServiceLookupDomain",
    "DiscoveredKeyManagementServiceMachineName",
    "DiscoveredKeyManagementServiceMachinePort",
    _ACTIVATION_TYPE,
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was read.

    Attributes:
        product: The product; C(None) where Windows holds no key.
        others: Further products with a key that the setup key is to take the place of.
    """

    product: Product | None
    others: tuple[Product, ...] = ()

    @property
    def is_client(self) -> bool:
        """Whether it holds a client setup key."""
        return self.product is not None and self.product.channel is Channel.GVLK and bool(self.product.partial_key)

    @property
    def held(self) -> str | None:
        """The last five characters of the key that it holds, or of one that stands in its way."""
        found = [product.partial_key for product in (self.product, *self.others) if product and product.partial_key]
        return found[0] if found else None


def checked_product(text: str) -> str:
    """C(windows), C(office) or an activation ID, in lower case.

    Raises:
        ActivationError: It is none of them.
    """
    name = text.strip().strip("{}").lower()
    if name in (THE_SYSTEM, THE_OFFICE) or ACTIVATION_ID.fullmatch(name):
        return name
    raise ActivationError(f"O(product) is '{text}', but has to be windows, office or an activation ID.", source="options")


def read_chosen(session: Session, wanted: str, version: WindowsVersion, activation_type: bool = False) -> Chosen:
    """Read the product, in one query.

    Args:
        session: The host.
        wanted: What C(checked_product) gave.
        version: The host's version of Windows.
        activation_type: Whether the activation type of Windows is wanted.

    Raises:
        ActivationError: There is no such product, or more than one.
    """
    if wanted == THE_SYSTEM:
        columns = (*_OF_THE_SYSTEM, _ACTIVATION_TYPE) if activation_type else _OF_THE_SYSTEM
        return Chosen(licensing.windows_product(licensing.read_products(session, version, columns)))
    if version < WINDOWS_8:
        raise ActivationError(
            "before Windows 8 and Server 2012 only Windows itself can be chosen: Office keeps its licenses in a platform of its"
            " own there, which ospp.vbs manages.",
            subject=session.host,
            source="windows",
        )
    condition = f"ApplicationID = '{OFFICE}'" if wanted == THE_OFFICE else f"{HOLDS_KEY} or ID = '{wanted}'"
    rows = licensing.read_products(session, version, _OWN_COLUMNS, condition)
    clients = [row for row in rows if row.channel is Channel.GVLK and (wanted == THE_OFFICE or row.id.lower() == wanted)]
    if len(clients) > 1:
        listed = ", ".join(f"{row.id} ({row.name})" for row in clients)
        raise ActivationError(f"{session.host} has several volume products of Office; name one by product: {listed}.", source="options")
    if not clients:
        kind = "volume product of Office" if wanted == THE_OFFICE else f"KMS client product with the activation ID {wanted}"
        raise ActivationError(f"{session.host} has no {kind}; license_info and slmgr.vbs /dlv all show what there is.", source="options")
    return Chosen(clients[0], tuple(row for row in rows if _stands_in_the_way(row, clients[0])))


def _stands_in_the_way(row: Product, client: Product) -> bool:
    """Whether another license's key has to go: Windows replaces its own key, Office keeps all that were ever installed.

    Of Office only the key of another license for the same product goes, and only one whose kind is known.
    """
    if row.id == client.id or not row.partial_key or row.is_addon or row.application_id.lower() != client.application_id.lower():
        return False
    if is_office(row.application_id):
        return row.channel in (Channel.GVLK, Channel.MAK) and row.office_identity == client.office_identity
    return row.application_id.lower() == WINDOWS
