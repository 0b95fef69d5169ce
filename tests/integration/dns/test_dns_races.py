# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Others write at the same time, the run is killed in the middle, or the server does not answer as it should."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from multiprocessing.synchronize import Barrier

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns import srv_record
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.update import Zone

from ..conftest import NEEDS_DOMAIN
from . import relay as relays
from .helpers import Place, shown
from .relay import Relay, relay_to

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

ONE, TWO, OTHER = "10 75 1688 kms-1.contoso.com", "10 25 1688 kms-2.contoso.com", "0 0 1688 other.contoso.com"
MADE, GONE = ("absent", "present"), ("present", "absent")
FORK = multiprocessing.get_context("fork")
PROCESSES, TASKS, VALUES = 8, 10, 5


@pytest.fixture
def relay(place: Place) -> Iterator[Relay]:
    """Between our code and the server."""
    with relay_to(place.address, place.port) as made:
        place.options["server"] = f"{place.options['server']}:{made.port}"
        yield made


def start(place: Place, tasks: list[tuple[str, list[str]]], begin: Barrier) -> ForkProcess:
    """A process of its own that does tasks, each a state and values; a fork, as Ansible's workers are."""

    def work() -> None:
        begin.wait()
        for state, texts in tasks:
            place.ensure(*texts, state=state)

    process = FORK.Process(target=work)
    process.start()
    return process


