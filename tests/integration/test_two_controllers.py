# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run in a domain with two controllers: the record is there on both before a host publishes on either."""

from __future__ import annotations

import threading

import pytest

from lab import names
from lab.domain.controller import Domain
from lab.witness import Srv, Witness

from .conftest import NEEDS_DOMAIN, Lab

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

BOTH = [Srv(0, 0, 1688, machine.fqdn) for machine in names.kms_hosts()]
ACCOUNTS = {machine.account for machine in names.kms_hosts()}


@pytest.fixture
def domain(pair_domain: Domain) -> Domain:
    return pair_domain


def test_hosts_publish_once_the_other_controller_knows_the_record(pair_lab: Lab, witness: Witness, second: Witness) -> None:
    pair_lab.control.reset()
    pair_lab.control.hold_replication("dc2")
    release = threading.Timer(25, lambda: pair_lab.control.release_replication("dc2"))
    release.start()
    try:
        run = pair_lab.play(arguments="--limit kms_hosts", kms_single_site_publish_timeout=60)
    finally:
        release.cancel()
        pair_lab.control.release_replication("dc2")
    assert run.rc == 0, run.output[-3000:]
    (given,) = [entry.result for entry in run.results if entry.result.get("grants") and entry.result.get("replication")]
    assert [entry["name"] for entry in given["replication"]] == ["dc2.contoso.com"]
    for one in (witness, second):
        assert one.srv() == BOTH
        assert one.record_owner() not in ACCOUNTS
        assert len(one.search(f"(dc={names.KMS_RECORD}*)", base=names.ZONE_DN)) == 1
    again = pair_lab.play(arguments="--limit kms_hosts")
    assert (again.rc, again.changed()) == (0, 0), again.output[-3000:]
    assert not any(entry.result.get("replication") for entry in again.results)
