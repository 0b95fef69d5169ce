# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a KMS host is in the record of a domain, asked again and again while it is being published.

Private to the collection: it may change in any release.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._errors import ActivationError
from .srv import Answer, plain_name, read_srv_from_all, server_of, service_name, system_servers


class PublishedHosts:
    """The KMS record of one domain on its DNS servers.

    Args:
        domain: The DNS domain.
        servers: DNS servers by name or address; the control node's own where there are none.
    """

    def __init__(self, domain: str, servers: Sequence[str]) -> None:
        self._name = service_name(domain)
        self._servers = [server_of(server) for server in servers] if servers else system_servers()

    def ports_of(self, fqdn: str) -> list[int]:
        """The ports under which at least one of the servers names a host, sorted; empty where none does.

        One server is enough: every domain controller writes the zone, and the others follow by replication.

        Raises:
            ActivationError: No server gave an answer.
        """
        answers = read_srv_from_all(self._servers, self._name)
        good = [answer for answer in answers if isinstance(answer, Answer)]
        if not good:
            raise next(answer for answer in answers if isinstance(answer, ActivationError))
        return sorted({value.port for answer in good for value in answer.values if value.target == plain_name(fqdn)})
