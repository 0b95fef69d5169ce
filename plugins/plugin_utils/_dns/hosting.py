# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who serves a zone that the directory does not have."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

# C(srv.require_dnspython) says so to the user where it is missing.
with contextlib.suppress(ImportError):
    import dns.rdatatype

from .._core.errors import ActivationError
from .._srv.value import plain_name
from .srv import DEFAULT_TIMEOUT, Server, ask


def primary_of(zone: str, servers: Sequence[Server], *, timeout: float = DEFAULT_TIMEOUT) -> str:
    """The primary name server of a zone by its SOA record, from the first of the servers that knows one; empty where none does."""
    for server in servers:
        try:
            answer = ask(server, zone, "SOA", timeout=timeout).answer
        except ActivationError:
            continue
        for rrset in answer:
            if rrset.rdtype == dns.rdatatype.SOA and plain_name(rrset.name.to_text()) == plain_name(zone):
                return plain_name(rrset[0].mname.to_text())
    return ""


def told_apart(missing: ActivationError, zone: str, controller: str, servers: Sequence[Server]) -> ActivationError:
    """The error for a zone that is served by DNS and yet not in the directory; the given one where DNS does not know it either."""
    primary = primary_of(zone, servers)
    if not primary:
        return missing
    return ActivationError(
        f"The zone {zone} is not AD-integrated, as far as {controller} and this account see: DNS names {primary} as its primary server, and no "
        "partition of the directory holds it. Rights and static values need an integrated zone; write its records by dynamic update, as "
        "dns_srv and kms_single_site_records: dynamic do.",
        name="notIntegrated",
        source="dns",
    )
