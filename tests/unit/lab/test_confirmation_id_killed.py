# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module confirmation_id in a process of its own that is killed at any moment and run again: nothing is asked twice, nothing is lost."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiers

from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import Export, ExportedProduct
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.store import ListFile
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.acquiring import Way, acquire_into_file
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.service import open_service
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.settings import MicrosoftSettings
from lab.microsoft.server import BatchServer

pytestmark = pytest.mark.tier("soak")

KEY = "mak_win_enterprise"
COUNT = 8


def serve() -> None:
    """Forks for each line a process that does the work of one task: so it begins at once, with all that it imports."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            given = json.loads(line)
            settings = MicrosoftSettings(given["url"], given["ca_path"], timeout=10, parallel=given["parallel"])
            with open_service(settings) as service:
                acquire_into_file(ListFile(given["path"]), Way(service.ask, settings, ask_again=given["ask_again"]))
            os._exit(0)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


class Tasks:
    """Runs tasks, each in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin and process.stdout
        self._stdin, self._stdout = process.stdin, process.stdout

    def run(self, microsoft: BatchServer, path: Path, parallel: int, kill_after: float = 60, ask_again: bool = False) -> bool:
        """Run one, and kill it after so many seconds; returns whether it came to its end."""
        given = {"url": microsoft.url, "ca_path": microsoft.ca_path, "path": str(path), "parallel": parallel, "ask_again": ask_again}
        self._stdin.write(json.dumps(given).encode() + b"\n")
        pid = int(self._stdout.readline())
        if not select.select([self._stdout], [], [], kill_after)[0]:
            # The one that forked it waits for it, so that the number is still its own.
            os.kill(pid, signal.SIGKILL)
        status = int(self._stdout.readline())
        assert status in (0, -signal.SIGKILL)
        return status == 0


@pytest.fixture(scope="module")
def tasks() -> Iterator[Tasks]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=environment) as process:
        yield Tasks(process)
        assert process.stdin
        process.stdin.close()


def products() -> list[ExportedProduct]:
    samples = [BatchServer.sample(KEY, f"iso-{number:03}") for number in range(1, COUNT + 1)]
    activation_id = "73111121-5638-40f6-bc11-f1d7b0d64300"
    return [
        ExportedProduct(f"{number:032x}", activation_id, sample.installation_id, sample.extended_pid)
        for number, sample in enumerate(samples, 1)
    ]


def stored(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["products"]
    return found


def fresh(microsoft: BatchServer, path: Path, slowness: float) -> Path:
    """A list for which nobody has asked yet, and Microsoft as it is then."""
    microsoft.microsoft.reset()
    microsoft.reset()
    microsoft.faults.add({"fault": "slow", "seconds": slowness, "times": 0})
    file = ListFile(str(path))
    with file.locked():
        file.save(Export("55c92734-d682-4d71-983e-d6ec3f16059f", products()))
    return path


@pytest.mark.parametrize("parallel", [1, 4])
def test_killed_at_any_moment_and_run_again(microsoft: BatchServer, tasks: Tasks, tmp_path: Path, parallel: int):
    dice = random.Random(f"{tiers.seed()} {parallel}")
    right = {
        product.installation_id: BatchServer.sample(KEY, f"iso-{number:03}").confirmation_id for number, product in enumerate(products(), 1)
    }
    kills = unclear = 0
    for attempt in range(8):
        # In turn with time to be killed in before the answer is sent, and without.
        slowness = 0.02 * (attempt % 2)
        begun = time.monotonic()
        undisturbed = fresh(microsoft, tmp_path / f"whole-{attempt}.json", slowness)
        assert tasks.run(microsoft, undisturbed, parallel)
        whole = time.monotonic() - begun
        assert {entry["installation_id"]: entry["confirmation_id"] for entry in stored(undisturbed)} == right
        path = fresh(microsoft, tmp_path / f"export-{attempt}.json", slowness)
        here = sum(not tasks.run(microsoft, path, parallel, kill_after=dice.uniform(0, whole)) for _kill in range(4))
        kills += here
        assert tasks.run(microsoft, path, parallel)
        time.sleep(0.05)
        times = Counter(entry.iid for entry in microsoft.journal.entries)
        assert set(times.values()) <= {1}
        for entry in stored(path):
            # Whoever was asked for has a mark, whatever became of the answer; whoever was not asked for has neither.
            asked = times[entry["installation_id"]]
            assert entry["asked"]
            assert entry["confirmation_id"] in ((None, right[entry["installation_id"]]) if asked else (None,))
        lost = sum(entry["confirmation_id"] is None for entry in stored(path))
        # A kill costs the answers that are on their way, and no other.
        assert lost <= here * parallel
        unclear += lost
        assert tasks.run(microsoft, path, parallel, ask_again=True)
        assert {entry["installation_id"]: entry["confirmation_id"] for entry in stored(path)} == right
    assert kills >= 5
    assert unclear >= 1
    assert not list(tmp_path.glob(".*.tmp"))


if __name__ == "__main__":
    serve()
