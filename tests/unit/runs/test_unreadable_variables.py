# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that use one without a value, which a default in a template would hide."""

from __future__ import annotations

from typing import Any

import error_catalogue
import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._fleet.variables import HostVariables, unreadable_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.collect import WantedVariables, collect

pytestmark = pytest.mark.tier("quick")

OPTION, CREDENTIALS, OF_HOST = WRITTEN = (
    "an option of a role that uses a variable without a value",
    "credentials that use a variable without a value",
    "a variable of a host that uses one without a value",
)
SAID = error_catalogue.paired("Variables without a value", list(WRITTEN))


class Hostvars(dict[str, Any]):
    """The variables of hosts as ansible-core has them."""

    def raw_get(self, host: str) -> Any:
        """Those of one."""
        return self[host]


def read(variables: dict[str, Any]) -> list[str]:
    return unreadable_of(variables, sorted(variables), Templar(loader=DataLoader(), variables=variables))


def template(text: str) -> str:
    return trust_as_template(text)


def test_an_option_is_read_to_its_last_entry():
    assert read({"kms_multi_site_csvlk": {"kms-1": [{"key": template("{{ vault_csvlk }}")}]}}) == [error_catalogue.said(SAID[OPTION])]


def test_an_option_that_is_a_shared_variable_goes_by_its_name():
    found = unreadable_of(
        variables := {
            "volume_activation_credentials": {"east": {"username": "operator", "password": template("{{ vault_password }}")}},
            "kms_multi_site_credentials": template("{{ volume_activation_credentials | default({}) }}"),
        },
        ["kms_multi_site_credentials"],
        Templar(loader=DataLoader(), variables=variables),
    )
    assert found == [error_catalogue.said(SAID[CREDENTIALS])]


def test_what_has_a_value_is_no_finding():
    assert not read({"kms_multi_site_csvlk": template("{{ vault_csvlk | default('') }}"), "kms_multi_site_activate": True})


def test_a_variable_of_a_host_is_named_with_the_host():
    hosts = Hostvars({"pc-1": {"volume_activation_mak": template("{{ vault_mak }}")}})
    with pytest.raises(ActivationError) as refused:
        collect(HostVariables(hosts, Templar(loader=DataLoader())), ["pc-1"], {}, (), WantedVariables(["volume_activation_mak"]))
    assert str(refused.value) == error_catalogue.said(SAID[OF_HOST])
