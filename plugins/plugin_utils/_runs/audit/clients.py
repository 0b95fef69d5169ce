# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients: what their licenses and their ways to a KMS host lack. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from ..._core.text import some
from ..._licensing.client_ids import said_of, shared
from ..._srv.value import plain_name
from ..._topology.reading import meant
from ..._windows.kms_client.alternate_url import ATTRIBUTE as ALTERNATE_URL
from ..._windows.kms_client.client_key import ATTRIBUTE as KEY
from ..._windows.kms_client.client_key import is_a_kms_host
from ..._windows.kms_client.dns_suffixes import ATTRIBUTE as SEARCH_LIST
from ..._windows.platform.classes import SOFTWARE_LICENSING_SERVICE
from ..._windows.platform.versions import WINDOWS_7, came_with
from ..._windows.spp.client_settings import SETTINGS, Wanted
from .computer import Lookup, SurveyedComputer
from .deviation import NOTE, Deviation, changed, not_looked_at, said

# How many clients a KMS host has to have counted before it activates servers, and before it activates other editions of
# Windows (kms-activation-planning.md of Microsoft's Windows Server documentation).
_SERVERS, _OTHERS = 5, 25
_CSVLK, _GVLK = "csvlk", "gvlk"


@dataclass(frozen=True, slots=True)
class Expected:
    """What clients should be like.

    Attributes:
        domains: By site the domain in which its clients look, in the order of the declaration.
        dns_suffixes: The DNS suffix search list; C(None) for the domains of all sites, that of the client's own site first.
        lookup_domain: The one domain in which they look; empty for none.
        host_caching: Whether they keep to the KMS host that they found; C(None) where nobody says.
        validity_days: An activation that ends in fewer days than this has not been renewed for too long.
        alternate_url: The address for users whose activation failed; empty where none is declared.
        listed: Whether a search list follows from the sites; otherwise nobody says what theirs should be.
    """

    domains: Mapping[str, str]
    dns_suffixes: Sequence[str] | None = None
    lookup_domain: str = ""
    host_caching: bool | None = False
    validity_days: int = 30
    alternate_url: str = ""
    listed: bool = True

    def suffixes(self, site: str) -> Sequence[str] | None:
        """The search list of a client of that site; C(None) where nobody says."""
        if self.dns_suffixes is not None:
            return self.dns_suffixes
        if not self.listed:
            return None
        own = [self.domains[site]] if site in self.domains else []
        return list(dict.fromkeys([*own, *self.domains.values()]))


@dataclass(frozen=True, slots=True)
class Judged:
    """What an audit keeps of a client.

    Attributes:
        deviations: What differs, in the order in which it is told.
        client_machine_id: Empty where it is not known.
        follows_its_domain: Whether it is a member of a domain and follows the order of that.
        required_count: How many clients a KMS host has to have counted to activate it; 0 where it was not read.
    """

    deviations: Sequence[Deviation]
    client_machine_id: str = ""
    follows_its_domain: bool = False
    required_count: int = 0


def judge(client: SurveyedComputer, site: str, expected: Expected) -> Judged:
    """Compare one client.

    Args:
        client: As it was read.
        site: The site that it is in; empty where that is not known.
        expected: What it should be like.
    """
    name, lookup = client.host, client.lookup
    if client.unread:
        return Judged([not_looked_at(name, "license", client.unread, client.unread_kind)])
    refused = lookup.error or (is_a_kms_host(name) if client.license.channel == _CSVLK else "")
    steps = [] if refused else list(due_steps(client, expected.suffixes(site), expected))
    domains = set(expected.domains.values())
    found = [
        *_license(client, expected.validity_days, {step.attribute for step in steps}),
        *_way_to_the_host(name, lookup, domains, {step.attribute for step in steps}),
        *steps,
        *_site(name, site, expected),
        *([not_looked_at(name, "settings", refused)] if refused else _habits(client, domains, expected) if expected.listed else ()),
    ]
    return Judged(
        found,
        lookup.client_machine_id,
        expected.listed and not refused and lookup.domain_member and not lookup.lookup_domain,
        client.license.required_count or (_SERVERS if client.server else _OTHERS),
    )


def _site(name: str, site: str, expected: Expected) -> Iterator[Deviation]:
    if expected.listed and site and site not in expected.domains:
        text = (
            f"Its variable volume_activation_site is {site}, and volume_activation_sites has no such site.{meant(site, expected.domains)}"
        )
        yield Deviation(name, "site", list(expected.domains), site, text)


def of_all(judged: Mapping[str, Judged]) -> Iterator[Deviation]:
    """The deviations of clients by their names in the inventory, and then those that several have together."""
    for client in judged.values():
        yield from client.deviations
    members = [name for name, client in judged.items() if client.follows_its_domain]
    if members:
        yield _home_order(members)
    for client_id, names in shared((name, client.client_machine_id) for name, client in judged.items()).items():
        yield Deviation("clients", f"client machine ID {client_id}", "of one computer", names, said_of(client_id, names))


def required_count(judged: Mapping[str, Judged]) -> int:
    """How many clients a host has to have counted to serve all the clients that were checked; without any, servers."""
    return max((client.required_count for client in judged.values() if client.required_count), default=_SERVERS)


