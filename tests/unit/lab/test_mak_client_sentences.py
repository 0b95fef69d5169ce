# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read where a MAK can't be installed, or Microsoft or the network stands in the way of its activation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import error_catalogue
import pytest
from unit.lab.mak_client_run import MODERN, SEVEN, carried, esu, mak, run, spent
from unit.lab.product_session import said_by
from unit.lab.windows_fakes import FakeDomain, base, install

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.mak_client import product as mak_product
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.mak_client.state import MakClientWish
from lab.windows import data, spec
from lab.windows.host import Host
from lab.wsman.backend import WmiError
from lab.wsman.request_log import Entry
from lab.wsman.service import DropConnection

pytestmark = pytest.mark.tier("test")

REFUSED = {
    "a MAK that Microsoft has blocked": 0xC004C003,
    "a MAK without activations": 0xC004C020,
    "a MAK whose extended limit is used up": 0xC004C021,
    "a MAK that may not be used at this place": 0xC004C017,
    "a MAK that Microsoft does not know": 0xC004C001,
    "a key of a type that Microsoft does not activate": 0xC004B100,
    "a computer that does not find Microsoft": 0x80072EE7,
    "a computer that Microsoft does not answer": 0x80072EE2,
    "a computer that is not let out": 0x80072EFD,
    "a proxy that breaks up TLS": 0x80072F8F,
}
"""What Windows answers to Activate."""

NOT_HERE: dict[str, tuple[str, dict[str, Any], MakClientWish]] = {
    "an evaluation edition": (
        "server_2022_standard",
        {"edition_id": "ServerStandardEval", "volume_licences": False, "initial_key": ""},
        MakClientWish(product_key=mak("server_2022_standard")),
    ),
    "a home edition": (MODERN, {"edition_id": "Core", "volume_licences": False, "initial_key": ""}, MakClientWish(product_key=mak())),
    "a retail edition": (
        "windows_11_pro",
        {"volume_licences": False, "initial_key": data.key_named("retail_win_professional").key},
        MakClientWish(product_key=mak("win_professional")),
    ),
    "an installation without volume licenses": (MODERN, {"volume_licences": False, "initial_key": ""}, MakClientWish(product_key=mak())),
    "a key of an edition that it is not": (MODERN, {}, MakClientWish(product_key=mak("win_professional"))),
    "a key of another Windows": (MODERN, {}, MakClientWish(product_key=mak("win7_enterprise"))),
    "no Office": (MODERN, {}, MakClientWish(product_key=mak("office_2021_proplus"), product="office")),
    "an Office that ospp.vbs manages": (SEVEN, {}, MakClientWish(product_key=mak("office_2021_proplus"), product="office")),
    "no ESU for this Windows": (MODERN, {}, MakClientWish(product_key=esu(), product="add_on")),
    "no MAK in the task and none installed": (MODERN, {}, MakClientWish(activate=True)),
}
"""Computers that take no MAK, or not this one; told and not failed where that is wanted."""

KMS_HOST, VISTA, OTHER_PRODUCT, NO_MAK = "a KMS host", "Windows Vista before SP1", "the key of an add-on for Windows itself", "a retail key"
SEVERAL, NOWHERE, LOST, KEPT = (
    "two MAKs",
    "a key that no product holds",
    "an attempt whose answer was lost, and that did nothing",
    "a kept key",
)
SEVERAL_OFFICES = "several products of Office"
WRITTEN = error_catalogue.paired(
    "Multiple activation keys",
    [*REFUSED, *NOT_HERE, KMS_HOST, VISTA, OTHER_PRODUCT, NO_MAK, SEVERAL, SEVERAL_OFFICES, NOWHERE, LOST, KEPT],
)


def check(case: str, error: ActivationError) -> None:
    assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN[case], error)


def answering(method: str, code: int) -> Callable[[Entry], None]:
    def intercept(entry: Entry) -> None:
        if entry.action == f"Invoke:{method}":
            raise WmiError(code, "Fehler")

    return intercept


@pytest.mark.parametrize("case", REFUSED)
def test_an_activation_that_comes_to_nothing(domain: FakeDomain, case: str) -> None:
    host = domain.add("pc-001", MODERN)
    client, _carrier = carried(host, MakClientWish(product_key=mak(), activate=True), answering("Activate", REFUSED[case]))
    with pytest.raises(StepFailed) as caught:
        client.change()
    # The key was installed all the same, which the result has to say.
    assert [step.attribute for step in caught.value.done] == ["product key"]
    cause = caught.value.__cause__
    assert isinstance(cause, ActivationError)
    check(case, cause)
    assert mak() not in cause.message


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("a MAK that Microsoft has blocked", "win_enterprise_blocked"),
        ("a MAK without activations", "win_enterprise_exhausted"),
        ("a computer that does not find Microsoft", "win_enterprise"),
    ],
)
def test_the_same_without_a_rule(domain: FakeDomain, case: str, name: str) -> None:
    host = domain.add("pc-001", MODERN, internet=name != "win_enterprise")
    check(case, said_by(lambda: run(host, MakClientWish(product_key=mak(name), activate=True))))
    assert spent(domain, f"mak_{name}") == 0


