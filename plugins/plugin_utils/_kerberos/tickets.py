# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tickets of one logon: a private cache in memory from password or keytab, or a cache that is there already.

The GSSAPI library underneath SASL takes its cache and its configuration from the environment of the process. Both are set
for the logon only and then put back, so that two realms can be served by one process, one after the other.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import threading
import typing as t
from collections.abc import Iterator, Mapping

from .._core.errors import ActivationError
from .._core.files import LARGEST_KEYTAB, check_file
from . import failures
from .logon import Logon

try:
    import krb5
except ImportError as error:
    KRB5_ERROR: ImportError | None = error
else:
    KRB5_ERROR = None

_ENVIRONMENT = threading.Lock()


@contextlib.contextmanager
def tickets(logon: Logon) -> Iterator[None]:
    """Within it, GSSAPI in this process acts as C(logon) says. What was begun within it keeps its keys afterwards.

    Raises:
        ActivationError: No ticket, with the reason.
    """
    if KRB5_ERROR is not None:
        raise ActivationError(
            "Kerberos needs the Python package krb5 on the control node: pip install 'pyspnego[kerberos]'.", source="kerberos"
        ) from KRB5_ERROR
    account = logon.account
    with _ENVIRONMENT, _configuration(logon) as configuration, _environment({"KRB5_CONFIG": configuration}):
        context = krb5.init_context()
        for name in (account.keytab, account.ccache):
            _check_file(name)
        if account.password or account.keytab:
            cache = _new_cache(context, logon)
            try:
                with _environment({"KRB5CCNAME": f"MEMORY:{krb5.cc_get_name(context, cache).decode()}"}):
                    yield
            finally:
                krb5.cc_destroy(context, cache)
            return
        cache_name = _existing_cache(context, logon) if account.username else account.ccache
        with _environment({"KRB5CCNAME": cache_name} if cache_name else {}):
            yield


def _check_file(name: str) -> None:
    """See that a keytab or ticket cache which lies in a file is one that the library can read to its end; it says itself where there is none.

    Raises:
        ActivationError: It is no regular file, or too large.
    """
    kind, colon, path = name.partition(":")
    if not colon or kind.upper() in ("FILE", "WRFILE"):
        with contextlib.suppress(OSError):
            check_file(path if colon else name, LARGEST_KEYTAB)


def _existing_cache(context: t.Any, logon: Logon) -> str:
    """The cache of the account: the one that the task names, or that of its principal in the process's own collection."""
    try:
        principal = krb5.parse_name_flags(context, logon.principal.encode())
        if not logon.account.ccache:
            cache = krb5.cc_cache_match(context, principal)
        else:
            cache = krb5.cc_resolve(context, logon.account.ccache.encode())
            if str(krb5.cc_get_principal(context, cache)) != str(principal):
                raise failures.numbered(failures.NO_TICKET, logon, logon.realm)
        return f"{(krb5.cc_get_type(context, cache) or b'FILE').decode()}:{krb5.cc_get_name(context, cache).decode()}"
    except krb5.Krb5Error:
        raise failures.numbered(failures.NO_TICKET, logon, logon.realm) from None


def _new_cache(context: t.Any, logon: Logon) -> t.Any:
    try:
        credentials = _credentials(context, logon)
        cache = krb5.cc_new_unique(context, b"MEMORY")
        # The KDC answers an enterprise name with the account's own.
        krb5.cc_initialize(context, cache, credentials.client)
        krb5.cc_store_cred(context, cache, credentials)
    except krb5.Krb5Error as failure:
        raise failures.in_library(failure, logon, logon.realm) from None
    return cache


def _credentials(context: t.Any, logon: Logon) -> t.Any:
    """The ticket-granting ticket of the account.

    What is behind the at sign may be no realm but a UPN suffix, which only the account's own domain knows (MS-KILE 3.3.5.6.1, RFC 6806 5).

    Raises:
        krb5.Krb5Error: There is none.
        ActivationError: There is none, and it is known why.
    """
    account = logon.account
    principal = krb5.parse_name_flags(context, logon.principal.encode())
    options = krb5.get_init_creds_opt_alloc(context)
    if account.keytab:
        keytab = krb5.kt_resolve(context, account.keytab.encode())
        if not krb5.kt_have_content(context, keytab):
            raise ActivationError(
                f"The keytab {account.keytab} does not exist, is empty or can't be read. Check O(domain_keytab).", source="kerberos"
            )
        return krb5.get_init_creds_keytab(context, principal, options, keytab)
    password = account.password.encode()
    try:
        return krb5.get_init_creds_password(context, principal, options, password)
    except krb5.Krb5Error as failure:
        if not failures.is_unknown_realm(failure) or not logon.enterprise_name:
            raise
    principal = krb5.parse_name_flags(context, logon.enterprise_name.encode(), krb5.PrincipalParseFlags.enterprise)
    krb5.get_init_creds_opt_set_canonicalize(options, True)
    try:
        return krb5.get_init_creds_password(context, principal, options, password)
    except krb5.Krb5Error as failure:
        if failures.is_unknown_account(failure):
            raise failures.neither_realm_nor_suffix(logon) from None
        raise


@contextlib.contextmanager
def _configuration(logon: Logon) -> Iterator[str]:
    """A list of configuration files for C(KRB5_CONFIG): the node's own, then one that knows the controller's realm.

    A node need not know the realm beforehand, and what its own krb5.conf says comes first. Names stay as they were given:
    an address of the lab or of a NAT has no reverse entry that could be trusted.
    """
    existing = os.environ.get("KRB5_CONFIG") or "/etc/krb5.conf"
    kdc = f"[{logon.kdc}]" if ":" in logon.kdc else logon.kdc
    domain = logon.realm.lower()
    if not re.fullmatch(r"[A-Z0-9._-]+", logon.realm):
        yield existing
        return
    text = (
        "[libdefaults]\n dns_canonicalize_hostname = false\n rdns = false\n"
        f"[realms]\n {logon.realm} = {{\n  kdc = {kdc}\n }}\n"
        f"[domain_realm]\n .{domain} = {logon.realm}\n {domain} = {logon.realm}\n"
    )
    # A whole name counts before the domain that it is in.
    hosts = (host.lower() for host in logon.hosts if re.fullmatch(r"[A-Za-z0-9._-]+", host))
    text += "".join(f" {host} = {logon.realm}\n" for host in hosts if not host.endswith(f".{domain}"))
    with tempfile.NamedTemporaryFile("w", prefix="volume-activation-", suffix=".conf", encoding="ascii") as file:
        file.write(text)
        file.flush()
        yield f"{existing}:{file.name}"


@contextlib.contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
