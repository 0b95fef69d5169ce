# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event log of a host, as Win32_NTLogEvent shows it (docs/facts/kms.md#events, docs/facts/system.md#event-log)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..wsman.backend import CimClass
from .ports import Clock
from .provider import Instance, Provider

SPP = "Microsoft-Windows-Security-SPP"
APPLICATION = "Application"
KEY_MANAGEMENT_SERVICE = "Key Management Service"

_TEXTS = {
    "en": {
        12288: "The client has sent an activation request to the key management service machine.",
        12289: "The client has processed an activation response from the key management service machine.",
        12290: "An activation request has been processed.",
        12291: "The Key Management Service (KMS) failed to start.",
        12293: "Publishing the Key Management Service (KMS) to DNS failed.",
        12294: "Publishing the Key Management Service (KMS) to DNS is successful.",
        900: "The Software Protection service is starting.",
        902: "The Software Protection service has started.",
        903: "The Software Protection service has stopped.",
    },
    "de": {
        12288: "Der Client hat eine Aktivierungsanforderung an den Schlüsselverwaltungsdienst gesendet.",
        12289: "Der Client hat eine Aktivierungsantwort des Schlüsselverwaltungsdiensts verarbeitet.",
        12290: "Eine Aktivierungsanforderung wurde verarbeitet.",
        12291: "Der Schlüsselverwaltungsdienst (KMS) konnte nicht gestartet werden.",
        12293: "Der Schlüsselverwaltungsdienst (KMS) konnte nicht in DNS veröffentlicht werden.",
        12294: "Der Schlüsselverwaltungsdienst (KMS) wurde in DNS veröffentlicht.",
        900: "Der Software Protection-Dienst wird gestartet.",
        902: "Der Software Protection-Dienst wurde gestartet.",
        903: "Der Software Protection-Dienst wurde beendet.",
    },
}


@dataclass(frozen=True)
class Event:
    """One record; ``strings`` are the insertion strings in the order of docs/facts/kms.md#events."""

    number: int
    log: str
    code: int
    time: datetime
    strings: tuple[str, ...]
    failed: bool


class EventLog:
    """The newest few thousand events of a machine."""

    def __init__(self, clock: Clock, size: int = 2000) -> None:
        self._clock = clock
        self._events: deque[Event] = deque(maxlen=size)
        self._number = 0
        self._lock = threading.Lock()

    def write(self, code: int, *strings: object, log: str = APPLICATION, failed: bool = False) -> None:
        """Append an event."""
        with self._lock:
            self._number += 1
            self._events.append(Event(self._number, log, code, self._clock.now(), tuple(str(item) for item in strings), failed))

    def events(self) -> list[Event]:
        """All that is kept, oldest first."""
        with self._lock:
            return list(self._events)


class NtLogEvents(Provider):
    """Win32_NTLogEvent. The provider scans the whole log for every query, which takes ``delay`` seconds."""

    def __init__(self, cim_class: CimClass, language: str, log: Callable[[], EventLog], computer: str, clock: Clock, delay: float) -> None:
        super().__init__(cim_class, language)
        self._log = log
        self._computer = computer
        self._clock = clock
        self._delay = delay

    def instances(self, equal: Mapping[str, object] | None = None) -> Sequence[Instance]:
        """Every event, newest first as Windows gives them."""
        self._clock.sleep(self._delay)
        return [self._instance(event) for event in reversed(self._log().events())]

    def _instance(self, event: Event) -> Instance:
        german = self.language.startswith("de")
        kind = (1, "Fehler" if german else "Error") if event.failed else (3, "Informationen" if german else "Information")
        text = _TEXTS["de" if german else "en"].get(event.code, "")
        return self.complete(
            {
                "RecordNumber": event.number,
                "Logfile": event.log,
                "EventCode": event.code,
                # Severity in the two highest bits: 3 error, 1 information; 0x4000 marks classic events.
                "EventIdentifier": (0xC0000000 if event.failed else 0x40000000) | event.code,
                "EventType": kind[0],
                "Type": kind[1],
                "SourceName": SPP,
                "ComputerName": self._computer,
                "Category": 0,
                "InsertionStrings": list(event.strings) or None,
                "Message": f"{text}\r\nInfo:\r\n{','.join(event.strings)}" if event.strings else text,
                "TimeGenerated": event.time,
                "TimeWritten": event.time,
            }
        )
