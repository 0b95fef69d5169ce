# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which right a refused move of a group lacked, by what a controller shows of them."""

from __future__ import annotations

from typing import cast

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import group_rights
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.entry import DirectoryEntry
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import DirectorySession

pytestmark = pytest.mark.tier("test")

GROUP, OLD, NEW = "CN=KMS_Hosts,CN=Users,DC=contoso,DC=com", "CN=Users,DC=contoso,DC=com", "OU=Activation,DC=contoso,DC=com"
DELETE = f"DELETE on {GROUP}, or DELETE_CHILD (group) on {OLD}"


class Directory:
    """A session that shows which classes and attributes the account may write."""

    def __init__(self, classes: str, attributes: str) -> None:
        self.shown = {
            NEW: {"allowedchildclasseseffective": [name.encode() for name in classes.split()]},
            GROUP: {"allowedattributeseffective": [name.encode() for name in attributes.split()]},
        }

    def read(self, dn: str, _attributes: object) -> DirectoryEntry:
        return DirectoryEntry(dn, self.shown[dn])


@pytest.mark.parametrize(
    ("classes", "attributes", "lacks"),
    [
        ("user", "name cn", f"CREATE_CHILD (group) on {NEW}"),
        ("", "", f"CREATE_CHILD (group) on {NEW}"),
        ("user group", "cn", DELETE),
        ("group", "member name", DELETE),
        ("group", "member", f"WRITE_PROPERTY (name, cn) on {GROUP}, or otherwise {DELETE}"),
    ],
)
def test_what_a_refused_move_lacked(classes: str, attributes: str, lacks: str) -> None:
    assert group_rights.to_move(cast(DirectorySession, Directory(classes, attributes)), GROUP, NEW) == lacks


def test_what_writing_lacks() -> None:
    session = cast(DirectorySession, Directory("", "member"))
    assert group_rights.to_write(session, GROUP, ["member"]) == ""
    assert group_rights.to_write(session, GROUP, ["member", "description"]) == f"WRITE_PROPERTY (description) on {GROUP}"
