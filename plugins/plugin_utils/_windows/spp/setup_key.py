# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client setup key that Microsoft publishes for the edition and build of a host, or for a product of Office."""

from __future__ import annotations

from ..._core.errors import ActivationError
from ..._licensing.kms import WINDOWS
from ..._licensing.setup_keys import SetupKey, find, is_evaluation, is_home, office_setup_key
from ..._wsman.session import Session
from ..platform import forms
from ..platform.classes import SOFTWARE_LICENSING_PRODUCT
from ..platform.registry import read_string

CURRENT_VERSION_KEY = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"


def setup_key_of(session: Session) -> SetupKey:
    """The published client setup key of the Windows that a host runs, found from EditionID and build: two requests.

    Raises:
        ActivationError: Microsoft publishes none for it.
    """
    edition = _edition(session)
    build = read_string(session, CURRENT_VERSION_KEY, "CurrentBuildNumber", forms.BUILD) or "0"
    found = find(edition, int(build))
    if found is None or not found.verified:
        raise _no_volume_edition(session, edition) or ActivationError(
            f"Microsoft publishes no KMS client setup key for edition {edition or 'unknown'}, build {build}; give one by"
            " O(product_key) if there is one.",
            subject=session.host,
            source="options",
        )
    return found


def office_key_of(session: Session, name: str, activation_id: str, allow_unverified: bool) -> SetupKey:
    """The published client setup key of a product of Office.

    Args:
        session: The host.
        name: The product's Name.
        activation_id: Its activation ID.
        allow_unverified: Whether a key will do that is known from third parties only.

    Raises:
        ActivationError: There is none, or none of Microsoft's.
    """
    found = office_setup_key(name, activation_id)
    if found is None:
        raise ActivationError(
            f"there is no KMS client setup key known for {name}; give it by O(product_key).", subject=session.host, source="options"
        )
    if not found.verified and not allow_unverified:
        raise ActivationError(
            f"the KMS client setup key for {found.name} is known from {found.source} only, not from Microsoft; give"
            " O(product_key), or O(allow_unverified_key): true.",
            subject=session.host,
            source="options",
        )
    return found


def check_volume_licences(session: Session) -> None:
    """Refuse a Windows that has no licence for any client setup key, before one is tried: one query.

    Raises:
        ActivationError: It has none.
    """
    condition = f"ApplicationID = '{WINDOWS}' and Description like '%VOLUME_KMSCLIENT%'"
    if session.query(SOFTWARE_LICENSING_PRODUCT, ("ID",), condition):
        return
    edition = _edition(session)
    raise _no_volume_edition(session, edition) or ActivationError(
        f"this installation of edition {edition or 'unknown'} has no volume licences, so that it takes no KMS client setup"
        " key; install from volume licence media, or have slmgr.vbs /rilc put the licences back.",
        subject=session.host,
        source="windows",
    )


def _edition(session: Session) -> str:
    return read_string(session, CURRENT_VERSION_KEY, "EditionID", forms.WORD) or ""


def _no_volume_edition(session: Session, edition: str) -> ActivationError | None:
    if is_evaluation(edition):
        return ActivationError(
            f"{session.host} runs the evaluation edition {edition}, which takes no KMS client setup key; convert it first with DISM /online"
            " /Set-Edition and the setup key of the edition that it becomes.",
            source="windows",
        )
    if is_home(edition):
        return ActivationError(
            f"{session.host} runs the home edition {edition}, which KMS does not activate; upgrade it to a volume edition first.",
            source="windows",
        )
    return None
