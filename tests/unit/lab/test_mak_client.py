# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A MAK on simulated machines: its installation, its one activation, and what was changed behind its back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from unit.lab.mak_client_run import MODERN, SEVEN, carried, changes, esu, mak, run, spent
from unit.lab.product_session import Killed, mortal, said_by
from unit.lab.windows_fakes import FakeDomain, activate, base, install, product, service

from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.mak_client.setup import MakClient
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.mak_client.state import MakClientWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp import offline_activation
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp.offline_activation import Confirmation
from lab.windows import data
from lab.windows.host import Host
from lab.wsman.request_log import Entry
from lab.wsman.service import DropConnection

pytestmark = pytest.mark.tier("test")

ENTERPRISE = "mak_win_enterprise"
BOTH = MakClientWish(product_key=mak(), activate=True)


def test_a_key_is_installed_and_not_activated_unless_told(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN)
    wish = MakClientWish(product_key=mak())
    planned = run(host, wish, check_mode=True)
    assert base(host)["PartialProductKey"] == "2YT43"
    made = run(host, wish)
    assert made.steps == planned.steps
    assert changes(made) == {"product key": ("2YT43", "7VCKF")}
    assert made.activation == {"attempted": False, "outcome": "not_attempted"}
    assert base(host)["PartialProductKey"] == "7VCKF"
    assert spent(domain, ENTERPRISE) == 0
    assert run(host, wish).steps == []


@pytest.mark.parametrize(("profile", "name"), [(MODERN, "win_enterprise"), (SEVEN, "win7_enterprise"), ("server_2022_standard",) * 2])
def test_one_activation_is_spent_and_a_second_run_spends_none(domain: FakeDomain, profile: str, name: str) -> None:
    host = domain.add("pc-001", profile)
    wish = MakClientWish(product_key=mak(name), activate=True, installation_id=True)
    planned = run(host, wish, check_mode=True)
    assert [(step.attribute, step.after) for step in planned.steps] == [("product key", mak(name)[-5:]), ("license status", "licensed")]
    assert planned.steps[1].decided_by_target == ("before",)
    made = run(host, wish)
    assert [step.attribute for step in made.steps] == [step.attribute for step in planned.steps]
    row = base(host)
    assert made.result == {
        "applicable": True,
        "reason": "",
        "reason_hresult": None,
        "product": {
            "name": row["Name"],
            "activation_id": row["ID"],
            "channel": "mak",
            "license_status": "licensed",
            "partial_product_key": mak(name)[-5:],
            "extended_pid": row["ProductKeyID"],
            "installation_id": row["OfflineInstallationId"],
        },
        "installed": True,
        "mak_products": [row["ID"]],
        "activated": True,
        "activation": {"attempted": True, "outcome": "licensed"},
    }
    again = run(host, wish)
    assert (again.steps, again.activation) == ([], {"attempted": False, "outcome": "already_licensed"})
    assert spent(domain, f"mak_{name}") == 1


def another_key(host: Host) -> None:
    install(host, data.key_named("gvlk_windows_10_enterprise").key)


def rearm(host: Host) -> None:
    service(host, "ReArmWindows")
    host.reboot()


