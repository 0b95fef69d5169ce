# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What activated a client."""

from __future__ import annotations

from ..._licensing.kms import effective_port
from ..._wsman.cim import Value
from ..._wsman.session import Session
from ..platform.returned import number
from ..spp import licensing
from ..spp.client_product import Chosen
from ..spp.client_settings import ACTIVATION_TYPES, SettingTarget

_BY_DIRECTORY, _BY_KMS = 1, 2


def activated_by(session: Session, chosen: Chosen, target: SettingTarget) -> dict[str, Value]:
    """An activation object, which members of a domain ask for first, or a KMS host.

    Args:
        session: The client.
        chosen: The product, as it was read after the activation.
        target: What holds its settings.
    """
    row = chosen.product.row if chosen.product else {}
    if row.get("VLActivationType") == _BY_DIRECTORY:
        return {"type": ACTIVATION_TYPES[_BY_DIRECTORY], "activation_object": row.get("ADActivationObjectName")}
    return {"type": ACTIVATION_TYPES[_BY_KMS], **_found_host(session, target)}


def _found_host(session: Session, target: SettingTarget) -> dict[str, Value]:
    """The KMS host that answered: the fixed one, or the one that Windows found and keeps after an activation."""
    fixed = target.value("kms_host")
    if fixed:
        return {"kms_host": fixed, "kms_port": effective_port(number(target.value("kms_port")))}
    name, port = "DiscoveredKeyManagementServiceMachineName", "DiscoveredKeyManagementServiceMachinePort"
    row = target.row
    if name not in row:
        row = licensing.read_service(session, (name, port))
    return {"kms_host": row[name], "kms_port": row[port]}
