# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two real servers: a domain's own DNS with secure updates only, and BIND with keys."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from lab import names
from lab.domain.controller import Domain
from lab.layout import Layout

from ..conftest import domain_up
from .bind import KEY_NAME, KEY_SECRET, NAMED, SIGNED, Bind, bind_up
from .helpers import BIND_ADDRESS, DC_ADDRESS, GSS, Place


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    """One domain for all files of this folder; each test has a record of its own in it."""
    domain = Domain(Layout.at(tmp_path_factory.mktemp("lab")), DC_ADDRESS)
    domain.provision(names.machines(2, 1))
    with domain_up(domain):
        yield domain


@pytest.fixture(scope="package")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    if NAMED is None:
        pytest.skip("BIND is not installed")
    with bind_up(tmp_path_factory.mktemp("bind"), BIND_ADDRESS) as started:
        yield started


@pytest.fixture
def secure(running: Domain, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A record of Active Directory; krb5.conf of this machine knows nothing of it. samba-tool writes for others."""
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    monkeypatch.setenv("KRB5CCNAME", "FILE:/nonexistent")
    environment = {**os.environ, "KRB5_CONFIG": str(running.layout.krb5_conf)}

    def write(verb: str, name: str, text: str, _ttl: int) -> None:
        kind, data = "A", text
        if verb != "add-a":
            priority, weight, port, target = text.split()
            kind, data = "SRV", f"{target} {port} {priority} {weight}"
        argv = ["samba-tool", "dns", verb.removesuffix("-a"), DC_ADDRESS, names.ZONE, name.removesuffix(f".{names.ZONE}"), kind, data]
        argv += [f"-U{names.ADMINISTRATOR}%{names.ADMINISTRATOR_PASSWORD}", f"--configfile={running.smb_conf}"]
        subprocess.run(argv, check=True, capture_output=True, env=environment, stdin=subprocess.DEVNULL)

    return Place(dict(GSS), DC_ADDRESS, 53, write)


@pytest.fixture
def keyed(bind: Bind) -> Place:
    """A record of BIND; nsupdate writes for others."""

    def write(verb: str, name: str, text: str, ttl: int) -> None:
        bind.nsupdate(f"update {verb} {name}. {ttl if verb == 'add' else ''} SRV {text}.")

    options = {"zone": SIGNED, "server": bind.address, "key_name": KEY_NAME, "key_secret": KEY_SECRET}
    return Place(options, bind.address, bind.port, write)


@pytest.fixture(params=["secure", "keyed"])
def place(request: pytest.FixtureRequest) -> Place:
    """One after the other."""
    found: Place = request.getfixturevalue(request.param)
    return found
