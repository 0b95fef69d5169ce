# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which product a KMS client's key and activation are for, what takes no setup key, and what becomes of an attempt."""

from __future__ import annotations

from typing import Any

import pytest
from unit.lab.kms_client_run import MODERN, SEVEN, changes, run
from unit.lab.product_session import open_direct
from unit.lab.windows_fakes import CIMV2, FakeDomain, base, install, service_row

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_client.state import KmsClientWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp.license_info import read_license
from lab.windows import data
from lab.windows.host import Host
from lab.windows.ports import ActivationObject

pytestmark = pytest.mark.tier("test")


def office_id(suite: str) -> str:
    return next(item.id for item in data.products() if item.suite == suite and item.is_kms_client)


def office_row(host: Host, suite: str) -> dict[str, Any]:
    return dict(host.get(CIMV2, "SoftwareLicensingProduct", {"ID": office_id(suite)}))


def test_the_one_product_of_office_gets_its_key_and_a_host_of_its_own(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN, office=("proplus_2021",))
    settings = {"activation_type": 2, "host_caching": False}
    wish = KmsClientWish(product="office", kms_host="kms-9.contoso.com", kms_port=1690, settings=settings)
    planned = run(host, wish, check_mode=True)
    assert not office_row(host, "proplus_2021")["PartialProductKey"]
    made = run(host, wish)
    assert made.steps == planned.steps
    name = "Office 21, Office21ProPlus2021VL_KMS_Client_AE edition"
    assert changes(made) == {
        "product key": (None, "6F7TH"),
        f"KMS host of {name}": (None, "kms-9.contoso.com"),
        f"KMS port of {name}": (None, 1690),
        f"activation type of {name}": ("all", "kms"),
        # This one is the service's alone.
        "KMS host caching": (True, False),
    }
    row = office_row(host, "proplus_2021")
    assert (row["PartialProductKey"], row["KeyManagementServiceMachine"], row["VLActivationTypeEnabled"]) == (
        "6F7TH",
        "kms-9.contoso.com",
        2,
    )
    assert service_row(host)["KeyManagementServiceMachine"] is None
    assert base(host)["VLActivationTypeEnabled"] == 0
    assert run(host, wish).steps == []
    assert run(host, KmsClientWish(product=office_id("proplus_2021"), discover=True)).steps != []
    assert office_row(host, "proplus_2021")["KeyManagementServiceMachine"] is None


def keys_of(host: Host) -> dict[str, str]:
    """The names of the keys that the products of a computer hold, by activation ID."""
    return {licence.product.id: licence.key.name for licence in host.licensing.licences.values() if licence.key}


PROJECT, VISIO = "projectpro_2016_c2r", "visiopro_2016_c2r"


@pytest.mark.tier("test")
@pytest.mark.parametrize("given", [True, False])
def test_the_key_of_a_product_that_is_not_recognised_stays(domain: FakeDomain, given: bool) -> None:
    host = domain.add("pc-001", MODERN, office=("o365_proplus", PROJECT, VISIO))
    install(host, data.key_named("subscription_office_365").key)
    before = keys_of(host)
    key = data.key_named("gvlk_office_2016_projectpro_c2r").key
    made = run(host, KmsClientWish(product=office_id(PROJECT), product_key=key if given else None))
    assert changes(made) == {"product key": (None, "DRTW9")}
    assert keys_of(host) == {**before, office_id(PROJECT): "gvlk_office_2016_projectpro_c2r"}
    # Nor does that of Visio, which is another product of the same release.
    install(host, data.key_named("gvlk_office_2016_visiopro_c2r").key)
    assert run(host, KmsClientWish(product=office_id(PROJECT))).steps == []


@pytest.mark.tier("test")
def test_two_products_that_are_not_recognised_are_two(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN, office=("unheard_of", "unheard_of_other"))
    install(host, data.key_named("mak_unheard_of_other").key)
    key = data.key_named("gvlk_unheard_of")
    with pytest.raises(ActivationError, match="there is no KMS client setup key known for Office 99, Office99SomethingElse_KMS_Client"):
        run(host, KmsClientWish(product=key.product_id))
    assert changes(run(host, KmsClientWish(product=key.product_id, product_key=key.key))) == {"product key": (None, "J8GKX")}
    assert {"mak_unheard_of_other", "gvlk_unheard_of"} < set(keys_of(host).values())


