# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.computer_list."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..plugin_utils._actions.base import Outcome, VolumeActivationAction
from ..plugin_utils._actions.this_run import this_run
from ..plugin_utils._actions.vault import cipher_of
from ..plugin_utils._computer_list import tasks
from ..plugin_utils._computer_list.given import given_computers, given_confirmations
from ..plugin_utils._computer_list.store import ListFile
from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._core.masking import Secrets, strings


class ActionModule(VolumeActivationAction):
    """The computer information list on the control node."""

    SECRETS = frozenset({"vault_password"})
    VARIABLES: t.ClassVar = {
        "vault_password": "volume_activation_list_vault_password",
        "vault_id": "volume_activation_list_vault_id",
    }
    CONSTRAINTS: t.ClassVar = {
        "required_if": [
            ("state", "saved", ["computers"]),
            ("state", "exported", ["export_path"]),
            ("state", "merged", ["export_path", "confirmation_ids"], True),
        ]
    }

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        for name in ("max_age", "backups"):
            if options[name] < 0:
                raise ActivationError(f"O({name}) is {options[name]}, but has to be 0 or more.", source="options")
        file = ListFile(options["path"], cipher_of(options["vault_password"], options["vault_id"]), options["backups"], this_run())
        done = _work(file, options, check_mode)
        if options["hosts"] is not None and done.result.get("kind") != "export":
            done.result["to_read"] = tasks.to_read(file, options["hosts"], options["max_age"])
        return Outcome(done.steps, {"path": file.path, **done.result}, warnings=done.warnings)

    def _secrets(self, given: Mapping[str, t.Any]) -> Secrets:
        """See the base class. Confirmation IDs that were typed stay in a result only where they are asked for."""
        return super()._secrets(given) if given.get("show_confirmation_ids") else self._item_secrets(given)

    def _item_secrets(self, given: Mapping[str, t.Any]) -> Secrets:
        """See the base class; with the confirmation IDs that were typed."""
        secrets = super()._secrets(given)
        entries = given.get("confirmation_ids")
        for entry in entries if isinstance(entries, (list, tuple)) else [entries]:
            # An entry may also be written as C(installation_id=… confirmation_id=…), and is a secret as a whole then.
            typed = entry.get("confirmation_id") if isinstance(entry, Mapping) else entry
            secrets.add(form for text in strings(typed) for form in (text, *text.replace("=", " ").split()))
        return secrets


def _work(file: ListFile, options: dict[str, t.Any], check_mode: bool) -> tasks.ListDone:
    # What leaves is never encrypted: who signs for it has to be able to read it.
    other = ListFile(options["export_path"], None, options["backups"], this_run()) if options["export_path"] else None
    if options["state"] == "saved":
        return tasks.save(file, given_computers(options["computers"]), options["replace_hardware"], check_mode)
    if options["state"] == "exported":
        return tasks.export(file, t.cast("ListFile", other), options["hosts"], check_mode)
    if options["state"] == "merged":
        typed, warnings = given_confirmations(options["confirmation_ids"] or ())
        done = tasks.merge(file, other, typed, options["hosts"], options["show_confirmation_ids"], check_mode)
        done.warnings += warnings
        return done
    if (options["hosts"] is not None or options["unfinished"]) and not file.exists:
        # Before the first run nothing is known of any host.
        return tasks.ListDone(result={"kind": None, "computers": []})
    return tasks.inspect(file, options["hosts"], options["show_confirmation_ids"], options["unfinished"])
