# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a folder outlasts the run, so that what cost an activation may be kept in it.

Pure, but for symbolic links on the way to the folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

# ansible-runner sets it to the artifacts of its job, which lie in its private data directory; AWX and ansible-navigator run it.
_RUNNER = "AWX_ISOLATED_DATA_DIR"
_ARTIFACTS = "artifacts"
# In an execution environment, a container that lives as long as the run, the private data directory is mounted here.
_IN_CONTAINER = "/runner"
# What is mounted so is memory, which a container has of its own, such as /dev/shm.
_MEMORY = ("tmpfs", "ramfs")


def loss(path: str, environment: Mapping[str, str], mount_points: Iterable[str], variable: str, file: bool = False) -> str:
    """Why a folder is lost with the run, as a sentence with what to set; empty where it outlasts it.

    Args:
        path: The folder, from the root.
        environment: The environment variables of the process.
        mount_points: What is mounted where.
        variable: The variable that names it.
        file: Whether the variable names a file in the folder.
    """
    runner = private_directories(environment)
    real = os.path.realpath(path)
    mount = max((point for point in mount_points if _is_below(real, point)), key=len, default="/")
    inside = next((folder for folder in runner if _is_below(real, folder)), "")
    if inside and not (_is_below(mount, inside) and mount != inside):
        wanted = f"Set {variable} to {'a file in ' if file else ''}a folder that outlasts it."
        return f"{path} lies in ansible-runner's private directory {inside}, which ends with the run. {wanted}"
    if _IN_CONTAINER in runner and mount == "/":
        wanted = f"Mount a folder there, or set {variable} to {'a file in ' if file else ''}one that is mounted."
        return f"{path} lies in the execution environment itself, which ends with the run. {wanted}"
    return ""


def loss_of_default(path: str, environment: Mapping[str, str], variable: str) -> str:
    """The same for the folder that is taken where none is set, which no run of ansible-runner may rely on."""
    if not private_directories(environment):
        return ""
    return (
        "This run is one of ansible-runner (AWX, ansible-navigator), and no state directory is set: what is kept in"
        f" {path} could be lost with the run. Set {variable} to a folder that outlasts it."
    )


def private_directories(environment: Mapping[str, str]) -> list[str]:
    """What belongs to a run of ansible-runner; empty where this is none."""
    artifacts = environment.get(_RUNNER, "")
    if not artifacts:
        return []
    folder = PurePosixPath(artifacts)
    while folder.name and folder.name != _ARTIFACTS:
        folder = folder.parent
    return [str(folder.parent if folder.name else PurePosixPath(artifacts))]


def default_directory(environment: Mapping[str, str]) -> str:
    """Where programs of a user keep their state (XDG Base Directory Specification, XDG_STATE_HOME)."""
    base = environment.get("XDG_STATE_HOME", "")
    if not base.startswith("/"):
        base = str(Path(environment.get("HOME") or "~").expanduser() / ".local" / "state")
    return str(Path(base) / "winops.volume_activation")


def mount_points(mountinfo: str) -> list[str]:
    """Where there is more than memory mounted, of the text of /proc/self/mountinfo.

    Source: proc_pid_mountinfo(5): field 5 is the mount point, the type of the file system comes after a dash, and white space and
    backslashes are three octal digits.
    """
    found = []
    for line in mountinfo.splitlines():
        fields, _dash, source = line.partition(" - ")
        parts = fields.split(" ")
        if len(parts) > 4 and source.partition(" ")[0] not in _MEMORY:
            found.append(re.sub(r"\\([0-7]{3})", lambda digits: chr(int(digits[1], 8)), parts[4]))
    return found


def mounted_here() -> list[str]:
    """The same for this process; where the system does not tell, nothing but the root."""
    try:
        return mount_points(Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ["/"]


def _is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it."""
    return PurePosixPath(path).is_relative_to(folder)
