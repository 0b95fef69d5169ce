# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renews the staged collection that the tests import, and keeps what tests write under C(build)."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

pytest_plugins = ["tiers"]

TREE = Path(__file__).resolve().parent.parent
COLLECTION = TREE / "build/collections/ansible_collections/winops/volume_activation"


# Here and not in a hook: the hooks run after all conftest.py on the way to the tests, and these import the collection.
if "PYTEST_XDIST_WORKER" not in os.environ:
    subprocess.run([sys.executable, TREE / "tests/setup/stage.py", COLLECTION], check=True)
    # In a fresh clone the folder was not there when it came onto the path, and Python remembers that.
    importlib.invalidate_caches()


def pytest_configure(config: pytest.Config) -> None:
    """How hypothesis draws examples."""
    set_hypothesis_home_dir(TREE / "build/cache/hypothesis")
    # How long an example takes says more about the machine than about the code.
    if config.getoption("tier") == ("soak",) or config.getoption("hypothesis_seed") is not None:
        profile = hypothesis.settings(deadline=None, max_examples=200)
    else:
        # The same examples each time: no change fails by luck.
        profile = hypothesis.settings(deadline=None, max_examples=25, derandomize=True, database=None)
    hypothesis.settings.register_profile("volume_activation", profile)
    hypothesis.settings.load_profile("volume_activation")
