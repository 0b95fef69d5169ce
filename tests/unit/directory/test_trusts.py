# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domains a domain trusts, by its own trusts and those of its forest: directories of a few objects stand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import trusts
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.entry import DirectoryEntry, RootDse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.settings import DirectorySettings

pytestmark = pytest.mark.tier("test")

ROOT, CHILD, TREE, PARTNER = "contoso.com", "west.contoso.com", "tailspin.example", "fabrikam.example"
INBOUND, OUTBOUND, BOTH = 1, 2, 3
NON_TRANSITIVE, QUARANTINED, FOREST, SELECTIVE = 0x1, 0x4, 0x8, 0x10
CONTROLLERS = {ROOT: "dc1.contoso.com", CHILD: "dc1.west.contoso.com"}


def dn_of(domain: str) -> str:
    return ",".join(f"DC={label}" for label in domain.split("."))


CONFIGURATION = f"CN=Configuration,{dn_of(ROOT)}"
SITE = f"CN=Servers,CN=Site,CN=Sites,{CONFIGURATION}"


def entry(dn: str, **values: object) -> DirectoryEntry:
    return DirectoryEntry(dn, {name.lower(): [str(value).encode()] for name, value in values.items() if value is not None})


def trust(partner: str | None, direction: int | str | None, attributes: int | None = 0) -> DirectoryEntry:
    return entry(f"CN={partner},CN=System", trustPartner=partner, trustDirection=direction, trustAttributes=attributes)


class Directory:
    """A session with a controller of a domain of the forest contoso.com."""

    def __init__(self, domain: str, found: tuple[DirectoryEntry, ...], seen: bool, controllers: bool) -> None:
        self.server = CONTROLLERS[domain]
        self.root = RootDse(dn_of(domain), dn_of(ROOT), CONFIGURATION, (), 0.0)
        self._trusts, self._seen, self._controllers = found, seen, controllers

    def search(self, base: str, text: str, _attributes: object, one_level: bool = False) -> list[DirectoryEntry]:
        if "trustedDomain" in text:
            assert base == f"CN=System,{self.root.domain_dn}"
            return list(self._trusts)
        if "crossRef" in text:
            domains = [entry("", dnsRoot=name, systemFlags=3) for name in (ROOT, CHILD.title(), TREE)]
            # Application partitions have names in DNS as well, and are no domains.
            return [*domains, entry("", dnsRoot=PARTNER, systemFlags=5)]
        return [found for domain in CONTROLLERS for found in self._controller(domain)] if self._controllers else []

    def _controller(self, domain: str) -> Iterator[DirectoryEntry]:
        dn = f"CN={domain},{SITE}"
        yield entry(dn, objectClass="server", dNSHostName=CONTROLLERS[domain])
        yield entry(f"CN=NTDS Settings,{dn}", objectClass="nTDSDSA", hasMasterNCs=dn_of(domain))

    def read(self, dn: str, _attributes: object) -> DirectoryEntry | None:
        assert dn == f"CN=System,{self.root.domain_dn}"
        return entry(dn, cn="System") if self._seen else None


Forest = Mapping[str, tuple[DirectoryEntry, ...]]


def state_of(
    monkeypatch: pytest.MonkeyPatch, forest: Forest, own: str, domain: str = PARTNER, seen: bool = True, controllers: bool = True
) -> tuple[trusts.Trust, list[str]]:
    """What a domain of the forest says of another one, and the controllers that were asked; one without trusts in C(forest) is dark."""
    asked: list[str] = []

    @contextmanager
    def opened(settings: DirectorySettings) -> Iterator[Directory]:
        asked.append(settings.server)
        assert settings.password == "secret"
        name = next(name for name, server in CONTROLLERS.items() if server == settings.server)
        if name not in forest:
            raise ActivationError(f"{settings.server} is dark.", source="ldap")
        yield Directory(name, forest[name], seen, controllers)

    monkeypatch.setattr(trusts, "open_session", opened)
    found = trusts.read_trusts(DirectorySettings(CONTROLLERS[own], username="admin", password="secret"), [domain])
    assert list(found) == [domain]
    return found[domain], asked


@pytest.mark.parametrize("domain", [ROOT, "West.Contoso.com.", TREE])
@pytest.mark.parametrize("own", [ROOT, CHILD])
def test_domains_of_one_forest_trust_one_another(monkeypatch: pytest.MonkeyPatch, own: str, domain: str):
    found, asked = state_of(monkeypatch, {ROOT: (), CHILD: ()}, own, domain, seen=False)
    assert (found, asked) == (trusts.Trust(trusts.TRUSTED), [CONTROLLERS[own]])


SUB, OTHER = f"north.{PARTNER}", "adatum.example"
TRUSTED, NOT, UNKNOWN = trusts.TRUSTED, trusts.NOT_TRUSTED, trusts.UNKNOWN


