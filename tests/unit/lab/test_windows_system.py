# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services, registry, firewall, processes and restarts of a simulated machine (docs/facts/system.md#services, docs/facts/system.md#registry-provider)."""

from __future__ import annotations

import time

import pytest
from unit.lab.windows_fakes import (
    CIMV2,
    STANDARD,
    FakeDomain,
    activate,
    base,
    control,
    create_process,
    install,
    registry,
    restart_service,
    rule_keys,
    service,
    service_row,
)

from lab.host_calls import HostCalls
from lab.windows import data
from lab.windows.host import Host
from lab.windows.kms_counter import NO_COUNT
from lab.windows.machine import lookup_suffixes
from lab.windows.processes import split_command
from lab.wsman.backend import WmiError

pytestmark = pytest.mark.tier("test")

SPP = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"


@pytest.fixture
def host(domain: FakeDomain) -> Host:
    return domain.add("srv-01", "server_2022_standard")


def state(host: Host) -> str:
    text: str = host.get(CIMV2, "Win32_Service", {"name": "SPPSVC"})["State"]
    return text


def test_sppsvc_starts_on_demand_and_slowly_and_stops_when_idle(domain: FakeDomain, host: Host) -> None:
    assert state(host) == "Stopped"
    before = domain.clock.now()
    service_row(host)
    assert domain.clock.now() > before
    assert state(host) == "Running"
    before = domain.clock.now()
    service_row(host)
    assert domain.clock.now() == before
    domain.clock.advance(seconds=host.spec.sppsvc_idle)
    assert state(host) == "Stop Pending"
    with pytest.raises(WmiError) as caught:
        service_row(host)
    assert caught.value.hresult == 0xC004F075
    domain.clock.advance(seconds=host.spec.sppsvc_stop)
    assert state(host) == "Stopped"


def test_what_a_machine_does_by_itself_waits_for_a_service_that_is_just_stopping(domain: FakeDomain, host: Host) -> None:
    install(host, data.key_named("gvlk_server_2022_serverstandard").key)
    calls = HostCalls(lambda _name: host)
    service_row(host)
    for call in (lambda: calls.activate("srv-01"), lambda: calls.call_service("srv-01", "ClearKeyManagementServiceMachine", {})):
        domain.clock.advance(seconds=host.spec.sppsvc_idle)
        assert state(host) == "Stop Pending"
        call()
        assert state(host) == "Running"


def test_sppsvc_of_a_kms_host_never_stops_itself_and_starts_with_windows(domain: FakeDomain, host: Host) -> None:
    install(host, data.key_named("csvlk_2022").key)
    domain.clock.advance(days=1)
    assert state(host) == "Running"
    host.reboot()
    assert state(host) == "Running"


def test_stop_returns_before_it_is_stopped_and_start_answers_10_if_it_runs(domain: FakeDomain, host: Host) -> None:
    assert control(host, "StopService") == 6
    assert control(host, "StartService") == 0
    assert control(host, "StartService") == 10
    assert control(host, "StopService") == 0
    assert state(host) == "Stop Pending"
    with pytest.raises(WmiError) as caught:
        service_row(host)
    assert caught.value.hresult == 0xC004F075
    domain.clock.advance(seconds=1)
    assert state(host) == "Stopped"
    service_row(host)
    assert control(host, "StartService") == 10


def test_a_disabled_service_cannot_be_demanded(host: Host) -> None:
    host.invoke(CIMV2, "Win32_Service", {"Name": "sppsvc"}, "ChangeStartMode", {"StartMode": "Disabled"})
    assert control(host, "StartService") == 14
    with pytest.raises(WmiError) as caught:
        service_row(host)
    assert caught.value.hresult == 0x80070422


def test_a_service_that_is_not_there(host: Host) -> None:
    with pytest.raises(WmiError) as caught:
        control(host, "StartService", "spooler")
    assert (caught.value.hresult, caught.value.kind) == (0x80041002, "wbem")


