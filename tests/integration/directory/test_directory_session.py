# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets a session with a real directory, by what, and why not."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import connection
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import session as session_module
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import open_session
from lab import names
from lab.domain.controller import Domain

from ..conftest import NEEDS_DOMAIN
from .helpers import ADDRESS, DELEGATE, DELEGATE_PASSWORD, KMS_1, KMS_2, in_database, settings, tool

pytestmark = [pytest.mark.tier("test"), NEEDS_DOMAIN]


@pytest.mark.parametrize(
    ("user", "more"),
    [
        (f"{names.OPERATOR}@{names.REALM}", {}),
        (f"{names.OPERATOR}@{names.ZONE}", {}),
        (f"{names.NETBIOS_DOMAIN}\\{names.OPERATOR}", {}),
        (f"{names.OPERATOR}@{names.REALM}", {"tls_mode": "ldaps", "ca_cert": "ca.pem"}),
        (f"{names.OPERATOR}@{names.REALM}", {"tls_mode": "ldaps", "cert_validation": "ignore"}),
    ],
)
def test_a_password_is_enough(running: Domain, monkeypatch: pytest.MonkeyPatch, user: str, more: dict[str, str]) -> None:
    """Neither krb5.conf nor the resolver of this machine know the domain, and there is no ticket cache."""
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    monkeypatch.setenv("KRB5CCNAME", "FILE:/nonexistent")
    if "ca_cert" in more:
        more = {**more, "ca_cert": str(running.layout.tls / more["ca_cert"])}
    with open_session(settings(user, **more)) as session:
        found = session.read(KMS_1.dn, ["sAMAccountName"])
        assert found is not None
        assert found.text("sAMAccountName") == KMS_1.account
        assert session.requests == 5
    assert os.environ["KRB5_CONFIG"] == "/nonexistent"
    assert os.environ["KRB5CCNAME"] == "FILE:/nonexistent"


@pytest.mark.parametrize("more", [{}, {"tls_mode": "ldaps", "cert_validation": "ignore"}])
def test_a_upn_suffix_that_is_no_realm(domain: Domain, monkeypatch: pytest.MonkeyPatch, more: dict[str, str]) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    upn = "acl.delegate@corp.fabrikam.de"
    in_database(
        domain,
        f"dn: CN={DELEGATE},CN=Users,{names.BASE_DN}",
        "changetype: modify",
        "replace: userPrincipalName",
        f"userPrincipalName: {upn}",
    )
    with open_session(settings(upn, DELEGATE_PASSWORD, **more)) as session:
        assert session.read(names.BASE_DN, ["dc"]) is not None
    with pytest.raises(ActivationError, match=r"the password of acl\.delegate"), open_session(settings(upn, "wrong", **more)):
        pass


def test_the_second_controller_is_tried(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one is down, then there is none of its name; a wrong password is tried at one controller alone."""
    addresses = connection._addresses
    monkeypatch.setattr(connection, "_addresses", lambda given: ["127.0.0.33"] if given.server == "dc8.contoso.com" else addresses(given))
    for first in ("dc8.contoso.com", "dc9.contoso.com"):
        several = replace(settings(), server=first, others=(names.DC_FQDN,))
        with open_session(several) as session:
            assert session.server == names.DC_FQDN
            assert session.read(names.BASE_DN, ["dc"]) is not None
    tried: list[str] = []
    bind = session_module._bound
    monkeypatch.setattr(session_module, "_bound", lambda *given: (tried.append(given[1].server), bind(*given))[1])
    with (
        pytest.raises(ActivationError, match="the password of"),
        open_session(replace(settings(password="wrong"), others=(names.DC_FQDN,))),
    ):
        pass
    assert tried == [names.DC_FQDN]


def test_two_accounts_in_one_process(running: Domain) -> None:
    with open_session(settings()) as operator, open_session(settings(f"{DELEGATE}@{names.REALM}", DELEGATE_PASSWORD)) as delegate:
        rights = []
        for session in (operator, delegate, operator):
            found = session.read(names.ZONE_DN, ["sDRightsEffective"])
            assert found is not None
            rights.append(int(found.text("sDRightsEffective")))
    assert rights == [15, 0, 15]


def test_an_existing_ticket_is_used(running: Domain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KRB5_CONFIG", str(running.layout.krb5_conf))
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/cache")
    subprocess.run(["kinit", f"{names.OPERATOR}@{names.REALM}"], input=names.OPERATOR_PASSWORD, text=True, check=True, capture_output=True)
    for user in ("", f"{names.OPERATOR}@{names.REALM}"):
        with open_session(settings(user, "")) as session:
            assert session.read(names.BASE_DN, ["dc"]) is not None
    with pytest.raises(ActivationError, match="no ticket for acl-delegate"), open_session(settings(f"{DELEGATE}@{names.REALM}", "")):
        pass


@pytest.mark.parametrize(
    ("changed", "name", "sentence"),
    [
        ({"password": "wrong"}, "KDC_ERR_PREAUTH_FAILED", "the password of activation-admin is wrong"),
        ({"user": f"nobody@{names.REALM}"}, "KDC_ERR_C_PRINCIPAL_UNKNOWN", "has no account nobody"),
        (
            {"user": "activation-admin@NOWHERE.TEST"},
            "KRB5_REALM_UNKNOWN",
            "no KDC of the realm NOWHERE.TEST is known, and CONTOSO.COM has no account",
        ),
        ({"user": "", "password": ""}, "KRB5_FCC_NOFILE", "there is no ticket cache"),
        ({"tls_mode": "ldaps"}, "", "is not accepted"),
        ({"dns_servers": ("127.0.0.99",), "timeout": 1}, "", "did not answer within 1 s"),
        ({"dns_servers": ("dc9.invalid",)}, "", "DNS server dc9.invalid has no address"),
        ({"dns_servers": ()}, "", "not known to this node's resolver"),
    ],
)
def test_why_there_is_no_session(
    running: Domain, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], name: str, sentence: str
) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    monkeypatch.setenv("KRB5CCNAME", "FILE:/nonexistent")
    with pytest.raises(ActivationError, match=re.escape(sentence)) as failed, open_session(settings(**changed)):
        pass
    assert failed.value.name == name
    assert names.OPERATOR_PASSWORD not in str(failed.value)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("user", "setexpiry", DELEGATE, "--days=0"), "KDC_ERR_CLIENT_REVOKED"),
        (("user", "disable", DELEGATE), "KDC_ERR_CLIENT_REVOKED"),
        (("user", "setpassword", DELEGATE, f"--newpassword={DELEGATE_PASSWORD}", "--must-change-at-next-login"), "KDC_ERR_KEY_EXPIRED"),
    ],
)
def test_an_account_that_may_not_log_on(domain: Domain, arguments: tuple[str, ...], name: str) -> None:
    tool(domain, *arguments)
    with pytest.raises(ActivationError) as failed, open_session(settings(f"{DELEGATE}@{names.REALM}", DELEGATE_PASSWORD)):
        pass
    # Samba calls an expired account expired, Windows revoked.
    assert failed.value.name in (name, "KDC_ERR_NAME_EXP")


def test_a_listener_that_says_nothing(running: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.33", 389)):
        monkeypatch.setattr(connection, "_addresses", lambda _settings: ["127.0.0.33"])
        with pytest.raises(ActivationError, match="does not answer as an LDAP server") as failed, open_session(settings(timeout=1)):
            pass
    # The host of the inventory has no part in this and must not leave the play.
    assert not failed.value.unreachable


RELAY = f"""
import socket, sys, threading
def carry(source, sink):
    while data := source.recv(65536):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)
