# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sixty computers of a network without Internet are activated with two files: MAK proxy activation, step by step."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lab import names
from lab.microsoft.elsewhere import Elsewhere, microsoft_elsewhere
from lab.play import lab_environment, run_playbook
from lab.windows import data, identifiers

from .conftest import Lab
from .killing import kill_at_line, lines

pytestmark = [pytest.mark.tier("test"), pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")]
# Each computer gets the key whose group it is in, as the laboratory's inventory has them.
KEY = "{{ group_names | select('in', volume_activation_mak_ring) | first }}"
# How the inventory calls the computers: nothing of it may leave.
CANARY = "canary-{label}.kim.example"
WINDOWS_7 = "mak_win7_enterprise"
LICENSED = 1


@pytest.fixture
def microsoft(tmp_path: Path) -> Iterator[Elsewhere]:
    with microsoft_elsewhere(tmp_path / "microsoft") as place:
        yield place


@dataclass
class Site:
    """The isolated network, the connected one, and the two files that go from one to the other."""

    lab: Lab
    microsoft: Elsewhere
    folder: Path

    @property
    def list(self) -> Path:
        """The file that stays."""
        return self.folder / "isolated" / "list.json"

    @property
    def leaving(self) -> Path:
        """The file that leaves, in the isolated network."""
        return self.folder / "isolated" / "export.json"

    @property
    def outside(self) -> Path:
        """The same, in the connected network."""
        return self.folder / "connected" / "export.json"

    @property
    def inventory(self) -> Path:
        """The laboratory's, in which the computers have names that must not leave."""
        path = self.folder / "isolated" / "inventory.yml"
        if not path.exists():
            text = self.lab.layout.inventory.read_text(encoding="utf-8")
            path.write_text(re.sub(r"\b((?:pc|srv)-[0-9]+):", lambda found: f"{canary(found[1])}:", text), encoding="utf-8")
        return path

    @contextlib.contextmanager
    def playing(
        self, name: str, hosts: list[str] | None = None, playbook: str = "", check: bool = False, **variables: Any
    ) -> Iterator[subprocess.Popen[str]]:
        """A playbook at work, where it belongs, or another one in its place; in check mode if that is wanted."""
        connected = name in ("acquire",)
        given: dict[str, Any] = {}
        if connected:
            given |= {"volume_activation_microsoft_url": self.microsoft.url, "volume_activation_microsoft_ca_path": self.microsoft.ca_path}
            given["mak_proxy_export"] = str(self.outside)
        else:
            given |= {"mak_proxy_list": str(self.list), "mak_proxy_export": str(self.leaving)}
            given |= {"volume_activation_mak": KEY, "volume_activation_mak_hosts": "isolated"}
        given |= variables
        command = ["ansible-playbook", playbook or f"winops.volume_activation.mak_proxy_{name}", "-e", json.dumps(given)]
        if connected:
            command = self.microsoft.inside(command)
        else:
            command += ["-i", str(self.inventory), "--forks", "8"]
        command += ["--check"] * check
        if hosts:
            command += ["--limit", ",".join(map(canary, hosts))]
        environment = {**os.environ, **lab_environment(self.lab.layout.root)}
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        ) as process:
            yield process

    def play(self, name: str, hosts: list[str] | None = None, rc: int = 0, **variables: Any) -> str:
        """Run a playbook to its end, which has to be that one; returns what it printed."""
        with self.playing(name, hosts, **variables) as process:
            assert process.stdout is not None
            said = process.stdout.read()
        assert process.returncode == rc, said[-6000:]
        return said

    def counted(self) -> int:
        """How many activations Microsoft has counted, of all keys."""
        return sum(int(key["activations"]) for key in self.microsoft.tell("snapshot").values())

    def licensed(self) -> set[str]:
        """The computers whose Windows is licensed, past their WMI."""
        machines = self.lab.options.machines
        return {machine.label for machine in machines if self.lab.control.host(machine.label)["license_status"] == LICENSED}

    def depositing(self) -> list[str]:
        """The hosts that were given a confirmation ID, in order, from the request log."""
        return [row["host"] for row in self.lab.requests() if "DepositOfflineConfirmationId" in str(row.get("action"))]


