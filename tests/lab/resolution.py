# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS as the simulated hosts ask it: by dnspython, of the servers that the host's adapter names."""

from __future__ import annotations

from collections.abc import Sequence

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rdtypes.IN.A
import dns.rdtypes.IN.SRV

from .windows.ports import (
    DNS_ERROR_NO_DNS_SERVERS,
    DNS_ERROR_RCODE_NAME_ERROR,
    DNS_ERROR_RCODE_SERVER_FAILURE,
    DNS_INFO_NO_RECORDS,
    DnsError,
    SrvRecord,
)

_TIMEOUT = 3.0


class DnsResolver:
    """Look-ups over UDP, over TCP when the answer was cut; nothing is cached."""

    def srv(self, name: str, servers: Sequence[str]) -> list[SrvRecord]:
        """The SRV RRset of a name. Raises DnsError."""
        rows = self._ask(name, dns.rdatatype.SRV, servers)
        return [
            SrvRecord(row.target.to_text(omit_final_dot=True), row.port, row.priority, row.weight)
            for row in rows
            if isinstance(row, dns.rdtypes.IN.SRV.SRV)
        ]

    def addresses(self, name: str, servers: Sequence[str]) -> list[str]:
        """The IPv4 addresses of a name. Raises DnsError."""
        return [row.address for row in self._ask(name, dns.rdatatype.A, servers) if isinstance(row, dns.rdtypes.IN.A.A)]

    @staticmethod
    def _ask(name: str, rdtype: dns.rdatatype.RdataType, servers: Sequence[str]) -> list[dns.rdata.Rdata]:
        if not servers:
            raise DnsError(DNS_ERROR_NO_DNS_SERVERS, name)
        query = dns.message.make_query(f"{name.rstrip('.')}.", rdtype)
        for server in servers:
            try:
                answer, _tcp = dns.query.udp_with_fallback(query, server, timeout=_TIMEOUT)
            except (OSError, dns.exception.DNSException):
                continue
            if answer.rcode() == dns.rcode.NXDOMAIN:
                raise DnsError(DNS_ERROR_RCODE_NAME_ERROR, name)
            if answer.rcode() != dns.rcode.NOERROR:
                continue
            rows = [row for rrset in answer.answer if rrset.rdtype == rdtype for row in rrset]
            if not rows:
                raise DnsError(DNS_INFO_NO_RECORDS, name)
            return rows
        raise DnsError(DNS_ERROR_RCODE_SERVER_FAILURE, name)
