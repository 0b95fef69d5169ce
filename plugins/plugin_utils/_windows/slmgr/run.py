# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several verbs on one host, in the order in which they were asked for.

First all of them are planned on a copy of the state, so that what can be refused is refused before anything changes. Then each
is planned again on the host as its forerunners have left it, carried out, and read back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..._core.errors import ActivationError
from ..._core.plan import Plan, Step, StepFailed
from ..._licensing.slmgr_verbs import DIRECTORY_VERBS
from ..._wsman.session import Session
from . import activation, keys, rearm, settings, shown, tokens
from .state import SlmgrHost
from .work import VerbRequest, Work, demand_kms_host, demand_version

_PLANNERS: Mapping[str, Callable[[SlmgrHost, VerbRequest], Work]] = {
    "ipk": keys.ipk,
    "upk": keys.upk,
    "cpky": keys.cpky,
    "ilc": keys.ilc,
    "ato": activation.ato,
    "atp": activation.atp,
    "dti": shown.dti,
    "dli": shown.dli,
    "dlv": shown.dlv,
    "xpr": shown.xpr,
    "rearm": rearm.rearm,
    "rearm-app": rearm.rearm_app,
    "rearm-sku": rearm.rearm_sku,
    "skms": settings.skms,
    "ckms": settings.ckms,
    "skms-domain": settings.skms_domain,
    "ckms-domain": settings.ckms_domain,
    "skhc": settings.host_caching(True),
    "ckhc": settings.host_caching(False),
    "sprt": settings.host_setting("listening_port", option="port"),
    "sai": settings.host_setting("activation_interval", option="minutes"),
    "sri": settings.host_setting("renewal_interval", option="minutes"),
    "sdns": settings.host_setting("dns_publishing", True),
    "cdns": settings.host_setting("dns_publishing", False),
    "spri": settings.host_setting("low_priority", False),
    "cpri": settings.host_setting("low_priority", True),
    "act-type": settings.act_type,
    "lil": tokens.lil,
    "ril": tokens.ril,
}


class ForestObjects(Protocol):
    """The activation objects of the host's forest. The directory is another layer, which whoever runs the verbs brings along."""

    def shown(self) -> list[dict[str, Any]]:
        """All of them."""

    def plan_removal(self, name: str) -> Plan:
        """The step that removes the one of that name; none where there is no such object."""


@dataclass(slots=True)
class VerbsDone:
    """What came of all verbs.

    Attributes:
        steps: The changes; in check mode those that are due.
        verbs: What each verb did and shows, in order.
        restart_needed: What has to be restarted before all of it has its effect: C(service), C(computer).
        warnings: What the user should know.
    """

    steps: list[Step] = field(default_factory=list)
    verbs: list[dict[str, Any]] = field(default_factory=list)
    restart_needed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def run(session: Session, requests: Sequence[VerbRequest], check_mode: bool, directory: ForestObjects | None = None) -> VerbsDone:
    """Carry out the verbs, or in check mode look what they would do.

    Args:
        session: The host.
        requests: The verbs, in order.
        check_mode: Read and plan only.
        directory: For the verbs that ask a domain controller.

    Raises:
        StepFailed: A step failed, or something was refused after earlier steps had been made.
        ActivationError: Something is refused; nothing was changed.
    """
    return _Run(session, directory).look(requests) if check_mode else _Run(session, directory).carry_out(requests)


@dataclass(frozen=True, slots=True)
class _Tried:
    """A verb as it was planned: its work, and whether a key that is to be installed before it leaves open what it would show."""

    request: VerbRequest
    work: Work
    after_key: bool


class _Run:
    def __init__(self, session: Session, directory: ForestObjects | None) -> None:
        self._machine = SlmgrHost(session)
        self._directory = directory
        self._done = VerbsDone()

    def look(self, requests: Sequence[VerbRequest]) -> VerbsDone:
        """Check mode."""
        trial = self._machine.trial()
        for tried in self._try(trial, requests):
            steps = tried.work.plan.steps
            if steps and tried.work.follow_up is not None:
                steps += tried.work.follow_up().steps
            reads = not tried.request.verb.changes and not tried.after_key
            self._note(tried.request, steps, self._plan(self._machine, tried.request).show() if reads else {})
            self._warn(tried.work)
        return self._done

    def carry_out(self, requests: Sequence[VerbRequest]) -> VerbsDone:
        """The real run."""
        all_tried = list(self._try(self._machine.trial(), requests))
        for number, tried in enumerate(all_tried):
            later = [step for other in all_tried[number + 1 :] for step in other.work.plan.steps]
            before = len(self._done.steps)
            try:
                output = self._carry_out(tried)
            except StepFailed as failure:
                raise StepFailed(failure.step, self._done.steps + failure.done, failure.remaining + later) from failure.__cause__
            except ActivationError as failure:
                if not self._done.steps:
                    raise
                read = Step(self._machine.host, tried.request.verb.name, None, None)
                raise StepFailed(read, self._done.steps, later) from failure
            self._note(tried.request, self._done.steps[before:], output, counted=True)
        return self._done

    def _try(self, trial: SlmgrHost, requests: Sequence[VerbRequest]) -> Iterator[_Tried]:
        for request in requests:
            after_key = trial.key_planned
            work = self._plan(trial, request)
            if work.plan:
                work.predict()
            yield _Tried(request, work, after_key)

    def _plan(self, machine: SlmgrHost, request: VerbRequest) -> Work:
        verb = request.verb
        if verb.name in DIRECTORY_VERBS:
            return self._in_directory(request)
        demand_version(machine, verb, request.product_id)
        demand_kms_host(machine, verb)
        return _PLANNERS[verb.name](machine, request)

    def _in_directory(self, request: VerbRequest) -> Work:
        directory = self._directory
        if directory is None:
            raise ActivationError(f"{request.verb.name} asks a domain controller; give O(domain_server).", source="options")
        if not request.verb.changes:
            return Work(show=lambda: {"activation_objects": directory.shown()})
        name: str = request.options["activation_object"]
        return Work(plan=directory.plan_removal(name), verify=lambda: [str(step) for step in directory.plan_removal(name).steps])

    def _carry_out(self, tried: _Tried) -> dict[str, Any]:
        """Bring a verb about on the host as it is now. What it shows."""
        if tried.request.verb.changes and not self._done.steps and not tried.work.plan:
            # Nothing has changed since it was planned.
            self._warn(tried.work)
            return {}
        machine = self._machine
        work = self._plan(machine, tried.request)
        if work.plan:
            self._make(work.plan)
            if work.follow_up is not None:
                self._make(work.follow_up())
            if wrong := work.verify():
                raise ActivationError(
                    f"every call succeeded, yet these are not as wanted: {'; '.join(wrong)}. A policy may set them back.",
                    subject=machine.host,
                    source="windows",
                )
        output = work.show()
        self._warn(work)
        return output

    def _make(self, plan: Plan) -> None:
        if plan:
            plan.run()
            self._done.steps += plan.steps
            self._machine.forget()

    def _warn(self, work: Work) -> None:
        self._done.warnings += work.warnings

    def _note(self, request: VerbRequest, steps: list[Step], output: dict[str, Any], counted: bool = False) -> None:
        self._done.verbs.append({"verb": request.verb.name, "changed": bool(steps), **output})
        if not counted:
            self._done.steps += steps
        if steps and request.verb.restart and request.verb.restart not in self._done.restart_needed:
            self._done.restart_needed.append(request.verb.restart)
