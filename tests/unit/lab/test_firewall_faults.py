# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access denied and not found from the firewall's provider, in every form in which a Windows reports them, mean what they say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from unit.lab.in_process import InProcess, Seeded, seed_of
from unit.lab.windows_fakes import FakeDomain

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform import firewall, programs
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.remoting.targets import RemotingTarget, TargetWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.fault import WsmanFault
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session
from lab.windows.host import Host
from lab.wsman import backend as wmi
from lab.wsman.backend import FaultKind, WmiError
from lab.wsman.request_log import Entry
from lab.wsman.service import Service
from lab.wsman.variants import TOPICS

pytestmark = pytest.mark.tier("test")

RULE = "SPPSVC-In-TCP"
DENIED, MISSING, INVALID = wmi.WBEM_E_ACCESS_DENIED, wmi.WBEM_E_NOT_FOUND, wmi.WBEM_E_INVALID_PARAMETER
FORMS = TOPICS["mi error type"].variants
CODES = {
    DENIED: {"WIN32": "0x80070005"},
    MISSING: {"WIN32": "0x80070002"},
    INVALID: {"WIN32": "0x80070057"},
}


@pytest.fixture(scope="module")
def kms() -> Iterator[Host]:
    park = FakeDomain()
    yield park.add("kms-1", "server_2022_standard", role="kms")
    park.close()


def opened(host: Host, form: str, code: int, action: str, kind: FaultKind = "mi") -> tuple[Session, InProcess]:
    """A session on a host that refuses an action on the firewall, in a form."""

    def refuse(entry: Entry) -> None:
        if entry.action == action:
            raise WmiError(code, "Verweigert", kind)

    seeded = Seeded(host, seed_of("mi error type", form))
    carrier = InProcess(seeded, Service(intercept=refuse), user="svc-winrm")
    return Session(carrier, host.hostname), carrier


def rule_of(host: Host, enabled: bool = False) -> firewall.FirewallRule:
    return firewall.FirewallRule(RULE, enabled, 0)


CALLS: dict[str, Callable[[Session], object]] = {
    "Get": lambda session: firewall.read_rule(session, RULE),
    "Invoke:Enable": lambda session: firewall.switch_rule(session, firewall.FirewallRule(RULE, False, 0), True),
    "Invoke:Disable": lambda session: firewall.switch_rule(session, firewall.FirewallRule(RULE, True, 0), False),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("action", CALLS)
@pytest.mark.parametrize("code", [DENIED, INVALID])
def test_a_refusal_is_an_error_with_its_code(kms: Host, form: str, action: str, code: int):
    session, carrier = opened(kms, form, code, action)
    with pytest.raises(WsmanFault) as caught:
        CALLS[action](session)
    assert caught.value.shown_code == CODES[code].get(form, f"0x{code:08X}")
    assert caught.value.message.startswith(f"{kms.hostname}: ")
    assert ("denied" in caught.value.message) == (code == DENIED)
    served = re.search(r"(?:error_Type(?:[^>/]*>([^<]*)<|[^>]*/>))", carrier.answers[-1].decode())
    assert served
    assert (served[1] or "left out") == form


@pytest.mark.parametrize("form", FORMS)
def test_a_rule_that_does_not_exist_is_none(kms: Host, form: str):
    session, _carrier = opened(kms, form, MISSING, "Get")
    assert firewall.read_rule(session, RULE) is None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["No-Such-Rule", "SPPSVC-In-TCP-Other"])
def test_a_name_that_the_host_does_not_know_is_none(kms: Host, form: str, name: str):
    session = Session(InProcess(Seeded(kms, seed_of("mi error type", form)), user="svc-winrm"), kms.hostname)
    assert firewall.read_rule(session, name) is None
    assert firewall.read_rule(session, RULE) is not None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("on", [True, False])
def test_a_rule_that_is_gone_when_it_is_switched_says_so(kms: Host, form: str, on: bool):
    session, _carrier = opened(kms, form, MISSING, f"Invoke:{'Enable' if on else 'Disable'}")
    with pytest.raises(ActivationError) as caught:
        firewall.switch_rule(session, rule_of(kms, not on), on)
    word = "on" if on else "off"
    assert caught.value.message.startswith(
        f"{kms.hostname}: the firewall rule {RULE} is gone since it was read, so it was not switched {word}."
    )


@pytest.mark.parametrize("form", FORMS)
def test_a_host_that_denies_to_look_is_not_one_without_the_rule(kms: Host, form: str):
    session, _carrier = opened(kms, form, DENIED, "Get")
    with pytest.raises(WsmanFault, match="denied"):
        firewall.read_kms_rules(session)
    wish = TargetWish(winrm_service=False, winrm_rule=True)
    need = next(need for need in RemotingTarget(session, wish).needs if need.name == "winrm_rule")
    assert need.met is None
    assert "denied" in need.detail
    assert "has no firewall rule" not in need.detail


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("code", [DENIED, MISSING])
def test_a_program_that_may_not_be_started_is_refused_with_the_code(kms: Host, form: str, code: int):
    session, _carrier = opened(kms, form, code, "Invoke:Create", "mi")
    with pytest.raises(ActivationError, match=r"Hosts that forbid processes") as caught:
        programs.start(session, "netsh.exe x", "switch it by policy")
    assert caught.value.shown_code == CODES[code].get(form, f"0x{code:08X}")
