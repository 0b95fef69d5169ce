# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client setup key that Microsoft publishes for the edition and build of a host."""

from __future__ import annotations

from .._errors import ActivationError
from .._licensing.setup_keys import SetupKey, find
from .._wsman.session import Session
from .registry import read_string

CURRENT_VERSION_KEY = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"


def setup_key_of(session: Session) -> SetupKey:
    """The published client setup key of the Windows that a host runs, found from EditionID and build: two requests.

    Raises:
        ActivationError: Microsoft publishes none for it.
    """
    edition = read_string(session, CURRENT_VERSION_KEY, "EditionID") or ""
    build = read_string(session, CURRENT_VERSION_KEY, "CurrentBuildNumber") or "0"
    found = find(edition, int(build))
    if found is None or not found.verified:
        raise ActivationError(
            f"{session.host}: Microsoft publishes no KMS client setup key for edition {edition or 'unknown'}, build {build};"
            " evaluation and home editions have to be changed to a volume edition first, others need product_key.",
            source="options",
        )
    return found
