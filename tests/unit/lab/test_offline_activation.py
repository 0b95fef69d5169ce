# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A confirmation ID on a computer: tried once where it is for that computer, and judged by the state that is read afterwards."""

from __future__ import annotations

import re
from typing import Any

import error_catalogue
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.lab.product_session import DirectCarrier, open_direct
from unit.lab.slmgr_task import calls
from unit.lab.windows_fakes import FakeDomain, base, install

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.offline_ids import grouped, installation_digits
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.waiting import waiting
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.setup import KmsHostSetup
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.state import KmsHostWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform.versions import WINDOWS_8
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp import license_changes, licensing, offline_activation
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp.offline_activation import Confirmation, Deposited, Ids
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session, UnknownOutcome
from lab.windows import data
from lab.windows.host import Host
from lab.windows.identifiers import confirmation_id

pytestmark = pytest.mark.tier("test")

CSVLK = data.key_named("csvlk_2022").key
MAK = data.key_named("mak_win_enterprise").key
OTHER = "1234567" * 9
CHANGED, UNLICENSED, NO_KEY = (
    "the confirmation ID is for another installation ID",
    "a confirmation ID whose answer was lost, and that Windows did not take",
    "no installation ID, because the key is gone",
)
WRITTEN = error_catalogue.paired("Activation without Internet", [CHANGED, UNLICENSED, NO_KEY])


@pytest.fixture
def keyed(domain: FakeDomain) -> Host:
    """A client with a MAK, which is not activated."""
    host = domain.add("pc-1", "windows_10_enterprise")
    install(host, MAK)
    return host


def ids(host: Host) -> tuple[str, str]:
    """The installation ID, and what Microsoft gives for it, by the lab's own sums."""
    row = base(host)
    return row["OfflineInstallationId"], confirmation_id(row["OfflineInstallationId"], row["ProductKeyID"])


def deposited(host: Host, confirmation: Confirmation) -> tuple[Deposited, DirectCarrier]:
    session, carrier = open_direct(host)
    product, version = read(session)
    return offline_activation.deposit(session, version, product, confirmation), carrier


def read(session: Session) -> tuple[licensing.Product, str]:
    service = licensing.read_service(session)
    product = licensing.read_windows(session, licensing.version_of(service))
    assert product is not None
    return product, str(service["Version"])


@pytest.mark.parametrize("expected", [False, True], ids=["nothing to compare", "exact match"])
def test_the_id_activates_the_computer_that_it_is_for_and_nothing_is_called_again(keyed: Host, expected: bool):
    installation, confirmation = ids(keyed)
    wanted = Confirmation.of(grouped(confirmation), grouped(installation) if expected else None)
    done, carrier = deposited(keyed, wanted)
    assert calls(carrier) == ["DepositOfflineConfirmationId", "RefreshLicenseStatus"]
    assert (done.product.licensed, done.warnings) == (True, [])
    assert base(keyed)["LicenseStatus"] == 1
    again, carrier = deposited(keyed, wanted)
    assert (again.product.licensed, calls(carrier)) == (True, [])


def test_another_installation_id_is_refused_before_windows_is_asked(keyed: Host):
    installation, confirmation = ids(keyed)
    session, carrier = open_direct(keyed)
    product, version = read(session)
    with pytest.raises(ActivationError) as caught:
        offline_activation.deposit(session, version, product, Confirmation.of(confirmation, OTHER))
    case = WRITTEN[CHANGED]
    known = {"found": grouped(installation), "expected": grouped(OTHER)}
    assert error_catalogue.shown(caught.value) == error_catalogue.expected(case, caught.value, **known)
    assert calls(carrier) == []


def test_it_is_tried_all_the_same_where_that_is_wanted_and_windows_decides(keyed: Host):
    _installation, confirmation = ids(keyed)
    done, carrier = deposited(keyed, Confirmation.of(confirmation, OTHER, exact=False))
    assert calls(carrier)[0] == "DepositOfflineConfirmationId"
    assert done.warnings == [
        "pc-1.contoso.com has another installation ID than the one that the confirmation ID is for, so Windows may not take it."
    ]


