# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each step of a run decides: results of tasks in, what the next tasks need out. Nothing of it is a secret.

Pure, but for the step C(options).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.errors import ActivationError
from ..._core.given import names_of
from ..._core.text import visible, visible_lines
from ..._survey.reach import read_limit, too_many
from ..finding import Finding
from ..fleet import Fleet
from ..mak.assigned import Assigned
from ..mak.ruled import assigned_by_rule
from ..registered import Registered, Result
from ..said import said_of
from . import findings, outcomes, summary
from .computers import HostRun, assigned_keys, host_runs, ruled, unassigned
from .entries import applied_computers, read_computers
from .orders import Orders, make_orders, named
from .outcomes import ProxyEnd
from .places import places_here


@dataclass(frozen=True, slots=True)
class StepInput:
    """What a step is given.

    Attributes:
        fleet: The hosts of the play.
        found: What was registered for them.
        options: The options of the task.
        check_mode: Nothing is changed.
    """

    fleet: Fleet
    found: Registered
    options: Mapping[str, Any]
    check_mode: bool

    @property
    def places(self) -> Result:
        """What the step C(options) gave."""
        return self.found.once("places")

    @property
    def listed(self) -> Sequence[Result]:
        """The computers of the list."""
        computers: Sequence[Result] = self.found.once("listed").get("computers") or ()
        return computers

    @property
    def to_read(self) -> Sequence[str]:
        """The computers that are to be read. A list that can't be read is a finding; until then nothing is known of any."""
        names: Sequence[str] = self.found.once("listed").get("to_read", self.found.hosts)
        return names

    def computers(self) -> list[HostRun]:
        """The computers, with the keys that each gets."""
        return host_runs(self.found, assigned_keys(self.found))

    def orders(self) -> Orders:
        """What the list has for them."""
        return make_orders(self.listed, self.found.hosts)


Decided = dict[str, Any]


def choose(asked: StepInput) -> Decided:
    """Which step the role does.

    Raises:
        ActivationError: It is none, or nobody says.
    """
    chosen = str(asked.options["chosen"] or "")
    if chosen not in ("collect", "acquire", "apply", "reapply", "phone"):
        given = f"{visible(chosen)}, which is no step" if chosen else "not set"
        raise ActivationError(
            f"mak_proxy_step is {given}. Set it to collect, apply or reapply in a play over the isolated computers, or to acquire or phone in"
            " a play over localhost.",
            source="options",
        )
    return {"chosen": chosen}


def options(asked: StepInput) -> Decided:
    """Where the files are, and the options in their normal form."""
    given = asked.options
    texts = [str(given[name] or "") for name in ("list", "export", "state_directory", "state_directory_alias")]
    replaced = names_of(given["replace_hardware"], "mak_proxy_replace_hardware")
    limit = read_limit(given["max_unreachable"])
    return {**places_here(*texts).as_result(), "replace_hardware": replaced, "max_unreachable": limit}


def to_read(asked: StepInput) -> Decided:
    """Which computers are read, and which keys they get."""
    every, chosen = Assigned.of(asked.found), list(asked.to_read)
    by_rule = {host: every.by_rule[host] for host in chosen if host in every.by_rule}
    return {"to_read": chosen, "assigned": {host: every.keys[host] for host in chosen}, "by_rule": by_rule, "unassigned": {}}


def assign_by_rule(asked: StepInput) -> Decided:
    """The result of C(to_read) once more, with the keys that rules of the ring give to the computers, now that these were read."""
    before = asked.found.once("chosen")
    every = assigned_by_rule(Assigned.of(asked.found), {host: asked.found.of("license", host) for host in before["by_rule"]})
    return {
        **{name: before[name] for name in ("to_read", "by_rule")},
        "assigned": {host: every.assigned.keys[host] for host in before["to_read"]},
        "unassigned": every.unassigned,
        "lines": every.lines,
    }


