# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a KMS host is in the record of a domain, asked again and again while it is being published.

Private to the collection: it may change in any release.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed, wait

from .._errors import ActivationError
from .._srv_value import plain_name
from .srv import Answer, read_srv, servers_of, service_name, system_servers

_TIMEOUT = 2.0
# Where replication lags, one server names the host's old port and another the new one: what is under way still counts.
_GRACE = 0.25


class PublishedHosts:
    """The KMS record of one domain on its DNS servers.

    Args:
        domain: The DNS domain.
        servers: DNS servers by name or address; the control node's own where there are none.
    """

    def __init__(self, domain: str, servers: Sequence[str]) -> None:
        self._name = service_name(domain)
        self._servers = servers_of(servers) or system_servers()

    def ports_of(self, fqdn: str) -> list[int]:
        """The ports under which at least one of the servers names a host, sorted; empty where none does.

        One server is enough: every domain controller writes the zone, and the others follow by replication. All are asked
        at the same time, and none that is silent is waited for once another names the host.

        Raises:
            ActivationError: No server gave an answer.
        """
        host = plain_name(fqdn)
        pool = ThreadPoolExecutor(max_workers=len(self._servers))
        try:
            asked = [pool.submit(read_srv, server, self._name, timeout=_TIMEOUT) for server in self._servers]
            for answered in as_completed(asked):
                if not answered.exception() and _ports(answered.result(), host):
                    break
            wait(asked, _GRACE)
        finally:
            pool.shutdown(wait=False)
        answers = [one.result() for one in asked if one.done() and not isinstance(one.exception(), ActivationError)]
        # Where every server failed, the first one's error is raised here.
        return sorted(set().union(*(_ports(answer, host) for answer in answers or [asked[0].result()])))


def _ports(answer: Answer, host: str) -> set[int]:
    return {value.port for value in answer.values if value.target == host}
