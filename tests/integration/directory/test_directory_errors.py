# Copyright: (c) 2026, winops contributors
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

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import static_srv
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.groups import WantedGroup, ensure_group
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_acl import WantedGrant, ensure_grant
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import Session, open_session
from ansible_collections.winops.volume_activation.plugins.plugin_utils._errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._plan import StepFailed
from lab import names
from lab.domain.controller import Domain
from lab.witness import KMS_RECORD_DN, Witness

from ..conftest import NEEDS_DOMAIN
from .helpers import DELEGATE, DELEGATE_PASSWORD, GROUP_DN, KMS_1, KMS_2, MEMBERS, granting, publish, settings, tool, wanted

pytestmark = NEEDS_DOMAIN

OPERATOR = f"{names.OPERATOR}@{names.REALM}"


class Case(NamedTuple):
    """What is wrong, what is done then, and what is said of it."""

    sentence: str
    name: str = ""
    user: str = OPERATOR
    password: str = names.OPERATOR_PASSWORD
    more: Mapping[str, str] = MappingProxyType({})
    before: Callable[[Domain, Witness], object] = lambda _domain, _witness: None
    act: Callable[[Session, Domain], object] = lambda session, _domain: granting(session)


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


def down_then(act: Callable[[Session], object]) -> Callable[[Session, Domain], object]:
    def acting(session: Session, domain: Domain) -> None:
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
        "Kerberos logon to CONTOSO.COM failed: the password of activation-admin is wrong. Check domain_password.",
        "KDC_ERR_PREAUTH_FAILED",
        password="not the password",
    ),
    "expired password": Case(
        f"Kerberos logon to CONTOSO.COM failed: the password of {STARTER} has expired or must be changed first. "
        "Change it, and give the new one in domain_password.",
        "KDC_ERR_KEY_EXPIRED",
        user=f"{STARTER}@{names.REALM}",
        password=STARTER_PASSWORD,
        before=must_change,
    ),
    "wrong realm": Case(
        "Kerberos logon to CONTOSO.COM failed: no KDC of the realm NOWHERE.TEST is known. "
        "Check the realm, or add it to krb5.conf of this node.",
        "KRB5_REALM_UNKNOWN",
        user="activation-admin@NOWHERE.TEST",
    ),
    "no Kerberos inside TLS": Case(
        "The logon inside TLS failed on dc1.contoso.com: the controller demands signing or sealing by Kerberos, "
        "which cannot be had inside TLS. Use tls_mode none.",
        "strongerAuthRequired",
        more={"tls_mode": "ldaps", "cert_validation": "ignore"},
        before=demand_a_layer,
    ),
    "a certificate of nobody": Case(
        "The certificate of dc1.contoso.com is not accepted: unable to get local issuer certificate. "
        "Give the issuing certificate in ca_cert, or the name in the certificate in domain_server.",
        more={"tls_mode": "ldaps"},
    ),
    "down before a read": Case(
        f"Reading {names.BASE_DN}: the domain controller dc1.contoso.com stopped answering. "
        "Nothing was changed by this; run it again when the controller is back, or name another one in domain_server.",
        "SERVER_DOWN",
        act=down_then(lambda session: session.read(names.BASE_DN, ["dc"])),
    ),
    "down before a write": Case(
        f"Changing {GROUP_DN}: the domain controller dc1.contoso.com stopped answering. "
        "Whether it was done is not known; the next run reads it again.",
        "SERVER_DOWN",
        act=down_then(lambda session: session.modify(GROUP_DN, [("replace", "description", [b"x"])], "")),
    ),
    "no such zone": Case(
        "The zone no.test is not in Active Directory as far as dc1.contoso.com and this account see: searched for "
        f"DC=no.test,CN=MicrosoftDNS,DC=DomainDnsZones,{names.BASE_DN}; DC=no.test,CN=MicrosoftDNS,DC=ForestDnsZones,{names.BASE_DN}; "
        f"DC=no.test,CN=MicrosoftDNS,CN=System,{names.BASE_DN}. "
        "Check the zone's name, that it is AD-integrated, and that this controller runs its DNS.",
        "noSuchObject",
        act=lambda session, _domain: ensure_grant(session, WantedGrant("no.test", "_vlmcs._tcp", names.KMS_GROUP, ("write",)), False),
    ),
    "no such record": Case(
        "The zone contoso.com has no name _kms._tcp on dc1.contoso.com, or the account may not see it. "
        "A KMS host makes _vlmcs._tcp when it is activated and may publish; grant the rights after that.",
        "noSuchObject",
        act=lambda session, _domain: ensure_grant(session, WantedGrant(names.ZONE, "_kms._tcp", names.KMS_GROUP, ("write",)), False),
    ),
    "no such group": Case(
        "There is no KMS_Host in contoso.com. Create it first, for instance with winops.volume_activation.ad_group.",
        "noSuchObject",
        act=lambda session, _domain: ensure_grant(session, wanted("KMS_Host"), False),
    ),
    "a DACL that may not be read": Case(
        f"dc1.contoso.com does not show who may write {KMS_RECORD_DN}. The account lacks READ_CONTROL on {KMS_RECORD_DN}. "
        "Have it delegated, or use another account.",
        "insufficientAccessRights",
        user=f"{KMS_2.account}@{names.REALM}",
        password=KMS_2.password,
        before=lambda _domain, witness: witness.add_ace(f"(D;;RC;;;{witness.sid(KMS_2.account)})"),
    ),
    "a DACL that may not be written": Case(
        f"The rights on dnsNode _vlmcs._tcp.contoso.com cannot be changed by this account: it lacks WRITE_DAC on {KMS_RECORD_DN}. "
        "Use an account of Domain Admins or DnsAdmins, or the owner of the record, or have WRITE_DAC delegated.",
        "insufficientAccessRights",
        **delegate(),
    ),
    "a record that may not be written": Case(
        f"Changing {KMS_RECORD_DN} was refused by dc1.contoso.com. "
        f"The account lacks WRITE_PROPERTY (dnsRecord, dNSTombstoned) on {KMS_RECORD_DN}. Have it delegated, or use another account.",
        "insufficientAccessRights",
        **delegate(),
        act=lambda session, _domain: static_srv.ensure(
            session, names.ZONE, names.KMS_RECORD, [(0, 0, 1, "x.test")], "present", None, check_mode=False
        ),
    ),
    "a group that may not be changed": Case(
        f"Changing {GROUP_DN} was refused by dc1.contoso.com. The account lacks WRITE_PROPERTY (description) on {GROUP_DN}. "
        "Have it delegated, or use another account.",
        "insufficientAccessRights",
        **delegate(),
        act=lambda session, _domain: ensure_group(session, WantedGroup(names.KMS_GROUP, description="x"), check_mode=False),
    ),
    "a group that may not be made": Case(
        f"Creating CN=Others,CN=Users,{names.BASE_DN} was refused by dc1.contoso.com. "
        f"The account lacks CREATE_CHILD (group) on CN=Users,{names.BASE_DN}. Have it delegated, or use another account.",
        "insufficientAccessRights",
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


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_refusal_says_what_failed_and_what_to_do(prepared: Domain, monkeypatch: pytest.MonkeyPatch, case: Case) -> None:
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
    assert (cause.message, cause.name) == (case.sentence, case.name)
