# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared topologies for tests: the one of the scenarios, and any."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Declared = dict[str, dict[str, Any]]


def contoso(**more: Any) -> Declared:
    """East and west as table 5 of the scenarios means them; further keys go to both sites."""
    return {
        site: {
            "domain": f"{site}.contoso.com",
            "group": f"KMS_{site[0].upper()}",
            "domain_controllers": [f"dc1.{site}.contoso.com"],
            "kms_hosts": [
                {"name": f"kms-{site[0]}1.{site}.contoso.com", "weight": 75},
                {"name": f"kms-{site[0]}2.{site}.contoso.com", "weight": 25},
            ],
            **more,
        }
        for site in ("east", "west")
    }


_numbers = st.integers(0, 65535)
_names = st.text(st.characters(categories=["L", "N"], include_characters="-_ "), min_size=1, max_size=12)


@st.composite
def topologies(draw: st.DrawFn, ordered: bool = False) -> Declared:
    """Any number of sites and hosts. C(ordered): every local priority is lower than every remote one."""
    names = draw(st.lists(_names, min_size=1, max_size=5, unique=True))
    one_forest_domain = draw(st.booleans())
    sites: Declared = {}
    for place, name in enumerate(names):
        domain = f"s{place}.contoso.com"
        site: dict[str, Any] = {
            "domain": domain,
            "group": f"KMS_{place}",
            "domain_controllers": [f"dc{number}.{domain}" for number in range(draw(st.integers(1, 2)))],
            "remote_publish": draw(st.sampled_from(["dynamic", "static", ""])),
            "kms_hosts": [
                draw(_host(f"kms-{number}.{domain}", [*names[:place], *names[place + 1 :]], ordered))
                for number in range(draw(st.integers(1, 4)))
            ],
        }
        if one_forest_domain:
            site["ad_domain"] = "contoso.com"
            if draw(st.booleans()):
                site["zone"] = "contoso.com"
        sites[name] = site
    return sites


@st.composite
def _host(draw: st.DrawFn, name: str, others: list[str], ordered: bool) -> dict[str, Any]:
    low = st.integers(0, 99) if ordered else _numbers
    high = st.integers(100, 65535) if ordered else _numbers
    optional = {"weight": _numbers, "remote_weight": _numbers, "port": st.integers(1, 65535), "priority": low, "remote_priority": high}
    host = {"name": name, **draw(st.fixed_dictionaries({}, optional=optional))}
    if ordered:
        host.setdefault("priority", 10)
        host.setdefault("remote_priority", 100)
    override = st.fixed_dictionaries({}, optional={"priority": high, "weight": _numbers, "publish": st.booleans()})
    if others and draw(st.booleans()):
        host["overrides"] = draw(st.dictionaries(st.sampled_from(others), override, max_size=3))
    return host
