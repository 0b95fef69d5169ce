# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KMS client's settings on simulated machines: each alone, changed behind its back, and where Windows is too old for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from unit.lab.kms_client_run import MODERN, SEVEN, VISTA, changes, run
from unit.lab.product_session import open_direct
from unit.lab.windows_fakes import CIMV2, FakeDomain, service, service_row

from ansible_collections.winops.volume_activation.plugins.action.kms_client import _fixed_host
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_client.setup import KmsClient
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_client.state import KmsClientWish
from lab.windows import data, machine
from lab.windows.host import Host
from lab.windows.registry import Value, ValueType

pytestmark = pytest.mark.tier("test")

WHOLE = KmsClientWish(
    kms_host="kms-9.contoso.com",
    kms_port=1690,
    settings={"lookup_domain": "west.contoso.com", "host_caching": False, "activation_type": 2},
    dns_suffixes=["east.contoso.com", "west.contoso.com"],
    alternate_url="https://contoso.com/help",
)
URL_KEY = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform\Activation"


def search_list(host: Host) -> str:
    return str(host.registry.data(machine.TCPIP_PARAMETERS, "SearchList"))


def set_policy(host: Host, text: str) -> None:
    host.registry.set(machine.DNS_CLIENT_POLICY, "SearchList", ValueType.SZ, text)


def test_all_settings_are_planned_made_and_found_made(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN)
    before = host.snapshot_state()
    planned = run(host, WHOLE, check_mode=True)
    assert host.snapshot_state()["registry"] == before["registry"]
    made = run(host, WHOLE)
    assert made.steps == planned.steps
    suffixes = ["contoso.com", "east.contoso.com", "west.contoso.com"]
    assert changes(made) == {
        "KMS host": (None, "kms-9.contoso.com"),
        "KMS port": (None, 1690),
        "KMS lookup domain": (None, "west.contoso.com"),
        "KMS host caching": (True, False),
        "activation type": ("all", "kms"),
        "DNS suffix search list": (None, suffixes),
        "alternate URL": (None, "https://contoso.com/help"),
    }
    assert host.registry.get(URL_KEY, "AlternateURL") == Value("AlternateURL", ValueType.SZ, "https://contoso.com/help")
    row = service_row(host)
    assert (row["KeyManagementServiceMachine"], row["KeyManagementServicePort"]) == ("kms-9.contoso.com", 1690)
    assert row["KeyManagementServiceLookupDomain"] == "west.contoso.com"
    assert host.licensing.client.caching is False
    assert search_list(host) == ",".join(suffixes)
    assert made.lookup == {
        "honours_priority_and_weight": True,
        "domain_member": True,
        "domain": "contoso.com",
        "caching": False,
        "suffixes": {"search_list": suffixes, "source": "set", "effective": suffixes},
    }
    again = run(host, WHOLE)
    assert again.steps == []
    assert again.lookup == made.lookup


def clear(host: Host) -> None:
    service(host, "ClearKeyManagementServiceMachine")


DRIFTS: dict[str, tuple[Callable[[Host], object], tuple[Any, Any]]] = {
    "KMS host": (clear, (None, "kms-9.contoso.com")),
    "KMS port": (lambda host: service(host, "SetKeyManagementServicePort", PortNumber=1699), (1699, 1690)),
    "KMS lookup domain": (
        lambda host: service(host, "SetKeyManagementServiceLookupDomain", LookupDomain="x.example"),
        ("x.example", "west.contoso.com"),
    ),
    "KMS host caching": (lambda host: service(host, "DisableKeyManagementServiceHostCaching", DisableCaching=False), (True, False)),
    "activation type": (lambda host: service(host, "SetVLActivationTypeEnabled", ActivationType=1), ("active_directory", "kms")),
    "alternate URL": (
        lambda host: host.registry.set(URL_KEY, "AlternateURL", ValueType.SZ, "http://old.example/"),
        ("http://old.example/", "https://contoso.com/help"),
    ),
    "DNS suffix search list": (
        lambda host: host.registry.set(machine.TCPIP_PARAMETERS, "SearchList", ValueType.SZ, "west.contoso.com east.contoso.com"),
        (["west.contoso.com", "east.contoso.com"], ["contoso.com", "east.contoso.com", "west.contoso.com"]),
    ),
}


