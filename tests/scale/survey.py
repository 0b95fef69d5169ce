# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the survey beside a bare script and an empty task, and prints the figures as JSON.

python -m scale.survey --size 10000 --build ../build [--tls] [--threads 32]

It ends with 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from . import canned
from .server import PASSWORD, USER

MAX_CPU_RATIO = 1.25
MAX_PEAK_MIB = 400
MAX_GROWTH = 1.10
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


def run(command: Sequence[str], environment: dict[str, str], log: Path) -> Cost:
    """Run a program to its end.

    Raises:
        RuntimeError: It failed.
    """
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=TESTS, stdout=output, stderr=subprocess.STDOUT)
        _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}, see {log}:\n{log.read_text(errors='replace')[-2000:]}")
    return Cost(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_stime, usage.ru_maxrss / 1024)


@contextmanager
def serving(port: int, folder: Path, *arguments: str) -> Iterator[dict[str, Any]]:
    """The server of canned answers; what it counted is in the dictionary afterwards."""
    counts: dict[str, Any] = {}
    process = subprocess.Popen(
        [sys.executable, "-m", "scale.server", "--port", str(port), *arguments], cwd=TESTS, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"the server of {folder} did not start")
        yield counts
    finally:
        process.send_signal(signal.SIGTERM)
        said, _errors = process.communicate(timeout=30)
        counts.update(json.loads(said or "{}"))


def inventory(size: int, port: int, ca: str) -> dict[str, Any]:
    """An inventory of so many hosts, as a company writes it."""
    connection = {
        "ansible_connection": "winrm",
        "ansible_port": port,
        "ansible_winrm_scheme": "https" if ca else "http",
        "ansible_winrm_transport": ["basic"],
        "ansible_user": USER,
        "ansible_password": PASSWORD,
        **({"ansible_winrm_ca_trust_path": ca} if ca else {}),
    }
    hosts = {f"pc-{number:05d}.contoso.com": {"ansible_host": canned.address(number)} for number in range(size)}
    return {"all": {"vars": connection, "children": {"windows": {"hosts": hosts}}}}


def envelopes() -> list[str]:
    """What the survey sends, with places for endpoint and message ID. The collection has to be on the path."""
    utils = "ansible_collections.winops.volume_activation.plugins.plugin_utils"
    read_host = importlib.import_module(f"{utils}._windows.survey").read_host
    session = importlib.import_module(f"{utils}._wsman.session").Session
    host = canned.hosts()[0]
    seen: list[str] = []

    class Listener:
        endpoint = "@ENDPOINT@"

        def send(self, message: bytes) -> bytes:
            """Answer as the server does."""
            answer = host.answer(message)
            assert answer is not None
            place = message.index(b"MessageID>") + len(b"MessageID>")
            seen.append((message[:place] + b"@MESSAGE_ID@" + message[message.index(b"<", place) :]).decode())
            return answer

        def reconnect(self) -> None:
            """Nothing to do."""

        def close(self) -> None:
            """Nothing to do."""

    read_host(session(Listener(), "scale"))
    return seen


