# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of this folder ask of the directory, and with which account."""

from __future__ import annotations

import subprocess

import ldap
import ldap.controls
from ldap.controls import SimplePagedResultsControl

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import Step
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_acl import GrantOutcome, WantedGrant, ensure_grant
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import DirectorySession
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.settings import DirectorySettings
from lab import names
from lab.domain.controller import Domain
from lab.publication import Publisher, identity_of

ADDRESS = "127.0.0.32"  # beside a lab that may be up on 127.0.0.10
KMS_1, KMS_2 = names.kms_hosts()
MEMBERS = (KMS_1.account, KMS_2.account)
GROUP_DN = f"CN={names.KMS_GROUP},CN=Users,{names.BASE_DN}"
GRANT = "RPWPLCLORCSDSW"
NODE = f"dnsNode {names.KMS_RECORD}.{names.ZONE}"
DELEGATE, DELEGATE_PASSWORD = "acl-delegate", "Lab.Acl-Delegate.2026"


def settings(user: str = f"{names.OPERATOR}@{names.REALM}", password: str = names.OPERATOR_PASSWORD, **more: object) -> DirectorySettings:
    return DirectorySettings(names.DC_FQDN, user, password, **{"dns_servers": (ADDRESS,), "timeout": 5, **more})


def tool(domain: Domain, *argv: str) -> str:
    """Run samba-tool on the database files."""
    argv = ("samba-tool", *argv, f"--configfile={domain.smb_conf}", "-H", str(domain.layout.samba / "private" / "sam.ldb"))
    return subprocess.run(argv, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout


def publish(machine: names.Machine) -> None:
    Publisher(ADDRESS)(identity_of(machine), names.ZONE, machine.fqdn, 1688, 0, 0)


def wanted(principal: str = names.KMS_GROUP, rights: tuple[str, ...] = ("delete", "read", "write"), **more: str) -> WantedGrant:
    return WantedGrant(names.ZONE, names.KMS_RECORD, principal, rights, **more)


def shown(steps: list[Step]) -> list[tuple[str, str, object, object]]:
    return [(step.object, step.attribute, step.before, step.after) for step in steps]


def granting(session: DirectorySession, check_mode: bool = False, **more: str) -> GrantOutcome:
    return ensure_grant(session, wanted(**more), check_mode)


def descriptors_in_database(domain: Domain, *bases: str) -> dict[str, bytes]:
    """Distinguished name in lower case to security descriptor, of everything below: over the system's own socket, past every ACL."""
    connection = ldap.initialize(domain.ldapi)
    flags = ldap.controls.RequestControl("1.2.840.113556.1.4.801", True, bytes((0x30, 3, 2, 1, 15)))
    found = {}
    try:
        for base in bases:
            page = SimplePagedResultsControl(True, 500, "")
            while True:
                asked = connection.search_ext(base, ldap.SCOPE_SUBTREE, attrlist=["nTSecurityDescriptor"], serverctrls=[flags, page])
                _kind, entries, _id, answers = connection.result3(asked)
                found |= {dn.lower(): values["nTSecurityDescriptor"][0] for dn, values in entries if dn and values}
                cookies = [answer.cookie for answer in answers if answer.controlType == page.controlType]
                if not any(cookies):
                    break
                page.cookie = cookies[0]
    finally:
        connection.unbind_s()
    return found


def delete_in_database(domain: Domain, dn: str) -> None:
    """Remove an object for good, as a controller does with a tombstone whose time is up."""
    database = str(domain.layout.samba / "private" / "sam.ldb")
    subprocess.run(["ldbdel", f"--configfile={domain.smb_conf}", "-H", database, dn], check=True, capture_output=True)


def in_database(domain: Domain, *ldif: str) -> None:
    """Change an object in the database files, by lines of LDIF."""
    database = str(domain.layout.samba / "private" / "sam.ldb")
    given = ["ldbmodify", f"--configfile={domain.smb_conf}", "-H", database]
    subprocess.run(given, check=True, capture_output=True, input="\n".join([*ldif, ""]), text=True)


def describe_in_database(domain: Domain, dn: str, sddl: str) -> None:
    """Give an object this security descriptor, past every ACL."""
    in_database(domain, f"dn: {dn}", "changetype: modify", "replace: nTSecurityDescriptor", f"nTSecurityDescriptor: {sddl}")


def samba_dns(domain: Domain, verb: str, record: str, *argv: str) -> str:
    """Run samba-tool dns against the server, as the administrator."""
    administrator = f"{names.ADMINISTRATOR}%{names.ADMINISTRATOR_PASSWORD}"
    given = ("samba-tool", "dns", verb, ADDRESS, names.ZONE, record, *argv, f"--configfile={domain.smb_conf}", "-U", administrator)
    return subprocess.run(given, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout


def node_in_database(domain: Domain) -> str:
    """The KMS hosts' node as ldbsearch prints it, each record taken apart."""
    argv = ("ldbsearch", f"--configfile={domain.smb_conf}", "-H", str(domain.layout.samba / "private" / "sam.ldb"), "--show-binary")
    given = (*argv, "-b", names.ZONE_DN, f"(dc={names.KMS_RECORD})", "dnsRecord", "dNSTombstoned")
    return subprocess.run(given, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout
