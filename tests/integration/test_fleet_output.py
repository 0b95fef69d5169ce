# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback fleet in real runs of ansible-playbook and ansible-runner, on hosts that are names alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ansible_runner
import pytest
import yaml

from lab.layout import TESTS

pytestmark = pytest.mark.tier("test")

PLAYS = Path(__file__).parent / "fleet_plays"
FLEET = "winops.volume_activation.fleet"
# The default width of Ansible where there is no terminal.
WIDTH = 79


def environment(callback: str = FLEET, **more: str) -> dict[str, str]:
    build = TESTS.parent / "build"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "VOLUME_ACTIVATION_"))}
    return {
        **inherited,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "ANSIBLE_COLLECTIONS_PATH": str(build / "collections"),
        "ANSIBLE_HOME": str(build / "home" / ".ansible"),
        "ANSIBLE_STDOUT_CALLBACK": callback,
        "LC_ALL": "C.UTF-8",
        **more,
    }


def inventory(folder: Path, hosts: int) -> Path:
    names = {f"pc-{number:03}.contoso.com": {"ansible_connection": "local"} for number in range(1, hosts + 1)}
    path = folder / "hosts.yml"
    path.write_text(yaml.safe_dump({"all": {"hosts": names, "children": {"nobody": {}}}}), encoding="utf-8")
    return path


def command(folder: Path, play: str, hosts: int, *arguments: str) -> list[str]:
    return ["ansible-playbook", "-i", str(inventory(folder, hosts)), str(PLAYS / play), *arguments]


def run(folder: Path, play: str, hosts: int, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(folder, play, hosts, *arguments), env=environment(**variables), capture_output=True, text=True, check=False, timeout=300
    )
    assert "Traceback" not in done.stderr and "Callback dispatch" not in done.stderr, done.stderr
    return done


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_hundred_hosts_are_few_lines(tmp_path: Path):
    done = run(tmp_path, "many.yml", 108, "--check", "--diff", "--forks", "10", VOLUME_ACTIVATION_FLEET_PROGRESS="0")
    lines = done.stdout.splitlines()
    assert done.returncode == 2
    assert len(lines) < 30 and max(map(len, lines)) <= WIDTH
    text = words(done.stdout)
    assert "Read the licensing state 97 ok, 11 failed (ignored)" in text
    assert text.count("http://<host>:5985/wsman answered HTTP 503.") == 1
    assert "11 hosts (pc-0" in text and "and 8 more): http://<host>" in text
    assert "Set up the client 108 changed" in text
    assert "99 hosts (pc-0" in text and "and 96 more): product key: (none) -> 2YV77" in text
    assert "product key: (none) -> TX9XD" in text
    assert "failed: pc-001.contoso.com: The first host stops." in text
    # The recap comes after the tasks, and what a role has to say after the recap.
    places = [text.index(part) for part in ("PLAY Clients (check mode)", "RECAP 108 hosts in", "Its clock differs")]
    assert places == sorted(places)
    assert "1 failed, 107 would change" in text
    assert done.stderr.count("the clock differs") == 1
    assert "[108 hosts (pc-" in words(done.stderr)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    return run(tmp_path_factory.mktemp("kinds"), "kinds.yml", 3, "--diff")


def test_every_kind_of_task_has_its_line(kinds: subprocess.CompletedProcess[str]):
    text = words(kinds.stdout)
    for part in (
        "Each item 3 failed (ignored) failed (ignored): 3 hosts (",
        "): no such thing. (item second)",
        "Changed items 3 changed",
        "): one: (none) -> 1",
        "): two: (none) -> 1",
        "A secret 3 failed (ignored)",
        "The result is hidden by no_log.",
        "It fails 1 failed failed: pc-002.contoso.com: not this way",
        "Another way 1 ok",
        "Again and again 1 failed (ignored) failed (ignored): pc-001.contoso.com -> dc1.contoso.com: still not",
        "Not reached 3 unreachable (ignored)",
        "In the file 3 ok",
        'A variable 1 ok pc-001.contoso.com: { "groups":',
        "handler: Restart 3 ok",
        "PLAY Nobody: no hosts matched",
        "PLAY Some after others In turn 2 ok",
        "PLAY Some after others (batch 2) In turn 1 ok",
        "PLAY Side by side On the left 3 ok On the right 3 ok",
        "RECAP 3 hosts in",
        "3 changed, 3 with ignored errors, 1 with rescued errors",
    ):
        assert part in text, part
    assert kinds.returncode == 0
    assert "Skipped by all" not in text and "One or more items failed" not in text
    assert "opensesame" not in kinds.stdout + kinds.stderr
    assert "\x1b" not in kinds.stdout


@pytest.mark.tier("soak")
def test_more_is_shown_when_asked_for(tmp_path: Path):
    verbose = run(tmp_path, "kinds.yml", 5, "-vv", VOLUME_ACTIVATION_FLEET_NAMES="1", ANSIBLE_FORCE_COLOR="1")
    assert "Skipped by all" in verbose.stdout and "5 skipped" in verbose.stdout
    assert "and 4 more" not in verbose.stdout and "kinds.yml:" in verbose.stdout
    assert "\x1b[0;33m" in verbose.stdout
    each = run(tmp_path, "kinds.yml", 3, "-vvv")
    assert "ok: [pc-001.contoso.com] => {" in each.stdout and "PLAY RECAP" in each.stdout
    assert "opensesame" not in verbose.stdout + verbose.stderr + each.stdout + each.stderr


