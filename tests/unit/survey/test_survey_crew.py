# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The threads that ask, on hosts in memory."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.accounts import SharedAccount
from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.crew import Crew, Limits
from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.schedule import Errand, Schedule, Verdict

pytestmark = pytest.mark.tier("test")


@dataclass
class Contact:
    made: bool = False


@dataclass(frozen=True)
class Host:
    name: str
    account: SharedAccount | None = None
    seconds: float = 0.0
    silent: bool = False


@dataclass
class Fleet:
    """Hosts in memory; notes how many were asked at the same time."""

    limits: Limits
    answers: dict[str, str] = field(default_factory=dict)
    at_once: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self, errand: Errand[Host], contact: Contact) -> str:
        host = errand.target
        if errand.knock:
            return "alive"
        if host.silent:
            self.over.wait(30)
            return "late"
        contact.made = True
        with self.lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(host.seconds)
        with self.lock:
            self.at_once -= 1
        return "read"

    def take(self, errand: Errand[Host], answer: str) -> tuple[Verdict, str]:
        if errand.knock:
            return Verdict.ALIVE, ""
        assert errand.target.name not in self.answers
        self.answers[errand.target.name] = answer
        return Verdict.ACCEPTED, ""

    def run(self, hosts: list[Host]) -> float:
        started = time.monotonic()
        crew: Crew[Host, str] = Crew(Schedule(hosts), self.limits, Contact, self.ask, lambda _host, did: did, self.take)
        try:
            crew.run()
            return time.monotonic() - started
        finally:
            self.over.set()


def test_ten_thousand_hosts_take_seconds_and_never_more_threads_than_asked_for():
    fleet = Fleet(Limits(8, 5.0))
    before = threading.active_count()
    assert fleet.run([Host(f"pc-{number}") for number in range(10_000)]) < 20
    assert len(fleet.answers) == 10_000
    assert fleet.most <= 8
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_silent_hosts_are_waited_for_beside_the_rest_and_all_at_once():
    fleet = Fleet(Limits(4, 2.0))
    hosts = [Host(f"silent-{number}", silent=True) for number in range(40)] + [Host(f"pc-{number}", seconds=0.01) for number in range(200)]
    taken = fleet.run(hosts)
    # One after another, or four at a time, they would take 20 seconds and more.
    assert taken < 10
    assert sum(answer == "did not answer within 2 seconds" for answer in fleet.answers.values()) == 40
    assert sum(answer == "read" for answer in fleet.answers.values()) == 200


def test_a_host_that_never_ends_is_given_up_and_holds_nobody():
    fleet = Fleet(Limits(1, 0.5, host=1.0))
    assert fleet.run([Host("slow", seconds=8.0), *(Host(f"pc-{number}") for number in range(20))]) < 6
    assert fleet.answers["slow"] == "was not read within 1 seconds"
    assert len(fleet.answers) == 21


def test_of_an_account_the_others_wait_for_the_first():
    account = SharedAccount("svc", "svc", 1)
    seen: list[float] = []
    fleet = Fleet(Limits(8, 5.0))
    ask = fleet.ask

    def noting(errand: Errand[Host], contact: Contact) -> str:
        seen.extend(() if errand.knock else (time.monotonic(),))
        return ask(errand, contact)

    fleet.ask = noting  # type: ignore[method-assign]
    fleet.run([Host(f"pc-{number}", account, seconds=0.3) for number in range(9)])
    assert seen[1] - seen[0] >= 0.3
    assert seen[8] - seen[1] < 0.3
