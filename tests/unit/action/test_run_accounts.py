# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""run_accounts puts together what the inventory, the connection and DNS say of each host, and returns what was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from handmade import task_of
from unit.plugin_utils.name_server import CNAME, A, NameServer, address, encode_name

from ansible_collections.winops.volume_activation.plugins.action import run_accounts
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.entry import DirectoryEntry
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.machine_accounts import Host, MachineAccount
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.principals import Principal
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sid import Sid

pytestmark = pytest.mark.tier("test")

RECORDS = {
    ("kms-1.contoso.com", A): [(60, address("10.0.0.1"))],
    ("kms-2.contoso.com", A): [(60, address("10.0.0.2"))],
    ("kms.contoso.com", CNAME): [(60, encode_name("kms-1.contoso.com"))],
    ("2.0.0.10.in-addr.arpa", 12): [(60, encode_name("kms-2.contoso.com"))],
}
SID = "S-1-5-21-1-2-3-1104"
REACHED = {"kms1": ("10.0.0.1", SimpleNamespace(service="HTTP", host="kms-1.contoso.com")), "10.0.0.2": ("10.0.0.2", None)}


class Reader:
    """How the hosts of this test are reached."""

    def target(self, host: str) -> SimpleNamespace:
        if host not in REACHED:
            raise ActivationError("no way to it", source="options")
        connection, ticket = REACHED[host]
        return SimpleNamespace(settings=SimpleNamespace(host=connection, ticket=ticket))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Host]:
    """The hosts that the directory is asked for; it knows the account of the first alone."""
    hosts: list[Host] = []

    @contextmanager
    def session(_settings: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(root=SimpleNamespace(domain="contoso.com"))

    def find(_session: object, wanted: Iterable[Host], variable: str, _addresses: object) -> dict[str, MachineAccount]:
        hosts.extend(wanted)
        entry = DirectoryEntry("CN=KMS-1,CN=Computers,DC=contoso,DC=com", {"dnshostname": [b"KMS-1.contoso.com"]})
        known = MachineAccount(Principal("CONTOSO\\KMS-1$", "KMS-1$", Sid.from_text(SID), entry))
        return {host.name: known if host is hosts[0] else MachineAccount(None, f"set {variable}") for host in hosts}

    monkeypatch.setattr(run_accounts, "open_session", session)
    monkeypatch.setattr(run_accounts, "find_accounts", find)
    monkeypatch.setattr(run_accounts, "reader_of", lambda _action, _seen: Reader())
    return hosts


def run(hosts: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    with NameServer(RECORDS) as server:
        given = {"hosts": hosts, "account_variable": "kms_single_site_account", "dns_servers": [f"127.0.0.1:{server.port}"], **options}
        templar = SimpleNamespace(template=lambda value: value)
        action = run_accounts.ActionModule(task_of(given), SimpleNamespace(_shell=SimpleNamespace(tmpdir="x")), None, None, templar, None)
        result: dict[str, Any] = action.run(task_vars={"inventory_hostname": "kms1"})
    assert not result["failed"], result["msg"]
    return result


def test_hosts_are_looked_for_by_all_that_is_known_of_them(asked: list[Host]):
    first = {"host": "kms1", "names": ["KMS.contoso.com", "kms1"], "account": "K$", "computer_name": "KMS-1"}
    result = run([first, {"host": "10.0.0.2", "names": ["10.0.0.2"]}], domain_server="dc1.contoso.com")
    found = result["hosts"]
    assert result["domain"] == "contoso.com"
    assert asked == [
        Host(
            "kms1",
            ("kms.contoso.com", "kms1", "kms-1.contoso.com"),
            "10.0.0.1",
            frozenset({"10.0.0.1"}),
            "K$",
            "HTTP/kms-1.contoso.com",
            "KMS-1",
        ),
        Host("10.0.0.2", (), "10.0.0.2", frozenset({"10.0.0.2"})),
    ]
    assert found == {
        "kms1": {
            "account": "KMS-1$",
            "sid": SID,
            "dn": "CN=KMS-1,CN=Computers,DC=contoso,DC=com",
            "dns_name": "kms-1.contoso.com",
            "problem": "",
        },
        "10.0.0.2": {"account": "", "sid": "", "dn": "", "dns_name": "kms-2.contoso.com", "problem": "set kms_single_site_account"},
    }


def test_names_alone_need_no_domain_controller(asked: list[Host]):
    found = run([{"host": "10.0.0.2"}, {"host": "dark"}, {"host": "kms1", "names": ["kms-7.contoso.com"]}], accounts=False)
    assert found["domain"] == ""
    assert [entry["dns_name"] for entry in found["hosts"].values()] == ["kms-2.contoso.com", "", "kms-7.contoso.com"]
    assert asked == []
