# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.mak_info."""

from __future__ import annotations

import typing as t

from ..plugin_utils._actions.base import Outcome, VolumeActivationAction
from ..plugin_utils._microsoft import settings
from ..plugin_utils._microsoft.batch_request import checked_extended_pid
from ..plugin_utils._microsoft.counts import counts
from ..plugin_utils._microsoft.service import open_service


class ActionModule(VolumeActivationAction):
    """What Microsoft has left of keys."""

    SECRETS = settings.SECRETS
    VARIABLES = settings.VARIABLES
    CONSTRAINTS: t.ClassVar = {"required_by": settings.REQUIRED_BY}

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        how = settings.settings_from_options(options)
        keys = [(key["name"] or "", checked_extended_pid(key["extended_pid"])) for key in options["extended_pids"]]
        with open_service(how) as service:
            return Outcome(result={"counts": counts(keys, service.ask, how)})
