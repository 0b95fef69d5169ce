# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawings of the report as SVG inside the page: sites with their KMS hosts, who falls back to whom, counts over time. Pure.

Colours are classes of the style sheet of the page, so that they follow light and dark. All text is escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from .sites import ANSWERS, SILENT, UNSEEN, HostAtSite, SiteOrder

WIDTH = 360
"""Of the drawing of a site: that of a phone."""

MOST_SITES = 16
"""Sites in the drawing of who falls back to whom; the arrows of more are no picture."""

_LETTERS = 40
_BOX, _GAP, _HEAD, _STEP = 58, 10, 56, 34
_MARKS = {ANSWERS: "\u2713", SILENT: "\u2717", UNSEEN: "?"}


def site_drawing(site: SiteOrder) -> str:
    """A site: its record, and below it the hosts in the order in which its clients try them."""
    parts = [
        f'<rect class="site" x="1" y="1" width="{WIDTH - 2}" height="44" rx="8"/>',
        _text(14, 20, site.name, "strong"),
        _text(14, 37, site.record, "small"),
    ]
    top = _HEAD
    for number, (priority, hosts) in enumerate(site.groups):
        when = "tried first" if number == 0 else "if none of them answers"
        parts.append(f'<path class="arrow" d="M24 {top - 8}v{_STEP - 6}m-5 -7l5 7l5 -7"/>')
        parts.append(_text(40, top + 14, f"priority {priority}: {when}", "small"))
        top += _STEP
        for host in hosts:
            parts.append(_host_box(site, host, top))
            top += _BOX + _GAP
    title = f"Site {site.name}: " + "; ".join(
        f"priority {priority}: {', '.join(f'{host.name} ({host.said})' for host in hosts)}" for priority, hosts in site.groups
    )
    return _svg(WIDTH, top, title, parts)


def fallback_drawing(sites: Sequence[SiteOrder]) -> str:
    """Who falls back to whom: sites on a circle, with arrows; empty for one site, and for too many."""
    if not 2 <= len(sites) <= MOST_SITES:
        return ""
    radius = max(100.0, 26.0 * len(sites))
    size = 2 * radius + 60
    places = {
        site.name: (
            (size + 120) / 2 + radius * math.sin(2 * math.pi * number / len(sites)),
            size / 2 - radius * math.cos(2 * math.pi * number / len(sites)),
        )
        for number, site in enumerate(sites)
    }
    arrows, said = [], []
    for site in sites:
        for other, seen in site.fallbacks.items():
            if other in places:
                arrows.append(_arrow(places[site.name], places[other], seen))
                said.append(f"{site.name} falls back to {other} ({_FALLBACK[seen]})")
    boxes = [
        f'<rect class="site" x="{x - 58:.1f}" y="{y - 15:.1f}" width="116" height="30" rx="8"/>{_text(x, y + 5, name, "strong middle", 14)}'
        for name, (x, y) in places.items()
    ]
    return _svg(size + 120, size, "; ".join(said) or "No site falls back to another.", [*arrows, *boxes])


_FALLBACK = {ANSWERS: "open", SILENT: "closed", UNSEEN: "not seen"}


def sparkline(entries: Sequence[tuple[str, int]]) -> str:
    """Counts over time as a line; empty for fewer than two."""
    if len(entries) < 2:
        return ""
    counts = [count for _at, count in entries]
    low, high = min(counts), max(counts)
    span = high - low or 1
    points = " ".join(
        f"{2 + 156 * number / (len(counts) - 1):.1f},{28 - 24 * (count - low) / span:.1f}" for number, count in enumerate(counts)
    )
    title = f"{counts[0]} on {entries[0][0][:10]}, {counts[-1]} on {entries[-1][0][:10]}; least {low}, most {high}"
    return _svg(160, 32, title, [f'<polyline class="line" points="{points}"/>'], "spark")


def shares_bar(parts: Iterable[tuple[str, int, str]]) -> str:
    """Shares of a whole as one bar.

    Args:
        parts: Of each its name, its number, and its class.
    """
    parts = [part for part in parts if part[1] > 0]
    whole = sum(count for _name, count, _class in parts)
    drawn, left = [], 0.0
    for name, count, kind in parts:
        width = 1000 * count / whole
        drawn.append(
            f'<rect class="{escape(kind)}" x="{left:.2f}" y="0" width="{width:.2f}" height="20"><title>{escape(name)}: {count}</title></rect>'
        )
        left += width
    return _svg(1000, 20, ", ".join(f"{count} {name}" for name, count, _class in parts), drawn, "bar") if drawn else ""


def _host_box(site: SiteOrder, host: HostAtSite, top: int) -> str:
    home = "" if host.home == site.name else f", of {host.home}" if host.home else ", of no site"
    lines = (
        (f"{_MARKS[host.seen]} {host.name}", "strong"),
        (f"weight {host.weight}, {host.share:g} %{home}", ""),
        (host.said, "small"),
    )
    drawn = "".join(_text(24, top + 18 + 16 * number, text, kind) for number, (text, kind) in enumerate(lines))
    title = f"<title>{escape(f'{host.name}: {host.said}')}</title>"
    box = f'<rect class="host {host.seen}" x="13" y="{top}" width="{WIDTH - 26}" height="{_BOX}" rx="6"/>'
    return f"<g>{title}{box}{drawn}</g>"


def _arrow(start: tuple[float, float], end: tuple[float, float], seen: str) -> str:
    """An arrow beside the line between two sites, so that one back has room, with its head where the boxes leave room."""
    (x1, y1), (x2, y2) = start, end
    length = math.hypot(x2 - x1, y2 - y1)
    dx, dy = (x2 - x1) / length, (y2 - y1) / length
    x1, y1, x2, y2 = (x1 - 7 * dy, y1 + 7 * dx, x2 - 7 * dy, y2 + 7 * dx)
    # Where the line leaves the box of the other site.
    out = min(58 / abs(dx) if dx else math.inf, 15 / abs(dy) if dy else math.inf) + 8
    x2, y2 = x2 - out * dx, y2 - out * dy
    head = f"{x2:.1f},{y2:.1f} {x2 - 9 * dx - 5 * dy:.1f},{y2 - 9 * dy + 5 * dx:.1f} {x2 - 9 * dx + 5 * dy:.1f},{y2 - 9 * dy - 5 * dx:.1f}"
    return f'<path class="way {seen}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/><polygon class="head {seen}" points="{head}"/>'


def _text(x: float, y: float, text: str, kind: str = "", letters: int = _LETTERS) -> str:
    """A text of bounded length; one that is cut is whole in the title of the drawing."""
    shown = text if len(text) <= letters else f"{text[: letters - 1]}\u2026"
    return f'<text x="{x:.1f}" y="{y:.1f}"{_class(kind)}>{escape(shown)}</text>'


def _svg(width: float, height: float, title: str, parts: Iterable[str], kind: str = "drawing") -> str:
    ratio = ' preserveAspectRatio="none"' if kind == "bar" else ""
    return (
        f'<svg class="{kind}" role="img" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"{ratio}>'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
