# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One computer as the survey has read it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..._survey.rows import NOT_REACHED
from ..._windows.kms_client.dns_suffixes import Suffixes
from ..._windows.platform.versions import NEWEST, WindowsVersion, parse_version
from ..._windows.survey import CLIENT
from .deviation import NOT_ASKED

_POLICY = "policy"
_READ = "read"


@dataclass(frozen=True, slots=True)
class License:
    """Windows' license.

    Attributes:
        status: As C(license_info) names it; C(None) where no key is installed.
        reason: Why Windows gives it that status; empty for none.
        channel: The kind of its key; C(None) where no key is installed.
        key: The last five characters of the key; likewise.
        days: Until the activation ends; C(None) where it does not end.
        required_count: How many clients a KMS host has to have counted before it activates this product; 0 where that is not known.
        count: How many clients it has counted itself; 0 where it is no KMS host.
    """

    status: str | None
    reason: str
    channel: str | None
    key: str | None
    days: int | None
    required_count: int
    count: int


@dataclass(frozen=True, slots=True)
class Lookup:
    """Where a computer looks for KMS hosts.

    Attributes:
        client_machine_id: By which KMS hosts tell their clients apart; empty where it is not known.
        kms_host: The fixed KMS host; empty for none.
        kms_port: Its port; C(None) for none.
        discovered: The KMS host that it last found by DNS, and its port; empty and 0 for none.
        lookup_domain: The one domain that it asks; empty for none.
        host_caching: Whether it keeps to the host that it found; C(None) where Windows does not tell.
        domain_member: Whether it is a member of a domain.
        suffixes: Its DNS suffix search lists.
        effective: The list that has an effect.
        setup_key: The last five characters of the setup key that it should get; C(None) where it needs none.
        alternate_url: The address for users whose activation failed; empty for none.
        error: Why a part of this could not be read; empty where all was.
    """

    client_machine_id: str
    kms_host: str
    kms_port: int | None
    discovered: tuple[str, int]
    lookup_domain: str
    host_caching: bool | None
    domain_member: bool
    suffixes: Suffixes
    effective: tuple[str, ...]
    setup_key: str | None
    alternate_url: str
    error: str


@dataclass(frozen=True, slots=True)
class SurveyedComputer:
    """A row.

    Attributes:
        host: Its name in the inventory.
        unread: Why it was not read; empty where it was. All the rest is empty then.
        unread_kind: What kind of reason that is, whatever host it names.
        read_on: The day on which it was read, such as C(2026-11-24); empty where that is not known.
        name: Its NetBIOS name.
        version: Its version of Windows.
        server: Whether it is a server.
        license: Windows' license.
        lookup: Where it looks for KMS hosts.
        silent: Whether it could not be reached, or its account was rejected.
        caption: What its operating system calls itself.
        build: The build of it; 0 where it is not known.
        product: The name of the product that is Windows itself; empty where it holds no key.
        clock_offset: By how many seconds its clock is ahead of the control node's; C(None) where it is not known.
    """

    host: str
    unread: str
    unread_kind: str
    read_on: str
    name: str
    version: WindowsVersion
    server: bool
    license: License
    lookup: Lookup
    silent: bool = False
    caption: str = ""
    build: int = 0
    product: str = ""
    clock_offset: float | None = None


def computer_of(row: Mapping[str, Any]) -> SurveyedComputer:
    """The computer of a row with the columns C(license) and C(kms_client)."""
    system, settings = row.get("operating_system") or {}, row.get(f"{CLIENT}_settings") or {}
    unread = "" if row.get("outcome") == _READ else str(row.get("reason") or NOT_ASKED)
    return SurveyedComputer(
        host=str(row["host"]),
        unread=unread,
        unread_kind=f"{row.get('outcome')} {row.get('code') or ''}" if unread else "",
        read_on=str(row.get("at") or "")[:10],
        name=str(system.get("computer_name") or ""),
        version=parse_version(str(system["version"])) if system.get("version") else NEWEST,
        server=bool(system.get("server")),
        license=License(
            status=row.get("state"),
            reason=str(row.get("reason") or "") if not unread else "",
            channel=row.get("channel"),
            key=row.get("partial_key"),
            days=row.get("expires_in_days"),
            required_count=int(settings.get("required_count") or 0),
            count=int(row.get("count") or 0),
        ),
        lookup=_lookup(settings),
        silent=row.get("outcome") in NOT_REACHED,
        caption=str(system.get("caption") or ""),
        build=int(system.get("build") or 0),
        product=str(row.get("product") or ""),
        clock_offset=system.get("clock_offset"),
    )


def _lookup(settings: Mapping[str, Any]) -> Lookup:
    told = settings.get("suffixes") or {}
    effective = tuple(told.get("effective") or ())
    return Lookup(
        client_machine_id=str(settings.get("client_machine_id") or ""),
        kms_host=str(settings.get("kms_machine") or ""),
        kms_port=settings.get("kms_machine_port"),
        discovered=(str(settings.get("discovered_machine") or ""), int(settings.get("discovered_machine_port") or 0)),
        lookup_domain=str(settings.get("lookup_domain") or ""),
        host_caching=settings.get("host_caching"),
        domain_member=bool(settings.get("domain_member")),
        suffixes=Suffixes(
            str(told.get("own") or ""), tuple(told.get("search_list") or ()), effective if told.get("source") == _POLICY else ()
        ),
        effective=effective,
        setup_key=settings.get("setup_key"),
        alternate_url=str(settings.get("alternate_url") or ""),
        error=str(settings.get("error") or ""),
    )
