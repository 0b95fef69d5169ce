# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where figures come from: the machine, the versions, and the commit that was measured."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sysconfig
from importlib import metadata
from pathlib import Path

_PACKAGES = ("ansible", "ansible-core", "pywinrm", "pypsrp", "requests", "pyspnego", "dnspython")
_COLLECTIONS = ("ansible/windows", "community/windows", "community/general")


def described() -> dict[str, str]:
    """By name what figures depend on; what is not installed is left out."""
    told = {
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "python": platform.python_version(),
    }
    for package in _PACKAGES:
        try:
            told[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    for collection in _COLLECTIONS:
        path = Path(sysconfig.get_path("purelib")) / "ansible_collections" / collection / "MANIFEST.json"
        if path.is_file():
            told[collection.replace("/", ".")] = json.loads(path.read_text(encoding="utf-8"))["collection_info"]["version"]
    return {**told, "commit": _commit()}


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str:
    """The commit of the tree, with a plus sign where it is changed."""
    asked = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    return subprocess.run(asked, cwd=Path(__file__).parent, capture_output=True, text=True, check=False).stdout.strip()
