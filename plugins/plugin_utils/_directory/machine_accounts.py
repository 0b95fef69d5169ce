# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which machine account is a host's: what the inventory, the ticket of its connection and the directory say.

What the host says of itself is only compared with that, because it would decide what others may write
(docs/facts/directory.md#accounts).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._core.errors import ActivationError
from .._core.text import some
from .dn import escaped, normal_dn
from .principals import Domain, Principal
from .session import DirectorySession

_CATEGORY = "CN=COMPUTER,"
"""How the category of computers begins; every kind of managed service account has one of its own (MS-ADSC)."""
_CLUSTER = "msclustervirtualserver/"
"""The service of the computer objects that a cluster makes for its names."""
_OF_HOST = {"http": "HOST"}
"""Services that controllers find by another one (sPNMappings of CN=Directory Service)."""
_NAMES = ("dNSHostName", "msDS-AdditionalDnsHostName")
_SERVICES = "servicePrincipalName"
_ATTRIBUTES = (*_NAMES, _SERVICES, "objectCategory")

Addresses = Callable[[Iterable[str]], Mapping[str, frozenset[str]]]
"""By name the addresses that DNS has for it."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host whose account is wanted.

    Attributes:
        name: Its name in the inventory.
        names: Its names in DNS as the inventory has them, and where aliases lead, in lower case; no address.
        connection: The name or address that its connection goes to.
        addresses: The addresses of that; empty where they are not known.
        named: The account that the inventory names for it, in a form of C(principals); empty for none.
        service: The service of the connection's ticket, such as C(HTTP/kms-1.contoso.com); empty without Kerberos.
        computer_name: What it says of itself; empty where it was not asked.
    """

    name: str
    names: Sequence[str]
    connection: str
    addresses: frozenset[str] = frozenset()
    named: str = ""
    service: str = ""
    computer_name: str = ""


@dataclass(frozen=True, slots=True)
class MachineAccount:
    """What was found for a host.

    Attributes:
        principal: Its account; C(None) where there is a problem.
        problem: Why there is none, as sentences; empty where there is one.
    """

    principal: Principal | None
    problem: str = ""

    @property
    def dns_name(self) -> str:
        """The full name of the account's computer, in lower case; empty for none."""
        return self.principal.entry.text(_NAMES[0]).lower().rstrip(".") if self.principal else ""


class _Unclear(Exception):
    """There is not just one account, as the message says."""


def find_accounts(session: DirectorySession, hosts: Sequence[Host], variable: str, addresses: Addresses) -> dict[str, MachineAccount]:
    """The machine accounts of hosts in the domain of a controller, by one search.

    Args:
        session: The controller.
        hosts: The hosts.
        variable: The variable by which the inventory names the account of a host, for messages.
        addresses: Looks names up.

    Returns:
        By the name of the host in the inventory.

    Raises:
        ActivationError: The controller refused.
    """
    domain = Domain(session)
    filters: dict[str, list[str]] = {}
    found: dict[str, MachineAccount] = {}
    for host in hosts:
        try:
            filters[host.name] = list(_filters(domain, host))
        except ActivationError:
            # It is written as one of another domain, or as no SID at all.
            found[host.name] = MachineAccount(None, _unknown(session.root.domain, host, variable))
    wanted = list(dict.fromkeys(text for texts in filters.values() for text in texts))
    principals = domain.search(wanted, _ATTRIBUTES) if wanted else []
    names = [name for host in hosts if not host.named for name in host.names]
    known = addresses([*names, *(name for principal in principals for name in _texts(principal, _NAMES[:1]))])
    search = _Search(domain, session.root.domain, principals, variable, known)
    for host in hosts:
        if host.name in filters:
            try:
                found[host.name] = MachineAccount(search.account_of(host))
            except _Unclear as unclear:
                found[host.name] = MachineAccount(None, str(unclear))
    return found


def _filters(domain: Domain, host: Host) -> Iterator[str]:
    if host.named:
        yield domain.filter_of(host.named)
        return
    for service in (*_services(host), *(f"HOST/{name}" for name in host.names)):
        yield f"({_SERVICES}={escaped(service)})"
    for name in host.names:
        yield from (f"({attribute}={escaped(name)})" for attribute in _NAMES)


def _services(host: Host) -> Iterator[str]:
    """The services that the account is found by which the ticket is for, in the order in which a controller looks for them."""
    kind, slash, name = host.service.partition("/")
    if slash:
        yield host.service
        if mapped := _OF_HOST.get(kind.lower()):
            yield f"{mapped}/{name}"


@dataclass(frozen=True, slots=True)
class _Search:
    """What one search has found, and how names lead to addresses."""

    domain: Domain
    called: str
    principals: Sequence[Principal]
    variable: str
    addresses: Mapping[str, frozenset[str]]

    def account_of(self, host: Host) -> Principal:
        """The account of a host.

        Raises:
            _Unclear: There is none, or more than one, or the host says another name.
        """
        found = self._named(host) if host.named else self._of_ticket(host) or self._of_names(host)
        if host.computer_name and found.account.lower() != f"{host.computer_name}$".lower():
            raise _Unclear(
                f"Its machine account is {found.account}, and the host says that it is {host.computer_name}. Look at the computer before it gets"
                f" any right; if the account is another one, name it in {self.variable}."
            )
        return found

    def _named(self, host: Host) -> Principal:
        found = next((principal for principal in self.principals if self.domain.means(host.named, principal)), None)
        if found is None:
            raise _Unclear(_unknown(self.called, host, self.variable))
        if kind := _no_computer(found):
            raise _Unclear(f"{found.account} is {kind}, no machine account. Correct {self.variable}, or leave it empty.")
        return found

    def _of_ticket(self, host: Host) -> Principal | None:
        """The account that could read the ticket; C(None) where none of this domain has its service."""
        for service in _services(host):
            holders = [principal for principal in self.principals if service.lower() in _texts(principal, [_SERVICES])]
            if len(holders) > 1:
                raise self._several(f"the service {service}", holders)
            for holder in holders:
                if kind := _no_computer(holder):
                    raise _Unclear(f"Its ticket is for {service}, which belongs to {holder.account}, {kind}. {self._set_it}")
                return holder
        return None

    def _of_names(self, host: Host) -> Principal:
        """The one computer of these names, which lead to where the connection goes."""
        if not host.names:
            raise _Unclear(f"The inventory has only the address {host.connection} for it, which tells no machine account. {self._set_it}")
        shown, by_name = some(list(host.names)), {f"host/{name}" for name in host.names} | set(host.names)
        known = [principal for principal in self.principals if by_name & _own_names(principal)]
        found = [principal for principal in known if not _no_computer(principal)]
        if len(found) > 1:
            raise self._several(shown, found)
        if not found:
            others = "".join(f" {other.account} is {_no_computer(other)}." for other in known[:1])
            raise _Unclear(f"{self.called} has no computer with the name {shown}.{others} {self._set_it}")
        own = _own_names(found[0])
        names = [*_texts(found[0], _NAMES[:1]), *(name for name in host.names if own & {name, f"host/{name}"})]
        there = frozenset().union(*(self.addresses.get(name, frozenset()) for name in names))
        if not there & host.addresses:
            raise _Unclear(
                f"Its machine account would be {found[0].account}, but {names[0]} has {_shown(there)} in DNS, and the connection goes to"
                f" {host.connection}. Correct DNS or the address, or name the machine account in {self.variable}."
            )
        return found[0]

    def _several(self, what: str, found: Sequence[Principal]) -> _Unclear:
        accounts = some(sorted(principal.account for principal in found))
        return _Unclear(f"{self.called} has {len(found)} accounts for {what}: {accounts}. {self._set_it}")

    @property
    def _set_it(self) -> str:
        return f"Name its machine account in {self.variable}."


def _unknown(domain: str, host: Host, variable: str) -> str:
    return f"{domain} has no account {host.named}. Correct {variable}, or leave it empty."


def _own_names(principal: Principal) -> set[str]:
    return _texts(principal, [*_NAMES, _SERVICES])


def _texts(principal: Principal, attributes: Iterable[str]) -> set[str]:
    """Values of an account in lower case, as the directory compares them."""
    return {text.lower().rstrip(".") for attribute in attributes for text in principal.entry.texts(attribute)}


def _no_computer(principal: Principal) -> str:
    """What an account is that is none of a computer; empty where it is one."""
    if not normal_dn(principal.entry.text("objectCategory")).upper().startswith(_CATEGORY):
        return f"an object of the class {(principal.entry.texts('objectClass') or ['?'])[-1]}"
    if any(service.startswith(_CLUSTER) for service in _texts(principal, [_SERVICES])):
        return "the computer object of a cluster"
    return ""


def _shown(addresses: frozenset[str]) -> str:
    return f"the address {some(sorted(addresses))}" if addresses else "no address"
