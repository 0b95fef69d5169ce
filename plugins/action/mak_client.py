# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.mak_client."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..plugin_utils._actions.base import Outcome
from ..plugin_utils._actions.vault import cipher_of
from ..plugin_utils._actions.windows import WindowsAction
from ..plugin_utils._computer_list.store import ListFile
from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._core.masking import Secrets
from ..plugin_utils._licensing import given_keys
from ..plugin_utils._licensing.offline_ids import checked_guid
from ..plugin_utils._windows.mak_client.product import checked_scope
from ..plugin_utils._windows.mak_client.setup import MakClient
from ..plugin_utils._windows.mak_client.state import MakClientWish
from ..plugin_utils._windows.spp.offline_activation import Confirmation
from ..plugin_utils._wsman.session import Session


class ActionModule(WindowsAction):
    """A MAK, and one activation with it."""

    SECRETS = frozenset({"product_key", "confirmation_id", "vault_password"})
    VARIABLES: t.ClassVar = {
        "vault_password": "volume_activation_list_vault_password",
        "vault_id": "volume_activation_list_vault_id",
    }
    CONSTRAINTS: t.ClassVar = {
        "required_by": {"installation_id": "confirmation_id", "listed_product": "computer_list"},
        "mutually_exclusive": [("computer_list", "confirmation_id")],
    }

    _listed: str = ""

    def execute_on_host(self, session: Session, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        client = MakClient(session, _wish(options, self._confirmation(options, check_mode)), check_mode)
        client.change()
        # The reason is a sentence for people, as an error is.
        result = {**client.result, "reason": self._names.in_words(client.reason)}
        return Outcome(client.steps, result, warnings=client.warnings)

    def _confirmation(self, options: dict[str, t.Any], check_mode: bool) -> Confirmation | None:
        """What is to be applied, given by the task or by the list; a list gives this host its own and no other."""
        given = next((name for name in ("confirmation_id", "computer_list") if options[name]), None)
        if given and options["activate"]:
            raise ActivationError(
                f"O(activate): true spends an activation over the network, and {given} uses one that was spent already; give one of them.",
                source="options",
            )
        exact = options["exact_installation_id"]
        if given == "computer_list":
            return self._of_list(options, exact, check_mode)
        return Confirmation.of(options["confirmation_id"], options["installation_id"], exact) if given else None

    def _of_list(self, options: dict[str, t.Any], exact: bool, check_mode: bool) -> Confirmation:
        file = ListFile(options["computer_list"], cipher_of(options["vault_password"], options["vault_id"]))
        activation_id = checked_guid(str(options["listed_product"] or options["product"]), "listed_product")
        computer = file.computer(self._host)
        product = computer.products.get(activation_id) if computer else None
        if product is None or not (product.confirmation_id or check_mode):
            raise ActivationError(
                f"{file.path} has no confirmation ID for the product {activation_id} of {self._host}; take it into the list first, by"
                " computer_list with state: merged.",
                source="file",
            )
        self._listed = product.confirmation_id or ""
        # In check mode a merge before has changed nothing, so that the confirmation ID may still be to come.
        return Confirmation(self._listed, product.installation_id, exact)

    def _secrets(self, given: Mapping[str, t.Any]) -> Secrets:
        """See the base class; with the confirmation ID of the list."""
        secrets = super()._secrets(given)
        secrets.add([self._listed])
        return secrets


def _wish(options: dict[str, t.Any], confirmation: Confirmation | None) -> MakClientWish:
    key = options["product_key"]
    if options["settle"] < 0:
        raise ActivationError(f"O(settle) is {options['settle']}, but has to be 0 seconds or more.", source="options")
    return MakClientWish(
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