def test_registry_round_trip_types_and_codes(host: Host) -> None:
    key = r"SOFTWARE\Acme"
    assert registry(host, "GetStringValue", key, "List")["ReturnValue"] == 2
    assert registry(host, "SetMultiStringValue", key, "List", sValue=["a", "b"])["ReturnValue"] == 2
    assert registry(host, "CreateKey", key + r"\Sub")["ReturnValue"] == 0
    for method, parameter, value in (
        ("MultiString", "sValue", ["a", "b"]),
        ("MultiString", "sValue", []),
        ("String", "sValue", "x"),
        ("DWORD", "uValue", 4294967295),
        ("QWORD", "uValue", 2**63),
        ("Binary", "uValue", [0, 255]),
    ):
        assert registry(host, f"Set{method}Value", key, "V", **{parameter: value})["ReturnValue"] == 0
        assert registry(host, f"Get{method}Value", key.upper(), "v") == {"ReturnValue": 0, parameter: value}
    assert registry(host, "GetStringValue", key, "V")["ReturnValue"] == 0x80041005
    assert registry(host, "GetStringValue", key, "Other")["ReturnValue"] == 1
    assert registry(host, "EnumValues", key) == {"ReturnValue": 0, "sNames": ["V"], "Types": [3]}
    assert registry(host, "EnumKey", key) == {"ReturnValue": 0, "sNames": ["Sub"]}
    assert registry(host, "DeleteKey", key)["ReturnValue"] == 5
    assert registry(host, "DeleteValue", key, "V")["ReturnValue"] == 0
    assert registry(host, "DeleteValue", key, "V")["ReturnValue"] == 2


