# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What brings messages to a host: the only thing that another transport has to offer."""

from __future__ import annotations

import typing as t

from .._core.codes.code import http
from .._core.errors import ActivationError


class HttpError(ActivationError):
    """The HTTP server refused the message before WS-Management saw it.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, clause: str, status: int, subject: str = "", remedy: str = "") -> None:
        super().__init__(clause, subject=subject, remedy=remedy, code=http(status), source="wsman")
        self.status = status


class Carrier(t.Protocol):
    """Brings a message to the host and its answer back."""

    endpoint: str

    def send(self, message: bytes) -> bytes:
        """The body of the answer, also where it is a SOAP fault.

        Raises:
            UnknownOutcome: The connection broke after the message had gone out.
            HttpError: An HTTP status of 400 or more without a SOAP fault.
            ActivationError: The host can't be reached, or doesn't accept the credentials.
        """

    def reconnect(self) -> None:
        """Forget the connection, so that the next message builds a new one and authenticates again."""

    def close(self) -> None:
        """Close the connection."""


CarrierT = t.TypeVar("CarrierT", bound=Carrier)
