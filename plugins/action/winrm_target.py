# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.winrm_target."""

from __future__ import annotations

import typing as t

from ..plugin_utils._actions.base import Outcome
from ..plugin_utils._actions.windows import WindowsAction
from ..plugin_utils._windows.remoting.targets import RemotingTarget, TargetWish
from ..plugin_utils._wsman.session import Session


class ActionModule(WindowsAction):
    """What a host needs to stay within reach."""

    def execute_on_host(self, session: Session, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        names = ("winrm_service", "winrm_rule", "local_accounts", "wmi_exception")
        wish = TargetWish(**{name: options[name] for name in names}, netsh=options["firewall_method"] == "netsh")
        target = RemotingTarget(session, wish)
        target.change(check_mode)
        unmet = [need.detail for need in target.needs if need.met is False and not (check_mode and need.changes)]
        result = {
            "requirements": [need.as_result() for need in target.needs],
            "complete": all(need.met is not False for need in target.needs),
        }
        return Outcome(target.steps, result, warnings=unmet)
