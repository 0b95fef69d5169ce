# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that does not answer holds no task longer than the first contact may take, and later tasks of the run less."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible import constants
from unit.plugin_utils.wsman.wire_server import psrp_plugin, winrm_plugin

from ansible_collections.winops.volume_activation.plugins.plugin_utils import _silent
from ansible_collections.winops.volume_activation.plugins.plugin_utils._errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows_action import opened, seconds_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.http_carrier import NoAnswer

pytestmark = pytest.mark.tier("test")

PLUGINS: dict[str, Callable[..., Any]] = {"winrm": winrm_plugin, "psrp": lambda port: psrp_plugin(port, ssl=False)}


@pytest.fixture(autouse=True)
def own_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of any host."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    monkeypatch.setattr(_silent, "_AGAIN", 0.1)


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


def seconds(plugin: Any, first_contact: float) -> float:
    """How long a session holds that asks for anything."""
    began = time.monotonic()
    with pytest.raises(NoAnswer) as failure, opened(plugin, "pc-001", first_contact) as session:
        session.identify()
    assert failure.value.unreachable
    return time.monotonic() - began


@pytest.mark.parametrize("connection", PLUGINS)
def test_the_first_task_waits_for_the_first_contact_and_the_next_hardly(port: int, connection: str):
    assert 0.9 < seconds(PLUGINS[connection](port), 1.0) < 5
    assert seconds(PLUGINS[connection](port), 1.0) < 0.9


def test_a_host_that_answers_again_is_as_good_as_any():
    silent = _silent.Silent()
    silent.note("http://pc-001:5985/wsman")
    assert silent.seconds("http://pc-001:5985/wsman", 10) == 0.1
    assert silent.seconds("http://pc-002:5985/wsman", 10) == 10
    assert silent.seconds("http://pc-001:5985/wsman", 0.05) == 0.05
    with opened(winrm_plugin(5985), "pc-001", 10) as session:
        _silent.Silent().note(session.carrier.endpoint)
        session.carrier.contact.make()
    assert _silent.Silent().seconds(session.carrier.endpoint, 10) == 10


def test_where_nothing_can_be_kept_the_next_task_waits_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", "/nonexistent")
    silent = _silent.Silent()
    silent.note("x")
    silent.forget("x")
    assert silent.seconds("x", 10) == 10


def test_the_variable_is_a_number_of_seconds():
    assert [seconds_of(value) for value in (None, 3, "2.5")] == [10, 3, 2.5]
    for wrong in (0, -1, "soon", "inf", "nan", []):
        with pytest.raises(ActivationError, match="volume_activation_first_contact_timeout has to be a number of seconds, more than 0"):
            seconds_of(wrong)
