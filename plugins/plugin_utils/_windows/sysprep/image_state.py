# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Setup and sysprep write down of the image (Microsoft's Windows Setup States; SysprepStatus is known from reports only)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..._wsman.session import Session
from ..platform import forms, registry
from ..spp.setup_key import CURRENT_VERSION_KEY

_STATE_KEY = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Setup\\State"
_STATUS_KEY = "SYSTEM\\Setup\\Status\\SysprepStatus"
_PENDING = (
    "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending",
    "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired",
)

COMPLETE = "IMAGE_STATE_COMPLETE"
"""Windows is set up."""
IN_AUDIT_MODE = "IMAGE_STATE_SPECIALIZE_RESEAL_TO_AUDIT"
"""Windows starts in audit mode each time."""
UNDEPLOYABLE = "IMAGE_STATE_UNDEPLOYABLE"
"""Setup or sysprep is at work, or broke off."""


@dataclass(frozen=True, slots=True)
class ImageState:
    """The state of the image.

    Attributes:
        state: C(IMAGE_STATE_COMPLETE) and so on; empty where Windows has none written down.
        generalization_state: SysprepStatus\\GeneralizationState; 7 is the one with which sysprep starts.
        cleanup_state: SysprepStatus\\CleanupState.
    """

    state: str
    generalization_state: int | None
    cleanup_state: int | None

    @property
    def generalized(self) -> bool:
        """Whether it is one of a generalized image."""
        return self.state.startswith("IMAGE_STATE_GENERALIZE_")

    def as_result(self) -> dict[str, Any]:
        """The state as a task result shows it."""
        return {"state": self.state, "generalization_state": self.generalization_state, "cleanup_state": self.cleanup_state}


UNSEEN: dict[str, Any] = {"state": None, "generalization_state": None, "cleanup_state": None}
"""What a task result shows of a state that changed after the last look."""


def sealed(generalize: bool, target: str) -> str:
    """The state in which sysprep leaves an image that starts with C(oobe) or C(audit)."""
    return f"IMAGE_STATE_{'GENERALIZE' if generalize else 'SPECIALIZE'}_RESEAL_TO_{target.upper()}"


def read_image_state(session: Session) -> ImageState:
    """The state as it is now."""
    try:
        state = registry.read_string(session, _STATE_KEY, "ImageState", forms.WORD) or ""
    except registry.KeyMissing:
        state = ""
    try:
        numbers = [registry.read_number(session, _STATUS_KEY, name) for name in ("GeneralizationState", "CleanupState")]
    except registry.KeyMissing:
        numbers = [None, None]
    return ImageState(state, numbers[0], numbers[1])


def reboot_is_pending(session: Session) -> bool:
    """Whether updates wait for a restart."""
    return any(registry.subkeys(session, key) is not None for key in _PENDING)


def windows_folder(session: Session) -> str:
    """The folder of Windows, such as C(C:\\\\Windows); a command line over WMI has no variables."""
    return (registry.read_string(session, CURRENT_VERSION_KEY, "SystemRoot", forms.FOLDER) or "C:\\Windows").rstrip("\\")
