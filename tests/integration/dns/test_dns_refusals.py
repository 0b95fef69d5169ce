# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a record was not written, in one sentence with the remedy; nothing is changed then."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._plan import StepFailed
from lab import names

from ..conftest import NEEDS_DOMAIN
from .bind import CLOSED, KEY_NAME, OPEN, OTHER_KEY, OTHER_SECRET, SIGNED, Bind
from .helpers import BIND_ADDRESS, DC_ADDRESS, GSS, Place, dig, ensure

pytestmark = NEEDS_DOMAIN

ONE = "10 75 1688 kms-1.contoso.com"
WRONG_SECRET = "d3Jvbmc="


def refusal(options: dict[str, Any], **more: Any) -> ActivationError:
    """The error, which holds no secret."""
    with pytest.raises((ActivationError, StepFailed)) as failed:
        ensure(options, ONE, **more)
    cause = failed.value.__cause__ if isinstance(failed.value, StepFailed) else failed.value
    assert isinstance(cause, ActivationError)
    for secret in (names.OPERATOR_PASSWORD, OTHER_SECRET, WRONG_SECRET):
        assert secret not in str(cause)
    assert str(cause).endswith(".")
    return cause


UNSIGNED = {"zone": SIGNED, "server": BIND_ADDRESS, "authentication": "none"}


@pytest.mark.parametrize(
    ("changed", "name", "sentence"),
    [
        ({}, "REFUSED", "takes no unsigned updates of signed.test from this computer. Log on"),
        ({"zone": CLOSED}, "REFUSED", "have the DNS team enter the values"),
        ({"authentication": "tsig", "key_name": OTHER_KEY, "key_secret": OTHER_SECRET}, "REFUSED", "the key stranger may not do that"),
        ({"authentication": "tsig", "key_name": "nobody", "key_secret": OTHER_SECRET}, "BADKEY", "it knows no such key"),
        (
            {"authentication": "tsig", "key_name": KEY_NAME, "key_secret": WRONG_SECRET},
            "BADSIG",
            "the secret is not that of the server's key",
        ),
        (
            {"authentication": "tsig", "key_name": OTHER_KEY, "key_secret": OTHER_SECRET, "key_algorithm": "hmac-sha512"},
            "BADKEY",
            "Check key_name, key_algorithm",
        ),
        ({"authentication": "tsig", "key_name": KEY_NAME, "key_secret": "not base64!"}, "", "key_secret is not Base64"),
        ({"authentication": "tsig", "key_name": KEY_NAME}, "", "key_secret is missing"),
        ({"zone": "elsewhere.test"}, "REFUSED", "does not hold the zone elsewhere.test (REFUSED)"),
        ({"zone": f"deeper.{OPEN}"}, "", f"holds no zone deeper.{OPEN}; the name lies in its zone {OPEN}. Give that one."),
        ({"record": f"_vlmcs._tcp.{OPEN}."}, "", f"does not lie in the zone {SIGNED}"),
        ({"server": f"{BIND_ADDRESS}:5399"}, "", "can't be reached by TCP: Connection refused"),
        ({"authentication": "gss"}, "", "server is the address 127.0.0.35, and Kerberos needs the server's full name"),
        ({"authentication": "gss", "server": "ns1"}, "", "Kerberos needs the server's full name, such as dc1.contoso.com"),
        ({"server": ""}, "", "server is missing"),
    ],
)
def test_by_bind(bind: Bind, changed: dict[str, Any], name: str, sentence: str) -> None:
    for check_mode in (True, False):
        zone = changed.get("zone", SIGNED)
        before = dig(bind.address, bind.port, f"_vlmcs._tcp.{zone}")
        if check_mode and name == "REFUSED" and zone == SIGNED:
            # Check mode sends an update without records, which the server's policy for single records lets pass.
            assert ensure({**UNSIGNED, **changed}, ONE, check_mode=True).steps
            continue
        failure = refusal({**UNSIGNED, **changed}, check_mode=check_mode)
        assert sentence in str(failure)
        assert failure.name == name
        assert dig(bind.address, bind.port, f"_vlmcs._tcp.{zone}") == before


def test_a_zone_that_takes_anything(bind: Bind) -> None:
    assert len(ensure({**UNSIGNED, "zone": OPEN}, ONE).steps) == 1
    assert ONE in dig(bind.address, bind.port, f"_vlmcs._tcp.{OPEN}")


def test_a_target_with_an_underscore_is_warned_of(bind: Bind) -> None:
    """BIND's own check (check-names) refuses it, by default for the primary of a zone."""
    with pytest.raises(StepFailed) as failed:
        ensure({**UNSIGNED, "zone": OPEN}, "0 0 1688 kms_1.contoso.com")
    assert "refuses names of hosts with an underscore" in str(failed.value.__cause__)
    planned = ensure({**UNSIGNED, "zone": OPEN}, "0 0 1688 kms_1.contoso.com", check_mode=True)
    assert "kms_1.contoso.com has an underscore" in planned.warnings[0]


@pytest.mark.parametrize(
    ("changed", "name", "sentence"),
    [
        ({"authentication": "none"}, "REFUSED", "takes no unsigned updates of contoso.com"),
        ({"domain_password": "wrong"}, "KDC_ERR_PREAUTH_FAILED", "the password of activation-admin is wrong"),
        ({"domain_username": f"nobody@{names.REALM}"}, "KDC_ERR_C_PRINCIPAL_UNKNOWN", "has no account nobody"),
        ({"domain_username": "activation-admin@NOWHERE.TEST"}, "KRB5_REALM_UNKNOWN", "no KDC of the realm NOWHERE.TEST"),
        ({"domain_username": "", "domain_password": ""}, "KRB5_FCC_NOFILE", "there is no ticket cache"),
        ({"dns_servers": [BIND_ADDRESS]}, "", f"{BIND_ADDRESS} gave none for {names.DC_FQDN}"),
        ({"zone": SIGNED}, "", f"{names.DC_FQDN} ({DC_ADDRESS}) does not hold the zone {SIGNED}"),
    ],
)
def test_by_active_directory(secure: Place, bind: Bind, changed: dict[str, Any], name: str, sentence: str) -> None:
    failure = refusal({**GSS, "record": secure.record, **changed})
    assert sentence in str(failure)
    assert failure.name == name
    assert secure.held() == {}


def test_the_record_of_somebody_else(secure: Place) -> None:
    """The fault that the scenario is about: whoever publishes first owns the record."""
    secure.ensure(ONE)
    stranger = {"domain_username": f"{names.WINRM_USER}@{names.REALM}", "domain_password": names.WINRM_PASSWORD}
    with pytest.raises(StepFailed) as failed:
        secure.ensure("0 0 1688 kms-2.contoso.com", **stranger)
    cause = failed.value.__cause__
    assert isinstance(cause, ActivationError)
    assert "the account lacks Write on the record" in str(cause)
    assert cause.name == "SERVFAIL"
    assert list(secure.held()) == [ONE]


def test_a_server_that_is_no_dns_server_of_the_domain(secure: Place) -> None:
    """The name leads to the controller, but Kerberos does not know it by that."""
    alias = f"alias{secure.record.split('.')[0]}"
    secure.writer("add-a", f"{alias}.{names.ZONE}", DC_ADDRESS, 0)
    failure = refusal({**GSS, "server": f"{alias}.{names.ZONE}", "record": secure.record})
    assert failure.name == "KDC_ERR_S_PRINCIPAL_UNKNOWN"
    assert "Check server: it is the controller's full name" in str(failure)
