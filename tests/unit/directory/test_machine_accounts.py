# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which machine account is a host's, whatever the host says of itself: a directory of a few objects stands in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.entry import DirectoryEntry, RootDse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.machine_accounts import (
    Host,
    MachineAccount,
    find_accounts,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sid import Sid

pytestmark = pytest.mark.tier("test")

BASE = "DC=contoso,DC=com"
COMPUTER, MANAGED, PERSON = "Computer", "ms-DS-Group-Managed-Service-Account", "Person"
CLASSES = {
    COMPUTER: ["top", "person", "organizationalPerson", "user", "computer"],
    MANAGED: ["top", "person", "organizationalPerson", "user", "computer", "msDS-GroupManagedServiceAccount"],
    PERSON: ["top", "person", "organizationalPerson", "user"],
}
VARIABLE = "kms_single_site_account"
ADDRESSES = {
    "kms-1.contoso.com": {"10.0.0.1"},
    "kms-2.contoso.com": {"10.0.0.2"},
    "kms.contoso.com": {"10.0.0.2"},
    "dc1.contoso.com": {"10.0.0.9"},
    "kms-of-the-east-1.contoso.com": {"10.0.0.5"},
}
SECOND = Host("kms-2", ("kms-2.contoso.com",), "10.0.0.2", frozenset({"10.0.0.2"}), computer_name="KMS-2")


def account(name: str, dns_name: str, category: str = COMPUTER, **more: list[str]) -> DirectoryEntry:
    """An object as a domain has it; a computer has the services of its two names."""
    services = [f"HOST/{name.rstrip('$')}", f"HOST/{dns_name}"] if category == COMPUTER else []
    attributes = {
        "samaccountname": [name],
        "objectclass": CLASSES[category],
        "objectcategory": [f"CN={category},CN=Schema,CN=Configuration,{BASE}"],
        "dnshostname": [dns_name] if dns_name else [],
        "serviceprincipalname": services,
        **more,
    }
    values = {attribute: [text.encode() for text in texts] for attribute, texts in attributes.items()}
    container = "OU=Domain Controllers" if name == "DC1$" else "CN=Computers"
    sid = Sid.from_text(f"S-1-5-21-1-2-3-{1000 + len(name) + sum(map(ord, name + dns_name))}").to_bytes()
    return DirectoryEntry(f"CN={name.rstrip('$')},{container},{BASE}", {**values, "objectsid": [sid]})


PARK = (
    account("KMS-1$", "kms-1.contoso.com"),
    account("KMS-2$", "KMS-2.contoso.com"),
    account("KMS-OF-THE-EAST$", "kms-of-the-east-1.contoso.com"),
    account("PC-001$", "pc-001.contoso.com"),
    account("DC1$", "dc1.contoso.com"),
    account("svc-web", "", PERSON, serviceprincipalname=["HTTP/web.contoso.com"]),
)


class Directory:
    """A session with a controller that holds these objects, and counts its searches."""

    server = "dc1.contoso.com"
    root = RootDse(BASE, BASE, f"CN=Configuration,{BASE}", (BASE,), 0.0)

    def __init__(self, *entries: DirectoryEntry) -> None:
        self.entries = entries
        self.searches = 0

    def search(self, _base: str, text: str, _attributes: object, one_level: bool = False) -> list[DirectoryEntry]:
        if "crossRef" in text:
            return [DirectoryEntry("", {"netbiosname": [b"CONTOSO"]})]
        self.searches += 1
        # Only filters that are one OR of equalities.
        assert re.fullmatch(r"\(\|(\([\w-]+=[^()]*\))+\)", text.replace("(|(", "(|(", 1)), text
        wanted = re.findall(r"\(([\w-]+)=([^()]*)\)", text)
        return [
            entry
            for entry in self.entries
            if any(value.lower() in [found.lower() for found in entry.texts(name)] for name, value in wanted)
        ]


def addresses(names: Iterable[str]) -> dict[str, frozenset[str]]:
    return {name: frozenset(ADDRESSES.get(name, ())) for name in names}


def looked_up(host: Host, *more: DirectoryEntry, park: tuple[DirectoryEntry, ...] = PARK) -> MachineAccount:
    session: Any = Directory(*park, *more)
    return find_accounts(session, [host], VARIABLE, addresses)[host.name]


def named(found: MachineAccount) -> str:
    assert found.problem == ""
    assert found.principal is not None and found.principal.sid is not None
    return found.principal.account


@pytest.mark.parametrize("said", ["KMS-2", "kms-2", "Kms-2"])
def test_the_one_computer_of_the_name_at_the_address_of_the_connection(said: str):
    found = looked_up(replace(SECOND, computer_name=said))
    assert (named(found), found.dns_name) == ("KMS-2$", "kms-2.contoso.com")


def test_all_hosts_take_one_search():
    session: Any = Directory(*PARK)
    first = Host("kms-1", ("kms-1.contoso.com",), "10.0.0.1", frozenset({"10.0.0.1"}), computer_name="KMS-1")
    found = find_accounts(session, [first, replace(SECOND, computer_name="KMS-1")], VARIABLE, addresses)
    assert session.searches == 1
    assert named(found["kms-1"]) == "KMS-1$"
    # The word of the one costs the other nothing.
    assert found["kms-2"].principal is None


def test_a_domain_controller_may_be_a_kms_host():
    host = Host("dc1", ("dc1.contoso.com",), "10.0.0.9", frozenset({"10.0.0.9"}), computer_name="DC1")
    assert named(looked_up(host)) == "DC1$"


