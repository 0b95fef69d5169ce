# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Windows a KMS host key does not serve, against the rows of Microsoft's table and against the simulated Windows."""

from __future__ import annotations

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.kms_groups import edition_of, group_of, is_refused
from lab.windows import data

pytestmark = pytest.mark.tier("quick")

SERVED: dict[str, list[tuple[str, int, bool]]] = {
    "VOLUME_KMS_WS25": [("ServerStandard", 26100, True), ("ServerStandard", 20348, True), ("EnterpriseS", 26100, False)],
    "VOLUME_KMS_WS22": [("ServerDatacenter", 20348, True), ("Enterprise", 22631, False), ("EnterpriseS", 19044, False)],
    "VOLUME_KMS_WS19": [("ServerStandard", 17763, True), ("ServerStandardACor", 18363, True), ("EnterpriseS", 17763, False)],
    "VOLUME_KMS_WS16": [("ServerStandard", 14393, True), ("ServerDatacenterACor", 17763, True), ("EnterpriseSN", 14393, False)],
    "VOLUME_KMS_W10": [("Enterprise", 19045, False), ("EnterpriseS", 10240, False), ("Professional", 7601, False)],
    "VOLUME_KMS_R2_C": [("ServerEnterprise", 7601, True), ("Enterprise", 7600, False)],
}
REFUSED: dict[str, list[tuple[str, int, bool]]] = {
    "VOLUME_KMS_WS22": [("ServerStandard", 26100, True), ("EnterpriseS", 26100, False), ("IoTEnterpriseS", 26100, False)],
    "VOLUME_KMS_WS19": [("ServerStandard", 20348, True), ("ServerDatacenter", 26100, True)],
    "VOLUME_KMS_WS16": [("ServerStandard", 17763, True), ("EnterpriseS", 17763, False)],
    "VOLUME_KMS_W10": [("ServerStandard", 14393, True), ("ServerEnterprise", 7601, True), ("EnterpriseS", 14393, False)],
    "VOLUME_KMS_R2_B": [("ServerStandard", 9200, True), ("Enterprise", 19045, False)],
}


def described(group: str) -> str:
    return f"Windows(R) Operating System, {group} channel"


def named(edition: str) -> str:
    return f"Windows(R), {edition} edition"


@pytest.mark.parametrize(("table", "refused"), [(SERVED, False), (REFUSED, True)], ids=["served", "refused"])
def test_the_rows_of_the_table(table: dict[str, list[tuple[str, int, bool]]], refused: bool) -> None:
    for group, clients in table.items():
        for edition, build, server in clients:
            assert is_refused(described(group), named(edition), build, server) is refused, (group, edition, build)


def test_what_is_not_known_is_not_judged() -> None:
    for description in ("", "Windows(R), VOLUME_KMSCLIENT channel", described("VOLUME_KMS_OF16"), described("VOLUME_KMS_2012-R2_C")):
        assert not is_refused(description, named("ServerStandard"), 26100, True)
    assert (group_of("Windows(R), VOLUME_KMSCLIENT channel"), edition_of("Office 21, Office21ProPlus2021VL_KMS_Client_AE edition")) == (
        "",
        "Office21ProPlus2021VL_KMS_Client_AE",
    )


def test_nothing_that_the_simulated_windows_would_serve_is_called_refused() -> None:
    products = [product for product in data.products() if product.kms_group and not product.suite]
    judged = 0
    for group in data.key_groups().values():
        for profile in data.profiles().values():
            product = next(item for item in products if profile.generation in item.generations)
            build = int(profile.version.rpartition(".")[2])
            found = is_refused(described(group.text), named(profile.edition), build, profile.product_type != 1)
            served = product.kms_group in group.serves
            assert not (found and served), (group.text, profile.name)
            judged += found and not served
    assert judged >= 15
