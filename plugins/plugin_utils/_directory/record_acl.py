# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights of a principal on a DNS record of Active Directory.

Only the DACL is ever sent. Writers of this collection take turns, see C(turn), so that none loses what another granted. Who
else writes at the same time is noticed: the descriptor is read back, a grant that was overwritten is made again from what is
there then, and the version that replication counts tells whether somebody wrote in between, whose change may now be lost;
that is a warning.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field

from .._core.codes.code import plain
from .._core.errors import ActivationError
from .._core.plan import Plan, Step
from . import dns_node, grants, rights
from .dns_node import DnsNode
from .entry import DirectoryEntry
from .principals import Domain, Principal, foreign
from .sddl import to_sddl
from .security_descriptor import INHERITED, Ace, Acl, SecurityDescriptor
from .session import SD_DACL, DirectorySession
from .sid import Sid, looks_like_sid
from .turn import turn

_ATTEMPTS = 3
_EVERYONE, _AUTHENTICATED_USERS = Sid(1, (0,)), Sid(5, (11,))


@dataclass(frozen=True, slots=True)
class WantedGrant:
    """What a task asks for.

    Attributes:
        zone: The zone's DNS name.
        record: The name in the zone, or C(@).
        principal: In one of the forms of C(principals).
        rights: Names of C(rights.RIGHTS).
        state: C(present), C(absent) or C(exact).
        after: The earlier step that makes what is still missing in check mode; empty where nothing may be missing.
    """

    zone: str
    record: str
    principal: str
    rights: tuple[str, ...]
    state: str = "present"
    after: str = ""

    @classmethod
    def of(cls, zone: str, record: str, principal: str, names: list[str], state: str, after: str) -> WantedGrant:
        """The same with names as DNS and AD store them; C(ActivationError) where one cannot be in DNS."""
        return cls(*dns_node.relative_name(zone, record), principal, tuple(sorted(set(names))), state, after)

    @property
    def node_name(self) -> str:
        """The object of the step."""
        return f"dnsNode {dns_node.node_name(self.zone, self.record)}"


