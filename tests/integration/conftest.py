# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running lab for the tests of this folder, and what they ask of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab import lifecycle, park, processes
from lab.domain.controller import Domain, missing_programs
from lab.layout import Layout
from lab.witness import Witness

from .labs import Lab, lab_up, site_lab
from .networks import leave_network

# Enough that both KMS hosts get past the threshold whatever the dice say, and few enough to be quick.
CLIENTS, SERVERS = 50, 20

NEEDS_DOMAIN = pytest.mark.skipif(os.geteuid() != 0 or bool(missing_programs()), reason="the domain needs root and Samba")


def pytest_configure() -> None:
    """Give this process a network of its own: a loopback on which nothing else listens, least of all another lab.

    So workers of pytest-xdist can have labs on the same addresses, and one that a person has left running is not in the way.
    """
    if os.geteuid() == 0:
        leave_network()


# Modules that take minutes come first, so that no worker is left alone with one of them at the end.
LONGEST = (
    "test_killed_runs",
    "test_kms_single_site",
    "test_awx",
    "test_mak_independent",
    "test_kms_multi_site",
    "test_secrets",
    "test_mak_proxy",
    "test_examples",
    "test_audit",
    "test_kms_host_offline",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the longest modules to the front; within a module the order stays."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def running_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One lab for all tests of a session; its place is outside of what `make lab-up` uses, its addresses are the same."""
    with lab_up(Layout.at(tmp_path_factory.mktemp("lab")), lifecycle.Options(clients=CLIENTS, servers=SERVERS, bind=True)) as lab:
        yield lab


@pytest.fixture
def fresh_lab(running_lab: Lab) -> Lab:
    """The lab as on its first day."""
    running_lab.control.reset()
    return running_lab


@pytest.fixture(scope="session")
def pair_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with two domain controllers, on other addresses than `running_lab`; its park is as small as it gets."""
    options = lifecycle.Options(clients=1, servers=0, controllers=2, dc_address="127.0.0.40", http_port=25985, https_port=25986)
    with lab_up(Layout.at(tmp_path_factory.mktemp("pair")), options) as lab:
        yield lab


@pytest.fixture(scope="session")
def zones_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Sites that are zones of one domain; reset it before use."""
    with site_lab(tmp_path_factory, "zones", "127.0.0.50", 26985) as lab:
        yield lab


@pytest.fixture(scope="session")
def domains_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Sites that are domains; reset it before use."""
    with site_lab(tmp_path_factory, "domains", "127.0.0.60", 27985, bind_address="127.0.0.75", first_network=101) as lab:
        yield lab


@pytest.fixture(scope="session")
def three_sites_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """More sites and hosts than the scenario has, and other names; reset it before use."""
    sites: dict[str, Any] = {"site_names": ("north", "south", "east"), "site_hosts": 3, "clients": 6, "servers": 0}
    with site_lab(tmp_path_factory, "zones", "127.0.0.80", 28985, first_network=121, **sites) as lab:
        yield lab


@pytest.fixture(scope="session")
def running_mak_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """50 computers of mixed editions for MAKs (`lab.park`), on other addresses and ports than `running_lab`; ask for `mak_lab`."""
    chosen = park.PARKS["mak"]
    sizes: dict[str, Any] = {"clients": chosen.client_count, "servers": chosen.server_count}
    options = lifecycle.Options(park="mak", dc_address="127.0.0.90", http_port=15985, https_port=15986, network=90, **sizes)
    with lab_up(Layout.at(tmp_path_factory.mktemp("mak")), options) as lab:
        yield lab


@pytest.fixture
def mak_lab(running_mak_lab: Lab) -> Lab:
    """That lab as on its first day, for one test.

    The inventory has a group for every MAK by the name of its key (`mak_win_enterprise` …), `not_for_mak`, `secure_zone`,
    `secure_zone_proxy`, `esu` and `office`, and the variables volume_activation_mak_ring, volume_activation_microsoft_url and
    volume_activation_microsoft_ca_path. What Microsoft counted is in `lab.control.microsoft()`, what it was asked in
    `lab.microsoft_requests()`, and what a host has in `lab.control.host(name)["products"]`. Keys by name: `lab.windows.data.key_named`.
    For what can go wrong see `set_remaining`, `set_key_state`, `microsoft_fault`, `set_microsoft_reachable`, `reimage`,
    `change_hardware`, `inject` and `drift` of `lab.control.Control`.
    """
    running_mak_lab.control.reset()
    return running_mak_lab


@pytest.fixture(scope="session")
def running_isolated_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """60 computers in a workgroup without Internet; needs no Samba and is up in a second; ask for `isolated_lab`."""
    chosen = park.PARKS["isolated"]
    options = lifecycle.Options(
        park="isolated", clients=chosen.client_count, servers=chosen.server_count, http_port=16985, https_port=16986
    )
    with lab_up(Layout.at(tmp_path_factory.mktemp("isolated")), options) as lab:
        yield lab


@pytest.fixture
def isolated_lab(running_isolated_lab: Lab) -> Lab:
    """That lab as on its first day; the inventory has the group `isolated` and those of the keys, as `mak_lab` has them.

    There is no Microsoft in it. One that knows the same keys: in the test's own process by `lab.microsoft.server.microsoft_in_thread`,
    behind an air gap by `lab.microsoft.elsewhere.microsoft_elsewhere`.
    """
    running_isolated_lab.control.reset()
    return running_isolated_lab


@pytest.fixture
def two_controllers_lab(pair_lab: Lab) -> Iterator[Lab]:
    """That lab as on its first day: both controllers run and replicate.

    Afterwards again: its machines have the addresses of those of `running_lab`, and a KMS port that stays open would take the
    other lab's clients.
    """
    yield pair_lab
    pair_lab.control.reset()


@pytest.fixture
def pair_domain(two_controllers_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Domain:
    """The domain of that lab."""
    monkeypatch.setenv("KRB5_CONFIG", str(two_controllers_lab.layout.krb5_conf))
    return two_controllers_lab.domain


@pytest.fixture
def second(pair_domain: Domain) -> Witness:
    """What the second controller shows."""
    return Witness(pair_domain, "dc2")


def eventually(condition: Callable[[], object], seconds: float = 60.0) -> bool:
    """Whether it comes true within that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def domain_up(domain: Domain) -> Iterator[None]:
    """A provisioned domain without the rest of a lab runs meanwhile, and leaves nothing behind."""
    try:
        domain.start()
        domain.wait_ready()
        yield
    finally:
        domain.stop()
        processes.end(processes.members(domain.layout.root))
        domain.layout.remove_short()


@pytest.fixture
def domain(running: Domain, monkeypatch: pytest.MonkeyPatch) -> Domain:
    """The domain as on its first day; what is `running` is said by who asks for it."""
    monkeypatch.setenv("KRB5_CONFIG", str(running.layout.krb5_conf))
    running.reset()
    return running


@pytest.fixture
def witness(domain: Domain) -> Witness:
    """dig, samba-tool and ldbsearch on that domain."""
    return Witness(domain)


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parents[2]
