# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a KMS host gets into DNS: which domains, with which ticket, and what the event log says.

Sources: docs/facts/publication.md#when-a-host-publishes, docs/facts/publication.md#refused-updates.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .events import EventLog
from .ports import DNS_ERROR_RCODE_NAME_ERROR, Identity, Publisher
from .settings import DomainEntry, LicensingSettings, parse_publish_list
from .spec import HostSpec

_INVALID_PARAMETER = 0x80070057
_LONGEST_UPDATE = 15.0


@dataclass(frozen=True)
class RunningSettings:
    """What the service read when it started as a KMS host; later changes wait for the next start."""

    port: int
    dns_publishing: bool
    publish_list: tuple[str, ...]

    @classmethod
    def read(cls, settings: LicensingSettings) -> RunningSettings:
        """The registry of now."""
        return cls(settings.listening_port, settings.dns_publishing, tuple(settings.publish_list))


@dataclass(frozen=True)
class Attempt:
    """One publication; ``hresult`` 0 is success."""

    zone: str
    target: str
    port: int
    priority: int
    weight: int
    hresult: int


class DnsPublication:
    """Publishes the host's SRV values as its machine account.

    The ticket dates from the start of Windows. sppsvc holds a security context made with it, so a purge has no effect
    before the service starts again.
    """

    def __init__(self, spec: HostSpec, seed: int, identity: Identity | None, publisher: Publisher | None, events: EventLog) -> None:
        self._spec = spec
        # With a list, is the home domain published all the same? Both are served (docs/facts/publication.md#home-domain).
        self.home_always = seed % 2 == 0
        self._identity = identity
        self._publisher = publisher
        self._events = events
        self._purge_asked = False
        self._timer: threading.Timer | None = None
        self.attempts: list[Attempt] = []

    @property
    def pending(self) -> bool:
        """Whether it is about to publish."""
        return self._timer is not None and self._timer.is_alive()

    def boot(self) -> None:
        """Windows starts: old tickets are gone, the computer gets its new one."""
        self._purge_asked = False
        if self._identity is None:
            return
        self._identity.purge()
        # A machine that is no KMS host never updates DNS here: a hundred clients need not bother the KDC.
        if self._spec.ticket_at_boot and self._spec.role == "kms":
            # Without a domain controller Windows starts all the same; the first update asks for the ticket again.
            with contextlib.suppress(Exception):
                self._identity.ticket()

    def purge(self) -> None:
        """``klist -li 0x3e4 purge``: takes effect when sppsvc starts the next time."""
        self._purge_asked = True

    def service_started(self) -> None:
        """sppsvc lost its security context with its last process."""
        if self._purge_asked and self._identity is not None:
            self._identity.purge()
        self._purge_asked = False

    def cancel(self, wait: bool = False) -> None:
        """What is scheduled is given up; ``wait`` until an update that is already under way is through."""
        timer, self._timer = self._timer, None
        if timer is None:
            return
        timer.cancel()
        if wait and timer is not threading.current_thread():
            timer.join(_LONGEST_UPDATE)

    def schedule(self, running: RunningSettings) -> None:
        """Publish after the host's delay, or at once if there is none."""
        self.cancel()
        if not running.dns_publishing:
            return
        if self._spec.publish_delay <= 0:
            self.publish(running)
            return
        self._timer = threading.Timer(self._spec.publish_delay, self.publish, (running,))
        self._timer.daemon = True
        self._timer.start()

    def entries(self, running: RunningSettings) -> Iterator[DomainEntry | str]:
        """What is to be published where; a malformed line of the list comes as it is."""
        listed = list(parse_publish_list(list(running.publish_list)))
        named = {item.domain.lower() for item in listed if isinstance(item, DomainEntry)}
        home = self._spec.suffix
        if home and home.lower() not in named and (not listed or self.home_always):
            yield DomainEntry(home)
        yield from listed

    def publish(self, running: RunningSettings) -> None:
        """Write every entry; success is event 12294, failure 12293."""
        for entry in self.entries(running):
            if isinstance(entry, str):
                self._events.write(12293, f"0x{_INVALID_PARAMETER:08X}", entry, failed=True)
                continue
            code = self._write(entry, running.port)
            self.attempts.append(Attempt(entry.domain, self._spec.dns_name, running.port, entry.priority, entry.weight, code))
            if code:
                self._events.write(12293, f"0x{code:08X}", entry.domain, failed=True)
            else:
                self._events.write(12294, entry.domain)

    def _write(self, entry: DomainEntry, port: int) -> int:
        if self._publisher is None or self._identity is None:
            return DNS_ERROR_RCODE_NAME_ERROR
        try:
            self._publisher(self._identity, entry.domain, self._spec.dns_name, port, entry.priority, entry.weight)
        except Exception as error:  # the publisher's own exception class would bring GSSAPI along
            code: Any = getattr(error, "code", None)
            if not isinstance(code, int):
                raise
            return code & 0xFFFFFFFF
        return 0
