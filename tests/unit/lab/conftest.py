# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated machines that tests begin with, in a domain without a real directory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from unit.lab.windows_fakes import FakeDomain

from lab.windows.host import Host
from lab.windows.ports import SystemClock


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
