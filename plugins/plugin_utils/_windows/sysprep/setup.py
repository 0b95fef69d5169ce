# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealing an image with sysprep.exe: what stands in its way, its start, and what the registry says came of it."""

from __future__ import annotations

from typing import Any, NoReturn

from ..._core.errors import ActivationError
from ..._core.plan import Plan, Step, StepFailed
from ..._wsman.session import Session
from ..platform import programs, registry
from ..platform.versions import WINDOWS_8
from ..spp.license_info import short_product
from ..spp.licensing import SKIP_REARM, platform_keys
from .image_state import IN_AUDIT_MODE, UNSEEN
from .refusals import SysprepRefusals, SysprepWish
from .state import ReferenceState, read_licensing, read_machine
from .watch import PROGRAM, Ending, SysprepWatch

STARTED = "start of sysprep"
"""The attribute of the step that starts the program, in a plan."""


class Sysprep:
    """One run on one host.

    Args:
        session: The host.
        wish: What is wanted.
        check_mode: Read and compare only.

    Raises:
        ActivationError: The image can't be sealed as it is. Nothing was changed.
    """

    def __init__(self, session: Session, wish: SysprepWish, check_mode: bool) -> None:
        self.steps: list[Step] = []
        self.warnings: list[str] = []
        self.ending = Ending.NONE
        self._session = session
        self._host = session.host
        self._wish = wish
        self._check_mode = check_mode
        self._machine: ReferenceState = read_machine(session)
        self._before = self._machine
        self._skips = self._machine.skips_rearm if wish.skip_rearm is None else wish.skip_rearm
        self.command = self._command()

    @property
    def result(self) -> dict[str, Any]:
        """What was read last. What it was before sysprep had ended is no state of the image."""
        machine = self._machine
        unseen = self._went_down_unseen
        return {
            "image_state": UNSEEN if unseen else machine.image.as_result(),
            "generalized": None if unseen else machine.image.generalized,
            "ending": self.ending.value,
            "answers": self.ending is not Ending.NO_LONGER_ANSWERS,
            "product": short_product(machine.windows_product),
            "client_machine_id": machine.client_machine_id,
            "rearms": machine.rearms,
            "product_rearms": machine.product_rearms,
            "skip_rearm": machine.skips_rearm,
            "command": self.command,
            "logs": self.logs,
        }

    @property
    def _went_down_unseen(self) -> bool:
        """Whether the computer went down before its last state was seen."""
        return self.ending is Ending.NO_LONGER_ANSWERS and self._machine.image.state != self._wish.image_state

    @property
    def logs(self) -> list[str]:
        """Where sysprep writes what it did; on the target."""
        return [f"{self._before.folder}\\System32\\Sysprep\\Panther\\{name}.log" for name in ("setuperr", "setupact")]

    def change(self) -> None:
        """Seal the image, unless it is sealed that way already.

        Raises:
            StepFailed: sysprep ended without doing it, or the outcome is unknown.
            ActivationError: It could not be started.
        """
        plan = Plan()
        if self._machine.image.state == self._wish.image_state:
            if self._wish.finish != "quit" and self._wish.image_state != IN_AUDIT_MODE:
                self.warnings.append(f"{self._host}: the image is sealed already, so sysprep was not started; the computer stays on.")
            return
        self.warnings += SysprepRefusals(self._session, self._machine, self._wish, self._skips, self.logs[0]).look()
        self._plan_skip_rearm(plan)
        self.steps = [*plan.steps, *self._sealing()]
        if self._check_mode:
            return
        plan.run()
        self._seal(plan.steps)
        if self.ending is not Ending.NO_LONGER_ANSWERS:
            self._read_licensing()

    def _command(self) -> str:
        wish = self._wish
        words = [f"{self._machine.folder}\\System32\\Sysprep\\{PROGRAM}", "/generalize" if wish.generalize else "", f"/{wish.target}"]
        # Without /quiet a message would wait for ever, on a desktop that nobody sees.
        words += [f"/{wish.finish}", "/quiet", "/mode:vm" if wish.mode_vm else ""]
        if wish.unattend:
            words.append(f'/unattend:"{wish.unattend}"' if " " in wish.unattend else f"/unattend:{wish.unattend}")
        return " ".join(word for word in words if word)

    def _plan_skip_rearm(self, plan: Plan) -> None:
        wanted, key = self._wish.skip_rearm, platform_keys(self._machine.system.windows)[0]
        if wanted is None or wanted == self._machine.skips_rearm:
            return
        if wanted:
            step = Step(self._host, SKIP_REARM, None, 1, "StdRegProv.SetDWORDValue")
            plan.add(step, lambda: registry.write_number(self._session, key, SKIP_REARM, 1))
        else:
            step = Step(self._host, SKIP_REARM, 1, None, "StdRegProv.DeleteValue")
            plan.add(step, lambda: registry.delete_value(self._session, key, SKIP_REARM))

    def _sealing(self) -> list[Step]:
        """What the run changes."""
        state = self._machine.image.state
        steps = [Step(self._host, "image state", state, self._wish.image_state, f"Win32_Process.Create {self.command}")]
        if self._wish.generalize and self._machine.domain:
            steps.append(Step(self._host, "domain", self._machine.domain, None, "sysprep /generalize"))
        return steps

    def _seal(self, made: list[Step]) -> None:
        machine, wish = self._machine, self._wish
        try:
            process = programs.start(self._session, self.command, f"run this on it, by hand or as a scheduled task: {self.command}")
        except ActivationError as failure:
            self._raise(failure, made)
        leaves_domain = wish.generalize and bool(machine.domain)
        watch = SysprepWatch(
            self._session,
            wish.image_state,
            wish.finish,
            timeout=wish.timeout,
            poll=wish.poll,
            leaves_domain=leaves_domain,
            booted=machine.system.last_boot,
            image=machine.image,
        )
        ending = watch.until_end()
        self._machine = machine.with_image(watch.image)
        if ending is None:
            self._fail(watch, process is None, made)
        self.ending = ending
        if ending is Ending.STILL_ANSWERS:
            self.warnings.append(
                f"{self._host}: the image is sealed, but the computer still answers {wish.timeout:.0f} seconds after sysprep was started;"
                " shut it down by hand before it is captured."
            )
        if self._went_down_unseen:
            self.warnings.append(
                f"{self._host} no longer answers; its image state was last seen as {watch.image.state}. sysprep takes a computer down only"
                " when it succeeded, but look at the image before it is copied."
            )

    def _fail(self, watch: SysprepWatch, lost: bool, made: list[Step]) -> NoReturn:
        """Say what is known of a run that did not reach its state."""
        host, state, logs = self._host, watch.image.state, " and ".join(self.logs)
        if watch.ended:
            says = f"{host}: {PROGRAM} has ended, and the image state is {state} instead of {self._wish.image_state}."
            if lost and state == self._before.image.state:
                says += " The answer to its start was lost, so it may not have been started at all; run this again."
            elif state == self._before.image.state:
                says += f" Nothing was sealed; its reason is in {logs} there."
                if self._before.system.windows >= WINDOWS_8:
                    says += " Most often it is an app package that a user has and that is not provisioned for all (Remove-AppxPackage)."
            else:
                says += f" It broke off in the middle, so that the image is of no use; its reason is in {logs} there. Go back to a copy from before."
        elif watch.lost is not None:
            says = (
                f"{host}: what became of sysprep is not known after {watch.seconds:.0f} seconds, because the host could not be asked any"
                f" more: {watch.lost.clause.rstrip('.')}. Its image state was last seen as {state}. Where it was"
                f" a member of a domain, connect with an account of the computer itself; {logs} there tell the rest."
            )
        else:
            says = (
                f"{host}: sysprep is still at work after {self._wish.timeout:.0f} seconds (image state {state}), and goes on. Run this again"
                f" when it has ended, with more seconds for timeout if it needs them; {logs} there tell what it does."
            )
        failure = ActivationError(says, source="windows", code=watch.lost.code if watch.lost else None)
        if not watch.ended or state != self._before.image.state:
            made = [*made, Step(host, STARTED, None, self.command, "Win32_Process.Create")]
        self._raise(failure, made)

    def _raise(self, failure: ActivationError, made: list[Step]) -> NoReturn:
        """A failure, with what stays done of what was done before."""
        if made:
            raise StepFailed(self._sealing()[0], made, []) from failure
        raise failure

    def _read_licensing(self) -> None:
        """What is left of rearms. That it can't be read does not undo what was done."""
        try:
            self._machine = read_licensing(self._session, self._machine)
        except ActivationError as failure:
            self.warnings.append(f"{self._host}: the rearms that are left could not be read: {failure.message}")
