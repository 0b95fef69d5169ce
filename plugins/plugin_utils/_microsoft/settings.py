# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Microsoft's service is and how it is reached: the options of the modules that ask it. Pure.

Associated with C(doc_fragments/_microsoft.py).
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from .._core.address import split_address
from .._core.errors import ActivationError

SECRETS = frozenset({"http_proxy_password"})
"""Options that are never shown."""

VARIABLES: Mapping[str, str] = {
    "microsoft_url": "volume_activation_microsoft_url",
    **{name: f"volume_activation_microsoft_{name}" for name in ("ca_path", "http_proxy", "http_proxy_username", "http_proxy_password")},
}
"""Option to the variable that stands in where the task leaves the option out."""

REQUIRED_BY: Mapping[str, str] = {"http_proxy_username": "http_proxy", "http_proxy_password": "http_proxy_username"}
"""Options that mean nothing without another."""

_MOST_PARALLEL = 16
_MOST_RETRIES = 10
_LONGEST_TIMEOUT = 3600


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy.

    Attributes:
        address: C(host:port), for messages.
        url: The same with its account, which must not be seen.
        named_by: What names it, for messages.
        account: What its account is given by, for messages.
    """

    address: str
    url: str
    named_by: str = "O(http_proxy)"
    account: str = "O(http_proxy_username) and O(http_proxy_password)"


def proxy_of_environment(url: str) -> Proxy | None:
    """The proxy that an environment variable names, in the form in which curl and others take it; C(None) where it cannot be read."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        address = f"{parts.hostname}:{parts.port or 80}"
    except ValueError:
        return None
    return Proxy(address, url, "HTTPS_PROXY of the environment", "the account in HTTPS_PROXY of the environment")


@dataclass(frozen=True, slots=True)
class MicrosoftSettings:
    """How Microsoft is asked.

    Attributes:
        url: The service.
        ca_path: PEM file with the authorities that may have issued its certificate; empty for those that the control node trusts.
        proxy: The proxy on the way; C(None) where there is none.
        timeout: Seconds that one request may take, from the resolution of the name to the end of the answer.
        retries: How often a request is repeated after a fault of the service.
        parallel: How many requests are under way at once.
    """

    url: str
    ca_path: str = ""
    proxy: Proxy | None = None
    timeout: float = 60
    retries: int = 3
    parallel: int = 4

    @property
    def place(self) -> str:
        """Name of the service's host, for messages, with the port where it is not the usual one."""
        return urlsplit(self.url).netloc


def settings_from_options(options: Mapping[str, t.Any]) -> MicrosoftSettings:
    """What checked module options mean.

    Raises:
        ActivationError: One of them cannot be.
    """
    for name, least, most in (("timeout", 1, _LONGEST_TIMEOUT), ("retries", 0, _MOST_RETRIES), ("parallel", 1, _MOST_PARALLEL)):
        if not least <= options[name] <= most:
            raise ActivationError(f"O({name}) is {options[name]:g}, but has to be from {least} to {most}.", source="options")
    return MicrosoftSettings(
        url=_checked_url(options["microsoft_url"]),
        ca_path=options["ca_path"] or "",
        proxy=_proxy(options),
        timeout=options["timeout"],
        retries=options["retries"],
        parallel=options["parallel"],
    )


def _checked_url(text: str) -> str:
    """An address with TLS: installation IDs and what comes for them go over no other connection."""
    try:
        parts = urlsplit(text)
        fits = parts.scheme == "https" and parts.hostname and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not text.isprintable() or " " in text:
        raise ActivationError(
            "O(microsoft_url) has to be an address such as https://activation.sls.microsoft.com/BatchActivation/BatchActivation.asmx.",
            source="options",
        )
    return text


def _proxy(options: Mapping[str, t.Any]) -> Proxy | None:
    text = (options["http_proxy"] or "").strip()
    if not text:
        return None
    if "@" in text:
        # It may hold a password, and is no secret option, so it is not repeated.
        raise ActivationError(
            "O(http_proxy) holds an account; give it by O(http_proxy_username) and O(http_proxy_password), which are not shown.",
            source="options",
        )
    plain = text.removeprefix("http://").rstrip("/")
    if "/" in plain:
        raise ActivationError(
            f"O(http_proxy) is '{text}', but has to be the address of an HTTP proxy, such as http://proxy.contoso.com:3128.",
            source="options",
        )
    host, port = split_address(plain, 80)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    account = ""
    if options["http_proxy_username"]:
        account = f"{quote(options['http_proxy_username'], safe='')}:{quote(options['http_proxy_password'] or '', safe='')}@"
    return Proxy(address, f"http://{account}{address}")
