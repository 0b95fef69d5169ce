# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shells in which Ansible runs its PowerShell modules: WinRS (MS-WSMV 3.1.4.5) and runspace pools (MS-PSRP 3.2).

No PowerShell runs. What a module would return is said at once, so that whoever runs modules is charged for the control node and the wire
alone, and for nothing that Windows would take for it: the start of PowerShell, compiling, and the module itself.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import psrp

RESULTS = Path(__file__).with_name("module_results.json")

_URI = re.compile(rb"ResourceURI[^>]*>\s*(http://schemas.microsoft.com/(?:wbem/wsman/1/windows/shell/cmd|powershell/[\w.]+))\s*<")
_ACTION = re.compile(rb"Action[^>]*>\s*http://[^<]*/(\w+)\s*<")
_MESSAGE_ID = re.compile(rb"MessageID[^>]*>\s*([^<\s]+)\s*<")
_SHELL_ID = re.compile(rb'Shell(?:\s[^>]*)?\sShellId="([^"]+)"|Selector[^>]*Name="ShellId"[^>]*>([^<]+)<')
_COMMAND_ID = re.compile(rb'CommandId="([^"]+)"')
_DATA = re.compile(rb"(?:Stream|Arguments)(?:\s[^>]*)?>([A-Za-z0-9+/=\s]+)</")
# Where the manifest of ansible-core names the module, in PSRP inside of an XML text.
_MODULE = re.compile(rb'"Script": ?"(?:\w+\.)*(\w+)\.ps1"')
_NAMESPACES = (
    b'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    b' xmlns:x="http://schemas.xmlsoap.org/ws/2004/09/transfer" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
    b' xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"'
)
_STATES = b"http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/"
_ENVELOPE = (
    b'<s:Envelope xml:lang="en-US" %b><s:Header><a:Action>http://schemas.microsoft.com/wbem/wsman/1/windows/shell/%bResponse</a:Action>'
    b"<a:MessageID>uuid:%b</a:MessageID><a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>"
    b"<a:RelatesTo>%b</a:RelatesTo></s:Header><s:Body>%b</s:Body></s:Envelope>"
)


@dataclass
class _Shell:
    """A shell that is open: the last data that came for its command, and whether its pool has said that it is open."""

    is_pool: bool
    data: bytes = b""
    greeted: bool = False


@dataclass
class Shells:
    """All shells of all hosts, or of one.

    Attributes:
        results: By the name of a module, without its collection, what it returns; a list of what it returns by turns.
    """

    results: Mapping[str, Mapping[str, Any] | Sequence[Mapping[str, Any]]]
    _open: dict[bytes, _Shell] = field(default_factory=dict)
    _turns: Counter[str] = field(default_factory=Counter)

    def answer(self, request: bytes) -> bytes | None:
        """The answer to a request; None where it is not about a shell.

        Raises:
            LookupError: It is about one that is not open, or runs a module of which no result is known.
        """
        uri, action, message_id = _URI.search(request), _ACTION.search(request), _MESSAGE_ID.search(request)
        if uri is None or action is None or message_id is None:
            return None
        told = getattr(self, f"_{action[1].decode().lower()}")(request, uri[1])
        return _ENVELOPE % (_NAMESPACES, action[1], str(uuid.uuid4()).upper().encode(), message_id[1], told)

    def _create(self, request: bytes, uri: bytes) -> bytes:
        chosen = _SHELL_ID.search(request)
        name = chosen[1] if chosen else str(uuid.uuid4()).upper().encode()
        self._open[name] = _Shell(is_pool=b"powershell" in uri)
        selectors = b'<w:SelectorSet><w:Selector Name="ShellId">%b</w:Selector></w:SelectorSet>' % name
        created = b"<a:ReferenceParameters><w:ResourceURI>%b</w:ResourceURI>%b</a:ReferenceParameters>" % (uri, selectors)
        return (
            b"<x:ResourceCreated><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address>%b</x:ResourceCreated>"
            b"<rsp:Shell><rsp:ShellId>%b</rsp:ShellId><rsp:ResourceUri>%b</rsp:ResourceUri></rsp:Shell>" % (created, name, uri)
        )

    def _command(self, request: bytes, _uri: bytes) -> bytes:
        _name, shell = self._of(request)
        chosen = _COMMAND_ID.search(request)
        shell.data = _decoded(request) if shell.is_pool else b""
        command = chosen[1] if chosen else str(uuid.uuid4()).upper().encode()
        return b"<rsp:CommandResponse><rsp:CommandId>%b</rsp:CommandId></rsp:CommandResponse>" % command

    def _send(self, request: bytes, _uri: bytes) -> bytes:
        _name, shell = self._of(request)
        # The name of the module may be cut in two where one message ends, and always comes near the end.
        shell.data = shell.data[-4096:] + _decoded(request)
        return b"<rsp:SendResponse/>"

    def _receive(self, request: bytes, _uri: bytes) -> bytes:
        name, shell = self._of(request)
        chosen = _COMMAND_ID.search(request)
        if chosen is None:
            if shell.greeted:
                raise LookupError("a runspace pool has nothing more to say")
            shell.greeted = True
            return _received(psrp.opened(uuid.UUID(name.decode())), b"")
        text = json.dumps(self._result(shell.data))
        if shell.is_pool:
            return _received(psrp.output(uuid.UUID(name.decode()), uuid.UUID(chosen[1].decode()), text), chosen[1])
        return _received(text.encode() + b"\r\n", chosen[1])

    def _signal(self, request: bytes, _uri: bytes) -> bytes:
        self._of(request)
        return b"<rsp:SignalResponse/>"

    def _delete(self, request: bytes, _uri: bytes) -> bytes:
        name, _shell = self._of(request)
        del self._open[name]
        return b""

    def _of(self, request: bytes) -> tuple[bytes, _Shell]:
        found = _SHELL_ID.search(request)
        name = (found[1] or found[2]).strip() if found else b""
        return name, self._open[name]

    def _result(self, data: bytes) -> Mapping[str, Any]:
        names = _MODULE.findall(data)
        if not names:
            raise LookupError("the command runs no module of Ansible")
        name = names[-1].decode()
        found = self.results[name]
        if isinstance(found, Mapping):
            return found
        self._turns[name] += 1
        return found[(self._turns[name] - 1) % len(found)]


def _decoded(request: bytes) -> bytes:
    return b"".join(base64.b64decode(found) for found in _DATA.findall(request))


def _received(data: bytes, command: bytes) -> bytes:
    """The stream of a command, which is over, or without a command that of the pool."""
    about = b' CommandId="%b"' % command if command else b""
    stream = b'<rsp:Stream Name="stdout"%b>%b</rsp:Stream>' % (about, base64.b64encode(data))
    over = b'<rsp:CommandState%b State="%bDone"><rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState>' % (about, _STATES)
    return b"<rsp:ReceiveResponse>%b%b</rsp:ReceiveResponse>" % (stream, over if command else b"")
