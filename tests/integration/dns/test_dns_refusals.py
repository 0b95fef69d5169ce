# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a record was not written, in one sentence with the remedy; nothing is changed then."""

from __future__ import annotations

from typing import Any

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from lab import names

from ..conftest import NEEDS_DOMAIN
from .bind import CLOSED, KEY_NAME, OPEN, OTHER_KEY, OTHER_SECRET, SIGNED, Bind
from .helpers import BIND_ADDRESS, DC_ADDRESS, GSS, Place, dig, ensure

pytestmark = [pytest.mark.tier("test"), NEEDS_DOMAIN]

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


BY_BIND: dict[str, dict[str, Any]] = {
    "an unsigned update where signed ones are demanded": {},
    "a zone that takes no updates": {"zone": CLOSED},
    "a key that has no right": {"authentication": "tsig", "key_name": OTHER_KEY, "key_secret": OTHER_SECRET},
    "a key that the server does not know": {"authentication": "tsig", "key_name": "nobody", "key_secret": OTHER_SECRET},
    "a secret that is not the key's": {"authentication": "tsig", "key_name": KEY_NAME, "key_secret": WRONG_SECRET},
    "a key with another algorithm": {
        "authentication": "tsig",
        "key_name": OTHER_KEY,
        "key_secret": OTHER_SECRET,
        "key_algorithm": "hmac-sha512",
    },
    "a secret that is no Base64": {"authentication": "tsig", "key_name": KEY_NAME, "key_secret": "not base64!"},
    "a key without its secret": {"authentication": "tsig", "key_name": KEY_NAME},
    "a zone that the server does not hold": {"zone": "elsewhere.test"},
    "a zone that is only a name in a zone": {"zone": f"deeper.{OPEN}"},
    "a record outside the zone": {"record": f"_vlmcs._tcp.{OPEN}."},
    "a DNS server that nobody listens on": {"server": f"{BIND_ADDRESS}:5399"},
    "an address where DNS by Kerberos needs a name": {"authentication": "gss"},
    "a short name where DNS by Kerberos needs a full one": {"authentication": "gss", "server": "ns1"},
    "no server at all": {"server": ""},
}
UNDERSCORE, CHECKED = "a host name with an underscore", "a zone that takes no updates, in check mode"
WRITTEN_OF_BIND = error_catalogue.paired("DNS by BIND", [*BY_BIND, CHECKED, UNDERSCORE])


@pytest.mark.parametrize("name", BY_BIND)
def test_by_bind(bind: Bind, name: str) -> None:
    changed = BY_BIND[name]
    for check_mode in (True, False):
        written = WRITTEN_OF_BIND[name]
        zone = changed.get("zone", SIGNED)
        before = dig(bind.address, bind.port, f"_vlmcs._tcp.{zone}")
        if check_mode and written["error"].get("name") == "REFUSED" and zone == SIGNED:
            # Check mode sends an update without records, which the server's policy for single records lets pass.
            assert ensure({**UNSIGNED, **changed}, ONE, check_mode=True).steps
            continue
        if check_mode and zone == CLOSED:
            written = WRITTEN_OF_BIND[CHECKED]
        failure = refusal({**UNSIGNED, **changed}, check_mode=check_mode)
        assert error_catalogue.shown(failure) == error_catalogue.expected(written, failure)
        assert dig(bind.address, bind.port, f"_vlmcs._tcp.{zone}") == before


def test_a_zone_that_takes_anything(bind: Bind) -> None:
    assert len(ensure({**UNSIGNED, "zone": OPEN}, ONE).steps) == 1
    assert ONE in dig(bind.address, bind.port, f"_vlmcs._tcp.{OPEN}")


def test_a_target_with_an_underscore_is_warned_of(bind: Bind) -> None:
    """BIND's own check (check-names) refuses it, by default for the primary of a zone."""
    with pytest.raises(StepFailed) as failed:
        ensure({**UNSIGNED, "zone": OPEN}, "0 0 1688 kms_1.contoso.com")
    cause = failed.value.__cause__
    assert error_catalogue.shown(cause) == error_catalogue.expected(WRITTEN_OF_BIND[UNDERSCORE], cause)
    planned = ensure({**UNSIGNED, "zone": OPEN}, "0 0 1688 kms_1.contoso.com", check_mode=True)
    assert "kms_1.contoso.com has an underscore" in planned.warnings[0]


BY_ACTIVE_DIRECTORY: dict[str, dict[str, Any]] = {
    "an unsigned update of an AD-integrated zone": {"authentication": "none"},
    "an update with a wrong password": {"domain_password": "wrong"},
    "an update by a user that there is not": {"domain_username": f"nobody@{names.REALM}"},
    "an update by a user of an unknown realm": {"domain_username": "activation-admin@NOWHERE.TEST"},
    "an update without user and without ticket": {"domain_username": "", "domain_password": ""},
    "a DNS server that does not know the controller": {"dns_servers": [BIND_ADDRESS]},
    "a zone that is not AD-integrated": {"zone": SIGNED},
}
FOREIGN, ALIAS = "a record of somebody else", "another name of the controller"
WRITTEN_OF_DOMAIN = error_catalogue.paired("DNS by Active Directory", [*BY_ACTIVE_DIRECTORY, FOREIGN, ALIAS])


@pytest.mark.parametrize("name", BY_ACTIVE_DIRECTORY)
def test_by_active_directory(secure: Place, bind: Bind, name: str) -> None:
    failure = refusal({**GSS, "record": secure.record, **BY_ACTIVE_DIRECTORY[name]})
    assert error_catalogue.shown(failure) == error_catalogue.expected(WRITTEN_OF_DOMAIN[name], failure, record=secure.record)
    assert secure.held() == {}


def test_the_record_of_somebody_else(secure: Place) -> None:
    """The fault that the scenario is about: whoever publishes first owns the record."""
    secure.ensure(ONE)
    stranger = {"domain_username": f"{names.WINRM_USER}@{names.REALM}", "domain_password": names.WINRM_PASSWORD}
    with pytest.raises(StepFailed) as failed:
        secure.ensure("0 0 1688 kms-2.contoso.com", **stranger)
    cause = failed.value.__cause__
    assert error_catalogue.shown(cause) == error_catalogue.expected(WRITTEN_OF_DOMAIN[FOREIGN], cause, record=secure.record)
    assert list(secure.held()) == [ONE]


def test_a_server_that_is_no_dns_server_of_the_domain(secure: Place) -> None:
    """The name leads to the controller, but Kerberos does not know it by that."""
    alias = f"alias{secure.record.split('.')[0]}"
    secure.writer("add-a", f"{alias}.{names.ZONE}", DC_ADDRESS, 0)
    failure = refusal({**GSS, "server": f"{alias}.{names.ZONE}", "record": secure.record})
    written = WRITTEN_OF_DOMAIN[ALIAS]
    assert error_catalogue.shown(failure) == error_catalogue.expected(written, failure, record=secure.record, alias=alias)
