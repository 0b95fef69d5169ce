# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal of Kerberos or of the controller is told as, and what is left of the environment."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import ldap
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import kerberos, tls_bind
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.kerberos import Logon
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.refusals import refused
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.settings import Settings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._module_options import documented_options

SERVER = "dc1.contoso.com"


def logon(username: str = "ops@contoso.com", password: str = "secret", skew: float = 0) -> Logon:
    return Logon(username, password, "CONTOSO.COM", "127.0.0.99", skew)


@pytest.mark.parametrize(
    ("username", "principal"),
    [
        ("ops@contoso.com", "ops@CONTOSO.COM"),
        ("ops@FABRIKAM.COM", "ops@FABRIKAM.COM"),
        ("CONTOSO\\ops", "ops@CONTOSO.COM"),
        ("ops", "ops@CONTOSO.COM"),
    ],
)
def test_the_principal_of_a_user_name(username: str, principal: str) -> None:
    assert logon(username).principal == principal


@pytest.mark.parametrize(
    ("text", "name", "sentence"),
    [
        ("Clock skew too great", "KRB_AP_ERR_SKEW", "This node is 612 s ahead of the domain controller."),
        ("Server not found in Kerberos database", "KDC_ERR_S_PRINCIPAL_UNKNOWN", "Check domain_server"),
        ("Ticket expired", "KRB_AP_ERR_TKT_EXPIRED", "kinit"),
        ("No Kerberos credentials available (default cache: FILE:/tmp/x)", "KRB5_FCC_NOFILE", "there is no ticket cache"),
        ("Cannot contact any KDC for realm 'CONTOSO.COM'", "KRB5_KDC_UNREACH", "no KDC of the realm CONTOSO.COM answers"),
        ("Something new", "", "Something new."),
    ],
)
def test_what_sasl_says(text: str, name: str, sentence: str) -> None:
    failure = kerberos.failure_in_sasl(text, logon(skew=612), SERVER)
    assert failure.name == name
    assert sentence in str(failure)
    assert "secret" not in str(failure)


@pytest.mark.parametrize("skew", [-3, 0, 59])
def test_a_clock_that_is_right_is_not_spoken_of(skew: float) -> None:
    assert "This node" not in str(kerberos.failure_in_sasl("Clock skew too great", logon(skew=skew), SERVER))


def test_a_kdc_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The node's own configuration does not exist; the one made for the bind names the controller, and goes again."""
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    monkeypatch.delenv("KRB5CCNAME", raising=False)
    before = dict(os.environ)
    with pytest.raises(ActivationError, match=r"no KDC of the realm CONTOSO\.COM answers") as failed, kerberos.tickets(logon()):
        pytest.fail("there is no ticket")
    assert failed.value.name == "KRB5_KDC_UNREACH"
    assert dict(os.environ) == before


@pytest.mark.parametrize("own", ["/etc/krb5.conf", None])
def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch, own: str | None) -> None:
    monkeypatch.delenv("KRB5_CONFIG", raising=False)
    if own:
        monkeypatch.setenv("KRB5_CONFIG", own)
    with kerberos.tickets(logon("", "")):
        first, made = os.environ["KRB5_CONFIG"].split(":")
        assert first == "/etc/krb5.conf"
        assert re.search(r"CONTOSO\.COM = \{\s+kdc = 127\.0\.0\.99\s", Path(made).read_text(encoding="ascii"))
    assert os.environ.get("KRB5_CONFIG") == own
    assert not Path(made).exists()


def test_the_environment_is_put_back_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    with contextlib.suppress(KeyError), kerberos.tickets(logon("", "")):
        raise KeyError
    assert os.environ["KRB5_CONFIG"] == "/nonexistent"


@pytest.mark.parametrize("realm", ["A.B\n[libdefaults]", "X }", "ß"])
def test_a_realm_that_could_write_configuration_does_not(realm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "/etc/krb5.conf")
    with kerberos.tickets(Logon("", "", realm, "127.0.0.99", 0)):
        assert os.environ["KRB5_CONFIG"] == "/etc/krb5.conf"


def test_a_password_is_not_in_any_repr() -> None:
    assert "secret" not in repr(logon())
    assert "secret" not in repr(Settings("dc1.contoso.com", "ops", "secret"))


@pytest.mark.parametrize(
    ("failure", "name", "code", "sentence"),
    [
        (ldap.INSUFFICIENT_ACCESS({"result": 50, "info": "00000005: x"}), "insufficientAccessRights", "50", "lacks WRITE_DAC on DC=x."),
        (ldap.STRONG_AUTH_REQUIRED({"result": 8}), "strongerAuthRequired", "8", "demands signing or sealing"),
        (
            ldap.INVALID_CREDENTIALS({"result": 49, "info": "80090308: LdapErr: DSID-0C090569, comment: x, data 532, v4f7c"}),
            "invalidCredentials",
            "49",
            "the password has expired",
        ),
        (
            ldap.INVALID_CREDENTIALS({"result": 49, "info": "80090346: LdapErr: comment: x, data 80090346, v4563"}),
            "invalidCredentials",
            "49",
            "channel binding",
        ),
        (ldap.UNWILLING_TO_PERFORM({"result": 53, "info": "0000202D: no.\x00"}), "unwillingToPerform", "53", "0000202D: no."),
        (ldap.SERVER_DOWN({"result": -1, "desc": "Can't contact LDAP server"}), "SERVER_DOWN", "", "stopped answering"),
        (ldap.TIMEOUT({"result": -5}), "TIMEOUT", "", "stopped answering"),
        (ldap.LDAPError("odd"), "LDAPError", "", "odd."),
    ],
)
def test_what_a_controller_says(failure: ldap.LDAPError, name: str, code: str, sentence: str) -> None:
    told = refused(failure, "Changing DC=x", SERVER, "WRITE_DAC on DC=x")
    assert (told.name, told.code, told.source) == (name, code, "ldap")
    assert sentence in str(told)
    assert SERVER in str(told)
    assert str(told).endswith(".")


def test_a_password_without_a_user_is_refused() -> None:
    options = {name: option.get("default") for name, option in documented_options("ad_group").items()}
    with pytest.raises(ActivationError, match="without domain_username"):
        Settings.from_options({**options, "domain_server": "dc1.contoso.com", "domain_password": "secret"})
    assert Settings.from_options({**options, "domain_server": "dc1.contoso.com."}) == Settings("dc1.contoso.com")


class FakeTls:
    """A connection of which only the certificate is asked for."""

    def getpeercert(self, binary_form: bool) -> bytes:
        return b"no certificate" if binary_form else b""


def test_a_certificate_that_cannot_be_read_is_bound_by_sha_256() -> None:
    """RFC 5929 4.1; the value is what sha256sum prints."""
    binding = tls_bind.channel_binding(FakeTls())  # type: ignore[arg-type]
    assert binding == b"tls-server-end-point:" + bytes.fromhex("de826f9e5acba22f80b95e447f9a1a29db2441d3f8dee9d83dfbb0e52370dfc0")
