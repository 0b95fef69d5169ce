# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the survey and the playbooks, prints the figures as JSON and writes them to scale.json of the build folder.

python -m scale --size 10000 --build ../build [--only survey audit] [--tls] [--threads 32] [--forks 5]
python -m scale --size 2000 --build ../build --slices 1 2 4 8

It ends with 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import playbooks, slices, survey

_PARTS = ("survey", *(playbook.name for playbook in playbooks.PLAYBOOKS))


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m scale", description="Measures the survey and playbooks over canned hosts.")
    parser.add_argument("--size", type=int, default=10_000, help="how many hosts at most")
    parser.add_argument("--growth", type=int, nargs=2, default=(500, 2_000), help="the sizes between which growth is measured")
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=_PARTS, help="parts of it")
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--port", type=int, default=15985)
    parser.add_argument("--first-contact", type=float, default=10.0, help="the limit of the first contact, in seconds")
    parser.add_argument("--threads", type=int, default=32, help="those of the survey")
    parser.add_argument("--tls", action="store_true", help="TLS for the survey that is measured by itself")
    parser.add_argument("--forks", type=int, default=5, help="those of ansible-playbook")
    parser.add_argument("--no-empty", dest="empty", action="store_false", help="without the empty plays, and so without goals for growth")
    parser.add_argument("--slices", type=int, nargs="+", default=(), help="measure a job in so many slices at once, and nothing else")
    options = parser.parse_args(arguments)
    options.build = options.build.resolve()
    options.sizes = sorted({*options.growth, max(options.size, *options.growth)})
    return options


def main() -> int:
    """The program."""
    # A worker that waits for silent hosts has some hundreds of threads and sockets.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    options = parsed()
    sys.path.insert(0, str(options.build / "collections"))
    if options.slices:
        return _say(options, "slices", slices.measure(options))
    found = {"survey": survey.Bench(options).measure()} if "survey" in options.only else {}
    found["playbooks"] = playbooks.measure(options)
    goals = {name: goal for part in found.values() for name, goal in part.pop("goals").items()}
    return _say(options, "scale", {**found, "goals": goals})


def _say(options: argparse.Namespace, name: str, found: dict[str, Any]) -> int:
    text = json.dumps(found, indent=1)
    print(text)
    (options.build / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
    return 0 if all(goal["met"] for goal in found["goals"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
