# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose ticket is taken, what a refusal of Kerberos is told as, and what is left of the environment."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import error_catalogue
import krb5
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._kerberos import failures
from ansible_collections.winops.volume_activation.plugins.plugin_utils._kerberos.logon import KerberosAccount, Logon
from ansible_collections.winops.volume_activation.plugins.plugin_utils._kerberos.tickets import tickets

pytestmark = pytest.mark.tier("test")

SERVER = "dc1.contoso.com"


def logon(username: str = "ops@contoso.com", password: str = "secret", skew: float = 0) -> Logon:
    return Logon(KerberosAccount(username, password), "CONTOSO.COM", "127.0.0.99", skew)


@pytest.mark.parametrize(
    ("username", "principal"),
    [
        ("ops@contoso.com", "ops@CONTOSO.COM"),
        ("ops@FABRIKAM.COM", "ops@FABRIKAM.COM"),
        ("CONTOSO\\ops", "ops@CONTOSO.COM"),
        ("ops", "ops@CONTOSO.COM"),
        ("contoso.com\\ops", "ops@CONTOSO.COM"),
    ],
)
def test_the_principal_of_a_user_name(username: str, principal: str) -> None:
    assert logon(username).principal == principal


NO_MECHANISM = "a SASL library without GSSAPI"
SASL = {
    "the clocks differ": "Clock skew too great",
    "the domain has no such controller": "Server not found in Kerberos database",
    "an expired ticket": "Ticket expired",
    "no ticket": "No Kerberos credentials available (default cache: FILE:/tmp/x)",
    "no domain controller answers Kerberos": "Cannot contact any KDC for realm 'CONTOSO.COM'",
    "a reason that Kerberos alone knows": "Something new",
    NO_MECHANISM: "SASL(-4): no mechanism available: No worthy mechs found",
}


KEYTAB = "/etc/krb5.keytab"
NUMBERS = {
    "an account that has expired": (1, ""),
    "an account that may not log on now": (12, ""),
    "an account that is locked out": (18, ""),
    "no encryption that both have": (14, ""),
    "an account of another realm": (68, ""),
    "a keytab without a key of the account": (128 + 53, KEYTAB),
    "a keytab with a key that is no longer the account's": (24, KEYTAB),
    "a KDC whose name cannot be resolved": (128 + 92, ""),
}
"""Numbers of the krb5 table, and the keytab in use."""
NO_KEYTAB, NO_CACHE, OTHER_CACHE = "a keytab that is not there", "a ticket cache that is not there", "a ticket cache of somebody else"
OTHER_DOMAIN = "an account of another domain"
WRITTEN = error_catalogue.paired("Kerberos", [*SASL, *NUMBERS, NO_KEYTAB, NO_CACHE, OTHER_CACHE, OTHER_DOMAIN])


def check(name: str, failure: ActivationError, **known: object) -> None:
    assert error_catalogue.shown(failure) == error_catalogue.expected(WRITTEN[name], failure, **known)


@pytest.mark.parametrize("name", NUMBERS)
def test_what_krb5_says(name: str) -> None:
    number, keytab = NUMBERS[name]
    account = KerberosAccount("ops@contoso.com", "" if keytab else "secret", keytab)
    check(name, failures.numbered(number, Logon(account, "CONTOSO.COM", "127.0.0.99"), "CONTOSO.COM"))


@pytest.mark.parametrize("name", SASL)
def test_what_sasl_says(name: str) -> None:
    check(name, failures.in_sasl(SASL[name], logon(skew=612), SERVER))


@pytest.mark.parametrize(
    "text",
    [
        "SASL(-4): no mechanism available: ",
        "SASL(-4): no mechanism available: No worthy mechs found",
        "no worthy mechs",
        "Unknown authentication method",
        "SASL(-4): kein Mechanismus",
    ],
)
def test_a_missing_mechanism_is_known_in_every_spelling(text: str) -> None:
    check(NO_MECHANISM, failures.in_sasl(text, logon(), SERVER))


def test_what_kerberos_says_inside_of_sasl() -> None:
    said = "SASL(-1): generic failure: GSSAPI Error: Unspecified GSS failure.  {} code may provide more information (Something new)"
    for minor in ("Minor", "minor"):
        check("a reason that Kerberos alone knows", failures.in_sasl(said.format(minor), logon(), SERVER))


IN_ANOTHER_LANGUAGE = """
import contextlib, locale, subprocess, sys
import krb5
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.english import in_english

def say():
    context = krb5.init_context()
    user = krb5.parse_name_flags(context, b"ops@NOWHERE.TEST")
    try:
        krb5.get_init_creds_password(context, user, krb5.get_init_creds_opt_alloc(context), b"secret")
    except krb5.Krb5Error as failure:
        print(failure)
    try:
        open("/nonexistent")
    except OSError as failure:
        print(failure.strerror)
    kinit = subprocess.run(["kinit", "ops@NOWHERE.TEST"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    print("kinit", kinit.stderr)

locale.setlocale(locale.LC_ALL, "")
for within in (contextlib.nullcontext, in_english, contextlib.nullcontext):
    with within():
        say()
    print("---")
"""


