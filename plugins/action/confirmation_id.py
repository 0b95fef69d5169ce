# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.confirmation_id."""

from __future__ import annotations

import typing as t

from ansible.utils.display import Display

from ..plugin_utils._actions.base import Outcome, VolumeActivationAction
from ..plugin_utils._actions.this_run import this_run
from ..plugin_utils._actions.vault import cipher_of
from ..plugin_utils._computer_list.store import ListFile
from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._licensing.offline_ids import installation_digits
from ..plugin_utils._microsoft import settings
from ..plugin_utils._microsoft.acquiring import Acquired, Source, Way, acquire, acquire_into_file, given_products
from ..plugin_utils._microsoft.batch_request import checked_extended_pid
from ..plugin_utils._microsoft.service import open_service

display = Display()


class ActionModule(VolumeActivationAction):
    """Confirmation IDs from Microsoft."""

    SECRETS = settings.SECRETS | {"vault_password"}
    VARIABLES: t.ClassVar = {
        **settings.VARIABLES,
        "vault_password": "volume_activation_list_vault_password",
        "vault_id": "volume_activation_list_vault_id",
    }
    CONSTRAINTS: t.ClassVar = {
        "required_by": settings.REQUIRED_BY,
        "required_one_of": [["path", "products"]],
        "mutually_exclusive": [["path", "products"]],
    }

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        how = settings.settings_from_options(options)
        with open_service(how) as service:
            way = Way(service.ask, how, _progress, options["ask_again"], check_mode)
            done = _from_file(options, way) if options["path"] else _from_options(options, way)
        if options["show_confirmation_ids"]:
            done.result["confirmation_ids"] = [
                {"identifier": identifier, "confirmation_id": digits} for identifier, digits in done.confirmation_ids.items()
            ]
        return Outcome(done.steps, done.result, warnings=done.warnings)


def _from_file(options: dict[str, t.Any], way: Way) -> Acquired:
    file = ListFile(options["path"], None, options["backups"], this_run())
    if file.encrypted:
        # What is encrypted stays so, and an export stays readable for whoever signs for it.
        file = ListFile(options["path"], cipher_of(options["vault_password"], options["vault_id"]), options["backups"], this_run())
    return acquire_into_file(file, way)


def _from_options(options: dict[str, t.Any], way: Way) -> Acquired:
    if not options["show_confirmation_ids"]:
        raise ActivationError(
            "products come from no file, so that their confirmation IDs are kept nowhere: they need O(show_confirmation_ids): true.",
            source="options",
        )
    rows = [
        (row["identifier"] or "", installation_digits(row["installation_id"]), checked_extended_pid(row["extended_pid"]))
        for row in options["products"]
    ]
    return acquire(Source(given_products(rows)), way)


def _progress(done: int, total: int, without: int) -> None:
    display.display(f"confirmation_id: {done} of {total}, {without} without")
