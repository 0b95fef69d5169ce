# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client setup key of an installation, found by its own edition and build."""

from __future__ import annotations

from .._errors import ActivationError
from .._licensing.setup_keys import find
from .._wsman.session import Session
from .registry import read_string

_WINDOWS_KEY = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"


def published_key(session: Session) -> str:
    """Microsoft's published key for the edition and build that the host has.

    Raises:
        ActivationError: There is none.
    """
    edition = read_string(session, _WINDOWS_KEY, "EditionID") or ""
    build = read_string(session, _WINDOWS_KEY, "CurrentBuildNumber") or "0"
    found = find(edition, int(build))
    if found is None or not found.verified:
        raise ActivationError(
            f"{session.host}: Microsoft publishes no KMS client setup key for edition {edition or 'unknown'}, build {build};"
            " evaluation and home editions have to be changed to a volume edition first, others need product_key.",
            source="options",
        )
    return found.key
