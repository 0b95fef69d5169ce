# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that means harm: whatever it sends, a module ends in time, within its memory, in one sentence, and asks nobody else."""

from __future__ import annotations

import json
import os
import re
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import error_catalogue
import pytest
from handmade import task_of
from unit.lab.windows_fakes import FakeDomain
from unit.plugin_utils.wsman.wire_server import psrp_plugin, winrm_plugin

from ansible_collections.winops.volume_activation.plugins.action import license_info, mak_client
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import bounds, carriers
from lab.windows.data import key_named
from lab.windows.host import Host
from lab.wsman.authentication import prepare_acceptor, write_ntlm_users
from lab.wsman.request_log import Entry

from .hostile_endpoint import ACCOUNT, HostileEndpoint, Mode
from .hostile_messages import ALL as MODES

LOGON = {"username": ACCOUNT.user, "password": ACCOUNT.password}
CARRIERS: dict[str, Callable[[int], SimpleNamespace]] = {
    "winrm basic": lambda port: winrm_plugin(port, **LOGON),
    "winrm ntlm": lambda port: winrm_plugin(port, transport="ntlm", **LOGON),
    "psrp ntlm": lambda port: psrp_plugin(port, auth="ntlm", encryption="auto", **LOGON),
    "psrp basic": lambda port: psrp_plugin(port, **LOGON),
}
PATIENCE = 1.0
LONGEST = 60
"""Seconds of a task: a handful of exchanges at that patience, or a query that goes on to its bound."""
MOST_MEMORY = 250 * 1024
"""Kilobytes that a task may add to the process, in which the endpoint itself is."""
LONGEST_MESSAGE = 900
KEY = key_named("mak_win_enterprise").key

BRIEF = (
    "redirect 307",
    "redirect with escapes",
    "407 NTLM in the handshake",
    "Basic alone is offered",
    "an answer in plain text",
    "a body without end",
    "a byte now and then",
    "two lengths",
    "a gzip bomb",
    "encryption: a boundary that is an expression",
    "XML: the encoding foo",
    "XML: deep in the body",
    "XML: it relates to lines",
    "fault: a code of 6,000 digits",
    "fault: a text of lines",
    "query: pages without end",
    "query: empty pages without end",
    "query: a huge property",
)
"""One of each kind, for the gate."""


SENTENCES = {
    "plain text where the message was encrypted": "an answer in plain text",
    "bytes that were changed on their way": "encryption: other bytes",
    "an authentication that is none": "no authentication at all",
    "a status line of another protocol": "a status that is no number",
    "two lengths of one answer": "two lengths",
    "an answer to lines that nobody asked": "XML: it relates to lines",
}
"""Cases of the error catalogue, and the mode that brings each about."""

WRITTEN = error_catalogue.paired("Hostile endpoints", SENTENCES)
ON_MESSAGES = [mode for mode in MODES if mode.stage == "message"]


@pytest.fixture
def domain() -> Iterator[FakeDomain]:
    made = FakeDomain()
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The endpoint knows one account; no proxy of the machine that runs the tests is on the way."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        for name in ("NTLM_USER_FILE", "KRB5_KTNAME", "KRB5RCACHENAME"):
            patch.setenv(name, "")
        users: Path = tmp_path_factory.mktemp("hostile") / "users"
        write_ntlm_users(users, [ACCOUNT])
        prepare_acceptor(users)
        patch.setattr(carriers, "patience_for", lambda _timeouts: PATIENCE)
        yield


def run(module: Any, connection: SimpleNamespace, **options: Any) -> dict[str, Any]:
    """The result of a task with that module."""
    for name, value in {"_shell": SimpleNamespace(tmpdir="x"), "option_definitions": {}, "allow_extras": False}.items():
        setattr(connection, name, value)
    task = task_of(options, until="asked again")
    action = module.ActionModule(task, connection, SimpleNamespace(become=False), None, SimpleNamespace(template=lambda value: value), None)
    result: dict[str, Any] = action.run(task_vars={"inventory_hostname": "pc-001"})
    return result


def sentences(text: str) -> int:
    return len(re.findall(r"[.?!](?= [A-Z]|$)", text))


