# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Software Protection Platform of one host: what it holds, and how it is called."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ..._core.codes.meaning import sentence
from ..._core.errors import ActivationError
from ..._core.text import LONGEST_NAME, visible
from ..._licensing.channels import Channel, classify
from ..._licensing.kms import WINDOWS
from ..._licensing.setup_keys import office_identity
from ..._licensing.status import LICENSED, status_name
from ..._wsman.cim import CimClass, Value
from ..._wsman.session import Session
from ..platform import told
from ..platform.classes import SOFTWARE_LICENSING_PRODUCT, SOFTWARE_LICENSING_SERVICE
from ..platform.returned import check_return_value, number
from ..platform.versions import VISTA, WINDOWS_7, WindowsVersion, parse_version, query

_CURRENT_VERSION = "Microsoft\\Windows NT\\CurrentVersion"
PLATFORM_KEY = f"SOFTWARE\\{_CURRENT_VERSION}\\SoftwareProtectionPlatform"
SKIP_REARM = "SkipRearm"
"""The value of that key by which Windows does nothing at a rearm."""

SERVICE_COLUMNS = (
    "Version",
    "KeyManagementServiceListeningPort",
    "KeyManagementServiceDnsPublishing",
    "KeyManagementServiceLowPriority",
    "VLActivationInterval",
    "VLRenewalInterval",
    "KeyManagementServiceMachine",
    "KeyManagementServicePort",
)
"""What the modules that change something need of the service."""

_SERVICE_STOPPING = 0xC004F075
_STOPPING_SECONDS = 60.0

PRODUCT_COLUMNS = (
    "ID",
    "ApplicationID",
    "Name",
    "Description",
    "LicenseFamily",
    "LicenseIsAddon",
    "LicenseStatus",
    "LicenseStatusReason",
    "GracePeriodRemaining",
    "PartialProductKey",
    "ProductKeyChannel",
    "RequiredClientCount",
)
"""What the modules that change something need of a product. Columns are named because C(select *) computes them all,
the installation ID among them, which takes seconds."""

