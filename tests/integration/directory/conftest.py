# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain with an account without rights, and a session of the operator with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import DirectorySession, open_session
from lab import names
from lab.domain.controller import Domain
from lab.layout import Layout
from lab.witness import Witness

from ..conftest import domain_up
from .helpers import ADDRESS, DELEGATE, DELEGATE_PASSWORD, KMS_1, MEMBERS, publish, settings, tool


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    """One domain for all files of this folder that a worker gets; each test that changes it has it reset first."""
    domain = Domain(Layout.at(tmp_path_factory.mktemp("lab")), ADDRESS)
    domain.provision(names.machines(2, 1))
    # What Windows allows of itself: Kerberos inside TLS without a layer of its own.
    text = domain.smb_conf.read_text(encoding="utf-8")
    domain.smb_conf.write_text(text.replace("[global]", "[global]\n\tldap server require strong auth = allow_sasl_over_tls", 1))
    tool(domain, "user", "create", DELEGATE, DELEGATE_PASSWORD)
    for part in ("private", "state"):
        shutil.copytree(domain.layout.domain / part, domain.layout.fresh_domain / part, symlinks=True, dirs_exist_ok=True)
    with domain_up(domain):
        yield domain


@pytest.fixture
def session(domain: Domain) -> Iterator[DirectorySession]:
    with open_session(settings()) as opened:
        yield opened


@pytest.fixture(scope="module")
def pristine(running: Domain) -> Iterator[Domain]:
    """The domain as on its first day, for all rows of a test that changes nothing in it."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KRB5_CONFIG", str(running.layout.krb5_conf))
        running.reset()
        yield running


@pytest.fixture
def published(witness: Witness) -> Witness:
    """With the record of KMS_1, and the group."""
    publish(KMS_1)
    witness.add_group(members=MEMBERS)
    return witness
