# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A security group and its members."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from .._core.errors import ActivationError
from .._core.plan import Plan, Step, StepKind
from . import group_kind, group_rights, membership
from .dn import parent_dn, rdn_value, same_dn
from .principals import Domain, Principal
from .session import Change, DirectorySession
from .sid import looks_like_sid

_FORBIDDEN = re.compile(r'["/\\\[\]:;|=,+*?<>]')
_WRITTEN = {StepKind.DESCRIPTION: "description", StepKind.MEMBER: "member"}
_OWN_DOMAIN = "a global group takes members of its own domain only"


@dataclass(frozen=True, slots=True)
class WantedGroup:
    """What a task asks for.

    Attributes:
        name: sAMAccountName and common name, also as C(DOMAIN\\name) or C(name@domain) of the controller's own domain.
        scope: C(global), C(domain_local) or C(universal).
        path: Its container, relative to the domain or whole; empty for C(CN=Users), or wherever it is already.
        description: Empty to leave it as it is.
        members: In the forms of C(principals).
        after: The earlier step that makes the container in check mode; empty where it has to be there.
        exact: Members beside these are taken out; otherwise all others stay.
        absent: Accounts that are taken out, in the forms of C(principals). One that does not exist any more is in no group.
    """

    name: str
    scope: str = "global"
    path: str = ""
    description: str = ""
    members: tuple[str, ...] = ()
    after: str = ""
    exact: bool = False
    absent: tuple[str, ...] = ()