@pytest.mark.tier("test")
def test_of_the_same_product_a_key_gives_way_by_its_name_and_by_its_activation_id(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN, office=("o365_proplus", PROJECT))
    for name in ("subscription_office_365", "mak_office_2016_projectpro_c2r"):
        install(host, data.key_named(name).key)
    made = run(host, KmsClientWish(product=office_id(PROJECT)))
    assert changes(made) == {
        "product key": ("M8PKV", "DRTW9"),
        "product key of Office 16, Office16ProjectProXC2RVL_MAKC2R edition": ("M8PKV", None),
    }
    assert "subscription_office_365" in keys_of(host).values()


def test_the_key_of_office_that_stands_in_the_way_is_removed(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN, office=("proplus_2021", "visiopro_2021"))
    mak = data.key_named("mak_office_2021_proplus")
    install(host, mak.key)
    kept = run(host, KmsClientWish(product=office_id("proplus_2021"), overwrite=False, activate=True))
    assert (kept.steps, kept.activation) == ([], {"state": "not_attempted"})
    assert "keeps the key that ends in J4GPT, because overwrite is false; it is no KMS client" in kept.warnings[0]
    made = run(host, KmsClientWish(product=office_id("proplus_2021")))
    assert changes(made) == {
        "product key": ("J4GPT", "6F7TH"),
        "product key of Office 21, Office21ProPlus2021VL_MAK_AE edition": ("J4GPT", None),
    }
    assert host.licensing.find(mak.product_id).key is None
    assert run(host, KmsClientWish(product=office_id("proplus_2021"))).steps == []
    install(host, mak.key)
    assert list(changes(run(host, KmsClientWish(product=office_id("proplus_2021"))))) == [
        "product key of Office 21, Office21ProPlus2021VL_MAK_AE edition"
    ]
    assert base(host)["PartialProductKey"] == "2YT43"


def refused(host: Host, wish: KmsClientWish, said: str) -> ActivationError:
    """In check mode and without the same refusal, after which nothing is changed."""
    found = []
    for check_mode in (True, False):
        before = host.snapshot_state()
        with pytest.raises(ActivationError, match=said) as caught:
            run(host, wish, check_mode)
        after = host.snapshot_state()
        assert [after[name] for name in ("key", "registry", "host_caching")] == [
            before[name] for name in ("key", "registry", "host_caching")
        ]
        found.append(caught.value)
    return found[0]


def test_which_product_of_office_has_to_be_said_where_there_are_several_or_none(domain: FakeDomain) -> None:
    several = domain.add("pc-001", MODERN, office=("proplus_2021", "visiopro_2021"))
    assert office_id("visiopro_2021") in refused(several, KmsClientWish(product="office"), "several volume products of Office").message
    refused(domain.add("pc-002", MODERN), KmsClientWish(product="office"), "no volume product of Office")
    refused(several, KmsClientWish(product="00000000-0000-0000-0000-000000000000"), "no KMS client product with the activation ID 0000")
    refused(domain.add("pc-003", SEVEN), KmsClientWish(product="office"), "ospp")


def test_a_key_of_third_parties_needs_leave(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN, office=("proplus_2024",))
    refused(host, KmsClientWish(product="office"), "Office LTSC 2024 Professional Plus is known from several third-party lists only")
    assert changes(run(host, KmsClientWish(product="office", allow_unverified_key=True))) == {"product key": (None, "GCVGB")}


@pytest.mark.parametrize(
    ("profile", "options", "said"),
    [
        (
            "server_2022_standard",
            {"edition_id": "ServerStandardEval", "volume_licences": False},
            "the evaluation edition ServerStandardEval",
        ),
        (MODERN, {"edition_id": "Core", "volume_licences": False}, "the home edition Core, which KMS does not activate"),
        (MODERN, {"volume_licences": False}, "this installation of edition Enterprise has no volume licences"),
        (
            MODERN,
            {"edition_id": "EnterpriseSpecial"},
            "Microsoft publishes no KMS client setup key for edition EnterpriseSpecial, build 22631",
        ),
    ],
)
def test_what_takes_no_setup_key_is_said_before_anything_changes(
    domain: FakeDomain, profile: str, options: dict[str, Any], said: str
) -> None:
    host = domain.add("pc-001", profile, initial_key="", **options)
    wish = KmsClientWish(kms_host="kms-9.contoso.com", settings={"host_caching": False})
    refused(host, wish, said)
    if not options.get("volume_licences", True):
        given = KmsClientWish(product_key=data.key_named("gvlk_windows_10_enterprise").key, kms_host="kms-9.contoso.com")
        refused(host, given, said)


