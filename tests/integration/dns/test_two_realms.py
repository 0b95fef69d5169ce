# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One process and two realms: a real domain, and a KDC of the test that says who asked it and refuses.

It shows that each logon asks the KDC of its own realm for its own account, at the same time too. A ticket of the second
realm would take a second domain.
"""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import gssapi
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._kerberos.logon import KerberosAccount, Logon
from ansible_collections.winops.volume_activation.plugins.plugin_utils._kerberos.tickets import tickets
from lab import names
from lab.domain.controller import Domain

from ..conftest import NEEDS_DOMAIN
from .helpers import DC_ADDRESS, Place

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

KDC_ADDRESS, REALM = "127.0.0.36", b"FABRIKAM.COM"
CLIENT_REVOKED = 18


def tlv(tag: int, content: bytes) -> bytes:
    """A value in DER, of less than 128 bytes."""
    return bytes((tag, len(content))) + content


def refusal(code: int) -> bytes:
    """KRB-ERROR (RFC 4120 5.9.1)."""
    number, text = (lambda value: tlv(2, bytes((value,)))), (lambda value: tlv(0x1B, value))
    service = tlv(0x30, tlv(0xA0, number(2)) + tlv(0xA1, tlv(0x30, text(b"krbtgt") + text(REALM))))
    fields = {0: number(5), 1: number(30), 4: tlv(0x18, b"20260101000000Z"), 5: number(0), 6: number(code), 9: text(REALM), 10: service}
    return tlv(0x7E, tlv(0x30, b"".join(tlv(0xA0 + place, value) for place, value in fields.items())))


@pytest.fixture
def asked() -> Iterator[list[bytes]]:
    """What the KDC of the second realm was asked."""
    requests: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as kdc:
        kdc.bind((KDC_ADDRESS, 88))

        def serve() -> None:
            while True:
                request, client = kdc.recvfrom(65536)
                if request == b"end":
                    return
                requests.append(request)
                kdc.sendto(refusal(CLIENT_REVOKED), client)

        server = threading.Thread(target=serve)
        server.start()
        yield requests
        kdc.sendto(b"end", (KDC_ADDRESS, 88))
        server.join()


def fabrikam(user: str) -> ActivationError:
    """A logon in the second realm, which its KDC refuses."""
    logon = Logon(KerberosAccount(f"{user}@fabrikam.com", "Lab.Fabrikam.2026"), REALM.decode(), KDC_ADDRESS)
    with pytest.raises(ActivationError) as failed, tickets(logon):
        pass
    return failed.value


def contoso(user: str, password: str) -> str:
    """Whose ticket for the controller's DNS service a logon in the first realm gets, as klist prints it."""
    logon = Logon(KerberosAccount(f"{user}@contoso.com", password), names.REALM, DC_ADDRESS)
    with tickets(logon):
        return str(gssapi.Credentials(usage="initiate").name)


def test_two_realms_in_turn_and_at_once(running: Domain, secure: Place, asked: list[bytes]) -> None:
    before = dict(os.environ)
    operator = (names.OPERATOR, names.OPERATOR_PASSWORD)
    service = (names.WINRM_USER, names.WINRM_PASSWORD)
    for turn in range(2):
        assert contoso(*operator) == f"{names.OPERATOR}@{names.REALM}"
        refused = fabrikam(f"kms-admin-{turn}")
        assert (refused.name, refused.source) == ("KDC_ERR_CLIENT_REVOKED", "kerberos")
        assert f"the account kms-admin-{turn} is disabled" in str(refused)
        assert "logon to FABRIKAM.COM failed" in str(refused)
        assert contoso(*service) == f"{names.WINRM_USER}@{names.REALM}"
    with ThreadPoolExecutor(6) as pool:
        mixed = [pool.submit(contoso, *(operator if number % 2 else service)) for number in range(6)]
        others = [pool.submit(fabrikam, f"kms-admin-{number}") for number in range(6)]
        secure.ensure("0 0 1688 kms-1.contoso.com")
        assert [one.result() for one in mixed] == [f"{name}@{names.REALM}" for name in [names.WINRM_USER, names.OPERATOR] * 3]
        assert all(f"kms-admin-{number} " in str(one.result()) for number, one in enumerate(others))
    assert all(REALM in request and b"kms-admin-" in request and b"CONTOSO" not in request for request in asked)
    assert len(asked) >= 8
    assert b"Lab.Fabrikam" not in b"".join(asked)
    assert dict(os.environ) == before
    assert subprocess.run(["klist", "-s"], check=False).returncode != 0
