# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal of the controller is told as, and what the options make."""

from __future__ import annotations

import ldap
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import tls_bind
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.refusals import refused
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.settings import Settings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._module_options import documented_options

SERVER = "dc1.contoso.com"


def test_a_password_is_not_in_any_repr() -> None:
    assert "secret" not in repr(Settings("dc1.contoso.com", "ops", "secret"))


@pytest.mark.parametrize(
    ("failure", "name", "code", "sentence"),
    [
        (ldap.INSUFFICIENT_ACCESS({"result": 50, "info": "00000005: x"}), "insufficientAccessRights", "50", "lacks WRITE_DAC on DC=x."),
        (ldap.STRONG_AUTH_REQUIRED({"result": 8}), "strongerAuthRequired", "8", "demands signing or sealing"),
        (
            ldap.STRONG_AUTH_REQUIRED(
                {
                    "result": 8,
                    "info": "00002028: LdapErr: DSID-0C090257, comment: The server requires binds to turn on integrity checking if SSL\\TLS are "
                    "not already active on the connection, data 0, v4563",
                }
            ),
            "strongerAuthRequired",
            "8",
            "demands signing (LDAP server signing requirements). Use tls_mode none",
        ),
        (
            ldap.STRONG_AUTH_REQUIRED({"result": 8, "info": "SASL:[GSSAPI]: Sign or Seal are required."}),
            "strongerAuthRequired",
            "8",
            "demands signing or sealing. Use tls_mode none, which does both",
        ),
        (
            ldap.STRONG_AUTH_REQUIRED({"result": 8, "info": "BindSimple: Transport encryption required."}),
            "strongerAuthRequired",
            "8",
            "demands encryption. Use tls_mode none",
        ),
        (ldap.CONFIDENTIALITY_REQUIRED({"result": 13, "info": "x"}), "confidentialityRequired", "13", "demands encryption for this"),
        (
            ldap.REFERRAL(
                {"result": 10, "info": "0000202B: RefErr: DSID-0310082F, data 0, 1 access points\n\tref 1: 'east.contoso.com'\n"}
            ),
            "referral",
            "10",
            "Name a controller of east.contoso.com in domain_server.",
        ),
        (
            ldap.REFERRAL({"result": 10, "info": "Referral:\nldap://dc1.contoso.com/DC=contoso,DC=com"}),
            "referral",
            "10",
            "holds it for reading only, and refers to another one. Name a controller of dc1.contoso.com",
        ),
        (ldap.REFERRAL({"result": 10}), "referral", "10", "Name a controller that has it"),
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
            "demands channel binding, and what came with the logon does not fit its certificate",
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
