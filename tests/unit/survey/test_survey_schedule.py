# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is asked when: a wrong password is one bad logon, whatever the answers and their order."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.accounts import SharedAccount, account_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.schedule import Errand, Schedule, Verdict

pytestmark = pytest.mark.tier("quick")


@dataclass(frozen=True)
class Host:
    name: str
    account: SharedAccount | None
    truth: Verdict = Verdict.ACCEPTED
    dark: bool = False


def svc(password: str = "right", strikes: int = 1) -> SharedAccount:
    return SharedAccount("svc@CONTOSO.COM", "svc@contoso.com", hash(password), strikes)


accounts = st.one_of(
    st.none(),
    st.builds(
        lambda name, password: SharedAccount(name, name, hash(password)),
        st.sampled_from(["a@X", "b@X", "c@Y"]),
        st.sampled_from(["one", "two"]),
    ),
)
answers = st.sampled_from([Verdict.ACCEPTED, Verdict.REJECTED, Verdict.UNKNOWN])
# Who has no account in common with others is not knocked at.
fleets = st.lists(st.tuples(accounts, answers, st.booleans()), max_size=40).map(
    lambda found: [
        Host(f"pc-{number}", account, truth, dark and account is not None) for number, (account, truth, dark) in enumerate(found)
    ]
)


def alive(host: Host) -> Verdict:
    """What knocking at a host tells."""
    return Verdict.UNKNOWN if host.dark else Verdict.ALIVE


@given(fleet=fleets, data=st.data())
def test_every_host_is_asked_once_or_refused_once_and_only_one_unproved_logon_is_under_way(fleet: list[Host], data: st.DataObject):
    schedule = Schedule(fleet)
    asked: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    under_way: list[Errand[Host]] = []
    proved: set[tuple[str, int]] = set()
    rejected: Counter[str] = Counter()
    while not schedule.finished:
        while (errand := schedule.next()) is not None:
            host = errand.target
            under_way.append(errand)
            if errand.knock:
                continue
            asked[host.name] += 1
            unproved = [
                found.target.account.identity
                for found in under_way
                if found.target.account
                and not found.knock
                and (found.target.account.identity, found.target.account.credential) not in proved
            ]
            assert len(unproved) == len(set(unproved))
            assert host.account is None or (host.account.identity, host.account.credential) in proved or not rejected[host.account.identity]
        if under_way:
            errand = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
            answered = errand.target
            if errand.knock:
                asked[answered.name] += answered.dark
                schedule.answered(errand, alive(answered))
                continue
            if answered.account and (answered.account.identity, answered.account.credential) not in proved:
                if answered.truth is Verdict.ACCEPTED:
                    proved.add((answered.account.identity, answered.account.credential))
                rejected[answered.account.identity] += answered.truth is Verdict.REJECTED
            schedule.answered(errand, answered.truth, "401")
        refused.update(host.name for host, _why in schedule.refused())
    assert asked + refused == Counter(host.name for host in fleet)
    assert set(rejected.values()) <= {0, 1}
    assert Counter(entry.account for entry in schedule.rejected) == +rejected
    assert sum(entry.spared for entry in schedule.rejected) == refused.total()


def drained(schedule: Schedule[Host]) -> list[str]:
    """Everybody's truth, one after another; who was logged on to."""
    asked = []
    while not schedule.finished:
        while (errand := schedule.next()) is not None:
            if errand.knock:
                schedule.answered(errand, alive(errand.target))
                continue
            asked.append(errand.target.name)
            schedule.answered(errand, errand.target.truth, "401")
        list(schedule.refused())
    return asked


def test_where_many_hosts_are_dark_more_and_more_are_knocked_at_at_once_and_one_is_logged_on_to():
    fleet = [Host(f"dark-{number}", svc(), dark=True) for number in range(1000)] + [Host("alive-1", svc()), Host("alive-2", svc())]
    schedule = Schedule(fleet)
    rounds = 0
    logons: list[str] = []
    while not schedule.finished:
        errands = []
        while (errand := schedule.next()) is not None:
            errands.append(errand)
        rounds += 1
        unproved = [errand.target.name for errand in errands if not errand.knock]
        logons += unproved if not logons else []
        for errand in errands:
            schedule.answered(errand, alive(errand.target) if errand.knock else Verdict.ACCEPTED)
    assert len(logons) == 1
    assert rounds < 20


