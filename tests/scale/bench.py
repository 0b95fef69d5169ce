# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all measurements have in common: programs and what they cost, the server, inventories, goals."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import canned
from .exchange import PASSWORD, USER

MAX_PEAK_MIB = 400
TESTS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Cost:
    """What a program cost, with all processes that it started."""

    wall: float
    cpu: float
    of_it_system: float
    peak_mib: float

    def as_data(self) -> dict[str, float]:
        """Rounded."""
        return {
            "wall_s": round(self.wall, 2),
            "cpu_s": round(self.cpu, 2),
            "of_it_system_s": round(self.of_it_system, 2),
            "peak_mib": round(self.peak_mib, 1),
        }


def run(command: Sequence[str], environment: dict[str, str], log: Path, endings: Collection[int] = (0,)) -> Cost:
    """Run a program to its end.

    Args:
        command: The program and its arguments.
        environment: Its environment.
        log: Where its output is written.
        endings: The exit codes that it may have.

    Raises:
        RuntimeError: It has another one.
    """
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=TESTS, stdout=output, stderr=subprocess.STDOUT)
        _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in endings:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}, see {log}:\n{log.read_text(errors='replace')[-2000:]}")
    return Cost(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_stime, usage.ru_maxrss / 1024)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as found:
        found.bind(("0.0.0.0", 0))
        port: int = found.getsockname()[1]
    return port


class Server:
    """The server of canned answers; it runs from its making to C(end).

    Args:
        port: Where it listens.
        arguments: What it is started with, see C(scale.server).

    Raises:
        RuntimeError: It did not start.
    """

    def __init__(self, port: int, *arguments: str) -> None:
        self.port = port
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scale.server", "--port", str(port), *arguments],
            cwd=TESTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if self._line() != "ready":
            self._process.kill()
            raise RuntimeError(f"the server on port {port} did not start")

    def begin_anew(self, kind: str, results: Mapping[str, Any]) -> None:
        """Have all hosts forget what was set; for a server that was started with C(--commands).

        Args:
            kind: What they are, see C(scale.changing).
            results: By PowerShell module what it returns, or a list of what it returns by turns on each host.

        Raises:
            RuntimeError: It does not obey.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"kind": kind, "results": results}) + "\n")
        self._process.stdin.flush()
        if self._line() != "begun":
            raise RuntimeError(f"the server on port {self.port} did not begin anew")

    def counts(self) -> dict[str, Any]:
        """What it counted since the last time."""
        self._process.send_signal(signal.SIGUSR1)
        found: dict[str, Any] = json.loads(self._line())
        return found

    def end(self) -> dict[str, Any]:
        """End it; what it counted since the last time."""
        self._process.send_signal(signal.SIGTERM)
        said, _errors = self._process.communicate(timeout=30)
        found: dict[str, Any] = json.loads(said or "{}")
        return found

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextmanager
def serving(port: int, *arguments: str) -> Iterator[dict[str, Any]]:
    """The server of canned answers; what it counted is in the dictionary afterwards."""
    counts: dict[str, Any] = {}
    server = Server(port, *arguments)
    try:
        yield counts
    finally:
        counts.update(server.end())


def inventory(size: int, port: int, ca: str = "", **variables: Any) -> dict[str, Any]:
    """An inventory of so many hosts, as a company writes it.

    Args:
        size: How many hosts.
        port: That of the server of canned answers.
        ca: The certificate of its authority; empty without TLS.
        variables: What all hosts have beside the connection.
    """
    connection = {
        "ansible_connection": "winrm",
        "ansible_port": port,
        "ansible_winrm_scheme": "https" if ca else "http",
        "ansible_winrm_transport": ["basic"],
        "ansible_user": USER,
        "ansible_password": PASSWORD,
        **({"ansible_winrm_ca_trust_path": ca} if ca else {}),
        **variables,
    }
    hosts = {f"pc-{number:05d}.contoso.com": {"ansible_host": canned.address(number)} for number in range(size)}
    groups = {name: {"children": {"windows": {}}} for name in ("kms_clients", "mak_clients")}
    return {"all": {"vars": connection, "children": {"windows": {"hosts": hosts}, **groups, "kms_hosts": {}}}}


def environment(options: argparse.Namespace, folder: Path) -> dict[str, str]:
    """The environment of ansible-playbook.

    Args:
        options: Of the command line, C(build) and C(forks) among them.
        folder: Where it may write.
    """
    # Byte code is kept, and where it is on the machine of a user: it would be a cost of each run that users do not have.
    around = {name: value for name, value in os.environ.items() if name not in ("PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")}
    return {
        **around,
        "ANSIBLE_COLLECTIONS_PATH": str(options.build / "collections"),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_ACTION_PLUGINS": str(TESTS / "scale" / "action"),
        "ANSIBLE_CALLBACK_PLUGINS": str(TESTS / "scale" / "callback"),
        "ANSIBLE_FORKS": str(options.forks),
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
        "VOLUME_ACTIVATION_STATE_DIRECTORY": str(folder / "state"),
        "LC_ALL": "C.UTF-8",
        "no_proxy": "*",
    }


def goal(limit: float, measured: float) -> dict[str, Any]:
    """A goal that is met by a number which is not greater."""
    return {"goal": limit, "measured": measured, "met": measured <= limit}
