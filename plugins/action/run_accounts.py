# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.run_accounts."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

from ..plugin_utils._actions.base import Outcome, VolumeActivationAction
from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._directory import settings
from ..plugin_utils._directory.machine_accounts import Host, MachineAccount, find_accounts
from ..plugin_utils._directory.session import open_session
from ..plugin_utils._dns.addresses import literal
from ..plugin_utils._dns.naming import Names
from ..plugin_utils._dns.srv import servers_of
from ..plugin_utils._fleet.targets import Reader, reader_of
from ..plugin_utils._srv.value import is_full_name, plain_name


class ActionModule(VolumeActivationAction):
    """The machine accounts and full names of hosts, by how they are reached."""

    SECRETS = settings.SECRETS
    VARIABLES = settings.READ_VARIABLES

    _task_vars: t.Mapping[str, t.Any]

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """See the base class."""
        self._task_vars = task_vars or {}
        return super().run(tmp, task_vars)

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        reader, given = reader_of(self, self._task_vars), {str(entry["host"]): entry for entry in options["hosts"]}
        reached = {host: _reached(reader, host) for host in given}
        names = Names(servers_of(options["dns_servers"] or ()), float(options["connection_timeout"]))
        accounts: dict[str, MachineAccount] = {}
        domain = ""
        if options["accounts"]:
            hosts = _hosts(given, reached, names)
            with open_session(settings.DirectorySettings.from_options(options)) as session:
                domain = session.root.domain
                accounts = find_accounts(session, hosts, options["account_variable"], names.addresses)
        found = {host: _shown(accounts.get(host) or MachineAccount(None), entry, reached[host][0], names) for host, entry in given.items()}
        return Outcome(result={"domain": domain, "hosts": found})


def _shown(account: MachineAccount, entry: t.Mapping[str, t.Any], connection: str, names: Names) -> dict[str, str]:
    principal = account.principal
    return {
        "account": principal.account if principal else "",
        "sid": str(principal.sid) if principal else "",
        "dn": principal.dn if principal else "",
        "dns_name": account.dns_name
        or next((plain_name(name) for name in entry["names"] if is_full_name(name)), "")
        or names.full_name(connection),
        "problem": account.problem,
    }


def _reached(reader: Reader, host: str) -> tuple[str, str]:
    """Where the connection of a host goes, and the service of its ticket; empty where it has none."""
    try:
        known = reader.target(host).settings
    except ActivationError:
        # Who can't be connected to is a finding of its own.
        return host, ""
    ticket = known.ticket
    return known.host, f"{ticket.service}/{ticket.host}" if ticket else ""


def _hosts(given: t.Mapping[str, t.Mapping[str, t.Any]], reached: t.Mapping[str, tuple[str, str]], names: Names) -> Sequence[Host]:
    own = {
        host: list(dict.fromkeys(plain_name(str(name)) for name in (*entry["names"], reached[host][0]) if not literal(str(name))))
        for host, entry in given.items()
    }
    aliases = names.followed(name for found in own.values() for name in found)
    addresses = names.addresses(connection for connection, _service in reached.values())
    return [
        Host(
            name=host,
            names=tuple(dict.fromkeys([*own[host], *(aliases[name] for name in own[host])])),
            connection=reached[host][0],
            addresses=addresses[reached[host][0]],
            named=str(entry["account"] or ""),
            service=reached[host][1],
            computer_name=str(entry["computer_name"] or ""),
        )
        for host, entry in given.items()
    ]
