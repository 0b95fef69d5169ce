# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's session on a host of the lab, without sockets between them."""

from __future__ import annotations

from typing import Any

from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session
from lab.wsman.backend import Backend
from lab.wsman.request_log import Entry
from lab.wsman.service import Service
from lab.wsman.variants import TOPICS, variant

USER = "CONTOSO\\svc"


class Seeded:
    """A host that chooses its wire forms by another seed than its own."""

    def __init__(self, host: Any, seed: int) -> None:
        self._host = host
        self.seed = seed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)


def seed_of(topic: str, wanted: str) -> int:
    """A seed that gives this variant of a topic, and of the others whatever it gives."""
    return next(seed for seed in range(1000) if variant(seed, topic) == wanted)


ALL_VARIANTS = [(topic, name) for topic, row in TOPICS.items() for name in row.variants]


class InProcess:
    """A carrier that hands messages to a host's service."""

    endpoint = "http://host:5985/wsman"

    def __init__(self, host: Backend, service: Service | None = None, user: str = USER) -> None:
        self.service = service or Service()
        self.actions: list[str] = []
        self.answers: list[bytes] = []
        self._host = host
        self._user = user

    def send(self, message: bytes) -> bytes:
        entry = Entry()
        reply = self.service.handle(self._host, "127.0.0.1", self._user, message, entry)
        self.actions.append(entry.action)
        self.answers.append(reply.body)
        return reply.body

    def reconnect(self) -> None:
        pass

    def close(self) -> None:
        pass


def session_on(host: Backend, service: Service | None = None, user: str = USER) -> Session:
    """A session with that host."""
    return Session(InProcess(host, service, user), "kms-1")
