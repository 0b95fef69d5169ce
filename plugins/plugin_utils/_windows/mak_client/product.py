# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The product that a MAK is for, and whether a computer has it: what the document marks by an asterisk as an applicable computer.

Windows tells only after its installation which product a key belongs to. What can be said before is whether there is a license
for any MAK, because media for volume licenses bring those and retail and OEM media do not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..._core.errors import ActivationError
from ..._licensing.channels import Channel
from ..._licensing.kms import OFFICE, WINDOWS, is_office
from ..._licensing.setup_keys import is_evaluation, is_home
from ..._wsman.session import Session
from ..platform import forms
from ..platform.registry import read_string
from ..platform.versions import VISTA, WINDOWS_8, WindowsVersion, parse_version
from ..spp import licensing
from ..spp.client_product import ACTIVATION_ID, THE_OFFICE, THE_SYSTEM
from ..spp.licensing import PRODUCT_COLUMNS, Product
from ..spp.setup_key import CURRENT_VERSION_KEY

AN_ADD_ON = "add_on"
COLUMNS = (*PRODUCT_COLUMNS, "ProductKeyID")
"""What is read of products with a key; ProductKeyID is the extended PID."""

_FIRST_SERVICE_PACK = 6001
_DIGITS = re.compile(r"[0-9]{1,8}")


class NotApplicable(Exception):
    """No MAK can be installed on a computer; its text says why, as a clause about it.

    Args:
        why: The clause.
        hresult: The HRESULT by which Windows refused it.
    """

    def __init__(self, why: str, hresult: int | None = None) -> None:
        super().__init__(why)
        self.hresult = hresult


@dataclass(frozen=True, slots=True)
class Scope:
    """Which product is meant.

    Attributes:
        wanted: C(windows), C(office), C(add_on) or an activation ID in lower case.
    """

    wanted: str

    @property
    def suffix(self) -> str:
        """What a plan appends to the name of an attribute of it."""
        return "" if self.wanted == THE_SYSTEM else f" of {self.wanted}"

    @property
    def spoken(self) -> str:
        """Its name in a sentence."""
        names = {THE_SYSTEM: "Windows itself", THE_OFFICE: "Office", AN_ADD_ON: "an add-on of Windows"}
        return names.get(self.wanted, f"the product {self.wanted}")

    def covers(self, product: Product) -> bool:
        """Whether a product can be the one that is meant."""
        if self.wanted == THE_SYSTEM:
            return product.is_windows
        if self.wanted == THE_OFFICE:
            return is_office(product.application_id)
        if self.wanted == AN_ADD_ON:
            return product.is_addon and product.application_id.lower() == WINDOWS
        return product.id.lower() == self.wanted

    def of(self, products: Sequence[Product]) -> list[Product]:
        """Those of the products that it covers."""
        return [product for product in products if self.covers(product)]

    @property
    def condition(self) -> str:
        """The WQL condition for what a MAK could be installed for."""
        if self.wanted in (THE_SYSTEM, AN_ADD_ON):
            return f"ApplicationID = '{WINDOWS}' and Description like '%MAK%'"
        if self.wanted == THE_OFFICE:
            return f"ApplicationID = '{OFFICE}' and Description like '%MAK%'"
        return f"ID = '{self.wanted}'"


def is_vista_before_sp1(service_version: str) -> bool:
    """Whether this is the one Windows that locks users out when its grace period is over (reduced functionality mode)."""
    build = (*service_version.split("."), "", "", "")[2]
    return parse_version(service_version) == VISTA and bool(_DIGITS.fullmatch(build)) and int(build) < _FIRST_SERVICE_PACK


def products_for_mak(session: Session, version: WindowsVersion, scope: Scope, keyed: Sequence[Product]) -> list[Product]:
    """The products that a MAK could be installed for: one, or several licences for the same product of Office, or the years of ESU.

    Args:
        session: The host.
        version: Its version of Windows.
        scope: The product that is meant.
        keyed: The products that hold a key.

    Raises:
        NotApplicable: There is none.
        ActivationError: There are several products of Office.
    """
    if scope.wanted == THE_OFFICE and version < WINDOWS_8:
        raise NotApplicable("before Windows 8 and Server 2012 Office keeps its licenses in a platform of its own, which ospp.vbs manages")
    rows = scope.of(licensing.read_products(session, version, PRODUCT_COLUMNS, scope.condition))
    found = [row for row in rows if row.channel is Channel.MAK]
    # Of Windows itself, however it was named.
    of_windows = scope.wanted == THE_SYSTEM or any(row.is_windows for row in found)
    if of_windows and any(product.is_windows and product.channel is Channel.CSVLK for product in keyed):
        raise NotApplicable("it is a KMS host, whose key a MAK would replace; undo it first with kms_host and state: absent")
    if scope.wanted == THE_OFFICE and len({row.office_identity for row in found}) > 1:
        listed = ", ".join(f"{row.id} ({row.name})" for row in found)
        raise ActivationError(f"{session.host} has several volume products of Office; name one by product: {listed}.", source="options")
    if not found:
        raise NotApplicable(_of_windows(session, keyed) if scope.wanted == THE_SYSTEM else f"it has no license for a MAK of {scope.spoken}")
    return found


def replaced(keyed: Sequence[Product], products: Sequence[Product]) -> list[Product]:
    """The products whose key gives way to a MAK: that of Windows itself to another one of it, those of the same product of Office.

    Args:
        keyed: The products that hold a key.
        products: What C(products_for_mak) gave.
    """
    ids = {product.id for product in products}
    if any(is_office(product.application_id) for product in products):
        same = {product.office_identity for product in products}
        return [product for product in keyed if is_office(product.application_id) and product.office_identity in same]
    if any(product.is_addon for product in products):
        # A year of ESU stands beside another, and which one a key is for only Windows knows.
        return [product for product in keyed if product.id in ids] if len(products) == 1 else []
    if any(product.is_windows for product in products):
        return [product for product in keyed if product.is_windows]
    # Of another application, only what holds the key already is known to.
    return [product for product in keyed if product.id in ids]


def _of_windows(session: Session, keyed: Sequence[Product]) -> str:
    edition = read_string(session, CURRENT_VERSION_KEY, "EditionID", forms.WORD) or "unknown"
    if is_evaluation(edition):
        return f"it runs the evaluation edition {edition}, which takes no MAK before DISM /online /Set-Edition has converted it"
    if is_home(edition):
        return f"it runs the home edition {edition}, for which there are no MAKs; upgrade it to a volume edition first"
    channel = next((product.channel for product in keyed if product.is_windows), None)
    kind = {Channel.RETAIL: "a retail", Channel.OEM: "an OEM"}.get(channel, "an") if channel else "an"
    return f"it has {kind} installation of edition {edition} without volume licenses, which takes no MAK"


def checked_scope(text: str) -> str:
    """C(windows), C(office), C(add_on) or an activation ID, in lower case.

    Raises:
        ActivationError: It is none of them.
    """
    name = text.strip().strip("{}").lower()
    if name in (THE_SYSTEM, THE_OFFICE, AN_ADD_ON) or ACTIVATION_ID.fullmatch(name):
        return name
    raise ActivationError(f"O(product) is '{text}', but has to be windows, office, add_on or an activation ID.", source="options")
