# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""debug_winrm_session over real sockets: what it says about the lab's hosts, what it records, and the replay of that."""

from __future__ import annotations

import functools
import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from handmade import task_of
from unit.lab.fake_host import FakeHost
from unit.lab.windows_fakes import FakeDomain
from windows import record

from ansible_collections.winops.volume_activation.plugins.action.debug_winrm_session import ActionModule
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform import services
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp.license_info import read_license
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.replay import Replay, load
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.transport import open_session
from lab.wsman import certificates
from lab.wsman.authentication import Account, check_of, prepare_acceptor, write_ntlm_users
from lab.wsman.backend import Backend, Directory
from lab.wsman.request_log import RequestLog
from lab.wsman.server import ServerOptions, WsmanServer

pytestmark = pytest.mark.tier("test")

ADDRESS = "127.77.3.1"
USER = "CONTOSO\\svc"
PASSWORD = "Pa55-word!"
ACCOUNTS = [Account(USER, PASSWORD), Account("CONTOSO\\guest", PASSWORD)]


@dataclass
class Lab:
    """A server with one host, and the module on it."""

    server: WsmanServer
    files: certificates.CertificateFiles

    def serve(self, host: Backend) -> None:
        self.server.directory.hosts = {ADDRESS: host}

    def connection(self, user: str, password: str, auth: str = "ntlm", tls: bool = False) -> SimpleNamespace:
        """As much of the psrp connection plugin as matters, with the settings that it would make."""
        settings = {
            "server": ADDRESS,
            "port": self.server.https_port if tls else self.server.http_port,
            "username": user,
            "password": password,
            "ssl": tls,
            "auth": auth,
            "cert_validation": str(self.files.authority),
        }
        return SimpleNamespace(
            ansible_name="ansible.builtin.psrp",
            _build_kwargs=lambda: None,
            _psrp_conn_kwargs=settings,
            _shell=SimpleNamespace(tmpdir="x"),
            option_definitions={"remote_password": {}},
            allow_extras=False,
            get_option={"remote_password": password}.get,
        )

    def run(
        self, auth: str = "ntlm", tls: bool = False, user: str = USER, password: str = PASSWORD, check_mode: bool = False, **args: Any
    ) -> dict[str, Any]:
        """What the task returns."""
        connection = self.connection(user, password, auth, tls)
        task = task_of(args, check_mode=check_mode)
        templar = SimpleNamespace(template=lambda value: value)
        action = ActionModule(task, connection, SimpleNamespace(become=False), None, templar, None)
        return action.run(task_vars={"inventory_hostname": "front-1"})


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder: Path = tmp_path_factory.mktemp("wsman")
    write_ntlm_users(folder / "ntlm-users", ACCOUNTS)
    prepare_acceptor(folder / "ntlm-users")
    files = certificates.create(folder, ["fake.contoso.com"], [ADDRESS])
    options = ServerOptions(http_port=0, https_port=0, tls=certificates.server_context(files), check=check_of(ACCOUNTS))
    with WsmanServer(Directory(), RequestLog(), options) as server:
        yield Lab(server, files)


@pytest.fixture
def windows(domain: FakeDomain) -> Callable[..., Backend]:
    return functools.partial(domain.add_kms_host, administrators=("svc",))


@pytest.mark.parametrize(("auth", "tls", "encryption"), [("ntlm", False, "message"), ("ntlm", True, "tls"), ("basic", True, "tls")])
def test_a_host_that_grants_everything(lab: Lab, windows: Callable[..., Backend], auth: str, tls: bool, encryption: str) -> None:
    lab.serve(windows())
    result = lab.run(auth, tls)
    assert (result["failed"], result["changed"], result["steps"]) == (False, False, [])
    assert set(result["rights"].values()) == {"granted"}
    assert (result["connection"], result["authentication"], result["encryption"]) == ("psrp", auth, encryption)
    assert result["endpoint"].startswith(f"{'https' if tls else 'http'}://{ADDRESS}:")
    assert (result["versions"]["winrm"], result["versions"]["windows"]) == ("3.0", "10.0.20348")
    assert (result["limits"]["max_envelope_size_kb"], result["limits"]["allow_unencrypted"]) == (500, False)
    assert result["round_trip_ms"] > 0


def test_a_host_without_most_classes_has_findings_and_no_failure(lab: Lab) -> None:
    """The tiny host has an operating system without most columns, and no licensing service."""
    lab.serve(FakeHost(seed=3, os_version="6.1.7601", language="de-DE"))
    result = lab.run()
    assert not result["failed"]
    assert {name for name, answer in result["rights"].items() if answer == "granted"} == {"registry", "winrm_config"}
    assert result["rights"]["licensing"].startswith("front-1: query of SoftwareLicensingService failed with 0x80")
    assert (result["versions"]["winrm"], result["versions"]["windows"]) == ("2.0", "6.1.7601")
    assert (result["limits"]["max_envelope_size_kb"], result["limits"]["max_concurrent_operations_per_user"]) == (150, 15)
    assert result["clock_skew"] is None


