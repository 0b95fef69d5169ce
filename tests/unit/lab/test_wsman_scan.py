# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin wsman_scan, by ansible-inventory and by itself, against the lab's front end and against servers that are not WinRM."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import error_catalogue
import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.doc_fragments import constructed, inventory_cache
from unit.lab.wsman_front_end import ADDRESS, OTHER, FrontEnd
from unit.plugin_utils.wsman.wire_server import listening, saying, server_tls

from ansible_collections.winops.volume_activation.plugins.inventory import wsman_scan
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._scan import identify, names, networks
from ansible_collections.winops.volume_activation.plugins.plugin_utils._scan.identify import Pace, Port, scan
from lab.wsman import namespaces as ns

pytestmark = pytest.mark.tier("test")

COLLECTIONS = Path(__file__).resolve().parents[3] / "build/collections"
PACE = Pace(parallel=32, rate=10_000, timeout=1, time_limit=60)
HERE = "127.0.0.1"


def identity(vendor: str = "Microsoft Corporation", product: str = "OS: 0.0.0 SP: 0.0 Stack: 3.0") -> str:
    return (
        f'<s:Envelope xmlns:s="{ns.SOAP}"><s:Header/><s:Body><w:IdentifyResponse xmlns:w="{ns.IDENTITY}"><w:ProtocolVersion>{ns.WSMAN}'
        f"</w:ProtocolVersion><w:ProductVendor>{vendor}</w:ProductVendor><w:ProductVersion>{product}</w:ProductVersion>"
        "</w:IdentifyResponse></s:Body></s:Envelope>"
    )


def answer(body: str, status: str = "200 OK", length: str = "") -> str:
    return f"HTTP/1.1 {status}\nContent-Type: application/soap+xml\nContent-Length: {length or len(body)}\n\n{body}"


@pytest.fixture
def source(tmp_path: Path, lab: FrontEnd) -> dict[str, Any]:
    """An inventory source for the front end and its neighbours."""
    return {
        "plugin": "winops.volume_activation.wsman_scan",
        "networks": ["127.77.1.0/29"],
        "http_ports": [lab.server.http_port],
        "https_ports": [lab.server.https_port],
    }


def written(folder: Path, source: dict[str, Any]) -> Path:
    path = folder / "test.wsman_scan.yml"
    path.write_text(yaml.safe_dump(source), encoding="utf-8")
    return path


def loaded() -> wsman_scan.InventoryModule:
    """The plugin with the options of its documentation, as Ansible's loader makes them known."""
    name = wsman_scan.InventoryModule.NAME
    texts = [wsman_scan.DOCUMENTATION, *(fragment.ModuleDocFragment.DOCUMENTATION for fragment in (constructed, inventory_cache))]
    options = {option: value for text in texts for option, value in yaml.safe_load(text)["options"].items()}
    constants.config.initialize_plugin_configuration_definitions("inventory", name, options)
    plugin = wsman_scan.InventoryModule()
    plugin._load_name = plugin.ansible_name = name
    return plugin


def parsed(folder: Path, source: dict[str, Any], cache: bool = True) -> InventoryData:
    data = InventoryData()
    plugin = loaded()
    path = written(folder, source)
    assert plugin.verify_file(str(path))
    plugin.parse(data, DataLoader(), str(path), cache)
    if source.get("cache"):
        plugin.update_cache_if_changed()
    return data


