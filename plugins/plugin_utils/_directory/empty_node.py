# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A DNS name without a value, made before anybody publishes it.

Who makes a name owns it, and an owner may rewrite its DACL whatever that says (MS-ADTS 6.1.3.4). A name that the control node makes belongs to
no KMS host, and holds the rights of all hosts before the first of them publishes. It is made as DNS servers leave a name whose records were all
deleted: tombstoned (MS-DNSP 2.3.1.1). The next update of a host that may write it makes it live again, with the aging of what comes by update;
a DNS server removes a tombstone that nobody used for two weeks.
"""

from __future__ import annotations

import datetime

from .._core.plan import Step
from . import dns_node, dns_record
from .dns_node import NodePlace
from .session import DirectorySession


class EmptyNode:
    """The name of a zone, to be made where it is not there.

    Args:
        session: A session with a controller that holds the zone.
        zone: The zone's name.
        record: The name relative to the zone, or C(@).

    Raises:
        ZoneMissing: No partition holds the zone.
        ActivationError: More than one does.
    """

    def __init__(self, session: DirectorySession, zone: str, record: str) -> None:
        self._session = session
        self._name = f"dnsNode {dns_node.node_name(zone, record)}"
        self._place: NodePlace = dns_node.locate(session, zone, record, [])

    @property
    def missing(self) -> bool:
        """Whether the zone has no such name, or the account may not see it."""
        return self._place.entry is None

    @property
    def lacks(self) -> str:
        """Why a real run would be refused, as a sentence; empty where the account has the right."""
        attribute = "allowedChildClassesEffective"
        entry = self._session.read(self._place.zone_dn, [attribute])
        if entry and "dnsNode" in entry.texts(attribute):
            return ""
        return f"{self._name} cannot be made by this account: it lacks {self._right}. Have it delegated, or use another account."

    @property
    def step(self) -> Step:
        """What making it is."""
        return Step(self._name, "name", "absent", "present, without a value", "LDAP add of a tombstoned dnsNode")

    def make(self) -> None:
        """Make it.

        Raises:
            ActivationError: The controller refused.
        """
        serial = dns_node.next_serial(self._session, self._place.zone_dn)
        value = dns_record.tombstone(serial, datetime.datetime.now(datetime.UTC)).to_bytes()
        attributes = {"objectClass": [b"top", b"dnsNode"], "dnsRecord": [value], "dNSTombstoned": [b"TRUE"]}
        self._session.add(self._place.dn, attributes, self._right)

    @property
    def _right(self) -> str:
        return f"CREATE_CHILD (dnsNode) on {self._place.zone_dn}"
