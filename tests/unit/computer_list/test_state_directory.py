# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where state is kept, and when that would end with the run."""

from __future__ import annotations

import pytest

from ansible_collections.winops.volume_activation.plugins.filter.mak_state_directory import mak_state_directory
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.state_directory import judge, mount_points

pytestmark = pytest.mark.tier("quick")

RUNNER = {"AWX_ISOLATED_DATA_DIR": "/runner/artifacts/42", "HOME": "/home/runner"}
LOCAL_RUNNER = {"AWX_ISOLATED_DATA_DIR": "/tmp/job/artifacts/42", "HOME": "/home/me"}
SHELL = {"HOME": "/home/me"}
MOUNTS = ["/", "/proc", "/runner", "/runner/artifacts"]


@pytest.mark.parametrize(
    ("given", "environment", "mounts", "path", "said"),
    [
        ("", SHELL, ["/"], "/home/me/.local/state/winops.volume_activation", ""),
        ("", {**SHELL, "XDG_STATE_HOME": "/srv/state"}, ["/"], "/srv/state/winops.volume_activation", ""),
        ("", {**SHELL, "XDG_STATE_HOME": "relative"}, ["/"], "/home/me/.local/state/winops.volume_activation", ""),
        ("/srv/a/../activation/", SHELL, ["/"], "/srv/activation", ""),
        # A job of AWX keeps nothing unless it is told where.
        ("", RUNNER, MOUNTS, "/home/runner/.local/state/winops.volume_activation", "no state directory is set"),
        ("", LOCAL_RUNNER, ["/"], "/home/me/.local/state/winops.volume_activation", "no state directory is set"),
        ("/runner/project/state", RUNNER, MOUNTS, "/runner/project/state", "private directory /runner, which ends"),
        ("/runner/artifacts/state", RUNNER, MOUNTS[:3], "/runner/artifacts/state", "private directory /runner, which ends"),
        ("/tmp/job/state", LOCAL_RUNNER, ["/"], "/tmp/job/state", "private directory /tmp/job, which ends"),
        ("/runner", RUNNER, MOUNTS, "/runner", "private directory /runner, which ends"),
        # What is mounted there outlasts it.
        ("/runner/state/lab", RUNNER, [*MOUNTS, "/runner/state"], "/runner/state/lab", ""),
        ("/state", RUNNER, [*MOUNTS, "/state"], "/state", ""),
        ("/srv/activation", LOCAL_RUNNER, ["/"], "/srv/activation", ""),
        # An execution environment loses its own file system with the run.
        ("/srv/activation", RUNNER, MOUNTS, "/srv/activation", "lies in the execution environment itself"),
        # A container that somebody works in is not known to.
        ("/srv/activation", SHELL, ["/", "/proc"], "/srv/activation", ""),
    ],
)
def test_a_folder_that_ends_with_the_run_is_refused(given: str, environment: dict[str, str], mounts: list[str], path: str, said: str):
    found = judge(given, environment, mounts)
    assert found.path == path
    assert (said in found.refusal) if said else found.refusal == ""
    assert not said or "volume_activation_state_dir" in found.refusal


def test_mount_points_are_read_as_linux_writes_them():
    text = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw\n37 35 0:5 / /media/my\\040stick rw - vfat /dev/sda1 rw\n"
    assert mount_points(text) == ["/mnt2", "/media/my stick"]


def test_the_filter_judges_this_machine(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", "/tmp/job/artifacts/1")
    assert mak_state_directory("/tmp/job/lists")["refusal"].startswith("/tmp/job/lists lies in ansible-runner's private directory")
