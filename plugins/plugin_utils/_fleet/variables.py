# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of hosts, as the inventory, facts and extra variables have them, without a template engine for each host."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from ansible.errors import AnsibleError, AnsibleFileNotFound
from ansible.inventory.manager import InventoryManager

from .._core.errors import ActivationError
from .._core.text import one_line

_TEMPLATES = ("{{", "{%", "{#")
_SHARED = re.compile(r"volume_activation_\w+")


class HostVariables:
    """Reads variables of one host after another; not to be used by several threads at once.

    C(hostvars[host]) makes a template engine for each host, which takes ten times as long as reading its variables. Here the
    variables are taken as they are, and the task's own engine is lent to what is a template, with the variables of that host.

    Args:
        hostvars: The magic variable.
        templar: The engine of the task. Its variables are put back.
        beneath: Variables that templates may use beside those of the host, which come first.
        watch: Sees the names of the variables of each host that is read.
        above: Variables of the play that take the place of those of every host.
    """

    def __init__(
        self,
        hostvars: t.Any,
        templar: t.Any,
        beneath: Mapping[str, t.Any] = MappingProxyType({}),
        watch: Callable[[str, Iterable[str]], None] | None = None,
        above: Mapping[str, t.Any] = MappingProxyType({}),
    ) -> None:
        self._hostvars = hostvars
        self._templar = templar
        self._beneath = beneath
        self._watch = watch
        self._above = above
        self._variables: Mapping[str, t.Any] = {}

    def of(self, host: str) -> Mapping[str, t.Any]:
        """All variables of a host, as they are. What C(template) is given belongs to it from then on."""
        self._variables = self._hostvars.raw_get(host)
        if self._watch:
            self._watch(host, self._variables)
        if self._above:
            self._variables = {**self._variables, **self._above}
        return self._variables

    def template(self, value: t.Any, name: str = "") -> t.Any:
        """The value itself, or what its template gives.

        Args:
            value: As the inventory has it.
            name: What it is, for an error; without one the error is that of the engine.

        Raises:
            ActivationError: It can't be read.
        """
        if not _may_be_template(value):
            return value
        before = self._templar.available_variables
        self._templar.available_variables = {**self._beneath, **self._variables, "hostvars": self._hostvars}
        try:
            return self._templar.template(value)
        except AnsibleError as failure:
            if name:
                raise ActivationError(_unreadable(name, failure), source="options") from None
            raise
        finally:
            self._templar.available_variables = before


def unreadable_of(variables: Mapping[str, t.Any], names: Iterable[str], templar: t.Any) -> list[str]:
    """A sentence for each of these variables that can't be read to its last entry. A template that takes C(default) would hide that.

    An option of a role that is a shared variable as long as nobody sets it goes by the name of that one.

    Args:
        variables: As the task sees them.
        names: Which of them are read.
        templar: The engine of the task.
    """
    found = []
    for name in names:
        try:
            templar.template(variables[name])
        except AnsibleError as failure:
            shared = _SHARED.search(value) if isinstance(value := variables[name], str) else None
            found.append(_unreadable(shared[0] if shared else name, failure))
    return found


def connection_variables(task: t.Any, seen: Mapping[str, t.Any], loader: t.Any, templar: t.Any) -> dict[str, t.Any]:
    """Those that play, block, role or task set themselves, which C(hostvars) can't see.

    What the task sees besides may be about its own host alone: ansible-core adds the address that it uses.

    Args:
        task: The task.
        seen: All variables as the task sees them.
        loader: The loader of the task.
        templar: The engine of the task.
    """
    play = task.get_play()
    names = {*play.get_vars(), *task.get_vars()}
    for entry in play.get_vars_files():
        for file in entry if isinstance(entry, list) else [entry]:
            try:
                path = loader.path_dwim_relative_stack(play.get_search_path(), "vars", templar.template(file))
            except AnsibleFileNotFound:
                continue
            names |= set(loader.load_from_file(path) or ())
            break
    return {name: seen[name] for name in names if name.startswith("ansible_") and name in seen}


def chosen_hosts(patterns: Iterable[str], groups: Mapping[str, Iterable[str]], limit: str, loader: t.Any) -> list[str]:
    """The names of the hosts that patterns name, within the limit of the run.

    Args:
        patterns: As C(hosts) of a play takes them.
        groups: The magic variable.
        limit: The magic variable C(ansible_limit); empty for none.
        loader: The loader of the task.

    Raises:
        ActivationError: A pattern or the limit can't be understood.
    """
    manager = InventoryManager(loader, parse=False)
    for group, hosts in groups.items():
        manager.add_group(group)
        for host in hosts:
            manager.add_host(host, group=group)
    try:
        manager.subset(limit or None)
        return [str(host.name) for host in manager.get_hosts(pattern=list(patterns))]
    except AnsibleError as failure:
        raise ActivationError(f"hosts: {failure}", source="options") from failure


def _may_be_template(value: t.Any) -> bool:
    if isinstance(value, str):
        return any(mark in value for mark in _TEMPLATES)
    # A vaulted text is none of str, and is decrypted by the engine.
    return not isinstance(value, (bool, int, float, type(None))) and (
        not isinstance(value, (list, tuple)) or any(map(_may_be_template, value))
    )


def _unreadable(name: str, failure: AnsibleError) -> str:
    """The sentence about a variable whose template or vaulted text can't be read."""
    return f"{name} can't be read: {one_line(str(failure)).rstrip('.')}. Define what it uses, or take it out."
