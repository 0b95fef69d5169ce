# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verbs read of a host, each part of it only when a verb asks for it, and again after a change."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

from ..._core.errors import ActivationError
from ..._licensing.channels import Channel
from ..._wsman.cim import Value
from ..._wsman.session import Session
from ..platform.versions import WindowsVersion
from ..spp import licensing
from ..spp.licensing import Product

Row = dict[str, Value]

SKU_COLUMNS = (
    *licensing.PRODUCT_COLUMNS,
    "IsKeyManagementServiceMachine",
    "KeyManagementServiceMachine",
    "KeyManagementServicePort",
    "KeyManagementServiceLookupDomain",
    "VLActivationTypeEnabled",
    "RemainingAppReArmCount",
    "RemainingSkuReArmCount",
)
"""What verbs need of a product. The installation ID is asked for by itself, because Windows computes it."""

_OLD_COLUMNS = (*licensing.SERVICE_COLUMNS, "IsKeyManagementServiceMachine", "RemainingWindowsReArmCount")
_NEW_COLUMNS = ("Version", "KeyManagementServiceHostCaching", "KeyManagementServiceLookupDomain")


@dataclass(slots=True)
class Sku:
    """A product as verbs see it: what every module knows of one, and the row that it was read from."""

    row: Row

    @property
    def product(self) -> Product:
        """The product."""
        return licensing.product_of(self.row)

    @property
    def id(self) -> str:
        """Its activation ID."""
        return str(self.row["ID"] or "")

    @property
    def shown(self) -> str:
        """Its name, for messages."""
        return str(self.row["Name"] or self.id)


class SlmgrHost:
    """A host during one task.

    Args:
        session: The host.
        original: Of a trial, the host as it really is.

    Attributes:
        key_planned: In a trial, an earlier verb installs a key.
        rearms_planned: In a trial, how many rearms of each kind earlier verbs spend.
    """

    def __init__(self, session: Session, original: SlmgrHost | None = None) -> None:
        self.session = session
        self._original = original
        self._planned: Row = {}
        self.key_planned = False
        self.rearms_planned: dict[str, int] = {}
        self._service: Row | None = None
        self._skus: list[Sku] | None = None
        self._keyless: dict[str, Sku] = {}

    @property
    def host(self) -> str:
        """Its name in the inventory."""
        return self.session.host

    def trial(self) -> SlmgrHost:
        """The same host as a plan would leave it: what is changed of it is not changed there."""
        return SlmgrHost(self.session, self)

    def forget(self) -> None:
        """Read again what is asked for next."""
        self._skus, self._keyless = None, {}
        # Its version is the key of the service and does not change.
        if self._service is not None:
            self._service = {"Version": self._service["Version"]}

    def service(self, column: str) -> Value:
        """A column of SoftwareLicensingService."""
        if self._original is not None:
            return self._planned[column] if column in self._planned else self._original.service(column)
        row = self._service
        if row is None or (column not in row and column in _OLD_COLUMNS):
            row = self._service = {**licensing.read_service(self.session, _OLD_COLUMNS)}
        if column not in row:
            row |= licensing.read_service(self.session, _NEW_COLUMNS, self.windows)
        return row[column]

    @property
    def version(self) -> str:
        """The service's version, which is its key."""
        return str(self.service("Version"))

    @property
    def windows(self) -> WindowsVersion:
        """The version of Windows."""
        return licensing.version_of({"Version": self.service("Version")})

    @property
    def skus(self) -> list[Sku]:
        """All products that hold a key."""
        if self._skus is None and self._original is not None:
            self._skus = copy.deepcopy(self._original.skus)
        elif self._skus is None:
            self._skus = [Sku(dict(product.row)) for product in self.products(licensing.HOLDS_KEY, SKU_COLUMNS)]
        return self._skus or []

    @property
    def primary(self) -> Sku | None:
        """Windows itself, where it holds a key: the product that slmgr.vbs means where none is named."""
        return next((sku for sku in self.skus if sku.product.is_windows), None)

    def holds(self, partial_key: str) -> bool:
        """Whether a product holds the key with these last five characters."""
        return any(sku.row["PartialProductKey"] == partial_key for sku in self.skus)

    def with_key(self, product_id: str | None) -> Sku | None:
        """The product that a verb means, where it holds a key: the named one, or Windows itself."""
        if product_id is None:
            return self.primary
        return next((sku for sku in self.skus if sku.id.lower() == product_id), None)

    def keyed(self, product_id: str | None, verb: str) -> Sku:
        """As C(with_key), for a verb that needs one.

        Raises:
            ActivationError: There is none.
        """
        sku = self.with_key(product_id)
        if sku is None:
            which = f"the product {product_id}" if product_id else "Windows"
            raise ActivationError(
                f"{which} holds no product key, so there is nothing for {verb}. Install one with ipk first.",
                subject=self.host,
                source="windows",
            )
        return sku

    def named(self, product_id: str) -> Sku:
        """The product with that activation ID, whether it holds a key or not.

        Raises:
            ActivationError: The host has no such product.
        """
        product_id = product_id.lower()
        found = self.with_key(product_id) or self._keyless.get(product_id)
        if found is None and self._original is not None:
            found = self._keyless[product_id] = copy.deepcopy(self._original.named(product_id))
        if found is None:
            products = self.products(f"ID='{product_id}'", SKU_COLUMNS)
            if not products:
                raise ActivationError(
                    f"{self.host} has no product with the activation ID {product_id}; dlv with O(activation_id) all shows all that it has.",
                    source="windows",
                )
            found = self._keyless[product_id] = Sku(dict(products[0].row))
        return found

    def products(self, condition: str, columns: Sequence[str]) -> list[Product]:
        """The products that a WQL condition names, read now."""
        return licensing.read_products(self.session, self.windows, columns, condition)

    def set_service(self, column: str, value: Value) -> None:
        """In a trial: how a column of the service will read."""
        self._planned[column] = value

    def plan_key(self) -> None:
        """In a trial: a key was installed. Which product it belongs to, and what it makes of the computer, Windows has to say."""
        self.key_planned = True

    def remove(self, sku: Sku) -> None:
        """In a trial: a product holds its key no more."""
        self.skus.remove(sku)

    @property
    def has_host_key(self) -> bool:
        """Whether a KMS host key (CSVLK) is installed, by slmgr.vbs' own rule."""
        return any(sku.product.channel is Channel.CSVLK for sku in self.skus)

    @property
    def is_kms_host(self) -> bool:
        """Whether the computer is a KMS host. Windows before 7 tells it of the service alone."""
        return self.service("IsKeyManagementServiceMachine") == 1 or any(sku.row["IsKeyManagementServiceMachine"] == 1 for sku in self.skus)
