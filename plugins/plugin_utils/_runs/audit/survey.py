# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of a survey, one after another."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from ..._core.errors import ActivationError
from ..._core.text import some
from ..._survey.file import read_rows
from ..._survey.rows import shown_host
from .computer import SurveyedComputer, computer_of


def read_computers(path: str, hosts: Collection[str], asked: Collection[str]) -> Iterator[SurveyedComputer]:
    """The computers that are wanted, in the order in which they answered.

    Args:
        path: The file of the survey.
        hosts: The names of those that are wanted.
        asked: Those of them that the survey has asked.

    Raises:
        ActivationError: The file can't be read, or it is one of another survey, since one of those that were asked is not in it.
    """
    names = {shown_host(host): host for host in hosts}
    left = {shown_host(host) for host in asked}
    for row in read_rows(Path(path)):
        name = names.get(row["host"])
        if name is not None:
            left.discard(row["host"])
            yield replace(computer_of(row), host=name)
    if left:
        raise ActivationError(
            f"{path} is the survey of another run, without {len(left)} hosts of this one ({some(sorted(left))}). Run the audit again, and give"
            " audits that run at the same time different names (kms_audit_survey_name).",
            source="file",
        )
