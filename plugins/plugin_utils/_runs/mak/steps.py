# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a MAK run decides, step by step: each reads what tasks have registered, and says what comes next.

Nothing that is returned here holds a key: who installs one looks it up in the ring by its name. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.text import visible_lines, visible_value
from ..._state.directory import StateDirectory
from ..._state.kinds import FileKind
from ..._survey.reach import read_limit, too_many
from ..finding import Finding, table
from ..registered import Registered
from ..said import stop_of
from . import journal
from .assigned import Assigned
from .ends import ended, failures, unassigned
from .findings import host_findings, target_findings
from .orders import batches, first_with_each_key, make_orders
from .pairs import Pair, Result, pairs_of
from .products import Learned, holders_to_try, known_products
from .refusals import refused_keys
from .ruled import assigned_by_rule
from .settings import MakSettings
from .summary import numbers, summary


def assign(assigned: Assigned, settings: MakSettings, state: StateDirectory, max_unreachable: Any = None) -> dict[str, Any]:
    """Which keys each computer gets, before anything of it was read.

    Args:
        assigned: The keys of all computers.
        settings: Those of the run.
        state: Where what was begun is kept.
        max_unreachable: How many computers may be out of reach.

    Raises:
        ActivationError: C(max_unreachable) is no such number.
    """
    found = [Finding("state directory", state.refusal, True)] if settings.activate and state.refusal else []
    return {
        "settings": settings.as_result(),
        "assigned": assigned.keys,
        "descriptions": assigned.descriptions(),
        "findings": [finding.as_result() for finding in dict.fromkeys([*found, *assigned.findings()])],
        "state_directory": state.path,
        "list": str(state.place(FileKind.COMPUTER_LIST)),
        "ring_of_play": assigned.of_play,
        "max_unreachable": read_limit(max_unreachable),
        "by_rule": assigned.by_rule,
        "unassigned": {},
    }


def assign_by_rule(assigned: Assigned, found: Registered) -> dict[str, Any]:
    """The result of C(assign) once more, with the keys that rules of the ring give to computers, now that these were read.

    Args:
        assigned: The keys of all computers, as their variables say.
        found: What was registered; C(run) is what C(assign) gave.
    """
    run = found.once("run")
    ruled = assigned_by_rule(assigned, {host: found.of("license", host) for host in assigned.by_rule})
    said = [Finding(host, one["reason"], False).as_result() for host, one in ruled.unassigned.items()]
    return {
        **{name: run[name] for name in ("settings", "state_directory", "list", "ring_of_play", "max_unreachable", "by_rule")},
        "assigned": ruled.assigned.keys,
        "descriptions": ruled.assigned.descriptions(),
        "findings": [*run["findings"], *said],
        "unassigned": ruled.unassigned,
        "lines": ruled.lines,
    }


@dataclass(frozen=True, slots=True)
class MakSeen:
    """What later steps have in common.

    Attributes:
        found: What was registered; C(run) is what C(assign) gave.
        settings: Those of the run.
        pairs: All computers that were read, and their keys.
    """

    found: Registered
    settings: MakSettings
    pairs: Sequence[Pair]

    @classmethod
    def of(cls, found: Registered) -> MakSeen:
        """Look at all computers once."""
        run = found.once("run")
        settings = MakSettings.of(run["settings"])
        return cls(found, settings, pairs_of(found, run["assigned"], settings.kms_clients_only))

    def learned(self) -> Learned:
        """What is known of the keys."""
        return Learned.of(self.found.once("learned"))

    def made(self) -> dict[tuple[str, str], Result]:
        """The results of C(mak_client) by computer and key."""
        return {(host, key): result for host in self.found.hosts for key, result in self.found.items("made", host).items()}


def findings(seen: MakSeen) -> dict[str, Any]:
    """What was seen of all computers, and whether something stands in the way."""
    licenses = {host: seen.found.of("license", host) for host in seen.found.hosts}
    refusal = _too_many(seen, [host for host, result in licenses.items() if result.get("unreachable")])
    found = [*target_findings(licenses), *host_findings(seen.pairs), *([Finding("computers", refusal, True)] if refusal else [])]
    own = [finding.as_result() for finding in dict.fromkeys(found)]
    every = [*seen.found.once("run")["findings"], *own]
    return {
        "lines": table(every),
        "stop": stop_of(every, only_blocking=True),
        "incomplete": [host for host, result in licenses.items() if any(need["met"] is False for need in result.get("requirements") or ())],
    }


def _too_many(seen: MakSeen, silent: Sequence[str]) -> str:
    return too_many(seen.found.once("run")["max_unreachable"], silent, len(seen.found.hosts))


def holders(seen: MakSeen, check_mode: bool) -> dict[str, Any]:
    """What the keys are for, and on which computers it can be learned of the others."""
    products = known_products(seen.pairs)
    learn = seen.settings.activate and not check_mode
    return {**Learned(products).as_result(), "trials": holders_to_try(seen.pairs, products) if learn else []}


