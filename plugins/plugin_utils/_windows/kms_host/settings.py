# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a KMS host: which steps bring them in order, and when the service takes them up."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from ..._core.errors import ActivationError
from ..._core.plan import Step, StepKind
from ..._core.text import some, visible
from ..._licensing.publish_list import VALUE_NAME, is_unusable
from ..._wsman.session import Session
from ..spp import licensing
from . import listening, publish_list
from .state import SETTINGS, HostSetting
from .work import HostWork


def plan_settings(work: HostWork) -> None:
    """Add what has to be set. One restart of sppsvc comes with the last step that needs it."""
    changes: list[tuple[Step, HostSetting]] = []
    for name, wanted in work.wish.settings.items():
        setting = SETTINGS[name]
        now = work.state.setting(name)
        if now != wanted:
            how, kind = f"SoftwareLicensingService.{setting.method}", StepKind.PORT if setting.needs_restart else StepKind.SETTING
            changes.append((Step(work.name, setting.attribute, now, wanted, how, kind=kind), setting))
    # Those that need a restart come last, and the very last one brings it.
    changes.sort(key=lambda change: change[1].needs_restart)
    list_restarts = work.runs_kms and bool(_list_steps(work))
    for number, (step, setting) in enumerate(changes):
        apply = setter(work.session, work.state.version, setting, step.after)
        if number == len(changes) - 1 and setting.needs_restart and not list_restarts:
            apply = _then_restart(work, apply, setter(work.session, work.state.version, setting, step.before))
        work.plan.add(step, apply)


def plan_publish_list(work: HostWork, restart: bool) -> None:
    """Add the lines of the publish list that change.

    A KMS host reads it when sppsvc starts, and Windows tells what is set, not what its running service has taken up. So it is
    written while the service is stopped: a run that is killed leaves either the old list, which the next run finds, or the
    new one and a service that reads it as soon as anything asks for a license.

    Args:
        work: The host.
        restart: Whether its service reads the list already, and so has to read it again.
    """
    wish = work.wish.publish_list
    if wish is None:
        return
    plan = publish_list.planned(wish, work.state.publish_list)
    if unusable := [f"'{line}'" for line in plan.foreign if is_unusable(line)]:
        work.warnings.append(
            f"{work.name}: {VALUE_NAME} has {some(unusable)}. Windows needs domain, priority and weight with commas between them, so it does"
            " not publish the host by that. O(publish_list_mode): exact removes it."
        )
    write = publish_list.writer(work.session, licensing.version_of(work.state.service), plan)
    # One write makes them all, so the first step is the one that can fail.
    apply: Callable[[], None] = (lambda: work.restart(write)) if restart else write
    for step in _list_steps(work):
        work.plan.add(step, apply)
        apply = _made_before


def plan_restart(work: HostWork) -> None:
    """Restart sppsvc where it does not listen on the port that is set.

    A run that ends between setting the port and restarting the service leaves the old port in use, and so does everybody
    else who forgets the restart: the setting reads as wanted, and only a look at the port itself tells.
    """
    wanted = work.wish.settings.get("listening_port")
    if wanted is None or work.probe is None or not work.state.licensed or work.state.port != wanted:
        return
    if _list_steps(work) or any(step.kind is StepKind.PORT for step in work.plan.steps):
        return
    seen = work.probe(work.state.port)
    version = licensing.version_of(work.state.service)
    if seen == listening.ANSWERING or not listening.nobody_listens(work.session, version, seen, wanted):
        return
    step = Step(
        work.name,
        "sppsvc",
        f"does not listen on TCP port {wanted}",
        f"listens on TCP port {wanted}",
        "Win32_Service.StopService, Win32_Service.StartService",
        kind=StepKind.SERVICE,
    )
    work.plan.add(step, work.restart)


def wrong_settings(work: HostWork) -> list[str]:
    """What does not read as it is wanted."""
    wish, state = work.wish, work.state
    wrong = [
        f"{SETTINGS[name].attribute} (is {state.setting(name)}, wanted {wanted})"
        for name, wanted in wish.settings.items()
        if state.setting(name) != wanted
    ]
    if wish.publish_list is not None:
        changes = publish_list.planned(wish.publish_list, state.publish_list).changes
        wrong += [f"{change.attribute} (is {visible(str(change.before))}, wanted {change.after})" for change in changes]
    return wrong


def _list_steps(work: HostWork) -> list[Step]:
    if work.wish.publish_list is None:
        return []
    return publish_list.steps(work.name, publish_list.planned(work.wish.publish_list, work.state.publish_list))


def _made_before() -> None:
    """The first step of the list wrote this line as well; that it is there is read back at the end."""


def setter(session: Session, version: str, setting: HostSetting, wanted: int | bool) -> Callable[[], None]:
    """Sets it."""
    argument = not wanted if setting.inverted else wanted
    return lambda: licensing.call_service(session, version, setting.method, {setting.parameter: argument}, repeatable=True)


def _then_restart(work: HostWork, apply: Callable[[], None], undo: Callable[[], None]) -> Callable[[], None]:
    def change() -> None:
        apply()
        try:
            work.restart()
        except ActivationError:
            # Windows tells what is set, not what its running service has taken up. Set back, the step is due again
            # in the next run, and the restart with it.
            with contextlib.suppress(ActivationError):
                undo()
            raise

    return change