def test_an_expandable_value_comes_expanded(host: Host) -> None:
    answer = registry(host, "GetExpandedStringValue", r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters", "DataBasePath")
    assert answer["sValue"] == r"C:\Windows\System32\drivers\etc"


def test_both_namespaces_of_the_registry_are_one_registry(host: Host) -> None:
    arguments = {"hDefKey": 0x80000002, "sSubKeyName": SPP, "sValueName": "X", "sValue": "y"}
    host.invoke("root/default", "StdRegProv", None, "SetStringValue", arguments)
    assert registry(host, "GetStringValue", SPP, "X")["sValue"] == "y"


def test_settings_by_wmi_and_by_registry_are_the_same(host: Host) -> None:
    service(host, "SetKeyManagementServiceMachine", MachineName="kms.contoso.com")
    service(host, "SetKeyManagementServicePort", PortNumber=1700)
    assert registry(host, "GetStringValue", SPP, "KeyManagementServicePort")["sValue"] == "1700"
    registry(host, "DeleteValue", SPP, "KeyManagementServiceName")
    row = service_row(host)
    assert (row["KeyManagementServiceMachine"], row["KeyManagementServicePort"]) == (None, 1700)
    service(host, "ClearKeyManagementServicePort")
    assert service_row(host)["KeyManagementServicePort"] == 0


def test_the_32_bit_view_may_lack_the_key(domain: FakeDomain) -> None:
    wow64 = SPP.replace("SOFTWARE", r"SOFTWARE\WOW6432Node")
    assert registry(domain.add("a", "server_2022_standard"), "EnumValues", wow64)["ReturnValue"] == 0
    assert registry(domain.add("b", "server_2022_standard", wow64_spp_key=False), "EnumValues", wow64)["ReturnValue"] == 2


def test_a_rule_is_off_at_first_and_is_switched_by_method_or_put(host: Host) -> None:
    keys = rule_keys("sppsvc-in-tcp")
    assert host.get(STANDARD, "MSFT_NetFirewallRule", keys)["Enabled"] == 2
    assert host.invoke(STANDARD, "MSFT_NetFirewallRule", keys, "Enable", {}) == {}
    assert host.get(STANDARD, "MSFT_NetFirewallRule", keys)["Enabled"] == 1
    assert host.put(STANDARD, "MSFT_NetFirewallRule", keys, {"Enabled": 2})["Enabled"] == 2
    with pytest.raises(WmiError) as caught:
        host.get(STANDARD, "MSFT_NetFirewallRule", rule_keys("none"))
    assert caught.value.kind == "mi"


def netsh(host: Host, words: str) -> bool:
    """Whether the KMS rule is on after netsh was started with these words."""
    assert create_process(host, f"netsh {words}") == 0
    return all(rule.enabled for name, rule in host.firewall.rules.items() if name.startswith("SPPSVC"))


SET_RULE = "advfirewall firewall set rule"


@pytest.mark.parametrize(
    ("words", "switches"),
    [
        (f'{SET_RULE} name="Key Management Service (TCP-In)" new enable=yes', True),
        (f'{SET_RULE} group="Key Management Service" new enable=yes', True),
        (f'{SET_RULE} group="@FirewallAPI.dll,-28002" new enable=yes', True),
        (f"{SET_RULE} GROUP=@firewallapi.dll,-28002 NEW ENABLE=YES", True),
        # A rule is named as it is shown, a group also by its resource.
        (f'{SET_RULE} name="@FirewallAPI.dll,-28003" new enable=yes', False),
        (f'{SET_RULE} name="@FirewallAPI.dll,-28002" new enable=yes', False),
        (f'{SET_RULE} name="SPPSVC-In-TCP" new enable=yes', False),
        (f'{SET_RULE} name="Schlüsselverwaltungsdienst (TCP eingehend)" new enable=yes', False),
        (f'{SET_RULE} group="@FirewallAPI.dll,-28002" enable=yes', False),
        (f'{SET_RULE} group="@FirewallAPI.dll,-28002" new enable=true', False),
        ('advfirewall set rule group="@FirewallAPI.dll,-28002" new enable=yes', False),
        ('firewall set rule group="@FirewallAPI.dll,-28002" new enable=yes', False),
    ],
)
def test_netsh_switches_by_shown_name_or_by_group(domain: FakeDomain, words: str, switches: bool) -> None:
    host = domain.add("srv-01", "server_2008r2_enterprise")
    assert netsh(host, words) == switches


def test_netsh_speaks_the_language_of_its_machine(domain: FakeDomain) -> None:
    host = domain.add("srv-01", "server_2008r2_enterprise", language="de-DE")
    assert not netsh(host, f'{SET_RULE} name="Key Management Service (TCP-In)" new enable=yes')
    assert not netsh(host, f'{SET_RULE} group="Key Management Service" new enable=yes')
    assert netsh(host, f'{SET_RULE} group="@FirewallAPI.dll,-28002" new enable=yes')


RULES = r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules"


def test_the_registry_shows_a_rule_and_is_heard_at_the_next_start_only(domain: FakeDomain) -> None:
    host = domain.add("srv-01", "server_2008r2_enterprise", firewall_variant="split")
    text = registry(host, "GetStringValue", RULES, "SPPSVC-In-TCP")["sValue"]
    assert text == (
        "v2.10|Action=Allow|Active=FALSE|Dir=In|Protocol=6|Profile=Private|Profile=Public|LPort=1688|RA4=LocalSubnet|RA6=LocalSubnet|"
        r"App=%SystemRoot%\system32\sppsvc.exe|Svc=sppsvc|Name=@FirewallAPI.dll,-28003|Desc=@FirewallAPI.dll,-28006|"
        "EmbedCtxt=@FirewallAPI.dll,-28002|"
    )
    registry(host, "SetStringValue", RULES, "SPPSVC-In-TCP", sValue=text.replace("FALSE", "TRUE"))
    assert not host.firewall.rules["SPPSVC-In-TCP"].enabled
    host.reboot()
    assert host.firewall.rules["SPPSVC-In-TCP"].enabled
    netsh(host, f'{SET_RULE} group="@FirewallAPI.dll,-28002" new enable=no')
    assert "Active=FALSE" in registry(host, "GetStringValue", RULES, "SPPSVC-In-TCP")["sValue"]


def test_who_listens_is_shown_whatever_the_firewall_lets_through(domain: FakeDomain, host: Host) -> None:
    def ports() -> set[int]:
        return {row["LocalPort"] for row in host.instances(STANDARD, "MSFT_NetTCPConnection") if row["State"] == 2}

    assert ports() == {5985}
    install(host, data.key_named("csvlk_2022").key)
    assert ports() == {5985, 1688}
    assert host.snapshot_state()["open_port"] == 0
    assert domain.add("old", "server_2008r2_enterprise").cim_class(STANDARD, "MSFT_NetTCPConnection") is None


def test_process_creation_may_be_blocked_in_all_plausible_ways(domain: FakeDomain) -> None:
    seen = set()
    for seed in range(48):
        host = domain.add(f"pc-{seed}", "windows_11_enterprise", seed=seed, blocks_process_creation=True)
        try:
            seen.add(create_process(host, "klist -li 0x3e4 purge"))
        except WmiError as error:
            seen.add(error.hresult)
        assert host.snapshot_state()["processes"] == []
    assert seen == {2, 3, 8, 9, 0x80041003}


def test_a_start_may_time_out_although_the_service_comes_up(domain: FakeDomain) -> None:
    host = domain.add("kms-1", "server_2022_standard", sppsvc_start_pending=5)
    assert control(host, "StartService") == 7
    assert state(host) == "Start Pending"
    assert control(host, "StopService") == 5
    assert control(host, "StartService") == 10
    domain.clock.advance(seconds=5)
    assert state(host) == "Running"


def test_each_start_is_a_process_of_its_own(domain: FakeDomain, host: Host) -> None:
    def process() -> int:
        number: int = host.get(CIMV2, "Win32_Service", {"Name": "sppsvc"})["ProcessId"]
        return number

    service_row(host)
    first = process()
    restart_service(host, domain.clock)
    assert 0 != process() != first != 0


def test_vista_has_another_service_and_fewer_columns(domain: FakeDomain) -> None:
    host = domain.add("srv-01", "server_2008_enterprise")
    service_row(host)
    assert host.get(CIMV2, "Win32_Service", {"Name": "slsvc"})["State"] == "Running"
    with pytest.raises(WmiError):
        host.get(CIMV2, "Win32_Service", {"Name": "sppsvc"})
    vista, seven = (
        domain.add(name, name).cim_class(CIMV2, "SoftwareLicensingProduct") for name in ("windows_vista_enterprise", "windows_7_enterprise")
    )
    assert vista is not None and seven is not None
    assert vista.find_property("RequiredClientCount") is None
    assert seven.find_property("RequiredClientCount") is not None
    assert seven.find_property("ProductKeyChannel") is None


def test_processes_that_do_not_exist(host: Host) -> None:
    assert create_process(host, "nothing.exe") == 9
    assert create_process(host, "") == 21
    assert split_command(r'"C:\Program Files\x.exe" -a "b c"') == [r"C:\Program Files\x.exe", "-a", "b c"]


def test_rearm_takes_effect_with_the_next_start(domain: FakeDomain, host: Host) -> None:
    cmid = service_row(host)["ClientMachineID"]
    service(host, "ReArmWindows")
    assert service_row(host)["ClientMachineID"] == cmid
    host.reboot()
    assert service_row(host)["ClientMachineID"] != cmid
    assert service_row(host)["RemainingWindowsReArmCount"] == 2
    registry(host, "SetDWORDValue", SPP, "SkipRearm", uValue=1)
    service(host, "ReArmWindows")
    assert service_row(host)["RemainingWindowsReArmCount"] == 2
    registry(host, "DeleteValue", SPP, "SkipRearm")
    service(host, "ReArmWindows")
    service(host, "ReArmWindows")
    with pytest.raises(WmiError) as caught:
        service(host, "ReArmWindows")
    assert caught.value.hresult == 0xC004D307


def test_reset_returns_everything_and_keeps_identity(domain: FakeDomain) -> None:
    host = domain.add("kms-1", "server_2022_standard")
    fresh = {name: value for name, value in host.snapshot_state().items() if name != "events"}
    install(host, data.key_named("csvlk_2022").key)
    activate(host)
    service(host, "SetKeyManagementServiceListeningPort", PortNumber=1690)
    assert host.snapshot_state() != fresh
    host.reset()
    assert {name: value for name, value in host.snapshot_state().items() if name != "events"} == fresh


def test_a_restart_over_wmi_goes_away_and_comes_back(domain: FakeDomain) -> None:
    host = domain.add("srv-01", "server_2022_standard", reboot=0.05)
    seen: list[bool] = []
    host.power_listener = lambda _host, up: seen.append(up)
    assert host.invoke(CIMV2, "Win32_OperatingSystem", None, "Reboot", {}) == {"ReturnValue": 0}
    for _number in range(100):
        if seen == [False, True]:
            break
        time.sleep(0.02)
    assert seen == [False, True]
    assert host.is_up


def test_the_machine_says_who_it_is(domain: FakeDomain) -> None:
    member = domain.add("kms-1", "server_2022_standard", netbios_name="KMS_1")
    loner = domain.add("lab-1", "windows_11_pro", domain="")
    (row,) = member.instances(CIMV2, "win32_computersystem")
    assert (row["Name"], row["DNSHostName"], row["Domain"], row["DomainRole"]) == ("KMS_1", "kms-1", "contoso.com", 3)
    (row,) = loner.instances(CIMV2, "Win32_ComputerSystem")
    assert (row["PartOfDomain"], row["Workgroup"], row["DomainRole"]) == (False, "WORKGROUP", 0)
    (row,) = member.instances(CIMV2, "Win32_OperatingSystem")
    assert (row["BuildNumber"], row["ProductType"], row["OperatingSystemSKU"]) == ("20348", 3, 7)
    assert member.is_administrator(r"CONTOSO\svc-winrm")
    assert member.is_administrator("svc-winrm@CONTOSO.COM")
    assert not member.is_administrator("guest")
    strangers = (r"EAST\svc-winrm", "svc-winrm@EAST.CONTOSO.COM")
    own = ("labadmin", r".\labadmin", r"KMS_1\labadmin", r"contoso\svc-winrm", "svc-winrm@contoso.com")
    assert [member.trusts(user) for user in (*own, *strangers)] == [True] * len(own) + [False] * len(strangers)
    assert [loner.trusts(user) for user in own] == [True, True, False, False, False]
    assert base(member)["LicenseFamily"] == "ServerStandard"


def test_in_a_disjoint_namespace_the_primary_suffix_is_where_a_machine_publishes_and_looks_first(domain: FakeDomain) -> None:
    host = domain.add_kms_host("kms-1", domain="ad.contoso.net", primary_suffix="contoso.com")
    assert list(domain.records) == ["contoso.com"]
    (row,) = host.instances(CIMV2, "Win32_ComputerSystem")
    assert row["Domain"] == "ad.contoso.net"
    (row,) = host.instances(CIMV2, "Win32_NetworkAdapterConfiguration")
    assert row["DNSDomain"] == "contoso.com"
    assert lookup_suffixes(host.spec, host.registry) == ["contoso.com", "ad.contoso.net"]


def test_what_dhcp_gives_is_the_suffix_of_a_machine_in_no_domain(domain: FakeDomain) -> None:
    loner = domain.add("lab-1", "windows_11_pro", domain="", dns_suffixes=("contoso.com",))
    (row,) = loner.instances(CIMV2, "Win32_NetworkAdapterConfiguration")
    assert (row["DNSDomain"], row["DNSDomainSuffixSearchOrder"]) == ("contoso.com", None)
    assert lookup_suffixes(loner.spec, loner.registry) == ["contoso.com"]


def test_a_count_can_be_made_up_and_is_that_of_clients_that_are_not_there(domain: FakeDomain) -> None:
    host = domain.add_kms_host()
    assert [host.count_clients(clients) for clients in (25, 25, 30)] == [25, 25, 30]
    with pytest.raises(ValueError, match="no KMS host"):
        domain.add("pc-1", "windows_11_pro").count_clients(1)


@pytest.mark.parametrize(("survives", "counted"), [(False, NO_COUNT), (True, 30)])
def test_whether_a_count_survives_another_key_is_open(domain: FakeDomain, survives: bool, counted: int) -> None:
    host = domain.add_kms_host(count_survives_key=survives)
    host.count_clients(30)
    install(host, data.key_named("csvlk_2022_second").key)
    assert host.count_clients(0) == counted


def test_a_suffix_list_keeps_the_own_domain_first(domain: FakeDomain) -> None:
    client = domain.add("pc-001", "windows_11_enterprise")
    arguments = {"DNSDomainSuffixSearchOrder": ["east.contoso.com", "contoso.com"]}
    client.invoke(CIMV2, "Win32_NetworkAdapterConfiguration", None, "SetDNSSuffixSearchOrder", arguments)
    (row,) = client.instances(CIMV2, "Win32_NetworkAdapterConfiguration")
    assert row["DNSDomainSuffixSearchOrder"] == ["east.contoso.com", "contoso.com"]
    assert client.licensing.client._suffixes() == ["contoso.com", "east.contoso.com"]