@pytest.mark.parametrize("attribute", DRIFTS)
def test_what_was_changed_behind_its_back_is_told_and_mended_as_exactly_that(domain: FakeDomain, attribute: str) -> None:
    host = domain.add("pc-001", MODERN)
    run(host, WHOLE)
    right = host.snapshot_state()["registry"]
    change, expected = DRIFTS[attribute]
    change(host)
    assert changes(run(host, WHOLE, check_mode=True)) == {attribute: expected}
    assert changes(run(host, WHOLE)) == {attribute: expected}
    assert host.snapshot_state()["registry"] == right
    assert run(host, WHOLE).steps == []


def test_discovery_clears_host_and_port_and_an_empty_value_the_rest(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN)
    run(host, WHOLE)
    back = KmsClientWish(
        discover=True, settings={"lookup_domain": None, "host_caching": True, "activation_type": None}, dns_suffixes=[], alternate_url=""
    )
    assert changes(run(host, back)) == {
        "KMS host": ("kms-9.contoso.com", None),
        "KMS port": (1690, None),
        "KMS lookup domain": ("west.contoso.com", None),
        "KMS host caching": (False, True),
        "activation type": ("kms", "all"),
        "DNS suffix search list": (["contoso.com", "east.contoso.com", "west.contoso.com"], None),
        "alternate URL": ("https://contoso.com/help", None),
    }
    assert host.registry.get(URL_KEY, "AlternateURL") is None
    assert search_list(host) == ""
    assert run(host, back).steps == []


def test_nothing_given_costs_two_queries_and_all_of_it_seven(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN)
    for wish, expected in ((KmsClientWish(discover=True), 2), (KmsClientWish(kms_host="kms-9", kms_port=1690), 2), (WHOLE, 7)):
        run(host, wish)
        session, carrier = open_direct(host)
        KmsClient(session, wish, False).change()
        assert len(carrier.log) == expected


@pytest.mark.parametrize("given", ["2001:DB8:0::1", "[2001:db8::1]", "[2001:DB8:0:0:0:0:0:1]"])
def test_an_ipv6_address_is_one_however_it_is_written(domain: FakeDomain, given: str) -> None:
    host = domain.add("pc-001", MODERN)
    service(host, "SetKeyManagementServiceMachine", MachineName=given)
    assert run(host, KmsClientWish(kms_host="[2001:db8::1]")).steps == []
    assert changes(run(host, KmsClientWish(kms_host="[2001:db8::2]"))) == {"KMS host": (given, "[2001:db8::2]")}


@pytest.mark.parametrize(
    ("given", "port", "host", "wanted"),
    [
        ("[::1]:1688", None, "[::1]", 1688),
        ("2001:DB8::1", 1690, "[2001:db8::1]", 1690),
        ("[2001:db8::1]", None, "[2001:db8::1]", None),
        ("KMS-1.contoso.com:1690", None, "kms-1.contoso.com", 1690),
        ("192.0.2.1", None, "192.0.2.1", None),
    ],
)
def test_host_and_port_may_stand_in_one_as_with_slmgr(
    domain: FakeDomain, given: str, port: int | None, host: str, wanted: int | None
) -> None:
    fixed, number = _fixed_host(given, port)
    assert (fixed, number) == (host, wanted)
    pc = domain.add("pc-001", MODERN)
    run(pc, KmsClientWish(kms_host=fixed, kms_port=number))
    row = service_row(pc)
    # 1688 and no port at all are the same to Windows.
    assert (row["KeyManagementServiceMachine"], row["KeyManagementServicePort"] or 1688) == (host, wanted or 1688)


