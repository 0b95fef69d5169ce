# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The address that Windows shows to users whose activation failed (Volume Activation Technical Reference, registry settings)."""

from __future__ import annotations

from ..._core.errors import ActivationError
from ..._core.plan import Plan, Step, StepKind
from ..._core.text import visible
from ..._wsman.session import Session
from ..platform import registry
from ..platform.versions import WindowsVersion
from ..spp.licensing import platform_keys

_NAME = "AlternateURL"
ATTRIBUTE = "alternate URL"
"""Its name in a plan."""


def read_alternate_url(session: Session, version: WindowsVersion) -> str | None:
    """The address that is set; C(None) for none."""
    try:
        return registry.read_string(session, _key(version), _NAME) or None
    except registry.KeyMissing:
        return None


class AlternateUrl:
    """The value of one host and what it should be.

    Args:
        session: The host.
        wanted: The address; empty to remove what is set.
        version: The host's version of Windows.
    """

    def __init__(self, session: Session, wanted: str, version: WindowsVersion) -> None:
        self._session = session
        self._wanted = wanted or None
        self._key = _key(version)
        self._key_exists = True
        self._found = self._read()

    def plan(self, plan: Plan) -> None:
        """The step that sets or removes it."""
        if self._found != self._wanted:
            how = "StdRegProv.SetStringValue" if self._wanted else "StdRegProv.DeleteValue"
            plan.add(Step(self._session.host, ATTRIBUTE, self._found, self._wanted, how, kind=StepKind.URL), self._set)

    def read_back(self) -> None:
        """Read again what was set.

        Raises:
            ActivationError: It is not as wanted.
        """
        self._found = self._read()
        if self._found != self._wanted:
            raise ActivationError(
                f"{_NAME} was set to {self._wanted or 'nothing'}, yet reads {visible(self._found or 'nothing')}; a policy may set it back.",
                subject=self._session.host,
                source="windows",
            )

    def _read(self) -> str | None:
        try:
            return registry.read_string(self._session, self._key, _NAME) or None
        except registry.KeyMissing:
            self._key_exists = False
            return None

    def _set(self) -> None:
        if self._wanted is None:
            registry.delete_value(self._session, self._key, _NAME)
            return
        # Windows makes the key only when it needs it.
        if not self._key_exists:
            registry.create_key(self._session, self._key)
        registry.write_string(self._session, self._key, _NAME, self._wanted)


def _key(version: WindowsVersion) -> str:
    return f"{platform_keys(version)[0]}\\Activation"