def due_steps(client: SurveyedComputer, suffixes: Sequence[str] | None, expected: Expected) -> Iterator[Deviation]:
    """What C(kms_client) would change with C(discover) and these settings, in its order.

    Args:
        client: As it was read.
        suffixes: Its search list; C(None) where nobody says.
        expected: The other settings.
    """
    name, lookup = client.host, client.lookup
    if lookup.setup_key:
        yield changed(name, KEY, client.license.key, lookup.setup_key)
    now: dict[str, Wanted] = {
        "kms_host": lookup.kms_host or None,
        "kms_port": lookup.kms_port,
        "lookup_domain": lookup.lookup_domain or None,
        "host_caching": lookup.host_caching,
    }
    wanted: dict[str, Wanted] = {"kms_host": None, "kms_port": None}
    if expected.lookup_domain:
        wanted["lookup_domain"] = expected.lookup_domain
    if expected.host_caching is not None:
        wanted["host_caching"] = expected.host_caching
    for setting, value in wanted.items():
        if not SETTINGS[setting].same(now[setting], value) and not too_old(client, setting):
            yield changed(name, SETTINGS[setting].attribute, now[setting], value)
    if suffixes is not None and lookup.suffixes.is_due(whole := lookup.suffixes.whole(suffixes)):
        yield changed(name, SEARCH_LIST, list(lookup.suffixes.search_list) or None, list(whole) or None)
    if expected.alternate_url not in ("", lookup.alternate_url):
        yield changed(name, ALTERNATE_URL, lookup.alternate_url or None, expected.alternate_url)


def too_old(client: SurveyedComputer, setting: str) -> bool:
    """Whether a setting came with a later version of Windows."""
    return bool(came_with(SOFTWARE_LICENSING_SERVICE, SETTINGS[setting].column, client.version))


def _license(client: SurveyedComputer, validity_days: int, due: Set[str]) -> Iterator[Deviation]:
    name, found = client.host, client.license
    if found.status is None:
        if KEY not in due:
            yield Deviation(name, "key", _GVLK, None, "It holds no key; install the client setup key of its edition.")
        return
    if found.channel != _GVLK and KEY not in due:
        yield Deviation(name, "key", _GVLK, found.channel, f"Its key is {found.channel}, so that no KMS host activates it.", NOTE)
    if found.status != "licensed":
        left = "" if found.days is None else f" for {found.days} more days"
        text = f"Its license status is {found.status}{left}; no KMS host has activated it yet."
        together = f"Their license status is {found.status}; no KMS host has activated them yet."
        yield Deviation(name, "license status", "licensed", found.status, text, alike=found.status, together=together)
    elif found.channel == _GVLK and found.days is not None and found.days < validity_days:
        text = f"Its activation ends in {found.days} days; clients renew it every week, so it has not reached a KMS host for long."
        yield Deviation(
            name,
            "license expiry",
            f"at least {validity_days} days",
            f"{found.days} days",
            text,
            alike="too soon",
            together=f"Their activations end in fewer than {validity_days} days; clients renew them every week, so they have not reached a KMS"
            " host for long.",
        )


def _way_to_the_host(name: str, lookup: Lookup, domains: Set[str], due: Set[str]) -> Iterator[Deviation]:
    machine, domain = lookup.kms_host, plain_name(lookup.lookup_domain) if lookup.lookup_domain else ""
    if machine and SETTINGS["kms_host"].attribute not in due:
        text = f"It asks {machine} alone, set by hand, whatever DNS says."
        yield Deviation(name, "KMS host", "found by DNS", machine, text)
    if domain and domain not in domains and SETTINGS["lookup_domain"].attribute not in due:
        text = f"It looks for KMS hosts in {domain}, which is the domain of no site."
        yield Deviation(name, "KMS lookup domain", sorted(domains), domain, text)


def _habits(client: SurveyedComputer, domains: Set[str], expected: Expected) -> Iterator[Deviation]:
    """What Windows or a policy does, whatever is set on the computer, and what is set that nobody declares."""
    name, lookup = client.host, client.lookup
    if lookup.alternate_url and not expected.alternate_url:
        text = (
            f"Windows sends users whose activation failed to {lookup.alternate_url}. No address is declared (kms_audit_alternate_url), so it"
            " was not compared."
        )
        yield Deviation(name, ALTERNATE_URL, None, lookup.alternate_url, text, NOTE)
    if client.version < WINDOWS_7:
        text = "This version of Windows ignores priority and weight and takes any of the hosts."
        yield Deviation(name, "priority and weight", "followed", "ignored", text, NOTE)
    if not lookup.suffixes.policy:
        return
    listed = list(map(plain_name, lookup.effective))
    if domains.isdisjoint(listed):
        text = f"A policy sets its list to {said(listed)}, which names the domain of no site; change the policy."
        yield Deviation(name, SEARCH_LIST, sorted(domains), listed, text)
    else:
        text = f"A policy sets its list to {said(listed)}, and wins over what is set on the computer."
        yield Deviation(name, SEARCH_LIST, None, listed, text, NOTE)


def _home_order(members: Sequence[str]) -> Deviation:
    text = (
        f"{len(members)} clients are members of a domain and follow the order of their own domain wherever they are"
        f" ({some(members)}); lookup_domain is the remedy for one that stays at another site."
    )
    return Deviation("clients", "domain members", None, list(members), text, NOTE)
