# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft in the running laboratory, asked by curl and openssl, counted past both by the control channel."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from unit.lab.batch_client import HEADERS, envelope, field, inner

from integration.conftest import NEEDS_DOMAIN, Lab
from lab.control import ControlError
from lab.microsoft.elsewhere import microsoft_elsewhere
from lab.play import lab_environment
from lab.windows import data
from lab.windows.identifiers import confirmation_id

pytestmark = pytest.mark.tier("soak")

KEY, HOST = "mak_win_enterprise", "pc-001"
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="the ports of a lab need a network of its own")
REFUSED = 7
"""Curl's exit code for a connection that nobody took."""
PID, IID = "extended_pid", "installation_id"


class Curl:
    """What there is in the lab's environment, and nothing else."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.environment = lab_environment(lab.layout.root)
        self._body = folder / "body"

    def __call__(self, kind: int, product: dict[str, Any], *more: str, url: str = "") -> subprocess.CompletedProcess[bytes]:
        self._body.write_bytes(envelope(inner(kind, product[PID], product[IID] if kind == 1 else None)))
        headers = [part for name, value in HEADERS.items() for part in ("-H", f"{name}: {value}")]
        target = url or self.environment["LAB_MICROSOFT_URL"]
        command = ["curl", "-sS", "--fail", "--noproxy", "", "--cacert", self.environment["LAB_MICROSOFT_CA"], *headers, *more]
        return subprocess.run([*command, "--data-binary", f"@{self._body}", target], capture_output=True, check=False)


@pytest.fixture
def curl(fresh_lab: Lab, tmp_path: Path) -> Curl:
    return Curl(fresh_lab, tmp_path)


def installed(lab: Lab, host: str = HOST) -> dict[str, Any]:
    """Windows's own product of a host."""
    return next(row for row in lab.control.host(host)["products"] if not row["add_on"] and not row["suite"])


def with_mak(lab: Lab, host: str = HOST) -> dict[str, Any]:
    lab.control.call("call_service", host=host, method="InstallProductKey", arguments={"ProductKey": data.key_named(KEY).key})
    return installed(lab, host)


def deposit(lab: Lab, product: dict[str, Any], answer: str, host: str = HOST) -> None:
    arguments = {"InstallationId": product[IID], "ConfirmationId": answer}
    selectors = {"ID": product["activation_id"]}
    lab.control.call(
        "call_method",
        host=host,
        class_name="SoftwareLicensingProduct",
        method="DepositOfflineConfirmationId",
        arguments=arguments,
        selectors=selectors,
    )


def slmgr(lab: Lab, **verb: str) -> None:
    """Whatever comes of it."""
    command = [
        "ansible",
        HOST,
        "-i",
        str(lab.layout.inventory),
        "-m",
        "winops.volume_activation.slmgr",
        "-a",
        json.dumps({"verbs": [verb]}),
    ]
    subprocess.run(command, env={**os.environ, **lab_environment(lab.layout.root)}, capture_output=True, check=False)


def left(lab: Lab) -> int:
    found: int = lab.control.microsoft()[KEY]["remaining"]
    return found


@NEEDS_DOMAIN
def test_a_confirmation_id_activates_a_host_and_counts(fresh_lab: Lab, curl: Curl) -> None:
    product = with_mak(fresh_lab)
    assert field(curl(2, product).stdout, "ActivationRemaining") == "50"
    answer = field(curl(1, product).stdout, "CID")
    assert len(answer) == 48 and left(fresh_lab) == 49
    deposit(fresh_lab, product, answer)
    assert installed(fresh_lab)["license_status"] == 1
    lines = [json.loads(line) for line in fresh_lab.layout.microsoft_log.read_text(encoding="utf-8").splitlines()]
    assert [(line["request_type"], line["pid"], line["iid"], line["outcome"], line["counted"]) for line in lines] == [
        (2, product[PID], "", "remaining 50", False),
        (1, product[PID], product[IID], "confirmed", True),
    ]
    fresh_lab.control.reimage(HOST)
    again = with_mak(fresh_lab)
    assert again[IID] == product[IID] and again["license_status"] != 1
    deposit(fresh_lab, again, answer)
    assert (installed(fresh_lab)["license_status"], left(fresh_lab)) == (1, 49)
    fresh_lab.control.change_hardware(HOST)
    assert installed(fresh_lab)["license_status"] != 1 and installed(fresh_lab)[IID] != product[IID]