def test_an_account_without_rights_is_told_so_for_each(lab: Lab) -> None:
    lab.serve(FakeHost())
    result = lab.run(user="CONTOSO\\guest")
    assert not result["failed"]
    assert len(result["rights"]) == 5
    assert "granted" not in result["rights"].values()
    assert result["limits"] is None


def test_a_rejected_password_is_the_one_thing_that_fails(lab: Lab) -> None:
    lab.serve(FakeHost())
    result = lab.run(password="wrong-word")
    assert (result["unreachable"], result["failed"]) == (True, False)
    assert "did not accept the credentials" in result["msg"]


@pytest.mark.parametrize("anonymise", [False, True])
def test_a_recording_plays_without_the_lab(lab: Lab, windows: Callable[..., Backend], tmp_path: Path, anonymise: bool) -> None:
    host: Any = windows(label="kms-7")
    lab.serve(host)
    path = tmp_path / "record.json"
    result = lab.run(record=str(path), anonymise=anonymise, mask=["Windows Server"])
    assert (result["changed"], result["failed"]) == (True, False)
    assert [(step["object"], step["attribute"], step["before"]) for step in result["steps"]] == [(str(path), "recording", None)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert PASSWORD not in text
    assert "Windows Server" not in text
    assert ("kms-7" in text.lower(), ADDRESS in text) == (not anonymise, not anonymise)
    assert not (anonymise and "contoso" in text.lower())

    recording = load(path)
    assert recording["about"]["rights"] == result["rights"] == dict.fromkeys(result["rights"], "granted")
    replay = Replay(recording)
    with Session(replay, "anywhere") as session:
        licence = read_license(session)
    assert licence["windows"]["status"] == "licensed"
    assert licence["service"]["kms_host"]
    assert licence["operating_system"]["computer_name"] == ("host2" if anonymise else "KMS-7")
    assert replay.remaining < len(recording["exchanges"])


def test_check_mode_reads_the_same_and_writes_nothing(lab: Lab, windows: Callable[..., Backend], tmp_path: Path) -> None:
    lab.serve(windows())
    path = tmp_path / "record.json"
    lab.server.log.truncate()
    planned = lab.run(check_mode=True, record=str(path))
    asked = [entry.action for entry in lab.server.log.entries]
    assert list(tmp_path.iterdir()) == []
    lab.server.log.truncate()
    made = lab.run(record=str(path))
    assert [entry.action for entry in lab.server.log.entries] == asked
    assert planned["steps"] == made["steps"]
    assert planned["changed"] and planned["rights"] == made["rights"]
    assert lab.run(record=str(path))["steps"][0]["before"] == "a file"


def test_a_place_that_can_not_be_written_to_costs_no_request(lab: Lab, tmp_path: Path) -> None:
    lab.server.log.truncate()
    result = lab.run(record=str(tmp_path / "missing" / "record.json"))
    assert (result["failed"], result["error"]["source"]) == (True, "options")
    assert lab.server.log.entries == []


def test_the_recording_is_one_json_document(lab: Lab, windows: Callable[..., Backend], tmp_path: Path) -> None:
    lab.serve(windows())
    path = tmp_path / "record.json"
    lab.run(record=str(path))
    document = json.loads(path.read_bytes())
    assert list(document) == ["format", "version", "created", "anonymised", "about", "exchanges"]
    assert all(exchange.keys() == {"request", "seconds", "answer"} for exchange in document["exchanges"])


def test_the_script_for_real_windows_does_all_its_parts_on_the_lab(
    lab: Lab, domain: FakeDomain, windows: Callable[..., Backend], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can't be tried where it is meant to run."""
    lab.serve(windows())
    # A service stops in the host's time.
    monkeypatch.setattr(services.time, "sleep", lambda seconds: domain.clock.advance(seconds=seconds))
    monkeypatch.setenv("RECORD_USER", USER)
    monkeypatch.setenv("RECORD_PASSWORD", PASSWORD)
    monkeypatch.setattr(record, "connect", lambda user, password: open_session(lab.connection(user, password), "localhost"))
    path = tmp_path / "record.json"
    assert record.main(str(path)) == 0
    recording = load(path)
    assert recording["about"]["failed"] == {}
    text = path.read_text()
    assert record.WRONG_KEY not in text
    for part in ("InstallProductKey", "GetMultiStringValue", "MSFT_NetFirewallRule/Disable", "Win32_Service/StopService"):
        assert part in text

    with Session(Replay(recording), "anywhere") as session:
        for part in record.PARTS.values():
            part(session)