def test_ansible_inventory_shows_who_answers(tmp_path: Path, lab: FrontEnd, source: dict[str, Any]):
    source |= {
        "exclude": ["127.77.1.3-127.77.1.4"],
        "compose": {"ansible_port": "wsman_port", "ansible_connection": "'winrm'"},
        "keyed_groups": [{"key": "wsman_stack", "prefix": "stack"}],
        "groups": {"first": "wsman_address == '127.77.1.1'"},
    }
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-inventory", "-i", written(tmp_path, source), "--list"],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(tmp_path),
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    # What comes from the network is no template, and Ansible marks it so.
    shown = json.loads(done.stdout, object_hook=lambda found: found.get("__ansible_unsafe", found))
    variables = shown["_meta"]["hostvars"]
    assert variables.keys() == {ADDRESS, OTHER}
    assert variables[OTHER] == {
        "ansible_connection": "winrm",
        "ansible_port": lab.server.http_port,
        "wsman_address": OTHER,
        "wsman_port": lab.server.http_port,
        "wsman_scheme": "http",
        "wsman_ports": [{"port": lab.server.http_port, "scheme": "http"}, {"port": lab.server.https_port, "scheme": "https"}],
        "wsman_vendor": "Microsoft Corporation",
        "wsman_product_version": "OS: 0.0.0 SP: 0.0 Stack: 2.0",
        "wsman_stack": "2.0",
    }
    groups = {name: group["hosts"] for name, group in shown.items() if "hosts" in group}
    both = [ADDRESS, OTHER]
    assert groups == {
        "wsman": both,
        "wsman_http": both,
        "wsman_https": both,
        "stack_3_0": [ADDRESS],
        "stack_2_0": [OTHER],
        "first": [ADDRESS],
    }
    # Nobody logged on, and each was asked once at each port.
    assert [(entry.action, entry.user) for entry in lab.log.entries] == [("Identify", "")] * 4


def test_the_cache_is_used_for_the_same_question_only(tmp_path: Path, lab: FrontEnd, source: dict[str, Any]):
    source |= {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(tmp_path / "kept"), "https_ports": []}
    assert set(parsed(tmp_path, source).hosts) == {ADDRESS, OTHER}
    del lab.server.directory.hosts[OTHER]
    assert set(parsed(tmp_path, source).hosts) == {ADDRESS, OTHER}
    assert len(lab.log.entries) == 2
    # Neither for another question, nor where Ansible is told to flush it.
    assert set(parsed(tmp_path, source | {"networks": ["127.77.1.1-127.77.1.2"]}).hosts) == {ADDRESS}
    assert set(parsed(tmp_path, source, cache=False).hosts) == {ADDRESS}


def test_names_that_lead_back_to_their_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: dict[str, Any]):
    known = {ADDRESS: "PC-1.contoso.com.", OTHER: "pc-1.contoso.com", "127.77.1.3": "old.contoso.com"}
    ways = {"pc-1.contoso.com": [ADDRESS, OTHER], "old.contoso.com": ["127.77.1.9"]}

    def getnameinfo(place: tuple[str, int], _flags: int) -> tuple[str, str]:
        if place[0] not in known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known[place[0]], "0"

    monkeypatch.setattr(names.socket, "getnameinfo", getnameinfo)
    monkeypatch.setattr(names.socket, "getaddrinfo", lambda name, *_more, **_named: [(0, 0, 0, "", (back, 0)) for back in ways[name]])
    asked = [ADDRESS, OTHER, "127.77.1.3", "127.77.1.4"]
    assert names.names_of(asked, 5) == {ADDRESS: "pc-1.contoso.com", OTHER: "pc-1.contoso.com"}
    assert names.names_of([], 5) == {}
    # asyncio resolves addresses by the same function.
    monkeypatch.undo()
    monkeypatch.setattr(names, "_name", lambda address: "pc-1.contoso.com" if address in ways["pc-1.contoso.com"] else "")
    data = parsed(tmp_path, source | {"names": "dns"})
    assert {host: variables.vars["wsman_address"] for host, variables in data.hosts.items()} == {"pc-1.contoso.com": ADDRESS, OTHER: OTHER}


