# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Distinguished names and what goes into search filters."""

from __future__ import annotations

import typing as t

try:
    import ldap
    import ldap.dn
    import ldap.filter
except ImportError:
    # Nobody comes here without a session, and that says which package is missing.
    ldap = None


def dns_name_of(dn: str) -> str:
    """The DNS name of a domain's distinguished name: C(DC=contoso,DC=com) is C(contoso.com)."""
    return ".".join(part.partition("=")[2] for part in dn.split(",")).lower()


def escaped(value: str | bytes) -> str:
    """A value as a search filter takes it (RFC 4515)."""
    if isinstance(value, bytes):
        return "".join(f"\\{byte:02x}" for byte in value)
    return t.cast(str, ldap.filter.escape_filter_chars(value))


def rdn_value(value: str) -> str:
    """A value as a distinguished name takes it (RFC 4514)."""
    return t.cast(str, ldap.dn.escape_dn_chars(value))


def parent_dn(dn: str) -> str:
    """The distinguished name of the container of an object."""
    return ",".join(t.cast("list[str]", ldap.dn.explode_dn(dn))[1:])


def same_dn(one: str, other: str) -> bool:
    """Whether two distinguished names mean the same object."""
    return normal_dn(one) == normal_dn(other)


def normal_dn(dn: str) -> str:
    """A distinguished name in the form in which equal ones are equal; empty where it is none."""
    try:
        return t.cast(str, ldap.dn.dn2str([[(kind.upper(), value.lower(), 1)] for ((kind, value, _flags),) in ldap.dn.str2dn(dn)]))
    except (ldap.DECODING_ERROR, ValueError):
        return ""
