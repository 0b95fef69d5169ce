# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a report: what it shows, that it needs nothing else, and that nobody who is named in it writes HTML."""

from __future__ import annotations

import base64
import hashlib
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from fleets import HOSTILE, SCRIPT, audit, fleet, report_of, row

from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.drawing import (
    fallback_drawing,
    shares_bar,
    site_drawing,
    sparkline,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.model import FleetReport, MakLeft
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.page import MOST_ROWS, as_html
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.sites import ANSWERS, SILENT, UNSEEN, SiteOrder, site_orders

pytestmark = pytest.mark.tier("quick")

TAGS = {"html", "head", "meta", "title", "style", "script", "body", "header", "h1", "h2", "p", "time", "nav", "a", "main", "ul", "li", "b", "section",
        "div", "table", "thead", "tbody", "tr", "th", "td", "span", "label", "input", "select", "option", "button", "figure", "figcaption",
        "svg", "g", "rect", "path", "polygon", "polyline", "text"}  # fmt: skip
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "id", "href", "hidden", "scope", "type", "value", "role", "datetime",
              "aria-label", "viewbox", "width", "height", "x", "y", "rx", "d", "points", "preserveaspectratio"}  # fmt: skip


class Read(HTMLParser):
    """A page as a browser takes it apart."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.tags[-1] if self.tags else "", []).append(data.strip())


def hostile_report(name: str) -> FleetReport:
    """A report in which everything that others name has a hostile name."""
    made = audit()
    made["deviations"][0].update(object=name, text=f"{name} differs", severity=name)
    made["topology"][name] = made["topology"].pop("east")
    made["topology"][name]["record"] = name
    made["topology"][name]["order"][0]["hosts"][0]["target"] = name
    made["links"][0]["evidence"] = name
    made["endpoints"][1]["state"] = name
    strange = row(name, product=name, state=name, channel=name, partial_key=name, reason=name, expires_in_days=3, expires=name)
    strange["kms_client_settings"] = {"discovered_machine": name}
    rows = [strange, row(name, kms_host=True, count=3), {**row(name), "outcome": name}]
    history = {name: [(name, 3), (name, 4)]}
    return report_of(rows, audit=made, history=history, maks=[MakLeft(name, name, 1, None, name)], listed={name: 3})


@pytest.mark.parametrize("name", HOSTILE)
def test_what_others_name_is_text(name: str):
    page = Read(as_html(hostile_report(name)))
    assert set(page.tags) <= TAGS
    assert page.tags.count("script") == 2
    assert {attribute for attribute, _value in page.attributes} <= ATTRIBUTES
    assert [value for attribute, value in page.attributes if attribute == "href" and not re.fullmatch("#[a-z]+", value)] == []
    # And it is there, as it is.
    if "\u2028" not in name:
        assert name in "".join(page.texts["td"])


def test_the_page_needs_nothing_else_and_lets_nothing_else_run():
    page = as_html(report_of(fleet(10), audit=audit())).decode()
    read = Read(page.encode())
    policy = next(value for name, value in read.attributes if name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "*" not in policy
    for kind in ("style", "script"):
        for inside in re.findall(f"<{kind}>(.*?)</{kind}>", page, re.DOTALL):
            hashed = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
            assert f"'sha256-{hashed}'" in policy.split(f"{kind}-src")[1].split(";")[0]
    assert {name for name, _value in read.attributes} <= ATTRIBUTES
    assert not re.search(r"url\(|@import|https?://|innerHTML|insertAdjacent|document\.write|eval|style=", page)


def test_the_page_has_each_section_with_its_rows():
    report = report_of(fleet(400), audit=audit(), maks=[MakLeft("win", "BBBBB", 5, 47)], listed={"computers": 7, "pending": 2})
    page = as_html(report).decode()
    assert re.findall(r"<h2>(.*?)</h2>", page) == [
        "Licences", "Licences that end soon", "KMS hosts", "MAKs", "Sites", "Deviations", "All computers",
    ]  # fmt: skip
    assert page.count("<tr><td>") - len(re.findall("<table class", page)) >= 401 - 6
    assert "In the computer list: 7 computers, 2 pending." in page
    assert "2 deviations, 1 unknown, 0 notes" in page
    bare = as_html(report_of([])).decode()
    for said in ("No computer was read.", "No KMS host was read.", "No sites were audited", "Nothing was compared"):
        assert said in bare


def test_a_long_table_ends_with_how_many_rows_there_are_more():
    page = as_html(report_of(row(f"pc-{number}", expires_in_days=3) for number in range(MOST_ROWS + 7))).decode()
    assert "and 7 more, which are in report.json." in page


def test_sites_tell_who_is_tried_when_and_what_was_seen():
    east, west = site_orders(audit())
    assert [(priority, [(host.name.partition(".")[0], host.home, host.seen) for host in hosts]) for priority, hosts in east.groups] == [
        (10, [("kms-e1", "east", ANSWERS), ("kms-e2", "east", SILENT)]),
        (90, [("kms-w1", "west", ANSWERS)]),
    ]
    assert [host.seen for _priority, hosts in west.groups for host in hosts] == [UNSEEN, SILENT, UNSEEN]
    assert west.groups[1][1][1].said == "link not seen; host does not answer (refused)"
    assert (east.fallbacks, west.fallbacks) == ({"west": ANSWERS}, {"east": UNSEEN})
    assert site_orders({}) == []


def test_drawings_are_xml_with_their_meaning_in_words():
    sites = site_orders(audit())
    for drawing in (
        *map(site_drawing, sites),
        fallback_drawing(sites),
        sparkline([("2026-11-01", 25), ("2026-12-01", 50)]),
        shares_bar([("a<b", 1, "x")]),
    ):
        root = ET.fromstring(drawing)
        assert root.get("role") == "img"
        assert root[0].text
    drawn = ET.fromstring(site_drawing(sites[0]))
    said = [element.text or "" for element in drawn.iter("text")]
    assert said[:2] == ["east", "_vlmcs._tcp.east.contoso.com"]
    assert "priority 10: tried first" in said
    assert "priority 90: if none of them answers" in said
    assert "weight 50, 50 %, of west" in said
    assert "east falls back to west (open)" in fallback_drawing(sites)
    assert sparkline([("2026-11-01", 25)]) == shares_bar([]) == ""


@pytest.mark.parametrize("count", [1, 2, 3, 16, 17])
def test_who_falls_back_to_whom_is_drawn_for_as_many_sites_as_a_picture_can_show(count: int):
    made = audit()
    east = made["topology"]["east"]
    made["topology"] = {f"site-{number}": {**east, "kms_hosts": [f"kms-{number}.contoso.com"]} for number in range(count)}
    drawing = fallback_drawing(site_orders(made))
    assert bool(drawing) == (2 <= count <= 16)
    assert "nan" not in drawing


def test_a_long_name_is_cut_in_the_drawing_and_whole_in_its_title():
    name = "k" * 200
    site = SiteOrder(name, name, ())
    root = ET.fromstring(site_drawing(site))
    assert all(len(element.text or "") <= 40 for element in root.iter("text"))
    assert name in (root[0].text or "")


def test_the_script_is_no_way_into_the_page():
    # A hostile name that ends the table or begins a comment leaves all rows where they are.
    page = as_html(report_of([row(name) for name in HOSTILE])).decode()
    assert SCRIPT not in page
    assert Read(page.encode()).tags.count("tr") >= len(HOSTILE) + 1
