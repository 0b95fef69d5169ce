# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner of a DNS name, where that is a KMS host.

The host that publishes a name first owns it, and an owner may rewrite its DACL whatever that says (MS-ADTS 6.1.3.4). So the name goes to the
domain's administrators. To name an owner other than oneself takes SeRestorePrivilege on the controller, which not every account has that may
write the owner; then it goes to the account that writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from .._core.errors import ActivationError
from .._core.plan import Step
from .dns_node import DnsNode, read_node
from .principals import Domain, Principal, foreign
from .security_descriptor import SecurityDescriptor
from .session import SD_OWNER, DirectorySession
from .sid import Sid

_DOMAIN_ADMINS = 512
"""MS-DTYP 2.4.2.4."""

_REFUSALS = frozenset({"insufficientAccessRights", "constraintViolation", "unwillingToPerform"})
"""How controllers refuse an owner: the right, or the owner (ERROR_INVALID_OWNER), is not to be had."""


class RecordOwner:
    """The owner of a name.

    Args:
        session: A session with its controller.
        domain: The controller's domain.
        node: The name.
        record: The name as people write it.
        hosts: SIDs that are known to be KMS hosts, or groups of them, beside every computer account.

    Attributes:
        name: The owner as people know it; a SID where the domain does not know it; empty for none.
        warnings: What the user should know.
    """

    def __init__(self, session: DirectorySession, domain: Domain, node: DnsNode, record: str, hosts: Collection[Sid]) -> None:
        self._session = session
        self._record = record
        self._node = node
        self._domain = domain
        owner = node.descriptor.owner
        known = self._domain.find([str(owner)])[str(owner)] if owner else None
        self._is_host = owner is not None and (owner in hosts or is_computer(known))
        self.name = known.name if known else str(owner or "")
        self.warnings: list[str] = []

    def ensure(self, check_mode: bool) -> list[Step]:
        """Take the name from a host that owns it; what the controller refuses is a warning, because clients find their hosts all the same.

        Returns:
            What was done, or in check mode would be.
        """
        if not self._is_host:
            return []
        if self._node.may_write_owner is False:
            self._warn()
            return []
        for candidate in self._candidates():
            step = replace(self.step, after=candidate.name)
            if not (check_mode or self._is_written(candidate)):
                continue
            self.name = self.name if check_mode else candidate.name
            return [step]
        self._warn()
        return []

    @property
    def step(self) -> Step:
        """What taking it is; only the controller can tell to whom it goes."""
        return Step(f"dnsNode {self._record}", "owner", self.name, None, "LDAP modify of nTSecurityDescriptor, owner only")

    def _candidates(self) -> Iterator[Principal]:
        """The domain's administrators, and failing that the account itself, which the root of the directory names first of its token."""
        domain = self._domain.sid()
        own = self._session.read("", ["tokenGroups"])
        given = [str(Sid(domain.authority, (*domain.subauthorities, _DOMAIN_ADMINS)))]
        given += [str(Sid.from_bytes(own.first("tokenGroups")))] if own and own.first("tokenGroups") else []
        for sid, found in self._domain.find(given).items():
            yield found or foreign(sid)

    def _is_written(self, owner: Principal) -> bool:
        """Whether the controller took it."""
        value = SecurityDescriptor(0, owner=owner.sid).to_bytes()
        try:
            self._session.modify(self._node.dn, [("replace", "nTSecurityDescriptor", [value])], self._right, sd_flags=SD_OWNER)
        except ActivationError as failure:
            if failure.name in _REFUSALS:
                return False
            raise
        again = read_node(self._session, self._node.dn, self._node.partition)
        return again is not None and again.descriptor.owner == owner.sid

    @property
    def _right(self) -> str:
        return f"WRITE_OWNER on {self._node.dn}"

    def _warn(self) -> None:
        self.warnings.append(
            f"The record {self._record} belongs to {self.name}, which may change its rights whatever they are. The account lacks {self._right};"
            " have it delegated, or give the record to the domain's administrators."
        )


def is_computer(owner: Principal | None) -> bool:
    """Whether an account is a computer's, as those of KMS hosts are; also one of a group managed service account."""
    return owner is not None and "computer" in owner.entry.texts("objectClass")