def test_a_mak_is_replaced_or_kept_and_never_activated(domain: FakeDomain) -> None:
    mak = data.key_named("mak_win_enterprise")
    host = domain.add("pc-001", MODERN, initial_key=mak.key)
    kept = run(host, KmsClientWish(overwrite=False, activate=True))
    assert (kept.steps, kept.activation) == ([], {"state": "not_attempted"})
    assert mak.key[-5:] in kept.warnings[0]
    with pytest.raises(ActivationError, match=r"is the mak key that .* holds, and no KMS client setup key"):
        run(host, KmsClientWish(product_key=mak.key, activate=True))
    assert base(host)["LicenseStatus"] != 1
    assert changes(run(host, KmsClientWish())) == {"product key": (mak.key[-5:], "2YT43")}


def test_a_host_whose_key_does_not_serve_the_product_is_named(domain: FakeDomain) -> None:
    domain.add_kms_host("kms-1", "csvlk_2016", "server_2016_standard")
    host = domain.add("srv-01", "server_2022_standard")
    with pytest.raises(StepFailed) as caught:
        run(host, KmsClientWish(kms_host="kms-1.contoso.com", activate=True))
    cause = caught.value.__cause__
    assert [step.attribute for step in caught.value.done] == ["KMS host"]
    assert isinstance(cause, ActivationError)
    assert cause.shown_code == "0xC004F042"
    assert "The product is Windows(R), ServerStandard edition, the host that was asked kms-1.contoso.com." in cause.message


def test_with_tokens_only_no_attempt_is_made(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN)
    client = run(host, KmsClientWish(activate=True, settings={"activation_type": 3}))
    assert client.activation == {"state": "not_attempted"}
    assert "allows tokens only" in client.warnings[0]


OBJECT = ActivationObject(
    "Contoso 2022",
    "CN=Contoso 2022,CN=Activation Objects,CN=Microsoft SPP,CN=Services,CN=Configuration,DC=contoso,DC=com",
    "97a0acdc-b989-5704-b7bd-51ea3642ca1c",
    "06401-00206-471-111111-03-1033-20348.0000-0012026",
)


def test_active_directory_is_asked_first_and_the_activation_type_prefers_or_forbids_it(domain: FakeDomain) -> None:
    domain.add_kms_host()
    host = domain.add("srv-01", "server_2022_standard")
    host.forest = lambda: [OBJECT]
    client = run(host, KmsClientWish(activate=True))
    assert client.activation == {
        "state": "licensed",
        "message": "The product is licensed.",
        "required_count": 5,
        "type": "active_directory",
        "activation_object": "Contoso 2022",
    }
    session, _carrier = open_direct(host)
    windows = read_license(session)["windows"]
    assert (windows["activation_type"], windows["ad_activation"]["object_dn"], windows["ad_activation"]["csvlk_pid"]) == (
        "active_directory",
        OBJECT.dn,
        OBJECT.csvlk_pid,
    )

    forbidden = domain.add("srv-02", "server_2022_standard")
    forbidden.forest = lambda: [OBJECT]
    asked = run(forbidden, KmsClientWish(activate=True, settings={"activation_type": 2}))
    assert (asked.activation["state"], asked.activation["required_count"]) == ("counted", 5)
    preferred = domain.add("srv-03", "server_2022_standard")
    with pytest.raises(StepFailed) as caught:
        run(preferred, KmsClientWish(activate=True, settings={"activation_type": 1}))
    assert getattr(caught.value.__cause__, "shown_code", "") == "0x80072030"


@pytest.mark.parametrize(("profile", "member"), [("windows_7_enterprise", "contoso.com"), ("windows_10_enterprise", "")])
def test_an_old_windows_and_a_workgroup_know_no_activation_objects(domain: FakeDomain, profile: str, member: str) -> None:
    domain.add_kms_host()
    host = domain.add("pc-001", profile, domain=member)
    host.forest = lambda: [OBJECT]
    assert run(host, KmsClientWish(activate=True, kms_host="kms-1.contoso.com")).activation["state"] == "counted"


def test_a_fixed_host_is_the_one_that_activated(domain: FakeDomain) -> None:
    kms = domain.add_kms_host()
    host = domain.add("srv-01", "server_2022_standard")
    for number in range(5):
        kms.licensing.counter.register(f"cmid-{number}", 5, 2, domain.clock.now())
    client = run(host, KmsClientWish(kms_host="kms-1.contoso.com", kms_port=1688, activate=True))
    assert (client.activation["state"], client.activation["kms_host"], client.activation["kms_port"]) == (
        "licensed",
        "kms-1.contoso.com",
        1688,
    )
    assert client.activation["type"] == "kms"
    back = run(host, KmsClientWish(discover=True, activate=True))
    assert (back.activation["state"], list(changes(back))) == ("licensed", ["KMS host"])
