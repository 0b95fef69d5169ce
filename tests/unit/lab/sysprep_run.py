# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task of sysprep on a simulated machine that may go down meanwhile, or no longer let its account in."""

from __future__ import annotations

from typing import Any

from unit.lab.product_session import DirectCarrier
from unit.lab.windows_fakes import FakeDomain, registry

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.code import http
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.sysprep.refusals import SysprepWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.sysprep.setup import Sysprep
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session
from lab.windows.host import Host
from lab.windows.sysprep import SETUP_STATE

GENERALIZED = "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"
PACKAGE = "Fabrikam.Notes_1.0.0.0_x64__abcdefghjkmnp"


class PoweredCarrier(DirectCarrier):
    """Knows whether the machine is on, and whether it trusts the account."""

    def __init__(self, host: Host, user: str) -> None:
        super().__init__(host)
        self._user = user

    def send(self, message: bytes) -> bytes:
        host = self._host
        if not host.is_up:
            raise ActivationError(f"{host.hostname}: nobody is there.", source="wsman", unreachable=True)
        if not host.trusts(self._user):
            raise ActivationError("HTTP 401.", subject=host.hostname, code=http(401), source="wsman", unreachable=True)
        return super().send(message)


def computer(park: FakeDomain, label: str = "ref-1", profile: str = "windows_11_enterprise", **options: Any) -> Host:
    """A reference computer in a workgroup."""
    return park.add(label, profile, **{"domain": "", "sysprep": 0, **options})


def sealing(
    host: Host, check_mode: bool = False, user: str = "labadmin", intercept: Any = None, **wish: Any
) -> tuple[Sysprep, DirectCarrier]:
    """A task that has not begun."""
    carrier = PoweredCarrier(host, user)
    if intercept is not None:
        carrier.intercept = intercept
    asked = SysprepWish(**{"poll": 0.02, "timeout": 30.0, **wish})
    return Sysprep(Session(carrier, host.hostname), asked, check_mode), carrier


def seal(host: Host, check_mode: bool = False, user: str = "labadmin", intercept: Any = None, **wish: Any) -> Sysprep:
    """The whole task."""
    task, _carrier = sealing(host, check_mode, user, intercept, **wish)
    task.change()
    return task


def state(host: Host) -> str:
    """Its image state."""
    text: str = host.snapshot_state()["image_state"]
    return text


def set_state(host: Host, text: str) -> None:
    """Write another one behind the back of the collection."""
    registry(host, "SetStringValue", SETUP_STATE, "ImageState", sValue=text)


def changes(task: Sysprep) -> list[tuple[str, Any, Any]]:
    """The steps of a task, without what carries them out."""
    return [(step.attribute, step.before, step.after) for step in task.steps]