def learned(found: Registered, trial: Result) -> dict[str, Any]:
    """The same after a key was tried on a computer.

    Args:
        found: What was registered: C(learned) by this step or the one before, C(held) by the task that tried.
        trial: What was tried.
    """
    return Learned.of(found.once("learned")).with_trial(trial, found.once("held")).as_result()


def counts_of(result: Result) -> dict[str, dict[str, Any]]:
    """By key what Microsoft said: C(remaining), C(unlimited) and C(error).

    Args:
        result: That of C(mak_info).
    """
    return {
        count["name"]: {"remaining": count["remaining"], "unlimited": count["unlimited_or_blocked"], "error": count["error"]}
        for count in result.get("counts") or []
    }


def orders(seen: MakSeen, moment: str) -> dict[str, Any]:
    """Which computer is activated with which key, in which batches, whether nothing may be activated, and what an earlier run has left open."""
    known, before = seen.learned(), seen.found.once("before")
    made = make_orders(seen.pairs, known.products, counts_of(before), seen.settings.as_many_as_remain, known.refusals)
    due = [host for host in seen.found.hosts if host in made.hosts]
    ahead = first_with_each_key(due, made.hosts)
    unfinished = seen.found.once("known").get("computers") or ()
    begun = journal.unfinished(unfinished)
    return {
        **visible_value(made.as_result()),
        "stop": _stop(before, due, made.stops),
        "due": due,
        "ahead": ahead,
        "batches": batches(due, frozenset(ahead)),
        "settle": {host: seen.settings.settle for host in begun if host in made.hosts},
        "counted": "counts" in before and bool(due),
        "computers": journal.proved(seen.pairs, unfinished, moment),
    }


def _stop(before: Result, due: Sequence[str], stops: Sequence[str]) -> str:
    """Why nothing may be activated, as sentences; empty where it may."""
    if "error" in before and due:
        return (
            f"Nothing was activated, because Microsoft could not be asked for the activations that are left: {before.get('msg', '')}"
            " With mak_independent_count: false the computers that reach Microsoft themselves are activated without asking."
        )
    return f"Nothing was activated. {' '.join(stops)}" if stops else ""


def begin(seen: MakSeen, progress: Result, moment: str, check_mode: bool, ahead: bool | None = None) -> dict[str, Any]:
    """Who is activated with what in a batch, and what is written down of it first.

    Args:
        seen: The computers of the batch.
        progress: What C(outcome) gave for the batch before; empty for the first.
        moment: The time, as the list has it.
        check_mode: Nothing is changed.
        ahead: Whether of all computers of a play those are the batch that go ahead, or the others; C(None) where the play has batches.
    """
    ordered, refused = seen.found.once("orders"), progress.get("refused") or ()
    batch = seen.found.hosts
    if ahead is not None:
        first = frozenset(ordered["ahead"])
        batch = [host for host in ordered["due"] if (host in first) == ahead]
    due = {host: [key for key in ordered["hosts"].get(host, ()) if key not in refused] for host in batch}
    begun = [pair for pair in seen.pairs if pair.key in due.get(pair.host, ())]
    listed = journal.begun(begun, seen.learned().products, moment) if seen.settings.activate and not check_mode else []
    return {
        "hosts": due,
        "settle": {host: ordered["settle"][host] for host in due if host in ordered["settle"]},
        "computers": listed,
        "began": moment if listed else "",
    }


def outcome(seen: MakSeen, progress: Result, moment: str) -> dict[str, Any]:
    """What came of a batch, for the list and for the batches after it.

    Args:
        seen: The computers of the batch, and others that had their turn before.
        progress: What this step gave for the batch before; empty for the first.
        moment: The time, as the list has it.
    """
    begun = seen.found.once("begin")
    batch, began = begun["hosts"], begun["began"]
    made = {place: result for place, result in seen.made().items() if place[0] in batch}
    tried = [pair for pair in seen.pairs if (pair.host, pair.key) in made]
    refused = refused_keys((key, result) for (_host, key), result in made.items())
    number = int(progress.get("seen") or 0) + len(batch)
    return {
        "computers": journal.over(tried, seen.learned().products, made, began, moment) if began else [],
        "progress": {"seen": number, "refused": list(dict.fromkeys([*(progress.get("refused") or ()), *refused]))},
        "line": f"{number} of {len(seen.found.once('orders')['hosts'])} computers were processed",
    }


def ends(seen: MakSeen, check_mode: bool) -> dict[str, Any]:
    """How each computer ended, for people, for later jobs, and for those that failed."""
    found = seen.found
    asked = found.once("before")
    before, after = counts_of(asked), counts_of(found.once("after") or asked)
    every = ended(seen.pairs, found.once("orders"), seen.made(), check_mode, seen.learned().products)
    every += unassigned(found.once("run")["unassigned"])
    failed = failures(every)
    silent = list(dict.fromkeys(end.host for end in every if end.kind == "not_reached"))
    if refusal := _too_many(seen, silent):
        failed[silent[0]] = refusal
    lines = summary(every, found.once("run")["descriptions"], seen.learned().products, before, after, check_mode)
    return {"lines": visible_lines(lines), "numbers": numbers(every, before, after), "failures": failed, "failing": list(failed)}
