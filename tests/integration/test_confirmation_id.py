# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Confirmation IDs by real playbooks from the laboratory's Microsoft, which runs by itself as on another network: no Windows, no domain.

What is true is asked of Microsoft, by its log and counts, and read from the list as JSON.
"""

from __future__ import annotations

import json
import os
import secrets as random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import Export, ExportedProduct
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.store import ListFile
from lab.layout import TESTS
from lab.microsoft.server import BatchServer
from lab.play import Run, lab_environment, run_playbook

from .conftest import eventually
from .killing import kill
from .leaks import files, leaks, watched

pytestmark = pytest.mark.tier("test")

KEY = "mak_win_enterprise"
ACTIVATION_ID = "73111121-5638-40f6-bc11-f1d7b0d64300"
CANARY = f"Kanarie{random.token_hex(5)}"
PASSWORD = f"'\\{CANARY}\"ä<&% @:/"
MODULE, COUNTS = "winops.volume_activation.confirmation_id", "winops.volume_activation.mak_info"

# Each failure of docs/facts/mak.md#answer-codes, and each way of losing an answer; what the result says of it.
FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"code": 0x67}, "missing", "0x67"),
    ({"code": 0x68}, "missing", "0x68"),
    ({"fault": "close_before"}, "unknown", ""),
    ({"code": 0x71}, "missing", "0x71"),
    ({"code": 0x7F}, "missing", "0x7F"),
    ({"fault": "close_after"}, "unknown", ""),
    ({"code": 0x86}, "missing", "0x86"),
    ({"code": 0x90}, "missing", "0x90"),
    ({"fault": "half"}, "unknown", ""),
    ({"code": 0xD5}, "missing", "0xD5"),
    ({"code": 0xD6}, "missing", "0xD6"),
    ({"fault": "garbage"}, "unknown", ""),
    ({"code": 0xC004C017}, "missing", "0xC004C017"),
    ({"code": 0x80131600}, "missing", "0x80131600"),
    ({"fault": "slow", "seconds": 4}, "unknown", ""),
    ({"code": 0x80004003}, "missing", "0x80004003"),
    ({"fault": "http", "status": 500}, "missing", "HTTP 500"),
]
COMPUTERS = 3 * len(FAULTS)


@dataclass
class Microsoft:
    """The laboratory's Microsoft in a process of its own."""

    process: subprocess.Popen[str]
    log: Path
    url: str = ""
    ca_path: str = ""
    proxy: str = ""

    def command(self, command: str, **given: Any) -> Any:
        """What its control says."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"command": command, **given}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "error" not in answer, answer
        return answer["result"]

    def requests(self) -> list[dict[str, Any]]:
        """Its log."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    @property
    def counted(self) -> int:
        """The activations that it has counted for the key."""
        return int(self.command("snapshot")[KEY]["activations"])