@pytest.mark.parametrize(
    ("now", "wanted", "steps"),
    [
        (None, None, {}),
        (None, 1688, {}),
        (1688, None, {}),
        (1690, None, {"KMS port": (1690, None)}),
        (1690, 1688, {"KMS port": (1690, 1688)}),
        (None, 1690, {"KMS port": (None, 1690)}),
    ],
)
def test_no_port_is_1688(domain: FakeDomain, now: int | None, wanted: int | None, steps: dict[str, Any]) -> None:
    host = domain.add("pc-001", MODERN)
    service(host, "SetKeyManagementServiceMachine", MachineName="KMS-9.contoso.com")
    if now:
        service(host, "SetKeyManagementServicePort", PortNumber=now)
    assert changes(run(host, KmsClientWish(kms_host="kms-9.contoso.com", kms_port=wanted))) == steps


def test_a_fixed_host_overrides_the_lookup_domain_and_that_is_said(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN)
    (warning,) = run(host, WHOLE).warnings
    assert "fixed KMS host kms-9.contoso.com, which overrides O(lookup_domain)" in warning
    (warning,) = run(host, KmsClientWish(settings={"lookup_domain": "west.contoso.com"})).warnings
    assert "fixed KMS host kms-9.contoso.com" in warning
    assert run(host, KmsClientWish(discover=True, settings={"lookup_domain": "west.contoso.com"})).warnings == []
    assert run(host, KmsClientWish(settings={"lookup_domain": None})).warnings == []


@pytest.mark.parametrize(
    ("member", "primary", "asked", "expected"),
    [
        ("contoso.com", "contoso.com", ["east.contoso.com"], "contoso.com,east.contoso.com"),
        ("contoso.com", "contoso.com", ["east.contoso.com", "contoso.com"], "contoso.com,east.contoso.com"),
        ("contoso.com", "east.contoso.com", ["west.contoso.com"], "east.contoso.com,west.contoso.com"),
        ("contoso.com", "", ["west.contoso.com"], "contoso.com,west.contoso.com"),
        ("", "", ["west.contoso.com", "west.contoso.com"], "west.contoso.com"),
    ],
)
def test_the_computers_own_domain_stays_first(domain: FakeDomain, member: str, primary: str, asked: list[str], expected: str) -> None:
    host = domain.add("pc-001", MODERN, domain=member)
    host.registry.set(machine.TCPIP_PARAMETERS, "Domain", ValueType.SZ, primary)
    client = run(host, KmsClientWish(dns_suffixes=asked))
    assert search_list(host) == expected
    assert (client.lookup["domain_member"], client.lookup["domain"]) == (bool(member), member)
    assert run(host, KmsClientWish(dns_suffixes=asked)).steps == []


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_list_by_policy_wins_and_is_told(domain: FakeDomain, check_mode: bool) -> None:
    host = domain.add("pc-001", MODERN)
    set_policy(host, "Corp.Contoso.com, east.contoso.com")
    client = run(host, KmsClientWish(dns_suffixes=["east.contoso.com"]), check_mode)
    policy = ["corp.contoso.com", "east.contoso.com"]
    assert client.steps == []
    assert search_list(host) == ""
    assert client.lookup["suffixes"] == {"search_list": [], "source": "policy", "effective": policy}
    (warning,) = client.warnings
    assert "a policy sets the DNS suffix search list to corp.contoso.com, east.contoso.com" in warning
    set_policy(host, "contoso.com,east.contoso.com")
    same = run(host, KmsClientWish(dns_suffixes=["east.contoso.com"]), check_mode)
    assert (same.steps, same.warnings) == ([], [])


def test_without_a_list_the_own_domain_counts(domain: FakeDomain) -> None:
    host = domain.add("pc-001", MODERN)
    client = run(host, KmsClientWish(dns_suffixes=[]))
    assert client.lookup["suffixes"] == {"search_list": [], "source": "none", "effective": ["contoso.com"]}


