# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sppsvc when it is slow, on its way down, or not where its settings say: what the collection makes of it."""

from __future__ import annotations

import error_catalogue
import pytest
from unit.lab.product_session import open_direct, port_probe
from unit.lab.windows_fakes import FakeDomain, activate, control, create_process, install, open_firewall, service

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.setup import KmsHostSetup
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.state import KmsHostWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform import services
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp.license_info import read_license
from lab.windows import data
from lab.windows.host import Host
from lab.wsman.request_log import Entry
from lab.wsman.service import DropConnection

pytestmark = pytest.mark.tier("test")

KEYS = {"server_2022_standard": "csvlk_2022", "server_2008r2_enterprise": "csvlk_2008r2_b"}
NETSH = 'netsh.exe advfirewall firewall set rule group="@FirewallAPI.dll,-28002" new enable=yes'

NO_EFFECT = {"StopService": "a service that does not stop", "StartService": "a service that does not start"}
DISABLED = "a service that is disabled"
WRITTEN = error_catalogue.paired("Windows services", [*NO_EFFECT.values(), DISABLED])


@pytest.fixture
def domain(domain_in_real_time: FakeDomain) -> FakeDomain:
    """Hosts whose time really passes."""
    return domain_in_real_time


def kms_host(domain: FakeDomain, profile: str = "server_2022_standard", **options: object) -> Host:
    host = domain.add("kms-1", profile, role="kms", **options)
    install(host, data.key_named(KEYS[profile]).key)
    activate(host)
    if profile == "server_2022_standard":
        open_firewall(host)
    else:
        create_process(host, NETSH)
    return host


def restarted(host: Host) -> int:
    """How often sppsvc was started, by its event."""
    return sum(event.code == 902 for event in host.events.events())


def drop(action: str, times: int, effect: bool, host: Host):
    """Loses answers to an action, with or without the action being carried out before."""
    left = [times]

    def intercept(entry: Entry) -> None:
        if entry.action == action and left[0]:
            left[0] -= 1
            if effect:
                control(host, action.rpartition(":")[2])
            raise DropConnection

    return intercept


def test_a_stop_that_takes_its_time_is_waited_for(domain: FakeDomain) -> None:
    host = kms_host(domain, sppsvc_stop=0.8)
    session, carrier = open_direct(host)
    before = restarted(host)
    services.restart(session, "sppsvc")
    assert (host.services.find("sppsvc").state, restarted(host)) == ("Running", before + 1)
    assert carrier.asked("Invoke:StopService") == carrier.asked("Invoke:StartService") == 1


def test_a_start_that_times_out_although_the_service_comes_up_is_no_failure(domain: FakeDomain) -> None:
    host = kms_host(domain, sppsvc_start_pending=0.8)
    session, carrier = open_direct(host)
    before = restarted(host)
    services.restart(session, "sppsvc")
    assert (host.services.find("sppsvc").state, restarted(host)) == ("Running", before + 1)
    assert carrier.asked("Invoke:StartService") == 1


def test_a_service_that_is_just_starting_is_restarted_all_the_same(domain: FakeDomain) -> None:
    host = kms_host(domain, sppsvc_start_pending=0.5)
    control(host, "StopService")
    while host.services.find("sppsvc").state != "Stopped":
        pass
    assert control(host, "StartService") == 7
    session, _carrier = open_direct(host)
    before = restarted(host)
    services.restart(session, "sppsvc")
    assert (host.services.find("sppsvc").state, restarted(host)) == ("Running", before + 2)


@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize("action", ["Invoke:StopService", "Invoke:StartService"])
def test_a_lost_answer_is_looked_after_before_the_order_is_given_again(domain: FakeDomain, action: str, effect: bool) -> None:
    host = kms_host(domain)
    session, carrier = open_direct(host)
    carrier.intercept = drop(action, 1, effect, host)
    before = restarted(host)
    services.restart(session, "sppsvc")
    assert (host.services.find("sppsvc").state, restarted(host)) == ("Running", before + 1)
    assert carrier.asked(action) == (1 if effect else 2)


