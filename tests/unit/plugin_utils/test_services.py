# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restart whose orders or answers get lost: the state decides, and no order is given twice blindly."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform import services
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import UnknownOutcome

pytestmark = pytest.mark.tier("quick")


class Computer:
    """A session with a computer that has one service; C(losses) says what happens to each order in turn."""

    host = "kms-1"

    def __init__(self, *losses: str) -> None:
        self.losses = list(losses)
        self.state: dict[str, Any] = {"State": "Running", "ProcessId": 1}
        self.orders: list[str] = []
        self.late: list[str] = []

    def get(self, _cim_class: Any, _selectors: Any) -> dict[str, Any]:
        while self.late:
            self._do(self.late.pop())
        return dict(self.state)

    def invoke(self, _cim_class: Any, method: str, selectors: Any) -> dict[str, Any]:
        self.orders.append(method)
        loss = self.losses.pop(0) if self.losses else ""
        if loss in ("", "after"):
            code = self._do(method)
        if loss == "late":
            self.late.append(method)
        if loss:
            lost = UnknownOutcome("lost")
            lost.at_work = loss == "late"
            raise lost
        return {"ReturnValue": code}

    def _do(self, method: str) -> int:
        running = self.state["State"] == "Running"
        if method == "StopService":
            self.state = {"State": "Stopped", "ProcessId": 0}
            return 0 if running else 6
        if not running:
            self.state = {"State": "Running", "ProcessId": 2}
        return 10 if running else 0


@pytest.mark.parametrize(
    ("losses", "orders"),
    [
        ((), ["StopService", "StartService"]),
        (("after", "after"), ["StopService", "StartService"]),
        (("before", "", "before", ""), ["StopService", "StopService", "StartService", "StartService"]),
        (("late", "late"), ["StopService", "StartService"]),
    ],
)
def test_a_restart_in_spite_of_losses(losses: tuple[str, ...], orders: list[str]):
    computer = Computer(*losses)
    services.restart(computer, "sppsvc", timeout=1)
    assert computer.orders == orders
    assert computer.state == {"State": "Running", "ProcessId": 2}


def test_an_order_that_is_lost_every_time_is_an_error():
    computer = Computer(*["before"] * 50)
    with pytest.raises(ActivationError, match="StopService of the service sppsvc had no effect within 1 s"):
        services.restart(computer, "sppsvc", timeout=1)
    assert computer.state["ProcessId"] == 1
