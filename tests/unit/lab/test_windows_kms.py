# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KMS between simulated machines: counting, choice of host, port, publication and tickets.

Sources: docs/facts/kms.md#count, docs/facts/publication.md#refused-updates.
"""

from __future__ import annotations

import random
import socket
import uuid
from collections import Counter

import pytest
from unit.lab.windows_fakes import (
    DOMAIN,
    FakeDomain,
    activate,
    base,
    create_process,
    install,
    open_firewall,
    registry,
    restart_service,
    service,
    service_row,
)

from lab.windows import data, kms_rpc, srv_choice
from lab.windows.host import Host
from lab.windows.kms_counter import NO_COUNT, KmsCounter
from lab.windows.kms_line import LineError, decode_request
from lab.windows.ports import SrvRecord
from lab.wsman.backend import WmiError

pytestmark = pytest.mark.tier("test")

SPP = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"


def key(name: str) -> str:
    return data.key_named(name).key


def attempt(host: Host) -> int:
    """Activate; the HRESULT, 0 for success."""
    try:
        activate(host)
    except WmiError as error:
        return error.hresult
    return 0


def is_open(host: Host, port: int = 1688) -> bool:
    with socket.socket() as connection:
        connection.settimeout(2)
        return connection.connect_ex((host.spec.address, port)) == 0


def test_the_25th_client_os_is_licensed_and_those_before_when_they_ask_again(domain: FakeDomain) -> None:
    host = domain.add_kms_host()
    clients = [domain.add(f"pc-{number:03d}", "windows_11_enterprise") for number in range(1, 27)]
    assert service_row(host)["KeyManagementServiceCurrentCount"] == NO_COUNT
    assert [attempt(client) for client in clients] == [0xC004F038] * 24 + [0, 0]
    assert service_row(host)["KeyManagementServiceCurrentCount"] == 26
    assert attempt(clients[0]) == 0
    assert base(clients[0])["GracePeriodRemaining"] == 180 * 24 * 60
    assert service_row(clients[0])["DiscoveredKeyManagementServiceMachineName"] == "kms-1.contoso.com"
    row = service_row(host)
    assert (row["KeyManagementServiceTotalRequests"], row["KeyManagementServiceNotificationRequests"]) == (27, 27)


def test_the_5th_server_is_licensed_and_clients_count_for_servers(domain: FakeDomain) -> None:
    domain.add_kms_host()
    assert [attempt(domain.add(f"pc-{number}", "windows_10_pro")) for number in range(4)] == [0xC004F038] * 4
    assert attempt(domain.add("srv-01", "server_2019_standard")) == 0


def test_a_clone_is_not_counted_twice(domain: FakeDomain) -> None:
    host = domain.add_kms_host()
    for number in range(6):
        attempt(domain.add(f"srv-{number}", "server_2022_standard", cmid="00000000-0000-0000-0000-000000000001"))
    assert service_row(host)["KeyManagementServiceCurrentCount"] == 1


def test_the_cache_keeps_twice_the_largest_threshold_for_thirty_days(domain: FakeDomain) -> None:
    counter = KmsCounter()
    now = domain.clock.now()
    for number in range(20):
        count = counter.register(f"server {number}", 5, 5, now)
    assert count == 10
    for number in range(100):
        count = counter.register(f"client {number}", 25, 5, now)
    assert count == 50
    domain.clock.advance(days=31)
    assert counter.current(domain.clock.now()) == 0


def test_a_licence_from_kms_ends_after_180_days(domain: FakeDomain) -> None:
    domain.add_kms_host()
    servers = [domain.add(f"srv-{number}", "server_2022_standard") for number in range(5)]
    assert [attempt(server) for server in servers][-1] == 0
    domain.clock.advance(days=181)
    assert base(servers[-1])["LicenseStatus"] == 5


def test_no_record_no_host_and_the_wrong_host(domain: FakeDomain) -> None:
    client = domain.add("pc-001", "windows_11_enterprise")
    assert attempt(client) == 0x8007232B
    domain.records[DOMAIN] = [SrvRecord("gone.contoso.com", 1688)]
    assert attempt(client) == 0xC004F074
    host = domain.add("kms-1", "server_2016_standard")
    install(host, key("csvlk_2016"))
    domain.records[DOMAIN] = [SrvRecord("kms-1.contoso.com", 1688)]
    assert attempt(client) == 0xC004F074
    open_firewall(host)
    assert attempt(client) == 0xC004F041
    activate(host)
    assert attempt(client) == 0xC004F038
    newer = domain.add("srv-01", "server_2022_standard")
    assert attempt(newer) == 0xC004F042
    assert service_row(host)["KeyManagementServiceFailedRequests"] == 2
    service(client, "SetKeyManagementServiceMachine", MachineName="nowhere.contoso.com")
    assert attempt(client) == 0xC004F074


def test_a_host_on_a_client_os_serves_no_servers(domain: FakeDomain) -> None:
    host = domain.add("kms-1", "windows_10_enterprise")
    install(host, key("csvlk_client10"))
    open_firewall(host, "SPPSVC-In-TCP-NoScope")
    activate(host)
    assert attempt(domain.add("srv-01", "server_2016_standard")) == 0xC004F042
    assert attempt(domain.add("pc-001", "windows_10_enterprise")) == 0xC004F038


def test_a_clock_that_is_wrong_by_more_than_four_hours(domain: FakeDomain) -> None:
    domain.add_kms_host()
    client = domain.add("pc-001", "windows_11_enterprise")
    other = FakeDomain()
    other.clock.advance(hours=5)
    client.clock = other.clock
    client.licensing._clock = other.clock
    client.licensing.by_volume._clock = other.clock
    assert attempt(client) == 0xC004F06C


def test_the_port_is_closed_while_the_rule_is_off_or_the_service_stopped(domain: FakeDomain) -> None:
    host = domain.add("kms-1", "server_2022_standard")
    open_firewall(host)
    assert not is_open(host)
    install(host, key("csvlk_2022"))
    assert is_open(host)
    open_firewall(host, method="Disable")
    assert not is_open(host)
    open_firewall(host)
    assert is_open(host)
    host.invoke("root/cimv2", "Win32_Service", {"Name": "sppsvc"}, "StopService", {})
    assert not is_open(host)
    domain.clock.advance(seconds=1)
    service_row(host)
    assert is_open(host)


def test_a_policy_can_keep_the_port_closed(domain: FakeDomain) -> None:
    assert not is_open(domain.add_kms_host(local_firewall_rules=False))


def test_split_rules_open_the_domain_profile_only_by_the_second(domain: FakeDomain) -> None:
    host = domain.add_kms_host(firewall_variant="split")
    assert not is_open(host)
    open_firewall(host, "SPPSVC-In-TCP-NoScope")
    assert is_open(host)


def test_another_port_waits_for_the_restart_and_the_rule_does_not_cover_it(domain: FakeDomain) -> None:
    host = domain.add_kms_host()
    service(host, "SetKeyManagementServiceListeningPort", PortNumber=1690)
    assert registry(host, "GetStringValue", SPP, "KeyManagementServiceListeningPort")["sValue"] == "1690"
    assert is_open(host)
    restart_service(host, domain.clock)
    assert not is_open(host)
    assert not is_open(host, 1690)
    assert SrvRecord("kms-1.contoso.com", 1690) in domain.records[DOMAIN]


def test_publication_at_activation_and_the_second_host_is_refused(domain: FakeDomain) -> None:
    domain.add_kms_host("kms-1", netbios_name="KMS_1")
    second = domain.add_kms_host("kms-2", netbios_name="KMS_2")
    assert domain.owner == {DOMAIN: "KMS_1$"}
    assert [record.target for record in domain.records[DOMAIN]] == ["kms-1.contoso.com"]
    events = second.instances("root/cimv2", "Win32_NTLogEvent")
    assert next(event["InsertionStrings"] for event in events if event["EventCode"] == 12293) == ["0x80072338", DOMAIN]


@pytest.mark.parametrize("way", ["purge", "reboot"])
def test_membership_needs_a_new_ticket_and_a_purge_needs_a_restart(domain: FakeDomain, way: str) -> None:
    domain.add_kms_host("kms-1", netbios_name="KMS_1")
    second = domain.add_kms_host("kms-2", netbios_name="KMS_2")
    domain.groups["KMS_Hosts"] = {"KMS_1$", "KMS_2$"}
    domain.allowed[DOMAIN] = {"KMS_Hosts"}

    def published() -> bool:
        return any(record.target == "kms-2.contoso.com" for record in domain.records[DOMAIN])

    restart_service(second, domain.clock)
    assert not published()
    if way == "purge":
        assert create_process(second, "klist.exe -li 0x3e4 purge") == 0
        activate(second)
        assert not published()
        restart_service(second, domain.clock)
    else:
        second.reboot()
    assert published()


def test_the_ticket_dates_from_the_start_of_windows(domain: FakeDomain) -> None:
    domain.add_kms_host("kms-1", netbios_name="KMS_1")
    second = domain.add("kms-2", "server_2022_standard", netbios_name="KMS_2", role="kms")
    domain.groups["KMS_Hosts"] = {"KMS_2$"}
    domain.allowed[DOMAIN] = {"KMS_Hosts"}
    install(second, key("csvlk_2022"))
    activate(second)
    assert [record.target for record in domain.records[DOMAIN]] == ["kms-1.contoso.com"]
    second.reboot()
    assert len(domain.records[DOMAIN]) == 2


def test_a_purge_of_another_logon_changes_nothing(domain: FakeDomain) -> None:
    domain.add_kms_host("kms-1", netbios_name="KMS_1")
    second = domain.add_kms_host("kms-2", netbios_name="KMS_2")
    domain.groups["KMS_Hosts"] = {"KMS_2$"}
    domain.allowed[DOMAIN] = {"KMS_Hosts"}
    create_process(second, "klist -li 0x3e7 purge")
    create_process(second, "klist purge")
    restart_service(second, domain.clock)
    assert len(domain.records[DOMAIN]) == 1


def test_publishing_can_be_off_and_a_list_says_where(domain: FakeDomain) -> None:
    host = domain.add("kms-1", "server_2022_standard")
    service(host, "DisableKeyManagementServiceDnsPublishing", DisablePublishing=True)
    assert service_row(host)["KeyManagementServiceDnsPublishing"] is False
    install(host, key("csvlk_2022"))
    activate(host)
    assert domain.records == {}
    service(host, "DisableKeyManagementServiceDnsPublishing", DisablePublishing=False)
    lines = ["contoso.com, 10, 75", "west.contoso.com,90,75", "too, many, 1, 2"]
    registry(host, "SetMultiStringValue", SPP, "DnsDomainPublishList", sValue=lines)
    restart_service(host, domain.clock)
    assert domain.records == {
        "contoso.com": [SrvRecord("kms-1.contoso.com", 1688, 10, 75)],
        "west.contoso.com": [SrvRecord("kms-1.contoso.com", 1688, 90, 75)],
    }
    assert host.snapshot_state()["events"][-1][0] == 12293


def test_both_readings_of_a_list_without_the_home_domain_occur(domain: FakeDomain) -> None:
    seen = {domain.add(f"kms-{seed}", "server_2022_standard", seed=seed).publication.home_always for seed in range(8)}
    assert seen == {True, False}


def test_the_answering_host_is_cached_unless_caching_is_off(domain: FakeDomain) -> None:
    domain.add_kms_host()
    client = domain.add("pc-001", "windows_11_enterprise")
    attempt(client)
    domain.records.clear()
    assert attempt(client) == 0xC004F038
    service(client, "DisableKeyManagementServiceHostCaching", DisableCaching=True)
    assert attempt(client) == 0x8007232B


def test_order_of_srv_records() -> None:
    records = [SrvRecord("far", 1, 90, 75), SrvRecord("one", 1, 10, 75), SrvRecord("two", 1, 10, 25)]
    generator = random.Random(1)
    first = Counter(srv_choice.order(records, generator)[0].target for _number in range(2000))
    assert set(first) == {"one", "two"}
    assert 1400 < first["one"] < 1600
    alike = [SrvRecord("a", 1), SrvRecord("b", 1)]
    assert 900 < Counter(srv_choice.order(alike, generator)[0].target for _number in range(2000))["a"] < 1100
    vista = Counter(srv_choice.order(records, generator, ignores_priority=True)[0].target for _number in range(2000))
    assert min(vista.values()) > 500


def bind(interface: uuid.UUID, transfer: tuple[uuid.UUID, int] = kms_rpc.NDR) -> bytes:
    """A bind written from C706, not by the code under test."""
    body = bytes.fromhex("d016d01600000000" + "01000000" + "00000100") + interface.bytes_le + (1).to_bytes(4, "little")
    body += transfer[0].bytes_le + transfer[1].to_bytes(4, "little")
    return bytes.fromhex("05000b0310000000") + (16 + len(body)).to_bytes(2, "little") + bytes.fromhex("000007000000") + body


def ask_rpc(host: Host, data_sent: bytes) -> bytes:
    with socket.create_connection((host.spec.address, 1688), 2) as connection:
        connection.sendall(data_sent)
        return connection.recv(4096)


def test_a_bind_is_acknowledged_for_the_kms_interface_only_and_counts_nobody(domain: FakeDomain) -> None:
    host = domain.add_kms_host()
    answer = ask_rpc(host, bind(kms_rpc.KMS_INTERFACE[0]))
    assert answer[2] == 12
    assert int.from_bytes(answer[8:10], "little") == len(answer)
    assert answer[12:16] == bytes.fromhex("07000000")
    assert int.from_bytes(answer[24:26], "little") == 5
    assert answer[26:31] == b"1688\0"
    results = answer[32:]
    assert results[0] == 1
    assert results[4:8] == bytes(4)
    assert uuid.UUID(bytes_le=results[8:24]) == kms_rpc.NDR[0]
    other = ask_rpc(host, bind(uuid.UUID(int=7)))
    assert other[36:40] == bytes.fromhex("02000100")
    ndr64 = ask_rpc(host, bind(kms_rpc.KMS_INTERFACE[0], (uuid.UUID("71710533-beba-4937-8319-b5dbef9ccc36"), 1)))
    assert ndr64[36:40] == bytes.fromhex("02000200")
    assert service_row(host)["KeyManagementServiceTotalRequests"] == 0


def test_a_call_is_never_answered(domain: FakeDomain) -> None:
    host = domain.add_kms_host()
    with socket.create_connection((host.spec.address, 1688), 2) as connection:
        connection.sendall(bind(kms_rpc.KMS_INTERFACE[0]))
        connection.recv(4096)
        connection.sendall(bytes.fromhex("050000031000000018000000080000000000000000000000"))
        assert connection.recv(4096)[2] == 3
        assert connection.recv(4096) == b""


@pytest.mark.parametrize("line", [b"{}", b'{"lab": "other"}', b'{"lab": "lab-count/1"}', b"[]", b"\xff"])
def test_other_lines_are_refused(line: bytes) -> None:
    with pytest.raises(LineError):
        decode_request(line)
