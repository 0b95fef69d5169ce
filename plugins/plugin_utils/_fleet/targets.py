# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How each host is reached: its own connection variables, through one connection plugin of each kind."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ansible.errors import AnsibleError

from .._errors import ActivationError
from .._survey.accounts import Account, account_of
from .._wsman.carriers import ConnectionSettings
from .._wsman.transport import not_wsman, read_settings, set_options
from .variables import HostVariables

_KNOWN = ("winrm", "psrp")


@dataclass(frozen=True, slots=True)
class Target:
    """A host to be asked.

    Attributes:
        name: Its name in the inventory.
        settings: How it is reached.
        account: Whose logon it is, where that counts elsewhere, too.
    """

    name: str
    settings: ConnectionSettings
    account: Account | None


class Reader:
    """Reads how hosts are reached.

    Args:
        variables: Their variables.
        loader: Ansible's loader of connection plugins.
        play_context: The play context of the task.
        keys: The keywords of task and play that options of connections can come from.
        keyword: The value of the keyword C(connection).
        local: Accounts that are each computer's own.
    """

    def __init__(
        self,
        variables: HostVariables,
        loader: t.Any,
        play_context: t.Any,
        keys: Mapping[str, t.Any],
        keyword: str,
        local: Collection[str],
    ) -> None:
        self._variables = variables
        self._loader = loader
        self._play_context = play_context
        self._keys = keys
        self._keyword = keyword
        self._local = frozenset(name.casefold() for name in local)
        self._plugins: dict[str, t.Any] = {}

    def target(self, host: str) -> Target:
        """How one host is reached.

        Raises:
            ActivationError: Its connection is of another kind, or its variables do not go together.
        """
        try:
            plugin = self._plugin(host)
            settings = read_settings(plugin, host, kinit=False)
        except AnsibleError as failure:
            raise ActivationError(f"{host}: {failure}", source="ansible") from None
        return Target(host, settings, account_of(host, settings.user, settings.password, settings.authentication, self._local))

    def plugin(self, target: Target) -> t.Any:
        """The connection plugin with the options of that host."""
        return self._plugin(target.name)

    def _plugin(self, host: str) -> t.Any:
        values = self._variables.of(host)
        name = str(self._variables.template(values.get("ansible_connection", self._keyword)) or "")
        kind = name.rpartition(".")[2]
        if kind not in _KNOWN:
            raise not_wsman(name, host)
        plugin = self._plugins.get(name)
        if plugin is None:
            plugin = self._plugins[name] = self._loader.get(name, self._play_context, new_stdin=None)
            if plugin is None:
                raise not_wsman(name, host)
        set_options(plugin, self._keys, values, self._variables)
        return plugin
