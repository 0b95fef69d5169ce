# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be known of a computer before its image is sealed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..._wsman.session import Session
from ..platform import programs, registry
from ..platform.computer import OperatingSystem, read_names, read_operating_system
from ..platform.returned import number
from ..spp import licensing
from ..spp.licensing import Product
from .image_state import ImageState, read_image_state, reboot_is_pending, windows_folder
from .watch import PROGRAM

_SERVICE = ("Version", "ClientMachineID", "RemainingWindowsReArmCount")
_PRODUCTS = (*licensing.PRODUCT_COLUMNS, "RemainingAppReArmCount", "RemainingSkuReArmCount")


@dataclass(frozen=True, slots=True)
class ReferenceState:
    """The computer as it was read.

    Attributes:
        system: Its Windows.
        folder: Where that is.
        domain: The AD domain that it is a member of; empty in a workgroup.
        image: The state of its image.
        running: The process IDs of sysprep.
        reboot_is_pending: Whether updates wait for a restart.
        skips_rearm: Whether the registry tells Windows to do nothing at a rearm.
        rearms: How many of Windows itself are left.
        client_machine_id: The CMID, by which KMS hosts count.
        products: Those that hold keys.
    """

    system: OperatingSystem
    folder: str
    domain: str
    image: ImageState
    running: list[int]
    reboot_is_pending: bool
    skips_rearm: bool = False
    rearms: int = 0
    client_machine_id: str = ""
    products: tuple[Product, ...] = ()

    @property
    def windows_product(self) -> Product | None:
        """Windows itself."""
        return licensing.windows_product(self.products)

    @property
    def product_rearms(self) -> list[dict[str, Any]]:
        """What is left for each product that holds a key; C(None) before Windows 8, which counts for Windows alone."""
        return [
            {
                "activation_id": product.id,
                "name": product.name,
                "application_rearms": product.row["RemainingAppReArmCount"],
                "rearms": product.row["RemainingSkuReArmCount"],
            }
            for product in self.products
        ]

    def with_image(self, image: ImageState) -> ReferenceState:
        """The same with another state of the image."""
        return replace(self, image=image)


def read_machine(session: Session) -> ReferenceState:
    """All of it."""
    system = read_operating_system(session)
    machine = ReferenceState(
        system=system,
        folder=windows_folder(session),
        domain=read_names(session)[1],
        image=read_image_state(session),
        running=programs.running(session, PROGRAM),
        reboot_is_pending=reboot_is_pending(session),
    )
    return read_licensing(session, machine)


def read_licensing(session: Session, machine: ReferenceState) -> ReferenceState:
    """The same with what the licensing service says now."""
    key = licensing.platform_keys(machine.system.windows)[0]
    service = licensing.read_service(session, _SERVICE, machine.system.windows)
    return replace(
        machine,
        skips_rearm=bool(registry.read_number(session, key, licensing.SKIP_REARM)),
        rearms=number(service["RemainingWindowsReArmCount"]),
        client_machine_id=str(service["ClientMachineID"] or ""),
        products=tuple(licensing.read_products(session, machine.system.windows, _PRODUCTS)),
    )