@pytest.fixture
def site(isolated_lab: Lab, microsoft: Elsewhere, tmp_path: Path) -> Site:
    for name in ("isolated", "connected"):
        (tmp_path / name).mkdir()
    return Site(isolated_lab, microsoft, tmp_path)


def canary(label: str) -> str:
    """The name of a computer in the inventory."""
    return CANARY.format(label=label)


def changed(said: str) -> int:
    """The sum of changed tasks in a recap."""
    return sum(map(int, re.findall(r"changed=([0-9]+)", said)))


def reaches(prefix: list[str], address: str, port: int) -> bool:
    """Whether a connection comes about from that network."""
    program = f"import socket; socket.create_connection(({address!r}, {port}), 5)"
    return subprocess.run([*prefix, sys.executable, "-c", program], capture_output=True, check=False).returncode == 0


def is_whole(path: Path) -> bool:
    """Whether a list says of itself what it is, by the description in the documentation."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return bool(document.pop("checksum") == checksum_of(document))


def checksum_of(document: Mapping[str, Any]) -> str:
    """The checksum of a document that has none yet."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def forms(text: str) -> Iterator[bytes]:
    """What a text looks like in a file that somebody hides it in: plain, UTF-16 and base64, wherever it begins."""
    for plain in {text, text.lower(), text.upper()}:
        for coded in (plain.encode(), plain.encode("utf-16-le"), plain.encode("utf-16-be")):
            yield coded
            for offset in range(3):
                in_base64 = base64.b64encode(b"\0" * offset + coded).rstrip(b"=")
                # What the bytes before and behind it decide is left out.
                yield in_base64[(0, 2, 3)[offset] : len(in_base64) - (1 if (offset + len(coded)) % 3 else 0)]


def secrets_of(site: Site) -> set[str]:
    """Whatever would name a computer or a person of the isolated network, or is one of its secrets."""
    found = {names.LOCAL_ADMIN, names.LOCAL_ADMIN_PASSWORD, "kim.example", "WORKGROUP"}
    for machine in site.lab.options.machines:
        seen = site.lab.control.host(machine.label)
        found |= {canary(machine.label), machine.label, machine.netbios, machine.address, seen["cmid"]}
        found |= {seen["mac_address"].replace(":", between) for between in (":", "-", "")}
    return found | {value for name, value in lab_environment(site.lab.layout.root).items() if name.startswith("LAB_MAK_")}


def carry(source: Path, target: Path) -> None:
    """The stick: one file, from one network to the other."""
    shutil.copyfile(source, target)


def test_neither_network_reaches_the_other(site: Site):
    there = urlsplit(site.microsoft.url)
    machine = site.lab.options.machines[0]
    microsoft, winrm = (str(there.hostname), int(there.port or 443)), (machine.address, site.lab.options.http_port)
    assert reaches(site.microsoft.inside([]), *microsoft) and reaches([], *winrm)
    assert not reaches([], *microsoft) and not reaches(site.microsoft.inside([]), *winrm)


@pytest.mark.parametrize("kept", ["mak_proxy_list", "mak_proxy_export"])
def test_a_job_that_would_lose_its_list_or_its_export_stops_before_the_first_change(
    isolated_lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: str
):
    # As in AWX, ansible-runner runs the play, and nobody has said where to keep anything.
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    given = {"volume_activation_mak": KEY, "volume_activation_mak_hosts": "isolated", "volume_activation_state_directory": ""}
    variables = {**given, kept: str(tmp_path / "kept.json")}
    run = run_playbook(
        isolated_lab.layout.root, "winops.volume_activation.mak_proxy_collect", arguments="--limit pc-001", variables=variables
    )
    assert run.rc == 2
    assert "no state directory is set" in run.failures()[-1]
    assert not any("InstallProductKey" in str(request.get("action")) for request in isolated_lab.requests())


