# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.kms_client."""

from __future__ import annotations

import typing as t

from ..plugin_utils._action import Outcome, WindowsAction
from ..plugin_utils._licensing.product_keys import normalise
from ..plugin_utils._windows.kms_client import KmsClient, Wish
from ..plugin_utils._windows.license_info import short_product
from ..plugin_utils._wsman.session import Session


class ActionModule(WindowsAction):
    """Key, discovery, and one attempt."""

    SECRETS = frozenset({"product_key"})

    def execute_on_host(self, session: Session, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        key = options["product_key"]
        wish = Wish(normalise(key) if key else None, options["discover"], options["activate"], options["after"] or "")
        client = KmsClient(session, wish, check_mode)
        client.change()
        return Outcome(client.steps, {"activation": client.activation, "product": short_product(client.product)})
