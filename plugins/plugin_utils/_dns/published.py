# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether KMS hosts are in the records of domains, asked again and again while they are being published."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed, wait

from .._core.errors import ActivationError
from .._srv.value import SrvValue, plain_name
from .addresses import read_all_addresses
from .srv import Server, SrvAnswer, read_srv, servers_of, service_name, system_servers

_TIMEOUT = 2.0
# Where replication lags, one server names the host's old port and another the new one: what is under way still counts.
_GRACE = 0.25

Judge = Callable[[SrvValue], bool]
"""Whether a value is the one that is looked for."""


class PublishedHosts:
    """The KMS record of one domain on its DNS servers.

    Args:
        domain: The DNS domain.
        servers: Its DNS servers; the control node's own where there are none.
        authoritative: Whether only an answer from a server's own zone counts.
    """

    def __init__(self, domain: str, servers: Sequence[Server], authoritative: bool = False) -> None:
        self._name = service_name(domain)
        self._servers = servers or system_servers()
        self._authoritative = authoritative

    def values_of(self, fqdn: str, enough: Judge = lambda _value: True) -> tuple[SrvValue, ...]:
        """The values by which at least one of the servers names a host, sorted; empty where none does.

        One server is enough: every domain controller writes the zone, and the others follow by replication. All are asked
        at the same time, and none that is silent is waited for once another holds a value that is C(enough).

        Raises:
            ActivationError: No server gave an answer.
        """
        host = plain_name(fqdn)
        return tuple(value for value in self.values(lambda value: value.target == host and enough(value)) if value.target == host)

    def values(self, enough: Judge = lambda _value: False) -> tuple[SrvValue, ...]:
        """Every value that at least one of the servers holds, sorted; see C(values_of)."""
        pool = ThreadPoolExecutor(max_workers=len(self._servers))
        try:
            asked = [
                pool.submit(read_srv, server, self._name, timeout=_TIMEOUT, authoritative=self._authoritative) for server in self._servers
            ]
            for answered in as_completed(asked):
                if not answered.exception() and any(map(enough, answered.result().values)):
                    break
            wait(asked, _GRACE)
        finally:
            pool.shutdown(wait=False)
        answers: list[SrvAnswer] = [one.result() for one in asked if one.done() and not isinstance(one.exception(), ActivationError)]
        # Where every server failed, the first one's error is raised here.
        return tuple(sorted(set().union(*(answer.values for answer in answers or [asked[0].result()]))))


class PublishedRecords:
    """The KMS records of several domains, asked for at the same time.

    Args:
        servers: By domain its DNS servers, by name or address, and whether only they themselves may answer.
    """

    def __init__(self, servers: Mapping[str, tuple[Sequence[str], bool]]) -> None:
        # Domains often share their servers, and a name that has no address is slow to be found out.
        known = {named: servers_of(named) for named in {tuple(named) for named, _authoritative in servers.values()}}
        self._servers = {domain: known[tuple(named)] for domain, (named, _authoritative) in servers.items()}
        self._records = {
            domain: PublishedHosts(domain, known[tuple(named)], authoritative) for domain, (named, authoritative) in servers.items()
        }

    def values_of(self, fqdn: str, wanted: Mapping[str, Judge]) -> dict[str, tuple[SrvValue, ...]]:
        """By domain, of those that are wanted, the values that name a host; see C(PublishedHosts.values_of)."""
        with ThreadPoolExecutor(max_workers=max(1, len(wanted))) as pool:
            asked = {domain: pool.submit(self._records[domain].values_of, fqdn, enough) for domain, enough in wanted.items()}
            return {domain: answer.result() for domain, answer in asked.items()}

    def everything(self) -> dict[str, tuple[SrvValue, ...]]:
        """By domain, every value that at least one of its servers holds.

        Raises:
            ActivationError: No server of a domain gave an answer.
        """
        with ThreadPoolExecutor(max_workers=max(1, len(self._records))) as pool:
            return dict(zip(self._records, pool.map(PublishedHosts.values, self._records.values()), strict=True))

    def addresses_of(self, domain: str, hosts: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The addresses of hosts, as the servers of a domain know them; empty where none does, or could be asked in time."""
        names = list(hosts)
        found = read_all_addresses(self._servers[domain] or system_servers(), names, timeout=_TIMEOUT)
        return {name: found.get(name, ()) for name in names}