def test_sixty_computers_with_two_files(site: Site):
    machines = [machine.label for machine in site.lab.options.machines]
    assert len(machines) == 60
    collected = site.play("collect")
    assert "60 of 60 computers were processed" in collected and "Computers: 60 with an installation ID" in collected
    assert site.licensed() == set()
    written = site.leaving.read_bytes()
    assert len(json.loads(written)["products"]) == 60
    assert [text for text in secrets_of(site) for form in forms(text) if form in written] == []
    assert canary(machines[0]).encode() in site.list.read_bytes()
    carry(site.leaving, site.outside)

    # One key is used up: the others get theirs all the same, and the end says who is missing and why.
    site.microsoft.tell("set_remaining", key=WINDOWS_7, count=2)
    short = site.play("acquire", rc=2)
    assert "4 without CID." in short and "0x7F" in short
    assert site.counted() == 56
    site.microsoft.tell("set_remaining", key=WINDOWS_7, count=10)
    assert "60 confirmation IDs, 4 of them obtained by this run" in site.play("acquire")
    assert site.counted() == 60
    assert len(site.microsoft.tell("entries")) == 64
    carry(site.outside, site.leaving)

    assert "Computers: 60 activated" in site.play("apply")
    assert site.licensed() == set(machines)
    few = machines[:2]
    for name in ("collect", "apply", "reapply"):
        assert changed(site.play(name, few)) == 0
    _set_up_anew(site, machines)
    assert site.counted() == 60


def _set_up_anew(site: Site, machines: list[str]) -> None:
    """Twenty on the same hardware get their license back; five on other hardware are refused, and tried when that is asked for."""
    same, other = machines[::3], machines[1:15:3]
    assert (len(same), len(other)) == (20, 5)
    for label in [*same, *other]:
        site.lab.control.reimage(label, same_hardware=label in same)
    assert site.licensed() == set(machines) - {*same, *other}
    before = site.list.read_bytes()
    said = site.play("reapply", [*same, *other], rc=2)
    assert "Computers: 20 activated, 5 failed" in said
    assert set(re.findall(r"Failed: (\S+) has the installation ID [0-9-]+, but the confirmation ID is for", said)) == set(
        map(canary, other)
    )
    assert site.licensed() == set(machines) - set(other)
    kept = confirmations(site.list)
    tried = len(site.depositing())
    assert "Computers: 5 failed" in site.play("reapply", other, rc=2, mak_proxy_exact_installation_id=False)
    assert len(site.depositing()) == tried + 5
    assert confirmations(site.list) == kept == confirmations_of(json.loads(before))


def confirmations(path: Path) -> dict[str, str]:
    """The confirmation IDs of a list by computer."""
    assert is_whole(path)
    return confirmations_of(json.loads(path.read_text(encoding="utf-8")))


def confirmations_of(document: Mapping[str, Any]) -> dict[str, str]:
    """The same of a document."""
    return {
        name: product["confirmation_id"]
        for name, computer in document["computers"].items()
        for product in computer["products"].values()
        if product["confirmation_id"]
    }


def kill_after_requests(site: Site, name: str, hosts: list[str], number: int) -> bool:
    """Run a playbook and kill everything of it as soon as that many requests are in the log; whether there were as many.

    Requests of C(acquire) are those to Microsoft, of others those to hosts.
    """
    log = site.folder / "microsoft" / "microsoft.jsonl" if name == "acquire" else site.lab.layout.requests
    seen = lines(log)
    with site.playing(name, hosts) as process:
        killed = kill_at_line(process, log, seen + number)
    site.lab.control.settle()
    site.microsoft.tell("settle")
    return killed


def kill_in_turn(site: Site, name: str, hosts: list[str], step: int = 1) -> int:
    """Kill after so many requests, run again and kill after twice as many, and so on until a run comes to its end; returns how often."""
    number = 0
    while kill_after_requests(site, name, hosts, (number + 1) * step):
        number += 1
        assert all(is_whole(path) for path in (site.list, site.leaving, site.outside) if path.exists())
    return number