def test_a_computer_name_that_is_cut_after_fifteen_letters():
    host = Host("x", ("kms-of-the-east-1.contoso.com",), "10.0.0.5", frozenset({"10.0.0.5"}), computer_name="KMS-OF-THE-EAST")
    assert named(looked_up(host)) == "KMS-OF-THE-EAST$"


@pytest.mark.parametrize(
    "host",
    [
        # Where the alias leads is among the names.
        replace(SECOND, names=("kms.contoso.com", "kms-2.contoso.com")),
        # A short name is a service of the computer.
        replace(SECOND, names=("kms-2",)),
        replace(SECOND, named="CONTOSO\\KMS-2$", names=(), addresses=frozenset()),
        replace(SECOND, named="kms-2$", names=("kms-1.contoso.com",)),
        # The ticket could be read by that account alone, wherever the connection went.
        replace(SECOND, service="HTTP/kms-2.contoso.com", addresses=frozenset()),
        replace(SECOND, service="host/KMS-2", names=(), addresses=frozenset()),
        # No account of this domain has the service, so that the names decide.
        replace(SECOND, service="HTTP/kms.fabrikam.com"),
    ],
)
def test_ways_to_the_same_account(host: Host):
    assert named(looked_up(host)) == "KMS-2$"


def test_an_additional_name_of_a_computer():
    host = replace(SECOND, names=("kms.contoso.com",))
    known = account("KMS-2$", "kms-2.contoso.com", **{"msds-additionaldnshostname": ["kms.contoso.com"]})
    assert named(looked_up(host, park=(known,))) == "KMS-2$"


@pytest.mark.parametrize(
    "other",
    [
        account("gmsa-kms$", "kms-2.contoso.com", MANAGED),
        account("KMSCLUSTER$", "kms-2.contoso.com", serviceprincipalname=["MSClusterVirtualServer/KMSCLUSTER", "HOST/kms-2.contoso.com"]),
        account("svc-kms", "", PERSON, serviceprincipalname=["HOST/kms-2.contoso.com"]),
    ],
    ids=["a managed service account", "a cluster", "a user"],
)
def test_what_is_no_computer_is_no_second_one(other: DirectoryEntry):
    assert named(looked_up(SECOND, other)) == "KMS-2$"


CLUSTER = account("KMSCLUSTER$", "kms.contoso.com", serviceprincipalname=["MSClusterVirtualServer/KMSCLUSTER", "HOST/kms.contoso.com"])
GROUP_MANAGED = account("gmsa-kms$", "kms.contoso.com", MANAGED)
ALIAS = replace(SECOND, names=("kms.contoso.com",))
Look = Callable[[], MachineAccount]
PROBLEMS: dict[str, Look] = {
    "a KMS host that says that it is another computer": lambda: looked_up(replace(SECOND, computer_name="PC-001")),
    "a KMS host that says that it is a domain controller": lambda: looked_up(replace(SECOND, computer_name="dc1")),
    "a KMS host that says it is another than its ticket is for": lambda: looked_up(
        replace(SECOND, service="HTTP/kms-2.contoso.com", computer_name="KMS-1")
    ),
    "a KMS host that says it is another than the inventory names": lambda: looked_up(replace(SECOND, named="KMS-1$")),
    "a KMS host whose name no computer has": lambda: looked_up(replace(SECOND, names=("kms-9.contoso.com",))),
    "a KMS host whose name only a managed service account has": lambda: looked_up(ALIAS, GROUP_MANAGED),
    "a KMS host whose name only a cluster has": lambda: looked_up(ALIAS, CLUSTER),
    "a KMS host whose name two computers have": lambda: looked_up(SECOND, account("KMS-2-OLD$", "kms-2.contoso.com")),
    "a KMS host whose names are those of two computers": lambda: looked_up(
        replace(SECOND, names=("kms-1.contoso.com", "kms-2.contoso.com"))
    ),
    "a KMS host with an address that its name has not": lambda: looked_up(
        replace(SECOND, connection="10.0.0.7", addresses=frozenset({"10.0.0.7"}))
    ),
    "a KMS host whose name has no address": lambda: looked_up(replace(SECOND, names=("pc-001.contoso.com",), computer_name="PC-001")),
    "a KMS host that is an address alone": lambda: looked_up(replace(SECOND, names=())),
    "a ticket for a service of a user": lambda: looked_up(replace(SECOND, service="HTTP/web.contoso.com")),
    "a service of a ticket that two accounts have": lambda: looked_up(
        replace(SECOND, service="HTTP/kms-2.contoso.com"),
        account("KMS-3$", "kms-3.contoso.com", serviceprincipalname=["HOST/kms-2.contoso.com"]),
    ),
    "an account of a KMS host that there is not": lambda: looked_up(replace(SECOND, named="KMS-9$")),
    "an account of a KMS host that is a user": lambda: looked_up(replace(SECOND, named="svc-web")),
    "an account of a KMS host that is a cluster": lambda: looked_up(replace(SECOND, named="KMSCLUSTER$"), CLUSTER),
    "an account of a KMS host in another domain": lambda: looked_up(replace(SECOND, named="FABRIKAM\\KMS-2$")),
}
WRITTEN = error_catalogue.paired("Machine accounts of KMS hosts", PROBLEMS)


@pytest.mark.parametrize("case", PROBLEMS)
def test_where_it_is_not_clear_nobody_gets_a_right(case: str):
    found = PROBLEMS[case]()
    assert found.principal is None
    assert found.problem == error_catalogue.said(WRITTEN[case])
