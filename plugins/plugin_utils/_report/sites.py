# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is asked in which order at a site, and what was seen to answer, from the report of an audit. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._srv.value import plain_name

ANSWERS, SILENT, UNSEEN = "answers", "silent", "unseen"
"""What was seen of a host from a site: that it answers, that it does not, or nothing."""

_ANSWERING, _OPEN, _CLOSED = "answering", "open", "closed"


@dataclass(frozen=True, slots=True)
class HostAtSite:
    """A KMS host in the record of a site.

    Attributes:
        name: Its name in the record.
        home: The site that it belongs to; empty where the topology does not say.
        weight: Its weight.
        share: The share of the clients that try it first among the hosts of its priority, in percent.
        seen: C(answers), C(silent) or C(unseen).
        said: The same for people, with who has seen it.
    """

    name: str
    home: str
    weight: int
    share: float
    seen: str
    said: str


@dataclass(frozen=True, slots=True)
class SiteOrder:
    """The hosts that the clients of a site try.

    Attributes:
        name: The site.
        record: The record that its clients ask for.
        groups: By priority, lower ones first, the hosts that have it.
    """

    name: str
    record: str
    groups: tuple[tuple[int, tuple[HostAtSite, ...]], ...]

    @property
    def fallbacks(self) -> dict[str, str]:
        """The other sites whose hosts its clients fall back to, each with the best that was seen of them from here."""
        found: dict[str, str] = {}
        for _priority, hosts in self.groups:
            for host in hosts:
                if host.home and host.home != self.name:
                    found[host.home] = min(found.get(host.home, host.seen), host.seen, key=(ANSWERS, UNSEEN, SILENT).index)
        return found


def site_orders(audit: Mapping[str, Any]) -> list[SiteOrder]:
    """The sites of an audit, in the order in which they were declared.

    Args:
        audit: Its report; empty where there was none.
    """
    sites: Mapping[str, Any] = audit.get("topology") or {}
    homes = {plain_name(host): name for name, site in sites.items() for host in site["kms_hosts"]}
    ends = {_place(end["host"], end["port"]): str(end["state"]) for end in audit.get("endpoints") or ()}
    links = {(link["from_site"], _place(link["to_host"], link["port"])): link for link in audit.get("links") or ()}
    return [
        SiteOrder(
            name,
            str(site["record"]),
            tuple(
                (int(group["priority"]), tuple(_hosts(name, group["hosts"], homes, ends, links)))
                for group in site["order"]
            ),
        )
        for name, site in sites.items()
    ]  # fmt: skip


_Place = tuple[str, int]


def _place(host: Any, port: Any) -> _Place:
    return plain_name(str(host)), int(port)


def _hosts(
    site: str,
    hosts: list[Mapping[str, Any]],
    homes: Mapping[str, str],
    ends: Mapping[_Place, str],
    links: Mapping[tuple[str, _Place], Mapping[str, Any]],
) -> Iterator[HostAtSite]:
    for host in hosts:
        place = _place(host["target"], host["port"])
        seen, said = _seen(ends.get(place, ""), links.get((site, place)))
        yield HostAtSite(str(host["target"]), homes.get(place[0], ""), int(host["weight"]), float(host["share"]), seen, said)


def _seen(end: str, link: Mapping[str, Any] | None) -> tuple[str, str]:
    """What was seen of a host from a site: by the link there where it has one, else from the control node."""
    if link is None:
        if not end:
            return UNSEEN, "not tried"
        return (ANSWERS, "answers") if end == _ANSWERING else (SILENT, f"does not answer ({end.replace('_', ' ')})")
    by = ", ".join(str(link[name]) for name in ("evidence", "date") if link.get(name))
    if link["state"] == _OPEN:
        return ANSWERS, f"link open: {by}"
    if link["state"] == _CLOSED:
        return SILENT, f"link closed: {by}"
    return UNSEEN, "link not seen" if end in ("", _ANSWERING) else f"link not seen; host does not answer ({end.replace('_', ' ')})"
