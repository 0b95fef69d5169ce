# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control channel of a running lab: JSON lines over a Unix socket.

A request is ``{"command": NAME, …arguments}``; the answer ``{"result": …}`` or ``{"error": TEXT}``. One connection may
carry many requests. :class:`Control` is the client, for the command line and for tests.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .layout import Layout

logger = logging.getLogger(__name__)

Handler = Callable[..., Any]


class ControlError(Exception):
    """The lab does not answer, or refused the command; the text says why."""


class Control:
    """Client of the control channel. Every call opens its own connection. All of them raise ControlError."""

    def __init__(self, layout: Layout, timeout: float = 60.0) -> None:
        self._path = layout.control_socket
        self._timeout = timeout

    def call(self, command: str, **arguments: Any) -> Any:
        """Send one command and return its result."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(self._timeout)
                connection.connect(str(self._path))
                connection.sendall(json.dumps({"command": command, **arguments}).encode() + b"\n")
                with connection.makefile("rb") as stream:
                    line = stream.readline()
        except OSError as error:
            raise ControlError(f"the lab does not answer on {self._path}: {error.strerror or error}") from error
        if not line:
            raise ControlError(f"the lab hung up on the command {command}")
        answer = json.loads(line)
        if "error" in answer:
            raise ControlError(answer["error"])
        return answer["result"]

    def ping(self) -> bool:
        """Whether the simulator answers."""
        try:
            return bool(self.call("ping") == "pong")
        except ControlError:
            return False

    def status(self) -> dict[str, Any]:
        """Counts and states, as :meth:`lab.simulator.Simulator.status` makes them."""
        result: dict[str, Any] = self.call("status")
        return result

    def host(self, host: str) -> dict[str, Any]:
        """What there is to know about one host, past its WMI."""
        result: dict[str, Any] = self.call("host", host=host)
        return result

    def reset(self) -> None:
        """Return hosts, directory and DNS to fresh; faults and the request log are emptied."""
        self.call("reset")

    def settle(self) -> None:
        """Wait until hosts and Microsoft have done all that they were asked for, by clients that were killed as well."""
        self.call("settle")

    def drift(self, name: str, host: str | None = None) -> str:
        """Change something behind the administrator's back; returns a sentence that says what."""
        result: str = self.call("drift", name=name, host=host)
        return result

    def stop_host(self, host: str) -> None:
        """Turn a host off: nothing answers on its address."""
        self.call("stop_host", host=host)

    def start_host(self, host: str) -> None:
        """Turn it on again, freshly booted: its tickets are new and its services start."""
        self.call("start_host", host=host)

    def clone(self, source: str, hosts: Sequence[str]) -> None:
        """Make hosts copies of another one's disk, and start them; each keeps its name, address and domain.

        A source that was not generalized gives its CMID to all of them; one that was (sysprep /generalize) may be on or off.
        """
        self.call("clone", source=source, hosts=list(hosts))

    def count_clients(self, host: str, count: int) -> int:
        """Bring a KMS host's count up at once, as if so many other clients had asked; returns the count.

        The lab's shortcut: a lab with sites has fewer clients than each of its KMS hosts would need.
        """
        result: int = self.call("count_clients", host=host, count=count)
        return result

    def jump_clock(self, host: str, seconds: float) -> None:
        """Set a host's clock forward, or with a negative number back; a reset ends that."""
        self.call("jump_clock", host=host, seconds=seconds)

    def activate(self, host: str) -> str:
        """Let a host activate its Windows, without a request over the wire; returns the HRESULT, 0x00000000 for success."""
        result: str = self.call("activate", host=host)
        return result

    def cut_link(self, first: str, second: str, direction: str = "both") -> None:
        """Cut the connection of two sites: the KMS ports of one time out for the machines of the other, and nobody publishes there.

        ``to`` stops only what goes from the first to the second, ``from`` the other direction.
        """
        self.call("cut_link", first=first, second=second, direction=direction)

    def mend_link(self, first: str, second: str) -> None:
        """Let everything pass between two sites again."""
        self.call("mend_link", first=first, second=second)

    def block_control_node(self, site: str, blocked: bool = True) -> None:
        """Let the control node's own connections to the KMS ports of a site time out, or reach them again."""
        self.call("block_control_node", site=site, blocked=blocked)

    def stop_controller(self, label: str) -> None:
        """Take a domain controller (dc1, dc2) away, with every connection that it has; of several domains by its DNS name."""
        self.call("stop_controller", label=label)

    def start_controller(self, label: str) -> None:
        """Bring it back; returns when it answers."""
        self.call("start_controller", label=label)

    def hold_replication(self, to: str | None = None) -> None:
        """Let a domain controller take no more changes from its partner; without a name, let neither."""
        self.call("hold_replication", to=to)

    def release_replication(self, to: str | None = None) -> None:
        """End that; returns when what was held back has arrived."""
        self.call("release_replication", to=to)

    def replicate_now(self, to: str | None = None) -> None:
        """Bring a domain controller, or both, up to date; returns when it is done."""
        self.call("replicate_now", to=to)

    def microsoft(self) -> dict[str, Any]:
        """Activations by the name of the key: machines, activations, remaining, state."""
        result: dict[str, Any] = self.call("microsoft")
        return result

    def set_key_state(self, key: str, state: str) -> None:
        """How Microsoft treats a key from now on, one of :data:`lab.windows.microsoft.KEY_STATES`; by its name in ``keys.yml``."""
        self.call("set_key_state", key=key, state=state)

    def set_remaining(self, key: str, count: int) -> None:
        """So many activations are left of a MAK."""
        self.call("set_remaining", key=key, count=count)

    def microsoft_fault(self, **rule: Any) -> None:
        """Add a fault of BatchActivation by rule, see :class:`lab.microsoft.faults.Rule`; :meth:`clear_faults` removes it."""
        self.call("microsoft_fault", rule=rule)

    def microsoft_fault_hits(self) -> list[int]:
        """How many requests each of these rules has hit."""
        result: list[int] = self.call("microsoft_fault_hits")
        return result

    def microsoft_proxy(self) -> dict[str, list[str]]:
        """What the proxy has connected (``tunnels``) and what it has ``refused``, each as host and port."""
        result: dict[str, list[str]] = self.call("microsoft_proxy")
        return result

    def set_microsoft_reachable(self, reachable: bool, host: str | None = None) -> None:
        """Let a host reach Microsoft, or no more; without a host everybody, whoever asks for confirmation IDs included."""
        self.call("set_microsoft_reachable", reachable=reachable, host=host)

    def reimage(self, host: str, same_hardware: bool = True, with_key: bool = True) -> None:
        """Set a host up anew: no licence, no settings, another CMID; with its setup key, or with none.

        On the same hardware the same key has the same installation ID as before.
        """
        self.call("reimage", host=host, same_hardware=same_hardware, with_key=with_key)

    def change_hardware(self, host: str) -> None:
        """Give a host other hardware: what was activated for good is beyond tolerance, and every installation ID is another."""
        self.call("change_hardware", host=host)

    def say(self, host: str, cim_class: str, **properties: Any) -> None:
        """Let a host answer with these values of a class, whatever is true of it; without any, with its own again."""
        self.call("say", host=host, cim_class=cim_class, properties=properties)

    def inject(self, **rule: Any) -> None:
        """Add a fault by rule, see :class:`lab.injection.Rule`.

        A method whose answer is lost although the work is done: ``inject(action="Invoke:Activate", fault="reset", done=True)``.
        """
        self.call("inject", rule=rule)

    def fault_hits(self) -> list[int]:
        """How many requests each rule has hit, in the order in which they were added."""
        result: list[int] = self.call("fault_hits")
        return result

    def clear_faults(self) -> None:
        """Remove every rule."""
        self.call("clear_faults")