def test_another_length_is_a_warning_and_windows_decides(keyed: Host):
    session, _carrier = open_direct(keyed)
    product, version = read(session)
    assert offline_activation.compare("pc-1", "1" * 63, Confirmation.of("1" * 54)) == [
        "pc-1: the confirmation ID has 54 digits; those of Microsoft have 48."
    ]
    with pytest.raises(ActivationError) as caught:
        offline_activation.deposit(session, version, product, Confirmation.of("1" * 54))
    assert caught.value.shown_code == "0xC004F02C"


@pytest.mark.parametrize("was_taken", [True, False])
def test_a_lost_answer_is_judged_by_the_state_and_never_repeated(keyed: Host, was_taken: bool, monkeypatch: pytest.MonkeyPatch):
    installation, confirmation = ids(keyed)
    attempts: list[str] = []
    call = license_changes.call_method

    def lose(session: Session, cim_class: Any, keys: Any, method: str, arguments: Any) -> None:
        attempts.append(method)
        if was_taken:
            call(session, cim_class, keys, method, arguments)
        raise UnknownOutcome("the answer was lost.", subject=session.host, source="wsman")

    monkeypatch.setattr(license_changes, "call_method", lose)
    wanted = Confirmation.of(confirmation, installation)
    if was_taken:
        assert deposited(keyed, wanted)[0].product.licensed
    else:
        with pytest.raises(ActivationError) as caught:
            deposited(keyed, wanted)
        assert error_catalogue.shown(caught.value) == error_catalogue.expected(WRITTEN[UNLICENSED], caught.value)
    assert attempts == ["DepositOfflineConfirmationId"]


def kms_host(host: Host, check_mode: bool = False, **wish: Any) -> tuple[KmsHostSetup, DirectCarrier]:
    session, carrier = open_direct(host)
    work = KmsHostSetup(session, KmsHostWish(**wish), check_mode)
    work.change()
    return work, carrier


def spent(domain: FakeDomain) -> int:
    return sum(key["activations"] for key in domain.microsoft.snapshot().values())


def test_a_kms_host_is_set_up_in_two_runs_and_never_asks_microsoft(domain: FakeDomain):
    host = domain.add("kms-1", "server_2022_standard", role="kms")
    assert kms_host(host, check_mode=True, product_key=CSVLK)[0].offline_ids is None
    first, _carrier = kms_host(host, product_key=CSVLK)
    installation, confirmation = ids(host)
    assert first.offline_ids == Ids(installation, base(host)["ProductKeyID"])
    # Whoever comes back later reads the same, also where there is nothing to do.
    assert kms_host(host, check_mode=True, product_key=CSVLK)[0].offline_ids == first.offline_ids
    wanted = Confirmation.of(confirmation, installation)
    planned, carrier = kms_host(host, check_mode=True, product_key=CSVLK, confirmation=wanted)
    assert calls(carrier) == ["GetStringValue"] * 2
    done, carrier = kms_host(host, product_key=CSVLK, confirmation=wanted)
    assert calls(carrier)[2:4] == ["DepositOfflineConfirmationId", "RefreshLicenseStatus"]
    # Windows computes it each time.
    assert sum("OfflineInstallationId" in entry.query for entry in carrier.log) == 1
    assert done.plan.steps == planned.plan.steps
    assert [(step.attribute, step.after, step.how) for step in done.plan.steps] == [
        ("license status", "licensed", "SoftwareLicensingProduct.DepositOfflineConfirmationId")
    ]
    assert (base(host)["LicenseStatus"], done.offline_ids, spent(domain)) == (1, None, 0)
    again, _carrier = kms_host(host, product_key=CSVLK, confirmation=wanted)
    assert again.plan.steps == []


def test_what_is_to_be_known_of_a_confirmation_id_is_said_also_where_the_key_comes_with_it(domain: FakeDomain):
    host = domain.add("kms-1", "server_2022_standard", role="kms")
    install(host, CSVLK)
    installation, confirmation = ids(host)
    other = domain.add("kms-2", "server_2022_standard", role="kms")
    other.licensing.hardware_id = host.licensing.hardware_id
    wanted = Confirmation.of(confirmation, OTHER, exact=False)
    done, _carrier = kms_host(other, product_key=CSVLK, confirmation=wanted)
    assert ids(other) == (installation, confirmation)
    (warning,) = done.warnings
    assert "another installation ID than the one that the confirmation ID is for" in warning


