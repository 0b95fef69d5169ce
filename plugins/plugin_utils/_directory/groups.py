# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A security group and its members. Private to the collection: it may change in any release."""

from __future__ import annotations

import re
import struct
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from .._errors import ActivationError
from .._plan import Plan, Step
from .dn import rdn_value
from .principals import Domain, Principal
from .session import Session
from .sid import looks_like_sid

_SECURITY = 0x80000000
_SCOPES = {"global": 0x2, "domain_local": 0x4, "universal": 0x8}
"""groupType (MS-ADTS 2.2.12)."""

_FORBIDDEN = re.compile(r'["/\\\[\]:;|=,+*?<>]')
_MEMBER_RIGHT = "WRITE_PROPERTY (member)"


@dataclass(frozen=True, slots=True)
class WantedGroup:
    """What a task asks for.

    Attributes:
        name: sAMAccountName and common name, also as C(DOMAIN\\name) or C(name@domain) of the controller's own domain.
        scope: C(global), C(domain_local) or C(universal).
        path: Container for a new group, relative to the domain or whole.
        description: Empty to leave it as it is.
        members: In the forms of C(principals); they are added, none is taken away.
        after: The earlier step that makes the container in check mode; empty where it has to be there.
    """

    name: str
    scope: str = "global"
    path: str = "CN=Users"
    description: str = ""
    members: tuple[str, ...] = ()
    after: str = ""


@dataclass(slots=True)
class GroupOutcome:
    """What was done, or would be."""

    steps: list[Step] = field(default_factory=list)
    result: dict[str, t.Any] = field(default_factory=dict)


def ensure_group(session: Session, wanted: WantedGroup, check_mode: bool) -> GroupOutcome:
    """Create the group if it is missing, add missing members, and read both back.

    Raises:
        ActivationError: A member does not exist or is of another domain, the name is taken, or the result is not as wanted.
        StepFailed: A write failed.
    """
    return _Group(session, wanted, check_mode).ensure()


