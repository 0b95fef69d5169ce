# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the hosts are reached: what the inventory says, and how the server of canned answers is started for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scale.exchange import PASSWORD, USER

from lab.domain.controller import Domain

from . import directory


@dataclass(frozen=True)
class Place:
    """Where things are that connections need.

    Attributes:
        folder: What is made for the run.
        domain: The domain; None where there is none.
    """

    folder: Path
    domain: Domain | None = None


@dataclass(frozen=True)
class Connection:
    """A connection of Ansible.

    Attributes:
        variables: Those of the inventory.
        server: What the server is started with beside its port.
        transport: That of pywinrm, for a script.
        ca: The certificate of the authority; empty where none is checked.
        environment: What the environment has beside.
    """

    variables: Mapping[str, Any]
    server: Sequence[str] = ()
    transport: str = "basic"
    ca: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


NAMES = ("basic", "basic_tls", "basic_tls_unchecked", "ntlm", "kerberos", "psrp")
"""Kerberos takes a domain."""


def named(name: str, place: Place) -> Connection:
    """A connection by its name.

    Args:
        name: One of C(NAMES).
        place: Where things are.
    """
    user = {"ansible_user": USER, "ansible_password": PASSWORD}
    winrm = {**user, "ansible_connection": "winrm", "ansible_winrm_scheme": "http"}
    tls = {**winrm, "ansible_winrm_transport": ["basic"], "ansible_winrm_scheme": "https"}
    ntlm = ["--ntlm", str(place.folder / f"{name}-users")]
    over_tls = ["--tls", str(place.folder / f"{name}-tls")]
    ca = str(place.folder / f"{name}-tls" / "ca.pem")
    if name == "basic":
        return Connection({**winrm, "ansible_winrm_transport": ["basic"]})
    if name == "basic_tls":
        return Connection({**tls, "ansible_winrm_ca_trust_path": ca}, over_tls, ca=ca)
    if name == "basic_tls_unchecked":
        return Connection({**tls, "ansible_winrm_server_cert_validation": "ignore"}, over_tls)
    if name == "ntlm":
        return Connection({**winrm, "ansible_winrm_transport": ["ntlm"]}, ntlm, transport="ntlm")
    if name == "psrp":
        protocol = {"ansible_connection": "psrp", "ansible_psrp_protocol": "http", "ansible_psrp_auth": "ntlm"}
        return Connection({**user, **protocol}, ntlm)
    assert name == "kerberos" and place.domain
    kerberos = {
        **winrm,
        "ansible_user": directory.USER,
        "ansible_password": directory.PASSWORD,
        "ansible_winrm_transport": ["kerberos"],
        # Ansible runs kinit with a bare environment.
        "ansible_winrm_kinit_env_vars": ["KRB5_CONFIG"],
        "ansible_winrm_kerberos_hostname_override": directory.MACHINE.fqdn,
    }
    layout = place.domain.layout
    return Connection(kerberos, [*ntlm, "--keytab", str(layout.keytab)], environment={"KRB5_CONFIG": str(layout.krb5_conf)})
