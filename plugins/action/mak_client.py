# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.mak_client."""

from __future__ import annotations

import typing as t

from ..plugin_utils._action import Outcome
from ..plugin_utils._errors import ActivationError
from ..plugin_utils._licensing import given_keys
from ..plugin_utils._windows.mak_client import MakClient
from ..plugin_utils._windows.mak_client_state import Wish
from ..plugin_utils._windows.mak_product import checked_scope
from ..plugin_utils._windows.offline_activation import Confirmation
from ..plugin_utils._windows_action import WindowsAction
from ..plugin_utils._wsman.session import Session


class ActionModule(WindowsAction):
    """A MAK, and one activation with it."""

    SECRETS = frozenset({"product_key", "confirmation_id"})
    CONSTRAINTS: t.ClassVar = {"required_by": {"installation_id": "confirmation_id"}}

    def execute_on_host(self, session: Session, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        client = MakClient(session, _wish(options), check_mode)
        client.change()
        return Outcome(client.steps, client.result, warnings=client.warnings)


def _wish(options: dict[str, t.Any]) -> Wish:
    key, confirmation = options["product_key"], None
    if options["confirmation_id"]:
        if options["activate"]:
            raise ActivationError(
                "activate: true spends an activation over the network, and confirmation_id uses one that was spent already; give one of them.",
                source="options",
            )
        exact = options["exact_installation_id"]
        confirmation = Confirmation.of(options["confirmation_id"], options["installation_id"], exact)
    if options["settle"] < 0:
        raise ActivationError(f"settle is {options['settle']}, but has to be 0 seconds or more.", source="options")
    return Wish(
        product_key=given_keys.checked(key, "product_key", given_keys.MAK, "kms_client installs it.") if key else None,
        product=checked_scope(options["product"]),
        overwrite=options["overwrite"],
        applicable_only=options["applicable_only"],
        force_install=options["force_install"],
        activate=options["activate"],
        settle=options["settle"],
        confirmation=confirmation,
        installation_id=options["read_installation_id"],
    )
