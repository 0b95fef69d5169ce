# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the crash test demands after a fault: each thing that must not happen is told, and nothing else."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import pytest
from crash import checks, claims
from crash.kinds import BY_NAME
from crash.schedule import Schedule
from crash.world import FOREIGN_SID, Seen

from lab.play import Run, TaskResult

pytestmark = pytest.mark.tier("test")

ZONE = "contoso.com"
VALUE, ACE = f"65000 7 1688 kms-foreign.{ZONE}", f"(A;;RP;;;{FOREIGN_SID})"


def seen() -> Seen:
    host = {
        "host": "kms-1.contoso.com",
        "up": True,
        "is_kms_host": True,
        "sppsvc": "Running",
        "firewall": {"SPPSVC-In-TCP": True, "WinRM": True, "SMB": False},
        "products": [{"partial_key": "AAAAA", "license_status": 1}],
        "registry": {r"HKLM\SPP\KeyManagementServiceListeningPort": "1688"},
        "requests": 7,
    }
    return Seen(
        hosts={"kms-1": host},
        spent={"csvlk": 1},
        records={ZONE: [VALUE, "0 0 1688 kms-1.contoso.com"]},
        aces={ZONE: [ACE, "(A;;RP;;;S-1-5-21-1-1)"]},
        members={"KMS_Hosts": ["KMS-1$", "admin"]},
        listed={"pc-9 product": {"outcome": "licensed", "confirmation_id": "123"}},
    )


def changed(path: str, value: Any) -> Seen:
    """What is seen, but for one thing."""
    found = seen()
    part, key = path.split("/")
    getattr(found, part)[key] = value
    return found


LOST = {
    "the value": ("records/contoso.com", ["0 0 1688 kms-1.contoso.com"]),
    "the ACE": ("aces/contoso.com", []),
    "the member admin": ("members/KMS_Hosts", ["KMS-1$"]),
    "the list has lost confirmation_id of": ("listed/pc-9 product", {"outcome": "licensed", "confirmation_id": None}),
}


@pytest.mark.parametrize("says", LOST)
def test_what_belongs_to_others_may_not_be_lost(says: str) -> None:
    (told,) = checks.lost(seen(), changed(*LOST[says]))
    assert told.startswith(says)


def test_what_is_ours_may_go() -> None:
    now = changed("records/contoso.com", [VALUE])
    now.members["KMS_Hosts"] = ["admin"]
    assert list(checks.lost(seen(), now)) == []


def test_an_open_firewall_a_stopped_service_and_a_second_activation_are_told() -> None:
    now = seen()
    now.hosts["kms-1"] |= {"sppsvc": "Stopped", "firewall": {"SPPSVC-In-TCP": True, "WinRM": True, "SMB": True}}
    now.spent["csvlk"] = 2
    assert list(checks.wider(seen(), seen(), now)) == ["the firewall of kms-1 has SMB open"]
    assert list(checks.stopped(now)) == ["sppsvc of the KMS host kms-1 is Stopped"]
    assert len(list(checks.counted(seen(), now))) == 1
    assert list(checks.counted(seen(), now, extra=1)) == []


def test_another_end_names_what_differs_and_how_often_a_host_was_asked_does_not() -> None:
    now = copy.deepcopy(seen())
    now.hosts["kms-1"]["requests"] = 9
    assert list(checks.elsewhere(seen(), now)) == []
    now.hosts["kms-1"]["products"] = []
    (told,) = checks.elsewhere(seen(), now)
    assert told.startswith("kms-1 products is []")


def test_a_key_is_counted_where_it_was_installed() -> None:
    def request(injected: str = "", fault: int = 0) -> dict[str, Any]:
        return {
            "host": "kms-1",
            "action": "Invoke:InstallProductKey",
            "injected": injected,
            "fault": fault,
            "status": 500 if fault else 200,
        }

    log = [request(), request(fault=0x80041001), request(injected="reset")]
    before, after = (Schedule(1, "one", BY_NAME[name], "", 1, {}) for name in ("reset before", "reset after"))
    assert (checks.installs(log, before)["kms-1"], checks.installs(log, after)["kms-1"]) == (1, 2)
    assert len(list(checks.installed_twice(Counter({"kms-1": 1}), checks.installs(log, after)))) == 1


@pytest.mark.parametrize(
    ("attribute", "after", "wrong"),
    [
        ("product key", "AAAAA", 0),
        ("product key", "BBBBB", 1),
        ("license status", "licensed", 0),
        ("firewall rule SMB", "enabled", 1),
        ("listening port", 1688, 0),
        ("listening port", 1690, 1),
        ("what nobody sees", "anything", 0),
    ],
)
def test_a_step_that_is_said_to_be_done_is_done(attribute: str, after: Any, wrong: int) -> None:
    step = {"object": "kms-1.contoso.com", "attribute": attribute, "before": None, "after": after}
    run = Run("failed", 2, [TaskResult("Task", "kms-1.contoso.com", {"failed": True, "steps": [step]}, "runner_on_failed")])
    assert len(claims.untrue(run, seen())) == wrong


def test_a_value_that_is_said_to_be_gone_is_gone() -> None:
    step = {"object": f"SRV _vlmcs._tcp.{ZONE}", "attribute": f"value {VALUE}", "before": "present", "after": "absent"}
    run = Run("successful", 0, [TaskResult("Task", "localhost", {"steps": [step]}, "runner_on_ok")])
    assert len(claims.untrue(run, seen())) == 1