def test_the_libraries_speak_english_to_us_whatever_the_locale(tmp_path: Path) -> None:
    """ansible-core takes over the locale of the environment, and MIT Kerberos is translated."""
    if not shutil.which("localedef") or not Path("/usr/share/locale/de/LC_MESSAGES/mit-krb5.mo").exists():
        pytest.skip("no German here")
    subprocess.run(["localedef", "-f", "UTF-8", "-i", "de_DE", f"{tmp_path}/de_DE.UTF-8"], check=False, capture_output=True)
    environment = {**os.environ, "LOCPATH": str(tmp_path), "LC_ALL": "de_DE.UTF-8", "KRB5_CONFIG": "/nonexistent"}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.check_output([sys.executable, "-c", IN_ANOTHER_LANGUAGE], env=environment, text=True).split("---")
    for german in (said[0], said[2]):
        assert "kann nicht gefunden werden" in german
        assert "Cannot find KDC" not in german
    assert said[1].count('Cannot find KDC for realm "NOWHERE.TEST"') == 2
    assert "No such file or directory" in said[1]


@pytest.mark.parametrize("skew", [-3, 0, 59])
def test_a_clock_that_is_right_is_not_spoken_of(skew: float) -> None:
    assert "This node" not in str(failures.in_sasl("Clock skew too great", logon(skew=skew), SERVER))


def test_a_kdc_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The node's own configuration does not exist; the one made for the bind names the controller, and goes again."""
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    monkeypatch.delenv("KRB5CCNAME", raising=False)
    before = dict(os.environ)
    with pytest.raises(ActivationError, match=r"no KDC of the realm CONTOSO\.COM answers") as failed, tickets(logon()):
        pytest.fail("there is no ticket")
    assert failed.value.name == "KRB5_KDC_UNREACH"
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("username", "asked"),
    [
        ("admin@corp.fabrikam.de", [("admin", "CORP.FABRIKAM.DE"), ("admin@corp.fabrikam.de", "CONTOSO.COM")]),
        ("admin@contoso.com", [("admin", "CONTOSO.COM")]),
        ("admin", [("admin", "CONTOSO.COM")]),
    ],
)
def test_a_upn_suffix_that_is_no_realm(monkeypatch: pytest.MonkeyPatch, username: str, asked: list[tuple[str, str]]) -> None:
    """The realm of the server, which knows the suffix, is asked for an enterprise name; nobody answers there."""
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    seen = []

    def ask(context: object, principal: krb5.Principal, *more: object) -> krb5.Creds:
        seen.append((principal.components[0].decode(), principal.realm.decode()))
        return get(context, principal, *more)

    get = krb5.get_init_creds_password
    monkeypatch.setattr(krb5, "get_init_creds_password", ask)
    with pytest.raises(ActivationError) as failed, tickets(logon(username)):
        pass
    assert seen == asked
    assert failed.value.name == "KRB5_KDC_UNREACH"