@pytest.mark.parametrize(
    ("direction", "attributes", "domain", "state"),
    [
        (OUTBOUND, 0, PARTNER, TRUSTED),
        (BOTH, QUARANTINED, PARTNER, TRUSTED),
        (INBOUND, 0, PARTNER, NOT),
        (0, 0, PARTNER, NOT),
        (OUTBOUND, None, PARTNER, TRUSTED),
        (OUTBOUND, 0, SUB, NOT),
        (OUTBOUND, SELECTIVE, PARTNER, trusts.SELECTIVE),
        (OUTBOUND, 0, OTHER, NOT),
        (OUTBOUND, FOREST, PARTNER, TRUSTED),
        (BOTH, FOREST, SUB, TRUSTED),
        (INBOUND, FOREST, SUB, NOT),
        (OUTBOUND, FOREST | SELECTIVE, SUB, trusts.SELECTIVE),
        (OUTBOUND, FOREST | NON_TRANSITIVE, SUB, NOT),
        (OUTBOUND, FOREST | NON_TRANSITIVE, PARTNER, TRUSTED),
        (OUTBOUND, FOREST, f"north{PARTNER}", UNKNOWN),
        (OUTBOUND, FOREST, OTHER, UNKNOWN),
    ],
)
def test_the_trust_that_a_root_domain_has(monkeypatch: pytest.MonkeyPatch, direction: int, attributes: int | None, domain: str, state: str):
    found, asked = state_of(monkeypatch, {ROOT: (trust(PARTNER, direction, attributes),)}, ROOT, domain)
    assert (found.state, asked) == (state, [CONTROLLERS[ROOT]])


def test_of_two_trusts_the_one_without_a_condition_counts(monkeypatch: pytest.MonkeyPatch):
    forest = {ROOT: (trust(PARTNER, OUTBOUND, FOREST | SELECTIVE), trust(SUB, OUTBOUND))}
    assert state_of(monkeypatch, forest, ROOT, SUB)[0].state == TRUSTED


@pytest.mark.parametrize(
    ("own", "root", "state", "asks_root"),
    [
        # A trust of its own needs nobody else.
        (trust(PARTNER, OUTBOUND), None, TRUSTED, False),
        (trust(PARTNER, OUTBOUND, SELECTIVE), None, trusts.SELECTIVE, False),
        # Forest trusts are those of the root domain; its other trusts are its own.
        (trust(ROOT, BOTH, 0x20), (trust(PARTNER, OUTBOUND, FOREST),), TRUSTED, True),
        (trust(ROOT, BOTH, 0x20), (trust(PARTNER, OUTBOUND, FOREST | SELECTIVE),), trusts.SELECTIVE, True),
        (trust(ROOT, BOTH, 0x20), (trust(PARTNER, INBOUND, FOREST),), NOT, True),
        (trust(ROOT, BOTH, 0x20), (trust(PARTNER, OUTBOUND, 0),), NOT, True),
        (trust(ROOT, BOTH, 0x20), (), NOT, True),
        (trust(PARTNER, INBOUND), None, UNKNOWN, True),
    ],
)
def test_a_child_domain_has_the_forest_trusts_of_the_root(
    monkeypatch: pytest.MonkeyPatch, own: DirectoryEntry, root: tuple[DirectoryEntry, ...] | None, state: str, asks_root: bool
):
    forest = {CHILD: (own,)} | ({} if root is None else {ROOT: root})
    found, asked = state_of(monkeypatch, forest, CHILD)
    assert (found.state, asked) == (state, [CONTROLLERS[CHILD], *[CONTROLLERS[ROOT]] * asks_root])
    assert found.why == (f"{CONTROLLERS[ROOT]} is dark." if state == UNKNOWN else "")


def test_what_cannot_be_read_costs_nothing_that_is_known(monkeypatch: pytest.MonkeyPatch):
    state_of(monkeypatch, {CHILD: (trust(SUB, OUTBOUND),)}, CHILD)
    found = trusts.read_trusts(DirectorySettings(CONTROLLERS[CHILD], password="secret"), [PARTNER, SUB, TREE])
    assert {domain: known.state for domain, known in found.items()} == {PARTNER: UNKNOWN, SUB: TRUSTED, TREE: TRUSTED}


UNREAD = {
    "a domain controller that is dark": ({}, ROOT, PARTNER, {}),
    "trusts that the account may not see": ({ROOT: ()}, ROOT, PARTNER, {"seen": False}),
    "a trust whose direction the account may not see": ({ROOT: (trust(PARTNER, None),)}, ROOT, PARTNER, {}),
    "a trust whose partner the account may not see": ({ROOT: (trust(None, OUTBOUND),)}, ROOT, PARTNER, {}),
    "a trust whose direction is no number": ({ROOT: (trust(PARTNER, "both"),)}, ROOT, PARTNER, {}),
    "a forest trust to a forest of another name": ({ROOT: (trust(PARTNER, OUTBOUND, FOREST),)}, ROOT, OTHER, {}),
    "a child domain whose root domain has no controller": ({CHILD: ()}, CHILD, PARTNER, {"controllers": False}),
}
WRITTEN = error_catalogue.paired("Trusts that are not known", UNREAD)


@pytest.mark.parametrize("case", UNREAD)
def test_what_cannot_be_read_is_unknown(monkeypatch: pytest.MonkeyPatch, case: str):
    forest, own, domain, more = UNREAD[case]
    found, _asked = state_of(monkeypatch, forest, own, domain, **more)
    assert found == trusts.Trust(UNKNOWN, error_catalogue.said(WRITTEN[case]))
