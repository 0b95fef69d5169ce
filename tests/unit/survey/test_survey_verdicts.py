# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the failure of one host tells about the account that it was asked with: others wait until the account is proved."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.code import hresult, http
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._fleet import survey
from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.crew import Limits
from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.rows import RowOutcome
from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.schedule import Errand, Verdict
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.http_carrier import LogonRejected

pytestmark = pytest.mark.tier("quick")

NO_ANSWER = ActivationError("It is dark.", source="wsman", unreachable=True)
REJECTED = LogonRejected("It did not accept the credentials.", code=http(401), source="wsman", unreachable=True)
FAULT = ActivationError("It refused.", code=hresult(0x80338126), source="wsman")
OF_WINDOWS = ActivationError("A value has no form.", source="windows")
BROKEN = ActivationError("It answered HTTP 500.", code=http(500), source="wsman")


@pytest.mark.parametrize(
    ("failure", "verdict", "outcome"),
    [
        (REJECTED, Verdict.REJECTED, RowOutcome.REJECTED),
        (NO_ANSWER, Verdict.UNKNOWN, RowOutcome.UNREACHABLE),
        (BROKEN, Verdict.UNKNOWN, RowOutcome.FAILED),
        # Only who was let in gets that far.
        (FAULT, Verdict.ACCEPTED, RowOutcome.FAILED),
        (OF_WINDOWS, Verdict.ACCEPTED, RowOutcome.FAILED),
        (RuntimeError("a defect"), Verdict.UNKNOWN, RowOutcome.FAILED),
    ],
)
def test_only_what_comes_after_the_logon_proves_an_account(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, verdict: Verdict, outcome: RowOutcome
):
    def fail(*_arguments: Any) -> Any:
        raise failure

    monkeypatch.setattr(survey, "open_with", fail)
    target: Any = SimpleNamespace(name="pc-1", settings=SimpleNamespace(password="secret"))
    wish = survey.SurveyWish(["license"], Limits(1, 1.0))
    asked = survey.Survey(SimpleNamespace(), ["pc-1"], wish, lambda _row: None, lambda *_numbers: None)  # type: ignore[arg-type]
    answer = asked._ask(Errand(target), None)
    assert answer.verdict is verdict
    assert answer.row is not None
    assert answer.row.outcome is outcome
