# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Daemons of the lab: started apart from the caller's terminal, found again and stopped without fail.

A daemon is known by its pid file (pid and start time, so that a reused pid is never mistaken for it) and, if the file
is lost, by what it holds: a marker in its environment, or, for Samba, which overwrites its environment with process
titles, files open below the lab's folder.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

MARKER = "WINOPS_LAB_DAEMON"
"""Environment variable of every daemon; its value is the lab's folder."""

_SAMBA_NAMES = ("samba", "smbd", "winbindd", "rpcd_")


class DaemonError(Exception):
    """A daemon did not start, did not end, or ended on its own."""


def _start_time(pid: int) -> str | None:
    """Start time in clock ticks since boot, or None if there is no such process or only its zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    # The command name is in parentheses and may hold anything, so count from the last one.
    fields = text[text.rindex(")") + 2 :].split()
    return None if fields[0] in "ZX" else fields[19]


def spawn(argv: Sequence[str], pid_file: Path, log: Path, root: Path, env: Mapping[str, str] | None = None) -> int:
    """Start a daemon and write its pid file. Returns the pid.

    ``argv`` must stay in the foreground. ``env`` comes on top of the caller's environment, ``log`` gets what the
    daemon prints.
    """
    # A shell in between makes the daemon init's child at once: a caller that lives long would have to reap it.
    with log.open("ab") as output:
        starter = subprocess.run(
            ["/bin/sh", "-c", 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!', "sh", str(log), *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd=root,
            env={**os.environ, **(env or {}), MARKER: str(root)},
            start_new_session=True,
            check=True,
            text=True,
        )
    pid = int(starter.stdout)
    pid_file.write_text(f"{pid} {_start_time(pid) or 0}\n", encoding="ascii")
    return pid


def alive(pid_file: Path) -> int | None:
    """The pid of a running daemon by its pid file, or None if the file is missing, broken or stale."""
    try:
        pid, started = pid_file.read_text(encoding="ascii").split()
        return int(pid) if _start_time(int(pid)) == started else None
    except (OSError, ValueError):
        return None


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def _belongs(pid: int, root: Path) -> bool:
    """Whether a process is a daemon of the lab in that folder."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        if f"{MARKER}={root}".encode() in environment:
            return True
        # Samba's processes name themselves after their tasks; what they run stays the same.
        if not Path(os.readlink(f"/proc/{pid}/exe")).name.startswith(_SAMBA_NAMES):
            return False
        targets = [os.readlink(item) for item in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False
    return any(target.startswith(f"{root}/") for target in targets)


def members(root: Path) -> list[int]:
    """Every living process of the lab in that folder, by what it holds."""
    pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    return [pid for pid in pids if pid != os.getpid() and _start_time(pid) is not None and _belongs(pid, root)]


def _signal(pids: Sequence[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def end(pids: Sequence[int], patience: float = 5.0) -> None:
    """End processes: SIGTERM, and SIGKILL for those that are still there after ``patience`` seconds.

    Raises DaemonError if one survives even that.
    """
    started = {pid: _start_time(pid) for pid in pids}
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
        _signal([pid for pid, ticks in started.items() if ticks is not None and _start_time(pid) == ticks], number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not [pid for pid, ticks in started.items() if ticks is not None and _start_time(pid) == ticks]:
                return
            time.sleep(0.02)
    raise DaemonError(f"processes {sorted(started)} do not end, not even by SIGKILL")


def _descendants(pid: int) -> list[int]:
    """The children of a process, theirs, and so on."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
            found += [int(child), *_descendants(int(child))]
    return found


def stop(pid_file: Path, patience: float = 5.0) -> bool:
    """Stop the daemon of a pid file with its children and remove the file. False if there was none running.

    ``patience`` is that of :func:`end`.
    """
    pid = alive(pid_file)
    if pid is not None:
        end([pid, *_descendants(pid)], patience)
    pid_file.unlink(missing_ok=True)
    return pid is not None
