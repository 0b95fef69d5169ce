# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.sysprep."""

from __future__ import annotations

import re
import typing as t

from ..plugin_utils._actions.base import Outcome
from ..plugin_utils._actions.windows import WindowsAction
from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._windows.sysprep.refusals import SysprepWish
from ..plugin_utils._windows.sysprep.setup import Sysprep
from ..plugin_utils._wsman.session import Session

# A drive, and no character that a path can't have.
_PATH = re.compile(r'[A-Za-z]:\\[^"<>|?*/\x00-\x1f]*[^"<>|?*/\\\x00-\x1f]')


class ActionModule(WindowsAction):
    """Generalizes Windows, or seals it for its next start."""

    def execute_on_host(self, session: Session, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        sealing = Sysprep(session, _wish(options), check_mode)
        sealing.change()
        return Outcome(sealing.steps, sealing.result, warnings=sealing.warnings)


def _wish(options: dict[str, t.Any]) -> SysprepWish:
    for name in ("timeout", "poll"):
        if options[name] <= 0:
            raise ActivationError(f"O({name}) has to be more than 0 seconds.", source="options")
    path = options["unattend"]
    if path and not _PATH.fullmatch(path):
        raise ActivationError(
            rf"unattend is '{path}', which is no full path on the target such as C:\Windows\System32\Sysprep\unattend.xml.",
            source="options",
        )
    if not options["generalize"] and options["skip_rearm"] is not None:
        raise ActivationError(
            "O(skip_rearm) is about a rearm, which sysprep makes with generalize: true only; leave it out.", source="options"
        )
    return SysprepWish(**options)
