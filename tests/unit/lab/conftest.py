# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated machines that tests begin with, in a domain without a real directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.lab.fake_host import FakeHost
from unit.lab.windows_fakes import FakeDomain
from unit.lab.wsman_front_end import (
    ACCOUNTS,
    ADDRESS,
    OTHER,
    FrontEnd,
)

from lab.microsoft.server import BatchServer, microsoft_in_thread
from lab.windows.host import Host
from lab.windows.ports import SystemClock
from lab.wsman import certificates
from lab.wsman.authentication import check_of, prepare_acceptor, write_ntlm_users
from lab.wsman.backend import Directory
from lab.wsman.request_log import RequestLog
from lab.wsman.server import ServerOptions, WsmanServer


@pytest.fixture
def domain() -> Iterator[FakeDomain]:
    made = FakeDomain()
    yield made
    made.close()


@pytest.fixture
def domain_in_real_time() -> Iterator[FakeDomain]:
    """The same, but no test moves the time by hand."""
    made = FakeDomain()
    made.clock = SystemClock()  # type: ignore[assignment]
    yield made
    made.close()


@pytest.fixture
def client(domain: FakeDomain) -> Host:
    return domain.add("pc-001", "windows_10_enterprise")


@pytest.fixture
def kms(domain: FakeDomain) -> Host:
    return domain.add_kms_host()


@pytest.fixture(scope="module")
def batch_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BatchServer]:
    """One Microsoft for the tests of a file."""
    with microsoft_in_thread(tmp_path_factory.mktemp("microsoft")) as running:
        yield running


@pytest.fixture
def microsoft(batch_server: BatchServer, monkeypatch: pytest.MonkeyPatch) -> BatchServer:
    """The same, as if nobody had asked it anything; a proxy of the machine that runs the tests is not on the way."""
    for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    batch_server.microsoft.reset()
    batch_server.reset()
    batch_server.service.seed = 1
    return batch_server


@pytest.fixture(scope="module")
def front_end(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontEnd]:
    """One WS-Management front end for the tests of a file."""
    folder: Path = tmp_path_factory.mktemp("wsman")
    write_ntlm_users(folder / "ntlm-users", ACCOUNTS)
    prepare_acceptor(folder / "ntlm-users")
    files = certificates.create(folder, ["fake.contoso.com"], [ADDRESS, OTHER], user="local@localhost")
    directory = Directory()
    log = RequestLog()
    options = ServerOptions(
        http_port=0,
        https_port=0,
        tls=certificates.server_context(files),
        check=check_of(ACCOUNTS),
        certificate_users={"local@localhost": "local"},
        credssp=True,
        idle_seconds=5,
        max_timeout=1.5,
    )
    with WsmanServer(directory, log, options) as server:
        yield FrontEnd(server, FakeHost(), FakeHost(), log, files)


@pytest.fixture
def lab(front_end: FrontEnd) -> FrontEnd:
    """That front end with hosts as new: of the version of the first it is known how rows are split into pages."""
    front_end.host = FakeHost(seed=1, os_version="10.0.14393")
    front_end.other = FakeHost(seed=2, os_version="6.1.7601", language="de-DE")
    front_end.server.directory.hosts = {ADDRESS: front_end.host, OTHER: front_end.other}
    front_end.log.truncate()
    return front_end
