# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The laboratories that the playbooks need, as small as they may be."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from integration.labs import Lab, lab_up

from lab import lifecycle, park
from lab.layout import Layout

LABS = {
    "isolated": lifecycle.Options(park="isolated", clients=8, servers=0),
    "mak": lifecycle.Options(park="mak", clients=park.PARKS["mak"].client_count, servers=park.PARKS["mak"].server_count),
    "modern": lifecycle.Options(clients=4, servers=0),
    "zones": lifecycle.Options(clients=4, servers=0, sites="zones"),
    "pair": lifecycle.Options(clients=2, servers=0, controllers=2),
}


@contextmanager
def laboratory(name: str) -> Iterator[Lab]:
    """One of them is up meanwhile."""
    with tempfile.TemporaryDirectory(prefix="crash-lab-") as folder, lab_up(Layout.at(folder), LABS[name]) as lab:
        yield lab