@pytest.mark.parametrize("method", ["StopService", "StartService"])
def test_an_order_without_effect_ends_in_a_sentence(domain: FakeDomain, method: str) -> None:
    host = kms_host(domain, sppsvc_stop=60 if method == "StopService" else 0.05, sppsvc_start_pending=60)
    session, _carrier = open_direct(host)
    with pytest.raises(ActivationError) as caught:
        services.restart(session, "sppsvc", timeout=1)
    assert error_catalogue.shown(caught.value) == error_catalogue.expected(WRITTEN[NO_EFFECT[method]], caught.value)


def test_a_disabled_service_is_refused_with_its_code(domain: FakeDomain) -> None:
    host = kms_host(domain)
    host.services.change_start_mode("sppsvc", "Disabled")
    session, _carrier = open_direct(host)
    with pytest.raises(ActivationError) as caught:
        services.restart(session, "sppsvc")
    assert error_catalogue.shown(caught.value) == error_catalogue.expected(WRITTEN[DISABLED], caught.value)


@pytest.mark.parametrize("seed", range(6))
def test_a_service_that_stops_because_nobody_asked_is_asked_until_it_starts_again(domain: FakeDomain, seed: int) -> None:
    host = domain.add("pc-001", "windows_11_enterprise", seed=seed, sppsvc_idle=0.2, sppsvc_stop=0.5)
    session, carrier = open_direct(host)
    read_license(session)
    while host.services.find("sppsvc").state != "Stop Pending":
        pass
    assert read_license(session)["windows"]["channel"] == "gvlk"
    assert carrier.asked("Enumerate", "SoftwareLicensingProduct") > 2


@pytest.mark.parametrize("profile", KEYS)
def test_a_port_that_is_set_but_not_in_use_is_mended_by_one_restart(domain: FakeDomain, profile: str) -> None:
    host = kms_host(domain, profile)
    service(host, "SetKeyManagementServiceListeningPort", PortNumber=1690)
    session, _carrier = open_direct(host)
    services.restart(session, "sppsvc")
    service(host, "SetKeyManagementServiceListeningPort", PortNumber=1688)
    before = restarted(host)
    wish = KmsHostWish(settings={"listening_port": 1688})
    planned = KmsHostSetup(session, wish, check_mode=True, probe=port_probe(host))
    planned.change()
    assert restarted(host) == before
    real = KmsHostSetup(session, wish, check_mode=False, probe=port_probe(host))
    real.change()
    assert [(step.attribute, step.after) for step in real.plan.steps] == [("sppsvc", "listens on TCP port 1688")]
    assert real.plan.steps == planned.plan.steps
    assert (restarted(host), host.snapshot_state()["open_port"], real.warnings) == (before + 1, 1688, [])
    again = KmsHostSetup(session, wish, check_mode=False, probe=port_probe(host))
    again.change()
    assert again.plan.steps == []


@pytest.mark.parametrize("profile", KEYS)
def test_a_port_that_only_the_firewall_keeps_closed_is_no_reason_for_a_restart(domain: FakeDomain, profile: str) -> None:
    host = kms_host(domain, profile)
    create_process(host, NETSH.replace("yes", "no"))
    session, _carrier = open_direct(host)
    real = KmsHostSetup(session, KmsHostWish(settings={"listening_port": 1688}), check_mode=False, probe=port_probe(host))
    real.change()
    assert real.plan.steps == []


def test_a_port_that_a_firewall_on_the_way_swallows_is_no_reason_for_a_restart_of_an_old_host(domain: FakeDomain) -> None:
    host = kms_host(domain, "server_2008r2_enterprise")
    session, _carrier = open_direct(host)
    real = KmsHostSetup(session, KmsHostWish(settings={"listening_port": 1688}), check_mode=False, probe=lambda _port: "filtered")
    real.change()
    assert real.plan.steps == []


def test_a_port_that_answers_costs_no_request(domain: FakeDomain) -> None:
    host = kms_host(domain)
    session, carrier = open_direct(host)
    KmsHostSetup(session, KmsHostWish(settings={"listening_port": 1688}), check_mode=False, probe=port_probe(host)).change()
    assert {
        entry.resource.rpartition("/")[2] or entry.query for entry in carrier.log if "Licensing" not in entry.resource + entry.query
    } == set()
