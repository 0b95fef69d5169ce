# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that talk to a Windows host have in common beyond C(base): a session over the host's own connection."""

from __future__ import annotations

import math
import typing as t
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from .._core.errors import ActivationError
from .._core.masking import Secrets
from .._core.plan import StepFailed
from .._wsman.contact import FIRST_CONTACT, VARIABLE, Contact
from .._wsman.http_carrier import is_silent
from .._wsman.session import Session
from .._wsman.shared import prepare, without_environment
from .._wsman.transport import open_session
from .base import Outcome, VolumeActivationAction, named
from .silent import Silent

# How options of connection plugins are named that hold a secret, such as remote_password of winrm and psrp.
_PASSWORDS = ("password", "passphrase", "_pass")


class WindowsAction(VolumeActivationAction):
    """Base of the modules that talk to a Windows host, in one WS-Management session per task."""

    _requires_connection = True

    _first_contact: float

    def __init_subclass__(cls, **named: t.Any) -> None:
        """See the base class: what each worker would load again is loaded before it is made."""
        super().__init_subclass__(**named)
        prepare()

    def execute_on_host(self, session: Session, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """Do the module's work over the host's session."""
        raise NotImplementedError

    def execute(self, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """Open the session with the settings of the host's own connection, and close it whatever happens."""
        with opened(self._connection, self._host, self._first_contact, again=bool(self._task.until or self._task.retries)) as session:
            outcome = self.execute_on_host(session, options, check_mode)
        if self._play_context.become:
            outcome.warnings.append("become has no effect here: the rights are those of the WinRM account.")
        return outcome

    def _read_options(self, given: dict[str, t.Any], task_vars: dict[str, t.Any]) -> None:
        """See the base class; how long a host may take until its first answer as well, which is no option but a variable."""
        super()._read_options(given, task_vars)
        self._first_contact = seconds_of(self.stands_in(VARIABLE, task_vars))

    def _secrets(self, given: Mapping[str, t.Any]) -> Secrets:
        """See the base class; passwords of the connection as well, which its libraries may quote."""
        secrets = super()._secrets(given)
        names = [name for name in self._connection.option_definitions if name.endswith(_PASSWORDS)]
        # What a plugin does not know itself it passes on to its library, such as ansible_psrp_certificate_key_password.
        extras = self._connection.get_option("_extras") if self._connection.allow_extras else {}
        secrets.add(self._connection.get_option(name) for name in names)
        secrets.add(named(extras, lambda name: name.endswith(_PASSWORDS)))
        return secrets


def seconds_of(value: t.Any) -> float:
    """How long a host may take until its first answer, in seconds.

    Args:
        value: That of the variable C(volume_activation_first_contact_timeout); C(None) for none.

    Raises:
        ActivationError: It is no number above 0.
    """
    try:
        seconds = float(FIRST_CONTACT if value is None else value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise ActivationError(f"{VARIABLE} has to be a number of seconds, more than 0.", source="options")
    return seconds


@contextmanager
def opened(connection: t.Any, host: str, first_contact: float, again: bool) -> Iterator[Session]:
    """A session, and what later tasks of the run have to know of it: whether the host has answered.

    Args:
        connection: The task's connection plugin.
        host: The host's name as the inventory has it.
        first_contact: Seconds until the first answer.
        again: Ask although the host did not answer an earlier task of the run.

    Raises:
        ActivationError: It did not, and is not to be asked again.
    """
    with without_environment(), open_session(connection, host, Contact(first_contact)) as session:
        silent = Silent(session.carrier.endpoint)
        if silent and not again:
            raise ActivationError(
                "it did not answer an earlier task of this run, and is not asked again. See whether it is on and what holds it;"
                " a task with until asks nevertheless.",
                subject=host,
                source="wsman",
                unreachable=True,
            )
        try:
            yield session
        except Exception as failure:
            if is_silent(failure.__cause__ if isinstance(failure, StepFailed) and failure.__cause__ else failure):
                silent.note()
            raise
        silent.forget()
