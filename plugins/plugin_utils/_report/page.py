# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one page of HTML that needs nothing but itself. Pure.

It is readable without its script, which pages, sorts and filters the rows that are there. What hosts say is text: it goes through
C(html.escape), and a Content Security Policy lets nothing run or load but what stands here, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from .assets import FIRST_SCRIPT, SCRIPT, STYLE
from .deviations import grouped, numbers
from .drawing import fallback_drawing, shares_bar, site_drawing, sparkline
from .model import NO_KEY, FleetReport, ReportedComputer, words
from .sites import site_orders

MOST_ROWS = 200
"""Rows of each table but that of all computers."""

_LICENSED = "licensed"
_READ = "read"
_SEVERITY = {"deviation": "bad", "unknown": "warn"}
_COMPUTERS = (("Computer", ""), ("State", ""), ("Product", ""), ("Channel", ""), ("Key", ""), ("Days left", "number"),
              ("KMS host", ""), ("Clients", "number"), ("Reason", ""))  # fmt: skip


def as_html(report: FleetReport) -> bytes:
    """The page, in UTF-8."""
    return "".join(_page(report)).encode("utf-8", "replace")


def _page(report: FleetReport) -> Iterator[str]:
    policy = f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(FIRST_SCRIPT)} {_hash(SCRIPT)}; base-uri 'none'; form-action 'none'"
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
    yield f"<title>Volume activation, {escape(report.time[:10])}</title>\n<style>{STYLE}</style>\n<script>{FIRST_SCRIPT}</script>\n</head>\n<body>\n"
    sections = list(_sections(report))
    moment = f'<time datetime="{escape(report.time)}">{escape(_moment(report.time))}</time>'
    yield f'<header>\n<h1>Volume activation</h1>\n<p class="faint">As of {moment}</p>\n<nav aria-label="Sections">'
    yield "".join(f'<a href="#{name}">{title}</a>' for name, title, _parts in sections)
    yield f"</nav>\n</header>\n<main>\n{_tiles(report)}"
    for name, title, parts in sections:
        yield f'<section id="{name}">\n<h2>{title}</h2>\n'
        yield from parts
        yield "</section>\n"
    yield f"</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"


def _sections(report: FleetReport) -> Iterator[tuple[str, str, Iterable[str]]]:
    yield "licences", "Licences", _licences(report)
    yield "expiring", "Licences that end soon", _expiring(report)
    yield "kms", "KMS hosts", _kms_hosts(report)
    if report.maks or report.listed:
        yield "mak", "MAKs", _maks(report)
    yield "topology", "Sites", _topology(report)
    yield "deviations", "Deviations", _deviations(report)
    yield "all", "All computers", _computers(report.computers)


def _tiles(report: FleetReport) -> str:
    read, licensed = report.outcomes[_READ], report.states()[_LICENSED]
    share = f"{100 * licensed / read:.1f} %" if read else "none"
    tiles = [
        (share, f"licensed: {licensed} of {read} that were read", "good" if read and licensed == read else ""),
        (str(len(report.computers) - read), f"not read, of {len(report.computers)}", "warn" if len(report.computers) > read else ""),
        (str(len(report.expiring)), f"end in fewer than {report.expiring_days} days", "warn" if report.expiring else ""),
        (str(len(report.kms_hosts)), "KMS hosts", ""),
    ]
    if report.audit:
        count = int(report.audit["counts"].get("deviation", 0))
        tiles.append((str(count), "deviations", "bad" if count else "good"))
    items = "".join(f'<li><b class="{kind}">{escape(number)}</b>{escape(text)}</li>' for number, text, kind in tiles)
    return f'<ul class="tiles">{items}</ul>\n'


def _licences(report: FleetReport) -> Iterator[str]:
    states = report.states().most_common()
    yield shares_bar((words(state), count, f"part-{_kind(state)}") for state, count in states)
    yield f"<p>{escape(', '.join(f'{count} {words(state)}' for state, count in states) or 'No computer was read.')}</p>\n"
    rows = [
        (product or "not known", words(channel), _state(state), str(count))
        for (product, channel, state), count in sorted(report.licences.items(), key=lambda found: (-found[1], found[0]))
    ]
    yield from _table(("Product", "Channel", "State", "Computers"), rows, numbers=(3,))
    others = [(words(outcome), str(count)) for outcome, count in sorted(report.outcomes.items()) if outcome != _READ]
    if others:
        yield from _table(("Not read", "Computers"), others, numbers=(1,))


def _expiring(report: FleetReport) -> Iterator[str]:
    rows = [(one.host, str(one.days), one.expires, words(one.channel), one.kms) for one in report.expiring]
    if not rows:
        yield f"<p>No licence of a computer that was read ends in fewer than {report.expiring_days} days.</p>\n"
    else:
        yield from _table(("Computer", "Days left", "Ends", "Channel", "KMS host"), rows, numbers=(1,))


