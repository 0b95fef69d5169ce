# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several control nodes write one record's rights, or one record's values, at the same time."""

from __future__ import annotations

import multiprocessing
import re
import time
from collections.abc import Callable

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import static_srv, turn
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_acl import ensure_grant
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import DirectorySession, open_session
from lab import names
from lab.witness import KMS_RECORD_DN, Srv, Witness

from ..conftest import NEEDS_DOMAIN
from .helpers import DELEGATE, DELEGATE_PASSWORD, GRANT, KMS_1, granting, settings, wanted

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

WRITERS, EACH = 8, 50
STRANGERS = "S-1-5-21-9-9-9-"
"""A domain that nobody knows: its groups are granted by SID, as those of another forest are."""


def at_once(work: Callable[[int, DirectorySession], None]) -> None:
    """Run it in as many processes, each with a session of its own; fails where one of them does."""

    def one(number: int) -> None:
        with open_session(settings(timeout=30)) as session:
            work(number, session)

    processes = [multiprocessing.get_context("fork").Process(target=one, args=(number,)) for number in range(WRITERS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * WRITERS


def test_no_grant_is_lost_among_eight_writers(published: Witness) -> None:
    before = published.aces()

    def grant(number: int, session: DirectorySession) -> None:
        for index in range(EACH):
            stranger = f"{STRANGERS}{1000 + number * EACH + index}"
            assert ensure_grant(session, wanted(stranger, ("write",)), check_mode=False).warnings == []

    at_once(grant)
    after = published.aces()
    granted = [ace for ace in after if STRANGERS in ace]
    assert len(granted) == WRITERS * EACH
    assert {ace.rpartition("-")[2] for ace in granted} == {f"{rid})" for rid in range(1000, 1000 + WRITERS * EACH)}
    assert {ace.split(";")[2] for ace in granted} == {"WPRCSW"}
    assert [ace for ace in after if ace not in granted] == before
    assert published.search(f"(dc={names.KMS_RECORD})", turn.ATTRIBUTE, base=names.ZONE_DN)[0].keys() == {"dn"}


def test_no_value_is_lost_among_eight_writers(published: Witness) -> None:
    def add(number: int, session: DirectorySession) -> None:
        for index in range(EACH):
            value = (10, number, 1688, f"kms-{number}-{index}.contoso.com")
            static_srv.ensure(session, names.ZONE, names.KMS_RECORD, [value], "present", None, check_mode=False)

    at_once(add)
    values = [Srv(10, number, 1688, f"kms-{number}-{index}.contoso.com") for number in range(WRITERS) for index in range(EACH)]
    assert sorted(published.srv(), key=str) == sorted([Srv(0, 0, 1688, KMS_1.fqdn), *values], key=str)


def test_the_turn_of_a_writer_that_died_is_taken_over(
    session: DirectorySession, published: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "_DEAD_AFTER", 0.5)
    with open_session(settings()) as other, turn.turn(other, KMS_RECORD_DN) as lost:
        begun = time.monotonic()
        assert granting(session).warnings == []
        assert time.monotonic() - begun > 0.5
        after = published.sddl()
        # Should it not be dead but slow, it writes nothing.
        entry = other.read(KMS_RECORD_DN, ["nTSecurityDescriptor"], 4)
        stale = ("replace", "nTSecurityDescriptor", [entry.first("nTSecurityDescriptor") if entry else b""])
        assert lost.write(other, stale, "", 4) is False
    assert published.sddl() == after


@pytest.mark.parametrize("right", ["write_dac", "write_dac,write_property"])
def test_who_may_not_take_turns_grants_all_the_same(session: DirectorySession, published: Witness, right: str) -> None:
    """With WRITE_DAC alone; and where people have described the object themselves."""
    sid = published.sid(DELEGATE)
    ensure_grant(session, wanted(DELEGATE, tuple(right.split(","))), check_mode=False)
    if "," in right:
        session.modify(KMS_RECORD_DN, [("add", turn.ATTRIBUTE, [b"ours"])], "")
    with open_session(settings(f"{DELEGATE}@{names.REALM}", DELEGATE_PASSWORD)) as delegated:
        assert granting(delegated).warnings == []
    assert f"(A;;{GRANT};;;{published.sid(names.KMS_GROUP)})" in published.aces()
    assert any(re.search(rf"WD.*{sid}", ace) for ace in published.aces())
