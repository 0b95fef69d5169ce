# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal of the controller is told as, and what the options make."""

from __future__ import annotations

import error_catalogue
import ldap
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.module_options import documented_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import tls_bind
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.connection import Unanswered
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.refusals import refused
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import open_session
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.settings import DirectorySettings

pytestmark = pytest.mark.tier("test")

SERVER = "dc1.contoso.com"


def test_a_password_is_not_in_any_repr() -> None:
    assert "secret" not in repr(DirectorySettings("dc1.contoso.com", "ops", "secret"))


ANSWERS = {
    "a right is missing": ldap.INSUFFICIENT_ACCESS({"result": 50, "info": "00000005: x"}),
    "the controller demands more than the logon gives": ldap.STRONG_AUTH_REQUIRED({"result": 8}),
    "signing is demanded": ldap.STRONG_AUTH_REQUIRED(
        {
            "result": 8,
            "info": "00002028: LdapErr: DSID-0C090257, comment: The server requires binds to turn on integrity checking if SSL\\TLS are "
            "not already active on the connection, data 0, v4563",
        }
    ),
    "signing or sealing is demanded of Kerberos": ldap.STRONG_AUTH_REQUIRED(
        {"result": 8, "info": "SASL:[GSSAPI]: Sign or Seal are required."}
    ),
    "encryption is demanded of a simple logon": ldap.STRONG_AUTH_REQUIRED(
        {"result": 8, "info": "BindSimple: Transport encryption required."}
    ),
    "encryption is demanded of a request": ldap.CONFIDENTIALITY_REQUIRED({"result": 13, "info": "x"}),
    "a referral to another domain": ldap.REFERRAL(
        {"result": 10, "info": "0000202B: RefErr: DSID-0310082F, data 0, 1 access points\n\tref 1: 'east.contoso.com'\n"}
    ),
    "a referral from a controller that only reads": ldap.REFERRAL(
        {"result": 10, "info": "Referral:\nldap://dc1.contoso.com/DC=contoso,DC=com"}
    ),
    "a referral that names nobody": ldap.REFERRAL({"result": 10}),
    "an expired password inside TLS": ldap.INVALID_CREDENTIALS(
        {"result": 49, "info": "80090308: LdapErr: DSID-0C090569, comment: x, data 532, v4f7c"}
    ),
    "channel binding is demanded": ldap.INVALID_CREDENTIALS({"result": 49, "info": "80090346: LdapErr: comment: x, data 80090346, v4563"}),
    "the controller refuses in words of its own": ldap.UNWILLING_TO_PERFORM({"result": 53, "info": "0000202D: no.\x00"}),
    "the controller stops answering": ldap.SERVER_DOWN({"result": -1, "desc": "Can't contact LDAP server"}),
    "the controller takes too long": ldap.TIMEOUT({"result": -5}),
    "python-ldap fails in a way of its own": ldap.LDAPError("odd"),
}

SILENT = "none of several controllers answers"
WRITTEN = error_catalogue.paired("What a controller answers", [*ANSWERS, SILENT])


@pytest.mark.parametrize("name", ANSWERS)
def test_what_a_controller_says(name: str) -> None:
    told = refused(ANSWERS[name], "Changing DC=x", SERVER, "WRITE_DAC on DC=x")
    assert error_catalogue.shown(told) == error_catalogue.expected(WRITTEN[name], told)


def test_a_password_without_a_user_is_refused() -> None:
    options = {name: option.get("default") for name, option in documented_options("ad_group").items()}
    with pytest.raises(ActivationError, match="without domain_username"):
        DirectorySettings.from_options({**options, "domain_server": "dc1.contoso.com", "domain_password": "secret"})
    assert DirectorySettings.from_options({**options, "domain_server": "dc1.contoso.com."}) == DirectorySettings("dc1.contoso.com")


@pytest.mark.parametrize(
    "given", [["dc1.contoso.com.", "dc2.contoso.com"], "dc1.contoso.com, dc2.contoso.com", ["dc1.contoso.com", " dc2.contoso.com "]]
)
def test_several_controllers_can_be_named(given: object) -> None:
    options = {name: option.get("default") for name, option in documented_options("ad_group").items()}
    found = DirectorySettings.from_options({**options, "domain_server": given})
    assert (found.server, found.others) == ("dc1.contoso.com", ("dc2.contoso.com",))
    assert [each.server for each in found.each()] == ["dc1.contoso.com", "dc2.contoso.com"]
    with pytest.raises(ActivationError, match="domain_server is not set"):
        DirectorySettings.from_options({**options, "domain_server": []})


def test_each_controller_is_tried_and_the_first_is_told_of() -> None:
    several = DirectorySettings("dc1.invalid", others=("dc2.invalid",), timeout=1)
    with pytest.raises(Unanswered) as failed, open_session(several):
        pass
    assert error_catalogue.shown(failed.value) == error_catalogue.expected(WRITTEN[SILENT], failed.value)


class FakeTls:
    """A connection of which only the certificate is asked for."""

    def getpeercert(self, binary_form: bool) -> bytes:
        return b"no certificate" if binary_form else b""


def test_a_certificate_that_cannot_be_read_is_bound_by_sha_256() -> None:
    """RFC 5929 4.1; the value is what sha256sum prints."""
    binding = tls_bind.channel_binding(FakeTls())  # type: ignore[arg-type]
    assert binding == b"tls-server-end-point:" + bytes.fromhex("de826f9e5acba22f80b95e447f9a1a29db2441d3f8dee9d83dfbb0e52370dfc0")
