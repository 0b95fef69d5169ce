# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sysprep.exe: what it checks, what it writes to the registry, and what the next start of Windows makes of it.

States are those of Microsoft's page on the states of Windows Setup; that a generalized computer leaves its domain, and that a run without
a rearm left resets nothing, is docs/facts/images.md#generalize. The numbers in SysprepStatus are known from reports only: 7 is the one with which
sysprep starts.

In no source, and the lab's own choice, are: the order and time of what it writes, the other numbers and that 7 comes back, that a
restart that is due stops it and where that shows, the layout of the store of app packages and that libraries in it do not count, that
without /quiet an obstacle waits for somebody, and that the next start goes through OOBE at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from .registry import Registry, ValueType
from .spec import HostSpec

SETUP_STATE = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State"
STATUS = r"SYSTEM\Setup\Status\SysprepStatus"
APPX_STORE = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore"
PENDING_REBOOTS = (
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending",
    r"SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired",
)
FOLDER = r"c:\windows\system32\sysprep"

COMPLETE = "IMAGE_STATE_COMPLETE"
UNDEPLOYABLE = "IMAGE_STATE_UNDEPLOYABLE"
_IN_AUDIT_MODE = "IMAGE_STATE_SPECIALIZE_RESEAL_TO_AUDIT"
_READY, _AT_WORK, _CLEANED = 7, 3, 2

_USER = "S-1-5-21-1004336348-1177238915-682003330-1001"


@dataclass(frozen=True)
class Order:
    """A command line of sysprep. ``mode`` is that of /mode, ``answers`` the path of /unattend."""

    generalize: bool
    target: str
    finish: str
    quiet: bool
    mode: str = ""
    answers: str = ""


def parse(words: list[str]) -> Order | None:
    """The order, or None for what sysprep answers with its usage."""
    switches: set[str] = set()
    given = {"mode": "", "unattend": ""}
    for word in words:
        name, colon, value = word[1:].partition(":")
        if word[:1] not in ("/", "-"):
            return None
        if colon and name.lower() in given:
            given[name.lower()] = value
        else:
            switches.add(name.lower())
    targets, finishes = switches & {"oobe", "audit"}, switches & {"quit", "shutdown", "reboot"}
    if switches - {"generalize", "oobe", "audit", "quit", "shutdown", "reboot", "quiet"} or len(targets) != 1 or len(finishes) > 1:
        return None
    return Order(
        "generalize" in switches, targets.pop(), (finishes or {"reboot"}).pop(), "quiet" in switches, given["mode"], given["unattend"]
    )


def fresh(registry: Registry, spec: HostSpec) -> None:
    """What Setup leaves behind; of packages, one that all users have, and those that only one has."""
    registry.set(SETUP_STATE, "ImageState", ValueType.SZ, COMPLETE)
    registry.set(STATUS, "GeneralizationState", ValueType.DWORD, _READY)
    registry.set(STATUS, "CleanupState", ValueType.DWORD, _CLEANED)
    if spec.windows.schema >= 2018:
        for place in ("Applications", _USER):
            registry.create(rf"{APPX_STORE}\{place}\Microsoft.WindowsCalculator_10.1906.55.0_x64__8wekyb3d8bbwe")
        registry.create(rf"{APPX_STORE}\{_USER}\Microsoft.VCLibs.140.00_14.0.30704.0_x64__8wekyb3d8bbwe")
        for package in spec.user_packages:
            registry.create(rf"{APPX_STORE}\{_USER}\{package}")


class Sysprep:
    """The program on one machine.

    ``rearm`` spends a rearm, or raises where none is left; ``go_down`` takes the machine down, and up again for True; ``left_domain`` is
    told when the machine is a member of its domain no more.
    """

    def __init__(
        self,
        spec: HostSpec,
        registry: Registry,
        rearm: Callable[[], bool],
        go_down: Callable[[bool], None],
        left_domain: Callable[[], None],
    ) -> None:
        self._spec = spec
        self._registry = registry
        self._rearm = rearm
        self._go_down = go_down
        self._left_domain = left_domain
        self._timer: threading.Timer | None = None
        self.log: list[str] = []
        """setuperr.log."""

    @property
    def image_state(self) -> str:
        """ImageState."""
        return str(self._registry.data(SETUP_STATE, "ImageState", ""))

    def run(self, words: list[str]) -> Callable[[], bool]:
        """Start it; what is returned tells whether it has ended."""
        order = parse(words)
        if order is None or (order.mode and (order.mode.lower() != "vm" or self._spec.windows.schema < 2018)):
            return lambda: order is not None and order.quiet
        obstacle = self._obstacle(order)
        if obstacle:
            self.log.append(obstacle)
            # Without /quiet its message waits for somebody, on a desktop that nobody sees.
            return lambda: order.quiet
        self._set_state(UNDEPLOYABLE)
        self._registry.set(STATUS, "GeneralizationState", ValueType.DWORD, _AT_WORK)
        return self._later(lambda: self._end(order))

    def cancel(self) -> None:
        """Nothing more comes of a run: the machine was switched off."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def boot(self) -> None:
        """Windows starts: Setup goes through what the image is sealed for."""
        if self.image_state.endswith("_RESEAL_TO_OOBE"):
            self._set_state(COMPLETE)
        elif self.image_state.endswith("_RESEAL_TO_AUDIT"):
            self._set_state(_IN_AUDIT_MODE)

    def _obstacle(self, order: Order) -> str:
        """What stands in the way before anything is changed, as setuperr.log has it."""
        if self._registry.data(STATUS, "GeneralizationState", _READY) != _READY or self.image_state not in (COMPLETE, _IN_AUDIT_MODE):
            return "SYSPRP Sysprep will not run: the machine is in an invalid state, dwRet = 31"
        if order.generalize and any(self._registry.find(path) is not None for path in PENDING_REBOOTS):
            return "SYSPRP There are one or more Windows updates that require a reboot"
        if order.generalize and self._spec.windows.schema >= 2018:
            key = self._registry.find(rf"{APPX_STORE}\{_USER}")
            alone = [name for name in self._spec.user_packages if key and name.lower() in key.subkeys]
            return "".join(f"SYSPRP Package {name} was installed for a user, but not provisioned for all users" for name in alone)
        return ""

    def _end(self, order: Order) -> None:
        if self._spec.sysprep_fails:
            self.log.append("SYSPRP RunExternalDlls: halting sysprep execution, dwRet = 5")
            return
        if order.generalize:
            # Without a rearm left it ends well all the same, and resets nothing.
            if not self._rearm():
                self.log.append("SYSPRP the rearm count is 0")
            self._left_domain()
        self._registry.set(STATUS, "GeneralizationState", ValueType.DWORD, _READY)
        self._set_state(f"IMAGE_STATE_{'GENERALIZE' if order.generalize else 'SPECIALIZE'}_RESEAL_TO_{order.target.upper()}")
        if order.finish != "quit":
            self._go_down(order.finish == "reboot")

    def _later(self, act: Callable[[], None]) -> Callable[[], bool]:
        if self._spec.sysprep <= 0:
            act()
            return lambda: True

        def run() -> None:
            act()
            # It is there for a moment after it has written its state.
            time.sleep(min(self._spec.sysprep, 0.1))

        self._timer = timer = threading.Timer(self._spec.sysprep, run)
        timer.daemon = True
        timer.start()
        # It writes its state before it ends, however late it gets its turn.
        return lambda: not timer.is_alive()

    def _set_state(self, state: str) -> None:
        self._registry.set(SETUP_STATE, "ImageState", ValueType.SZ, state)