@pytest.mark.parametrize("case", NOT_HERE)
def test_a_computer_that_takes_no_mak_is_listed_or_failed(domain: FakeDomain, case: str) -> None:
    profile, options, wish = NOT_HERE[case]
    host = domain.add("pc-001", profile, **options)
    before = host.snapshot_state()
    error = said_by(lambda: run(host, wish))
    check(case, error)
    listed = run(host, replace(wish, applicable_only=True, activate=True))
    assert (listed.steps, listed.result["applicable"], listed.result["activated"]) == ([], False, False)
    assert listed.result["reason"]
    assert listed.result["reason"] in error.message
    assert listed.activation == {"attempted": False, "outcome": "not_attempted"}
    after = host.snapshot_state()
    assert [after[name] for name in ("key", "registry", "license_status")] == [
        before[name] for name in ("key", "registry", "license_status")
    ]


def test_a_kms_host_keeps_its_key(domain: FakeDomain) -> None:
    host = domain.add_kms_host()
    check(KMS_HOST, said_by(lambda: run(host, MakClientWish(product_key=mak("server_2022_standard")))))
    assert not run(host, MakClientWish(product_key=mak("server_2022_standard"), applicable_only=True)).result["applicable"]
    assert base(host)["PartialProductKey"] == "C7TRQ"


def test_vista_before_its_first_service_pack_is_refused_unless_forced(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = spec.profiles()["windows_vista_enterprise"]
    first = replace(plain, version="6.0.6000", spp_version="6.0.6000.16386")
    monkeypatch.setattr(spec, "profiles", lambda: {"vista": first, "windows_vista_enterprise": plain})
    host = domain.add("pc-001", "vista")
    # No key of the lab is for Vista, so that one is made up for its product.
    made_up = data.key_named("mak_win7_enterprise")
    vista = next(
        item
        for item in data.products()
        if item.edition == "Enterprise" and "windows_vista" in item.generations and item.text == "VOLUME_MAK"
    )
    monkeypatch.setitem(data.keys(), made_up.key, replace(made_up, product_id=vista.id))
    wish = MakClientWish(product_key=made_up.key)
    assert not run(host, replace(wish, applicable_only=True, activate=True)).result["applicable"]
    for check_mode in (True, False):
        with pytest.raises(ActivationError) as caught:
            run(host, wish, check_mode)
        check(VISTA, caught.value)
    assert [step.after for step in run(host, replace(wish, force_install=True)).steps] == [made_up.key[-5:]]
    later = domain.add("pc-002", "windows_vista_enterprise")
    assert [step.after for step in run(later, wish).steps] == [made_up.key[-5:]]


@pytest.mark.parametrize(
    ("version", "first"),
    [
        ("6.0.6000.16386", True),
        ("6.0.6001.18000", False),
        ("6.0.6002.18005", False),
        ("6.1.7600.16385", False),
        ("10.0.6000.1", False),
        ("6.0", False),
        ("", False),
    ],
)
def test_which_windows_locks_its_users_out(version: str, first: bool) -> None:
    assert mak_product.is_vista_before_sp1(version) is first


def test_a_key_of_another_kind_than_was_said(domain: FakeDomain) -> None:
    host = domain.add("pc-001", "windows_10_enterprise")
    check(OTHER_PRODUCT, said_by(lambda: run(host, MakClientWish(product_key=esu(), activate=True))))
    assert spent(domain, "esu_windows_10_year_1") == 0
    pro = domain.add("pc-002", "windows_11_pro")
    retail = MakClientWish(product_key=data.key_named("retail_win_professional").key, activate=True)
    for _run in range(2):
        check(NO_MAK, said_by(lambda: run(pro, retail)))
    assert spent(domain, "retail_win_professional") == 0


def test_several_maks_have_to_be_told_apart(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    second = data.key_named("mak_win7_enterprise")
    year = next(item for item in data.products() if item.is_addon and "Year2" in item.name)
    monkeypatch.setitem(data.keys(), second.key, replace(second, product_id=year.id))
    host = domain.add("pc-001", "windows_10_enterprise")
    for key in (esu(), second.key):
        install(host, key)
    check(SEVERAL, said_by(lambda: run(host, MakClientWish(product="add_on", activate=True))))
    assert run(host, MakClientWish(product="add_on", product_key=esu(), activate=True)).result["activated"]


def test_several_products_of_office_have_to_be_told_apart(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    host = domain.add("pc-001", MODERN, office=("proplus_2021", "visiopro_2021"))
    visio = next(licence for licence in host.licensing.licences.values() if licence.product.suite == "visiopro_2021")
    visio.product = replace(visio.product, text="VOLUME_MAK", channel="Volume:MAK")
    check(SEVERAL_OFFICES, said_by(lambda: run(host, MakClientWish(product="office", product_key=mak("office_2021_proplus")))))


def test_a_key_that_was_taken_and_is_nowhere(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    host = domain.add("pc-001", MODERN)
    monkeypatch.setattr(host.licensing, "install_key", lambda _text: None)
    check(NOWHERE, said_by(lambda: run(host, MakClientWish(product_key=mak(), activate=True))))


def test_an_attempt_that_was_lost_on_its_way(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN)
    install(host, mak())

    def intercept(entry: Entry) -> None:
        if entry.action == "Invoke:Activate":
            raise DropConnection

    client, carrier = carried(host, MakClientWish(activate=True), intercept)
    check(LOST, said_by(client.change))
    assert carrier.asked("Invoke:Activate") == 1


def test_a_key_that_is_kept(domain: FakeDomain) -> None:
    host: Host = domain.add("pc-001", MODERN)
    assert run(host, MakClientWish(product_key=mak(), overwrite=False)).warnings == [error_catalogue.said(WRITTEN[KEPT])]