@dataclass(slots=True)
class GroupOutcome:
    """What was done, or would be."""

    steps: list[Step] = field(default_factory=list)
    result: dict[str, t.Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def ensure_group(session: DirectorySession, wanted: WantedGroup, check_mode: bool) -> GroupOutcome:
    """Bring the group and its members to what is wanted, and read both back.

    Raises:
        ActivationError: A member does not exist or is of another domain, the name is taken, or the result is not as wanted.
        StepFailed: A write failed.
    """
    return _GroupWork(session, wanted, check_mode).ensure()


class _GroupWork:
    """One task's work."""

    def __init__(self, session: DirectorySession, wanted: WantedGroup, check_mode: bool) -> None:
        self.session = session
        self.domain = Domain(session)
        self.wanted = replace(wanted, name=self._plain_name(wanted.name))
        self.check_mode = check_mode
        self.after_step = wanted.after if check_mode else ""
        self.group: Principal | None = None
        self.members: list[Principal] = []
        self.through: dict[str, str] = {}
        self.surplus: dict[str, str] = {}
        self._demand_own_domain()
        if both := {name.lower() for name in wanted.members} & {name.lower() for name in wanted.absent}:
            raise ActivationError(f"members and O(members_absent) both name {', '.join(sorted(both))}.", source="options")

    def ensure(self) -> GroupOutcome:
        self._read()
        plan = self._plan()
        lacks = ""
        if plan and self.check_mode:
            lacks = self._lacking_rights(plan)
        elif plan:
            plan.run()
            self._read()
            self._demand_result()
        outcome = GroupOutcome(plan.steps)
        if lacks:
            said = f"cannot be changed by this account: it lacks {lacks}. Have it delegated, or use another account."
            outcome.warnings.append(f"The group {self.wanted.name} {said}")
        group = self.group
        outcome.result = {
            "dn": group.dn if group else self._new_dn,
            "sid": str(group.sid) if group else "",
            "scope": self.wanted.scope,
            "may_write": not lacks,
            "members": [self._shown(member) for member in self.members],
        }
        return outcome

    def _read(self) -> None:
        """The group and the accounts that shall be in it, by one search.

        Membership is read from the accounts: a group of many members does not give all values of C(member) at once.
        """
        found = self.domain.find([self.wanted.name, *self.wanted.members, *self.wanted.absent])
        missing = [name for name in self.wanted.members if found[name] is None]
        if missing:
            raise ActivationError(
                f"There is no account {', '.join(missing)} in {self.session.root.domain}."
                f"{self.domain.lookalike(missing[0])}{self._perhaps_foreign(missing[0])} Check the names of the members, and that this "
                "account has the right to read them.",
                name="noSuchObject",
                source="ldap",
            )
        members = {member.dn: member for name in self.wanted.members if (member := found[name]) is not None}
        self.group, self.members = found[self.wanted.name], list(members.values())
        self.through, self.surplus = {}, {}
        if self.group is None:
            return
        group_kind.demand(self.group, self.wanted.scope)
        if self.wanted.exact:
            # Only who stands in the group itself counts: the group that another one comes through may be taken out.
            self.surplus = membership.surplus(self.session, self.group.dn, self.members)
        elif absent := [member for member in self.members if not member.is_member_of(self.group)]:
            self.through = membership.through_groups(self.session, self.group, absent)
        gone = [account for name in self.wanted.absent if (account := found[name]) is not None]
        self.surplus |= {account.dn: account.account for account in gone if account.is_member_of(self.group)}

    def _shown(self, member: Principal) -> dict[str, t.Any]:
        how = {"present": self._present(member), "through": self.through.get(member.dn, "")}
        return {"name": member.name, "dn": member.dn, "sid": str(member.sid), **how}

    def _present(self, member: Principal) -> bool:
        return self.group is not None and (member.is_member_of(self.group) or member.dn in self.through)

    def _plan(self) -> Plan:
        plan = Plan()
        group, name = self.group, f"group {self.wanted.name}"
        if group is None:
            how = f"LDAP add of a {self.wanted.scope.replace('_', ' ')} security group"
            plan.add(Step(name, "exists", False, True, how, self.after_step, kind=StepKind.ENTRY), self._create)
        elif self._dn != group.dn:
            how, to = "LDAP modify DN", self._container
            plan.add(Step(name, "path", parent_dn(group.dn), to, how, self.after_step, kind=StepKind.ENTRY), self._move)
        before = group.entry.text("description") if group else ""
        if self.wanted.description and self.wanted.description != before:
            step = Step(name, "description", before, self.wanted.description, "LDAP modify", self.after_step, kind=StepKind.DESCRIPTION)
            plan.add(step, self._describe)
        how, after = "LDAP modify of member", self.after_step
        missing = [member for member in self.members if not self._present(member)]
        kind = StepKind.MEMBER
        steps = [Step(name, f"member {member.account}", "absent", "present", how, after, kind=kind) for member in missing]
        steps += [Step(name, f"member {account}", "present", "absent", how, after, kind=kind) for account in self.surplus.values()]
        for number, step in enumerate(steps):
            # One message changes them all; the steps behind the first have nothing left to do.
            plan.add(step, self._member_writer([member.dn for member in missing], list(self.surplus)) if number == 0 else _nothing)
        return plan

    def _create(self) -> None:
        kind = group_kind.group_type(self.wanted.scope)
        attributes = {"objectClass": [b"group"], "sAMAccountName": [self.wanted.name.encode()], "groupType": [kind]}
        try:
            self.session.add(self._new_dn, attributes, group_rights.creation(self._container))
        except ActivationError as failure:
            if failure.name == "noSuchObject":
                raise self._no_container() from None
            # Another control node may have made it just now; then it is there as wanted, or _read says what it is instead.
            if failure.name != "entryAlreadyExists":
                raise
            self._read()
            if self.group is None:
                raise

    def _move(self) -> None:
        dn = self.group.dn if self.group else ""
        try:
            self.session.move(dn, self._container, lambda: group_rights.to_move(self.session, dn, self._container))
        except ActivationError:
            # Controllers differ in what they call a parent that is not there.
            if self.session.read(self._container, ["objectClass"]) is None:
                raise self._no_container() from None
            raise

    def _describe(self) -> None:
        change: Change = ("replace", "description", [self.wanted.description.encode()])
        self.session.modify(self._dn, [change], f"WRITE_PROPERTY (description) on {self._dn}")

    def _member_writer(self, add: list[str], remove: list[str]) -> Callable[[], None]:
        dn = self._dn
        return lambda: membership.write(self.session, dn, add, remove)

    @property
    def _dn(self) -> str:
        """Where the group will be."""
        group = self.group
        if group is None:
            return self._new_dn
        if not self.wanted.path or same_dn(parent_dn(group.dn), self._container):
            return group.dn
        return group.dn[: -len(parent_dn(group.dn))] + self._container

    @property
    def _container(self) -> str:
        path, domain_dn = self.wanted.path or "CN=Users", self.session.root.domain_dn
        return path if path.lower().endswith(domain_dn.lower()) else f"{path},{domain_dn}"

    @property
    def _new_dn(self) -> str:
        return f"CN={rdn_value(self.wanted.name)},{self._container}"

    def _no_container(self) -> ActivationError:
        return ActivationError(
            f"The container {self._container} for the group {self.wanted.name} does not exist. Check path, or create it first.",
            name="noSuchObject",
            source="ldap",
        )

    def _plain_name(self, given: str) -> str:
        """The group's name without its domain, which has to be the controller's own."""
        if looks_like_sid(given):
            raise ActivationError(f"name is the SID {given}, but has to be the group's name, such as KMS_Hosts.", source="options")
        domain: str | None = None
        name = given
        if "\\" in given:
            domain, _separator, name = given.partition("\\")
        elif "@" in given:
            name, _separator, domain = given.rpartition("@")
        if domain is not None and not self.domain.is_called(domain):
            raise ActivationError(
                f"The group {given} is of another domain than {self.session.root.domain}: name a controller of that domain in O(domain_server).",
                source="options",
            )
        if _FORBIDDEN.search(name) or not name.strip(". ") or len(name) > 64:
            raise ActivationError(
                f"{name!r} cannot be a group's name: at most 64 characters, none of \" / \\ [ ] : ; | = , + * ? < >.",
                source="options",
            )
        return name

    def _demand_own_domain(self) -> None:
        for name in self.wanted.members:
            if not self.domain.is_own(name):
                why = _OWN_DOMAIN if self.wanted.scope == "global" else "members are looked up there only"
                raise ActivationError(
                    f"{name} cannot become a member of {self.wanted.name}: it is of another domain than {self.session.root.domain}, "
                    f"and {why}. Make a group in each domain and grant the record to each.",
                    source="options",
                )

    def _perhaps_foreign(self, name: str) -> str:
        """A sentence for a name whose form does not tell its domain; empty where it does."""
        if not looks_like_sid(name) and self.domain.is_called(name.rpartition("@")[2] if "@" in name else self.session.root.domain):
            return ""
        return f" If it is of another domain: {_OWN_DOMAIN}, so make a group in each domain and grant the record to each."

    def _lacking_rights(self, plan: Plan) -> str:
        """What the account lacks for the plan, so that check mode tells what a real run would be refused; empty for nothing."""
        kinds = {step.kind for step in plan.steps}
        if StepKind.ENTRY in kinds:
            lacks = group_rights.to_create(self.session, self._container)
            if lacks is None and not self.wanted.after:
                raise self._no_container()
            if lacks:
                return lacks
        written = [name for kind, name in _WRITTEN.items() if kind in kinds]
        return group_rights.to_write(self.session, self.group.dn, written) if self.group is not None and written else ""

    def _demand_result(self) -> None:
        absent = [member.account for member in self.members if not self._present(member)]
        what = "it is not there" if self.group is None else ""
        if self.group is not None and (absent or self.surplus):
            what = " and ".join(
                f"{', '.join(names)} {how}" for names, how in ((absent, "missing"), (list(self.surplus.values()), "still in it")) if names
            )
        if what:
            raise ActivationError(
                f"The group {self.wanted.name} was changed, but read back {what}. Another program may have changed it: run it again, "
                "and look for that one if it stays so.",
                source="ldap",
            )


def _nothing() -> None:
    """The first member's step did it."""