class _Group:
    """One task's work."""

    def __init__(self, session: Session, wanted: WantedGroup, check_mode: bool) -> None:
        self.session = session
        self.domain = Domain(session)
        self.wanted = replace(wanted, name=self._plain_name(wanted.name))
        self.check_mode = check_mode
        self.after_step = wanted.after if check_mode else ""
        self._demand_own_domain()

    def ensure(self) -> GroupOutcome:
        group, members = self._read()
        plan = self._plan(group, members)
        if plan and self.check_mode:
            self._demand_rights(group, plan)
        elif plan:
            plan.run()
            group, members = self._read()
            self._demand_result(group, members)
        outcome = GroupOutcome(plan.steps)
        outcome.result = {
            "dn": group.dn if group else self._new_dn,
            "sid": str(group.sid) if group else "",
            "scope": self.wanted.scope,
            "members": [{"name": member.name, "dn": member.dn, "present": _present(member, group)} for member in members],
        }
        return outcome

    def _read(self) -> tuple[Principal | None, list[Principal]]:
        """The group and the accounts that shall be in it, by one search.

        Membership is read from the accounts: a group of many members does not give all values of C(member) at once.
        """
        found = self.domain.find([self.wanted.name, *self.wanted.members])
        missing = [name for name in self.wanted.members if found[name] is None]
        if missing:
            raise ActivationError(
                f"There is no account {', '.join(missing)} in {self.session.root.domain}."
                f"{self.domain.lookalike(missing[0])} Check the names of the members.",
                name="noSuchObject",
                source="ldap",
            )
        members = {member.dn: member for name in self.wanted.members if (member := found[name]) is not None}
        group = found[self.wanted.name]
        if group is not None:
            self._demand_kind(group)
        return group, list(members.values())

    def _plan(self, group: Principal | None, members: list[Principal]) -> Plan:
        plan = Plan()
        name = f"group {self.wanted.name}"
        if group is None:
            how = f"LDAP add of a {self.wanted.scope.replace('_', ' ')} security group"
            plan.add(Step(name, "exists", False, True, how, self.after_step), self._create)
        before = group.entry.text("description") if group else ""
        if self.wanted.description and self.wanted.description != before:
            step = Step(name, "description", before, self.wanted.description, "LDAP modify", self.after_step)
            plan.add(step, self._describer(group))
        missing = [member for member in members if not _present(member, group)]
        for number, member in enumerate(missing):
            step = Step(name, f"member {member.account}", "absent", "present", "LDAP modify of member", self.after_step)
            # One message adds them all; the steps behind the first have nothing left to do.
            plan.add(step, self._adder(group, missing) if number == 0 else _nothing)
        return plan

    def _create(self) -> None:
        value = struct.unpack("<i", struct.pack("<I", _SECURITY | _SCOPES[self.wanted.scope]))[0]
        attributes = {"objectClass": [b"group"], "sAMAccountName": [self.wanted.name.encode()], "groupType": [str(value).encode()]}
        try:
            self.session.add(self._new_dn, attributes, f"CREATE_CHILD (group) on {self._container}")
        except ActivationError as failure:
            if failure.name == "noSuchObject":
                raise self._no_container() from None
            # Another control node may have made it just now; then it is there as wanted, or _read says what it is instead.
            if failure.name != "entryAlreadyExists" or self._read()[0] is None:
                raise

    def _describer(self, group: Principal | None) -> Callable[[], None]:
        dn = group.dn if group else self._new_dn
        values = [self.wanted.description.encode()]
        return lambda: self.session.replace_values(dn, {"description": values}, f"WRITE_PROPERTY (description) on {dn}")

    def _adder(self, group: Principal | None, members: list[Principal]) -> Callable[[], None]:
        dn = group.dn if group else self._new_dn
        return lambda: self.session.add_values(dn, {"member": [member.dn.encode() for member in members]}, f"{_MEMBER_RIGHT} on {dn}")

    @property
    def _container(self) -> str:
        path, domain_dn = self.wanted.path, self.session.root.domain_dn
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
                f"The group {given} is of another domain than {self.session.root.domain}: name a controller of that domain in domain_server.",
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
                takes = "a global group takes members of its own domain only"
                why = takes if self.wanted.scope == "global" else "members are looked up there only"
                raise ActivationError(
                    f"{name} cannot become a member of {self.wanted.name}: it is of another domain than {self.session.root.domain}, "
                    f"and {why}. Make a group in each domain and grant the record to each.",
                    source="options",
                )

    def _demand_kind(self, group: Principal) -> None:
        kind = int(group.entry.text("groupType") or 0) & 0xFFFFFFFF
        if not kind:
            found = f"is a {(group.entry.texts('objectClass') or ['?'])[-1]}"
        elif not kind & _SECURITY:
            found = "is a distribution group, which grants no rights"
        elif not kind & _SCOPES[self.wanted.scope]:
            scope = next((name for name, bit in _SCOPES.items() if kind & bit), "unknown").replace("_", " ")
            found = f"has the scope {scope}, and the scope of a group is not changed here"
        else:
            return
        raise ActivationError(f"{self.wanted.name} ({group.dn}) exists and {found}. Choose another name or scope.", source="ldap")

    def _demand_rights(self, group: Principal | None, plan: Plan) -> None:
        """What the account may do, so that check mode refuses what a real run would be refused."""
        if group is None:
            container = self.session.read(self._container, ["allowedChildClassesEffective"])
            if container is None and not self.wanted.after:
                raise self._no_container()
            allowed = container.texts("allowedChildClassesEffective") if container else ["group"]
            needed, right = {"group"}, f"CREATE_CHILD (group) on {self._container}"
        else:
            entry = self.session.read(group.dn, ["allowedAttributesEffective"])
            allowed = entry.texts("allowedAttributesEffective") if entry else []
            needed = {step.attribute.partition(" ")[0] for step in plan.steps}
            right = f"WRITE_PROPERTY ({', '.join(sorted(needed))}) on {group.dn}"
        if not needed <= set(allowed):
            raise ActivationError(
                f"The group {self.wanted.name} cannot be changed by this account: it lacks {right}.",
                code="50",
                name="insufficientAccessRights",
                source="ldap",
            )

    def _demand_result(self, group: Principal | None, members: list[Principal]) -> None:
        absent = [member.account for member in members if not _present(member, group)]
        if group is None or absent:
            what = f"{', '.join(absent)} are not in it" if group else "it is not there"
            raise ActivationError(
                f"The group {self.wanted.name} was changed, but read back {what}. Another program may have changed it.", source="ldap"
            )


def _present(member: Principal, group: Principal | None) -> bool:
    return group is not None and member.is_member_of(group)


def _nothing() -> None:
    """The first member's step did it."""
