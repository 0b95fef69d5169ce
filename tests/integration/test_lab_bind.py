# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's BIND: who has the key may update, nobody else, and one zone is for nobody."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from lab import names, processes
from lab.domain.bind import Bind
from lab.domain.controller import DomainError
from lab.layout import Layout

from .conftest import NEEDS_DOMAIN

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

ADDRESS = "127.0.0.21"
RECORD = f"{names.KMS_RECORD}.{names.BIND_ZONE}"
KEY = f"{names.TSIG_ALGORITHM}:{names.TSIG_NAME}:{names.TSIG_SECRET}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    server = Bind(Layout.at(tmp_path_factory.mktemp("bind") / "lab"), ADDRESS)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        server.layout.remove_short()
    assert processes.members(server.layout.root) == []
    assert f" {ADDRESS}/" not in _run("ip", "-o", "address", "show", "dev", "lo")


@pytest.fixture
def server(running: Bind) -> Bind:
    running.reset()
    return running


def _run(*argv: str, data: str | None = None) -> str:
    done = subprocess.run(argv, input=data, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def dig(name: str, rtype: str) -> str:
    return _run("dig", "+short", "+time=2", "+tries=1", f"@{ADDRESS}", name, rtype)


def update(record: str, *options: str, zone: str = names.BIND_ZONE) -> str:
    return _run(
        "nsupdate", *options, data=f"server {ADDRESS}\nzone {zone}\nupdate add {record} 3600 SRV 0 0 1688 kms-1.contoso.com.\nsend\n"
    )


def test_the_key_may_update(server: Bind) -> None:
    assert update(RECORD, "-y", KEY) == ""
    assert dig(RECORD, "SRV") == "0 0 1688 kms-1.contoso.com.\n"
    server.reset()
    assert dig(RECORD, "SRV") == ""


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ([], "REFUSED"),
        (["-y", f"hmac-sha256:{names.TSIG_NAME}:d3Jvbmc="], "BADSIG"),
        (["-y", f"hmac-sha256:other:{names.TSIG_SECRET}"], "BADKEY"),
    ],
)
def test_nobody_else_may(server: Bind, options: list[str], answer: str) -> None:
    assert answer in update(RECORD, *options)
    assert dig(RECORD, "SRV") == ""


def test_the_static_zone_takes_no_update(server: Bind) -> None:
    record = f"{names.KMS_RECORD}.{names.BIND_STATIC_ZONE}"
    assert "REFUSED" in update(record, "-y", KEY, zone=names.BIND_STATIC_ZONE)
    assert dig(record, "SRV") == ""
    assert dig(names.BIND_STATIC_ZONE, "NS") == f"ns.{names.BIND_ZONE}.\n"


def test_the_taken_address_is_named(server: Bind) -> None:
    with pytest.raises(DomainError, match=f"port 53 of {ADDRESS}"):
        Bind(Layout.at(server.layout.root / "another"), ADDRESS).start()
