# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of this folder ask of the directory, and with which account."""

from __future__ import annotations

import subprocess

from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_acl import GrantOutcome, WantedGrant, ensure_grant
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import Session
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.settings import Settings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._plan import Step
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


def settings(user: str = f"{names.OPERATOR}@{names.REALM}", password: str = names.OPERATOR_PASSWORD, **more: object) -> Settings:
    return Settings(names.DC_FQDN, user, password, **{"dns_servers": (ADDRESS,), "timeout": 5, **more})


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


def granting(session: Session, check_mode: bool = False, **more: str) -> GrantOutcome:
    return ensure_grant(session, wanted(**more), check_mode)
