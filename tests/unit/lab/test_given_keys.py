# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that are known to be wrong are refused while the computer is as it was, and a KMS host that serves keeps its key."""

from __future__ import annotations

from collections.abc import Callable

import error_catalogue
import pytest
from unit.lab import slmgr_task
from unit.lab.product_session import open_direct, said_by
from unit.lab.windows_fakes import FakeDomain, activate, base, install

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.publish_list import ListWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_client.setup import KmsClient
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_client.state import KmsClientWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.removal import KmsHostRemoval, RecordSeen, Removal
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.setup import KmsHostSetup
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.state import KmsHostWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.mak_client.setup import MakClient
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.mak_client.state import MakClientWish
from lab.windows import data
from lab.windows.host import Host

pytestmark = pytest.mark.tier("test")

CSVLK, SECOND = data.key_named("csvlk_2022").key, data.key_named("csvlk_2022_second").key
MAK = data.key_named("mak_server_2022_standard").key
SETUP_KEY = data.key_named("gvlk_server_2022_serverstandard").key
ESU, OFFICE_MAK = data.key_named("esu_windows_10_year_1").key, data.key_named("mak_office_2021_proplus").key
WINDOWS_11, OFFICE_KEY = data.key_named("gvlk_windows_10_enterprise").key, data.key_named("gvlk_office_2021_proplus").key
VISIO_KEY = data.key_named("gvlk_office_2021_visiopro").key
OTHER = RecordSeen("_vlmcs._tcp.contoso.com", (), ("kms-2.contoso.com:1688",))


def kms_host(domain: FakeDomain) -> Host:
    return domain.add_kms_host()


def with_esu(domain: FakeDomain) -> Host:
    host = domain.add("pc-001", "windows_10_enterprise")
    install(host, ESU)
    return host


def with_mak(domain: FakeDomain) -> Host:
    host = domain.add("srv-01", "server_2022_standard")
    install(host, MAK)
    return host


def with_office(domain: FakeDomain) -> Host:
    host = domain.add("pc-001", "windows_11_enterprise", office=("proplus_2021", "visiopro_2021"))
    install(host, OFFICE_MAK)
    return host


def with_key(key: str) -> Callable[[Host, bool], None]:
    return lambda host, check_mode: KmsHostSetup(open_direct(host)[0], KmsHostWish(product_key=key, activate=True), check_mode).change()


def undone(host: Host, check_mode: bool) -> None:
    wish = KmsHostWish(product_key=CSVLK, publish_list=ListWish((), exact=True), absent=True)
    KmsHostRemoval(open_direct(host)[0], wish, Removal(lambda _fqdn: (OTHER,)), check_mode).change()


def ipk(key: str) -> Callable[[Host, bool], None]:
    def install_it(host: Host, check_mode: bool) -> None:
        slmgr_task.slmgr(host, {"verb": "ckhc"}, {"verb": "ipk", "product_key": key}, check_mode=check_mode)

    return install_it


def client(key: str, product: str = "windows") -> Callable[[Host, bool], None]:
    return lambda host, check_mode: KmsClient(open_direct(host)[0], KmsClientWish(product_key=key, product=product), check_mode).change()


def product_of(key: str) -> str:
    return data.keys()[key].product_id


REFUSED: dict[str, tuple[Callable[[FakeDomain], Host], Callable[[Host, bool], None]]] = {
    "another key for a KMS host that serves": (kms_host, with_key(SECOND)),
    "a key of an add-on for a KMS host": (with_esu, with_key(ESU)),
    "a MAK that Windows holds as its KMS host key": (with_mak, with_key(MAK)),
    "a KMS host that is to get its own key instead": (kms_host, undone),
    "a setup key by ipk on a KMS host that serves": (kms_host, ipk(SETUP_KEY)),
    "another KMS host key by ipk on a KMS host that serves": (kms_host, ipk(SECOND)),
    "a MAK that Office holds as its setup key": (with_office, client(OFFICE_MAK, product_of(OFFICE_KEY))),
    "a setup key of Windows for Office": (with_office, client(WINDOWS_11, product_of(OFFICE_KEY))),
    "a setup key of Office for Windows": (with_office, client(OFFICE_KEY)),
    "a setup key of Visio for Office": (with_office, client(VISIO_KEY, product_of(OFFICE_KEY))),
}
WRITTEN = error_catalogue.paired("Keys that would harm a computer", REFUSED)


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("case", REFUSED)
def test_the_computer_is_left_as_it_was(domain: FakeDomain, case: str, check_mode: bool) -> None:
    made, work = REFUSED[case]
    host = made(domain)
    before = host.snapshot_state()
    error = said_by(lambda: work(host, check_mode))
    assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN[case], error)
    assert host.snapshot_state() == before


def test_a_key_is_replaced_where_that_is_said(domain: FakeDomain) -> None:
    host = kms_host(domain)
    wish = KmsHostWish(product_key=SECOND, replace_key=True, activate=True)
    for check_mode in (True, False):
        work = KmsHostSetup(open_direct(host)[0], wish, check_mode)
        work.change()
        step = work.plan.steps[0]
        assert (step.attribute, step.before, step.after) == ("product key", CSVLK[-5:], SECOND[-5:])
    assert (base(host)["PartialProductKey"], base(host)["LicenseStatus"]) == (SECOND[-5:], 1)
    slmgr_task.slmgr(host, {"verb": "ipk", "product_key": SETUP_KEY, "replace_key": True})
    assert base(host)["PartialProductKey"] == SETUP_KEY[-5:]


def test_a_host_that_serves_nobody_gets_its_key_without_a_word(domain: FakeDomain) -> None:
    host = domain.add("kms-1", "server_2022_standard", role="kms")
    install(host, SECOND)
    with_key(CSVLK)(host, False)
    assert (base(host)["PartialProductKey"], base(host)["LicenseStatus"]) == (CSVLK[-5:], 1)
    # The same key again is none that replaces it.
    with_key(CSVLK)(host, False)
    slmgr_task.slmgr(host, {"verb": "ipk", "product_key": CSVLK})
    # A key that has gone before is none that ipk replaces.
    slmgr_task.slmgr(host, {"verb": "upk"}, {"verb": "ipk", "product_key": SETUP_KEY})
    assert base(host)["PartialProductKey"] == SETUP_KEY[-5:]


def test_a_setup_key_of_office_beside_a_kms_host_key_is_no_harm(domain: FakeDomain) -> None:
    host = domain.add("kms-1", "server_2022_standard", role="kms", office=("proplus_2021",))
    install(host, CSVLK)
    activate(host)
    slmgr_task.slmgr(host, {"verb": "ipk", "product_key": OFFICE_KEY})
    assert base(host)["PartialProductKey"] == CSVLK[-5:]


@pytest.mark.parametrize("product", ["windows", "by activation ID"])
def test_a_kms_host_is_no_client_however_its_product_is_named(domain: FakeDomain, product: str) -> None:
    host = kms_host(domain)
    mak = data.key_named("mak_server_2022_standard")
    before = host.snapshot_state()
    named = product if product == "windows" else product_of(SETUP_KEY)
    with pytest.raises(ActivationError, match="is a KMS host, which needs no setup key"):
        client(SETUP_KEY, named)(host, False)
    named = product if product == "windows" else mak.product_id
    with pytest.raises(ActivationError, match="it is a KMS host, whose key a MAK would replace"):
        MakClient(open_direct(host)[0], MakClientWish(product_key=mak.key, product=named), False).change()
    assert host.snapshot_state() == before