@pytest.mark.tier("soak")
@pytest.mark.parametrize(("count", "step", "kills"), [(1, 1, (8, 3, 3)), (6, 11, (4, 2, 3))])
def test_killed_in_turn_and_run_again(site: Site, count: int, step: int, kills: tuple[int, int, int]):
    """One computer after each of its requests, and several that are at different stages then."""
    hosts = [machine.label for machine in site.lab.options.machines[:count]]
    assert kill_in_turn(site, "collect", hosts, step) >= kills[0]
    assert len(json.loads(site.leaving.read_text(encoding="utf-8"))["products"]) == count
    carry(site.leaving, site.outside)
    site.play("acquire")
    carry(site.outside, site.leaving)
    assert kill_in_turn(site, "apply", hosts, step) >= kills[1]
    assert site.licensed() == set(hosts)
    assert set(confirmations(site.list)) == set(map(canary, hosts))
    for host in hosts:
        site.lab.control.reimage(host)
    assert kill_in_turn(site, "reapply", hosts, step) >= kills[2]
    assert site.licensed() == set(hosts)
    assert site.counted() == count


@pytest.mark.tier("soak")
def test_killed_while_microsoft_is_asked(site: Site):
    key = data.key_named("mak_win_enterprise").key
    pid = identifiers.extended_pid(key, "19045", True)
    products = [
        {
            "identifier": f"{number:032x}",
            "installation_id": identifiers.installation_id(f"hardware {number}", key, True),
            "extended_pid": pid,
            "activation_id": "288e95ec-20ea-58eb-8698-12be92334a8e",
            "confirmation_id": None,
            "asked": None,
        }
        for number in range(6)
    ]
    format_ = {"format": "winops.volume_activation.computer_list", "version": 1, "kind": "export"}
    document = {**format_, "list_id": "0d7c2f0e-6f0a-4a57-9d0c-6a5e1f0b8a11", "products": products}
    site.outside.write_text(json.dumps({**document, "checksum": checksum_of(document)}), encoding="utf-8")
    # Where nobody could be asked, everyone is without, and nobody counts as asked.
    assert "6 without CID." in site.play("acquire", rc=2, volume_activation_microsoft_ca_path="")
    assert kill_in_turn(site, "acquire", []) >= 1
    found = json.loads(site.outside.read_text(encoding="utf-8"))["products"]
    unknown = [product for product in found if not product["confirmation_id"]]
    # Of those whose answers a kill has swallowed nobody knows, and each was asked for once.
    assert all(product["asked"] for product in unknown)
    asked = [entry["iid"] for entry in site.microsoft.tell("entries")]
    assert len(asked) == len(set(asked)) == site.counted() <= 6
    said = site.play("acquire", rc=2 if unknown else 0)
    assert not unknown or f"{len(unknown)} without CID." in said
    assert [entry["iid"] for entry in site.microsoft.tell("entries")] == asked
    assert "6 confirmation IDs" in site.play("acquire", mak_proxy_ask_again=True)


def test_by_telephone(site: Site):
    host = site.lab.options.machines[0].label
    state = {"volume_activation_state_directory": str(site.folder / "isolated" / "state"), "mak_proxy_list": "", "mak_proxy_export": ""}
    site.play("collect", [host], **state)
    assert (site.folder / "isolated" / "state").stat().st_mode & 0o7777 == 0o700
    said = site.play("phone", **state)
    [read_out] = re.findall(r"    ([0-9]{7}(?:-[0-9]{7}){8})", said)
    installed = next(row for row in site.lab.control.host(host)["products"] if not row["add_on"])
    assert read_out.replace("-", "") == installed["installation_id"]
    digits = identifiers.confirmation_id(installed["installation_id"], installed["extended_pid"])
    answer = " ".join(digits[start : start + 6] for start in range(0, 48, 6))
    mistyped = "7654321" + read_out[7:]
    wrong = site.play("phone", rc=2, mak_proxy_confirmation_ids={mistyped: answer}, **state)
    assert "The list has no product with the installation ID 765432" in wrong and read_out in wrong
    assert "Every product has its confirmation ID." in site.play("phone", mak_proxy_confirmation_ids={read_out: answer}, **state)
    assert "Computers: 1 activated" in site.play("apply", [host], **state)
    assert site.licensed() == {host}
