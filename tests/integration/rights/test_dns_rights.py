# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record of BIND with a key that may change exactly that record, and with a key that may change nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import least_rights
import pytest
from unit.lab.product_session import said_by

from ..conftest import NEEDS_DOMAIN
from ..dns.bind import KEY_NAME, KEY_SECRET, NAMED, OTHER_KEY, OTHER_SECRET, SIGNED, Bind, bind_up
from ..dns.helpers import BIND_ADDRESS, dig, ensure

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

RECORD = f"_vlmcs._tcp.{SIGNED}"
STEPS = {"update_by_key": "10 75 1688 kms-1.contoso.com"}
FOUND = least_rights.paired("dns", STEPS)


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    """A server with the line of the page."""
    if NAMED is None:
        pytest.skip("BIND is not installed")
    (line,) = least_rights.data()["rights"]["update_policy"]["give"]
    found = re.fullmatch(rf"update-policy {{ grant {KEY_NAME} (.+); }};", line)
    assert found is not None
    with bind_up(tmp_path_factory.mktemp("bind"), BIND_ADDRESS, policy=found[1]) as started:
        yield started


def update(value: str, key: str, secret: str, record: str = "_vlmcs._tcp") -> None:
    options = {"zone": SIGNED, "server": BIND_ADDRESS, "authentication": "tsig", "key_name": key, "key_secret": secret}
    assert ensure({**options, "record": record}, value).steps


@pytest.mark.parametrize("name", FOUND)
def test_exactly_these_rights_suffice(exact: Bind, name: str) -> None:
    update(STEPS[name], KEY_NAME, KEY_SECRET)
    assert STEPS[name] in dig(exact.address, exact.port, RECORD)
    # It is no right on any other record.
    assert least_rights.says("update_policy") in said_by(lambda: update(STEPS[name], KEY_NAME, KEY_SECRET, "_ldap._tcp")).message


@pytest.mark.parametrize(("name", "right"), least_rights.missing("dns"))
def test_a_right_that_is_missing_is_named(exact: Bind, name: str, right: str) -> None:
    before = dig(exact.address, exact.port, RECORD)
    said = said_by(lambda: update(STEPS[name].replace("75", "25"), OTHER_KEY, OTHER_SECRET)).message
    assert least_rights.says(right) in said
    assert dig(exact.address, exact.port, RECORD) == before