def collect_findings(asked: StepInput) -> Decided:
    """What stands in the way of the keys and the list, and which computers have a turn."""
    chosen = set(asked.to_read)
    _demand(asked, chosen, "license", "plan")
    read = [one for one in asked.computers() if one.host in chosen]
    places = " ".join(filter(None, dict.fromkeys(asked.places[name] for name in ("list_refusal", "export_refusal"))))
    refusals = {"state directory": places, "computer list": _refusal(asked.found.once("listed"))}
    # A computer that gets no key has its turn as well: the list is to know it.
    due = [one.host for one in read if one.was_read]
    found = findings.collect_findings(read, asked.options["ring"], refusals, ruled(asked.found), unassigned(asked.found))
    if refusal := _too_many(asked, [one.host for one in read if one.not_reached], len(read)):
        found.append(Finding("computers", refusal, True))
    return {**said_of(found, only_blocking=True), "due": due}


def read(asked: StepInput) -> Decided:
    """What a batch adds to the list."""
    return {"computers": read_computers(asked.computers()), "progress": _progress(asked.fleet)}


def collect_summary(asked: StepInput) -> Decided:
    """How the computers ended that were to be read, and what leaves."""
    chosen, computers = set(asked.to_read), asked.computers()
    _demand(asked, chosen, "license", "plan")
    due = [one.host for one in computers if one.host in chosen and one.was_read]
    exported, export = asked.found.once("exported"), asked.places["export"]
    ended = _ended(
        asked, "collected", "mak_proxy_collect", outcomes.collected(computers, chosen, asked.check_mode, unassigned(asked.found)), due
    )
    if exported.get("products"):
        ended["summary"] += visible_lines(
            [f"Next: run winops.volume_activation.mak_proxy_acquire on {export} where Microsoft can be reached"]
        )
    return {**ended, "leaves": visible_lines(summary.leaving_lines(export, exported))}


def apply_findings(asked: StepInput) -> Decided:
    """What is to be known before confirmation IDs are taken over."""
    merged = asked.found.once("check") or asked.found.once("listed")
    refusals = {"state directory": asked.places["list_refusal"] or asked.places["export_fault"]}
    return said_of(findings.apply_findings(asked.found.hosts, merged, refusals), only_blocking=True)


def reapply_findings(asked: StepInput) -> Decided:
    """What stands in the way of the keys and confirmation IDs of before."""
    listed = asked.found.once("listed")
    absent = f"There is no list {asked.places['list']}; the one of before is needed here."
    refusals = {
        "state directory": asked.places["list_refusal"],
        "computer list": _refusal(listed) or (absent if listed.get("kind") is None else ""),
    }
    return said_of(findings.reapply_findings(asked.orders(), asked.options["ring"], refusals), only_blocking=True)


def orders(asked: StepInput) -> Decided:
    """Which computers have a confirmation ID to be applied; by name, because the computer itself takes it from the list."""
    made = asked.orders()
    return {"orders": named(made), "due": list(made), "reapply": bool(asked.options["reapply"])}


def applied(asked: StepInput) -> Decided:
    """What a batch adds to the list."""
    began, ended = (str(asked.options[name] or "") for name in ("began", "ended"))
    entries = applied_computers(host_runs(asked.found, {}), asked.orders(), began, ended)
    return {"computers": entries, "progress": _progress(asked.fleet)}


def apply_summary(asked: StepInput) -> Decided:
    """How the computers ended whose confirmation IDs were to be applied."""
    made = asked.orders()
    ended = outcomes.applied(host_runs(asked.found, {}), asked.listed, made, asked.check_mode)
    title, playbook = ("applied again", "mak_proxy_reapply") if asked.options["reapply"] else ("applied", "mak_proxy_apply")
    return _ended(asked, title, playbook, ended, made, asked.found.once("listed"))


def acquire_findings(asked: StepInput) -> Decided:
    """What stands in the way of asking Microsoft."""
    refusals = {"state directory": asked.places["export_refusal"]}
    return said_of(findings.apply_findings((), asked.found.once("listed"), refusals), only_blocking=True)