@NEEDS_DOMAIN
def test_what_the_control_channel_says_happens(fresh_lab: Lab, curl: Curl) -> None:
    control, product = fresh_lab.control, with_mak(fresh_lab)
    control.set_remaining(KEY, 0)
    assert field(curl(1, product).stdout, "ErrorCode").lower() == "0x7f"
    control.set_key_state(KEY, "blocked")
    assert field(curl(1, product).stdout, "ErrorCode") == "0x67"
    assert control.activate(HOST) == "0xC004C003"
    control.set_key_state(KEY, "valid")
    control.set_remaining(KEY, 5)
    control.microsoft_fault(fault="close_after", request_type=1)
    control.microsoft_fault(fault="http", status=500, request_type=2)
    lost, broken = curl(1, product), curl(2, product)
    assert lost.returncode != 0 and left(fresh_lab) == 4, "the answer was lost, the activation spent"
    assert b"500" in broken.stderr and control.microsoft_fault_hits() == [1, 1]
    control.set_microsoft_reachable(False)
    assert curl(1, product).returncode != 0 and control.activate(HOST) == "0x80072EE7"
    control.set_microsoft_reachable(True)
    control.set_microsoft_reachable(False, HOST)
    assert control.activate(HOST) == "0x80072EE7" and left(fresh_lab) == 4
    control.set_microsoft_reachable(True, HOST)
    assert control.activate(HOST) == "0x00000000" and left(fresh_lab) == 3


@NEEDS_DOMAIN
def test_the_proxy_and_the_inventory(fresh_lab: Lab, curl: Curl) -> None:
    product, environment = with_mak(fresh_lab), curl.environment
    through = ["--proxy", environment["LAB_MICROSOFT_PROXY"]]
    user = f"{environment['LAB_MICROSOFT_PROXY_USER']}:{environment['LAB_MICROSOFT_PROXY_PASSWORD']}"
    known = "https://activation.sls.microsoft.com/BatchActivation/BatchActivation.asmx"
    assert b"407" in curl(1, product, *through, url=known).stderr
    assert len(field(curl(1, product, *through, "--proxy-user", user, url=known).stdout, "CID")) == 48
    assert fresh_lab.control.microsoft_proxy() == {
        "tunnels": ["activation.sls.microsoft.com:443"],
        "refused": ["activation.sls.microsoft.com:443"],
    }
    variables = yaml.safe_load(fresh_lab.layout.inventory.read_text(encoding="utf-8"))["all"]["vars"]
    assert variables["volume_activation_microsoft_url"] == environment["LAB_MICROSOFT_URL"]
    assert variables["volume_activation_microsoft_ca_path"] == environment["LAB_MICROSOFT_CA"]
    fresh_lab.control.reset()
    assert (left(fresh_lab), fresh_lab.layout.microsoft_log.read_text(encoding="utf-8")) == (50, "")
    assert fresh_lab.control.microsoft_proxy() == {"tunnels": [], "refused": []}


@NEEDS_DOMAIN
def test_the_mak_park_is_up_with_its_groups(mak_lab: Lab, tmp_path: Path) -> None:
    read = ["ansible-inventory", "-i", str(mak_lab.layout.inventory), "--list"]
    environment = {**os.environ, **lab_environment(mak_lab.layout.root)}
    inventory = json.loads(subprocess.run(read, env=environment, capture_output=True, check=True).stdout)
    assert len(inventory["kms_clients"]["hosts"]) == 50 and len(inventory["kms_hosts"]["hosts"]) == 2
    assert len(inventory["not_for_mak"]["hosts"]) == 8
    zone = inventory["secure_zone"]["hosts"][0]
    product = with_mak(mak_lab, zone)
    assert mak_lab.control.activate(zone) in ("0x80072EE7", "0x80072EE2")
    answer = field(Curl(mak_lab, tmp_path)(1, product).stdout, "CID")
    deposit(mak_lab, product, answer, zone)
    assert installed(mak_lab, zone)["license_status"] == 1
    assert [entry["outcome"] for entry in mak_lab.microsoft_requests()] == ["confirmed"]
    trial = inventory["not_for_mak"]["hosts"][-1]
    with pytest.raises(ControlError):
        with_mak(mak_lab, trial)