HOLDS_KEY = "PartialProductKey is not null"
"""The products that slmgr.vbs looks at."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Product:
    """A product that holds a key.

    Attributes:
        id: Its activation ID, the key of the instance.
        description: Holds the channel in words that no language changes.
        key_channel: ProductKeyChannel, such as C(Volume:GVLK); empty before Windows 8.
        status: LicenseStatus, 0 to 6.
        grace_minutes: Minutes until the license or the grace period ends; 0 where it does not end.
        partial_key: The last five characters of the key.
        required_count: How many clients a KMS host has to have counted.
        row: The columns as they were read, for what only some tasks ask for.
    """

    id: str
    application_id: str
    name: str
    description: str
    family: str
    key_channel: str
    is_addon: bool
    status: int
    status_reason: int
    grace_minutes: int
    partial_key: str
    required_count: int
    row: Mapping[str, Value] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_windows(self) -> bool:
        """Whether it is Windows itself, as slmgr.vbs picks it: not Office, and not an add-on such as ESU."""
        return self.application_id.lower() == WINDOWS and not self.is_addon

    @property
    def office_identity(self) -> tuple[str, ...]:
        """What it shares with the other licenses for the same product of Office, and with nothing else."""
        return office_identity(self.name, self.id)

    @property
    def channel(self) -> Channel:
        """The kind of key that it holds."""
        return classify(self.description, self.key_channel)

    @property
    def licensed(self) -> bool:
        """Whether it is licensed now."""
        return self.status == LICENSED


def platform_keys(version: WindowsVersion) -> tuple[str, str]:
    """The registry key of the platform in the 64-bit and in the 32-bit view (KMS documentation; Vista calls it SL)."""
    name = "SoftwareProtectionPlatform" if version >= WINDOWS_7 else "SL"
    return (f"SOFTWARE\\{_CURRENT_VERSION}\\{name}", f"SOFTWARE\\WOW6432Node\\{_CURRENT_VERSION}\\{name}")


def read_service(session: Session, columns: Sequence[str] = SERVICE_COLUMNS, version: WindowsVersion = VISTA) -> dict[str, Value]:
    """The columns of SoftwareLicensingService; C(None) in those that this Windows lacks.

    Its key is its version, so it has to be found before a method of it can be called.

    Args:
        session: The host.
        columns: What is wanted of it.
        version: The version of Windows. Left out, only what every version has is asked for, Version among it.
    """
    rows = patiently(lambda: query(session, SOFTWARE_LICENSING_SERVICE, columns, version))
    if not rows:
        raise ActivationError(
            "WMI knows no SoftwareLicensingService; this Windows has no Software Protection Platform.",
            subject=session.host,
            source="windows",
        )
    return {**told.check_row(session.host, rows[0])}


def version_of(service: Mapping[str, Value]) -> WindowsVersion:
    """The version of Windows, by that of its licensing service: read without a request of its own."""
    return parse_version(str(service["Version"]))


def read_products(
    session: Session, version: WindowsVersion, columns: Sequence[str] = PRODUCT_COLUMNS, condition: str = HOLDS_KEY
) -> list[Product]:
    """Products: all that hold a key (Windows, its add-ons, Office) unless told otherwise.

    Args:
        session: The host.
        version: Its version of Windows, which decides what can be asked for.
        columns: PRODUCT_COLUMNS, and what else is wanted.
        condition: Which products, as a WQL condition.
    """
    rows = patiently(lambda: query(session, SOFTWARE_LICENSING_PRODUCT, columns, version, condition))
    return [product_of(told.check_row(session.host, row)) for row in rows]


def read_windows(session: Session, version: WindowsVersion) -> Product | None:
    """The product that is Windows itself; C(None) where no key is installed."""
    return windows_product(read_products(session, version))


def windows_product(products: Iterable[Product]) -> Product | None:
    """The product that is Windows itself; C(None) where no key is installed."""
    return next((product for product in products if product.is_windows), None)


def product_of(row: Mapping[str, Value]) -> Product:
    """A product from a row with PRODUCT_COLUMNS."""
    return Product(
        id=str(row["ID"] or ""),
        application_id=str(row["ApplicationID"] or ""),
        name=visible(str(row["Name"] or ""), LONGEST_NAME),
        description=visible(str(row["Description"] or ""), LONGEST_NAME),
        family=visible(str(row["LicenseFamily"] or ""), LONGEST_NAME),
        key_channel=visible(str(row["ProductKeyChannel"] or ""), LONGEST_NAME),
        is_addon=bool(row["LicenseIsAddon"]),
        status=number(row["LicenseStatus"]),
        status_reason=number(row["LicenseStatusReason"]),
        grace_minutes=number(row["GracePeriodRemaining"]),
        partial_key=str(row["PartialProductKey"] or ""),
        required_count=number(row["RequiredClientCount"]),
        row=row,
    )


def call_service(
    session: Session, version: str, method: str, arguments: Mapping[str, Value] | None = None, repeatable: bool = False
) -> None:
    """A method of SoftwareLicensingService. Setting a value twice does no harm; installing a key or activating does."""
    call_method(session, SOFTWARE_LICENSING_SERVICE, {"Version": version}, method, arguments, repeatable)


def call_method(
    session: Session,
    cim_class: CimClass,
    keys: Mapping[str, str],
    method: str,
    arguments: Mapping[str, Value] | None = None,
    repeatable: bool = False,
) -> None:
    """A method of the service, or of one product."""

    def call() -> None:
        answer = session.invoke(cim_class, method, arguments, keys, repeatable=repeatable)
        check_return_value(session, f"{cim_class.name}.{method}", answer)

    patiently(call) if repeatable else call()


def patiently(ask: Callable[[], _T]) -> _T:
    """Ask until sppsvc is no longer on its way down.

    It stops itself when nobody has asked it for a while and refuses what comes meanwhile; the next question after that starts
    it again. For what may be asked twice.
    """
    deadline = time.monotonic() + _STOPPING_SECONDS
    pause = 0.2
    while True:
        try:
            return ask()
        except ActivationError as failure:
            if failure.hresult != _SERVICE_STOPPING or time.monotonic() >= deadline:
                raise
        time.sleep(pause)
        pause = min(pause * 2, 2.0)


def spoken_status(product: Product | None) -> str:
    """A product's status with Windows' reason for it, as a clause."""
    if product is None:
        return "without a product key"
    reason = f" because of {sentence(product.status_reason).rstrip('.')}" if product.status_reason else ""
    return status_name(product.status) + reason
