# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people set wrong first is answered by a sentence that names what to set. There is no laboratory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

TREE = Path(__file__).resolve().parents[2]
GATE, SOAK = pytest.mark.tier("test"), pytest.mark.tier("soak")
HOST, CLIENTS = "kms-1.contoso.test", ["pc-1.contoso.test", "pc-2.contoso.test"]
CSVLK = "BBBBB-BBBBB-BBBBB-BBBBB-BBBBB"
SETUP_KEY = "W269N-WFGWX-YVC9B-4J6C9-T83GX"
SHARED: Mapping[str, Any] = {
    "ansible_connection": "winrm",
    "ansible_user": "operator",
    "ansible_password": "not the right one",
    "ansible_winrm_transport": "basic",
    "ansible_winrm_scheme": "http",
    "ansible_host": "127.0.0.1",
    "ansible_port": 1,
    "volume_activation_domain": "contoso.test",
    "volume_activation_dns_servers": ["127.0.0.1"],
    "volume_activation_first_contact_timeout": 1,
    "kms_single_site_csvlk": CSVLK,
}


class Refusing(BaseHTTPRequestHandler):
    """A listener that accepts nobody."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """HTTP 401."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="WSMAN"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def refusing() -> Iterator[int]:
    """The port of such a listener."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def play(
    folder: Path,
    given: Mapping[str, Any],
    groups: Mapping[str, list[str]] | None = None,
    *arguments: str,
    hidden: str = "",
    playbook: str = "kms_single_site",
    callback: str = "default",
) -> str:
    """What a playbook says where it fails, in one line.

    Args:
        folder: Where inventory and state are.
        given: Variables of all hosts, beside those that are right; C(None) takes one out.
        groups: The inventory.
        arguments: Of ansible-playbook.
        hidden: A Python package that the control node lacks.
        playbook: The name of the playbook.
        callback: What shows it.
    """
    variables = {name: value for name, value in {**SHARED, **given}.items() if value is not None}
    variables["volume_activation_state_directory"] = str(folder / "state")
    children = {
        name: {"hosts": {host: {} for host in hosts}} for name, hosts in (groups or {"kms_hosts": [HOST], "kms_clients": CLIENTS}).items()
    }
    inventory = folder / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"all": {"vars": variables, "children": children}}), encoding="utf-8")
    if hidden:
        (folder / "lacking").mkdir()
        (folder / "lacking" / f"{hidden}.py").write_text(f'raise ImportError("No module named {hidden}")\n', encoding="utf-8")
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(TREE / "build/collections"),
        "ANSIBLE_HOME": str(TREE / "build/home/.ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_STDOUT_CALLBACK": callback,
        "LC_ALL": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": str(folder / "lacking") if hidden else "",
    }
    command = ["ansible-playbook", "-i", str(inventory), f"winops.volume_activation.{playbook}", *arguments]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2, done.stdout[-3000:] + done.stderr[-2000:]
    assert callback != "default" or "changed=0" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "not the right one" not in done.stdout + done.stderr
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"volume_activation_domain": None}, "kms_single_site_domain: it is missing.", id="no domain", marks=SOAK),
        pytest.param(
            {"kms_single_site_tickt": "wait"},
            "kms_single_site_tickt is no variable of this collection. Did you mean kms_single_site_ticket?",
            id="a misspelt variable",
            marks=SOAK,
        ),
        pytest.param(
            {"ansible_connection": "ssh"},
            "which ansible_connection=ssh does not speak. Set for this host ansible_connection: psrp and ansible_port: 5985.",
            id="the wrong connection",
            marks=GATE,
        ),
        pytest.param({"ansible_password": None}, "ansible_password is not set; set it.", id="no password", marks=SOAK),
        pytest.param(
            {"volume_activation_dns_servers": ["127.0.0.99"]},
            "The DNS server 127.0.0.99 did not answer the question for _vlmcs._tcp.contoso.test within 5 s. See whether"
            " volume_activation_dns_servers names the right one",
            id="the wrong DNS server",
            marks=SOAK,
        ),
        pytest.param(
            {"kms_single_site_csvlk": SETUP_KEY},
            "kms_single_site_csvlk is the client setup key that Microsoft publishes for Windows 10/11 Pro",
            id="a key of the wrong kind",
            marks=SOAK,
        ),
        pytest.param(
            {"ansible_host": "192.0.2.1", "ansible_port": 5985},
            "check ansible_host, the network, and whether the host is on.",
            id="no route",
            marks=SOAK,
        ),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    assert said in play(tmp_path, given)


@pytest.mark.parametrize(
    ("given", "playbook", "named"),
    [
        pytest.param({"kms_single_site_csvlk": "{{ vault_csvlk }}"}, "kms_single_site", "kms_single_site_csvlk", marks=SOAK),
        pytest.param(
            {"volume_activation_credentials": {"": {"username": "operator@CONTOSO.TEST", "password": "{{ vault_password }}"}}},
            "audit",
            "volume_activation_credentials",
            marks=GATE,
        ),
        pytest.param({"volume_activation_mak": "{{ vault_mak }}"}, "mak_independent", f"volume_activation_mak of {CLIENTS[0]}", marks=SOAK),
    ],
)
def test_a_variable_that_uses_one_without_a_value_is_named(tmp_path: Path, given: dict[str, Any], playbook: str, named: str) -> None:
    said = play(tmp_path, given, {"kms_hosts": [HOST], "kms_clients": CLIENTS, "mak_clients": CLIENTS}, playbook=playbook)
    assert re.search(rf"{named} can't be read: 'vault_\w+' is undefined\. Define what it uses, or take it out\.", said)


@pytest.mark.parametrize("callback", [pytest.param("default", marks=SOAK), pytest.param("winops.volume_activation.fleet", marks=GATE)])
def test_a_variable_that_nobody_knows_is_a_warning(tmp_path: Path, callback: str) -> None:
    said = play(tmp_path, {"kms_single_site_colour": "red"}, callback=callback)
    assert "kms_single_site_colour is no variable of this collection, and does nothing." in said


@SOAK
def test_a_wrong_password_is_named_and_tried_once(tmp_path: Path, refusing: int) -> None:
    said = play(tmp_path, {"ansible_port": refusing})
    assert "Check ansible_user, ansible_password" in said or "set ansible_user and ansible_password" in said


@SOAK
@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({"kms_hosts": [], "kms_clients": CLIENTS}, "put at least one into the group kms_hosts."),
        ({"kms_hosts": [], "kms_clients": []}, "Put the KMS hosts into the group kms_hosts and their clients into kms_clients."),
        (
            {"kms_hosts": [HOST], "kms_client": CLIENTS},
            "The inventory has a group kms_client and no kms_clients. Did you mean kms_clients? Correct its name.",
        ),
        ({"windows": CLIENTS}, "Put the KMS hosts into the group kms_hosts and their clients into kms_clients."),
    ],
)
def test_an_empty_group_is_named(tmp_path: Path, groups: dict[str, list[str]], said: str) -> None:
    assert said in play(tmp_path, {}, groups)


@SOAK
@pytest.mark.parametrize(("package", "said"), [("dns", "'dnspython"), ("winrm", "pywinrm, with Kerberos")])
def test_a_missing_package_is_named(tmp_path: Path, package: str, said: str) -> None:
    assert f"pip install {said}" in play(tmp_path, {}, hidden=package)


@pytest.mark.parametrize("playbook", [pytest.param("mak_proxy_acquire", marks=GATE), pytest.param("mak_proxy_phone", marks=SOAK)])
def test_a_limit_that_leaves_out_the_control_node_is_named(tmp_path: Path, playbook: str) -> None:
    said = play(tmp_path, {}, {"mak_clients": CLIENTS}, "--limit", CLIENTS[0], playbook=playbook)
    assert f"which the limit {CLIENTS[0]} leaves out, so nothing would be done. Start it without a limit." in said
