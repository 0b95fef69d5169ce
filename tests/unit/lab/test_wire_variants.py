# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever no source answers is served in each plausible form, and the collection makes the same of all of them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from unit.lab.in_process import ALL_VARIANTS, Seeded, seed_of, session_on
from unit.lab.windows_fakes import FakeDomain

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_client import setup as kms_client
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_client import state as kms_client_state
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host import setup as kms_host
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.state import KmsHostWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform import firewall, services
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform.classes import (
    NET_FIREWALL_RULE,
    SOFTWARE_LICENSING_PRODUCT,
    SOFTWARE_LICENSING_SERVICE,
    WIN32_OPERATING_SYSTEM,
    WIN32_SERVICE,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp.license_info import read_license
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.cim import CimClass, Method
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session
from lab.windows import data
from lab.wsman import variants

pytestmark = pytest.mark.tier("test")

WRONG_KEY = "BBBBB-BBBBB-BBBBB-BBBBB-BBBBB"
# Where Windows may answer with one of several codes, each of them is the same to a user.
SAME = {
    "access denied": {"0x80041003", "0x80070005", "0x80338104", "0x80338105", "0x80338106"},
    "query refused": {"0x8033801A", "0x80041017"},
    "parameter refused": {"0x8033811E", "0x80041008", "0x8004102F"},
}


def refusal(work: Callable[[], object]) -> str:
    """The code of the error that this ends with, or what it stands for."""
    with pytest.raises((ActivationError, StepFailed)) as caught:
        work()
    error: Any = caught.value.__cause__ if isinstance(caught.value, StepFailed) else caught.value
    assert error.message.startswith("kms-1")
    return next((meaning for meaning, codes in SAME.items() if error.shown_code in codes), error.shown_code)


def misspelt(cim_class: CimClass) -> CimClass:
    return CimClass(cim_class.name, {"Nothing": "string"}, {"SetKeyManagementServiceMachine": Method({"machinename": "string"})})


def without_clock(licence: dict[str, Any]) -> dict[str, Any]:
    """The host's own clock is not ours."""
    return {**licence, "operating_system": {**licence["operating_system"], "clock_offset": None}}


def story(seed: int) -> dict[str, Any]:
    """Everything that the modules do to a KMS host and a client, and every refusal that they may meet."""
    domain = FakeDomain()
    try:
        host = domain.add("kms-1", "server_2022_standard", role="kms", administrators=("svc",))
        # The client is counted, by a host that publishes itself.
        domain.add_kms_host("kms-2")
        pc = domain.add("pc-001", "windows_11_enterprise", administrators=("svc",))
        with pytest.MonkeyPatch.context() as patch:
            # Services stop and start in the time of the hosts.
            patch.setattr(services.time, "sleep", lambda seconds: domain.clock.advance(seconds=seconds))
            return {**_kms_host(Seeded(host, seed)), **_client(Seeded(pc, seed)), **_refusals(Seeded(host, seed))}
    finally:
        domain.close()


def _kms_host(backend: Any) -> dict[str, Any]:
    session = session_on(backend)
    key = data.key_named("csvlk_2022").key
    wish = KmsHostWish(key, {"listening_port": 1689, "low_priority": True, "renewal_interval": 9000}, activate=True, firewall=True)
    planned = kms_host.KmsHostSetup(session, wish, check_mode=True)
    planned.change()
    made = kms_host.KmsHostSetup(session, wish, check_mode=False)
    made.change()
    again = kms_host.KmsHostSetup(session, wish, check_mode=False)
    again.change()
    wrong = kms_host.KmsHostSetup(session, KmsHostWish(WRONG_KEY), check_mode=False)
    return {
        "planned": [str(step) for step in planned.plan.steps],
        "made": [str(step) for step in made.plan.steps],
        "again": again.plan.steps,
        "wrong key": refusal(wrong.change),
        "license": without_clock(read_license(session)),
        "rules": [firewall.read_rule(session, name) for name in (*firewall.KMS_RULES, "None-In-TCP")],
        "all products": sorted(str(row["ID"]) for row in session.query(SOFTWARE_LICENSING_PRODUCT, ["ID"])),
        "no product": session.query(SOFTWARE_LICENSING_PRODUCT, ["ID"], "ID = 'x'"),
        "started": session.query(WIN32_OPERATING_SYSTEM, ["LastBootUpTime"]),
        "whole rule": session.get(NET_FIREWALL_RULE, firewall._selectors(firewall.KMS_RULES[0])),
    }


def _client(backend: Any) -> dict[str, Any]:
    session = session_on(backend)
    client = kms_client.KmsClient(
        session, kms_client_state.KmsClientWish(data.key_named("csvlk_2022").key, True, False, ""), check_mode=False
    )
    refused = refusal(client.change)
    client = kms_client.KmsClient(session, kms_client_state.KmsClientWish(None, True, True, ""), check_mode=False)
    client.change()
    return {"client key": refused, "client": [str(step) for step in client.steps], "activation": client.activation}


def _refusals(backend: Any) -> dict[str, Any]:
    session = session_on(backend)
    stranger = session_on(backend, user="CONTOSO\\stranger")
    (service,) = session.query(SOFTWARE_LICENSING_SERVICE, ["Version"])
    selectors = {"Version": str(service["Version"])}
    mistake = misspelt(SOFTWARE_LICENSING_SERVICE)
    return {
        "no rights": refusal(lambda: read_license(stranger)),
        "no class": refusal(lambda: session.query(CimClass("Win32_Nothing", {"Name": "string"}), ["Name"])),
        "no column": refusal(lambda: session.query(mistake, ["Nothing"])),
        "no keys": refusal(lambda: session.get(SOFTWARE_LICENSING_SERVICE, {})),
        "no parameter": refusal(lambda: session.invoke(mistake, "SetKeyManagementServiceMachine", {"machinename": "x"}, selectors)),
        "no instance": refusal_not_found(session),
    }


def refusal_not_found(session: Session) -> bool:
    with pytest.raises(ActivationError) as caught:
        session.get(WIN32_SERVICE, {"Name": "none"})
    return bool(caught.value.not_found)


@cache
def told_before() -> dict[str, Any]:
    """The story with one seed, to which all others are compared."""
    return story(0)


@pytest.mark.parametrize(("topic", "name"), ALL_VARIANTS, ids=[f"{topic}: {name}" for topic, name in ALL_VARIANTS])
def test_a_variant_changes_nothing_for_the_collection(topic: str, name: str) -> None:
    assert story(seed_of(topic, name)) == told_before()


def test_the_story_comes_to_every_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()

    def crc32(text: bytes) -> int:
        asked.add(text.decode().partition(":")[2])
        return zlib.crc32(text)

    monkeypatch.setattr(variants, "zlib", SimpleNamespace(crc32=crc32))
    story(seed_of("provider form", "extended status"))
    story(seed_of("access denied", "nested"))
    assert asked == variants.TOPICS.keys()
