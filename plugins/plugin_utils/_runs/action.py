# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base of the actions that decide over all hosts of a play, which the roles of the collection use and nobody else.

Such an action reads what the tasks before it registered, once for each host, decides in Python, and changes nothing.
"""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

import yaml

from .._actions.base import Outcome, VolumeActivationAction
from .._actions.known_variables import known_variables
from .._actions.slices import VARIABLE as MIN_HOSTS
from .._actions.slices import may_be_slice, stop_slice
from .._core.errors import ActivationError, Refusals
from .._core.text import one_line
from .._fleet.variables import HostVariables, unreadable_of
from .collect import WantedVariables, collect
from .fleet import Fleet, fleet_of
from .registered import Registered
from .strange import Strange, misspelt_groups

_EMPTY = ("", None)
# Strategies in which hosts do not wait for each other, so that run_once means nothing.
_APART = ("free", "host_pinned")
# A date that there is none of, and brackets within brackets without an end, are no errors of YAML's own.
_NO_YAML = (yaml.YAMLError, ValueError, RecursionError)
_NO_VALUE: tuple[t.Any, ...] = (*_EMPTY, [], {})


class RunAction(VolumeActivationAction):
    """Base of the C(run_*) actions.

    Options that an action of this kind has beside its own: C(step), what is to be decided; C(results), the names that it knows
    results by and the variables that tasks registered them in; C(optional), which of them may be there on no host.

    Attributes:
        GROUPS: The inventory groups that the run knows.
        INVENTORY: The variables of hosts that it reads, as each host sees them: with what the play gives, and extra variables. Where it is
            a mapping, the group whose hosts have each.
        DEFAULTS: Of these variables those that are no text in the defaults of a role, which stand behind the inventory of every host.
        SHARED: Those of them that many hosts have in common and that take long; they are templated once for all that have the same.
        IN_BATCHES: The steps that are allowed in a play with C(serial), because they look at the batch alone.
        ONCE: The steps that read only what tasks registered that ran once, which all hosts have.
        FIRST: The steps that begin a run, and look for variables which nobody knows or which can't be read.
        SLICED: Those of them that may begin a slice of a job of AWX, because no host matters to another one.
    """

    GROUPS: t.ClassVar[Collection[str]] = ()
    INVENTORY: t.ClassVar[Collection[str]] = ()
    DEFAULTS: t.ClassVar[Mapping[str, t.Any]] = {}
    SHARED: t.ClassVar[Collection[str]] = ()
    IN_BATCHES: t.ClassVar[frozenset[str]] = frozenset()
    ONCE: t.ClassVar[frozenset[str]] = frozenset()
    FIRST: t.ClassVar[Collection[str]] = ()
    SLICED: t.ClassVar[Collection[str]] = ()
    VARIABLES: t.ClassVar = {"min_hosts": MIN_HOSTS}

    _task_vars: Mapping[str, t.Any]

    def decide(self, step: str, fleet: Fleet, found: Registered, options: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
        """What the step decides, as the values that the action returns. They are in every host's variables, so they hold no secret.

        Args:
            step: What is to be decided.
            fleet: The hosts of the play.
            found: What was registered for them; for the batch alone where the step is one of C(IN_BATCHES).
            options: The options of the task.
            check_mode: Nothing was changed before, and nothing will be.

        Raises:
            ActivationError: The options do not go together.
        """
        raise NotImplementedError

    def inventory_of(self, step: str) -> Collection[str]:  # noqa: ARG002 - for those that override it
        """The variables of hosts that a step reads; without a reason of its own all of C(INVENTORY)."""
        return self.INVENTORY

    def check_slice(self, step: str, fleet: Fleet, min_hosts: t.Any) -> None:  # noqa: ARG002 - for those that override it
        """End a slice of a job that has to be whole.

        Args:
            step: The step that begins the run.
            fleet: The hosts of the play.
            min_hosts: How many hosts the inventory has at least.

        Raises:
            ActivationError: The job is one.
        """
        if step not in self.SLICED:
            stop_slice(self._task_vars, min_hosts)

    @property
    def role(self) -> str:
        """The role whose options the run reads; empty where no role has the task."""
        role = getattr(self._task, "_role", None)
        return str(role.get_name(include_role_fqcn=False)) if role else ""

    @property
    def playbook(self) -> str:
        """The playbook that does what the role does; empty where none is named."""
        return ""

    def hosts_of(self, step: str, fleet: Fleet) -> Sequence[str]:
        """The hosts that a step reads."""
        return fleet.batch[:1] if step in self.ONCE else fleet.batch if step in self.IN_BATCHES else fleet.hosts

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """See the base class. The event of a job stays empty where all went well; what is registered stays whole."""
        self._task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        if not result.get("failed"):
            result["_ansible_no_log"] = True
        return result

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        fleet, step = self._fleet(), str(options["step"])
        if step in self.FIRST:
            self.check_slice(step, fleet, options["min_hosts"])
        hosts, names = self.hosts_of(step, fleet), self.inventory_of(step)
        wanted = self._wanted(names, str(self._task_vars["inventory_hostname"]), fleet) if names else WantedVariables()
        strange = Strange(*known_variables()) if step in self.FIRST else None
        variables = HostVariables(self._task_vars["hostvars"], self._templar, wanted.beneath, strange.see if strange else None)
        found = collect(variables, hosts, options["results"], options["optional"], wanted)
        if strange:
            self._look_for(strange, list(dict.fromkeys(fleet.hosts).keys() - set(hosts)), variables)
        return Outcome(result=self.decide(step, fleet, found, options, check_mode), warnings=strange.notes() if strange else [])

    def _look_for(self, strange: Strange, others: Collection[str], variables: HostVariables) -> None:
        """See the variables of all other hosts, and those of the play, before anything is changed.

        Raises:
            Refusals: One is a known one that is misspelt, or an option of the role that can't be read.
        """
        for host in others:
            variables.of(host)
        strange.see_play(self._task_vars)
        own = [name for name in known_variables().names & self._task_vars.keys() if self.role and name.startswith(f"{self.role}_")]
        refusals = [
            *strange.refusals(),
            *misspelt_groups(self._task_vars["groups"], self.GROUPS),
            *unreadable_of(self._task_vars, sorted(own), self._templar),
        ]
        if refusals:
            raise Refusals(refusals)

    def _wanted(self, names: Collection[str], host: str, fleet: Fleet) -> WantedVariables:
        """Which variables are read, and what of them C(hostvars) can't see: what the play gives takes the place of the inventory.

        Args:
            names: The names of the variables.
            host: The host of the task, whose variables the task sees as a whole.
            fleet: The hosts of the play.
        """
        seen, inventory = self._task_vars, self._task_vars["hostvars"].raw_get(host)
        # A text of the play may be that of the inventory by chance.
        play = self._task.get_play().get_vars()
        above: dict[str, t.Any] = {}
        for name in names:
            if name not in inventory:
                # Without a value it is the default of a role, which stands behind the inventory of every host.
                given = seen.get(name) not in _NO_VALUE and seen[name] != self.DEFAULTS.get(name)
            else:
                given = name in seen and (seen[name] != inventory[name] or (name in play and play[name] == seen[name]))
            if given:
                above[name] = seen[name]
        beneath = {name: value for name, value in seen.items() if name not in inventory}
        only = {name: frozenset(fleet.groups[group]) for name, group in names.items()} if isinstance(names, Mapping) else {}
        return WantedVariables(names, frozenset(self.SHARED), above, beneath, only)

    def _fleet(self) -> Fleet:
        magic = self._task_vars
        batch, play_hosts = list(magic["ansible_play_batch"]), list(magic["ansible_play_hosts"])
        name, step = self._module_name(), str(self._task.args.get("step"))
        instead = f", or run the playbook {self.playbook}" if self.playbook else ""
        strategy = str(getattr(self._task.get_play(), "strategy", "linear")).rpartition(".")[2]
        if strategy in _APART:
            raise ActivationError(
                f"{name} decides over all hosts of the play at once, and with strategy: {strategy} each host goes its own way. Take the strategy out"
                f" of the play{instead}.",
                source="options",
            )
        if not self._task.run_once and len(batch) > 1:
            raise ActivationError(f"{name} decides over all hosts from one task. Add run_once: true to it.", source="options")
        if step not in self.IN_BATCHES and batch != play_hosts:
            raise ActivationError(
                f"{name} decides over all hosts of the play at once. Take serial out of the play{instead}.", source="options"
            )
        part = may_be_slice(magic) and bool(magic.get("ansible_limit"))
        return fleet_of(list(magic["ansible_play_hosts_all"]), batch, magic["groups"], self.GROUPS, part)

    def _read_options(self, given: dict[str, t.Any], task_vars: dict[str, t.Any]) -> None:
        """See the base class. Roles pass on what surveys of AWX gave them, in dictionaries as well; there, too, an empty text is an
        option that was left out.
        """
        super()._read_options(given, task_vars)
        for name, value in given.items():
            if isinstance(value, Mapping) and name != "results":
                given[name] = {key: entry for key, entry in value.items() if entry not in _EMPTY}


def of_text(value: t.Any, variable: str) -> t.Any:
    """What a text of YAML or JSON holds, as surveys and extra variables give it; anything else as it is.

    Args:
        value: What is given.
        variable: Where it is given, for messages.

    Raises:
        ActivationError: It is neither.
    """
    if not isinstance(value, str):
        return value
    try:
        return yaml.safe_load(value)
    except _NO_YAML as failure:
        mark = getattr(failure, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        said = one_line(str(getattr(failure, "problem", None) or failure))
        raise ActivationError(f"{variable} can't be read as YAML: {said}{where}.", source="options") from None


def keys_of(value: t.Any, variable: str, example: str) -> list[str]:
    """The keys of a dictionary, as it is or as a text of YAML or JSON; its values stay unread. Nothing is an empty one.

    Args:
        value: What is given.
        variable: Where it is given, for messages, which show nothing of the value.
        example: What it should look like.

    Raises:
        ActivationError: It is none.
    """
    with suppress(*_NO_YAML):
        held = yaml.safe_load(value) if isinstance(value, str) else value
        if held in _NO_VALUE:
            return []
        if isinstance(held, Mapping):
            return [str(key) for key in held]
    raise ActivationError(f"{variable} can't be read as a dictionary. Give one such as {example}.", source="options")
