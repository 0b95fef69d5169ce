# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server makes up by a wildcard of its zone is no record of the name."""

from __future__ import annotations

import pytest
from unit.plugin_utils.name_server import CNAME, SOA, SRV, NameServer, encode_name, srv

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.channel import DnsChannel
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.signing import Unsigned
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.srv import Server, read_srv
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.update import Zone
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.value import SrvValue

pytestmark = pytest.mark.tier("quick")

NAME = "_vlmcs._tcp.contoso.com"
VALUE = SrvValue(0, 0, 1688, "kms-1.contoso.com")
ALIAS, OTHER_ALIAS = [(60, encode_name("web.fabrikam.com"))], [(60, encode_name("_vlmcs._tcp.fabrikam.com"))]
ZONE = {("contoso.com", SOA): [(60, encode_name("ns1.contoso.com") + encode_name("hostmaster.contoso.com") + bytes(20))]}
RECORD = [(600, srv(0, 0, 1688, "kms-1.contoso.com"))]
Records = dict[tuple[str, int], list[tuple[int, bytes]]]


def read(records: Records) -> tuple[dict[SrvValue, int], NameServer]:
    with NameServer({**ZONE, **records}) as server, DnsChannel(Server("ns1", "127.0.0.1", server.port), 2) as channel:
        return Zone(channel, "contoso.com", Unsigned()).read(NAME), server


@pytest.mark.parametrize(
    "records",
    [
        {("*.contoso.com", CNAME): ALIAS},
        {("*._tcp.contoso.com", CNAME): ALIAS},
        {("*.contoso.com", CNAME): ALIAS, ("web.fabrikam.com", SRV): RECORD},
    ],
)
def test_an_answer_by_a_wildcard_is_no_alias(records: Records) -> None:
    assert read(records)[0] == {}


@pytest.mark.parametrize("wildcard", [{}, {("*._tcp.contoso.com", CNAME): ALIAS}])
def test_an_alias_of_the_name_itself_is_one(wildcard: Records) -> None:
    with pytest.raises(ActivationError, match=r"is an alias of _vlmcs\._tcp\.fabrikam\.com on ns1"):
        read({(NAME, CNAME): OTHER_ALIAS, **wildcard})


def test_a_record_beside_a_wildcard_is_read_by_one_question() -> None:
    held, server = read({("*.contoso.com", CNAME): ALIAS, (NAME, SRV): RECORD})
    assert held == {VALUE: 600}
    assert len(server.asked) == 1


def test_the_readers_of_all_servers_see_no_value_in_it() -> None:
    with NameServer({**ZONE, ("*.contoso.com", CNAME): ALIAS}) as server:
        answer = read_srv(Server("ns1", "127.0.0.1", server.port), NAME, authoritative=True)
    assert (answer.values, answer.ttl) == ((), None)