def _kms_hosts(report: FleetReport) -> Iterator[str]:
    if not report.kms_hosts:
        yield "<p>No KMS host was read.</p>\n"
        return
    rows = []
    for one in report.kms_hosts:
        entries = report.history.get(one.host, ())
        rows.append((one.host, _state(one.state), str(one.count), Markup(sparkline(entries)), str(len(entries))))
    yield from _table(("KMS host", "State", "Clients counted", "Over time", "Reports"), rows, numbers=(2, 4))


def _maks(report: FleetReport) -> Iterator[str]:
    rows = [(mak.name, mak.key, str(mak.computers), "" if mak.remaining is None else str(mak.remaining), mak.note) for mak in report.maks]
    yield from _table(("Key", "Last five", "Computers", "Activations left", "Note"), rows, numbers=(2, 3))
    if report.listed:
        said = ", ".join(f"{count} {words(name)}" for name, count in report.listed.items())
        yield f"<p>In the computer list: {escape(said)}.</p>\n"


def _topology(report: FleetReport) -> Iterator[str]:
    sites = site_orders(report.audit)
    if not sites:
        yield "<p>No sites were audited: volume_activation_sites declares none, or volume_activation_report_audit is false.</p>\n"
        return
    yield '<p class="faint">\u2713 seen to answer, \u2717 seen not to answer, ? nobody has looked.</p>\n'
    if drawing := fallback_drawing(sites):
        yield f'<figure class="wide">{drawing}<figcaption class="faint">Who falls back to whom</figcaption></figure>\n'
    yield f'<div class="sites">{"".join(map(site_drawing, sites))}</div>\n'


def _deviations(report: FleetReport) -> Iterator[str]:
    if not report.audit:
        yield "<p>Nothing was compared with declared sites.</p>\n"
        return
    yield f"<p>{escape(numbers(report.audit['counts']))}</p>\n"
    rows = [
        (Markup(f'<span class="{_SEVERITY.get(group.severity, "")}">{escape(group.severity)}</span>'), group.who, group.text)
        for group in grouped(report.audit["deviations"])
    ]
    if rows:
        yield from _table(("Severity", "Where", "What"), rows)


def _computers(computers: Sequence[ReportedComputer]) -> Iterator[str]:
    yield (
        '<div class="controls" id="controls" hidden><label>Search<input type="search" id="search"></label>'
        '<label>State<select id="state"><option value="">all</option></select></label>'
        '<label>Channel<select id="channel"><option value="">all</option></select></label>'
        '<button type="button" id="back">Previous</button><button type="button" id="next">Next</button>'
        '<span id="place" role="status"></span></div>\n<div class="wide"><table id="computers"><thead><tr>'
    )
    yield "".join(f'<th scope="col"{_class(kind)}>{title}</th>' for title, kind in _COMPUTERS)
    yield "</tr></thead><tbody>\n"
    for one in computers:
        days, count = ("" if number is None else str(number) for number in (one.days, one.count))
        yield (
            f"<tr><td>{escape(one.host)}<td>{escape(words(one.state))}<td>{escape(one.product)}<td>{escape(words(one.channel))}"
            f'<td>{escape(one.key)}<td class="number">{days}<td>{escape(one.kms)}<td class="number">{count}<td>{escape(one.reason)}\n'
        )
    yield "</tbody></table></div>\n"


class Markup(str):
    """HTML that is escaped already."""

    __slots__ = ()


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> Iterator[str]:
    yield '<div class="wide"><table class="sortable"><thead><tr>'
    yield "".join(f'<th scope="col"{_class("number" if place in numbers else "")}>{head}</th>' for place, head in enumerate(heads))
    yield "</tr></thead><tbody>\n"
    for row in rows[:MOST_ROWS]:
        cells = "".join(
            f"<td{_class('number' if place in numbers else '')}>{cell if isinstance(cell, Markup) else escape(cell)}</td>"
            for place, cell in enumerate(row)
        )
        yield f"<tr>{cells}</tr>\n"
    yield "</tbody></table></div>\n"
    if len(rows) > MOST_ROWS:
        yield f'<p class="faint">and {len(rows) - MOST_ROWS} more, which are in report.json.</p>\n'


def _state(state: str) -> Markup:
    return Markup(f'<span class="{_kind(state)}">{escape(words(state))}</span>')


def _kind(state: str) -> str:
    return {_LICENSED: "good", "notification": "bad", "unlicensed": "bad", NO_KEY: "other"}.get(state, "warn")


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _moment(time: str) -> str:
    return f"{time[:10]} {time[11:16]} UTC"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
