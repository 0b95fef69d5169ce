# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.unattend_key."""

from __future__ import annotations

import typing as t

from ..plugin_utils._actions.base import Outcome, VolumeActivationAction
from ..plugin_utils._licensing import given_keys
from ..plugin_utils._licensing.product_keys import normalise
from ..plugin_utils._unattend import file
from ..plugin_utils._unattend.encoding import decode
from ..plugin_utils._unattend.product_key import WantedKeys, change


class ActionModule(VolumeActivationAction):
    """A key into an answer file, or out of it."""

    SECRETS = frozenset({"product_key"})
    CONSTRAINTS: t.ClassVar = {"required_if": [("state", "present", ["product_key"])]}

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        path, present = options["path"], options["state"] == "present"
        wanted = WantedKeys(present, _key(options["product_key"], present), tuple(dict.fromkeys(options["architectures"] or ())))
        old = file.read(path)
        text, encoding = decode(old, path)
        changed = change(text.encode(), path, wanted)
        saved = ""
        if changed.steps:
            file.check_writable(path)
        if changed.steps and not check_mode:
            saved = file.replace(path, old, encoding.encode(changed.body.decode()), options["backup"])
        result = {"encoding": str(encoding), "keys": changed.keys, "setup_keys": changed.setup_keys, "backup_file": saved}
        return Outcome(changed.steps, result, warnings=changed.warnings)


def _key(text: str | None, present: bool) -> str:
    """The key; any that stands in the file by mistake can be taken out of it."""
    if not text:
        return ""
    if not present:
        return normalise(text)
    instead = "Windows comes with the setup key of its edition; use state: absent for KMS clients."
    return given_keys.checked(text, "product_key", given_keys.MAK, instead)