def check(mode: Mode, carrier: str, result: dict[str, Any], endpoint: HostileEndpoint, took: float, grown: int) -> None:
    """What holds for every task, whatever it met."""
    assert endpoint.struck
    assert endpoint.strangers == []
    assert took < LONGEST, took
    assert grown < MOST_MEMORY, grown
    shown = json.dumps(result, ensure_ascii=False)
    assert ACCOUNT.password not in shown and KEY not in shown
    harmless = mode.harmless or (mode.harmless_in_clear and "basic" in carrier)
    if harmless and not result["failed"] and not result.get("unreachable"):
        return
    message = result["msg"]
    assert result["failed"] or result.get("unreachable"), result
    assert message.startswith("pc-001"), message
    assert message.isprintable(), ascii(message)
    assert len(message) <= LONGEST_MESSAGE and sentences(message) <= 3, message
    assert "bug in the collection" not in message, message
    assert result["error"]["source"] != "collection", result
    assert "exception" not in result
    assert "object has no attribute" not in message and "Traceback" not in message, message
    assert json.dumps(result["error"], ensure_ascii=False).isprintable()


def played(host: Host, mode: Mode, carrier: str, module: Any, strikes: Callable[[Entry, int], bool], **options: Any) -> HostileEndpoint:
    """One task against the endpoint, checked."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    with HostileEndpoint(host, mode, strikes) as endpoint:
        result = run(module, CARRIERS[carrier](endpoint.port), **options)
        took = time.monotonic() - began
    check(mode, carrier, result, endpoint, took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    return endpoint


def at_once(_entry: Entry, _number: int) -> bool:
    return True


def at_the_third(_entry: Entry, number: int) -> bool:
    return number >= 2


def at_the_key(entry: Entry, _number: int) -> bool:
    return entry.action == "Invoke:InstallProductKey"


@pytest.mark.tier("soak")
@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_reading_module(domain: FakeDomain, mode: Mode, carrier: str):
    played(domain.add("pc-001", "windows_10_enterprise"), mode, carrier, license_info, at_once)


@pytest.mark.tier("soak")
@pytest.mark.parametrize("mode", ON_MESSAGES, ids=str)
def test_a_reading_module_in_the_midst_of_its_work(domain: FakeDomain, mode: Mode):
    played(domain.add("pc-001", "windows_10_enterprise"), mode, "winrm ntlm", license_info, at_the_third)


@pytest.mark.tier("soak")
@pytest.mark.parametrize("carrier", ["winrm basic", "psrp ntlm"])
@pytest.mark.parametrize("mode", ON_MESSAGES, ids=str)
def test_a_changing_module_makes_its_change_once(domain: FakeDomain, mode: Mode, carrier: str):
    options = {"product_key": KEY, "activate": False}
    endpoint = played(domain.add("pc-001", "windows_10_enterprise"), mode, carrier, mak_client, at_the_key, **options)
    made = sum(entry.action == "Invoke:InstallProductKey" for entry in endpoint.entries)
    # What nobody could read was not carried out, and is sent once more.
    assert made <= (2 if mode.name == "HTTP 400" else 1)


@pytest.mark.tier("test")
@pytest.mark.parametrize("mode", [mode for mode in MODES if mode.name in BRIEF], ids=str)
def test_one_of_each_kind(domain: FakeDomain, mode: Mode, monkeypatch: pytest.MonkeyPatch):
    for name, least in (("MAX_ROWS", 200), ("MAX_PAGES", 20), ("MAX_EMPTY_PAGES", 3)):
        monkeypatch.setattr(bounds, name, least)
    for carrier in ("winrm ntlm", "psrp basic"):
        played(domain.add("pc-001", "windows_10_enterprise"), mode, carrier, license_info, at_once)


@pytest.mark.tier("test")
@pytest.mark.parametrize("case", SENTENCES)
def test_the_sentence_of(domain: FakeDomain, case: str):
    mode = next(mode for mode in MODES if mode.name == SENTENCES[case])
    with HostileEndpoint(domain.add("pc-001", "windows_10_enterprise"), mode, at_once) as endpoint:
        result = run(license_info, CARRIERS["winrm ntlm"](endpoint.port))
    error = SimpleNamespace(message=result["msg"], **result["error"])
    assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN[case], error)


@pytest.mark.tier("test")
def test_the_modes():
    assert len(MODES) == len({mode.name for mode in MODES}) >= 30
    assert set(BRIEF) <= {mode.name for mode in MODES}