@pytest.fixture(scope="module")
def running_microsoft(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Microsoft]:
    folder = tmp_path_factory.mktemp("microsoft")
    process = subprocess.Popen(
        [sys.executable, "-m", "lab.microsoft", str(folder), "--proxy-port", "0", "--proxy-user", "svc"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS), "LAB_PROXY_PASSWORD": PASSWORD},
    )
    try:
        assert process.stdout
        yield Microsoft(process, folder / "microsoft.jsonl", **json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def microsoft(running_microsoft: Microsoft) -> Microsoft:
    running_microsoft.command("reset")
    running_microsoft.command("set_remaining", key=KEY, count=1000)
    return running_microsoft


@pytest.fixture
def control_node(tmp_path: Path) -> Path:
    """A folder as that of a lab, with nothing in it."""
    (tmp_path / "env").touch()
    (tmp_path / "inventory.yml").write_text("all: {hosts: {localhost: {ansible_connection: local}}}", encoding="utf-8")
    return tmp_path


def products(count: int) -> list[ExportedProduct]:
    samples = [BatchServer.sample(KEY, f"iso-{number:03}") for number in range(1, count + 1)]
    return [
        ExportedProduct(f"{number:032x}", ACTIVATION_ID, sample.installation_id, sample.extended_pid)
        for number, sample in enumerate(samples, start=1)
    ]


def export(path: Path, count: int) -> Path:
    file = ListFile(str(path))
    with file.locked():
        file.save(Export("55c92734-d682-4d71-983e-d6ec3f16059f", products(count)))
    return path


def stored(path: Path) -> list[tuple[str | None, bool]]:
    return [(entry["confirmation_id"], entry["asked"] is not None) for entry in json.loads(path.read_text(encoding="utf-8"))["products"]]


def right(count: int) -> list[str]:
    return [BatchServer.sample(KEY, f"iso-{number:03}").confirmation_id for number in range(1, count + 1)]


def write_play(folder: Path, tasks: list[dict[str, Any]]) -> Path:
    path = folder / "play.yml"
    text = [{"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": tasks}]
    path.write_text(yaml.safe_dump(text, sort_keys=False), encoding="utf-8")
    return path


def task(name: str, module: str, options: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, module: options, "ignore_errors": True, **more}


def through_proxy(microsoft: Microsoft) -> dict[str, Any]:
    """Only the proxy knows the service's name."""
    return {
        "microsoft_url": microsoft.url.replace("127.0.0.1", "activation.sls.microsoft.com"),
        "ca_path": microsoft.ca_path,
        "http_proxy": microsoft.proxy,
        "http_proxy_username": "svc",
        "http_proxy_password": "{{ canary }}",
        "timeout": 2,
        "retries": 1,
    }


def hide(folder: Path, **variables: str) -> Path:
    """Variables of all hosts in a vault, so that nothing but the job itself has them; returns the file with its password."""
    vault = VaultLib([("default", VaultSecret(b"vault of the test"))])
    (folder / "group_vars").mkdir()
    (folder / "group_vars/all.yml").write_bytes(vault.encrypt(yaml.safe_dump(variables)))
    (folder / "vault").write_text("vault of the test", encoding="utf-8")
    return folder / "vault"


def result(run: Run, name: str) -> dict[str, Any]:
    (entry,) = run.of_task(name)
    return entry.result


def test_each_gets_its_confirmation_id_or_a_reason_and_no_password_is_left_anywhere(microsoft: Microsoft, control_node: Path):
    path = export(control_node / "export.json", COMPUTERS)
    # Two computers that get theirs after each that does not, so that the service is never given up.
    for number, (rule, _kind, _code) in enumerate(FAULTS):
        microsoft.command("fault", rule={**rule, "iid": products(COMPUTERS)[3 * number].installation_id, "times": 0})
    # Long enough for lines about the progress.
    microsoft.command("fault", rule={"fault": "slow", "seconds": 0.5, "times": 0})
    how = {**through_proxy(microsoft), "path": str(path)}
    wrong_ca = control_node / "other.pem"
    certificate = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Other CA"]
    subprocess.run([*certificate, "-keyout", os.devnull, "-out", str(wrong_ca)], check=True, capture_output=True)
    kept = control_node / "job"
    (kept / "project").mkdir(parents=True)
    write_play(
        kept / "project",
        [
            task("Another authority", MODULE, how | {"ca_path": str(wrong_ca)}),
            task("Another password", MODULE, how | {"http_proxy_password": "{{ canary }}?"}),
            task("A proxy in the address", MODULE, how | {"http_proxy": "http://svc:{{ canary | urlencode }}@proxy:3128"}),
            task("Counts", COUNTS, {**through_proxy(microsoft), "extended_pids": [{"extended_pid": products(1)[0].extended_pid}]}),
            task("Planned", MODULE, how, check_mode=True),
            task("Really", MODULE, how),
            task("Again", MODULE, how),
        ],
    )
    arguments = f"-vvvv --diff --vault-password-file {hide(control_node, canary=PASSWORD)}"
    with watched() as watch:
        run = run_playbook(control_node, "play.yml", arguments=arguments, environment={"NO_PROXY": "*"}, keep=kept)
    assert run.rc == 0, run.output[-3000:]
    found = leaks([*files(kept), ("standard output", run.output.encode()), *watch.places], {"password": CANARY})
    assert found == [], "\n".join(found)
    assert {"cmdline", "environ"} <= {place.partition(" ")[0] for place, _content in watch.places}

    assert "is not accepted (" in result(run, "Another authority")["msg"]
    assert "407 Proxy Authentication Required" in result(run, "Another password")["msg"]
    assert "http_proxy holds an account" in result(run, "A proxy in the address")["msg"]
    assert [entry["remaining"] for entry in result(run, "Counts")["counts"]] == [1000]

    done, again = result(run, "Really"), result(run, "Again")
    good = COMPUTERS - len(FAULTS)
    kinds = Counter(kind for _rule, kind, _code in FAULTS)
    assert (done["changed"], done["asked"], done["obtained"], done["kept"]) == (True, COMPUTERS, good, 0)
    for kind in ("missing", "unknown"):
        expected = [(f"{3 * number + 1:032x}", code) for number, (_rule, its, code) in enumerate(FAULTS) if its == kind]
        assert [(row["identifier"], row["code"]) for row in done[kind]] == expected
        assert all(row["reason"].endswith(".") for row in done[kind])
    bad = dict(enumerate(kind for _rule, kind, _code in FAULTS))
    assert stored(path) == [
        (None, bad[place // 3] == "unknown") if place % 3 == 0 else (digits, True) for place, digits in enumerate(right(COMPUTERS))
    ]
    # Check mode could not know who gets none, and said what would be asked.
    planned = result(run, "Planned")
    assert (planned["changed"], planned["asked"], len(planned["steps"])) == (True, COMPUTERS, COMPUTERS)
    confirmed = [step["object"] for step in done["steps"] if step["attribute"] == "confirmation ID"]
    assert len(confirmed) == good
    assert set(confirmed) < {step["object"] for step in planned["steps"]}
    # Whoever was refused is asked for again, and nobody else.
    assert (again["asked"], again["obtained"], again["kept"]) == (kinds["missing"], 0, good)
    assert (again["changed"], len(again["unknown"])) == (False, kinds["unknown"])
    # The log gets its line when a request is over, and a slow one takes longer than the client waits for it.
    asked_once = {product.installation_id for product in products(COMPUTERS)}
    assert eventually(lambda: asked_once <= {entry["iid"] for entry in microsoft.requests()})
    times = Counter(entry["iid"] for entry in microsoft.requests() if entry["request_type"] == 1)
    for number, product in enumerate(products(COMPUTERS)):
        if number % 3 or bad[number // 3] == "unknown":
            assert times[product.installation_id] == 1
    lost_after_the_work = 3  # close_after, half and slow
    assert microsoft.counted == good + lost_after_the_work
    # What a person sees meanwhile.
    lines = [line for line in run.output.splitlines() if line.startswith("confirmation_id: ")]
    assert 1 <= len(lines) <= 8, lines
    assert all(f" of {COMPUTERS}, " in line or f" of {kinds['missing']}, " in line for line in lines)


def start(folder: Path, playbook: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["ansible-playbook", "-i", str(folder / "inventory.yml"), str(playbook)],
        env={**os.environ, **lab_environment(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_when(process: subprocess.Popen[bytes], reached: Callable[[], bool]) -> None:
    """Kill the run and all that it has started as soon as that is so."""
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        assert process.poll() is None, "the run has ended by itself"
        time.sleep(0.002)
    kill(process)


@pytest.mark.tier("soak")
def test_killed_after_requests_and_run_again_nothing_is_asked_twice_and_nothing_is_lost(microsoft: Microsoft, control_node: Path):
    """How it ends whenever it is killed is tried a hundred times where that is cheaper (test_confirmation_id_killed)."""
    count = 4
    path = export(control_node / "export.json", count)
    how = {"microsoft_url": microsoft.url, "ca_path": microsoft.ca_path, "path": str(path), "parallel": 1}
    play = write_play(control_node, [{"name": "Ask", MODULE: how}])
    # Time to be killed in, before the answer is on its way.
    microsoft.command("fault", rule={"fault": "slow", "seconds": 0.1, "times": 0})
    for begun in (0, 1):
        assert len(microsoft.requests()) == begun
        kill_when(start(control_node, play), lambda begun=begun: len(microsoft.requests()) > begun)
        # One that was under way may still come.
        microsoft.command("settle")
        if len(microsoft.requests()) > begun + 1:
            break
    done = run_playbook(control_node, str(play))
    assert done.rc == 0, done.output[-3000:]
    outcome = result(done, "Ask")
    times = Counter(entry["iid"] for entry in microsoft.requests())
    assert times == Counter(product.installation_id for product in products(count))
    assert microsoft.counted == count
    # Each has its confirmation ID, or is known to be one that may have been counted.
    assert outcome["missing"] == []
    assert len(outcome["unknown"]) + outcome["obtained"] + outcome["kept"] == count
    # One is asked for at a time, and the run was killed twice.
    assert sum(digits is None for digits, _asked in stored(path)) == len(outcome["unknown"]) <= 2
    for (digits, asked), expected in zip(stored(path), right(count), strict=True):
        assert asked
        assert digits in (None, expected)
