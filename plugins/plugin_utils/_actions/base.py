# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules of the collection have in common: options in, one result out.

Options are checked against the module's own documentation, which is the only place where they are written down.
Every way out goes through one place that masks secrets.
"""

from __future__ import annotations

import os
import typing as t
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from .._core.errors import ActivationError
from .._core.given import names_of
from .._core.masking import Secrets
from .._core.plan import Step, StepFailed
from .._core.text import LONGEST, LONGEST_LINE, one_line, visible
from .english import in_english
from .module_options import documented_options
from .option_names import OptionNames
from .shown import difference_of, for_people, traceback_of

COLLECTION = "winops.volume_activation"
_ACTIONS = ".volume_activation.plugins.action"
# From -vvv on a traceback is shown, and then by ourselves: since ansible-core 2.19 those of results need a setting of their own.
_TRACEBACK_VERBOSITY = 3
display = Display()


@dataclass(slots=True)
class Outcome:
    """What a module did, or in check mode would do.

    Attributes:
        steps: The changes, in order.
        result: The module's own return values.
        diff: Lines of a finer difference than the steps show, such as SDDL.
        warnings: Sentences that the user should see although nothing failed.
    """

    steps: list[Step] = field(default_factory=list)
    result: dict[str, t.Any] = field(default_factory=dict)
    diff: list[dict[str, t.Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class VolumeActivationAction(ActionBase):
    """Base of the modules that run on the control node alone.

    Attributes:
        SECRETS: Options whose values are never shown.
        CLEARED_BY_EMPTY: Options for which an empty string is no option left out, but a value: what is set is removed.
        VARIABLES: Option to the Ansible variable that stands in where the task leaves the option out; after it comes
            the environment variable of the same name in upper case.
        CONSTRAINTS: Further arguments of the argument spec: C(mutually_exclusive), C(required_if) and so on.
    """

    TRANSFERS_FILES = False
    _requires_connection = False

    SECRETS: t.ClassVar[frozenset[str]] = frozenset()
    CLEARED_BY_EMPTY: t.ClassVar[frozenset[str]] = frozenset()
    VARIABLES: t.ClassVar[Mapping[str, str]] = {}
    CONSTRAINTS: t.ClassVar[Mapping[str, t.Any]] = {}

    _host: str
    _seen: Mapping[str, t.Any]

    def __init_subclass__(cls, **named: t.Any) -> None:
        """Read the options of a module as soon as its action is imported.

        Ansible imports an action once, and then makes a worker for each host, which would read them again.
        """
        super().__init_subclass__(**named)
        package, _dot, module = cls.__module__.rpartition(".")
        if package.endswith(_ACTIONS):
            documented_options(module)

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """Do the module's work; in check mode read and compare only."""
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Check the options, do the work, and bring whatever comes of it into the form of a task result without secrets.

        Nothing is raised: an error of the connection plugin, and one that nobody has thought of, is a result as well.
        """
        self._seen = task_vars = task_vars or {}
        # The name under which the inventory knows the host is what a user recognises in a message.
        self._host = str(self._task.delegate_to or task_vars.get("inventory_hostname", ""))
        given: dict[str, t.Any] = {}
        self._stood_in: list[str] = []
        result: dict[str, t.Any] = {}
        warnings: list[str] = []
        try:
            result.update(super().run(tmp, task_vars))
            self._read_options(given, task_vars)
            with in_english():
                outcome = self.execute(self._checked_options(given), self._task.check_mode)
            result.update(self._success(outcome))
            warnings += [self._names.in_words(sentence) for sentence in outcome.warnings]
        except Exception as failure:
            result.update(_failure(failure, self._module_name(), self._secrets(given), self._names))
        secrets = self._secrets(given)
        if (item := _loop_item(task_vars)) and self._item_secrets(given).in_value(item):
            # Ansible adds the item to the result, and prints it, when this method is over. Hidden is only what would hold
            # it: ansible-core still shows the sentence of an error.
            result["_ansible_no_log"] = True
            warnings.append(
                "The item of this loop holds a secret and would be printed, so the result is hidden. Loop over names, and look the"
                " secret up by the name."
            )
        for sentence in warnings:
            display.warning(visible(secrets.mask(sentence), LONGEST_LINE))
        # The names of return values are the modules' own; below them anything may be a name. Secrets go before a text is cut, so
        # that no half of one is left.
        masked = {name: secrets.mask(value) for name, value in result.items()}
        return {name: for_people(name, value) for name, value in masked.items()}

    def _success(self, outcome: Outcome) -> dict[str, t.Any]:
        result = dict(outcome.result)
        result["changed"] = bool(outcome.steps)
        result["failed"] = False
        result["steps"] = [step.as_result() for step in outcome.steps]
        if self._task.diff and outcome.steps:
            result["diff"] = [difference_of(outcome.steps), *outcome.diff]
        return result

    def _read_options(self, given: dict[str, t.Any], task_vars: dict[str, t.Any]) -> None:
        """Fill in the options of the task, completed from variables and environment.

        An empty string is an option that was left out: surveys and extra variables of AWX send one for every field
        that nobody filled in.
        """
        given.update(
            (name, value)
            for name, value in self._task.args.items()
            if value is not None and (name in self.CLEARED_BY_EMPTY or not (isinstance(value, str) and value == ""))
        )
        spec = documented_options(self._module_name())
        for option, variable in self.VARIABLES.items():
            if given.keys() & {option, *spec[option].get("aliases", ())}:
                continue
            value = self.stands_in(variable, task_vars)
            if value is not None:
                given[option] = value
                self._stood_in.append(option)
        for option, value in given.items():
            kind = spec.get(option, {}).get("type"), spec.get(option, {}).get("elements")
            # A secret is no name: it may hold quotes and brackets.
            if isinstance(value, str) and kind == ("list", "str") and option not in self.SECRETS:
                given[option] = names_of(value, self._names.of(option))

    @cached_property
    def _names(self) -> OptionNames:
        """By which names a reader can set the options; a role says in C(__ROLE_options) which variable it gives an option by."""
        given = [option for option, value in self._task.args.items() if value not in ("", None)]
        role = getattr(self._task, "_role", None)
        collection, _dot, name = str(role.get_name()).rpartition(".") if role else ("", "", "")
        if role is None or collection != COLLECTION:
            return OptionNames(self.VARIABLES, given, self._stood_in)
        mapped = self._templar.template(self._seen.get(f"__{name}_options") or {})
        return OptionNames(self.VARIABLES, given, self._stood_in, name, role.get_default_vars(), mapped)

    def stands_in(self, variable: str, task_vars: dict[str, t.Any]) -> t.Any:
        """The value of a variable, or else of the environment variable of that name in upper case; C(None) for none, or an empty text."""
        value = task_vars.get(variable)
        if value is not None:
            value = self._templar.template(value)
        if value is None or value == "":
            value = os.environ.get(variable.upper())
        return None if value == "" else value

    def _checked_options(self, given: dict[str, t.Any]) -> dict[str, t.Any]:
        spec = documented_options(self._module_name())
        if unset := self._names.unset(spec, given):
            raise ActivationError(f"O({unset}) is not set.", source="options")
        checked = ArgumentSpecValidator(spec, **self.CONSTRAINTS).validate(given)
        if said := [f"there is no option {error.msg}" if isinstance(error, UnsupportedError) else error.msg for error in checked.errors]:
            sentence = "; ".join(self._names.in_text(text.rstrip("."), spec) for text in said)
            raise ActivationError(f"{COLLECTION}.{self._module_name()}: {sentence}.", source="options")
        return t.cast("dict[str, t.Any]", _plain(checked.validated_parameters))

    @classmethod
    def _module_name(cls) -> str:
        return cls.__module__.rpartition(".")[2]

    def _secrets(self, given: Mapping[str, t.Any]) -> Secrets:
        """What must not be seen: the values of secret options, also inside of others, and what else a subclass knows."""
        spec = documented_options(self._module_name())
        names = self.SECRETS.union(*(spec.get(name, {}).get("aliases", ()) for name in self.SECRETS))
        secrets = Secrets()
        secrets.add(named(given, names.__contains__))
        return secrets

    def _item_secrets(self, given: Mapping[str, t.Any]) -> Secrets:
        """What the item of a loop must not hold: as a rule the same, and more where a result shows what nothing else may."""
        return self._secrets(given)


def _failure(failure: Exception, module: str, secrets: Secrets, names: OptionNames) -> dict[str, t.Any]:
    """An error as a task result: one sentence for people, and the same in parts for machines."""
    step: str = ""
    done: list[Step] = []
    remaining: list[Step] = []
    cause: BaseException = failure
    if isinstance(failure, StepFailed):
        step, done, remaining = str(failure.step), failure.done, failure.remaining
        cause = failure.__cause__ or failure
    shown: dict[str, t.Any] = {}
    if isinstance(cause, ActivationError):
        known = cause
    elif isinstance(cause, AnsibleError):
        # What ansible-core and its connection plugins say is meant for people, and needs no traceback.
        known = ActivationError(" ".join(str(cause).split()), source="ansible", unreachable=isinstance(cause, AnsibleConnectionFailure))
    else:
        known = _defect(cause, module, secrets)
        if display.verbosity >= _TRACEBACK_VERBOSITY:
            shown["exception"] = traceback_of(cause, secrets)
            display.vvv(shown["exception"])
    # Several refusals have a line each.
    sentence = " ".join(known.told(names.of).split("\n"))
    if done:
        sentence += f" Done before it: {', '.join(str(entry) for entry in done)}."
    if remaining:
        sentence += f" Not begun: {', '.join(str(entry) for entry in remaining)}."
    unreachable = known.unreachable and not done
    return {
        **shown,
        **({"unreachable": True} if unreachable else {}),
        "failed": not unreachable,
        "changed": bool(done),
        "msg": sentence,
        "steps": [entry.as_result() for entry in done],
        "error": {
            "code": known.shown_code,
            "hresult": known.hresult,
            "name": known.name,
            "source": known.source,
            "step": step,
            "done": [str(entry) for entry in done],
            "remaining": [str(entry) for entry in remaining],
        },
    }


def _defect(cause: BaseException, module: str, secrets: Secrets) -> ActivationError:
    """The sentence for what nobody has thought of."""
    text = one_line(str(secrets.mask(str(cause))), LONGEST)
    name = type(cause).__name__
    return ActivationError(
        f"{COLLECTION}.{module} hit an unexpected error; this is a bug in the collection: {name}{': ' if text else ''}{text}."
        " Please report it to its maintainers with the output of the same task at -vvv.",
        name=name,
        source="collection",
    )


def _plain(value: t.Any) -> t.Any:
    """The value without the tags that ansible-core 2.19 and later put on what comes from a playbook.

    The C libraries underneath (krb5, libldap) take only real C(str).
    """
    if isinstance(value, str):
        return "".join(value)
    if isinstance(value, Mapping):
        return {_plain(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return value


def named(value: t.Any, wanted: Callable[[str], bool]) -> Iterable[t.Any]:
    """The values of all entries with such a name, however deep they lie."""
    if isinstance(value, Mapping):
        for name, entry in value.items():
            if wanted(str(name)):
                yield entry
            else:
                yield from named(entry, wanted)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from named(entry, wanted)


def _loop_item(task_vars: Mapping[str, t.Any]) -> t.Any:
    """What ansible-core will add to the result of a task in a loop."""
    name = task_vars.get("ansible_loop_var")
    return [task_vars.get(str(name)), task_vars.get("ansible_loop")] if name else None
