# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.kms_host."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ..plugin_utils._action import Outcome, WindowsAction
from ..plugin_utils._dns.published import PublishedHosts
from ..plugin_utils._kms_endpoint.probe import probe
from ..plugin_utils._licensing.kms import checked_settings
from ..plugin_utils._licensing.product_keys import normalise
from ..plugin_utils._windows.kms_host import KmsHost
from ..plugin_utils._windows.kms_host_state import SETTINGS, Wish
from ..plugin_utils._windows.license_info import short_product
from ..plugin_utils._windows.listening import Probe
from ..plugin_utils._windows.publication import Publication, PublishedHost
from ..plugin_utils._wsman.session import Session


class ActionModule(WindowsAction):
    """Key, settings, firewall, activation, and the host's own record."""

    SECRETS = frozenset({"product_key"})
    VARIABLES: t.ClassVar = {"dns_servers": "volume_activation_dns_servers"}

    def execute_on_host(self, session: Session, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        key = options["product_key"]
        settings = {name: options[name] for name in SETTINGS if options[name] is not None}
        checked_settings(settings)
        wish = Wish(
            product_key=normalise(key) if key else None,
            settings=settings,
            activate=options["activate"],
            firewall=options["firewall"],
            netsh=options["firewall_method"] == "netsh",
            after_step=options["after"] or "",
        )
        record = PublishedHost(session, self._publication(options)) if options["publish_domain"] else None
        host = KmsHost(session, wish, check_mode, always_read=record is not None, probe=_probe_of(session))
        host.change(record.plan if record else None)
        result: dict[str, t.Any] = {"restarted": host.restarted}
        if record:
            result["publication"] = record.shown
        if host.state.service:
            result |= {"product": short_product(host.state.product), "port": host.port}
        return Outcome(host.plan.steps, result, warnings=host.warnings)

    def _publication(self, options: dict[str, t.Any]) -> Publication:
        return Publication(
            domain=options["publish_domain"],
            port=options["publish_port"],
            ticket=options["ticket"],
            timeout=options["publish_timeout"],
            reboot_timeout=options["reboot_timeout"],
            ports_of=PublishedHosts(options["publish_domain"], options["dns_servers"] or []).ports_of,
        )


def _probe_of(session: Session) -> Probe:
    """Looks at the host's ports under the address at which its WinRM answers."""
    address = urlsplit(session.carrier.endpoint).hostname or session.host
    return lambda port: str(probe(session.host, address, port).state)