def test_eight_processes_lose_nothing_of_one_another(place: Place) -> None:
    """400 values by 80 tasks that add, while 8 others take away what was there before.

    A task for each value would take Samba two minutes: it rewrites the whole record each time, and we read it twice.
    """
    kept = "0 0 1688 there-before.contoso.com"
    leaving = [f"0 {number} 1688 leaving.contoso.com" for number in range(PROCESSES)]
    place.ensure(kept, *leaving)
    begin, running, expected = FORK.Barrier(PROCESSES), [], {kept}
    for process in range(PROCESSES):
        groups = [[f"{process} {task} 1688 kms-{process}-{task}-{number}.contoso.com" for number in range(VALUES)] for task in range(TASKS)]
        expected.update(text for group in groups for text in group)
        tasks = [("present", group) for group in groups]
        tasks.insert(TASKS // 2, ("absent", [leaving[process]]))
        running.append(start(place, tasks, begin))
    for process in running:
        process.join()
    assert [process.exitcode for process in running] == [0] * PROCESSES
    assert len(expected) == 401
    assert set(place.held()) == expected


@pytest.fixture
def interfere(monkeypatch: pytest.MonkeyPatch):
    """Makes somebody else write between our reading and our writing, once."""

    def arrange(place: Place, *writes: tuple[str, str]) -> None:
        check = Zone.check_authority
        pending = list(writes)

        def slow(zone: Zone) -> None:
            check(zone)
            while pending:
                verb, text = pending.pop()
                getattr(place, verb)(text)

        monkeypatch.setattr(Zone, "check_authority", slow)

    return arrange


def test_exact_removes_what_came_in_between(place: Place, interfere) -> None:
    place.ensure(TWO, ttl=900)
    interfere(place, ("add", OTHER))
    done = place.ensure(ONE, state="exact")
    assert set(place.held()) == {ONE}
    assert shown(done.steps) == {f"value {ONE}": MADE, f"value {TWO}": GONE, f"value {OTHER}": GONE}


def test_a_time_to_live_does_not_bring_back_what_went_in_between(place: Place, interfere) -> None:
    """It is seen that the value is gone, and it is made as a new one, reported as that."""
    place.ensure(ONE, TWO, ttl=900)
    interfere(place, ("delete", ONE))
    done = place.ensure(ONE, ttl=1200)
    assert shown(done.steps) == {f"value {ONE}": MADE}
    assert place.held()[ONE] == 1200


def test_present_minds_nobody(place: Place, interfere) -> None:
    place.ensure(TWO)
    interfere(place, ("add", OTHER), ("delete", TWO))
    done = place.ensure(ONE)
    assert set(place.held()) == {ONE, OTHER}
    assert shown(done.steps) == {f"value {ONE}": MADE}


def test_a_hundred_values_cost_few_messages(place: Place, relay: Relay) -> None:
    """Read, log on, change, read back; the question for the zone is spared where the first answer names it."""
    values = [f"10 {number} 1688 kms-{number}.contoso.com" for number in range(100)]
    done = place.ensure(*values, ttl=900)
    assert len(done.steps) == 100
    assert len(relay.seen) <= 4
    relay.seen.clear()
    assert place.ensure(*values, ttl=900).steps == []
    assert len(relay.seen) == 1
    relay.seen.clear()
    assert len(place.ensure(*values, ttl=1200).steps) == 100
    assert len(relay.seen) <= 5
    relay.seen.clear()
    assert len(place.ensure(*values, state="absent").steps) == 100
    assert len(relay.seen) <= 5
    assert place.held() == {}


def test_an_answer_that_is_lost_is_looked_up(place: Place, relay: Relay) -> None:
    relay.manner = relays.lose_the_answer
    done = place.ensure(ONE, connection_timeout=1)
    assert shown(done.steps) == {f"value {ONE}": MADE}
    assert sum(relays.opcode(message) == relays.UPDATE for message in relay.seen) == 1
    assert set(place.held()) == {ONE}


def test_an_update_that_is_lost_is_not_sent_again_unseen(place: Place, relay: Relay) -> None:
    relay.manner = relays.lose_the_update
    with pytest.raises(StepFailed) as failed:
        place.ensure(ONE, TWO, connection_timeout=1)
    assert "did not answer within 1 s" in str(failed.value.__cause__)
    assert "Run it again" in str(failed.value.__cause__)
    assert failed.value.done == []
    assert sum(relays.opcode(message) == relays.UPDATE for message in relay.seen) == 1


def test_an_acknowledgement_is_not_believed(place: Place, relay: Relay) -> None:
    relay.manner = relays.say_yes
    with pytest.raises(ActivationError, match=r"accepted the update of .* but did not show it within 0\.2 s"):
        place.ensure(ONE, visible_timeout=0.2)


def test_a_server_that_keeps_no_connection(place: Place, relay: Relay) -> None:
    relay.manner = relays.hang_up_after_each
    assert len(place.ensure(ONE, TWO).steps) == 2
    assert place.ensure(ONE, TWO).steps == []
    assert set(place.held()) == {ONE, TWO}


def test_a_server_that_shows_it_later(place: Place, relay: Relay) -> None:
    """As one does that takes its zone from a directory every now and then."""
    stale: list[bytes] = []

    def later(between: Relay, message: bytes) -> bytes | None:
        answer = between.ask(message)
        updated = any(relays.opcode(seen) == relays.UPDATE for seen in between.seen)
        if updated and relays.opcode(message) == relays.QUERY and len(stale) < 3:
            stale.append(message)
            return message[:2] + b"\x84\x03" + message[4:6] + bytes(6) + message[12 : message.index(b"\0", 12) + 5]
        return answer

    relay.manner = later
    assert len(place.ensure(ONE).steps) == 1
    assert len(stale) == 3


@pytest.mark.parametrize("after", [1, 2, 3])
def test_killed_between_two_updates_and_run_again(place: Place, relay: Relay, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Each value in a message of its own, so that there is something in between."""
    monkeypatch.setattr(srv_record, "_PER_MESSAGE", 1)
    place.ensure(OTHER, "0 0 1688 kms-1.contoso.com", ttl=900)
    relay.seen.clear()
    updates = 0

    def kill(between: Relay, message: bytes) -> bytes | None:
        nonlocal updates
        updates += relays.opcode(message) == relays.UPDATE
        answer = between.ask(message)
        if updates == after and relays.opcode(message) == relays.UPDATE:
            process.kill()
            # Not joined here: only one thread may reap it.
            wait([process.sentinel])
        return answer

    relay.manner = kill
    begin = FORK.Barrier(2)
    process = start(place, [("exact", [ONE, TWO])], begin)
    begin.wait()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    relay.manner = relays.forward
    left = set(place.held())
    assert left not in ({OTHER, "0 0 1688 kms-1.contoso.com"}, {ONE, TWO})
    done = place.ensure(ONE, TWO, state="exact")
    assert len(done.steps) == 4 - after
    assert set(place.held()) == {ONE, TWO}
