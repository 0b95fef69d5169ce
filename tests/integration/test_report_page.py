# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a report in a headless Chromium: desktop and phone, light and dark, 10,000 computers, and one that is called like a script."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from unit.report.fleets import HOSTILE, SCRIPT, audit, fleet, report_of, row

from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.model import MakLeft
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.page import as_html

from . import browser
from .browser import Browser

pytestmark = pytest.mark.tier("soak")

HOSTS = 10_000
WIDE, PHONE = 1280, 390
SHOWN = "Array.from(document.querySelectorAll('#computers tbody tr'), row => row.cells[0].textContent)"
PLACE = "document.getElementById('place').textContent"


@pytest.fixture(scope="module", autouse=True)
def chromium() -> None:
    """Debian's Chromium, which nothing but this needs."""
    if not browser.is_there():
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        again = ["-o", "Acquire::Retries=5"]
        for command in (["apt-get", *again, "update"], ["apt-get", *again, "install", "-y", "--no-install-recommends", "chromium"]):
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=900)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a large fleet in which some computers have hostile names and say hostile things."""
    rows: list[dict[str, Any]] = fleet(HOSTS - len(HOSTILE) - 1)
    rows += [row(name, product=name, reason=name, expires_in_days=3) for name in HOSTILE]
    history = {"kms-e1.east.contoso.com": [(f"2026-11-{day:02}T00:00:00Z", 40 + day) for day in range(1, 30)]}
    report = report_of(rows, audit=audit(), history=history, maks=[MakLeft(SCRIPT, "BBBBB", 3, 47)], listed={"computers": 3})
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(as_html(report))
    return path


@pytest.fixture
def desktop(page: Path, tmp_path: Path) -> Iterator[Browser]:
    """The page on a desktop."""
    with Browser(tmp_path / "profile", WIDE) as opened:
        opened.open(page)
        yield opened


def check_clean(opened: Browser, page: Path) -> None:
    """Nothing was asked for but the page, nothing complained, and nothing that a computer says has run."""
    assert opened.complaints == []
    assert opened.requests == [page.as_uri()]
    assert opened.value("document.title").startswith("Volume activation, ")
    assert opened.value("document.scripts.length") == 2
    assert opened.value("document.images.length") == 0


def choose(opened: Browser, control: str, text: str) -> None:
    """Give a control a value, as a reader does."""
    opened.value(f"{{ const it = document.getElementById({control!r}); it.value = {text!r}; it.dispatchEvent(new Event('input')); }}")


def sort_by(opened: Browser, column: int) -> None:
    """Press the heading of a column."""
    opened.value(f"document.querySelector('#computers th:nth-child({column}) button').click()")


def test_a_large_fleet_is_paged_sorted_and_filtered(desktop: Browser, page: Path) -> None:
    assert desktop.value(PLACE) == f"1 to 100 of {HOSTS}"
    assert len(desktop.value(SHOWN)) == 100
    desktop.value("document.getElementById('next').click()")
    assert desktop.value(PLACE) == f"101 to 200 of {HOSTS}"
    choose(desktop, "search", "PC-0012")
    assert desktop.value(SHOWN) == [f"pc-{number:05}.east.contoso.com" for number in range(120, 130)]
    sort_by(desktop, 1)
    sort_by(desktop, 1)
    assert desktop.value(SHOWN)[0] == "pc-00129.east.contoso.com"
    assert desktop.value("document.querySelector('#computers th').getAttribute('aria-sort')") == "descending"
    choose(desktop, "search", "")
    choose(desktop, "state", "notification")
    choose(desktop, "channel", "gvlk")
    assert desktop.value(PLACE) == "1 to 100 of 200"
    assert set(desktop.value("Array.from(document.querySelectorAll('#computers tbody tr'), row => row.cells[1].textContent)")) == {
        "notification"
    }
    choose(desktop, "channel", "")
    choose(desktop, "state", "")
    sort_by(desktop, 6)
    days = desktop.value("Array.from(document.querySelectorAll('#computers tbody tr'), row => +row.cells[5].textContent)")
    assert days == sorted(days)
    choose(desktop, "search", "there is none of that name")
    assert desktop.value(PLACE) == f"none of {HOSTS}"
    check_clean(desktop, page)


def test_a_computer_that_is_called_like_a_script_is_text(desktop: Browser, page: Path) -> None:
    for name in HOSTILE[:-1]:
        choose(desktop, "search", name)
        assert name in desktop.value(SHOWN)
    assert SCRIPT in desktop.value("document.getElementById('mak').textContent")
    # Neither does what somebody writes into the page.
    desktop.value("{ const it = document.createElement('script'); it.textContent = 'document.title = 1'; document.body.append(it); }")
    assert desktop.value("document.title").startswith("Volume activation, ")
    assert [complaint for complaint in desktop.complaints if "Content Security Policy" in complaint]


@pytest.mark.parametrize("width", [WIDE, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_width_in_light_and_dark(page: Path, tmp_path: Path, width: int, scheme: str) -> None:
    with Browser(tmp_path / "profile", width, dark=scheme == "dark") as opened:
        opened.open(page)
        # Wide tables scroll in themselves, and the page does not.
        assert opened.value("document.documentElement.scrollWidth") <= width
        drawings = opened.value("Array.from(document.querySelectorAll('svg.drawing'), it => it.getBoundingClientRect().width)")
        assert len(drawings) == 3
        assert max(drawings) <= width
        letters = opened.value(
            "Array.from(document.querySelectorAll('.sites svg'), it => it.getBoundingClientRect().width / it.viewBox.baseVal.width)"
        )
        assert min(letters) > 0.95
        background = opened.value("getComputedStyle(document.body).backgroundColor")
        assert background == ("rgb(13, 17, 23)" if scheme == "dark" else "rgb(255, 255, 255)")
        opened.picture(tmp_path / "page.png", whole=False)
        check_clean(opened, page)


def test_the_page_prints_light_and_without_controls(desktop: Browser, page: Path) -> None:
    desktop.prefer("dark", "print")
    assert desktop.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert desktop.value("getComputedStyle(document.getElementById('controls')).display") == "none"
    assert desktop.printed().startswith(b"%PDF")
    check_clean(desktop, page)


def test_without_script_the_tables_are_there(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(as_html(report_of(fleet(200), audit=audit())))
    with Browser(tmp_path / "profile", WIDE, script=False) as opened:
        opened.open(path)
        text = opened.text()
    assert "pc-00199.east.contoso.com" in text
    assert "Previous" not in text
