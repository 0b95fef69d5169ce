# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication between domain controllers: a second one joined, what arrives at one held back, released, or hurried.

Changes are pulled: whoever lacks them asks a partner for them, when the partner notifies it and from time to time. So what
is held is what arrives at one controller, by the option DISABLE_INBOUND_REPL of its own nTDSDSA object (MS-ADTS
6.1.1.2.2.1.2.1.1), as ``samba-tool drs options`` and ``repadmin /options`` do.
"""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Sequence
from typing import Any

import ldap

from .. import names, processes
from . import entries, programs, settings
from .daemon import Controller
from .programs import DomainError

DNS_PARTITIONS = (f"DC=DomainDnsZones,{names.BASE_DN}", f"DC=ForestDnsZones,{names.BASE_DN}")
_CONFIGURATION = f"CN=Configuration,{names.BASE_DN}"
PARTITIONS = (names.BASE_DN, *DNS_PARTITIONS, _CONFIGURATION, f"CN=Schema,{_CONFIGURATION}")
"""Naming contexts that both controllers hold."""

_DISABLE_INBOUND_REPL = 2
_SETTLE_SECONDS = 60.0


def _set_inbound(controller: Controller, held: bool) -> None:
    with controller.as_system() as connection:
        dn = controller.name.settings_dn
        ((_dn, values),) = connection.search_s(dn, ldap.SCOPE_BASE, attrlist=["options"])
        before = int(values.get("options", [b"0"])[0])
        options = before | _DISABLE_INBOUND_REPL if held else before & ~_DISABLE_INBOUND_REPL
        if options != before:
            connection.modify_s(dn, [(ldap.MOD_REPLACE, "options", [str(options).encode()])])


def hold(controller: Controller) -> None:
    """Let a running controller take no changes from others any more."""
    _set_inbound(controller, True)


def release(controller: Controller) -> None:
    """Let it take them again."""
    _set_inbound(controller, False)


def pull(controller: Controller, partners: Sequence[Controller]) -> None:
    """Have a controller ask its partners for all that it lacks of the domain and its DNS, and wait for it. Raises DomainError."""
    pending = [
        (f"{partition} from {partner.name.label}", _samba_tool_replicate(controller, partner, partition))
        for partner in partners
        for partition in (names.BASE_DN, *DNS_PARTITIONS)
    ]
    failed = []
    for what, process in pending:
        output, _errors = process.communicate()
        if process.returncode != 0:
            failed.append(f"{what}: {output}")
    if failed:
        raise DomainError(f"{controller.name.label} did not replicate " + "; ".join(failed))


def _samba_tool_replicate(controller: Controller, partner: Controller, partition: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            programs.find("samba-tool"),
            "drs",
            "replicate",
            controller.address,
            partner.name.label,
            partition,
            f"--configfile={controller.smb_conf}",
            programs.as_administrator(),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "KRB5_CONFIG": str(controller.layout.krb5_conf)},
    )


def join(first: Controller, second: Controller) -> None:
    """Make the tree of a second controller, registered in DNS, and a topology in which both replicate. Raises DomainError.

    The first one's tree is complete and it is stopped, as both are afterwards.
    """
    pair = (first, second)
    try:
        _write_hosts(pair, {})
        first.start()
        first.wait_ready()
        _samba_tool_join(first, second)
        with first.as_system() as connection:
            identities = {controller.name.label: _identity(connection, controller) for controller in pair}
            _register(connection, first, second, identities[second.name.label])
        _write_hosts(pair, identities)
        second.make_folders()
        settings.write(second)
        second.start()
        second.wait_ready()
        # Samba's KCC makes the connections and says who notifies whom. It would run a quarter of a minute after the start.
        for controller in pair:
            _run(controller, "samba_kcc")
        _settle(pair)
        pull(second, [first])
        pull(first, [second])
    finally:
        for controller in pair:
            controller.stop()
            controller.remove_sockets()


def _samba_tool_join(first: Controller, second: Controller) -> None:
    _run(
        first,
        "samba-tool",
        "domain",
        "join",
        names.ZONE,
        "DC",
        f"--server={first.name.fqdn}",
        f"--targetdir={second.tree}",
        "--dns-backend=SAMBA_INTERNAL",
        programs.as_administrator(),
        f"--option=netbios name={second.name.netbios}",
        f"--option=interfaces={second.address}/8",
        "--option=bind interfaces only=yes",
        "--option=vfs objects=dfs_samba4 acl_xattr",
        f"--option=log file={first.layout.logs}/join.log",
    )


def _identity(connection: Any, controller: Controller) -> str:
    """The GUID under which partners look a controller up, as the label of ``_msdcs`` that it is."""
    ((_dn, values),) = connection.search_s(controller.name.settings_dn, ldap.SCOPE_BASE, attrlist=["objectGUID"])
    return str(uuid.UUID(bytes_le=values["objectGUID"][0]))


def _register(connection: Any, first: Controller, second: Controller, identity: str) -> None:
    """Every DNS record and service name of the first controller for the second one too.

    ``samba-tool domain join`` registers nothing for a controller on a loopback address, and ``samba_dnsupdate``, which
    would write the SRV records, needs a resolver.
    """
    for partition in DNS_PARTITIONS:
        found = connection.search_s(f"CN=MicrosoftDNS,{partition}", ldap.SCOPE_SUBTREE, "(objectClass=dnsNode)", ["dnsRecord"])
        for dn, values in found:
            label = dn.partition(",")[0].removeprefix("DC=")
            added = entries.partner_records(label, values.get("dnsRecord", []), first.name, second.name)
            if added:
                connection.modify_s(dn, [(ldap.MOD_ADD, "dnsRecord", added)])
    zone, msdcs = names.ZONE_DN, f"DC=_msdcs.{names.ZONE},CN=MicrosoftDNS,{DNS_PARTITIONS[1]}"
    for dn, record in (
        (f"DC={second.name.label},{zone}", entries.address_record(second.address)),
        (f"DC={identity},{msdcs}", entries.alias_record(second.name.fqdn)),
    ):
        connection.add_s(dn, [("objectClass", [b"dnsNode"]), ("dnsRecord", [record])])
    services = [service.encode() for service in entries.services(second.name)]
    ((_dn, values),) = connection.search_s(second.name.dn, ldap.SCOPE_BASE, attrlist=["servicePrincipalName"])
    known = {value.lower() for value in values.get("servicePrincipalName", [])}
    missing = [service for service in services if service.lower() not in known]
    connection.modify_s(second.name.dn, [(ldap.MOD_ADD, "servicePrincipalName", missing)])


def _write_hosts(controllers: Sequence[Controller], identities: dict[str, str]) -> None:
    lines = ["127.0.0.1 localhost"]
    for controller in controllers:
        line = f"{controller.address} {controller.name.fqdn} {controller.name.label}"
        if identity := identities.get(controller.name.label):
            line += f" {identity}._msdcs.{names.ZONE}"
        lines.append(line)
    # In place: it may be what a running Samba sees as its /etc/hosts.
    controllers[0].layout.hosts.write_text("\n".join([*lines, ""]), encoding="ascii")


def _settle(controllers: Sequence[Controller]) -> None:
    """Wait until each has a partner to pull from and one to notify, for every partition."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while not all(_has_partners(controller) for controller in controllers):
        if time.monotonic() > deadline:
            raise DomainError(f"the domain controllers do not replicate:\n{processes.tail(controllers[0].log)}")
        time.sleep(0.1)


def _has_partners(controller: Controller) -> bool:
    with controller.as_system() as connection:
        for partition in PARTITIONS:
            ((_dn, values),) = connection.search_s(partition, ldap.SCOPE_BASE, attrlist=["repsFrom", "repsTo"])
            if not values.get("repsFrom") or not values.get("repsTo"):
                return False
    return True


def _run(controller: Controller, name: str, *arguments: str) -> None:
    """Run a program that finds the controllers by name; its own smb.conf is the controller's."""
    argv = [programs.find(name), *arguments, f"--configfile={controller.smb_conf}"]
    programs.run(controller.layout, programs.with_hosts(controller.layout.hosts, argv))
