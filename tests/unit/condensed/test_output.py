# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known comes out however a process ends, in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.tier("quick")

COLLECTIONS = Path(__file__).resolve().parents[3] / "build/collections"
BEGIN = """
import os, signal, sys, time
from ansible_collections.winops.volume_activation.plugins.plugin_utils._condensed.answers import TaskAnswer, TaskOutcome
from ansible_collections.winops.volume_activation.plugins.plugin_utils._condensed.output import Output
from ansible_collections.winops.volume_activation.plugins.plugin_utils._condensed.tally import ViewSettings

def show(line):
    sys.stdout.write(line.text + "\\n")

# Whoever starts the tests may have ignored it.
signal.signal(signal.SIGINT, signal.default_int_handler)
output = Output(show, ViewSettings(every=0.01), beside=BESIDE)
output.view.play("Clients", 2, check_mode=False)
output.view.task("1", "Read")
output.view.result("1", "a", TaskOutcome.OK, TaskAnswer(summary=(("a finding",),)))
"""


def ended(script: str, beside: bool = False) -> subprocess.CompletedProcess[str]:
    source = BEGIN.replace("BESIDE", str(beside)) + script
    environment = {"PYTHONPATH": str(COLLECTIONS)}
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False, env=environment, timeout=60)


def told(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [" ".join(line.split()) for line in done.stdout.splitlines() if line]


READ = ["PLAY Clients", "Read 1 ok"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_prints_what_is_known_and_still_ends_the_process(number: signal.Signals):
    done = ended(f"os.kill(os.getpid(), {number:d})\ntime.sleep(5)")
    why = "Terminated" if number is signal.SIGTERM else "Interrupted"
    assert told(done) == [*READ, f"{why} after 0 s during: Read", "Read", "a finding"]
    assert done.returncode == -number


def test_a_signal_that_is_ignored_stays_so():
    before = BEGIN.replace("signal.default_int_handler", "signal.SIG_IGN").replace("BESIDE", "False")
    script = f"{before}os.kill(os.getpid(), signal.SIGINT)\nprint('it goes on')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(COLLECTIONS)})
    assert "it goes on" in told(done) and "Interrupted" not in done.stdout


def test_who_handled_the_signal_before_does_so_afterwards():
    before = BEGIN.replace("output = Output", "signal.signal(15, lambda *_: (print('the former'), os._exit(7)))\noutput = Output").replace(
        "BESIDE", "False"
    )
    done = subprocess.run(
        [sys.executable, "-u", "-c", before + "os.kill(os.getpid(), 15)"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(COLLECTIONS)},
    )
    assert told(done)[-1] == "the former" and done.returncode == 7


def test_an_exit_without_a_recap_prints_what_is_known_and_one_with_a_recap_nothing_more():
    assert told(ended("")) == [*READ, "The run ended without a recap after 0 s during: Read", "Read", "a finding"]
    done = ended("output.last(output.view.recap({}))")
    assert told(done)[-2:] == ["Read", "a finding"] and "ended" not in done.stdout


def test_a_forked_process_prints_nothing():
    assert told(ended("if os.fork() == 0:\n    sys.exit()\nos.wait()")).count("a finding") == 1


def test_a_buffer_that_the_signal_interrupted_is_gone_past():
    script = "def refuse(line):\n    raise RuntimeError('reentrant call')\noutput._show = refuse\n"
    assert told(ended(script))[-1] == "a finding"


def test_progress_is_told_from_beside_the_run_or_between_its_events():
    assert any(line.startswith("... Read 1 of 2 hosts") for line in told(ended("time.sleep(1.5)", beside=True)))
    assert not any(line.startswith("...") for line in told(ended("time.sleep(1.5)")))
    assert any(line.startswith("...") for line in told(ended("time.sleep(0.1)\noutput.due(())")))
