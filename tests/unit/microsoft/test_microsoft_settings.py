# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules that ask Microsoft."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.settings import MicrosoftSettings, settings_from_options

pytestmark = pytest.mark.tier("quick")

GIVEN: dict[str, Any] = {
    "microsoft_url": "https://activation.sls.microsoft.com/BatchActivation/BatchActivation.asmx",
    "ca_path": None,
    "http_proxy": None,
    "http_proxy_username": None,
    "http_proxy_password": None,
    "timeout": 60.0,
    "retries": 3,
    "parallel": 4,
}


def settings(**options: Any) -> MicrosoftSettings:
    return settings_from_options(GIVEN | options)


def test_nothing_given():
    assert settings() == MicrosoftSettings(GIVEN["microsoft_url"])
    assert settings().place == "activation.sls.microsoft.com"
    assert settings(microsoft_url="https://127.0.0.1:8443/x").place == "127.0.0.1:8443"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://proxy.contoso.com:3128", "proxy.contoso.com:3128"),
        ("proxy.contoso.com:3128/", "proxy.contoso.com:3128"),
        ("http://proxy.contoso.com", "proxy.contoso.com:80"),
        ("http://[2001:db8::1]:3128", "[2001:db8::1]:3128"),
    ],
)
def test_a_proxy(text: str, address: str):
    proxy = settings(http_proxy=text).proxy
    assert proxy is not None
    assert (proxy.address, proxy.url) == (address, f"http://{address}")


def test_the_account_of_a_proxy_is_escaped_and_not_in_its_address():
    proxy = settings(http_proxy="proxy:3128", http_proxy_username="CONTOSO\\svc", http_proxy_password="p@ss:w/rd %").proxy
    assert proxy is not None
    assert (proxy.address, proxy.url) == ("proxy:3128", "http://CONTOSO%5Csvc:p%40ss%3Aw%2Frd%20%25@proxy:3128")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"timeout": 0}, "timeout is 0, but has to be from 1 to 3600"),
        ({"retries": -1}, "retries is -1"),
        ({"parallel": 17}, "parallel is 17, but has to be from 1 to 16"),
        ({"microsoft_url": "http://activation.sls.microsoft.com/x"}, "microsoft_url has to be an address such as https://"),
        ({"microsoft_url": "https:///x"}, "microsoft_url has to be"),
        ({"microsoft_url": "https://a:b@contoso.com/x"}, "microsoft_url has to be"),
        ({"microsoft_url": "https://contoso.com:port/x"}, "microsoft_url has to be"),
        ({"microsoft_url": "https://contoso.com/a b"}, "microsoft_url has to be"),
        ({"http_proxy": "https://proxy:3128"}, "http_proxy"),
        ({"http_proxy": "http://proxy/path"}, "has to be the address of an HTTP proxy"),
        ({"http_proxy": "proxy:none"}, "'proxy:none' has no valid port"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], says: str):
    with pytest.raises(ActivationError, match=says.replace("(", r"\(")) as refused:
        settings(**options)
    assert refused.value.source == "options"


def test_an_account_in_the_address_of_a_proxy_is_refused_and_not_repeated():
    with pytest.raises(ActivationError, match="http_proxy_username") as refused:
        settings(http_proxy="http://svc:hidden@proxy:3128")
    assert "hidden" not in refused.value.message
