# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The survey itself: every host is asked once, and every answer is a row."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .._actions.silent import Silent
from .._core.errors import ActivationError
from .._core.masking import Secrets
from .._survey.crew import Crew, Limits
from .._survey.rows import Row, RowOutcome, license_facts
from .._survey.schedule import Errand, Rejected, Schedule, Verdict
from .._survey.tally import SurveyTally
from .._windows.survey import HostRead, read_host
from .._wsman import shared
from .._wsman.carriers import open_with
from .._wsman.contact import Contact
from .._wsman.http_carrier import HttpCarrier, LogonRejected, is_silent
from .._wsman.session import Session
from .targets import Reader, SurveyTarget
from .tickets import Tickets, collection

_PROGRESS_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SurveyWish:
    """What is wanted of the hosts.

    Attributes:
        columns: See C(_windows.survey).
        limits: How many at once, and how long.
        logons_only: One host for each account is enough.
    """

    columns: Collection[str]
    limits: Limits
    logons_only: bool = False


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """What came of one host.

    Attributes:
        row: Its row; C(None) where there is more to come.
        verdict: What it tells about the account.
        why: The code of a failure, or what failed.
    """

    row: Row | None
    verdict: Verdict
    why: str = ""


class Survey:
    """Asks all hosts.

    Args:
        reader: Reads how each is reached.
        hosts: Their names.
        wish: What is wanted.
        keep: Takes each row as it comes, in the calling thread.
        progress: Called every few seconds and at the end with how many hosts are done, how many there are, and how many of those done
            were not read.

    Attributes:
        tally: What the rows amount to.
        rejected: The accounts that were turned down.
    """

    def __init__(
        self, reader: Reader, hosts: Sequence[str], wish: SurveyWish, keep: Callable[[Row], None], progress: Callable[[int, int, int], None]
    ) -> None:
        self.tally = SurveyTally(len(hosts))
        self.rejected: list[Rejected] = []
        self._reader = reader
        self._hosts = hosts
        self._wish = wish
        self._keep = keep
        self._progress = progress
        self._told = time.monotonic()

    def run(self) -> None:
        """Ask them."""
        plain: list[SurveyTarget] = []
        managed: list[SurveyTarget] = []
        for host in self._hosts:
            try:
                target = self._reader.target(host)
            except ActivationError as failure:
                self._take(_failed(host, failure, RowOutcome.FAILED))
            else:
                (managed if target.settings.managed else plain).append(target)
            self._tick()
        if plain:
            self._ask_all(plain, self._wish.logons_only)
        if managed:
            with collection() as tickets:
                with_tickets = list(self._with_tickets(managed, tickets))
                if not self._wish.logons_only:
                    self._ask_all(with_tickets, logons_only=False)
        self._progress(self.tally.done, self.tally.hosts, self.tally.failed)

    def _with_tickets(self, targets: Sequence[SurveyTarget], tickets: Tickets) -> Iterable[SurveyTarget]:
        """The hosts whose account has a ticket; a row for each of the others."""
        accounts: dict[tuple[str, str], list[SurveyTarget]] = {}
        for target in targets:
            accounts.setdefault((target.settings.user, target.settings.password), []).append(target)
        stopped: dict[str, Rejected] = {}
        for (user, password), group in accounts.items():
            if self._wish.logons_only and len(group) == 1:
                continue
            first = group[0]
            if user.casefold() in stopped:
                self._refuse(group, stopped[user.casefold()])
                continue
            try:
                tickets.get(self._reader.plugin(first), first.name, user, password)
            except LogonRejected as failure:
                reason = _why(failure, password)
                rejected = stopped[user.casefold()] = Rejected(user, "The domain", reason, len(group))
                self.rejected.append(rejected)
                self._refuse(group, rejected)
            except ActivationError as failure:
                for target in group:
                    self._take(_failed(target.name, failure, RowOutcome.UNREACHABLE, password))
            else:
                # Whose password is right is known, and hosts are not shown it.
                yield from (replace(target, account=None) for target in group)

    def _ask_all(self, targets: Sequence[SurveyTarget], logons_only: bool) -> None:
        schedule = Schedule(targets, logons_only)
        crew: Crew[SurveyTarget, HostAnswer] = Crew(
            schedule,
            self._wish.limits,
            contact=lambda: Contact(self._wish.limits.first_contact, watched=True),
            ask=self._ask,
            silent=_silent,
            take=self._received,
            tick=lambda: self._refuse_and_tell(schedule),
        )
        with shared.without_environment():
            crew.run()
        self.rejected += schedule.rejected

    def _ask(self, errand: Errand[SurveyTarget], contact: t.Any) -> HostAnswer:
        """One host, in a thread of its own."""
        target = errand.target
        try:
            with open_with(target.settings, target.name, contact) as session:
                read = self._read(session, errand.knock)
        except LogonRejected as failure:
            row = _failed(target.name, failure, RowOutcome.REJECTED, target.settings.password)
            return HostAnswer(row, Verdict.REJECTED, _why(failure, target.settings.password))
        except ActivationError as failure:
            outcome = RowOutcome.UNREACHABLE if failure.unreachable else RowOutcome.FAILED
            # A fault of WS-Management or Windows comes after the logon.
            accepted = failure.source == "windows" or failure.hresult is not None
            row = _failed(target.name, failure, outcome, target.settings.password)
            return HostAnswer(row, Verdict.ACCEPTED if accepted else Verdict.UNKNOWN)
        except Exception as failure:
            row = _failed(target.name, ActivationError(f"{type(failure).__name__}: {failure}"), RowOutcome.FAILED, target.settings.password)
            return HostAnswer(row, Verdict.UNKNOWN)
        if read is None:
            return HostAnswer(None, Verdict.ALIVE)
        facts = {**license_facts(read.windows, read.others, read.service, read.at), **read.columns}
        reason = str((read.windows or {}).get("status_reason") or "")
        return HostAnswer(Row(target.name, RowOutcome.READ, read.at, reason, "", facts), Verdict.ACCEPTED)

    def _read(self, session: Session, knock: bool) -> HostRead | None:
        """What a host says; C(None) where it takes connections and was to be knocked at."""
        silent = Silent(session.carrier.endpoint)
        try:
            if not knock:
                return read_host(session, self._wish.columns)
            shared.knock(t.cast(HttpCarrier, session.carrier))
        except ActivationError as failure:
            if is_silent(failure):
                silent.note()
            raise
        return None

    def _received(self, _errand: Errand[SurveyTarget], answer: HostAnswer) -> tuple[Verdict, str]:
        if answer.row is None:
            return answer.verdict, ""
        self._take(answer.row)
        return answer.verdict, answer.why

    def _refuse_and_tell(self, schedule: Schedule[SurveyTarget]) -> None:
        for target, rejected in schedule.refused():
            self._refuse([target], rejected)
        self._tick()

    def _refuse(self, targets: Iterable[SurveyTarget], rejected: Rejected) -> None:
        reason = f"{rejected.host} did not accept the account {rejected.account} ({rejected.reason})."
        for target in targets:
            self._take(Row(target.name, RowOutcome.NOT_ASKED, datetime.now(UTC), reason))

    def _take(self, row: Row) -> None:
        self.tally.add(row)
        self._keep(row)

    def _tick(self) -> None:
        if time.monotonic() - self._told >= _PROGRESS_SECONDS:
            self._told = time.monotonic()
            self._progress(self.tally.done, self.tally.hosts, self.tally.failed)


def _silent(errand: Errand[SurveyTarget], did: str) -> HostAnswer:
    target = errand.target
    endpoint = getattr(target.settings.pattern, "endpoint", "") or target.name
    return HostAnswer(Row(target.name, RowOutcome.UNREACHABLE, datetime.now(UTC), f"{endpoint} {did}."), Verdict.UNKNOWN)


def _failed(host: str, failure: ActivationError, outcome: RowOutcome, password: str = "") -> Row:
    """The row for an error; what libraries quote of the password is masked."""
    reason = str(Secrets([password]).mask(failure.said))
    return Row(host, outcome, datetime.now(UTC), reason, failure.shown_code)


def _why(failure: ActivationError, password: str) -> str:
    return failure.shown_code or str(Secrets([password]).mask(failure.clause.rstrip(".")))