def test_a_password_that_was_accepted_stays_in_use_where_another_one_is_rejected():
    fleet = [Host(f"pc-{number}", svc()) for number in range(5)] + [
        Host(f"old-{number}", svc("old"), Verdict.REJECTED) for number in range(5)
    ]
    schedule = Schedule(fleet)
    asked = drained(schedule)
    assert sum(name.startswith("pc-") for name in asked) == 5
    assert sum(name.startswith("old-") for name in asked) == 1
    assert [(entry.account, entry.spared) for entry in schedule.rejected] == [("svc@CONTOSO.COM", 4)]


def test_the_word_of_a_host_counts_for_that_host_alone_once_another_has_accepted_the_account():
    fleet = [Host("pc-0", svc())]
    schedule = Schedule(fleet)
    assert drained(schedule) == ["pc-0"]
    many = [Host(f"pc-{number}", svc()) for number in range(20)]
    schedule = Schedule(many)
    knocked = schedule.next()
    assert knocked is not None and knocked.knock and schedule.next() is None
    schedule.answered(knocked, Verdict.ALIVE)
    first = schedule.next()
    assert first is not None and first.target is knocked.target and not first.knock and schedule.next() is None
    schedule.answered(first, Verdict.ACCEPTED)
    for _number in range(19):
        errand = schedule.next()
        assert errand is not None and not errand.knock
        schedule.answered(errand, Verdict.REJECTED, "401")
    assert schedule.finished
    assert schedule.rejected == []


def test_a_name_without_domain_gets_a_second_opinion_over_ntlm_and_no_third():
    fleet = [Host(f"pc-{number}", svc(strikes=2), Verdict.REJECTED) for number in range(10)]
    assert len(drained(Schedule(fleet))) == 2


def test_of_logons_only_one_host_is_asked_for_each_account_and_none_for_local_ones():
    fleet = [Host(f"pc-{number}", svc()) for number in range(10)] + [Host(f"local-{number}", None) for number in range(10)]
    schedule = Schedule(fleet, logons_only=True)
    assert len(drained(schedule)) == 1
    assert schedule.spared == 19


def test_of_logons_only_an_account_that_one_host_has_is_left_to_that_host():
    fleet = [Host("pc-0", svc()), Host("pc-1", SharedAccount("a@X", "a@x", 1), Verdict.REJECTED), Host("pc-2", svc())]
    schedule = Schedule(fleet, logons_only=True)
    assert drained(schedule) in (["pc-0"], ["pc-2"])
    assert schedule.rejected == []
    assert schedule.spared == 2


def test_ten_thousand_hosts_take_no_time():
    fleet = [Host(f"pc-{number}", svc() if number % 2 else SharedAccount(f"a{number}", f"a{number}", 1)) for number in range(10_000)]
    started = time.process_time()
    assert len(drained(Schedule(fleet))) == 10_000
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("user", "method", "identity"),
    [
        ("svc@CONTOSO.COM", "ntlm", "svc@contoso.com"),
        ("CONTOSO\\svc", "ntlm", "contoso\\svc"),
        ("svc", "kerberos", "svc"),
        ("svc@CONTOSO.COM", "basic", "svc@contoso.com"),
        (".\\admin", "ntlm", None),
        ("PC-1\\admin", "ntlm", None),
        ("PC-2\\admin", "ntlm", "pc-2\\admin"),
        ("admin", "basic", None),
        ("admin", "certificate", None),
        ("Helpdesk", "ntlm", None),
        ("", "kerberos", None),
    ],
)
def test_whose_logons_count_together(user: str, method: str, identity: str | None):
    found = account_of("pc-1.contoso.com", user, "secret", method, local=["helpdesk"])
    assert (found.identity if found else None) == identity


def test_a_name_without_domain_is_shared_by_those_with_the_same_password():
    one, other = (account_of(f"pc-{number}", "admin", password, "ntlm") for number, password in ((1, "x"), (2, "y")))
    same = account_of("pc-3", "ADMIN", "x", "ntlm")
    assert one and other and same
    assert one.identity != other.identity
    assert one.identity == same.identity
    assert (one.strikes, account_of("pc-1", "admin", "x", "negotiate").strikes) == (2, 1)  # type: ignore[union-attr]


def test_a_ticket_that_is_there_already_locks_nobody():
    assert account_of("pc-1", "svc@CONTOSO.COM", "", "kerberos") is None
