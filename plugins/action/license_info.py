# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.license_info."""

from __future__ import annotations

import typing as t

from ..plugin_utils._actions.base import Outcome
from ..plugin_utils._actions.query import search
from ..plugin_utils._actions.windows import WindowsAction
from ..plugin_utils._windows.remoting.targets import RemotingTarget, TargetWish
from ..plugin_utils._windows.spp.license_info import read_brief, read_license, read_summary
from ..plugin_utils._wsman.session import Session

_READERS = {"full": read_license, "summary": read_summary, "brief": read_brief}


class ActionModule(WindowsAction):
    """Reads, and asks the answer a JMESPath question if there is one."""

    def execute_on_host(self, session: Session, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        result = _READERS[options["detail"]](session)
        if options["query"]:
            result["queried"] = search(options["query"], result)
        if options["remoting"] is not None:
            target = RemotingTarget(session, TargetWish(winrm_rule=options["remoting"]["winrm_rule"]))
            brief = options["detail"] == "brief"
            result["requirements"] = [need.as_result() for need in target.needs if not brief or need.met is False]
        return Outcome(result=result)
