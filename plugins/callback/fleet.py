# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callback plugin winops.volume_activation.fleet."""

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet
type: stdout
short_description: Output of a run over many hosts in few lines
version_added: 0.2.0
author: winops contributors (@winops)
description:
  - One line for each task, with how many hosts it was ok on, changed, failed on or could not reach. Hosts that skip a task are not counted.
  - Below it, equal failures, differences and messages of M(ansible.builtin.debug) once, with how many hosts have them and the first names. The
    name of the host itself is left out of them, or is C(<host>).
  - A task that takes long tells every few seconds how far it is.
  - Lists of lines that M(ansible.builtin.debug) shows, such as the findings and summaries of the roles of this collection, come after the recap.
  - A run that is interrupted or terminated prints what is known before it ends.
  - Nothing is shown of a result with C(no_log).
  - With C(-v) all hosts are named, skipped ones are counted, and all kinds of answers are shown. With C(-vv) each task has its path, too. With
    C(-vvv) and more, each result is shown as by P(ansible.builtin.default#callback).
requirements:
  - Set as the stdout callback in the configuration.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
options:
  names:
    description:
      - How many hosts are named where several have the same answer.
    type: int
    default: 3
    env:
      - name: VOLUME_ACTIVATION_FLEET_NAMES
    ini:
      - section: callback_fleet
        key: names
  progress:
    description:
      - After how many seconds a task that is still under way tells how far it is, again and again. Later in a run the lines come less often, when
        a fifth of its time so far has passed, but at least every 30 seconds.
      - V(0) shows no progress.
    type: float
    default: 5
    env:
      - name: VOLUME_ACTIVATION_FLEET_PROGRESS
    ini:
      - section: callback_fleet
        key: progress
notes:
  - Of the options of the default callback, O(display_failed_stderr) applies always, the others with C(-vvv).
  - In AWX and other runs of ansible-runner the events and their data are those of the default callback, and their output is this one.
"""

EXAMPLES = r"""
# As an environment variable:
# ANSIBLE_STDOUT_CALLBACK=winops.volume_activation.fleet ansible-playbook -i inventory.yml winops.volume_activation.kms_single_site
#
# Or in ansible.cfg:
# [defaults]
# stdout_callback = winops.volume_activation.fleet
# [callback_fleet]
# names = 5
"""

import functools
from collections.abc import Callable
from typing import Any

from ansible import constants
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback.default import CallbackModule as DefaultCallback

from ..plugin_utils._condensed.answers import TaskAnswer, TaskOutcome, answer_of
from ..plugin_utils._condensed.differences import difference
from ..plugin_utils._condensed.lines import Line, Tone
from ..plugin_utils._condensed.output import Output
from ..plugin_utils._condensed.tally import ViewSettings

# From this verbosity on, each result is shown.
EACH_RESULT = 3
# Strategies in which a host does not wait for the others before its next task.
_UNORDERED = ("free", "host_pinned")
_WIDEST = 120
# They keep something for later, or decide about it for the roles of the collection.
_DECIDES = "winops.volume_activation.run_"
_ASIDE = frozenset(f"{prefix}{name}" for prefix in ("", "ansible.builtin.", "ansible.legacy.") for name in ("set_fact", "set_stats"))
_COLORS = {
    Tone.OK: "COLOR_OK",
    Tone.CHANGED: "COLOR_CHANGED",
    Tone.FAILED: "COLOR_ERROR",
    Tone.UNREACHABLE: "COLOR_UNREACHABLE",
    Tone.ADDED: "COLOR_DIFF_ADD",
    Tone.REMOVED: "COLOR_DIFF_REMOVE",
    Tone.PROGRESS: "COLOR_SKIP",
}


def _condensed(method: Callable[..., None]) -> Callable[..., None]:
    """The method, or with -vvv that of the default callback."""

    @functools.wraps(method)
    def either(self: CallbackModule, *args: Any, **kwargs: Any) -> None:
        if self._display.verbosity >= EACH_RESULT:
            _hide(args)
            getattr(super(CallbackModule, self), method.__name__)(*args, **kwargs)
            return
        with self.output.turn:
            if not self.output.over:
                method(self, *args, **kwargs)

    return either


def _hide(arguments: tuple[Any, ...]) -> None:
    """Take out of a result with no_log what ansible-core leaves in it, and the default callback prints."""
    for given in (argument for argument in arguments if hasattr(argument, "task_name")):
        if "censored" in given.result and given.task.no_log:
            for name in ("exception", "warnings", "deprecations"):
                given.result.pop(name, None)


def _silent(name: str) -> Callable[..., None]:
    """A method of that name for an event that no line tells of."""

    def method(_self: CallbackModule, *_args: Any, **_kwargs: Any) -> None:
        pass

    method.__name__ = name
    return _condensed(method)


class CallbackModule(DefaultCallback):
    """What ansible-core tells, in the terms of the view."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "winops.volume_activation.fleet"

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._unordered = self._computed = False
        self._last_play = ""
        self._batch = 1

    @functools.cached_property
    def output(self) -> Output:
        """Made with the first event, when the options are known."""
        all_of_it = self._display.verbosity > 0
        settings = ViewSettings(
            width=min(self._display.columns or _WIDEST, _WIDEST),
            names=None if all_of_it else max(self._option("names"), 0),
            everything=all_of_it,
            every=max(self._option("progress"), 0.0),
        )
        # The callback of ansible-runner extends this one and records as events what is printed; there is none for what comes from beside.
        return Output(self._show, settings, beside=self.CALLBACK_NAME == CallbackModule.CALLBACK_NAME)

    @_condensed
    def v2_playbook_on_play_start(self, play: Any) -> None:
        """A play begins, or the next batch of its hosts."""
        name = play.get_name().strip()
        self._batch = self._batch + 1 if play.serial and play.get_path() == self._last_play else 1
        self._last_play = play.get_path()
        self._computed = play.hosts == []
        self._unordered = str(play.strategy).rpartition(".")[2] in _UNORDERED
        if self._batch > 1:
            name += f" (batch {self._batch})"
        hosts = play.get_variable_manager().get_vars(play=play).get("ansible_play_batch") or ()
        self.output.due(self.output.view.play(name, len(hosts) or None, bool(play.check_mode)))

    @_condensed
    def v2_playbook_on_no_hosts_matched(self) -> None:
        """The play has no hosts. One over an empty list, which playbooks compute, has none to be missed."""
        self.output.due(self.output.view.no_hosts(self._computed))

    @_condensed
    def v2_playbook_on_no_hosts_remaining(self) -> None:
        """All hosts of the play have failed."""
        self.output.due(self.output.view.nobody_left())

    @_condensed
    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """A task begins."""
        self._begin(task)

    @_condensed
    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """A handler begins, on the hosts that notified it."""
        self._begin(task, handler=True)

    def _begin(self, task: Any, *, handler: bool = False) -> None:
        name = f"{'handler: ' if handler else ''}{(task.name or task.action).strip()}"
        if self._display.verbosity > 1:
            name += f" ({task.get_path()})"
        aside = task.action in _ASIDE or task.action.startswith(_DECIDES)
        kinds = {"alone": not self._unordered, "everywhere": not handler, "once": bool(task.run_once), "aside": aside}
        self.output.due(self.output.view.task(str(task._uuid), name, **kinds))

    @_condensed
    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """A host begins with a task."""
        self.output.view.started(str(task._uuid), host.get_name())

    @_condensed
    def v2_runner_on_ok(self, result: Any) -> None:
        """A host has done a task."""
        if isinstance(result.task, TaskInclude):
            self.output.view.included(str(result.task._uuid), result.host.get_name())
        else:
            self._take(result, TaskOutcome.CHANGED if result.result.get("changed") else TaskOutcome.OK)

    @_condensed
    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """A host has failed."""
        self._take(result, TaskOutcome.FAILED_IGNORED if ignore_errors else TaskOutcome.FAILED)

    @_condensed
    def v2_runner_on_unreachable(self, result: Any) -> None:
        """A host could not be reached."""
        self._take(result, TaskOutcome.UNREACHABLE_IGNORED if result.task.ignore_unreachable else TaskOutcome.UNREACHABLE)

    @_condensed
    def v2_runner_on_skipped(self, result: Any) -> None:
        """A host has skipped a task."""
        self._take(result, TaskOutcome.SKIPPED)

    @_condensed
    def v2_runner_item_on_ok(self, result: Any) -> None:
        """A host has done one item of a loop."""
        if not isinstance(result.task, TaskInclude):
            self.output.view.part(result.host.get_name(), self._answer(result, failed=False, of_item=True))

    @_condensed
    def v2_runner_item_on_failed(self, result: Any) -> None:
        """A host has failed at one item of a loop."""
        self.output.view.part(result.host.get_name(), self._answer(result, failed=True, of_item=True))

    @_condensed
    def v2_on_file_diff(self, result: Any) -> None:
        """What a host changes, before its result."""
        if result.result.get("changed") and (found := difference(result.result.get("diff"), self._names(result))):
            self.output.view.part(result.host.get_name(), TaskAnswer(differences=(found,)))

    @_condensed
    def v2_runner_retry(self, result: Any) -> None:
        """A host tries again."""
        self.output.view.retried(str(result.task._uuid))

    v2_playbook_on_start = _silent("v2_playbook_on_start")
    v2_playbook_on_include = _silent("v2_playbook_on_include")
    v2_playbook_on_notify = _silent("v2_playbook_on_notify")
    v2_runner_item_on_skipped = _silent("v2_runner_item_on_skipped")
    v2_runner_on_async_poll = _silent("v2_runner_on_async_poll")
    v2_runner_on_async_ok = _silent("v2_runner_on_async_ok")
    v2_runner_on_async_failed = _silent("v2_runner_on_async_failed")

    @_condensed
    def v2_playbook_on_stats(self, stats: Any) -> None:
        """The playbook has ended."""
        self.output.last(self.output.view.recap({host: stats.summarize(host) for host in sorted(stats.processed)}))

    def _take(self, result: Any, outcome: TaskOutcome) -> None:
        view, key = self.output.view, str(result.task._uuid)
        if not view.knows(key):
            self._begin(result.task)
        failed = outcome not in (TaskOutcome.OK, TaskOutcome.CHANGED)
        answer = TaskAnswer() if outcome is TaskOutcome.SKIPPED else self._answer(result, failed=failed)
        view.result(key, result.host.get_name(), outcome, answer, self.host_label(result))
        self.output.due(())

    def _answer(self, result: Any, *, failed: bool, of_item: bool = False) -> TaskAnswer:
        given = result.result
        if given.get("deprecations") and "censored" not in given:
            # Ansible's own way, which shows each of them once.
            self._handle_warnings({"deprecations": given["deprecations"]})
        item = self._get_item_label(given) if of_item else None
        of_loop = result.task.loop is not None and not of_item
        emptied = not result.task.no_log
        return answer_of(given, self._names(result), result.task.action, failed=failed, item=item, of_loop=of_loop, emptied=emptied)

    @staticmethod
    def _names(result: Any) -> list[str]:
        """What differs in the answers of two hosts only because they are two."""
        name, address = result.host.get_name(), result.host.vars.get("ansible_host")
        return [name, str(address)] if isinstance(address, str) and address != name else [name]

    def _show(self, line: Line) -> None:
        if line.tone is Tone.WARNING:
            self._display.warning(line.text)
            return
        color = constants.config.get_config_value(_COLORS[line.tone]) if line.tone in _COLORS else None
        aside = line.tone in (Tone.FAILED, Tone.UNREACHABLE) and self._option("display_failed_stderr")
        self._display.display(line.text, color=color, stderr=aside)

    def _option(self, name: str) -> Any:
        return self.get_option(name)  # type: ignore[no-untyped-call]