@contextmanager
def dripping(stop: threading.Event) -> Iterator[int]:
    """A server whose answer never ends, a byte at a time."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not stop.wait(0.05):
            connection.sendall(b" ")

    with listening(talk) as port:
        yield port


NOT_WINRM = {
    "another vendor": answer(identity(vendor="Openwsman Project")),
    "a document type": answer(f"<!DOCTYPE x [<!ENTITY v 'Microsoft Corporation'>]>{identity(vendor='&v;')}"),
    "a login page": answer("<html><body>Microsoft Corporation</body></html>"),
    "no rights": answer(identity(), "401 Unauthorized"),
    "another answer": answer(identity().replace("IdentifyResponse", "PullResponse")),
    "half an answer": answer(identity()[:200], length="2000"),
    "a large answer": answer(identity() + " " * 70_000),
    "a large head": f"HTTP/1.1 200 OK\nX: {'y' * 20_000}\n\n{identity()}",
    "a negative length": answer(identity(), length="-1"),
    "bad chunks": f"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n-5\n{identity()}\n0\n\n",
    "an encoding that there is not": answer(f'<?xml version="1.0" encoding="foo"?>{identity()}'),
    "an encoding of several bytes": answer(f'<?xml version="1.0" encoding="shift_jis"?>{identity()}'),
    "an encoding that is none of XML": answer(f'<?xml version="1.0" encoding="utf-7"?>{identity()}'),
    "a codec that is no encoding": answer(f'<?xml version="1.0" encoding="idna"?>{identity()}'),
    "many headers": "HTTP/1.1 200 OK\n" + "X: y\n" * 150 + f"\n{identity()}",
    "a redirect": answer("", "307 Temporary Redirect\nLocation: http://127.0.0.1:1/wsman"),
    "a length of another script": answer(identity(), length="²³"),
    "no HTTP": "SSH-2.0-OpenSSH_9.2p1\n\n\n",
    "nothing": "",
}


def test_whoever_else_answers_is_left_out_and_harms_nobody(tmp_path: Path):
    stop = threading.Event()
    text = identity(product="OS: 0.0.0 SP: 0.0 Stack: 2.0")
    in_chunks = f"HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\n\n{len(text[:9]):x};x=y\n{text[:9]}\n{len(text[9:]):X}\n{text[9:]}\n0\n\n"
    with ExitStack() as servers:
        others = {name: servers.enter_context(listening(saying(said))) for name, said in NOT_WINRM.items()}
        others["an endless answer"] = servers.enter_context(dripping(stop))
        others["silence"] = servers.enter_context(listening(lambda _connection: stop.wait(5) and None))
        good = servers.enter_context(listening(saying(answer(identity()))))
        chunked = servers.enter_context(listening(saying(in_chunks)))
        closing = servers.enter_context(listening(saying(f"HTTP/1.1 200 OK\n\n{text}")))
        plain = servers.enter_context(listening(saying(answer(identity()))))
        secure = servers.enter_context(listening(saying(answer(identity())), server_tls(tmp_path, "somebody.else")))
        ports = [Port(port, "http") for port in (*others.values(), good, chunked, closing, secure)] + [
            Port(secure, "https"),
            Port(plain, "https"),
        ]
        began = time.monotonic()
        found = scan([HERE], ports, PACE)
        took = time.monotonic() - began
        stop.set()
    assert [(endpoint.port, endpoint.scheme, endpoint.stack) for endpoint in found] == [
        (good, "http", "3.0"),
        (chunked, "http", "2.0"),
        (closing, "http", "2.0"),
        (secure, "https", "3.0"),
    ]
    assert took < 3


@pytest.mark.tier("test")
def test_what_one_host_sends_never_fails_the_others(monkeypatch: pytest.MonkeyPatch):
    """Whatever it is that the reading of an answer runs into, also what nobody has thought of."""
    read = identify.response.parse_body

    def parse_body(body: bytes, *more: str) -> Any:
        if b"Openwsman" in body:
            raise RecursionError
        return read(body, *more)

    monkeypatch.setattr(identify.response, "parse_body", parse_body)
    with listening(saying(NOT_WINRM["another vendor"])) as other, listening(saying(answer(identity()))) as good:
        assert [endpoint.port for endpoint in scan([HERE], [Port(other, "http"), Port(good, "http")], PACE)] == [good]


@pytest.mark.tier("test")
def test_what_a_host_calls_itself_is_one_visible_line(tmp_path: Path, source: dict[str, Any]):
    said = identity(vendor="Microsoft&#10;ok: [x]&#x9b;31m&#x202e;", product=f"OS: 1 SP: 0 Stack: {'3' * 900}")
    with listening(saying(answer(said))) as port:
        data = parsed(tmp_path, source | {"networks": [HERE], "http_ports": [port], "https_ports": []})
    variables = data.hosts[HERE].vars
    assert variables["wsman_vendor"] == "Microsoft\\x0aok: [x]\\x9b31m\\u202e"
    assert max(len(variables[name]) for name in ("wsman_product_version", "wsman_stack")) <= 200


@pytest.mark.tier("test")
@pytest.mark.parametrize(
    "name", ["pc 1.contoso.com", "pc-1\n.contoso.com", "{{ 7 }}", "../pc-1", "-x.contoso.com", "x" * 64, "\x1b[31mpc-1"]
)
def test_a_name_that_no_host_has_is_none(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setattr(names.socket, "getnameinfo", lambda *_given: (name, "0"))
    monkeypatch.setattr(names.socket, "getaddrinfo", lambda *_given, **_named: [(0, 0, 0, "", (ADDRESS, 0))])
    assert names.names_of([ADDRESS], 5) == {}


def test_no_more_connections_at_once_and_no_faster_than_told():
    open_now, most, times, lock = 0, 0, [], threading.Lock()

    def talk(connection: socket.socket) -> None:
        nonlocal open_now, most
        with lock:
            open_now, times[len(times) :] = open_now + 1, [time.monotonic()]
            most = max(most, open_now)
        time.sleep(0.05)
        with lock:
            open_now -= 1
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with listening(talk) as port:
        addresses = [f"127.77.2.{number}" for number in range(1, 4)] + [HERE] * 12
        scan(addresses, [Port(port, "http")], Pace(parallel=3, rate=10_000, timeout=2, time_limit=60))
        assert len(times) == 12 and 1 < most <= 3
        times.clear()
        scan([HERE] * 12, [Port(port, "http")], Pace(parallel=12, rate=40, timeout=2, time_limit=60))
        assert times[-1] - times[0] >= 11 / 40 - 0.06


def test_the_head_of_the_request_asks_for_no_authentication():
    seen: list[bytes] = []
    with listening(saying(answer(identity())), seen=seen) as port:
        scan([HERE], [Port(port, "http")], PACE)
    head, _blank, body = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /wsman HTTP/1.1\r\n")
    assert b"\r\nWSMANIDENTIFY: unauthenticated\r\n" in head and b"Authorization" not in head
    assert b"Identify/>" in body and f"Content-Length: {len(body)}".encode() in head


@pytest.mark.parametrize(
    ("given", "exclude", "found"),
    [
        (["192.0.2.0/30"], [], ["192.0.2.1", "192.0.2.2"]),
        (["192.0.2.0/31"], [], ["192.0.2.0", "192.0.2.1"]),
        (["192.0.2.7", "192.0.2.6 - 192.0.2.8"], [], ["192.0.2.7", "192.0.2.6", "192.0.2.8"]),
        (["192.0.2.0/29"], ["192.0.2.2-192.0.2.5"], ["192.0.2.1", "192.0.2.6"]),
        (["192.0.2.1", "10.0.0.0/8"], ["10.0.0.0-10.255.255.0"], ["192.0.2.1", *(f"10.255.255.{number}" for number in range(1, 255))]),
        (["2001:db8::/127"], ["10.0.0.0/8"], ["2001:db8::", "2001:db8::1"]),
    ],
)
def test_addresses_of_networks(given: list[str], exclude: list[str], found: list[str]):
    assert networks.addresses(given, exclude, 256) == found


REFUSED = {
    "networks with more addresses than may be asked": {"networks": ["10.0.0.0/8"]},
    "a network with bits behind its prefix": {"networks": ["192.0.2.1/24"]},
    "a range that runs backwards": {"networks": ["192.0.2.9-192.0.2.3"]},
    "a name in place of a network": {"exclude": ["contoso.com"]},
    "a scan that could take too long": {"networks": ["192.0.2.0/24"], "time_limit": 5},
    "a scan without ports": {"http_ports": [], "https_ports": []},
    "a scan at no rate": {"rate": 0},
}
WRITTEN = error_catalogue.paired("Searching networks", REFUSED)


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_not_be_asked_is_refused_before_anybody_is_asked(tmp_path: Path, lab: FrontEnd, source: dict[str, Any], case: str):
    with pytest.raises(AnsibleParserError) as refused:
        parsed(tmp_path, source | {"http_ports": [1], "https_ports": []} | REFUSED[case])
    error = refused.value.__context__
    assert isinstance(error, ActivationError) and error.message in str(refused.value)
    assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN[case], error)
    assert lab.log.entries == []


def test_a_file_of_another_name_is_not_for_this_plugin(tmp_path: Path):
    path = tmp_path / "hosts.yml"
    path.write_text("all: {}\n")
    assert not loaded().verify_file(str(path))