@NEEDS_ROOT
def test_the_isolated_park_needs_no_domain_and_another_microsoft(isolated_lab: Lab, tmp_path: Path) -> None:
    environment = lab_environment(isolated_lab.layout.root)
    assert not [name for name in environment if name.startswith(("LAB_MICROSOFT", "LAB_DOMAIN"))]
    product = with_mak(isolated_lab, HOST)
    assert isolated_lab.control.activate(HOST) in ("0x80072EE7", "0x80072EE2")
    body = tmp_path / "body"
    body.write_bytes(envelope(inner(1, product[PID], product[IID])))
    with microsoft_elsewhere(tmp_path / "elsewhere") as place:
        headers = [part for name, value in HEADERS.items() for part in ("-H", f"{name}: {value}")]
        ask = ["curl", "-sS", "--noproxy", "*", "--cacert", place.ca_path, *headers, "--data-binary", f"@{body}", place.url]
        assert subprocess.run(ask, capture_output=True, check=False).returncode == REFUSED, "it is behind an air gap"
        host = ["curl", "-sS", f"http://127.0.2.1:{isolated_lab.options.http_port}/wsman"]
        assert subprocess.run(place.inside(host), capture_output=True, check=False).returncode == REFUSED
        answer = field(subprocess.run(place.inside(ask), capture_output=True, check=True).stdout, "CID")
        place.tell("set_remaining", key=KEY, count=0)
        assert field(subprocess.run(place.inside(ask), capture_output=True, check=True).stdout, "ErrorCode").lower() == "0x7f"
        assert place.tell("snapshot")[KEY]["activations"] == 1 and len(place.tell("entries")) == 2
    deposit(isolated_lab, product, answer)
    assert installed(isolated_lab)["license_status"] == 1
    done = subprocess.run(
        ["ansible", "all", "-i", str(isolated_lab.layout.inventory), "-l", f"{HOST},srv-12", "-m", "winops.volume_activation.license_info"],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0 and product["partial_key"].encode() in done.stdout


@NEEDS_ROOT
def test_an_answer_is_lost_although_the_work_was_done(isolated_lab: Lab) -> None:
    control = isolated_lab.control
    control.set_microsoft_reachable(True, HOST)
    product = with_mak(isolated_lab)
    control.inject(host=HOST, action="Invoke:Activate", fault="reset", done=True)
    slmgr(isolated_lab, verb="ato")
    assert (installed(isolated_lab)["license_status"], left(isolated_lab)) == (1, 49)
    assert [entry["injected"] for entry in isolated_lab.requests() if entry["action"] == "Invoke:Activate"] == ["reset"]
    assert control.drift("licence_lost", HOST).startswith(f"{HOST} has lost the licence of its key that ends in {product['partial_key']}")
    assert (installed(isolated_lab)["license_status"], installed(isolated_lab)[IID]) == (5, product[IID])
    control.clear_faults()
    control.inject(host=HOST, action="Invoke:DepositOfflineConfirmationId", fault="reset", done=True)
    slmgr(isolated_lab, verb="atp", confirmation_id=confirmation_id(product[IID], product[PID]))
    assert (installed(isolated_lab)["license_status"], left(isolated_lab)) == (1, 49)
    assert control.fault_hits() == [1]


@NEEDS_ROOT
def test_what_somebody_does_to_computers_with_a_mak(isolated_lab: Lab) -> None:
    control, product = isolated_lab.control, with_mak(isolated_lab)
    second = data.key_named("mak_win_enterprise_second").partial
    assert control.drift("mak_replaced", HOST) == f"installed the key that ends in {second} on {HOST}"
    assert (installed(isolated_lab)["partial_key"], installed(isolated_lab)[IID] != product[IID]) == (second, True)
    control.drift("setup_key_back", HOST)
    assert installed(isolated_lab)["channel"] == "Volume:GVLK"
    control.drift("key_removed", HOST)
    assert control.host(HOST)["products"] == []
    for drift in ("mak_replaced", "key_removed", "add_on_key_removed", "licence_lost"):
        with pytest.raises(ControlError, match="NothingToChange"):
            control.drift(drift, HOST)
