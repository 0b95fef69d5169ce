# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that is killed after any of its writes, and run again, ends as one that was not."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import Step
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import static_srv, turn
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.groups import WantedGroup, ensure_group
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import DirectorySession, open_session
from lab import names
from lab.witness import Witness

from ..conftest import NEEDS_DOMAIN
from .helpers import KMS_1, MEMBERS, granting, publish, settings

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

GROUP = WantedGroup(names.KMS_GROUP, description="KMS hosts", members=MEMBERS, exact=True)
VALUE = (10, 75, 1688, KMS_1.fqdn)


def group(session: DirectorySession) -> list[Step]:
    return ensure_group(session, GROUP, check_mode=False).steps


def rights(session: DirectorySession) -> list[Step]:
    return granting(session).steps


def values(session: DirectorySession) -> list[Step]:
    return static_srv.ensure(session, names.ZONE, names.KMS_RECORD, [VALUE], "exact", 600, check_mode=False).steps


def killed_after(writes: int, task: Callable[[DirectorySession], list[Step]]) -> bool:
    """Run the task in a process that dies right after so many writes; False where it was done before."""

    def run() -> None:
        change = DirectorySession._change
        made = 0

        def changing(self: DirectorySession, operation: Callable[[], object], doing: str, right: str) -> None:
            nonlocal made
            change(self, operation, doing, right)
            made += 1
            if made == writes:
                os._exit(9)

        DirectorySession._change = changing  # type: ignore[method-assign]
        with open_session(settings()) as session:
            task(session)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join()
    return process.exitcode == 9


@pytest.mark.parametrize(("task", "least"), [(group, 3), (rights, 2), (values, 1)], ids=["ad_group", "dns_record_acl", "dns_srv"])
def test_killed_after_each_write_and_run_again(
    witness: Witness, monkeypatch: pytest.MonkeyPatch, task: Callable[[DirectorySession], list[Step]], least: int
) -> None:
    monkeypatch.setattr(turn, "_DEAD_AFTER", 0.2)
    publish(KMS_1)
    if task is rights:
        witness.add_group()
    writes = 0
    while killed_after(writes + 1, task):
        writes += 1
        with open_session(settings()) as session:
            task(session)
            assert task(session) == []
            undo(session, witness, task)
    assert writes >= least
    with open_session(settings()) as session:
        assert task(session) == []
    assert witness.search(f"(dc={names.KMS_RECORD})", turn.ATTRIBUTE, base=names.ZONE_DN)[0].keys() == {"dn"}


def undo(session: DirectorySession, witness: Witness, task: Callable[[DirectorySession], list[Step]]) -> None:
    """Back to where it began, once what is wanted has been seen by a witness."""
    if task is group:
        assert witness.group_members() == sorted(MEMBERS)
        session._connection.delete_s(f"CN={names.KMS_GROUP},CN=Users,{names.BASE_DN}")
    elif task is rights:
        assert any(witness.sid(names.KMS_GROUP) in ace for ace in witness.aces())
        granting(session, state="absent")
    else:
        assert [(value.priority, value.target) for value in witness.srv()] == [(10, KMS_1.fqdn)]
        static_srv.ensure(session, names.ZONE, names.KMS_RECORD, [VALUE], "absent", None, check_mode=False)
        publish(KMS_1)
