# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several control nodes write one record's rights, its values, or one group at the same time, and an administrator in between."""

from __future__ import annotations

import multiprocessing
import re
import subprocess
import time
from collections.abc import Callable

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import static_srv, turn
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.groups import WantedGroup, ensure_group
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_acl import ensure_grant
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import DirectorySession, open_session
from lab import names
from lab.domain.controller import Domain
from lab.witness import KMS_RECORD_DN, Srv, Witness

from ..conftest import NEEDS_DOMAIN
from ..dns.helpers import GSS
from ..dns.helpers import ensure as by_dns
from ..multi_site import meanwhile
from .helpers import ADDRESS, DELEGATE, DELEGATE_PASSWORD, GRANT, KMS_1, MEMBERS, granting, settings, tool, wanted

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

WRITERS, EACH = 8, 50
_LONGEST_WAIT = 60
STRANGER = "stranger"
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


def test_no_member_is_lost_among_eight_writers(published: Witness, domain: Domain) -> None:
    """Each takes an account of its own in and out again, while an administrator does so with another one."""
    accounts = [f"writer-{number}" for number in range(WRITERS)]
    for account in (*accounts, STRANGER):
        tool(domain, "user", "create", account, "--random-password")

    def change(number: int, session: DirectorySession) -> None:
        (account,) = accounts[number : number + 1]
        for index in range(EACH + 1):
            group = WantedGroup(names.KMS_GROUP, **{"absent" if index % 2 else "members": (account,)})
            attributes = [step.attribute for step in ensure_group(session, group, check_mode=False).steps]
            assert attributes == [f"member {account}"]

    turns: list[str] = []

    def administer() -> None:
        tool(domain, "group", f"{'remove' if len(turns) % 2 else 'add'}members", names.KMS_GROUP, STRANGER)
        turns.append(STRANGER)

    with meanwhile(administer):
        at_once(change)
    assert turns
    there = {*MEMBERS, *accounts, *turns[: len(turns) % 2]}
    assert published.group_members() == sorted(there)


def test_groups_that_all_make_at_once_have_the_members_of_all(witness: Witness) -> None:
    """As two runs do that begin at the same time."""
    groups = [f"Made at once {index}" for index in range(EACH // 5)]
    begin = multiprocessing.get_context("fork").Barrier(WRITERS)

    def make(number: int, session: DirectorySession) -> None:
        for group in groups:
            begin.wait(_LONGEST_WAIT)
            ensure_group(session, WantedGroup(group, members=(MEMBERS[number % 2],)), check_mode=False)

    at_once(make)
    assert [witness.group_members(group) for group in groups] == [sorted(MEMBERS)] * len(groups)


def test_static_and_dynamic_values_of_one_record_survive_each_other(published: Witness, domain: Domain) -> None:
    """Four writers go by LDAP, four by DNS, and an administrator takes the tool of Samba."""

    def value(number: int, index: int) -> tuple[int, int, int, str]:
        return (10, number, 1688, f"kms-{number}-{index}.contoso.com")

    def add(number: int, session: DirectorySession) -> None:
        for index in range(EACH):
            if number % 2:
                static_srv.ensure(session, names.ZONE, names.KMS_RECORD, [value(number, index)], "present", None, check_mode=False)
            else:
                by_dns({**GSS, "record": names.KMS_RECORD, "dns_servers": [ADDRESS]}, " ".join(map(str, value(number, index))))

    server = (ADDRESS, names.ZONE, names.KMS_RECORD, "SRV")
    account = f"--username={names.OPERATOR}%{names.OPERATOR_PASSWORD}"

    turns: list[str] = []

    def administer() -> None:
        host = f"admin-{len(turns)}.contoso.com"
        command = ["samba-tool", "dns", "add", *server, f"{host} 1688 0 0", account, f"--configfile={domain.smb_conf}"]
        subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
        turns.append(host)

    with meanwhile(administer):
        at_once(add)
    values = [Srv(*value(number, index)) for number in range(WRITERS) for index in range(EACH)]
    others = [Srv(0, 0, 1688, KMS_1.fqdn), *(Srv(0, 0, 1688, host) for host in turns)]
    assert turns
    assert sorted(published.srv(), key=str) == sorted([*others, *values], key=str)


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
