# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.debug_winrm_session."""

from __future__ import annotations

import os
import typing as t

from ansible.release import __version__ as ansible_core

from ..plugin_utils._actions.base import Outcome
from ..plugin_utils._actions.windows import WindowsAction
from ..plugin_utils._core.plan import Plan, Step
from ..plugin_utils._windows.remoting.winrm_session import inspect_session, read_for_recording
from ..plugin_utils._wsman import recording
from ..plugin_utils._wsman.session import Session
from ..plugin_utils._wsman.transport import describe_carrier


class ActionModule(WindowsAction):
    """Looks at the session, and writes down what was said if it is asked to."""

    SECRETS = frozenset({"mask"})

    def execute_on_host(self, session: Session, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        path = options["record"]
        if path:
            recording.check_target(path)
        carrier = session.carrier
        recorder = session.wrap_carrier(recording.Recorder)
        result = inspect_session(session, lambda: describe_carrier(carrier), ansible_core)
        plan = Plan()
        if path:
            read_for_recording(session)
            secrets = [*(options["mask"] or []), str(self._connection.get_option("remote_password") or "")]
            replace = None
            if options["anonymise"]:
                replace = recording.Identities((self._host,), (describe_carrier(carrier).user,))
            content = recording.document(recorder, result, secrets, replace)
            before = "a file" if os.path.lexists(path) else None
            step = Step(path, "recording", before, f"a recording of version {recording.VERSION}", "rename")
            plan.add(step, lambda: recording.write(path, content))
        if not check_mode:
            plan.run()
        return Outcome(plan.steps, result)
