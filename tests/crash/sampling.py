# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks again and again, while a run is at work, whether each site that had a serving KMS host still has one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .world import World

_EVERY = 0.2


class Sampler:
    """``dark`` has the sites that had a serving host when the run began, and none at some time since."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._over = threading.Event()
        self.dark: set[str] = set()
        self.samples = 0

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Samples are taken meanwhile."""
        served = {site for site, serves in self._world.serving().items() if serves}
        if not served:
            yield
            return
        self._over.clear()
        thread = threading.Thread(target=self._look, args=(served,))
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _look(self, served: set[str]) -> None:
        while not self._over.wait(_EVERY):
            self.dark |= {site for site, serves in self._world.serving().items() if not serves} & served
            self.samples += 1
