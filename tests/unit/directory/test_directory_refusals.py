# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a domain controller refuses, in the words of the collection."""

from __future__ import annotations

import ldap
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.refusals import refused


@pytest.mark.parametrize(
    ("info", "remedy"),
    [
        ("0000202B: RefErr: DSID-0310, data 0, 1 access points\n\tref 1: 'west.contoso.com'\n", "Name a controller of west.contoso.com"),
        ("Referral:\nldap://west.contoso.com/DC=west,DC=contoso,DC=com", "Name a controller of west.contoso.com"),
        ("", "Name a controller that has it"),
    ],
)
def test_a_referral_names_where_to_go(info: str, remedy: str):
    error = refused(ldap.REFERRAL({"result": 10, "desc": "Referral", "info": info}), "Reading DC=x", "dc1.contoso.com")
    assert error.name == "referral"
    assert error.message.startswith("Reading DC=x failed on dc1.contoso.com: dc1.contoso.com does not hold the object")
    assert error.message.endswith(f"{remedy} in domain_server.")
