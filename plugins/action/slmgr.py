# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.slmgr."""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ..plugin_utils._actions.base import Outcome
from ..plugin_utils._actions.windows import WindowsAction
from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._core.files import MIB, read_file
from ..plugin_utils._core.masking import Secrets
from ..plugin_utils._directory import settings
from ..plugin_utils._directory.activation_objects import ActivationObjects
from ..plugin_utils._directory.session import open_session
from ..plugin_utils._licensing.slmgr_verbs import DIRECTORY_VERBS
from ..plugin_utils._windows.slmgr.requests import License, license_text, parse
from ..plugin_utils._windows.slmgr.run import run
from ..plugin_utils._wsman.session import Session

# License files have some ten kilobytes.
_LARGEST_LICENSE = 4 * MIB


class ActionModule(WindowsAction):
    """Verbs of slmgr.vbs, in order."""

    SECRETS = settings.SECRETS | {"product_key", "confirmation_id"}
    VARIABLES = settings.READ_VARIABLES

    def execute_on_host(self, session: Session, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        requests = parse(options["verbs"], self._read_license)
        with contextlib.ExitStack() as stack:
            directory = None
            if options["domain_server"] and any(request.verb.name in DIRECTORY_VERBS for request in requests):
                directory = ActivationObjects(stack.enter_context(open_session(settings.DirectorySettings.from_options(options))))
            done = run(session, requests, check_mode, directory)
        return Outcome(done.steps, {"verbs": done.verbs, "restart_needed": done.restart_needed}, warnings=done.warnings)

    def _read_license(self, path: str) -> License:
        """A license file, looked for where the play has its files."""
        try:
            found = Path(t.cast(t.Any, self)._find_needle("files", path))
            return license_text(found.name, read_file(found, _LARGEST_LICENSE))
        except OSError as failure:
            raise ActivationError(f"The license file {path} can't be read: {failure.strerror}.", source="options") from None

    def _secrets(self, given: Mapping[str, t.Any]) -> Secrets:
        """See the base class. An entry may also be written as C(verb=atp confirmation_id=…), and is a secret as a whole then."""
        secrets = super()._secrets(given)
        entries = given.get("verbs")
        for entry in entries if isinstance(entries, (list, tuple)) else [entries]:
            if isinstance(entry, str):
                secrets.add([entry, *entry.replace("=", " ").split()])
        return secrets
