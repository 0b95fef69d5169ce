# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which proxy a host's variables name, and which one only the environment does. Accounts in their addresses are not shown."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from .._core.text import visible
from .diagnosis import ProxyOnTheWay

_LONGEST_ADDRESS = 200


def proxy_of_variable(url: str, variable: str) -> ProxyOnTheWay:
    """The proxy that a variable of the host names."""
    return ProxyOnTheWay(_without_account(url), variable, variable)


def proxy_of_environment(endpoint: str, chosen_by: str) -> ProxyOnTheWay | None:
    """The proxy that the environment names for an address, as requests would take it."""
    # What both libraries are made of; it is not imported before one of them is there.
    import requests.utils  # noqa: PLC0415

    scheme = urlsplit(endpoint).scheme
    named = requests.utils.get_environ_proxies(endpoint, no_proxy=None)
    for kind in (scheme, "all"):
        if url := named.get(kind):
            variables = [name for name, value in os.environ.items() if name.lower() == f"{kind}_proxy" and value == url]
            return ProxyOnTheWay(_without_account(url), f"{variables[0] if variables else f'{kind}_proxy'} of the environment", chosen_by)
    return None


def _without_account(url: str) -> str:
    """The address of a proxy as it may be shown."""
    start, _at, place = url.rpartition("@")
    return visible(f"{start.partition('://')[0]}://{place}" if "://" in start else place, _LONGEST_ADDRESS)
