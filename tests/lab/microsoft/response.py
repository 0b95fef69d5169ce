# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BatchActivation's answers in every form that is open (docs/facts/mak.md#answer)."""

from __future__ import annotations

from xml.sax.saxutils import escape

from .request import CONFIRMATION, SERVICE, SOAP, BatchRequest
from .variants import variant

RESPONSE = "http://www.microsoft.com/DRM/SL/BatchActivationResponse/1.0"

_XSI, _XSD = "http://www.w3.org/2001/XMLSchema-instance", "http://www.w3.org/2001/XMLSchema"
_SCHEMAS = (f'xmlns:xsi="{_XSI}"', f'xmlns:xsd="{_XSD}"')
_DECLARATIONS = {
    "utf-16": '<?xml version="1.0" encoding="utf-16"?>',
    "UTF-16": "<?xml version='1.0' encoding='UTF-16'?>\n",
    "standalone": '<?xml version="1.0" encoding="utf-16" standalone="yes"?>',
    "left out": "",
}


def confirmed(seed: int, request: BatchRequest, confirmation_id: str, repeats: bool = False) -> bytes:
    """An answer with a confirmation ID; with C(repeats) it has the installation ID in any case, by which it is known whose it is."""
    return _envelope(seed, _Answer(seed, request, repeats).render(confirmation_id))


def remaining(seed: int, request: BatchRequest, count: int, code: int = 0) -> bytes:
    """An answer with a count, and with a code where a count is negative because the key is blocked."""
    return _envelope(seed, _Answer(seed, request).render(str(count), code))


def refused(seed: int, request: BatchRequest, code: int) -> bytes:
    """An answer with an error code and nothing else."""
    return _envelope(seed, _Answer(seed, request).render(None, code))


def empty() -> bytes:
    """An envelope with an empty result."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{SOAP}"><soap:Body><BatchActivateResponse '
        f'xmlns="{SERVICE}"><BatchActivateResult><ResponseXml /></BatchActivateResult></BatchActivateResponse></soap:Body></soap:Envelope>'
    ).encode()


def fault(text: str) -> bytes:
    """What ASP.NET says to a request that it does not take, with HTTP 500."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{SOAP}"><soap:Body><soap:Fault>'
        f"<faultcode>soap:Client</faultcode><faultstring>{escape(text)}</faultstring><detail /></soap:Fault></soap:Body></soap:Envelope>"
    ).encode()


class _Answer:
    """The inner XML. The names of its root and of what is around the fields are in no reference: the lab's own choice."""

    def __init__(self, seed: int, request: BatchRequest, repeats: bool = False) -> None:
        self._seed = seed
        self._request = request
        self._echo = "both" if repeats else variant(seed, "echo")
        self._prefix = "r:" if self._is("answer prefixes", "named") else ""
        space = variant(seed, "whitespace")
        self._line = "" if space == "none" else "\n  "
        self._pad = "\n    " if space == "padded" else ""

    def _is(self, topic: str, name: str) -> bool:
        return variant(self._seed, topic) == name

    def render(self, value: str | None, code: int = 0) -> str:
        """An answer with a value, a code, or both."""
        request, name = self._request, "CID" if self._request.kind == CONFIRMATION else "ActivationRemaining"
        fields = [] if self._echo == "none" else [self._element("PID", request.pid)]
        if self._echo == "both" and request.installation_id:
            fields.append(self._element("IID", request.installation_id))
        if value is not None:
            deeper = name == "CID" and self._is("place of the confirmation ID", "one deeper")
            fields.append(self._nest("Confirmation", self._element(name, value)) if deeper else self._element(name, value))
        elif self._is("other fields", "empty"):
            fields.append(f"<{self._prefix}{name} />")
        if code:
            error = self._element("ErrorCode", self._code(code))
            fields.append(self._nest("ErrorInfo", error) if self._is("place of the error", "in ErrorInfo") else error)
        body = self._nest("Responses", self._nest("Response", *fields))
        head = self._element("VersionNumber", "2.0", pad=False) + self._element("ResponseType", str(request.kind), pad=False)
        space = f'xmlns:r="{RESPONSE}"' if self._prefix else f'xmlns="{RESPONSE}"'
        root = f"{self._prefix}ActivationResponse"
        declaration = _DECLARATIONS[variant(self._seed, "answer declaration")]
        return f"{declaration}<{root} {space}>{self._line}{head}{body}</{root}>"

    def _code(self, code: int) -> str:
        return f"0x{code:X}" if self._is("case of the code", "upper") else f"0x{code:x}"

    def _element(self, name: str, text: str, pad: bool = True) -> str:
        around = self._pad if pad else ""
        return f"<{self._prefix}{name}>{around}{escape(text)}{around}</{self._prefix}{name}>{self._line}"

    def _nest(self, name: str, *inside: str) -> str:
        return f"<{self._prefix}{name}>{self._line}{''.join(inside)}</{self._prefix}{name}>{self._line}"


def _envelope(seed: int, inner: str) -> bytes:
    prefix = {"soap": "soap:", "s": "s:", "none": ""}[variant(seed, "envelope prefixes")]
    space = f'xmlns:{prefix[:-1]}="{SOAP}"' if prefix else f'xmlns="{SOAP}"'
    schemas = {"none": (), "schema": _SCHEMAS, "schema reversed": _SCHEMAS[::-1]}[variant(seed, "envelope attributes")]
    attributes = " ".join([space, *schemas])
    text = (
        f'<{prefix}Envelope {attributes}><{prefix}Body><BatchActivateResponse xmlns="{SERVICE}"><BatchActivateResult><ResponseXml>'
        f"{_escaped(variant(seed, 'escaping'), inner)}</ResponseXml></BatchActivateResult></BatchActivateResponse></{prefix}Body></{prefix}Envelope>"
    )
    declaration = variant(seed, "envelope declaration")
    if declaration == "left out":
        return text.encode()
    mark = "\ufeff" if declaration == "byte order mark" else ""
    return f'{mark}<?xml version="1.0" encoding="utf-8"?>{text}'.encode()


def _escaped(how: str, inner: str) -> str:
    if how == "CDATA":
        return f"<![CDATA[{inner}]]>"
    if how == "numbers":
        return "".join(f"&#{ord(letter)};" if letter in "<>&\"'" else letter for letter in inner)
    return escape(inner)
