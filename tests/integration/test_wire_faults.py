# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault of the wire, at every call that changes something: no wrong state is told, no step is made twice, one clear sentence.

The modules run in this process, one host per call and all of them at once; what is true is asked of the lab, past its WMI, and of
Microsoft's counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import error_catalogue
import pytest
from handmade import task_of

from ansible_collections.winops.volume_activation.plugins.action import kms_client, kms_host
from lab import inventory, names
from lab.windows.data import key_named

from .conftest import Lab, eventually

pytestmark = pytest.mark.tier("soak")

PORT = 1690
FIREWALL_RULE = "SPPSVC-In-TCP"
VERSION_VALUE = "KeyManagementServiceVersion"
CSVLKS = ("csvlk_2022", "csvlk_2022_second")

# What is hit, and on which host. A KMS host key serves six hosts, so the later ones take the second key.
HOST_CALLS = {
    "query of the products": ("srv-17", {"action": "Enumerate", "query": "from SoftwareLicensingProduct"}),
    "InstallProductKey": ("kms-2", {"action": "Invoke:InstallProductKey"}),
    "RefreshLicenseStatus": ("srv-01", {"action": "Invoke:RefreshLicenseStatus"}),
    "SetStringValue": ("srv-03", {"action": "Invoke:SetStringValue"}),
    "SetKeyManagementServiceListeningPort": ("srv-05", {"action": "Invoke:SetKeyManagementServiceListeningPort"}),
    "StopService": ("srv-07", {"action": "Invoke:StopService"}),
    "StartService": ("srv-09", {"action": "Invoke:StartService"}),
    "reading the service": ("srv-11", {"action": "Get", "resource": "Win32_Service"}),
    "Enable": ("srv-13", {"action": "Invoke:Enable"}),
    "Activate": ("srv-15", {"action": "Invoke:Activate"}),
}

CLIENT_CALLS = {
    "query of the service": ("srv-02", {"action": "Enumerate", "query": "from SoftwareLicensingService"}),
    "InstallProductKey": ("srv-04", {"action": "Invoke:InstallProductKey"}),
    "ClearKeyManagementServiceMachine": ("srv-06", {"action": "Invoke:ClearKeyManagementServiceMachine"}),
    "ClearKeyManagementServicePort": ("srv-08", {"action": "Invoke:ClearKeyManagementServicePort"}),
    "Activate": ("srv-10", {"action": "Invoke:Activate"}),
}
SERVING = names.kms_hosts()[0].label


