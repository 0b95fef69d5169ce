# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a folder outlasts the run, so that what cost an activation may be kept in it.

Pure but for the folder itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

VARIABLE = "volume_activation_state_dir"

# ansible-runner sets it to the artifacts of its job, which lie in its private data directory; AWX and ansible-navigator run it.
_RUNNER = "AWX_ISOLATED_DATA_DIR"
_ARTIFACTS = "artifacts"
# In an execution environment, a container that lives as long as the run, the private data directory is mounted here.
_IN_CONTAINER = "/runner"


@dataclass(frozen=True, slots=True)
class StateDirectory:
    """Where state is kept.

    Attributes:
        path: The folder.
        refusal: Why no activation may be spent with it, as a sentence; empty where it may.
    """

    path: str
    refusal: str


def judge(given: str, environment: Mapping[str, str], mount_points: Iterable[str]) -> StateDirectory:
    """Where state is kept, and whether it is still there after the run.

    Args:
        given: The value of C(volume_activation_state_dir); empty for none.
        environment: The environment variables of the process.
        mount_points: What is mounted where.
    """
    runner = private_directories(environment)
    if not given:
        path = default_directory(environment)
        if runner:
            return StateDirectory(
                path,
                f"This run is one of ansible-runner (AWX, ansible-navigator), and no state directory is set: what costs activations"
                f" would be kept in {path} and could be lost with the run. Set {VARIABLE} to a folder that outlasts it.",
            )
    else:
        path = os.path.abspath(os.path.expanduser(given))
    mount = _mount_of(path, mount_points)
    inside = next((folder for folder in runner if _is_below(path, folder)), "")
    if inside and not (_is_below(mount, inside) and mount != inside):
        return StateDirectory(
            path,
            f"{path} lies in ansible-runner's private directory {inside}, which ends with the run. Set {VARIABLE} to a folder that outlasts it.",
        )
    if _IN_CONTAINER in runner and mount == "/":
        return StateDirectory(
            path,
            f"{path} lies in the execution environment itself, which ends with the run. Mount a folder there, or set {VARIABLE} to one that"
            " is mounted.",
        )
    return StateDirectory(path, "")


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
    """The mount points in the text of /proc/self/mountinfo (proc_pid_mountinfo(5), field 5)."""
    fields = (line.split(" ") for line in mountinfo.splitlines())
    return [parts[4].replace("\\040", " ") for parts in fields if len(parts) > 4]


def judge_here(given: str) -> StateDirectory:
    """The same for this process."""
    try:
        mounted = mount_points(Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        mounted = ["/"]
    return judge(given, os.environ, mounted)


def _mount_of(path: str, mount_points: Iterable[str]) -> str:
    return max((point for point in mount_points if _is_below(path, point)), key=len, default="/")


def _is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies in it."""
    return PurePosixPath(path).is_relative_to(folder)
