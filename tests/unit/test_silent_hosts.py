# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that does not answer holds no task longer than the first contact may take, and later tasks of the run less."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import error_catalogue
import pytest
from ansible import constants
from handmade import task_of
from unit.plugin_utils.wsman.wire_server import psrp_plugin, winrm_plugin

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions import windows as _windows_action
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.base import Outcome
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.silent import Silent
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.windows import opened, seconds_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import Step, StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.http_carrier import NoAnswer
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import UnknownOutcome

HOST = "pc-001.contoso.com"
pytestmark = pytest.mark.tier("test")

PLUGINS: dict[str, Callable[..., Any]] = {"winrm": winrm_plugin, "psrp": lambda port: psrp_plugin(port, ssl=False)}


def late() -> UnknownOutcome:
    """The error for an answer that did not come in time."""
    error = UnknownOutcome("x")
    error.late = True
    return error


def step_that_was_late() -> StepFailed:
    """The same, in a step of a plan."""
    error = StepFailed(Step("object", "attribute", "before", "after"), [], [])
    error.__cause__ = late()
    return error


@pytest.fixture(autouse=True)
def own_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of any host."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))


@pytest.fixture(params=["takes no connection", "never answers"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """That of a listener which does not answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=0 if request.param == "takes no connection" else 50) as server:
        port = server.getsockname()[1]
        held = []
        if request.param == "takes no connection":
            # What finds the queue full gets no answer at all, as behind a firewall that drops.
            for _number in range(3):
                held.append(socket.socket())
                held[-1].setblocking(False)
                held[-1].connect_ex(("127.0.0.1", port))
        yield port
        for each in held:
            each.close()


def failure_of(plugin: Any, first_contact: float = 1.0, again: bool = False) -> tuple[ActivationError, float]:
    """What a task says that asks for anything, and how long it takes."""
    began = time.monotonic()
    with pytest.raises(ActivationError) as failure, opened(plugin, HOST, first_contact, again) as session:
        session.identify()
    assert failure.value.unreachable
    return failure.value, time.monotonic() - began


@pytest.mark.parametrize("connection", PLUGINS)
def test_the_first_task_waits_for_the_first_contact_and_the_next_not_at_all(port: int, connection: str):
    failure, seconds = failure_of(PLUGINS[connection](port))
    assert isinstance(failure, NoAnswer)
    assert 0.9 < seconds < 5
    failure, seconds = failure_of(PLUGINS[connection](port))
    case = error_catalogue.cases("Surveys")["a host that did not answer an earlier task of the run"]
    assert error_catalogue.shown(failure) == error_catalogue.expected(case, failure)
    assert seconds < 0.5
    # A task that waits for the host asks it.
    assert isinstance(failure_of(PLUGINS[connection](port), again=True)[0], NoAnswer)


@pytest.mark.parametrize("failure", [NoAnswer("x"), late(), step_that_was_late()])
def test_a_host_that_lets_its_time_go_by_is_not_asked_again_until_it_has_answered(failure: Exception):
    with pytest.raises(type(failure)), opened(winrm_plugin(5985), HOST, 10, again=False):
        raise failure
    with pytest.raises(ActivationError, match="is not asked again"), opened(winrm_plugin(5985), HOST, 10, again=False):
        pass
    with opened(winrm_plugin(5986), HOST, 10, again=False), opened(winrm_plugin(5985, host="::1"), HOST, 10, again=False):
        pass
    with opened(winrm_plugin(5985), HOST, 10, again=True):
        pass
    with opened(winrm_plugin(5985), HOST, 10, again=False):
        pass


@pytest.mark.parametrize("failure", [ActivationError("x"), UnknownOutcome("x"), ActivationError("x", unreachable=True), ValueError("x")])
def test_another_failure_leaves_the_host_as_it_is(failure: Exception):
    with pytest.raises(type(failure)), opened(winrm_plugin(5985), HOST, 10, again=False):
        raise failure
    with opened(winrm_plugin(5985), HOST, 10, again=False):
        pass


def test_where_nothing_can_be_kept_the_next_task_asks_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", "/nonexistent")
    silent = Silent("x")
    silent.note()
    silent.forget()
    assert not silent


def test_the_variable_is_a_number_of_seconds():
    assert [seconds_of(value) for value in (None, 3, "2.5")] == [10, 3, 2.5]
    for wrong in (0, -1, "soon", "inf", "nan", []):
        with pytest.raises(ActivationError, match="volume_activation_first_contact_timeout has to be a number of seconds, more than 0"):
            seconds_of(wrong)


@pytest.mark.parametrize(("more", "asks"), [({}, False), ({"until": ["x is success"]}, True), ({"retries": 3}, True)])
def test_a_task_that_waits_for_its_host_asks_it_again(monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], asks: bool):
    seen: list[bool] = []

    @contextmanager
    def noting(_connection: Any, _host: str, _first_contact: float, again: bool) -> Iterator[None]:
        seen.append(again)
        yield

    monkeypatch.setattr(_windows_action, "opened", noting)
    monkeypatch.setattr(_windows_action.WindowsAction, "execute_on_host", lambda *_arguments: Outcome())
    action = _windows_action.WindowsAction.__new__(_windows_action.WindowsAction)
    action._task, action._connection, action._host, action._first_contact = task_of({}, **more), None, HOST, 10
    action._play_context = SimpleNamespace(become=False)
    action.execute({}, False)
    assert seen == [asks]
