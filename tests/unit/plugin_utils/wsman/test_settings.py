# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the settings of a connection tell of the host: where requests go, and which service a ticket is for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.settings import ConnectionSettings

pytestmark = pytest.mark.tier("quick")


def winrm(address: str, method: str = "kerberos", override: str = "") -> ConnectionSettings:
    pattern = SimpleNamespace(
        endpoint=f"http://{address}:5985/wsman", auth_method=method, kerberos_hostname_override=override, service="HTTP", cert_pem=None
    )
    return ConnectionSettings("winrm", pattern, (30, 30))


def psrp(address: str, method: str = "kerberos", override: str = "") -> ConnectionSettings:
    pattern = {"server": address.strip("[]"), "auth": method, "negotiate_hostname_override": override, "negotiate_service": "WSMAN"}
    return ConnectionSettings("psrp", pattern, (30, 30))


@pytest.mark.parametrize(
    ("settings", "host", "service"),
    [
        (winrm("10.0.0.1", override="kms-1.contoso.com"), "10.0.0.1", "HTTP/kms-1.contoso.com"),
        (winrm("kms-1.contoso.com"), "kms-1.contoso.com", "HTTP/kms-1.contoso.com"),
        (winrm("[2001:db8::1]", "ntlm"), "2001:db8::1", ""),
        (psrp("10.0.0.1", override="kms-1.contoso.com"), "10.0.0.1", "WSMAN/kms-1.contoso.com"),
        (psrp("[2001:db8::1]"), "2001:db8::1", "WSMAN/2001:db8::1"),
        # Negotiate may have been NTLM.
        (psrp("kms-1.contoso.com", "negotiate"), "kms-1.contoso.com", ""),
    ],
)
def test_where_requests_go_and_what_the_ticket_is_for(settings: ConnectionSettings, host: str, service: str):
    ticket = settings.ticket
    assert (settings.host, f"{ticket.service}/{ticket.host}" if ticket else "") == (host, service)
