# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's session on a simulated machine, without a network in between: messages go by function call."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._kms_endpoint.probe import probe
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session, UnknownOutcome
from lab.windows.host import Host
from lab.wsman.request_log import Entry
from lab.wsman.service import DropConnection, Service


class DirectCarrier:
    """Implements Carrier; ``log`` keeps what every message was about, ``intercept`` may raise what the lab's rules raise."""

    def __init__(self, host: Host) -> None:
        self.endpoint = f"http://{host.spec.address}:5985/wsman"
        self.log: list[Entry] = []
        self._host = host
        self.intercept: Callable[[Entry], None] = lambda _entry: None
        self._service = Service(intercept=self._intercept)

    def send(self, message: bytes) -> bytes:
        """Hand a message to the host."""
        entry = Entry(host=self._host.hostname)
        self.log.append(entry)
        try:
            return self._service.handle(self._host, self._host.spec.address, "svc-winrm", message, entry).body
        except DropConnection:
            raise UnknownOutcome("the connection broke", subject=self._host.hostname, source="wsman") from None

    def _intercept(self, entry: Entry) -> None:
        self.intercept(entry)

    def reconnect(self) -> None:
        """There is no connection."""

    def close(self) -> None:
        """There is no connection."""

    def asked(self, action: str, resource: str = "") -> int:
        """How many messages there were of an action, and a class where one is named."""
        return sum(entry.action == action and resource in entry.resource + entry.query for entry in self.log)


def open_direct(host: Host) -> tuple[Session, DirectCarrier]:
    """A session and its carrier."""
    carrier = DirectCarrier(host)
    return Session(carrier, host.hostname), carrier


def port_probe(host: Host) -> Callable[[int], str]:
    """What the collection sees of the host's ports from outside."""
    return lambda port: str(probe(host.hostname, host.spec.address, port, timeout=1).state)


class Killed(BaseException):
    """The run is over."""


class Mortal(DirectCarrier):
    """A carrier that hands over so many messages, and no more."""

    left = 10**9

    def send(self, message: bytes) -> bytes:
        if not self.left:
            raise Killed
        self.left -= 1
        return super().send(message)


def mortal(host: Host, left: int) -> Session:
    carrier = Mortal(host)
    carrier.left = left
    return Session(carrier, host.hostname)


def said_by(work: Callable[[], object]) -> ActivationError:
    """The error of work that fails, also where a step of a plan has failed with it."""
    with pytest.raises((ActivationError, StepFailed)) as caught:
        work()
    cause = caught.value.__cause__ if isinstance(caught.value, StepFailed) else caught.value
    assert isinstance(cause, ActivationError)
    return cause
