# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Microsoft is asked, byte by byte, against docs/facts/mak.md#request."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft import batch_request
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.batch_request import (
    Question,
    checked_extended_pid,
    envelope,
)

pytestmark = pytest.mark.tier("quick")

PID = "03612-00206-271-344265-03-1033-20348.0000-0012026"
IID = "0123456" * 9
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
SERVICE = "{http://www.microsoft.com/BatchActivationService}"
REQUEST = "{http://www.microsoft.com/DRM/SL/BatchActivationRequest/1.0}"


def test_the_constant_is_the_one_that_the_sources_agree_on():
    assert hashlib.sha256(batch_request.HMAC_KEY.ljust(64, b"\0")).hexdigest() == (
        "8538ab80e970be0b3a2a882d0b213bebf3f1f10c3c35e220caf59a41c86475af"
    )


def test_headers():
    assert dict(batch_request.HEADERS) == {
        "Content-Type": 'text/xml; charset="utf-8"',
        "Accept": "text/xml",
        "SOAPAction": "http://www.microsoft.com/BatchActivationService/BatchActivate",
    }


def unpacked(message: bytes) -> tuple[str, bytes]:
    """Digest and inner bytes of an envelope."""
    root = ET.fromstring(message)
    assert root.tag == f"{SOAP}Envelope"
    (request,) = root.findall(f"{SOAP}Body/{SERVICE}BatchActivate/{SERVICE}request")
    assert [element.tag for element in request] == [f"{SERVICE}Digest", f"{SERVICE}RequestXml"]
    return request[0].text or "", base64.b64decode(request[1].text or "", validate=True)


@pytest.mark.parametrize(
    ("question", "kind", "inside"), [(Question(PID, IID), "1", [("PID", PID), ("IID", IID)]), (Question(PID), "2", [("PID", PID)])]
)
def test_a_request_holds_the_extended_pid_and_an_installation_id_only_where_one_is_asked_about(question, kind, inside):
    digest, inner = unpacked(envelope(question))
    assert not inner.startswith((b"\xff\xfe", b"\xfe\xff"))
    root = ET.fromstring(inner.decode("utf-16-le"))
    assert root.tag == f"{REQUEST}ActivationRequest"
    assert root.findtext(f"{REQUEST}VersionNumber") == "2.0"
    assert root.findtext(f"{REQUEST}RequestType") == kind
    requests = root.findall(f"{REQUEST}Requests/{REQUEST}Request")
    assert [[(element.tag.removeprefix(REQUEST), element.text) for element in request] for request in requests] == [inside]
    # The digest as OpenSSL computes it.
    key = "fe319875fb4884869cf3f1ce99a89064ab571fca470450583024e214628779a0"
    command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key}", "-binary"]
    assert base64.b64decode(digest) == subprocess.run(command, input=inner, capture_output=True, check=True).stdout


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_whatever_stands_in_a_request_stays_one_text(text: str):
    _digest, inner = unpacked(envelope(Question(text, text)))
    root = ET.fromstring(inner.decode("utf-16-le"))
    assert [element.text for element in root.iter() if element.tag in (f"{REQUEST}PID", f"{REQUEST}IID")] == [text, text]


@pytest.mark.parametrize("text", [PID, f" {PID}\n", "55041-00168-305-246209-03-1033-7600.0000-0522010"])
def test_an_extended_pid_is_taken(text: str):
    assert checked_extended_pid(text) == text.strip()


@pytest.mark.parametrize("text", ["", "BCDFG-HJKMP-QRTVW-XY234-6789B", "00330-80000-00000-AA123", f"{PID}-1", f"{PID}<", "secret"])
def test_what_is_no_extended_pid_is_refused_and_a_key_not_repeated(text: str):
    with pytest.raises(ActivationError, match="is not an extended PID such as") as refused:
        checked_extended_pid(text)
    assert "HJKMP" not in refused.value.message and "secret" not in refused.value.message
