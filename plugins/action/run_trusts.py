# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.run_trusts."""

from __future__ import annotations

import typing as t

from ..plugin_utils._actions.base import Outcome, VolumeActivationAction
from ..plugin_utils._directory import settings
from ..plugin_utils._directory.trusts import read_trusts


class ActionModule(VolumeActivationAction):
    """Which domains the domain of a controller trusts."""

    SECRETS = settings.SECRETS
    VARIABLES = settings.READ_VARIABLES

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        found = read_trusts(settings.DirectorySettings.from_options(options), map(str, options["domains"]))
        return Outcome(result={"trusts": {domain: trust.as_result() for domain, trust in found.items()}})
