# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shells of the canned hosts, as pywinrm and pypsrp read them."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from pypsrp import messages
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import Serializer
from pypsrp.wsman import WSMan
from scale import psrp, shells
from winrm.protocol import Protocol

pytestmark = pytest.mark.tier("test")

POOL, PIPELINE = uuid.uuid4(), uuid.uuid4()


def read(stream: bytes) -> list[Any]:
    """The messages as pypsrp reads them."""
    found = []
    while stream:
        length = int.from_bytes(stream[17:21], "big")
        message = messages.Message.unpack(stream[21 : 21 + length], Serializer())
        found.append(message)
        stream = stream[21 + length :]
    return found


def test_a_client_of_powershell_reads_that_the_pool_is_open_and_what_a_pipeline_said():
    *_others, state = read(psrp.opened(POOL))
    assert (state.data.state, state.rpid) == (2, POOL)
    said, over = read(psrp.output(POOL, PIPELINE, '{"changed": "<no> & ü"}'))
    assert said.data.data == '{"changed": "<no> & ü"}'
    assert (over.data.state, over.pid) == (4, PIPELINE)


class Wire:
    """Instead of a connection of pypsrp: the shells answer at once."""

    def __init__(self, answering: shells.Shells) -> None:
        self._answering = answering
        self.endpoint = "http://host/wsman"

    def send(self, message: bytes, **_options: Any) -> bytes:
        answer = self._answering.answer(message)
        assert answer is not None
        return answer


def test_a_module_by_psrp_gets_its_result():
    connection = WSMan("host", username="u", password="p", auth="basic", ssl=False, encryption="never")
    connection.transport = Wire(shells.Shells({"win_ping": {"ping": "pong"}}))
    with RunspacePool(connection) as pool:
        pipeline = PowerShell(pool)
        pipeline.add_script("bootstrap")
        (said,) = pipeline.invoke(['{"params": {"Script": "ansible.windows.win_ping.ps1"}}'])
    assert json.loads(said) == {"ping": "pong"}


def test_a_module_by_winrm_gets_its_result_and_an_unknown_one_none():
    answering = shells.Shells({"win_ping": {"ping": "pong"}})
    protocol = Protocol("http://host/wsman", transport="basic", username="u", password="p")

    class Sent:
        def send_message(self, message: str) -> bytes:
            """As pywinrm's transport."""
            answer = answering.answer(message.encode())
            assert answer is not None
            return answer

        def close_session(self) -> None:
            """Nothing to do."""

    protocol.transport = Sent()
    shell = protocol.open_shell()
    for module, known in (("win_ping", True), ("win_pong", False)):
        command = protocol.run_command(shell, "powershell")
        manifest = "x" * 9000 + f'{{"Script": "ansible.windows.{module}.ps1"}}'
        for part in (manifest[:8990], manifest[8990:]):
            protocol.send_command_input(shell, command, part)
        if known:
            out, _err, code = protocol.get_command_output(shell, command)
            assert (json.loads(out), code) == ({"ping": "pong"}, 0)
        else:
            with pytest.raises(KeyError, match="win_pong"):
                protocol.get_command_output(shell, command)
        protocol.cleanup_command(shell, command)
    protocol.close_shell(shell)
