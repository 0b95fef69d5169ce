# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variable C(volume_activation_sites), read into sites. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._core.errors import Refusals
from .checks import contradictions
from .model import DOMAIN_LOCAL, DYNAMIC, GLOBAL, PRINTED, PUBLISHED, STATIC, UNIVERSAL, Appearance, KmsHost, Site, Sites
from .reading import Section, is_unset, meant, shown

_PREFIX = "volume_activation_"
VARIABLE = f"{_PREFIX}sites"
KMS_PORT = 1688
# "6 hosts, each up to 9 reactivations" (kms-activation-planning.md of Microsoft's Windows Server documentation).
CSVLK_HOSTS = 6

_SITE_KEYS = (
    "domain",
    "zone",
    "ad_domain",
    "group",
    "group_scope",
    "domain_controllers",
    "dns_servers",
    "credential",
    "client_networks",
    "remote_publish",
    "records",
    "kms_hosts",
)
_HOST_KEYS = (
    "name",
    "inventory_hostname",
    "port",
    "address",
    "ad_domain",
    "priority",
    "weight",
    "remote_priority",
    "remote_weight",
    "overrides",
)
_OVERRIDE_KEYS = ("priority", "weight", "publish")
_CSVLK_HOSTS = "O(csvlk_hosts)"
_DEFAULT_KEYS = (*(f"{_PREFIX}{name}" for name in ("local_priority", "remote_priority", "remote_publish")), _CSVLK_HOSTS)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where a site or a host declares nothing of its own.

    Attributes:
        local_priority: Priority of a host in its own site's record.
        remote_priority: Priority of a host in other sites' records.
        remote_publish: Who brings hosts of other sites into a site's record.
        csvlk_hosts: How many computers the KMS host key may be installed on.
    """

    local_priority: int = 10
    remote_priority: int = 90
    remote_publish: str = DYNAMIC
    csvlk_hosts: int = CSVLK_HOSTS


def read_sites(raw: Any, defaults: Mapping[str, Any] | None = None, credentials: Collection[str] | None = None) -> Sites:
    """The declared sites.

    Args:
        raw: The value of the variable.
        defaults: Values of Defaults by name, as variables have them; what is not given or empty keeps its default.
        credentials: The names of the credentials that there are; C(None) where they are not known.

    Raises:
        Refusals: Something is wrong; the message has one sentence a line for everything that is.
    """
    problems: list[str] = []
    given = _read_defaults(problems, defaults or {})
    if not isinstance(raw, Mapping) or not raw:
        raise Refusals([*problems, f"{VARIABLE}: {shown(raw or None)} is no dictionary of sites."])
    sites: dict[str, Site] = {}
    for key, value in raw.items():
        name = "".join(str(key))
        section = Section(problems, f"{VARIABLE}.{name}", value, _SITE_KEYS)
        if section.readable:
            sites[name] = _read_site(problems, section, name, [str(site) for site in raw], given)
    problems += contradictions(VARIABLE, sites, given.csvlk_hosts, credentials)
    if problems:
        raise Refusals(problems)
    return sites


def _read_defaults(problems: list[str], raw: Mapping[str, Any]) -> Defaults:
    known = Defaults()
    named = {_CSVLK_HOSTS if name == "csvlk_hosts" else f"{_PREFIX}{name}": value for name, value in raw.items()}
    section = Section(problems, "", named, _DEFAULT_KEYS)
    return Defaults(
        section.number(f"{_PREFIX}local_priority", known.local_priority),
        section.number(f"{_PREFIX}remote_priority", known.remote_priority),
        section.choice(f"{_PREFIX}remote_publish", (DYNAMIC, STATIC), known.remote_publish),
        section.number(_CSVLK_HOSTS, known.csvlk_hosts, range(1, 65536)),
    )


def _read_site(problems: list[str], section: Section, name: str, sites: Sequence[str], defaults: Defaults) -> Site:
    domain = section.name("domain", required=True)
    records = section.choice("records", (PUBLISHED, DYNAMIC, STATIC, PRINTED), PUBLISHED)
    # The directory plays no part where its hosts do not publish themselves and nothing is written into it.
    controllers = section.names("domain_controllers", required=records in (PUBLISHED, STATIC))
    site = Site(
        name=name,
        domain=domain,
        zone=section.name("zone", domain),
        ad_domain=section.name("ad_domain", domain),
        group=section.text("group", f"KMS_{name.upper()}"),
        group_scope=section.choice("group_scope", (GLOBAL, UNIVERSAL, DOMAIN_LOCAL), GLOBAL),
        domain_controllers=controllers,
        dns_servers=section.names("dns_servers", controllers, required=not controllers and records in (DYNAMIC, PRINTED)),
        credential=section.text("credential"),
        client_networks=section.networks("client_networks"),
        remote_publish=section.choice("remote_publish", (DYNAMIC, STATIC), defaults.remote_publish),
        kms_hosts=(),
        records=records,
    )
    hosts = section.raw("kms_hosts")
    if not hosts or isinstance(hosts, str) or not isinstance(hosts, Sequence):
        section.wrong("kms_hosts", "the site has no KMS host; list at least one." if not hosts else f"{shown(hosts)} is no list.")
        return site
    sections = [Section(problems, f"{section.path}.kms_hosts[{number}]", host, _HOST_KEYS) for number, host in enumerate(hosts)]
    return replace(site, kms_hosts=tuple(_read_host(problems, one, site, sites, defaults) for one in sections if one.readable))


def _read_host(problems: list[str], section: Section, site: Site, sites: Sequence[str], defaults: Defaults) -> KmsHost:
    name = section.name("name", required=True)
    at_home = Appearance(section.number("priority", defaults.local_priority), section.number("weight", 0))
    elsewhere = Appearance(section.number("remote_priority", defaults.remote_priority), section.number("remote_weight", at_home.weight))
    return KmsHost(
        name=name,
        inventory_hostname=section.text("inventory_hostname", name),
        port=section.port("port", KMS_PORT),
        address=section.address("address"),
        ad_domain=section.name("ad_domain", site.ad_domain),
        at_home=at_home,
        elsewhere=elsewhere,
        overrides=_read_overrides(problems, section, site.name, sites, elsewhere),
    )


def _read_overrides(problems: list[str], section: Section, home: str, sites: Sequence[str], base: Appearance) -> dict[str, Appearance]:
    raw = section.raw("overrides")
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        section.wrong("overrides", f"{shown(raw)} is no dictionary.")
        return {}
    found = {}
    for key, value in raw.items():
        name = "".join(str(key))
        if name == home:
            section.wrong(f"overrides.{name}", "it is the host's own site; use priority and weight of the host itself.")
        elif name not in sites:
            section.wrong(f"overrides.{name}", f"there is no site {shown(name)}.{meant(name, sites)}")
        elif not is_unset(value):
            override = Section(problems, f"{section.path}.overrides.{name}", value, _OVERRIDE_KEYS)
            found[name] = Appearance(
                override.number("priority", base.priority), override.number("weight", base.weight), override.flag("publish", True)
            )
    return found
