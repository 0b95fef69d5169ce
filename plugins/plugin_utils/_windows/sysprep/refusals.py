# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the way of sealing an image: what sysprep would stop at, and what people would regret."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from ..._core.errors import ActivationError
from ..._core.text import LONGEST_NAME, some, visible
from ..._wsman.session import Session
from ..platform.versions import WINDOWS_8
from .image_state import COMPLETE, IN_AUDIT_MODE, UNDEPLOYABLE, sealed
from .state import ReferenceState
from .user_packages import blocking_packages
from .watch import PROGRAM

_READY = 7


@dataclass(frozen=True, slots=True)
class SysprepWish:
    """What is wanted; see the options of the module."""

    generalize: bool = True
    target: str = "oobe"
    finish: str = "quit"
    mode_vm: bool = False
    unattend: str | None = None
    skip_rearm: bool | None = None
    allow_domain_member: bool = False
    allow_rearm_exhausted: bool = False
    allow_user_packages: bool = False
    timeout: float = 1800.0
    poll: float = 5.0

    @property
    def image_state(self) -> str:
        """The state that the image is to have."""
        return sealed(self.generalize, self.target)


@dataclass(slots=True)
class SysprepRefusals:
    """A look at all of it.

    Attributes:
        session: The host.
        machine: The computer as it was read.
        wish: What is wanted.
        skips_rearm: Whether no rearm will be made.
        log: Where sysprep writes down why it failed.
    """

    session: Session
    machine: ReferenceState
    wish: SysprepWish
    skips_rearm: bool
    log: str
    warnings: list[str] = field(default_factory=list)

    def look(self) -> list[str]:
        """What the user should know before.

        Raises:
            ActivationError: Something stands in the way. Nothing was changed.
        """
        self._refuse_state()
        if self.wish.mode_vm and self.machine.system.windows < WINDOWS_8:
            self._say_no(
                "O(mode_vm) came with Windows 8 and Server 2012, and sysprep of this Windows does not know it; leave it out.", "options"
            )
        if not self.wish.generalize:
            self.warnings.append(
                f"{self.session.host}: without generalize the copies of this image share its CMID, and a KMS host counts all of them as one"
                " client (0xC004F038)."
            )
            return self.warnings
        self._refuse_member()
        if self.machine.reboot_is_pending:
            self._say_no("updates wait for a restart, and sysprep does not run before; restart the computer and run this again.")
        self._refuse_rearms()
        self._refuse_packages()
        if (product := self.machine.windows_product) and product.channel.value == "csvlk":
            self.warnings.append(
                f"{self.session.host} holds a KMS host key (CSVLK); every copy of it would be a KMS host, of which Microsoft activates few."
            )
        return self.warnings

    def _refuse_state(self) -> None:
        image, machine = self.machine.image, self.machine
        if machine.running:
            self._say_no(
                f"{PROGRAM} is running there already (process {machine.running[0]}, image state {image.state}); wait until it has ended and"
                " run this again."
            )
        if image.state in (COMPLETE, IN_AUDIT_MODE):
            if image.generalization_state not in (None, _READY):
                self.warnings.append(
                    f"{self.session.host}: GeneralizationState is {image.generalization_state}, and sysprep is known to start with {_READY} only; an earlier"
                    f" run may have failed ({self.log})."
                )
            return
        if image.state == UNDEPLOYABLE:
            remedy = f"an earlier run broke off. Its reason is in {self.log}; go back to a copy of the computer from before it"
        elif image.state:
            remedy = "it is sealed for something else. Capture it as it is, or start it once and run this again"
        else:
            remedy = "Setup has not ended, or this is no installed Windows. Look at the computer's console"
        self._say_no(f"its image state is {image.state or 'empty'}, and sysprep starts from {COMPLETE} or in audit mode: {remedy}.")

    def _refuse_member(self) -> None:
        domain = self.machine.domain
        if domain and not self.wish.allow_domain_member:
            self._say_no(
                f"it is a member of {domain}, and sysprep /generalize takes it out. Build images on a workgroup computer, or give"
                " O(allow_domain_member): true and connect with an account of the computer itself, because those of the domain are no longer"
                " let in afterwards.",
                "options",
            )

    def _refuse_rearms(self) -> None:
        if self.skips_rearm:
            self.warnings.append(
                f"{self.session.host}: with SkipRearm sysprep spends no rearm, but resets neither the grace period nor the CMID, so that copies"
                " share it. Use it for builds in between, and not for the image that is captured."
            )
        elif self.machine.rearms == 0:
            text = (
                "no rearm is left, so that sysprep would end well and yet reset neither the grace period nor the CMID, which copies would"
                " share (0xC004F038)."
            )
            if not self.wish.allow_rearm_exhausted:
                self._say_no(
                    f"{text} Start from an image that has rearms left. O(skip_rearm): true (or SkipRearm of Microsoft-Windows-Security-SPP in the"
                    " answer file's pass generalize) saves them in builds that are not captured; O(allow_rearm_exhausted): true runs sysprep"
                    " all the same.",
                )
            self.warnings.append(f"{self.session.host}: {text}")

    def _refuse_packages(self) -> None:
        if self.machine.system.windows < WINDOWS_8 or self.wish.allow_user_packages:
            return
        packages = blocking_packages(self.session)
        if packages:
            self._say_no(
                f"these app packages were installed by a user and are not provisioned for all, at which sysprep /generalize stops:"
                f" {some([visible(name, LONGEST_NAME) for name in packages], 3)}. Remove them for that user (Remove-AppxPackage), or provision them for all"
                " (Add-AppxProvisionedPackage), and keep the Store from updating apps meanwhile; O(allow_user_packages): true tries it all the same."
            )

    def _say_no(self, clause: str, source: str = "windows") -> NoReturn:
        raise ActivationError(f"{clause}", subject=self.session.host, source=source)