class Bench:
    """All that is measured at one size."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._folder = options.build / "scale"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._tls = ["--tls", str(self._folder / "tls")] if options.tls else []
        self._ca = str(self._folder / "tls" / "ca.pem") if options.tls else ""
        self._environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(options.build / "collections"),
            "ANSIBLE_HOME": str(self._folder / "home"),
            "ANSIBLE_ACTION_PLUGINS": str(TESTS / "scale" / "action"),
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
            "VOLUME_ACTIVATION_STATE_DIRECTORY": str(self._folder / "state"),
            "LC_ALL": "C.UTF-8",
            "no_proxy": "*",
        }
        self._write("inventory.json", inventory(options.size, options.port, self._ca))
        self._write("hosts.json", [canned.address(number) for number in range(options.size)])
        self._write("envelopes.json", envelopes())
        survey = {"winops.volume_activation.license_survey": {"threads": options.threads, "first_contact_timeout": options.first_contact}}
        self._play("survey", survey)
        self._play("nothing", {"nothing": None})

    def measure(self) -> dict[str, Any]:
        """The figures."""
        options = self._options
        found: dict[str, Any] = {"size": options.size, "threads": options.threads, "tls": options.tls}
        with serving(options.port, self._folder, *self._tls) as plain:
            empty = self._ansible("nothing")
            bare = self._bare()
            survey = self._ansible("survey")
        rows = [json.loads(line) for line in self.survey_file.read_text(encoding="utf-8").splitlines()]
        with serving(options.port, self._folder, *self._tls, "--silent-every", "100", "--failing-every", "100") as troubled:
            trouble = self._ansible("survey")
        troubled_rows = [json.loads(line) for line in self.survey_file.read_text(encoding="utf-8").splitlines()]
        task = survey.cpu - empty.cpu
        found |= {
            "empty_task": empty.as_data(),
            "bare_script": bare.as_data(),
            "survey": survey.as_data(),
            "survey_with_trouble": trouble.as_data(),
            "server": plain,
            "server_with_trouble": troubled,
            "read": sum(row["outcome"] == "read" for row in rows),
            "read_with_trouble": sum(row["outcome"] == "read" for row in troubled_rows),
            "longest_row": max(len(line) + 1 for line in self.survey_file.read_bytes().splitlines()),
            "cpu_ratio": round(task / bare.cpu, 3),
            "cpu_ratio_of_whole_process": round(survey.cpu / bare.cpu, 3),
        }
        expected = sum(number % 100 not in (37, 73) for number in range(options.size))
        found["goals"] = {
            "cpu_ratio": {"goal": MAX_CPU_RATIO, "measured": found["cpu_ratio"], "met": found["cpu_ratio"] <= MAX_CPU_RATIO},
            "peak_mib": {"goal": MAX_PEAK_MIB, "measured": found["survey"]["peak_mib"], "met": survey.peak_mib < MAX_PEAK_MIB},
            "wall_with_trouble_s": {
                "goal": round(survey.wall * MAX_GROWTH + options.first_contact, 1),
                "measured": found["survey_with_trouble"]["wall_s"],
                "met": trouble.wall <= survey.wall * MAX_GROWTH + options.first_contact,
            },
            "rows": {
                "goal": [options.size, expected],
                "measured": [found["read"], found["read_with_trouble"]],
                "met": (found["read"], found["read_with_trouble"]) == (options.size, expected)
                and len(rows) == len(troubled_rows) == options.size,
            },
        }
        return found

    @property
    def survey_file(self) -> Path:
        """Where the survey has its rows."""
        return Path(self._folder / "state" / "survey.jsonl")

    def _ansible(self, play: str) -> Cost:
        command = ["ansible-playbook", "-i", str(self._folder / "inventory.json"), str(self._folder / f"{play}.yml")]
        return run(command, self._environment, self._folder / f"{play}.log")

    def _bare(self) -> Cost:
        options = self._options
        command = [sys.executable, "-m", "scale.bare", "--hosts", str(self._folder / "hosts.json"), "--port", str(options.port)]
        command += ["--envelopes", str(self._folder / "envelopes.json"), "--threads", str(options.threads)]
        command += ["--out", str(self._folder / "bare.jsonl"), *(["--ca", self._ca] if self._ca else [])]
        return run(command, self._environment, self._folder / "bare.log")

    def _write(self, name: str, data: Any) -> None:
        (self._folder / name).write_text(json.dumps(data), encoding="utf-8")

    def _play(self, name: str, action: dict[str, Any]) -> None:
        play = {"name": name, "hosts": "windows", "gather_facts": False, "tasks": [{"name": name, "run_once": True, **action}]}
        (self._folder / f"{name}.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--port", type=int, default=15985)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--first-contact", type=float, default=10.0, help="the limit of the first contact, in seconds")
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args(arguments)
    options.build = options.build.resolve()
    return options


def main() -> int:
    """The program."""
    # A worker that waits for silent hosts has some hundreds of threads and sockets.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    options = parsed()
    sys.path.insert(0, str(options.build / "collections"))
    found = Bench(options).measure()
    text = json.dumps(found, indent=1)
    print(text)
    (options.build / "scale.json").write_text(f"{text}\n", encoding="utf-8")
    return 0 if all(goal["met"] for goal in found["goals"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
