# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab without a domain has in place of one: certificates for its machines, and empty Kerberos files."""

from __future__ import annotations

from collections.abc import Sequence

from . import names
from .layout import Layout
from .wsman import certificates

_KRB5_CONF = "[libdefaults]\n    dns_lookup_kdc = false\n    dns_lookup_realm = false\n    rdns = false\n"


def prepare(layout: Layout, machines: Sequence[names.Machine]) -> None:
    """Write the files. Raises OSError."""
    layout.create()
    layout.krb5_conf.write_text(_KRB5_CONF, encoding="utf-8")
    certificates.create(
        layout.tls, [machine.fqdn for machine in machines], [machine.address for machine in machines], user=names.CERTIFICATE_USER
    )
