# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A DNS record with all who may write it: the name itself, the rights of several principals, and the owner."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._core.errors import ActivationError
from .._core.plan import Plan, Step, StepFailed
from . import dns_node, grants, rights
from .dns_node import DnsNode
from .empty_node import EmptyNode
from .principals import Domain
from .record_acl import GrantOutcome, WantedGrant, ensure_grant
from .record_owner import RecordOwner, is_computer
from .security_descriptor import Ace
from .session import DirectorySession
from .sid import Sid, looks_like_sid


@dataclass(frozen=True, slots=True)
class WantedRights:
    """What a task asks for.

    Attributes:
        grant: The rights, and those of the first principal.
        principals: All of them, in the forms of C(principals).
        create: Make the name where the zone has none.
        disown_hosts: Take it from a host that owns it.
    """

    grant: WantedGrant
    principals: Sequence[str]
    create: bool = False
    disown_hosts: bool = False


def ensure(session: DirectorySession, wanted: WantedRights, check_mode: bool) -> GrantOutcome:
    """Bring name, rights and owner to what is wanted, and read them back.

    Raises:
        ActivationError: Zone, record or principal are missing, or a right of the session's account is.
        StepFailed: A write failed; it says what was done before.
    """
    return _RecordRights(session, wanted, check_mode).ensure()


class _RecordRights:
    """One task's work."""

    def __init__(self, session: DirectorySession, wanted: WantedRights, check_mode: bool) -> None:
        self.session = session
        self.wanted = wanted
        self.grant = wanted.grant
        self.check_mode = check_mode
        self.plan = Plan()
        self.may_create = True
        self.warnings: list[str] = []

    def ensure(self) -> GrantOutcome:
        self._plan_name()
        looked = {name: self._granted(name, True) for name in self.wanted.principals}
        for name, outcome in looked.items():
            if outcome.steps:
                step = outcome.steps[0] if self.check_mode else replace(outcome.steps[0], after_step="")
                self.plan.add(step, self._granter(looked, name))
        steps = self.plan.steps
        if not self.check_mode:
            self.plan.run()
        diff = [entry for outcome in looked.values() for entry in outcome.diff]
        for outcome in looked.values():
            self.warnings += outcome.warnings
        if self.wanted.create:
            # A name that hosts are about to publish has no value for a reason.
            self.warnings = [warning for warning in self.warnings if not warning.startswith(f"{self.grant.node_name} is tombstoned")]
        result = {**self._shown([outcome.result for outcome in looked.values()]), "may_create": self.may_create}
        if self.wanted.disown_hosts:
            steps += self._look_at_hosts(result)
        return GrantOutcome(steps, result, diff, list(dict.fromkeys(self.warnings)))

    def _plan_name(self) -> None:
        if not self.wanted.create:
            return
        node = EmptyNode(self.session, self.grant.zone, self.grant.record)
        if not node.missing:
            return
        self.plan.add(node.step, node.make)
        # What is planned is there for what follows.
        self.grant = replace(self.grant, after=self.grant.after or self.grant.node_name)
        if self.check_mode and (lacks := node.lacks):
            self.may_create = False
            self.warnings.append(lacks)

    def _granted(self, principal: str, check_mode: bool) -> GrantOutcome:
        return ensure_grant(self.session, replace(self.grant, principal=principal), check_mode)

    def _granter(self, looked: dict[str, GrantOutcome], principal: str) -> Callable[[], None]:
        def grant() -> None:
            looked[principal] = self._granted(principal, False)

        return grant

    def _shown(self, results: list[dict[str, Any]]) -> dict[str, Any]:
        rows = [{name: result[name] for name in ("principal", "granted", "missing")} for result in results]
        missing = [name for name in self.grant.rights if any(name in row["missing"] for row in rows)]
        return {**results[-1], **rows[0], "missing": missing, "grants": rows}

    def _look_at_hosts(self, result: dict[str, Any]) -> list[Step]:
        """Take the name from a host that owns it, and tell which other computers may write it."""
        node = dns_node.find_node(self.session, self.grant.zone, self.grant.record)
        if node is None:
            return []
        domain = Domain(self.session)
        found = domain.find(self.wanted.principals)
        hosts = [principal.sid for principal in found.values() if principal and principal.sid]
        hosts += [Sid.from_text(name) for name in self.wanted.principals if looks_like_sid(name)]
        result["other_computers"] = _other_computers(domain, node, hosts)
        owner = RecordOwner(self.session, domain, node, dns_node.node_name(self.grant.zone, self.grant.record), hosts)
        try:
            steps = owner.ensure(self.check_mode)
        except ActivationError as failure:
            raise StepFailed(owner.step, self.plan.steps, []) from failure
        self.warnings += owner.warnings
        result["owner"] = owner.name
        return steps


def _other_computers(domain: Domain, node: DnsNode, known: Collection[Sid]) -> list[dict[str, Any]]:
    """Computer accounts with explicit rights on a name beside those that are known, and accounts of the domain that are gone."""
    dacl = node.descriptor.dacl
    sids = {ace.sid for ace in dacl.aces if isinstance(ace, Ace) and ace.sid.domain} - set(known) if dacl else set()
    granted = {sid: mask for sid in sids if dacl and (mask := grants.granted(dacl, sid))}
    found = domain.find(map(str, granted))
    own = domain.sid() if None in found.values() else None
    rows = []
    for sid in sorted(granted, key=str):
        account = found[str(sid)]
        if is_computer(account) if account else sid.domain == own:
            rows.append({"principal": account.name if account else str(sid), "granted": rights.names_of(granted[sid])})
    return rows
