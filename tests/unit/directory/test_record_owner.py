# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""To whom a record goes that a host owns, by what the controller takes."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import record_owner
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.dns_node import DnsNode
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.entry import DirectoryEntry
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.principals import Principal
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_owner import RecordOwner
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.security_descriptor import SecurityDescriptor
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sid import Sid

pytestmark = pytest.mark.tier("quick")

DOMAIN = Sid(5, (21, 1, 2, 3))
HOST, OWN, ADMINS = (Sid(5, (21, 1, 2, 3, rid)) for rid in (1104, 1200, 512))
KINDS = {HOST: ("KMS_1$", b"computer"), OWN: ("admin", b"user"), ADMINS: ("Domain Admins", b"group")}


class Controller:
    """A domain whose controller refuses some owners; both the session and the domain of it."""

    def __init__(self, *refused: Sid) -> None:
        self.refused = refused
        self.owner = HOST

    def sid(self) -> Sid:
        return DOMAIN

    def find(self, given: list[str]) -> dict[str, Principal | None]:
        known = {str(sid): Principal(name, name, sid, DirectoryEntry("", {"objectclass": [kind]})) for sid, (name, kind) in KINDS.items()}
        return {sid: known.get(sid) for sid in given}

    def read(self, dn: str, _attributes: list[str]) -> DirectoryEntry:
        assert dn == ""
        return DirectoryEntry("", {"tokengroups": [OWN.to_bytes(), ADMINS.to_bytes()]})

    def modify(self, _dn: str, changes: list[Any], _right: str, sd_flags: int) -> None:
        ((_operation, _name, (value,)),) = changes
        wanted = SecurityDescriptor.from_bytes(value).owner
        assert sd_flags == 1 and wanted is not None
        if wanted in self.refused:
            raise ActivationError("No.", name="constraintViolation")
        self.owner = wanted


def node_of(owner: Sid, may_write: bool | None = True) -> DnsNode:
    return DnsNode("DC=x", "", SecurityDescriptor(0, owner=owner), False, True, may_write, 1)


@pytest.mark.parametrize(("refused", "owner", "warnings"), [((), ADMINS, 0), ((ADMINS,), OWN, 0), ((ADMINS, OWN), HOST, 1)])
def test_the_administrators_then_the_account_itself(
    monkeypatch: pytest.MonkeyPatch, refused: tuple[Sid, ...], owner: Sid, warnings: int
) -> None:
    controller: Any = Controller(*refused)
    monkeypatch.setattr(record_owner, "read_node", lambda *_arguments: node_of(controller.owner))
    found = RecordOwner(controller, controller, node_of(HOST), "x", [])
    steps = found.ensure(check_mode=False)
    assert (controller.owner, found.name, len(found.warnings)) == (owner, KINDS[owner][0], warnings)
    assert [(step.before, step.after) for step in steps] == ([] if warnings else [("KMS_1$", KINDS[owner][0])])


@pytest.mark.parametrize("owner", [OWN, ADMINS, Sid(5, (21, 9, 9, 9, 1104))])
def test_who_is_no_host_keeps_it(owner: Sid) -> None:
    controller: Any = Controller(ADMINS, OWN)
    assert RecordOwner(controller, controller, node_of(owner), "x", []).ensure(check_mode=False) == []


def test_who_may_not_write_the_owner_is_told_and_tries_nothing() -> None:
    controller: Any = Controller()
    found = RecordOwner(controller, controller, node_of(HOST, may_write=False), "x", [])
    assert (found.ensure(check_mode=False), controller.owner, len(found.warnings)) == ([], HOST, 1)
