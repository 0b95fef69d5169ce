# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.kms_client."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ..plugin_utils._actions.base import Outcome
from ..plugin_utils._actions.windows import WindowsAction
from ..plugin_utils._core.address import checked_domain, checked_host, split_address
from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._licensing.kms import checked_settings
from ..plugin_utils._licensing.product_keys import normalise
from ..plugin_utils._windows.kms_client.setup import KmsClient
from ..plugin_utils._windows.kms_client.state import KmsClientWish
from ..plugin_utils._windows.spp.client_product import checked_product
from ..plugin_utils._windows.spp.client_settings import ACTIVATION_TYPES, Wanted
from ..plugin_utils._windows.spp.license_info import short_product
from ..plugin_utils._wsman.session import Session


class ActionModule(WindowsAction):
    """Key, the way to a KMS host, and one attempt."""

    SECRETS = frozenset({"product_key"})
    CLEARED_BY_EMPTY = frozenset({"lookup_domain", "alternate_url"})
    CONSTRAINTS: t.ClassVar = {"required_by": {"kms_port": "kms_host"}}

    def execute_on_host(self, session: Session, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        client = KmsClient(session, _wish(options), check_mode)
        client.change()
        result = {"activation": client.activation, "product": short_product(client.product), **client.lookup}
        return Outcome(client.steps, result, warnings=client.warnings)


def _wish(options: dict[str, t.Any]) -> KmsClientWish:
    key, host, suffixes = options["product_key"], options["kms_host"], options["dns_suffixes"]
    checked_settings(options)
    if host and options["discover"]:
        raise ActivationError("O(kms_host) is given, and O(discover): true clears a fixed host; give one of them.", source="options")
    fixed, port = _fixed_host(host, options["kms_port"]) if host else (None, None)
    settings: dict[str, Wanted] = {}
    if options["lookup_domain"] is not None:
        settings["lookup_domain"] = checked_domain(options["lookup_domain"], "lookup_domain") if options["lookup_domain"] else None
    if options["host_caching"] is not None:
        settings["host_caching"] = options["host_caching"]
    if options["activation_type"] is not None:
        number = next(number for number, name in ACTIVATION_TYPES.items() if name == options["activation_type"])
        settings["activation_type"] = number or None
    return KmsClientWish(
        product_key=normalise(key) if key else None,
        discover=options["discover"],
        activate=options["activate"],
        after_step=options["after"] or "",
        kms_host=fixed,
        kms_port=port,
        settings=settings,
        dns_suffixes=None if suffixes is None else [checked_domain(suffix, "dns_suffixes") for suffix in suffixes],
        alternate_url=_url(options["alternate_url"]),
        product=checked_product(options["product"]),
        overwrite=options["overwrite"],
        allow_unverified_key=options["allow_unverified_key"],
    )


def _fixed_host(text: str, port: int | None) -> tuple[str, int | None]:
    """Host and port, which slmgr.vbs takes in one: C([2001:db8::1]:1688). Windows keeps an IPv6 address in its brackets.

    Raises:
        ActivationError: It is no host, or there are two ports.
    """
    host, own_port = split_address(text, 0)
    if own_port and port is not None:
        raise ActivationError(
            f"O(kms_host) is '{text}', which names a port, and O(kms_port) is given too; give the port once.", source="options"
        )
    return checked_host(host, "kms_host"), own_port or port


def _url(text: str | None) -> str | None:
    """An address that a browser opens; empty to remove what is set."""
    if not text:
        return text
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or not text.isprintable() or " " in text:
        raise ActivationError(f"O(alternate_url) is '{text}', which is no address such as https://contoso.com/help.", source="options")
    return text
