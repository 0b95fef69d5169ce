# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts and groups by any of the names that people give them.

Five forms: C(DOMAIN\\name), C(name) (sAMAccountName, a computer's with its C($)), C(user@domain), a distinguished name, a SID.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .._core.errors import ActivationError
from .dn import dns_name_of, escaped, normal_dn, same_dn
from .entry import DirectoryEntry
from .session import DirectorySession
from .sid import Sid, looks_like_sid

_ATTRIBUTES = (
    "distinguishedName",
    "sAMAccountName",
    "userPrincipalName",
    "objectSid",
    "objectClass",
    "memberOf",
    "primaryGroupID",
    "groupType",
    "description",
)


@dataclass(frozen=True, slots=True)
class Principal:
    """An account or group of the controller's domain, or a SID of elsewhere.

    Attributes:
        name: How people know it: C(CONTOSO\\KMS_Hosts); the SID where it is of another domain.
        account: Its sAMAccountName.
        sid: C(None) where it does not exist yet.
        entry: What was read of it.
    """

    name: str
    account: str
    sid: Sid | None
    entry: DirectoryEntry

    @property
    def dn(self) -> str:
        """Its distinguished name."""
        return self.entry.dn

    def is_member_of(self, group: Principal) -> bool:
        """Whether it is a direct member, also by its primary group, which AD does not list."""
        if any(same_dn(dn, group.dn) for dn in self.entry.texts("memberOf")):
            return True
        return group.sid is not None and self.entry.text("primaryGroupID") == str(group.sid.subauthorities[-1])


class Domain:
    """The domain of a session's controller."""

    def __init__(self, session: DirectorySession) -> None:
        self._session = session
        self.netbios = self._netbios_name()

    def sid(self) -> Sid:
        """The domain's own SID.

        Raises:
            ActivationError: The controller does not show it.
        """
        entry = self._session.read(self._session.root.domain_dn, ["objectSid"])
        return Sid.from_bytes(entry.first("objectSid") if entry else b"")

    def named(self, given: str) -> str:
        """How C(given) will be called once it exists, as far as its form tells."""
        if looks_like_sid(given):
            return given
        return f"{self.netbios}\\{self._account_in(given)}"

    def find(self, given: Iterable[str]) -> dict[str, Principal | None]:
        """The principals of these names, all by one search; C(None) for each that does not exist.

        Raises:
            ActivationError: A name is of another domain, or the controller refused.
        """
        names = list(dict.fromkeys(given))
        if not names:
            return {}
        found = self.search(self.filter_of(name) for name in names)
        return {name: next((principal for principal in found if self.means(name, principal)), None) for name in names}

    def search(self, filters: Iterable[str], attributes: Sequence[str] = ()) -> list[Principal]:
        """The principals that one of the filters finds, by one search, with further attributes.

        Raises:
            ActivationError: The controller refused.
        """
        root, text = self._session.root, f"(|{''.join(filters)})"
        found = self._session.search(root.domain_dn, text, (*_ATTRIBUTES, *attributes))
        return [self._principal(entry) for entry in found if entry.first("objectSid")]

    def lookalike(self, given: str) -> str:
        """A sentence for the frequent slip of leaving out a computer account's C($); empty where it was none."""
        account = self._account_in(given)
        if account.endswith("$") or not self.find([f"{account}$"])[f"{account}$"]:
            return ""
        return f" There is a computer account {account}$: its name ends with a dollar sign."

    def is_own(self, given: str) -> bool:
        """Whether a name belongs to this domain, as far as its form tells."""
        if looks_like_sid(given):
            return True
        if "=" in given:
            parts = normal_dn(given).split(",")
            return same_dn(",".join(part for part in parts if part.startswith("DC=")), self._session.root.domain_dn)
        if "\\" in given:
            return self.is_called(given.partition("\\")[0])
        return True

    def is_called(self, name: str) -> bool:
        """Whether this domain has this NetBIOS or DNS name."""
        return name.lower().rstrip(".") in (self.netbios.lower(), self._session.root.domain)

    def _netbios_name(self) -> str:
        root = self._session.root
        text = f"(&(objectClass=crossRef)(nCName={escaped(root.domain_dn)}))"
        found = self._session.search(f"CN=Partitions,{root.configuration_dn}", text, ["nETBIOSName"], one_level=True)
        return (found[0].text("nETBIOSName") if found else "") or root.domain.partition(".")[0].upper()

    def _account_in(self, given: str) -> str:
        if "=" in given:
            return given.partition("=")[2].partition(",")[0]
        if "\\" in given:
            return given.partition("\\")[2]
        return given.partition("@")[0]

    def filter_of(self, given: str) -> str:
        """The filter that finds an account by one of its names.

        Raises:
            ActivationError: The name is of another domain.
        """
        if not self.is_own(given):
            raise ActivationError(
                f"{given} is of another domain than {self._session.root.domain}. "
                "Name a controller of that domain in O(domain_server), or give the SID where the right of a foreign group is meant.",
                source="options",
            )
        if looks_like_sid(given):
            return f"(objectSid={escaped(Sid.from_text(given).to_bytes())})"
        if "=" in given:
            return f"(distinguishedName={escaped(given)})"
        account = f"(sAMAccountName={escaped(self._account_in(given))})"
        return f"(|(userPrincipalName={escaped(given)}){account})" if "@" in given else account

    def means(self, given: str, principal: Principal) -> bool:
        """Whether a name is that of a principal of this domain."""
        if looks_like_sid(given):
            return principal.sid == Sid.from_text(given)
        if "=" in given:
            return same_dn(principal.dn, given)
        if "@" in given:
            # Every account has the implicit principal name account@domain besides the one that is written down.
            implicit = f"{principal.account}@{dns_name_of(self._session.root.domain_dn)}"
            return given.lower() in (principal.entry.text("userPrincipalName").lower(), implicit.lower())
        return principal.account.lower() == self._account_in(given).lower()

    def _principal(self, entry: DirectoryEntry) -> Principal:
        account = entry.text("sAMAccountName")
        return Principal(f"{self.netbios}\\{account}", account, Sid.from_bytes(entry.first("objectSid")), entry)


def foreign(given: str) -> Principal:
    """A principal of which only its SID is known here, such as a group of another domain."""
    return Principal(given, given, Sid.from_text(given), DirectoryEntry("", {}))
