# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How each host is reached: its own connection variables, through one connection plugin of each kind."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ansible.errors import AnsibleError

from .._core.errors import ActivationError
from .._survey.accounts import SharedAccount, account_of
from .._wsman.settings import ConnectionSettings
from .._wsman.transport import address_variables, not_wsman, read_settings, resolve_options
from .variables import HostVariables, connection_variables

_KNOWN = ("winrm", "psrp")


@dataclass(frozen=True, slots=True)
class SurveyTarget:
    """A host to be asked.

    Attributes:
        name: Its name in the inventory.
        settings: How it is reached.
        account: Whose logon it is, where that counts elsewhere, too.
    """

    name: str
    settings: ConnectionSettings
    account: SharedAccount | None


def reader_of(action: t.Any, seen: Mapping[str, t.Any], local: Collection[str] = ()) -> Reader:
    """Reads how hosts are reached, as a task sees it.

    Args:
        action: The action of the task.
        seen: All variables as the task sees them.
        local: Accounts that are each computer's own.
    """
    task, context = action._task, action._play_context
    keys = task.dump_attrs()
    keys["timeout"] = context.timeout
    if context.password:
        keys["password"] = context.password
    del keys["retries"]
    above = connection_variables(task, seen, action._loader, action._templar)
    # Templates of theirs may use what else the play has.
    variables = HostVariables(seen["hostvars"], action._templar, seen if above else {}, above=above)
    return Reader(variables, action._shared_loader_obj.connection_loader, context, keys, str(task.connection or "ssh"), local)


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
        self._plugins: dict[str, tuple[t.Any, list[str]]] = {}
        self._known: dict[tuple[t.Any, ...], tuple[ConnectionSettings, str]] = {}

    def target(self, host: str) -> SurveyTarget:
        """How one host is reached.

        Most hosts differ in their addresses alone, and a plugin takes twice as long as all the rest to understand its options.

        Raises:
            ActivationError: Its connection is of another kind, or its variables do not go together.
        """
        try:
            plugin, options, address = self._resolved(host)
            key = (plugin, *((name, _hashable(value)) for name, value in options.items()))
            known = self._known.get(key)
            if known is None or not address:
                settings = self._read(plugin, host, {**options, **({"ansible_host": address} if address else {})})
                self._known[key] = (settings, address)
            else:
                settings = known[0].at(address, known[1])
        except AnsibleError as failure:
            raise ActivationError(f"{failure}", subject=host, source="ansible") from None
        return SurveyTarget(host, settings, account_of(host, settings.user, settings.password, settings.authentication, self._local))

    def plugin(self, target: SurveyTarget) -> t.Any:
        """The connection plugin with the options of that host."""
        plugin, options, address = self._resolved(target.name)
        self._read(plugin, target.name, {**options, "ansible_host": address})
        return plugin

    def _read(self, plugin: t.Any, host: str, options: Mapping[str, t.Any]) -> ConnectionSettings:
        plugin.set_options(task_keys=self._keys, var_options=options)
        return read_settings(plugin, host, kinit=False)

    def _resolved(self, host: str) -> tuple[t.Any, dict[str, t.Any], str]:
        """The plugin, what its options come from but the address, and the address; empty where no variable has it."""
        values = self._variables.of(host)
        name = str(self._variables.template(values.get("ansible_connection", self._keyword)) or "")
        if name not in self._plugins:
            plugin = self._loader.get(name, self._play_context, new_stdin=None) if name.rpartition(".")[2] in _KNOWN else None
            if plugin is None:
                raise not_wsman(name, host)
            self._plugins[name] = plugin, address_variables(plugin)
        plugin, addresses = self._plugins[name]
        options = resolve_options(plugin, values, self._variables)
        address = ""
        for variable in addresses:
            address = str(options.pop(variable, None) or address)
        return plugin, options, address


def _hashable(value: t.Any) -> t.Any:
    if isinstance(value, Mapping):
        return tuple((name, _hashable(entry)) for name, entry in value.items())
    return tuple(map(_hashable, value)) if isinstance(value, (list, tuple)) else value
