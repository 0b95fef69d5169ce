# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which KMS host appears in which site's record, how, and who brings it there. All that is derived comes from here. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .._srv.value import SrvValue
from .model import DYNAMIC, PUBLISHED, STATIC, KmsHost, Site, Sites


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """One KMS host in one site's record.

    Attributes:
        host: The host.
        home: The host's site.
        site: The site whose record it is in.
        value: Its value there.
        writer: Who writes it: C(published) for the host itself, or another way of C(Site.records).
    """

    host: KmsHost
    home: Site
    site: Site
    value: SrvValue
    writer: str

    @property
    def dynamic(self) -> bool:
        """Whether the host itself publishes it."""
        return self.writer == PUBLISHED


def entries(sites: Sites, site: Site) -> Iterator[RecordEntry]:
    """The entries of a site's record: its own hosts first, then those of the others, in the order of the declaration."""
    for home in [site, *(other for other in sites.values() if other is not site)]:
        yield from (entry for host in home.kms_hosts if (entry := _entry(host, home, site)))


def publishing_sites(sites: Sites, site: Site) -> list[Site]:
    """The sites with hosts that publish themselves in a site's record, the site itself first."""
    return list({entry.home.name: entry.home for entry in entries(sites, site) if entry.dynamic}.values())


def published_by(sites: Sites, host: KmsHost, home: Site) -> list[RecordEntry]:
    """The entries that a host publishes itself: at home first, because a list of other domains may take that one's place.

    Microsoft says both that a host's own domain is published in any case and that a list suspends it; listed, it is right
    either way, and only a line of its own gives it priority and weight.
    """
    order = [home, *(other for other in sites.values() if other is not home)]
    return [entry for site in order if (entry := _entry(host, home, site)) and entry.dynamic]


def _entry(host: KmsHost, home: Site, site: Site) -> RecordEntry | None:
    at_home = home is site
    appearance = host.at_home if at_home else host.overrides.get(site.name, host.elsewhere)
    if not appearance.publish:
        return None
    value = SrvValue(appearance.priority, appearance.weight, host.port, host.name)
    remote = PUBLISHED if site.remote_publish == DYNAMIC else STATIC
    return RecordEntry(host, home, site, value, remote if site.records == PUBLISHED and not at_home else site.records)
