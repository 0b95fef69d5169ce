# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules of the collection have in common: options in, one result out.

Options are checked against the module's own documentation, which is the only place where they are written down.
Every way out goes through one place that masks secrets. Private to the collection: it may change in any release.
"""

from __future__ import annotations

import os
import traceback
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values, sanitize_keys
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ._errors import ActivationError
from ._module_options import documented_options
from ._plan import Step, StepFailed
from ._wsman.session import Session
from ._wsman.transport import open_session

COLLECTION = "winops.volume_activation"
_KEY_LENGTH = 25
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
        VARIABLES: Option to the Ansible variable that stands in where the task leaves the option out; after it comes
            the environment variable of the same name in upper case.
        CONSTRAINTS: Further arguments of the argument spec: C(mutually_exclusive), C(required_if) and so on.
    """

    TRANSFERS_FILES = False
    _requires_connection = False

    SECRETS: t.ClassVar[frozenset[str]] = frozenset()
    VARIABLES: t.ClassVar[Mapping[str, str]] = {}
    CONSTRAINTS: t.ClassVar[Mapping[str, t.Any]] = {}

    _host: str

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """Do the module's work; in check mode read and compare only."""
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Check the options, do the work, and bring whatever comes of it into the form of a task result."""
        result = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        # The name under which the inventory knows the host is what a user recognises in a message.
        self._host = str(self._task.delegate_to or task_vars.get("inventory_hostname", ""))
        given = self._given_options(task_vars)
        secrets = self._secret_forms(given)
        try:
            outcome = self.execute(self._checked_options(given), self._task.check_mode)
        except (ActivationError, StepFailed) as failure:
            result.update(_failure(failure, self._module_name()))
            if result.pop("unreachable", False):
                raise AnsibleConnectionFailure(remove_values(result["msg"], secrets)) from None
        except AnsibleError as failure:
            # The connection plugins quote what they were given, so their text is masked like our own; the chain of
            # causes, which core would print beside it, is not ours to mask and stays out.
            raise type(failure)(remove_values(str(failure), secrets)) from None
        except Exception as failure:
            result.update(_failure(failure, self._module_name()))
        else:
            result.update(self._success(outcome))
            for sentence in outcome.warnings:
                display.warning(remove_values(sentence, secrets))
        return t.cast("dict[str, t.Any]", sanitize_keys(remove_values(result, secrets), secrets))

    def _success(self, outcome: Outcome) -> dict[str, t.Any]:
        result = dict(outcome.result)
        result["changed"] = bool(outcome.steps)
        result["failed"] = False
        result["steps"] = [step.as_result() for step in outcome.steps]
        if self._task.diff and outcome.steps:
            result["diff"] = [_diff_of(outcome.steps), *outcome.diff]
        return result

    def _given_options(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """The options of the task, completed from variables and environment.

        An empty string is an option that was left out: surveys and extra variables of AWX send one for every field
        that nobody filled in.
        """
        given = {
            name: value for name, value in self._task.args.items() if value is not None and not (isinstance(value, str) and value == "")
        }
        for option, variable in self.VARIABLES.items():
            if option in given:
                continue
            value = task_vars.get(variable)
            if value is not None:
                value = self._templar.template(value)
            if value is None or value == "":
                value = os.environ.get(variable.upper(), "")
            if value != "" and value is not None:
                given[option] = value
        return given

    def _checked_options(self, given: dict[str, t.Any]) -> dict[str, t.Any]:
        spec = documented_options(self._module_name())
        checked = ArgumentSpecValidator(spec, **self.CONSTRAINTS).validate(given)
        if checked.error_messages:
            raise ActivationError(f"{COLLECTION}.{self._module_name()}: {'; '.join(checked.error_messages)}", source="options")
        return t.cast("dict[str, t.Any]", _plain(checked.validated_parameters))

    @classmethod
    def _module_name(cls) -> str:
        return cls.__module__.rpartition(".")[2]

    def _secret_forms(self, given: Mapping[str, t.Any]) -> set[str]:
        """Every form in which a secret option could come back: as given, and for a product key as Windows writes it."""
        forms: set[str] = set()
        for option in self.SECRETS:
            for secret in _strings(given.get(option)):
                forms.add(secret)
                characters = "".join(character for character in secret if character.isalnum()).upper()
                if len(characters) == _KEY_LENGTH:
                    grouped = "-".join(characters[start : start + 5] for start in range(0, _KEY_LENGTH, 5))
                    forms |= {secret.upper(), characters, grouped}
        # Very short strings would blank out unrelated text, and are no secrets.
        return {form for form in forms if len(form) > 3}


class WindowsAction(VolumeActivationAction):
    """Base of the modules that talk to a Windows host, in one WS-Management session per task."""

    _requires_connection = True

    def execute_on_host(self, session: Session, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """Do the module's work over the host's session."""
        raise NotImplementedError

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """Open the session with the settings of the host's own connection, and close it whatever happens."""
        with open_session(self._connection, self._host) as session:
            outcome = self.execute_on_host(session, options, check_mode)
        if self._play_context.become:
            outcome.warnings.append("become has no effect here: the rights are those of the WinRM account.")
        return outcome


def _failure(failure: Exception, module: str) -> dict[str, t.Any]:
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
    else:
        name = type(cause).__name__
        known = ActivationError(
            f"{COLLECTION}.{module} met a case that it does not know: {name}: {cause}. Please report it.", name=name, source="collection"
        )
        shown["exception"] = "".join(traceback.format_exception(cause))
    sentence = known.message
    if done:
        sentence += f" Done before it: {', '.join(str(entry) for entry in done)}."
    if remaining:
        sentence += f" Not begun: {', '.join(str(entry) for entry in remaining)}."
    return {
        **shown,
        "failed": True,
        "changed": bool(done),
        "msg": sentence,
        "unreachable": known.unreachable and not done,
        "steps": [entry.as_result() for entry in done],
        "error": {
            "code": known.code,
            "name": known.name,
            "source": known.source,
            "step": step,
            "done": [str(entry) for entry in done],
            "remaining": [str(entry) for entry in remaining],
        },
    }


def _diff_of(steps: Iterable[Step]) -> dict[str, t.Any]:
    before: dict[str, dict[str, object]] = {}
    after: dict[str, dict[str, object]] = {}
    for step in steps:
        before.setdefault(step.object, {})[step.attribute] = step.before
        after.setdefault(step.object, {})[step.attribute] = step.after
    return {"before": before, "after": after, "before_header": "now", "after_header": "wanted"}


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


def _strings(value: t.Any) -> Iterable[str]:
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        # A password of digits alone comes out of YAML as a number.
        yield str(value)
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _strings(entry)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _strings(entry)