@pytest.mark.parametrize(("code", "failing"), [(1, False), (73, True), (999, True)])
def test_what_the_network_configuration_answers(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch, code: int, failing: bool) -> None:
    host = domain.add("pc-001", MODERN)
    provider = host._provider(CIMV2, "Win32_NetworkAdapterConfiguration")
    real = provider.call
    monkeypatch.setattr(provider, "call", lambda *given: {**real(*given), "ReturnValue": code})
    if not failing:
        (warning,) = run(host, KmsClientWish(dns_suffixes=["east.contoso.com"])).warnings
        assert "takes up the DNS suffix search list with its next start" in warning
        return
    with pytest.raises(StepFailed) as failed:
        run(host, KmsClientWish(dns_suffixes=["east.contoso.com"]))
    assert isinstance(failed.value.__cause__, ActivationError)
    assert failed.value.__cause__.shown_code == str(code)


def test_what_is_set_back_by_something_else_is_an_error(domain: FakeDomain, monkeypatch: pytest.MonkeyPatch) -> None:
    host = domain.add("pc-001", MODERN)
    provider = host._provider(CIMV2, "Win32_NetworkAdapterConfiguration")
    monkeypatch.setattr(provider, "call", lambda *_given: {"ReturnValue": 0})
    with pytest.raises(StepFailed) as caught:
        run(host, KmsClientWish(dns_suffixes=["east.contoso.com"]))
    assert "the DNS suffix search list is empty instead of contoso.com, east.contoso.com" in str(caught.value.__cause__)
    # What was done stays done, and the result says so.
    assert [step.attribute for step in caught.value.done] == ["DNS suffix search list"]
    monkeypatch.setattr(host.licensing.client, "set_caching", lambda _caching: None)
    with pytest.raises(StepFailed) as caught:
        run(host, KmsClientWish(settings={"host_caching": False}))
    assert "KMS host caching (is True, wanted False)" in str(caught.value.__cause__)
    assert [step.attribute for step in caught.value.done] == ["KMS host caching"]


@pytest.mark.parametrize("profile", data.volume_profiles())
def test_which_windows_honours_priority_and_which_caches(domain: FakeDomain, profile: str) -> None:
    vista = data.profiles()[profile].is_vista_era
    host = domain.add("pc-001", profile)
    assert run(host, KmsClientWish()).lookup == {"honours_priority_and_weight": not vista}
    lookup = run(host, KmsClientWish(dns_suffixes=["east.contoso.com"])).lookup
    assert (lookup["honours_priority_and_weight"], lookup["caching"]) == (not vista, None if vista else True)
    assert search_list(host) == "contoso.com,east.contoso.com"


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("profile", "settings", "said"),
    [
        (VISTA, {"host_caching": False}, "host_caching is a setting that came with Windows 7 and Server 2008 R2"),
        (VISTA, {"lookup_domain": "east.contoso.com"}, "lookup_domain is a setting that came with Windows 8 and Server 2012"),
        (SEVEN, {"activation_type": 2}, "activation_type is a setting that came with Windows 8 and Server 2012"),
        (SEVEN, {"lookup_domain": "east.contoso.com"}, "name the host by kms_host, or the domain by dns_suffixes"),
    ],
)
def test_an_old_windows_lacks_settings_and_says_so_before_anything_changes(
    domain: FakeDomain, profile: str, settings: dict[str, Any], said: str, check_mode: bool
) -> None:
    host = domain.add("pc-001", profile)
    with pytest.raises(ActivationError, match=said):
        run(host, KmsClientWish(kms_host="kms-9.contoso.com", settings=settings, dns_suffixes=["east.contoso.com"]), check_mode)
    assert service_row(host)["KeyManagementServiceMachine"] is None
    assert search_list(host) == ""


def test_windows_7_has_host_caching(domain: FakeDomain) -> None:
    host = domain.add("pc-001", SEVEN)
    client = run(host, KmsClientWish(settings={"host_caching": False}))
    assert changes(client) == {"KMS host caching": (True, False)}
    assert client.lookup["caching"] is False