DRIFTS: dict[str, tuple[Callable[[Host], object], dict[str, tuple[Any, Any]]]] = {
    "the setup key came back": (another_key, {"product key": ("2YT43", "7VCKF"), "license status": ("notification", "licensed")}),
    "the key was removed": (
        lambda host: product(host, "UninstallProductKey"),
        {"product key": (None, "7VCKF"), "license status": ("notification", "licensed")},
    ),
    "the license is gone": (rearm, {"license status": ("notification", "licensed")}),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_what_was_changed_behind_its_back_is_told_and_mended_as_exactly_that(domain: FakeDomain, drift: str) -> None:
    host = domain.add("pc-001", MODERN)
    run(host, BOTH)
    change, expected = DRIFTS[drift]
    change(host)
    foreseen = run(host, BOTH, check_mode=True)
    assert [step.attribute for step in foreseen.steps] == list(expected)
    assert changes(run(host, BOTH)) == expected
    assert base(host)["LicenseStatus"] == 1
    assert run(host, BOTH).steps == []


def test_a_license_that_survives_another_key_spends_nothing(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN, licence_survives=True)
    run(host, BOTH)
    another_key(host)
    assert changes(run(host, BOTH)) == {"product key": ("2YT43", "7VCKF")}
    assert spent(domain, ENTERPRISE) == 1


def test_another_key_is_kept_where_that_is_wanted(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN)
    kept = run(host, MakClientWish(product_key=mak(), overwrite=False, activate=True))
    assert (kept.steps, kept.result["activated"], kept.result["product"]["partial_product_key"]) == ([], False, "2YT43")
    assert "keeps the key that ends in 2YT43, because overwrite is false" in kept.warnings[0]
    product(host, "UninstallProductKey")
    assert changes(run(host, MakClientWish(product_key=mak(), overwrite=False))) == {"product key": (None, "7VCKF")}


def test_without_a_key_in_the_task_the_one_that_is_there_is_activated(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN)
    wish = MakClientWish(activate=True)
    assert "Windows itself holds no MAK; give product_key" in said_by(lambda: run(host, wish)).message
    assert spent(domain, ENTERPRISE) == 0
    install(host, mak())
    assert changes(run(host, wish)) == {"license status": ("notification", "licensed")}


def test_an_add_on_is_activated_and_windows_itself_is_untouched(domain: FakeDomain) -> None:
    kms = domain.add_kms_host()
    for number in range(25):
        kms.licensing.counter.register(f"cmid-{number}", 25, 2, domain.clock.now())
    host = domain.add("pc-001", "windows_10_enterprise")
    activate(host)
    before = base(host)
    assert before["LicenseStatus"] == 1
    wish = MakClientWish(product_key=esu(), product="add_on", activate=True)
    planned = run(host, wish, check_mode=True)
    made = run(host, wish)
    assert [step.attribute for step in made.steps] == [step.attribute for step in planned.steps]
    assert changes(made) == {"product key of add_on": (None, "GB4PP"), "license status of add_on": ("notification", "licensed")}
    assert made.result["product"]["name"] == "Windows(R), Client-ESU-Year1 add-on"
    assert base(host) == before
    assert run(host, wish).steps == []
    assert spent(domain, "esu_windows_10_year_1") == 1


def test_a_key_of_another_product_than_the_one_that_was_meant_is_not_activated(domain: FakeDomain) -> None:
    host = domain.add("pc-001", "windows_10_enterprise")
    for _run in range(2):
        error = said_by(lambda: run(host, MakClientWish(product_key=esu(), activate=True)))
        assert "is one of Windows(R), Client-ESU-Year1 add-on, not of Windows itself" in error.message
        assert "product: add_on" in error.message
    assert spent(domain, "esu_windows_10_year_1") == 0


@pytest.mark.tier("test")
def test_products_of_office_that_are_not_recognised_are_not_one_product(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN, office=("o365_proplus", "unheard_of", "unheard_of_other"))
    install(host, data.key_named("subscription_office_365").key)
    key = data.key_named("mak_unheard_of")
    before = host.snapshot_state()
    error = said_by(lambda: run(host, MakClientWish(product_key=key.key, product="office")))
    assert "has several volume products of Office; name one by product" in error.message
    assert host.snapshot_state() == before
    made = run(host, MakClientWish(product_key=key.key, product=key.product_id))
    assert changes(made) == {f"product key of {key.product_id}": (None, key.partial)}
    held = {licence.key.name for licence in host.licensing.licences.values() if licence.key}
    assert held == {"gvlk_windows_10_enterprise", "subscription_office_365", "mak_unheard_of"}


def test_a_mak_of_office_takes_the_place_of_its_setup_key(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN, office=("proplus_2021", "visiopro_2021"))
    install(host, data.key_named("gvlk_office_2021_proplus").key)
    install(host, data.key_named("gvlk_office_2021_visiopro").key)
    wish = MakClientWish(product_key=mak("office_2021_proplus"), product="office", activate=True)
    planned = run(host, wish, check_mode=True)
    made = run(host, wish)
    assert [step.attribute for step in made.steps] == [step.attribute for step in planned.steps]
    assert list(changes(made)) == [
        "product key of office",
        "product key of Office 21, Office21ProPlus2021VL_KMS_Client_AE edition",
        "license status of office",
    ]
    assert sorted(licence.key.name for licence in host.licensing.licences.values() if licence.key) == [
        "gvlk_office_2021_visiopro",
        "gvlk_windows_10_enterprise",
        "mak_office_2021_proplus",
    ]
    assert run(host, wish).steps == []


def test_an_activation_id_names_a_product(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN, office=("proplus_2021",))
    office = data.key_named("mak_office_2021_proplus")
    wish = MakClientWish(product_key=office.key, product=office.product_id, activate=True)
    assert list(changes(run(host, wish))) == [f"product key of {office.product_id}", f"license status of {office.product_id}"]
    assert base(host)["PartialProductKey"] == "2YT43"
    error = said_by(lambda: run(host, MakClientWish(product_key=mak(), product=office.product_id)))
    assert "is one of" in error.message or "several" in error.message


def confirmation_of(domain: FakeDomain, host: Host) -> Confirmation:
    row = base(host)
    number = domain.microsoft.confirmation_id(row["OfflineInstallationId"], row["ProductKeyID"])
    return Confirmation(number, row["OfflineInstallationId"])


def test_a_confirmation_id_activates_a_computer_that_reaches_nobody(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN, internet=False)
    run(host, MakClientWish(product_key=mak()))
    wish = MakClientWish(product_key=mak(), confirmation=confirmation_of(domain, host))
    assert changes(run(host, wish, check_mode=True)) == {"license status": ("notification", "licensed")}
    made = run(host, wish)
    assert (changes(made), made.result["activated"]) == ({"license status": ("notification", "licensed")}, True)
    assert made.steps[0].how == offline_activation.DEPOSIT
    assert run(host, wish).steps == []


def test_a_confirmation_id_of_another_computer_is_refused_before_it_is_tried(domain: FakeDomain) -> None:
    other = domain.add("pc-002", MODERN, seed=2)
    host = domain.add("pc-001", MODERN, internet=False)
    for each in (other, host):
        install(each, mak())
    wish = MakClientWish(confirmation=confirmation_of(domain, other))
    for check_mode in (True, False):
        assert "the confirmation ID is for" in said_by(lambda: run(host, wish, check_mode)).message  # noqa: B023
    client, carrier = carried(host, wish)
    said_by(client.change)
    assert carrier.asked("Invoke:DepositOfflineConfirmationId") == 0


@pytest.mark.parametrize("after_work", [True, False])
def test_an_attempt_whose_answer_was_lost_is_judged_by_the_state(domain: FakeDomain, after_work: bool) -> None:
    host = domain.add("pc-001", MODERN)
    install(host, mak())

    def intercept(entry: Entry) -> None:
        if entry.action == "Invoke:Activate":
            if after_work:
                product(host, "Activate")
            raise DropConnection

    client, carrier = carried(host, BOTH, intercept)
    if after_work:
        client.change()
        assert client.activation == {"attempted": True, "outcome": "licensed"}
    else:
        assert "the connection broke" in said_by(client.change).message
    assert carrier.asked("Invoke:Activate") == 1
    assert spent(domain, ENTERPRISE) == int(after_work)


def test_killed_after_each_message_it_never_activates_twice(domain: FakeDomain) -> None:
    messages = 0
    while True:
        host = domain.add(f"pc-{messages:03}", MODERN, seed=messages)
        try:
            MakClient(mortal(host, messages), BOTH, False).change()
            break
        except Killed:
            messages += 1
        client, carrier = carried(host, BOTH)
        client.change()
        state_read = next(number for number, entry in enumerate(carrier.log) if "SoftwareLicensingProduct" in entry.resource + entry.query)
        attempts = [number for number, entry in enumerate(carrier.log) if entry.action == "Invoke:Activate"]
        assert all(state_read < number for number in attempts)
        assert len(attempts) <= 1
        assert base(host)["LicenseStatus"] == 1
    assert messages > 5
    # One for each killed run that was run again, and the one that was not killed.
    assert spent(domain, ENTERPRISE) == messages + 1


def test_an_earlier_attempt_is_waited_for_before_another_is_made(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN)
    install(host, mak())

    def intercept(entry: Entry) -> None:
        # What was still under way when the earlier run was killed comes about.
        if entry.action == "Invoke:RefreshLicenseStatus" and base(host)["LicenseStatus"] != 1:
            product(host, "Activate")

    client, carrier = carried(host, MakClientWish(activate=True, settle=1), intercept)
    client.change()
    assert (client.steps, client.activation) == ([], {"attempted": False, "outcome": "already_licensed"})
    assert carrier.asked("Invoke:Activate") == 0
    assert spent(domain, ENTERPRISE) == 1


def test_a_task_costs_as_many_requests_as_it_needs(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN)
    for expected in (9, 2):
        client, carrier = carried(host, BOTH)
        client.change()
        assert len(carrier.log) == expected, [entry.action for entry in carrier.log]