@dataclass(slots=True)
class GrantOutcome:
    """What was done, or would be."""

    steps: list[Step] = field(default_factory=list)
    result: dict[str, t.Any] = field(default_factory=dict)
    diff: list[dict[str, t.Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def ensure_grant(session: DirectorySession, wanted: WantedGrant, check_mode: bool) -> GrantOutcome:
    """Bring the principal's rights on the record to what is wanted, and read them back.

    Raises:
        ActivationError: Zone, record or principal are missing, a right of the session's account is, or the rights are
            not as wanted afterwards.
        StepFailed: The write failed.
    """
    return _RecordAcl(session, wanted, check_mode).ensure()


class _RecordAcl:
    """One task's work."""

    def __init__(self, session: DirectorySession, wanted: WantedGrant, check_mode: bool) -> None:
        self.session = session
        self.wanted = wanted
        self.check_mode = check_mode
        self.mask = rights.mask_of(wanted.rights)
        self.domain = Domain(session)
        self.outcome = GrantOutcome()
        self._latest: DnsNode | None = None

    def ensure(self) -> GrantOutcome:
        node = dns_node.find_node(self.session, self.wanted.zone, self.wanted.record)
        principal, owner = self._principal_and_owner(node)
        if node is None or principal is None or principal.sid is None:
            return self._not_there_yet(node, principal, owner)
        dacl = _dacl_of(node)
        wanted_dacl = self._wanted_dacl(dacl, principal.sid)
        if node.tombstoned:
            self.outcome.warnings.append(
                f"{self.wanted.node_name} is tombstoned: all its records were deleted. "
                "Its rights apply again once a host publishes the name."
            )
        self._warn_of_denials(dacl, principal)
        plan = Plan()
        if wanted_dacl != dacl:
            step = self._step(principal.name, self._shown_before(dacl, principal.sid))
            plan.add(step, self._writer(node, principal))
            self._look_at_write_dac(node)
            self._show_descriptors(node.descriptor, node.descriptor.with_dacl(wanted_dacl), principal.sid)
        self.outcome.steps = plan.steps
        granted = grants.granted(dacl, principal.sid)
        if plan and not self.check_mode:
            plan.run()
            granted = grants.granted(_dacl_of(self._latest or node), principal.sid)
        self._describe(node, owner, principal.name, granted)
        return self.outcome

    def _principal_and_owner(self, node: DnsNode | None) -> tuple[Principal | None, str]:
        """Both by one search; the owner is a SID where it is of another domain or was deleted."""
        given = self.wanted.principal
        owner_sid = str(node.descriptor.owner) if node is not None and node.descriptor.owner is not None else ""
        found = self.domain.find([given, owner_sid] if owner_sid else [given])
        owner = found.get(owner_sid)
        principal = found[given]
        if principal is None and looks_like_sid(given):
            principal = foreign(given)
        return principal, owner.name if owner else owner_sid

    def _not_there_yet(self, node: DnsNode | None, principal: Principal | None, owner: str) -> GrantOutcome:
        """The record or the principal is missing: nothing to take from it, and nothing to give unless an earlier step makes it."""
        name = principal.name if principal else self.domain.named(self.wanted.principal)
        if self.wanted.state != "absent":
            if not (self.check_mode and self.wanted.after):
                raise self._missing(node is None)
            if self.wanted.rights:
                self.outcome.steps.append(self._step(name, []))
        self._describe(node, owner, name, 0)
        return self.outcome

    def _missing(self, is_record: bool) -> ActivationError:
        wanted, server = self.wanted, self.session.server
        if is_record:
            return ActivationError(
                f"The zone {wanted.zone} has no name {wanted.record} on {server}, or the account may not see it. "
                "A KMS host makes _vlmcs._tcp when it is activated and may publish; grant the rights after that.",
                name="noSuchObject",
                source="ldap",
            )
        return ActivationError(
            f"There is no {wanted.principal} in {self.session.root.domain}.{self.domain.lookalike(wanted.principal)} "
            "Check how it is written, or create it first, for instance with winops.volume_activation.ad_group.",
            name="noSuchObject",
            source="ldap",
        )

    def _wanted_dacl(self, dacl: Acl, sid: Sid) -> Acl:
        if self.wanted.state == "exact":
            return grants.grant_exactly(dacl, sid, self.mask)
        if self.wanted.state == "absent":
            return grants.revoke(dacl, sid, grants.revocable(self.wanted.rights, grants.granted(dacl, sid)))
        return grants.grant(dacl, sid, self.mask)

    def _shown_before(self, dacl: Acl, sid: Sid) -> list[str]:
        granted = grants.granted(dacl, sid)
        if self.wanted.state == "present":
            return rights.granted_of(self.wanted.rights, granted)
        if self.wanted.state == "absent":
            held = rights.granted_of(self.wanted.rights, granted)
            left = granted & grants.revocable(self.wanted.rights, granted) & ~rights.mask_of(held)
            return sorted({*held, *rights.names_of(left)})
        names = rights.granted_of(self.wanted.rights, granted)
        if granted != rights.mask_of(names):
            names = rights.names_of(granted)
        return sorted({*names, *map(grants.partial_name, grants.partial_grants(dacl, sid))})

    def _step(self, principal: str, before: list[str]) -> Step:
        after = [] if self.wanted.state == "absent" else list(self.wanted.rights)
        how = "LDAP modify of nTSecurityDescriptor, DACL only"
        return Step(self.wanted.node_name, f"DACL {principal}", before, after, how, self.wanted.after if self.check_mode else "")

    def _writer(self, node: DnsNode, principal: Principal) -> Callable[[], None]:
        def write() -> None:
            sid = t.cast(Sid, principal.sid)
            written = 0
            for _attempt in range(_ATTEMPTS):
                self._latest, wrote = self._write_once(node, sid)
                written += wrote
                if self._wanted_dacl(_dacl_of(self._latest), sid) == _dacl_of(self._latest):
                    return
            times = (
                f"was written {written} times and is" if written else "could not be written, because others came first each time, and is"
            )
            raise ActivationError(
                f"The DACL of {node.dn} {times} still not as wanted after {_ATTEMPTS} attempts: another program keeps changing it, or "
                "the controller alters it. Find out who else writes it, and run it again.",
                source="ldap",
            )

        return write

    def _write_once(self, node: DnsNode, sid: Sid) -> tuple[DnsNode, bool]:
        """Write from what is there now, and read it back; tells as well whether it was written."""
        with turn(self.session, node.dn) as ours:
            before = self._read_again(node)
            wanted = self._wanted_dacl(_dacl_of(before), sid)
            if wanted == _dacl_of(before):
                return before, False
            value = before.descriptor.with_dacl(wanted).dacl_alone().to_bytes()
            right = f"WRITE_DAC on {node.dn}"
            if not ours.write(self.session, ("replace", "nTSecurityDescriptor", [value]), right, SD_DACL):
                return before, False
        after = self._read_again(node)
        self._warn_of_other_writer(before, after, sid)
        return after, True

    def _read_again(self, node: DnsNode) -> DnsNode:
        again = dns_node.read_node(self.session, node.dn, node.partition)
        if again is None:
            raise ActivationError(f"{self.wanted.node_name} was deleted while its rights were changed. Run it again.", source="ldap")
        return again

    def _warn_of_other_writer(self, before: DnsNode, after: DnsNode, sid: Sid) -> None:
        """Those who take turns are no danger: what they wrote after us, they wrote upon ours."""
        # We took away the mark of our turn; each of the others put one there and took it away.
        turns = max(after.turn_version - before.turn_version, 0) // 2
        written = after.descriptor_version - before.descriptor_version
        unknown = not before.descriptor_version and _explicit_of_others(before, sid) != _explicit_of_others(after, sid)
        if unknown or written > 1 + turns:
            self.outcome.warnings.append(
                f"Somebody else changed the DACL of {before.dn} at the same time. Check that what they granted is still there."
            )

    def _look_at_write_dac(self, node: DnsNode) -> None:
        """A real run refuses before it tries; check mode warns, so that an account that may only read can see the plan."""
        if _may_write(node):
            return
        sentence = (
            f"The rights on {self.wanted.node_name} cannot be changed by this account: it lacks WRITE_DAC on {node.dn}. "
            "Use an account of Domain Admins or DnsAdmins, or the owner of the record, or have WRITE_DAC delegated."
        )
        if not self.check_mode:
            raise ActivationError(sentence, code=plain(50), name="insufficientAccessRights", source="ldap")
        self.outcome.warnings.append(sentence)

    def _warn_of_denials(self, dacl: Acl, principal: Principal) -> None:
        trustees = {ace.sid for ace in dacl.aces if isinstance(ace, Ace)}
        if self.wanted.state == "absent" or not grants.denials(dacl, trustees, self.mask):
            return
        groups = self.session.read(principal.dn, ["tokenGroups"]) if principal.dn else None
        token = (groups or DirectoryEntry("", {})).attributes.get("tokengroups", [])
        own = t.cast(Sid, principal.sid)
        sids = {own, _EVERYONE, _AUTHENTICATED_USERS, *map(Sid.from_bytes, token)}
        for ace in grants.denials(dacl, sids, self.mask):
            whom = principal.name if ace.sid == own else f"{ace.sid}, which includes {principal.name},"
            denied = ", ".join(rights.names_of(rights.mapped(ace.mask) & self.mask))
            self.outcome.warnings.append(f"{self.wanted.node_name}: an ACE denies {whom} {denied}. A denial goes before what is allowed.")

    def _show_descriptors(self, before: SecurityDescriptor, after: SecurityDescriptor, sid: Sid) -> None:
        header = f"{self.wanted.node_name} (SDDL)"
        shown = [to_sddl(descriptor, sid.domain).replace("(", "\n(") + "\n" for descriptor in (before, after)]
        self.outcome.diff.append({"before": shown[0], "after": shown[1], "before_header": header, "after_header": header})

    def _describe(self, node: DnsNode | None, owner: str, principal: str, granted: int) -> None:
        have = rights.granted_of(self.wanted.rights, granted)
        self.outcome.result = {
            "dn": node.dn if node else "",
            "partition": node.partition if node else "",
            "owner": owner,
            "tombstoned": bool(node and node.tombstoned),
            "principal": principal,
            "granted": have,
            "missing": [name for name in self.wanted.rights if name not in have],
            "may_write": node is None or _may_write(node),
        }


def _may_write(node: DnsNode) -> bool:
    """Whether nothing is known to keep the session's account from changing the DACL."""
    return node.may_write_dacl is not False


def _dacl_of(node: DnsNode) -> Acl:
    if node.descriptor.dacl is None:
        raise ActivationError(
            f"{node.dn} has no DACL, so that everyone may do everything. Give it one in the DNS console first.", source="ldap"
        )
    return node.descriptor.dacl


def _explicit_of_others(node: DnsNode, sid: Sid) -> list[bytes]:
    """Inherited ACEs are left out: the controller computes them anew at each write."""
    return [ace.to_bytes() for ace in _dacl_of(node).aces if not ace.flags & INHERITED and not (isinstance(ace, Ace) and ace.sid == sid)]
