# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the survey beside a bare script and an empty task."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml

from . import bench, canned, envelopes

MAX_CPU_RATIO = 1.25
MAX_GROWTH = 1.10


class Bench:
    """All that is measured at one size."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._folder = options.build / "scale"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._tls = ["--tls", str(self._folder / "tls")] if options.tls else []
        self._ca = str(self._folder / "tls" / "ca.pem") if options.tls else ""
        self._environment = bench.environment(options, self._folder)
        self._write("inventory.json", bench.inventory(options.size, options.port, self._ca))
        self._write("hosts.json", [canned.address(number) for number in range(options.size)])
        self._write("envelopes.json", envelopes.sent_by("_windows.survey", "read_host"))
        survey = {"winops.volume_activation.license_survey": {"threads": options.threads, "first_contact_timeout": options.first_contact}}
        self._play("survey", survey)
        self._play("nothing", {"nothing": None})

    def measure(self) -> dict[str, Any]:
        """The figures."""
        options = self._options
        found: dict[str, Any] = {"size": options.size, "threads": options.threads, "tls": options.tls}
        with bench.serving(options.port, *self._tls) as plain:
            empty = self._ansible("nothing")
            bare = self._bare()
            survey = self._ansible("survey")
        rows = [json.loads(line) for line in self.survey_file.read_text(encoding="utf-8").splitlines()]
        with bench.serving(options.port, *self._tls, "--silent-every", "100", "--failing-every", "100") as troubled:
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
            "survey_cpu_ratio": bench.goal(MAX_CPU_RATIO, found["cpu_ratio"]),
            "survey_peak_mib": bench.goal(bench.MAX_PEAK_MIB, found["survey"]["peak_mib"]),
            "survey_wall_with_trouble_s": bench.goal(
                round(survey.wall * MAX_GROWTH + options.first_contact, 1), found["survey_with_trouble"]["wall_s"]
            ),
            "survey_rows": {
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

    def _ansible(self, play: str) -> bench.Cost:
        command = ["ansible-playbook", "-i", str(self._folder / "inventory.json"), str(self._folder / f"{play}.yml")]
        return bench.run(command, self._environment, self._folder / f"{play}.log")

    def _bare(self) -> bench.Cost:
        options = self._options
        command = [sys.executable, "-m", "scale.bare", "--hosts", str(self._folder / "hosts.json"), "--port", str(options.port)]
        command += ["--envelopes", str(self._folder / "envelopes.json"), "--threads", str(options.threads)]
        command += ["--out", str(self._folder / "bare.jsonl"), *(["--ca", self._ca] if self._ca else [])]
        return bench.run(command, self._environment, self._folder / "bare.log")

    def _write(self, name: str, data: Any) -> None:
        (self._folder / name).write_text(json.dumps(data), encoding="utf-8")

    def _play(self, name: str, action: dict[str, Any]) -> None:
        play = {"name": name, "hosts": "windows", "gather_facts": False, "tasks": [{"name": name, "run_once": True, **action}]}
        (self._folder / f"{name}.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
