# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read when the directory says no: one sentence for what failed, one for what to do.

A clock that is wrong and a referral, which this lab cannot make, are in the unit tests of the logon.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import static_srv
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.groups import WantedGroup, ensure_group
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_acl import WantedGrant, ensure_grant
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import DirectorySession, open_session
from lab import names
from lab.domain.controller import Domain
from lab.witness import Witness

from ..conftest import NEEDS_DOMAIN
from .helpers import DELEGATE, DELEGATE_PASSWORD, GROUP_DN, KMS_1, KMS_2, MEMBERS, granting, publish, settings, tool, wanted

pytestmark = [pytest.mark.tier("test"), NEEDS_DOMAIN]

OPERATOR = f"{names.OPERATOR}@{names.REALM}"


class Case(NamedTuple):
    """What is wrong, and what is done then."""

    user: str = OPERATOR
    password: str = names.OPERATOR_PASSWORD
    more: Mapping[str, str] = MappingProxyType({})
    before: Callable[[Domain, Witness], object] = lambda _domain, _witness: None
    act: Callable[[DirectorySession, Domain], object] = lambda session, _domain: granting(session)


STARTER, STARTER_PASSWORD = "new-starter", "Lab.New-Starter.2026"


def must_change(domain: Domain, _witness: Witness) -> None:
    tool(domain, "user", "create", STARTER, STARTER_PASSWORD, "--must-change-at-next-login")


def demanding(domain: Domain, strength: str) -> None:
    """What the controller demands of a logon, from now on."""
    text = domain.smb_conf.read_text(encoding="utf-8")
    domain.smb_conf.write_text(re.sub(r"(require strong auth) = \w+", rf"\1 = {strength}", text), encoding="utf-8")
    domain.stop()
    domain.start()
    domain.wait_ready()


def demand_a_layer(domain: Domain, _witness: Witness) -> None:
    demanding(domain, "yes")


def down_then(act: Callable[[DirectorySession], object]) -> Callable[[DirectorySession, Domain], object]:
    def acting(session: DirectorySession, domain: Domain) -> None:
        domain.stop()
        try:
            act(session)
        finally:
            domain.start()
            domain.wait_ready()

    return acting


def delegate() -> dict[str, str]:
    return {"user": f"{DELEGATE}@{names.REALM}", "password": DELEGATE_PASSWORD}


CASES = {
    "wrong password": Case(
        password="not the password",
    ),
    "expired password": Case(
        user=f"{STARTER}@{names.REALM}",
        password=STARTER_PASSWORD,
        before=must_change,
    ),
    "wrong realm": Case(
        user="activation-admin@NOWHERE.TEST",
    ),
    "no Kerberos inside TLS": Case(
        more={"tls_mode": "ldaps", "cert_validation": "ignore"},
        before=demand_a_layer,
    ),
    "a certificate of nobody": Case(
        more={"tls_mode": "ldaps"},
    ),
    "down before a read": Case(
        act=down_then(lambda session: session.read(names.BASE_DN, ["dc"])),
    ),
    "down before a write": Case(
        act=down_then(lambda session: session.modify(GROUP_DN, [("replace", "description", [b"x"])], "")),
    ),
    "no such zone": Case(
        act=lambda session, _domain: ensure_grant(session, WantedGrant("no.test", "_vlmcs._tcp", names.KMS_GROUP, ("write",)), False),
    ),
    "no such record": Case(
        act=lambda session, _domain: ensure_grant(session, WantedGrant(names.ZONE, "_kms._tcp", names.KMS_GROUP, ("write",)), False),
    ),
    "no such group": Case(
        act=lambda session, _domain: ensure_grant(session, wanted("KMS_Host"), False),
    ),
    "a DACL that may not be read": Case(
        user=f"{KMS_2.account}@{names.REALM}",
        password=KMS_2.password,
        before=lambda _domain, witness: witness.add_ace(f"(D;;RC;;;{witness.sid(KMS_2.account)})"),
    ),
    "a DACL that may not be written": Case(
        **delegate(),
    ),
    "a record that may not be written": Case(
        **delegate(),
        act=lambda session, _domain: static_srv.ensure(
            session, names.ZONE, names.KMS_RECORD, [(0, 0, 1, "x.test")], "present", None, check_mode=False
        ),
    ),
    "a group that may not be changed": Case(
        **delegate(),
        act=lambda session, _domain: ensure_group(session, WantedGroup(names.KMS_GROUP, description="x"), check_mode=False),
    ),
    "a group that may not be made": Case(
        **delegate(),
        act=lambda session, _domain: ensure_group(session, WantedGroup("Others"), check_mode=False),
    ),
}


@pytest.fixture(scope="module")
def prepared(pristine: Domain) -> Domain:
    """One domain with the record and the group for the whole table: what one row changes, no other meets."""
    publish(KMS_1)
    Witness(pristine).add_group(members=MEMBERS)
    return pristine


WRITTEN = error_catalogue.paired("Directory", CASES)


@pytest.mark.parametrize("name", WRITTEN)
def test_each_refusal_says_what_failed_and_what_to_do(prepared: Domain, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    case = CASES[name]
    case.before(prepared, Witness(prepared))
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    try:
        with (
            pytest.raises((ActivationError, StepFailed)) as failed,
            open_session(settings(case.user, case.password, **case.more)) as session,
        ):
            case.act(session, prepared)
    finally:
        if case.before is demand_a_layer:
            demanding(prepared, "allow_sasl_over_tls")
    cause = failed.value.__cause__ if isinstance(failed.value, StepFailed) else failed.value
    assert isinstance(cause, ActivationError)
    assert error_catalogue.shown(cause) == error_catalogue.expected(WRITTEN[name], cause)
