# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain of its own, hardened once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import names
from lab.domain.controller import Domain
from lab.layout import Layout

from ..conftest import domain_up
from ..directory.helpers import ADDRESS
from .delegation import Delegation


@pytest.fixture(scope="package")
def delegation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delegation]:
    """The domain, and who may do what in it."""
    domain = Domain(Layout.at(tmp_path_factory.mktemp("lab")), ADDRESS)
    domain.provision(names.machines(2, 1))
    with pytest.MonkeyPatch.context() as environment, domain_up(domain):
        environment.setenv("KRB5_CONFIG", str(domain.layout.krb5_conf))
        yield Delegation(domain)
