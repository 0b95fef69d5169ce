# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BatchActivation in a network of its own, where nobody reaches the hosts of a lab, and from where nobody reaches it: an air gap.

For tests of activation by files that somebody carries::

    with microsoft_elsewhere(folder) as place:        # needs root
        subprocess.run(place.inside(["ansible-playbook", …]), env=…)   # with place.url and place.ca_path
        place.tell("set_remaining", key="mak_win_enterprise", count=3)
        place.tell("snapshot"), place.tell("entries")                  # see lab.microsoft.__main__
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ..layout import TESTS

_LOOPBACK_FIRST = 'ip link set lo up && exec "$@"'


class Elsewhere:
    """A running service; ``url`` and ``ca_path`` are for who is in its network."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        said = json.loads(self._stream(process.stdout).readline())
        self.url: str = said["url"]
        self.ca_path: str = said["ca_path"]

    @staticmethod
    def _stream(stream: IO[str] | None) -> IO[str]:
        if stream is None:
            raise ValueError("the process has no pipe")
        return stream

    def inside(self, command: Sequence[str]) -> list[str]:
        """A command as it is run in that network."""
        return ["nsenter", f"--target={self._process.pid}", "--net", "--", *command]

    def tell(self, command: str, **given: Any) -> Any:
        """One command of :mod:`lab.microsoft.__main__`, and its result. Raises ValueError with what it says is wrong."""
        stdin = self._stream(self._process.stdin)
        stdin.write(json.dumps({"command": command, **given}) + "\n")
        stdin.flush()
        answer = json.loads(self._stream(self._process.stdout).readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["result"]


@contextmanager
def microsoft_elsewhere(folder: Path, *, seed: int = 1) -> Iterator[Elsewhere]:
    """The service runs meanwhile; ``folder`` gets its certificates and ``microsoft.jsonl``."""
    service = [sys.executable, "-m", "lab.microsoft", str(folder), "--seed", str(seed)]
    command = ["unshare", "--net", "sh", "-c", _LOOPBACK_FIRST, "sh", *service]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Elsewhere(process)
        finally:
            process.terminate()