class Hand:
    """Runs modules against hosts of the lab as a task would, without the seconds that Ansible takes around it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def run(self, module: Any, label: str, **options: Any) -> dict[str, Any]:
        """The result of the module on one host; that of an unreachable one as well."""
        machine = names.find(label, self.lab.options.machines)
        connection = SimpleNamespace(
            ansible_name="ansible.builtin.psrp",
            _build_kwargs=lambda: None,
            _psrp_conn_kwargs={
                "server": machine.address,
                "port": inventory.HTTP_PORT,
                "username": f"{names.NETBIOS_DOMAIN}\\{names.WINRM_USER}",
                "password": names.WINRM_PASSWORD,
                "ssl": False,
                "auth": "ntlm",
            },
            _shell=SimpleNamespace(tmpdir="x"),
            option_definitions={},
            allow_extras=False,
        )
        task = task_of(options, until="asked again")
        templar = SimpleNamespace(template=lambda value: value)
        action = module.ActionModule(task, connection, SimpleNamespace(become=False), None, templar, None)
        try:
            return action.run(task_vars={"inventory_hostname": machine.fqdn})
        except Exception as unreachable:
            return {"failed": True, "unreachable": True, "changed": False, "steps": [], "msg": str(unreachable)}


@pytest.fixture(scope="module")
def hand(running_lab: Lab) -> Hand:
    running_lab.control.reset()
    return Hand(running_lab)


@dataclass(frozen=True)
class Expected:
    """What comes of a fault: at which calls the first run fails, and which case of the catalogue it then is."""

    fault: Mapping[str, Any]
    fails_at: Collection[str] = ()
    case: str = ""


EVERYWHERE = frozenset(HOST_CALLS) | frozenset(CLIENT_CALLS)
# Done twice these would do harm, so where nothing came of the first attempt it is not repeated.
NEVER_REPEATED = frozenset({"InstallProductKey", "Activate"})

EXPECTED = {
    "reset before": Expected({"fault": "reset"}, NEVER_REPEATED, "a connection that breaks"),
    "reset after": Expected({"fault": "reset", "done": True}),
    "half an answer": Expected({"fault": "half"}),
    "400": Expected({"fault": "http_400"}),
    "401": Expected({"fault": "http_401"}),
    "413": Expected({"fault": "http_413"}, EVERYWHERE, "a message that is too large for the host"),
    "500 before": Expected({"fault": "http_500"}, NEVER_REPEATED, "an error without a reason"),
    "500 after": Expected({"fault": "http_500", "done": True}),
    # Installing and activating are looked after until they are done.
    "timed out": Expected({"fault": "timed_out", "pace": 0.5}),
    "quota": Expected({"fault": "quota"}, EVERYWHERE, "too many operations at once"),
    "no XML": Expected({"fault": "not_xml"}),
    "other XML": Expected({"fault": "other_xml"}),
    "document type": Expected({"fault": "doctype"}),
    "answer to another request": Expected({"fault": "unrelated"}),
    "scrambled": Expected({"fault": "scrambled"}),
    "100 MB": Expected({"fault": "huge"}),
    "100 MB in chunks": Expected({"fault": "huge_chunked"}),
    "100 MB compressed": Expected({"fault": "huge_gzip"}),
    "slow bytes": Expected({"fault": "slow", "pace": 0.0003}),
    "connection closed as if idle": Expected({"fault": "close_after"}),
}
REFUSED = "a host that refuses connections"
STATE_TOLD = ("a connection that breaks", "an error without a reason")
"""At an activation these tell as well in which state the product is, a client and a KMS host each in its way."""
WRITTEN = error_catalogue.paired(
    "Faults of the wire",
    [
        *(expected.case for expected in EXPECTED.values() if expected.case),
        *(f"{case} at the activation of a {of}" for case in STATE_TOLD for of in ("client", "KMS host")),
        REFUSED,
    ],
)


def case_of(expected: Expected, call: str, label: str) -> str:
    """The name of the case in the catalogue."""
    if call != "Activate" or expected.case not in STATE_TOLD:
        return expected.case
    return f"{expected.case} at the activation of a {'KMS host' if label == HOST_CALLS[call][0] else 'client'}"


def check(case: str, result: dict[str, Any], hand: Hand, label: str) -> None:
    """The result of a module is that of the case, up to the steps before and after."""
    said, *_steps = re.split(" (?:Done before it|Not begun): ", result["msg"])
    error = SimpleNamespace(message=said, **{part: result["error"][part] for part in ("source", "code", "name")})
    machine = names.find(label, hand.lab.options.machines)
    expected = error_catalogue.expected(WRITTEN[case], error, host=machine.fqdn, address=machine.address)
    assert error_catalogue.shown(error) == expected


def hit(hand: Hand, calls: Mapping[str, tuple[str, dict[str, str]]], expected: Expected, act: Callable[[str], dict[str, Any]]) -> None:
    """Each call meets the fault once; the first run says what is true, the second one ends the work, the third has none."""
    control = hand.lab.control
    hosts = [host for host, _rule in calls.values()]
    for host, rule in calls.values():
        control.inject(host=f"{host}.*", **rule, **expected.fault)
    with ThreadPoolExecutor(len(hosts)) as pool:
        first = dict(zip(calls, pool.map(act, hosts), strict=True))
        assert control.call("fault_hits") == [1] * len(calls)
        for call, result in first.items():
            check_first_run(hand, calls[call][0], call, result, expected)
        for result in pool.map(act, hosts):
            assert not result["failed"], result["msg"]
        for result in pool.map(act, hosts):
            assert (result["failed"], result["changed"], result["steps"]) == (False, False, [])


def check_first_run(hand: Hand, label: str, call: str, result: dict[str, Any], expected: Expected) -> None:
    """Failed exactly where it had to, with one sentence; and every step that it calls made is made."""
    assert result["failed"] == (call in expected.fails_at), f"{call}: {result.get('msg')}"
    if result["failed"]:
        sentence = result["msg"]
        check(case_of(expected, call, label), result, hand, label)
        assert "Traceback" not in sentence and "exception" not in result and "report it" not in sentence
        assert not re.search(r"(?:[0-9A-Z]{5}-){4}", sentence)
    state = hand.lab.control.host(label)
    for step in result["steps"]:
        told = TRUTH[re.sub(r"HKLM.*\\", "", step["attribute"])](state)
        assert told == step["after"], f"{call}: {step}, but it is {told}"


TRUTH: dict[str, Callable[[dict[str, Any]], Any]] = {
    "product key": lambda state: state["partial_key"],
    "license status": lambda state: {1: "licensed"}.get(state["license_status"]),
    f"firewall rule {FIREWALL_RULE}": lambda state: "enabled" if state["firewall"][FIREWALL_RULE] else "disabled",
    VERSION_VALUE: lambda state: next(value for name, value in state["registry"].items() if name.endswith(VERSION_VALUE)),
    "listening port": lambda state: int(next(value for name, value in state["registry"].items() if name.endswith("ListeningPort"))),
    "KMS host": lambda state: next((value for name, value in state["registry"].items() if name.endswith("ServiceName")), None),
    "KMS port": lambda state: next((value for name, value in state["registry"].items() if name.endswith("ServicePort")), None),
}
"""What is true of the object of a step, past the host's WMI."""


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_kms_host_is_made_in_spite_of(kind: str, hand: Hand):
    control = hand.lab.control
    hosts = [host for host, _rule in HOST_CALLS.values()]
    control.call("reset_windows", hosts=hosts)
    control.clear_faults()

    def act(label: str) -> dict[str, Any]:
        key = key_named(CSVLKS[hosts.index(label) // 6]).key
        return hand.run(kms_host, label, product_key=key, activate=True, listening_port=PORT, firewall=True)

    hit(hand, HOST_CALLS, EXPECTED[kind], act)
    for label in hosts:
        state = control.host(label)
        assert (state["key"], state["license_status"]) == (CSVLKS[hosts.index(label) // 6], 1)
        assert state["sppsvc"] == "Running"
        # The service was restarted after the port was set: it publishes the new one.
        assert eventually(lambda label=label: PORT in [attempt["port"] for attempt in control.host(label)["publications"]])
    spent = control.call("microsoft")
    assert [(spent[key]["machines"], spent[key]["activations"]) for key in CSVLKS] == [(6, 6), (4, 4)]


def test_a_host_that_refuses_connections_is_unreachable_and_untouched(hand: Hand):
    control = hand.lab.control
    control.clear_faults()
    before = control.host(SERVING)
    control.inject(host=f"{SERVING}.*", fault="refused")
    refused = hand.run(kms_host, SERVING, firewall=True)
    assert (refused["unreachable"], refused["steps"]) == (True, [])
    check(REFUSED, refused, hand, SERVING)
    other = hand.run(kms_host, "srv-20", listening_port=1688)
    assert not other["failed"], other["msg"]
    assert control.host(SERVING) == before
    control.clear_faults()
    assert not hand.run(kms_host, SERVING, listening_port=1688)["failed"]


@pytest.mark.parametrize("kind", EXPECTED)
def test_a_client_is_activated_in_spite_of(kind: str, hand: Hand, serving_host: str):
    control = hand.lab.control
    hosts = [host for host, _rule in CLIENT_CALLS.values()]
    prepare_clients(hand, hosts)
    control.clear_faults()
    before = control.host(serving_host)["requests"]
    hit(hand, CLIENT_CALLS, EXPECTED[kind], lambda label: hand.run(kms_client, label, discover=True))
    for label in hosts:
        state = control.host(label)
        assert (state["channel"], state["license_status"]) == ("Volume:GVLK", 1)
        assert not [name for name in state["registry"] if name.endswith(("KeyManagementServiceName", "KeyManagementServicePort"))]
    assert control.host(serving_host)["requests"] == before + len(hosts)


@pytest.fixture(scope="module")
def serving_host(running_lab: Lab) -> str:
    """A KMS host that has counted enough for servers: none of those that faults are made on."""
    control = running_lab.control
    control.reset()
    hand = Hand(running_lab)
    made = hand.run(kms_host, SERVING, product_key=key_named(CSVLKS[0]).key, activate=True, firewall=True)
    assert not made["failed"], made["msg"]
    assert eventually(lambda: [value.target for value in running_lab.witness.srv()] == [names.kms_hosts()[0].fqdn])
    hosts = [host for host, _rule in CLIENT_CALLS.values()]
    for _time in range(2):
        for label in hosts:
            assert not hand.run(kms_client, label, discover=True)["failed"]
    assert [control.host(label)["license_status"] for label in hosts] == [1] * len(hosts)
    return SERVING


def prepare_clients(hand: Hand, hosts: list[str]) -> None:
    """As somebody left them: with a MAK, and a KMS host set by hand that is no more."""
    control = hand.lab.control
    control.call("reset_windows", hosts=hosts)
    for label in hosts:
        mak = f"mak_{control.host(label)['profile']}"
        for method, arguments in (
            ("InstallProductKey", {"ProductKey": key_named(mak).key}),
            ("SetKeyManagementServiceMachine", {"MachineName": "kms.old.contoso.com"}),
            ("SetKeyManagementServicePort", {"PortNumber": 1700}),
        ):
            control.call("call_service", host=label, method=method, arguments=arguments)