def test_a_realm_that_is_known_is_the_account_s_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A password is not tried elsewhere because a KDC is down."""
    (tmp_path / "krb5.conf").write_text("[realms]\n FABRIKAM.COM = {\n  kdc = 127.0.0.98\n }\n")
    monkeypatch.setenv("KRB5_CONFIG", str(tmp_path / "krb5.conf"))
    seen: list[object] = []
    get = krb5.get_init_creds_password
    monkeypatch.setattr(krb5, "get_init_creds_password", lambda *given: (seen.append(given), get(*given))[1])
    with pytest.raises(ActivationError) as failed, tickets(logon("ops@fabrikam.com")):
        pass
    assert (len(seen), failed.value.name) == (1, "KRB5_KDC_UNREACH")


@pytest.mark.parametrize("own", ["/etc/krb5.conf", None])
def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch, own: str | None) -> None:
    monkeypatch.delenv("KRB5_CONFIG", raising=False)
    if own:
        monkeypatch.setenv("KRB5_CONFIG", own)
    with tickets(logon("", "")):
        first, made = os.environ["KRB5_CONFIG"].split(":")
        assert first == "/etc/krb5.conf"
        assert re.search(r"CONTOSO\.COM = \{\s+kdc = 127\.0\.0\.99\s", Path(made).read_text(encoding="ascii"))
    assert os.environ.get("KRB5_CONFIG") == own
    assert not Path(made).exists()


def test_the_environment_is_put_back_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    with contextlib.suppress(KeyError), tickets(logon("", "")):
        raise KeyError
    assert os.environ["KRB5_CONFIG"] == "/nonexistent"


@pytest.mark.parametrize("realm", ["A.B\n[libdefaults]", "X }", "ß"])
def test_a_realm_that_could_write_configuration_does_not(realm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "/etc/krb5.conf")
    with tickets(Logon(KerberosAccount(), realm, "127.0.0.99")):
        assert os.environ["KRB5_CONFIG"] == "/etc/krb5.conf"


def test_a_password_is_in_no_repr() -> None:
    assert "secret" not in repr(logon())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"domain_password": "secret"}, "domain_password is given without domain_username"),
        ({"domain_keytab": "/k"}, "domain_keytab is given without domain_username"),
        ({"domain_username": "a", "domain_password": "secret", "domain_keytab": "/k"}, "domain_password and domain_keytab are both given"),
        ({"domain_username": "a", "domain_keytab": "/k", "domain_ccache": "FILE:/c"}, "domain_keytab and domain_ccache are both given"),
    ],
)
def test_options_that_contradict_one_another(options: dict[str, str], sentence: str) -> None:
    with pytest.raises(ActivationError, match=sentence) as failed:
        KerberosAccount.from_options(options)
    assert "secret" not in str(failed.value)


@pytest.mark.parametrize(
    "options", [{}, {"domain_username": "a"}, {"domain_ccache": "FILE:/c"}, {"domain_username": "a", "domain_ccache": "FILE:/c"}]
)
def test_options_that_agree(options: dict[str, str]) -> None:
    account = KerberosAccount.from_options(options)
    assert {f"domain_{name}": getattr(account, name) for name in ("username", "ccache") if getattr(account, name)} == options


def test_a_keytab_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    wanted = Logon(KerberosAccount("ops@contoso.com", keytab=f"{tmp_path}/none"), "CONTOSO.COM", "127.0.0.99")
    with pytest.raises(ActivationError) as failed, tickets(wanted):
        pass
    check(NO_KEYTAB, failed.value, folder=tmp_path)


def cache_of(tmp_path: Path, principal: str) -> str:
    """A ticket cache that belongs to somebody and has no ticket in it."""
    context = krb5.init_context()
    name = f"FILE:{tmp_path}/{principal}"
    cache = krb5.cc_resolve(context, name.encode())
    krb5.cc_initialize(context, cache, krb5.parse_name_flags(context, principal.encode()))
    return name


def test_a_cache_that_the_task_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    monkeypatch.setenv("KRB5CCNAME", "FILE:/nonexistent")
    name = cache_of(tmp_path, "ops@CONTOSO.COM")
    for username in ("", "ops@contoso.com"):
        with tickets(Logon(KerberosAccount(username, ccache=name), "CONTOSO.COM", "127.0.0.99")):
            assert os.environ["KRB5CCNAME"] == name
    assert os.environ["KRB5CCNAME"] == "FILE:/nonexistent"
    for case, cache in ((OTHER_CACHE, name), (NO_CACHE, "FILE:/nonexistent")):
        other = Logon(KerberosAccount("other@contoso.com", ccache=cache), "CONTOSO.COM", "127.0.0.99")
        with pytest.raises(ActivationError) as failed, tickets(other):
            pass
        check(case, failed.value)


@pytest.mark.tier("test")
@pytest.mark.parametrize("kind", ["keytab", "ccache", "FILE:keytab", "FILE:ccache"])
def test_a_keytab_or_a_cache_that_is_a_fifo_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    prefix, _colon, option = kind.rpartition(":")
    path = tmp_path / "fifo"
    os.mkfifo(path)
    account = KerberosAccount("ops@contoso.com", **{option: f"{prefix}:{path}" if prefix else str(path)})
    with pytest.raises(ActivationError, match="is a FIFO, and is not read"), tickets(Logon(account, "CONTOSO.COM", "127.0.0.99")):
        pass


def test_an_account_of_another_domain_is_not_tried_on_this_one() -> None:
    with pytest.raises(ActivationError) as failed:
        logon("OTHER\\ops")
    check(OTHER_DOMAIN, failed.value)


@pytest.mark.parametrize(
    "username", ["PC-001\\ops", ".\\ops", "FABRIKAM.COM\\ops", "CONT\\ops", "COM\\ops", "CONTOSO2\\ops", "NT AUTHORITY\\ops"]
)
def test_neither_is_one_of_a_computer_or_of_a_name_that_is_nearly_the_same(username: str) -> None:
    with pytest.raises(ActivationError, match="Nothing was sent"):
        logon(username)


def test_a_netbios_name_has_fifteen_characters() -> None:
    account = KerberosAccount("WEYLANDYUTANICO\\ops", "secret")
    assert Logon(account, "WEYLANDYUTANICORP.COM", "127.0.0.99").principal == "ops@WEYLANDYUTANICORP.COM"


@pytest.mark.parametrize(
    "username", ["ops@", "@CONTOSO.COM", "\\ops", "CONTOSO\\", "A\\B\\ops", "ops@a@B", "CONTOSO\\ops@B.COM", "ops\nx@B.COM"]
)
def test_a_user_name_that_is_none(username: str) -> None:
    """Kerberos would drop a backslash, and take its default realm where there is none: that is another account."""
    with pytest.raises(ActivationError, match="which names no account"):
        KerberosAccount.from_options({"domain_username": username, "domain_password": "secret"})


@pytest.mark.parametrize(
    "username", ["ops", "ops@contoso.com", "CONTOSO\\ops", "PC-001$", "host/pc-001.contoso.com@CONTOSO.COM", "jürgen müller@B.COM"]
)
def test_a_user_name_that_is_one(username: str) -> None:
    assert KerberosAccount.from_options({"domain_username": username, "domain_password": "secret"}).username == username