listener = socket.create_server(("127.0.0.33", 389))
print("listening", flush=True)
client, server = listener.accept()[0], socket.create_connection(("{ADDRESS}", 389))
threading.Thread(target=carry, args=(server, client)).start()
carry(client, server)
"""


def test_the_session_is_sealed(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay sees the anonymous read of rootDSE and then nothing that it could read.

    It is a process of its own: python-ldap lets no other thread run during the bind.
    """
    monkeypatch.setattr(connection, "_addresses", lambda _settings: ["127.0.0.33"])
    with subprocess.Popen([sys.executable, "-c", RELAY], stdout=subprocess.PIPE) as relay:
        if relay.stdout is None or relay.stdout.readline() != b"listening\n":
            pytest.fail("no relay")
        with open_session(settings()) as session:
            found = session.search(names.BASE_DN, f"(sAMAccountName={KMS_2.account})", ["dNSHostName"])
            assert found[0].text("dNSHostName") == KMS_2.fqdn
        traffic = relay.stdout.read()
    assert b"defaultNamingContext" in traffic
    assert b"dNSHostName" not in traffic
    assert KMS_2.fqdn.encode() not in traffic


@pytest.mark.parametrize("first", ["127.0.0.99", "dc9.invalid"])
def test_the_next_name_server_is_asked(domain: Domain, first: str) -> None:
    with open_session(settings(dns_servers=(first, ADDRESS), timeout=3)) as session:
        assert session.read(names.BASE_DN, ["dc"]) is not None


def test_a_keytab_or_a_cache_that_the_task_names(running: Domain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The process's own cache is that of nobody; what the task names is used, and stays what it was."""
    monkeypatch.setenv("KRB5_CONFIG", str(running.layout.krb5_conf))
    keytab, cache = f"{tmp_path}/operator.keytab", f"FILE:{tmp_path}/cache"
    export = ["samba-tool", "domain", "exportkeytab", keytab, f"--principal={names.OPERATOR}", f"--configfile={running.smb_conf}"]
    subprocess.run(export, check=True, capture_output=True)
    subprocess.run(["kinit", "-c", cache, "-k", "-t", keytab, names.OPERATOR], check=True, capture_output=True)
    monkeypatch.setenv("KRB5CCNAME", "FILE:/nonexistent")
    operator = f"{names.OPERATOR}@{names.REALM}"
    for user, way in ((operator, {"keytab": keytab}), (operator, {"ccache": cache}), ("", {"ccache": cache})):
        with open_session(settings(user, "", **way)) as session:
            assert session.read(names.BASE_DN, ["dc"]) is not None
    stranger = settings(f"{DELEGATE}@{names.REALM}", "", keytab=keytab)
    with pytest.raises(ActivationError, match="has no key of acl-delegate") as failed, open_session(stranger):
        pass
    assert failed.value.name == "KRB5_KT_NOTFOUND"