def acquire_summary(asked: StepInput) -> Decided:
    """What Microsoft answered."""
    answer, known = asked.found.once("answer"), asked.found.once("listed")
    found = {name: len(answer.get(name) or ()) for name in ("missing", "unknown")}
    numbers = {name: answer.get(name, 0) for name in ("obtained", "kept")} | found
    failure = ""
    if answer.get("failed"):
        without = sum(not product["confirmation_id"] for product in known.get("products") or ())
        failure = f"{without} without CID. {answer.get('msg', '')}"
    elif any(found.values()):
        failure = f"{sum(found.values())} without CID. {' | '.join(visible_lines(summary.acquired(answer)))}"
    return {
        "summary": visible_lines(summary.acquired(answer, asked.check_mode)),
        "numbers": {"mak_proxy_acquire": numbers},
        "failure": failure,
    }


def phone_findings(asked: StepInput) -> Decided:
    """What stands in the way of typed confirmation IDs."""
    refusals = {"state directory": asked.places["list_refusal"]}
    return said_of(findings.apply_findings((), asked.found.once("listed"), refusals), only_blocking=True)


def phone_summary(asked: StepInput) -> Decided:
    """Which installation IDs are to be read out, and which typed confirmation IDs were not taken."""
    shown, merged = asked.found.once("known"), asked.found.once("merged")
    refused = merged.get("conflicting") or ()
    numbers = {"taken": len(merged.get("new") or ()), "missing": (shown.get("counts") or {}).get("pending", 0), "conflicting": len(refused)}
    return {
        "summary": visible_lines(summary.telephone_lines(shown)) or ["Every product has its confirmation ID."],
        "numbers": {"mak_proxy_phone": numbers},
        "failure": " ".join(str(entry["reason"]) for entry in refused),
    }


STEPS: Mapping[str, Callable[[StepInput], Decided]] = {
    step.__name__: step
    for step in (
        *(choose, options, to_read, assign_by_rule, collect_findings, read, collect_summary),
        *(apply_findings, reapply_findings, orders, applied, apply_summary),
        *(acquire_findings, acquire_summary, phone_findings, phone_summary),
    )
}
"""The steps by name."""

ASSIGNING = frozenset({"to_read", "collect_findings", "read", "collect_summary"})
"""Those that look at who gets which key."""

BY_RING = frozenset({"to_read", "assign_by_rule"})
"""Those that look at the key ring of each computer."""


def _demand(asked: StepInput, hosts: Collection[str], *names: str) -> None:
    for name in names:
        asked.found.demand(name, hosts)


def _too_many(asked: StepInput, silent: Sequence[str], of: int) -> str:
    return too_many(asked.places["max_unreachable"], silent, len(asked.fleet.hosts), of)


def _refusal(listed: Result) -> str:
    return str(listed.get("msg") or "") if "error" in listed else ""


def _progress(fleet: Fleet) -> str:
    done = fleet.hosts.index(fleet.batch[-1]) + 1
    return f"{done} of {len(fleet.hosts)} computers were processed"


def _ended(asked: StepInput, title: str, playbook: str, ended: Sequence[ProxyEnd], due: Collection[str], *merged: Result) -> Decided:
    # Of others there may be the results of another playbook of the same run.
    _demand(asked, due, "made", "saved")
    failed, silent = outcomes.failures(ended), list(dict.fromkeys(end.host for end in ended if end.kind == "not_reached"))
    if refusal := _too_many(asked, silent, len(due) + len({*silent} - {*due})):
        failed[silent[0]] = refusal
    against = outcomes.conflicts([*(asked.found.of("saved", host) for host in due), *merged])
    return {
        "summary": visible_lines(summary.summary(title, ended, against, asked.check_mode)),
        "numbers": {playbook: {**outcomes.counts(ended), "conflicting": len(against)}},
        "failures": failed,
    }
