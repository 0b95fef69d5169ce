# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.license_survey."""

from __future__ import annotations

import gc
import json
import shutil
import tempfile
import typing as t
from contextlib import nullcontext
from pathlib import Path

from ansible.utils.display import Display

from ..plugin_utils._actions.base import Outcome
from ..plugin_utils._actions.slices import VARIABLE as MIN_HOSTS
from ..plugin_utils._actions.slices import stop_slice
from ..plugin_utils._actions.state import StateAction
from ..plugin_utils._actions.windows import seconds_of
from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._fleet.survey import Survey, SurveyWish
from ..plugin_utils._fleet.targets import reader_of
from ..plugin_utils._fleet.variables import chosen_hosts
from ..plugin_utils._state.directory import StateDirectory
from ..plugin_utils._state.kinds import FileKind
from ..plugin_utils._survey.crew import Limits
from ..plugin_utils._survey.file import SurveyFile, survey_path
from ..plugin_utils._survey.reach import read_limit, too_many
from ..plugin_utils._survey.rows import Row
from ..plugin_utils._survey.tally import MOST_KINDS, said
from ..plugin_utils._wsman.contact import VARIABLE as FIRST_CONTACT_VARIABLE

_LARGEST_RESULT = 64 * 1024
display = Display()


class ActionModule(StateAction):
    """The licensing state of many hosts, from one task."""

    VARIABLES: t.ClassVar = {
        **StateAction.VARIABLES,
        "min_hosts": MIN_HOSTS,
        "first_contact_timeout": FIRST_CONTACT_VARIABLE,
    }

    _task_vars: t.Mapping[str, t.Any]

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """See the base class."""
        self._task_vars = task_vars or {}
        return super().run(tmp, task_vars)

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        if not options["logons_only"] and not options["temporary"]:
            # The file of one slice would take the place of that of another one.
            stop_slice(self._task_vars, options["min_hosts"])
        if options["threads"] <= 0:
            raise ActivationError("threads has to be more than 0.", source="options")
        first_contact = seconds_of(options["first_contact_timeout"])
        options["max_unreachable"] = read_limit(options["max_unreachable"])
        directory = StateDirectory.here("") if options["temporary"] else self.state_directory(options)
        path = survey_path(directory, options["name"])
        hosts = self._chosen(options["hosts"], options["logons_only"])
        warnings: list[str] = []
        # What looks at accounts alone does not take the place of a survey.
        if not options["logons_only"]:
            if options["temporary"]:
                path = Path(tempfile.mkdtemp(prefix="license_survey-"), path.name)
            else:
                warnings += directory.check(FileKind.SURVEY)
                directory.make()
        try:
            return self._survey(options, path, hosts, first_contact, warnings)
        except BaseException:
            if options["temporary"] and not options["logons_only"]:
                shutil.rmtree(path.parent, ignore_errors=True)
            raise

    def _survey(self, options: dict[str, t.Any], path: Path, hosts: list[str], first_contact: float, warnings: list[str]) -> Outcome:
        facts: dict[str, dict[str, t.Any]] = {}
        with nullcontext() if options["logons_only"] else SurveyFile(path) as file:

            def keep(row: Row) -> None:
                if file:
                    file.write(row.as_line())
                if options["facts"]:
                    data = row.as_data()
                    facts[row.host] = {name: data.get(name) for name in options["facts"]}

            few = options["logons_only"] and not options["max_unreachable"]
            wish = SurveyWish(options["columns"], Limits(options["threads"], first_contact), few)
            survey = Survey(reader_of(self, self._task_vars, options["local_accounts"]), hosts, wish, keep, _progress)
            # This process is a fork of its own for one task. The objects of ansible-core in it outlive the task, and of what a host takes
            # little refers to itself.
            gc.freeze()
            gc.set_threshold(20_000, 10, 10)
            survey.run()
        # Logons are tried before a change to some hosts of a play, and a share is one of all.
        job = len(self._task_vars["ansible_play_hosts_all"]) if options["logons_only"] else survey.tally.hosts
        out_of_reach = too_many(options["max_unreachable"], sorted(survey.tally.silent), job)
        result = {
            **survey.tally.as_result(survey.rejected),
            "file": None if options["logons_only"] else str(path),
            "out_of_reach": said(survey.rejected[0]) if out_of_reach and survey.rejected else out_of_reach,
        }
        if (options["logons_only"] or options["fail_on_rejected"]) and survey.rejected:
            raise ActivationError(said(survey.rejected[0]), source="wsman")
        if options["logons_only"] and out_of_reach:
            raise ActivationError(out_of_reach, source="wsman")
        if options["facts"]:
            result["facts"] = facts
            # What is registered stays, and the event of the job is empty.
            if len(json.dumps(facts)) > _LARGEST_RESULT:
                result["_ansible_no_log"] = True
        warnings += [said(entry) for entry in survey.rejected[:MOST_KINDS]]
        return Outcome(result=result, warnings=warnings)

    def _chosen(self, patterns: t.Sequence[str] | None, logons_only: bool) -> list[str]:
        play_hosts = list(self._task_vars.get("ansible_play_hosts") or [])
        if not self._task.run_once and len(play_hosts) > 1:
            raise ActivationError("license_survey reads all hosts from one task. Add run_once: true to it.", source="options")
        if patterns:
            limit = str(self._task_vars.get("ansible_limit") or "")
            return chosen_hosts(patterns, self._task_vars["groups"], limit, self._loader)
        batch = list(self._task_vars.get("ansible_play_batch") or [])
        if len(batch) < len(play_hosts):
            if logons_only:
                return batch
            raise ActivationError(
                "license_survey reads all hosts of the play at once. Take serial out of the play, or name the hosts (option hosts).",
                source="options",
            )
        return play_hosts


def _progress(done: int, total: int, failed: int) -> None:
    display.display(f"license_survey: {done} of {total}, {failed} not read")