class _Connection(socketserver.StreamRequestHandler):
    server: _UnixServer

    def handle(self) -> None:
        for line in self.rfile:
            answer = json.dumps(self.server.answer(line)) + "\n"
            with contextlib.suppress(OSError):
                self.wfile.write(answer.encode())


class _UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers
        super().__init__(path, _Connection)

    def answer(self, line: bytes) -> dict[str, Any]:
        try:
            arguments = json.loads(line)
            command = arguments.pop("command")
            if command not in self._handlers:
                return {"error": f"no command {command}; there are {', '.join(sorted(self._handlers))}"}
            return {"result": self._handlers[command](**arguments)}
        except Exception as error:  # the channel outlives any mistake of a test
            logger.exception("control: %s", line)
            return {"error": f"{type(error).__name__}: {error}"}


class ControlServer:
    """Serves commands until stopped. The socket is only for the user who started the lab."""

    def __init__(self, path: Path, handlers: Mapping[str, Handler]) -> None:
        self._path = path
        self._handlers = handlers
        self._server: _UnixServer | None = None

    def start(self) -> None:
        """Listen; a socket that a crashed lab left is replaced. Raises OSError."""
        self._path.unlink(missing_ok=True)
        previous = os.umask(0o177)
        try:
            self._server = _UnixServer(str(self._path), self._handlers)
        finally:
            os.umask(previous)
        threading.Thread(target=self._server.serve_forever, daemon=True, name="control").start()

    def stop(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        self._path.unlink(missing_ok=True)
