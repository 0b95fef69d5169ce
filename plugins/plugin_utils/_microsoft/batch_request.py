# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the BatchActivation service is asked (docs/facts/mak.md#request). Pure."""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from .._core.errors import ActivationError
from .._licensing.copied import compact
from .._licensing.offline_ids import is_extended_pid

SERVICE_NAMESPACE = "http://www.microsoft.com/BatchActivationService"
REQUEST_NAMESPACE = "http://www.microsoft.com/DRM/SL/BatchActivationRequest/1.0"
SOAP_NAMESPACE = "http://schemas.xmlsoap.org/soap/envelope/"

HEADERS: Mapping[str, str] = {
    "Content-Type": 'text/xml; charset="utf-8"',
    "Accept": "text/xml",
    "SOAPAction": f"{SERVICE_NAMESPACE}/BatchActivate",
}

# A constant of the protocol, the same in every public client. It shows that a request is one of this protocol, and protects nothing.
HMAC_KEY = bytes.fromhex("fe319875fb4884869cf3f1ce99a89064ab571fca470450583024e214628779a0")

_LONGEST_SHOWN = 80


class RequestType(enum.IntEnum):
    """What is asked for; an answer repeats it as its ResponseType."""

    CONFIRMATION_ID = 1
    REMAINING = 2


@dataclass(frozen=True, slots=True)
class Question:
    """One request: about a computer's installation ID, or about the activations that a key has left.

    Attributes:
        extended_pid: ProductKeyID of the product, which names the key without being it. The key itself is never sent.
        installation_id: OfflineInstallationId, digits only; C(None) to ask for the activations that are left.
    """

    extended_pid: str
    installation_id: str | None = None

    @property
    def kind(self) -> RequestType:
        """What it asks for."""
        return RequestType.REMAINING if self.installation_id is None else RequestType.CONFIRMATION_ID


def checked_extended_pid(text: str) -> str:
    """An extended PID without blanks, invisible characters and other dashes than hyphens.

    Raises:
        ActivationError: It has not the shape of one. A text that may be a product key is not repeated.
    """
    pid = compact(text)
    if is_extended_pid(pid):
        return pid
    shown = f"'{pid}'" if len(pid) <= _LONGEST_SHOWN and any(character.isdigit() for character in pid) and "." in pid else "the value"
    raise ActivationError(
        f"O(extended_pid): {shown} is not an extended PID such as 03612-00206-271-344265-03-1033-20348.0000-0012026; license_info shows it"
        " for a product that has a key.",
        source="options",
    )


def inner_request(question: Question) -> str:
    """The XML of what is asked, which the service gets as Base64 of UTF-16 (little endian, no byte order mark)."""
    iid = "" if question.installation_id is None else f"<IID>{escape(question.installation_id)}</IID>"
    return (
        f'<ActivationRequest xmlns="{REQUEST_NAMESPACE}"><VersionNumber>2.0</VersionNumber><RequestType>{question.kind:d}</RequestType>'
        f"<Requests><Request><PID>{escape(question.extended_pid)}</PID>{iid}</Request></Requests></ActivationRequest>"
    )


def envelope(question: Question) -> bytes:
    """The whole message, a SOAP 1.1 envelope in UTF-8. It holds one request, as those of every public client do."""
    inner = inner_request(question).encode("utf-16-le")
    digest = base64.b64encode(hmac.digest(HMAC_KEY, inner, hashlib.sha256)).decode("ascii")
    request = base64.b64encode(inner).decode("ascii")
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<soap:Envelope xmlns:soap="{SOAP_NAMESPACE}"><soap:Body><BatchActivate xmlns="{SERVICE_NAMESPACE}"><request>'
        f"<Digest>{digest}</Digest><RequestXml>{request}</RequestXml>"
        "</request></BatchActivate></soap:Body></soap:Envelope>"
    ).encode()