def test_a_kms_host_with_another_installation_id_is_left_as_it_is(domain: FakeDomain):
    host = domain.add("kms-1", "server_2022_standard", role="kms")
    install(host, CSVLK)
    _installation, confirmation = ids(host)
    before = host.snapshot_state()["registry"]
    session, carrier = open_direct(host)
    work = KmsHostSetup(
        session, KmsHostWish(settings={"listening_port": 1690}, confirmation=Confirmation.of(confirmation, OTHER)), check_mode=False
    )
    with pytest.raises(ActivationError, match="its key or its hardware has changed since"):
        work.change()
    assert (calls(carrier), host.snapshot_state()["registry"]) == ([], before)


def test_key_and_confirmation_in_one_run(domain: FakeDomain):
    host = domain.add("kms-1", "server_2022_standard", role="kms")
    install(host, CSVLK)
    installation, confirmation = ids(host)
    install(host, data.key_named("gvlk_server_2022_serverstandard").key)
    wanted = Confirmation.of(confirmation, installation)
    planned, _carrier = kms_host(host, check_mode=True, product_key=CSVLK, confirmation=wanted)
    assert [step.attribute for step in planned.plan.steps][-1] == "license status"
    done, _carrier = kms_host(host, product_key=CSVLK, confirmation=wanted)
    assert (base(host)["LicenseStatus"], done.state.licensed, spent(domain)) == (1, True, 0)


def test_without_a_key_there_is_no_installation_id(client: Host):
    session, _carrier = open_direct(client)
    with pytest.raises(ActivationError) as caught:
        offline_activation.read_installation_id(
            session, WINDOWS_8, "73111121-5638-40f6-bc11-f1d7b0d64309", "Windows(R), Enterprise edition"
        )
    assert error_catalogue.shown(caught.value) == error_catalogue.expected(WRITTEN[NO_KEY], caught.value)


@given(st.sampled_from([48, 54, 63]), st.integers(0, 10**48 - 1))
def test_groups_are_those_of_windows_and_read_back(length: int, number: int):
    digits = str(number).zfill(length)
    parts = grouped(digits).split("-")
    assert {(len(parts), *map(len, parts))} == {
        48: {(8, *[6] * 8)},
        54: {(9, *[6] * 9)},
        63: {(9, *[7] * 9)},
    }[length]
    assert "".join(parts) == digits
    if length != 48:
        assert installation_digits(re.sub("-", "  ", grouped(digits))) == digits


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("12345A", "The installation ID has to be digits, in groups or not."),
        ("1" * 62, "The installation ID has 62 digits, but those of Windows have 54 or 63; copy it again."),
    ],
)
def test_what_no_computer_can_have_is_refused(text: str, says: str):
    with pytest.raises(ActivationError) as caught:
        Confirmation.of("1" * 48, text)
    assert caught.value.message == says


def test_who_waits_is_listed_for_people_and_for_the_module_that_asks_microsoft():
    waits = {"installation_id": "1234567" * 9, "extended_pid": "03612-00206-271-344265-03-1033-20348.0000-0012026", "port": 1688}
    found = waiting({"kms-1": waits, "kms-2": {"port": 1688}, "kms-3": dict(waits)}, ["kms-3"], "kms_single_site_confirmation_ids")
    assert found["products"] == [
        {"identifier": "kms-1", "installation_id": waits["installation_id"], "extended_pid": waits["extended_pid"]}
    ]
    assert found["lines"] == [f"kms-1: installation ID {'-'.join(['1234567'] * 9)}"]
    assert (list(found["installation_ids"]), found["stop"].startswith("The KMS hosts have their keys, but 1 of them is")) == (
        ["kms-1", "kms-3"],
        True,
    )
    assert waiting({"kms-3": waits}, ["kms-3"], "x")["stop"] == ""
