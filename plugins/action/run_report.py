# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.run_report."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from ..plugin_utils._actions.base import Outcome
from ..plugin_utils._actions.ring import RingAction
from ..plugin_utils._actions.slices import VARIABLE as MIN_HOSTS
from ..plugin_utils._actions.slices import stop_slice
from ..plugin_utils._actions.state import StateAction
from ..plugin_utils._actions.vault import cipher_of
from ..plugin_utils._computer_list.reading import of_kind_full
from ..plugin_utils._computer_list.store import ListFile
from ..plugin_utils._computer_list.tasks import counts
from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._report import keys, run
from ..plugin_utils._report.model import FleetReport
from ..plugin_utils._report.reading import read_audit, read_survey
from ..plugin_utils._state.directory import StateDirectory
from ..plugin_utils._state.kinds import FileKind


class ActionModule(RingAction, StateAction):
    """What a report is made of, and its files."""

    SECRETS = frozenset({"vault_password"})
    VARIABLES: t.ClassVar = {
        **StateAction.VARIABLES,
        "min_hosts": MIN_HOSTS,
        "vault_password": "volume_activation_list_vault_password",
        "vault_id": "volume_activation_list_vault_id",
    }

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        step = options["step"]
        if step == "pids":
            return Outcome(result={"extended_pids": keys.extended_pids(options["held"])})
        directory = self.state_directory(options)
        if step == "begin":
            stop_slice(self._seen, options["min_hosts"])
            run.expiring_days(options["expiring_days"])
            hosts, groups = self._seen["ansible_play_hosts"], self._seen["groups"]
            due = run.audited(options["with_audit"], options["declared"], groups, hosts)
            warnings = directory.check(FileKind.REPORT_PAGE)
            directory.make()
            return Outcome(result={"audit": str(directory.place(FileKind.REPORT_AUDIT)), **due}, warnings=warnings)
        report = FleetReport(datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), run.expiring_days(options["expiring_days"]))
        read_survey(report, options["survey"] or "")
        if step == "keys":
            return Outcome(result={"holders": keys.first_holders(keys.ring_of(options["ring"]), report.computers)})
        return self._report(report, directory, options)

    def _report(self, report: FleetReport, directory: StateDirectory, options: Mapping[str, t.Any]) -> Outcome:
        warnings: list[str] = []
        if options["audit"]:
            report.audit = read_audit(options["audit"])
        if options["ring"]:
            report.maks = keys.maks_left(keys.ring_of(options["ring"]), report.computers, options["held"], options["counts"])
        report.listed, unread = _listed(directory.place(FileKind.COMPUTER_LIST), options)
        if unread:
            warnings.append(f"The report is without the computer list: {unread}")
        return Outcome(result=run.written(report, directory), warnings=warnings)


def _listed(path: Path, options: Mapping[str, t.Any]) -> tuple[dict[str, int], str]:
    """The numbers of the computer list, and why it could not be read; both empty where there is none."""
    if not path.exists():
        return {}, ""
    try:
        file = ListFile(str(path), cipher_of(options["vault_password"], options["vault_id"]))
        return counts(of_kind_full(file.load(), file.path)), ""
    except ActivationError as failure:
        return {}, failure.message
