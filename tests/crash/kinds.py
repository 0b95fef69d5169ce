# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults: what kind of call each of them hits, and what it does to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Channel = Literal["moment", "request", "write", "wire", "activation", "dns_query", "dns_update", "ldap", "batch", "replication"]
"""Kinds of calls. ``request``: anything that is asked of a host. ``write``: a file of the state directory.
``wire``: one action on one class of a host. ``activation``: an activation by a host. ``ldap``: a message to a domain controller after the logon.
``batch``: a request to Microsoft's service for confirmation IDs. ``replication``: a message to a domain controller that has a partner.
``moment``: any of ``wire``, ``write``, ``dns_query``, ``dns_update``, ``ldap`` and ``batch``, while the call waits for its answer."""

MOMENTS = ("write", "dns_query", "dns_update", "ldap", "batch")

ACTIVATE = "Invoke:Activate"
INSTALL = "Invoke:InstallProductKey"


@dataclass(frozen=True)
class Kind:
    """One kind of fault.

    Attributes:
        name: How the matrix and the command line call it.
        channel: What it hits.
        rule: For the laboratory's rules: :class:`lab.injection.Rule` or :class:`lab.microsoft.faults.Rule`. A list is one of several, by the seed.
        done: Whether the work is done all the same, so that the state has changed although the answer does not say so.
    """

    name: str
    channel: Channel
    rule: Mapping[str, Any] = field(default_factory=dict)
    done: bool = False


# As Microsoft answers an activation on line and one by confirmation ID, see KEY_STATES in lab.windows.microsoft.
ONLINE_CODES = [0xC004C001, 0xC004C003, 0xC004C008, 0xC004C017, 0xC004C020, 0xC004C021, 0xC004B100]
BATCH_CODES = [0x67, 0x68, 0x71, 0x7F, 0x86, 0x90, 0xD5, 0xD6, 0x80131600, 0x80004003]

KINDS: tuple[Kind, ...] = (
    Kind("kill of the whole tree", "moment", done=True),
    Kind("SIGTERM", "moment", done=True),
    Kind("kill of one worker", "moment", done=True),
    Kind("clock jumps", "request", {"seconds": [3600, -3600, 86400, -86400]}),
    Kind("refused", "request"),
    Kind("disk full", "write"),
    Kind("read-only folder", "write"),
    Kind("list written by another", "write"),
    Kind("reset before", "wire", {"fault": "reset"}),
    Kind("reset after", "wire", {"fault": "reset", "done": True}, done=True),
    Kind("half an answer", "wire", {"fault": "half"}, done=True),
    Kind("HTTP 400", "wire", {"fault": "http_400"}),
    Kind("HTTP 401 midway", "wire", {"fault": "http_401"}),
    Kind("HTTP 413", "wire", {"fault": "http_413"}),
    Kind("HTTP 500 without SOAP", "wire", {"fault": "http_500"}),
    Kind("HTTP 500 after the work", "wire", {"fault": "http_500", "done": True}, done=True),
    Kind("time-out while the work goes on", "wire", {"fault": "timed_out", "pace": 0.5}, done=True),
    Kind("quota", "wire", {"fault": "quota"}),
    Kind("slow bytes", "wire", {"fault": "slow", "pace": 0.0003}, done=True),
    Kind("wrong RelatesTo", "wire", {"fault": "unrelated"}, done=True),
    Kind("garbage", "wire", {"fault": ["not_xml", "other_xml", "doctype", "scrambled"]}, done=True),
    Kind("Microsoft: a code", "activation", {"action": ACTIVATE, "hresult": ONLINE_CODES}),
    Kind("Microsoft: no answer after counting", "activation", {"action": ACTIVATE, "fault": "reset", "done": True}, done=True),
    Kind("DNS query: SERVFAIL", "dns_query"),
    Kind("DNS query: REFUSED", "dns_query"),
    Kind("DNS query: truncated", "dns_query"),
    Kind("DNS query: no answer", "dns_query"),
    Kind("DNS update: SERVFAIL", "dns_update"),
    Kind("DNS update: REFUSED", "dns_update"),
    Kind("DNS update: BADKEY", "dns_update"),
    Kind("DNS update: BADTIME", "dns_update"),
    Kind("DNS update: unsigned", "dns_update", done=True),
    Kind("DNS update: NOERROR without effect", "dns_update"),
    Kind("DNS update: no answer after the work", "dns_update", done=True),
    Kind("LDAP: server gone after the bind", "ldap"),
    Kind("LDAP: answer lost", "ldap", done=True),
    Kind("LDAP: descriptor changed between read and write", "ldap"),
    Kind("LDAP: insufficient rights", "ldap"),
    Kind("replication held", "replication"),
    Kind("confirmation ID: a code", "batch", {"fault": "error", "code": BATCH_CODES}),
    Kind("confirmation ID: HTTP 500", "batch", {"fault": "http", "status": 500}),
    Kind("confirmation ID: no answer before", "batch", {"fault": "close_before"}),
    Kind("confirmation ID: no answer after counting", "batch", {"fault": "close_after"}, done=True),
    Kind("confirmation ID: half an answer", "batch", {"fault": "half"}, done=True),
    Kind("confirmation ID: garbage", "batch", {"fault": ["garbage", "html", "empty", "doctype"]}),
    Kind("confirmation ID: another's answer", "batch", {"fault": "other_answer"}, done=True),
)
BY_NAME = {kind.name: kind for kind in KINDS}
