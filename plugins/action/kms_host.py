# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.kms_host."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ..plugin_utils._action import Outcome, WindowsAction
from ..plugin_utils._dns.published import PublishedRecords
from ..plugin_utils._kms_endpoint.probe import probe
from ..plugin_utils._licensing.kms import checked_settings
from ..plugin_utils._licensing.product_keys import normalise
from ..plugin_utils._licensing.publish_list import ListWish, checked_lines
from ..plugin_utils._srv_value import plain_name
from ..plugin_utils._windows.kms_host import KmsHost
from ..plugin_utils._windows.kms_host_state import SETTINGS, Wish
from ..plugin_utils._windows.license_info import short_product
from ..plugin_utils._windows.listening import Probe
from ..plugin_utils._windows.publication import Publication, PublishedHost, Wanted
from ..plugin_utils._windows.publish_list import planned
from ..plugin_utils._wsman.session import Session


class ActionModule(WindowsAction):
    """Key, settings, firewall, activation, and the host's own values in DNS."""

    SECRETS = frozenset({"product_key"})
    VARIABLES: t.ClassVar = {"dns_servers": "volume_activation_dns_servers"}

    def execute_on_host(self, session: Session, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        wish = _wish(options)
        publication = _publication(options)
        records = PublishedHost(session, publication) if publication.wanted else None
        host = KmsHost(session, wish, check_mode, always_read=records is not None, probe=_probe_of(session))
        host.change(records.plan if records else None)
        result: dict[str, t.Any] = {"restarted": host.restarted}
        if wish.publish_list is not None:
            now = planned(wish.publish_list, host.state.publish_list)
            result["publish_list"] = {"lines": list(now.lines), "foreign": list(now.foreign)}
        if records:
            result["publications"] = records.shown
        if options["publish_domain"] and records:
            named = f"_vlmcs._tcp.{plain_name(options['publish_domain'])}"
            result["publication"] = next(entry for entry in records.shown if entry["record"] == named)
        if host.state.service:
            result |= {"product": short_product(host.state.product), "port": host.port}
        return Outcome(host.plan.steps, result, warnings=host.warnings)


def _wish(options: dict[str, t.Any]) -> Wish:
    """What the host should be.

    Raises:
        ActivationError: Something in it can't be.
    """
    key = options["product_key"]
    settings = {name: options[name] for name in SETTINGS if options[name] is not None}
    checked_settings(settings)
    lines = options["publish_list"]
    return Wish(
        product_key=normalise(key) if key else None,
        settings=settings,
        activate=options["activate"],
        publish_list=None if lines is None else ListWish(checked_lines(lines, "publish_list"), options["publish_list_mode"] == "exact"),
        firewall=options["firewall"],
        netsh=options["firewall_method"] == "netsh",
        after_step=options["after"] or "",
    )


def _publication(options: dict[str, t.Any]) -> Publication:
    """Where the host has to appear; the short form is one more record, unless that is described in full.

    Raises:
        ActivationError: Something in it can't be.
    """
    given = list(options["publish_domains"] or [])
    checked_lines(given, "publish_domains")
    short = options["publish_domain"]
    if short and plain_name(short) not in {plain_name(entry["domain"]) for entry in given}:
        given.insert(0, {"domain": short, "priority": None, "weight": None, "dns_servers": None})
    wanted = tuple(Wanted(plain_name(entry["domain"]), entry["priority"], entry["weight"]) for entry in given)
    # Servers that are named for one record hold its zone; those of the task may be anything that answers.
    servers = {
        plain_name(entry["domain"]): (entry["dns_servers"] or options["dns_servers"] or [], bool(entry["dns_servers"])) for entry in given
    }
    return Publication(
        wanted=wanted,
        port=options["publish_port"],
        ticket=options["ticket"],
        timeout=options["publish_timeout"],
        reboot_timeout=options["reboot_timeout"],
        values_of=PublishedRecords(servers).values_of,
    )


def _probe_of(session: Session) -> Probe:
    """Looks at the host's ports under the address at which its WinRM answers."""
    address = urlsplit(session.carrier.endpoint).hostname or session.host
    return lambda port: str(probe(session.host, address, port).state)