@pytest.fixture
def heeded() -> Iterator[None]:
    """Programs that are started heed an interrupt, also where whoever started the tests ignores it, as a shell does in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("number", "why", "code"),
    [
        (signal.SIGTERM, "Terminated", -signal.SIGTERM),
        pytest.param(signal.SIGINT, "Interrupted", 99, marks=pytest.mark.tier("soak")),
    ],
)
def test_what_is_known_is_printed_before_a_signal_ends_the_run(tmp_path: Path, number: signal.Signals, why: str, code: int, heeded: None):
    process = subprocess.Popen(
        command(tmp_path, "long.yml", 3),
        env=environment(VOLUME_ACTIVATION_FLEET_PROGRESS="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    seen = []
    try:
        deadline = time.monotonic() + 120
        # Progress comes out at once although the output is a pipe, and while no result arrives.
        while not (seen and "... Slow" in seen[-1]) and time.monotonic() < deadline:
            seen.append(process.stdout.readline())
        process.send_signal(number)
        rest, _errors = process.communicate(timeout=60)
    finally:
        process.kill()
    before, after = words("".join(seen)), words(rest)
    assert "Quick 3 failed (ignored) failed (ignored): 3 hosts (" in before
    assert f"{why} after" in after and "during: Slow" in after
    assert after.endswith("Findings a finding")
    assert process.returncode == code


@pytest.mark.tier("soak")
def test_a_playbook_that_is_none_is_for_ansible_to_refuse(tmp_path: Path):
    (tmp_path / "none.yml").write_text("- hosts: all\n  tasks: {}\n  nonsense: 1\n", encoding="utf-8")
    done = run(tmp_path, str(tmp_path / "none.yml"), 1)
    assert done.returncode == 4
    assert "nonsense" in done.stderr and done.stdout == ""
    assert run(tmp_path, "kinds.yml", 1, "--syntax-check").returncode == 0


@pytest.mark.tier("soak")
def test_what_a_run_that_breaks_off_has_found_is_printed(tmp_path: Path):
    (tmp_path / "broken.yml").write_text(
        yaml.safe_dump(
            [
                {
                    "name": "Good",
                    "hosts": "all",
                    "gather_facts": False,
                    "tasks": [{"name": "Fine", "ansible.builtin.debug": {"msg": ["a finding"]}}],
                },
                {"name": "Bad", "hosts": "{{ nowhere }}", "tasks": []},
            ]
        ),
        encoding="utf-8",
    )
    done = run(tmp_path, str(tmp_path / "broken.yml"), 1)
    assert done.returncode != 0
    assert words(done.stdout).endswith("Findings a finding") or "The run ended without a recap" in done.stdout
    assert "a finding" in done.stdout


def events(folder: Path, callback: str) -> tuple[list[tuple[Any, ...]], str]:
    """The events of a job, and its output."""
    found: list[tuple[Any, ...]] = []

    def handle(event: dict[str, Any]) -> bool:
        data = event.get("event_data") or {}
        found.append((event["event"], data.get("play"), data.get("task"), data.get("host"), repr(data.get("res"))))
        return False

    done = ansible_runner.run(
        private_data_dir=str(folder),
        playbook=str(PLAYS / "kinds.yml"),
        inventory=str(inventory(folder, 3)),
        # Results in one order.
        cmdline="--diff --forks 1",
        envvars=environment(callback, VOLUME_ACTIVATION_FLEET_PROGRESS="0.001"),
        event_handler=handle,
        quiet=True,
    )
    return found, done.stdout.read()


def test_in_awx_the_events_are_the_same_as_without_it(tmp_path: Path):
    (tmp_path / "default").mkdir()
    (tmp_path / "fleet").mkdir()
    plain, long = events(tmp_path / "default", "default")
    condensed, short = events(tmp_path / "fleet", FLEET)
    assert Counter(plain) == Counter(condensed)
    # In the play in which hosts do not wait for each other, the order is that of the moment.
    begun = [
        [event for event in found if event[0].startswith("playbook_on_") and event[1] != "Side by side"] for found in (plain, condensed)
    ]
    assert begun[0] == begun[1]
    assert "RECAP 3 hosts" in short and "PLAY RECAP" not in short and "... " in short
    assert "PLAY RECAP" in long
    assert short.count("\n") < long.count("\n") / 2


def test_a_task_that_decides_for_a_role_has_no_line_unless_it_fails(tmp_path: Path):
    done = run(tmp_path, "decides.yml", 2)
    assert done.returncode == 0, done.stdout
    assert [words(line) for line in done.stdout.splitlines()[:2]] == ["PLAY A run that decides", "Use what was decided 2 ok"]
    failed = run(tmp_path, "decides.yml", 2, "--extra-vars", "days=few")
    assert "Begin a report 1 failed" in words(failed.stdout)
