# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of BatchActivation written for tests from docs/facts/mak.md#request, with openssl's HMAC and urllib's TLS."""

from __future__ import annotations

import base64
import re
import ssl
import subprocess
import urllib.request
from typing import Any

from lab.microsoft.server import BatchServer

KEY = "fe319875fb4884869cf3f1ce99a89064ab571fca470450583024e214628779a0"
ACTION = "http://www.microsoft.com/BatchActivationService/BatchActivate"
HEADERS = {"Content-Type": 'text/xml; charset="utf-8"', "Accept": "text/xml", "SOAPAction": ACTION}


def inner(kind: int | str, pid: str, iid: str | None = None) -> str:
    """The inner request."""
    iid_element = f"<IID>{iid}</IID>" if iid is not None else ""
    return (
        '<ActivationRequest xmlns="http://www.microsoft.com/DRM/SL/BatchActivationRequest/1.0"><VersionNumber>2.0</VersionNumber>'
        f"<RequestType>{kind}</RequestType><Requests><Request><PID>{pid}</PID>{iid_element}</Request></Requests></ActivationRequest>"
    )


def digest_of(data: bytes) -> str:
    """The digest, by openssl."""
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{KEY}", "-binary"]
    return base64.b64encode(subprocess.run(command, input=data, capture_output=True, check=True).stdout).decode()


def envelope(text: str, *, encoding: str = "utf-16-le", digest: str | None = None) -> bytes:
    """The whole request."""
    data = text.encode(encoding)
    return (
        '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        '<BatchActivate xmlns="http://www.microsoft.com/BatchActivationService"><request>'
        f"<Digest>{digest or digest_of(data)}</Digest><RequestXml>{base64.b64encode(data).decode()}</RequestXml>"
        "</request></BatchActivate></soap:Body></soap:Envelope>"
    ).encode()


def post(service: BatchServer, body: bytes, headers: dict[str, str] | None = None, **options: Any) -> bytes:
    """What comes back. Raises what urllib raises."""
    request = urllib.request.Request(service.url, body, HEADERS if headers is None else headers)
    context = ssl.create_default_context(cafile=service.ca_path)
    with urllib.request.urlopen(request, context=context, timeout=10, **options) as answer:
        read: bytes = answer.read()
    return read


def ask(service: BatchServer, kind: int, pid: str, iid: str | None = None) -> bytes:
    """A sound request."""
    return post(service, envelope(inner(kind, pid, iid)))


def xpath(document: bytes, expression: str) -> str:
    """A string in a document, by xmllint."""
    done = subprocess.run(["xmllint", "--xpath", f"string({expression})", "-"], input=document, capture_output=True, check=True)
    return done.stdout.decode().removesuffix("\n")


def field(answer: bytes, name: str) -> str:
    """A field of the inner answer, wherever it is; empty where there is none."""
    path = "/*[local-name()='Envelope']/*[local-name()='Body']/*[local-name()='BatchActivateResponse']/*/*[local-name()='ResponseXml']"
    text = xpath(answer, path)
    assert "http://www.microsoft.com/DRM/SL/BatchActivationResponse/1.0" in text
    undeclared = re.sub(r"^<\?xml[^>]*\?>\s*", "", text)
    return xpath(undeclared.encode(), f"//*[local-name()='{name}']").strip()
