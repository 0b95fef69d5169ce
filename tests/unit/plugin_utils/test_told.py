# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host tells of itself has its form, or that host fails; what is printed of a run is visible lines."""

from __future__ import annotations

from typing import Any

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.given import given_computers
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.merging import shared_installation_ids
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import FullList
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.text import visible_lines
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs import image
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.audit import report as audit
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.audit.deviation import Deviation
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.finding import Finding, table
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.fleet import fleet_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms import steps as kms
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak import steps
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak.settings import MakSettings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak_proxy import entries, outcomes, summary
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak_proxy.computers import HostRun
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.registered import Registered
from ansible_collections.winops.volume_activation.plugins.plugin_utils._scan import names
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform import told

pytestmark = pytest.mark.tier("quick")

WIN = "288e95ec-20ea-58eb-8698-12be92334a8e"
PID = "03612-00206-271-344265-03-1033-20348.0000-0012026"
IID = "1234567" * 9
FORGED = "PC\nok: [pc-001]\x9b31m\u202e"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ID", "' or ''='"),
        ("ID", FORGED),
        ("ApplicationID", "55c92734"),
        ("ClientMachineID", "{{ 7 * 7 }}"),
        ("PartialProductKey", "../.."),
        ("PartialProductKey", "ABCDEF"),
        ("ProductKeyID", "x y {{7*7}} ../"),
        ("OfflineInstallationId", "abc"),
        ("OfflineInstallationId", "1" * 129),
        ("OfflineInstallationId", "\u0661" * 63),
    ],
)
def test_an_identifier_in_another_form_fails_its_host(name: str, value: str) -> None:
    with pytest.raises(ActivationError, match=f"^pc-1: Windows gives {name} as ") as caught:
        told.check_row("pc-1", {name: value})
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 500


@pytest.mark.parametrize("value", [None, ""])
def test_what_windows_does_not_give_has_no_form(value: str | None) -> None:
    row = dict.fromkeys(("ID", "ClientMachineID", "ProductKeyID", "OfflineInstallationId", "Other"), value)
    assert told.check_row("pc-1", row) == row
    assert (told.extended_pid("pc-1", value), told.computer_name("pc-1", value), told.dns_name("pc-1", "Domain", value)) == ("", "", "")


def test_what_windows_gives_is_taken() -> None:
    row = {"ID": WIN.upper(), "PartialProductKey": "4MK6M", "ProductKeyID": PID, "OfflineInstallationId": IID, "ClientMachineID": WIN}
    assert told.check_row("pc-1", row) == row
    assert told.installation_id("pc-1", IID) == IID
    assert told.extended_pid("pc-1", PID) == PID
    assert told.computer_name("pc-1", "BÜRO-01") == "BÜRO-01"
    assert told.dns_name("pc-1", "Domain", "East.Contoso.com") == "east.contoso.com"


@pytest.mark.parametrize("value", ["abc", "1" * 62, "1" * 129, IID[:-1] + "\n", "-".join(["1234567"] * 9)])
def test_an_installation_id_that_microsoft_would_not_take_fails_its_host(value: str) -> None:
    with pytest.raises(ActivationError, match="OfflineInstallationId"):
        told.installation_id("pc-1", value)


@pytest.mark.parametrize("value", [FORGED, "A B", "other$", "a" * 64, "x\u200by", "a/b"])
def test_a_name_that_no_computer_has_fails_its_host(value: str) -> None:
    with pytest.raises(ActivationError, match="CSName"):
        told.computer_name("pc-1", value)
    with pytest.raises(ActivationError, match="DNSHostName"):
        told.dns_name("pc-1", "DNSHostName", value)


BROUGHT_ABOUT = {
    "a host's installation ID that is none": lambda: told.installation_id("pc-003", "abc"),
    "a host's extended PID that is none": lambda: told.extended_pid("pc-003", "x y {{7*7}} ../"),
    "a host's client machine ID that is none": lambda: told.check_row("pc-003", {"ClientMachineID": "none"}),
    "a host's last characters of a key that are none": lambda: told.check_row("pc-003", {"PartialProductKey": "ABCDEF"}),
    "a host's computer name that is none": lambda: told.computer_name("pc-003", "PC\nok: [pc-001]"),
    "a host's DNS name that is none": lambda: told.dns_name("pc-003", "DNSHostName", "pc 003"),
}
SHARED = "two computers with one installation ID"
WRITTEN = error_catalogue.paired("What hosts tell", [*BROUGHT_ABOUT, SHARED])


@pytest.mark.parametrize("case", BROUGHT_ABOUT)
def test_the_sentence_names_the_host_and_the_property(case: str) -> None:
    with pytest.raises(ActivationError) as caught:
        BROUGHT_ABOUT[case]()
    assert error_catalogue.shown(caught.value) == error_catalogue.expected(WRITTEN[case], caught.value)


def seen(host: str, made: dict[str, Any] | None = None, **system: str) -> HostRun:
    product = {"activation_id": WIN, "name": "Windows", "channel": "mak", "extended_pid": PID, "installation_id": IID, **(made or {})}
    result = {"applicable": True, "installed": True, "activated": False, "product": product}
    return HostRun(host, ["win"], host, {"operating_system": {"computer_name": "PC", "caption": "Windows", **system}}, {}, {"win": result})


@pytest.mark.parametrize(
    "bad",
    [
        seen("pc-1", {"installation_id": "abc"}),
        seen("pc-1", {"extended_pid": "x y {{7*7}} ../"}),
        seen("pc-1", {"activation_id": "../"}),
        seen("pc-1", computer_name="\ud800"),
        seen("pc-1", caption="\udfff"),
    ],
    ids=["installation ID", "extended PID", "activation ID", "computer name", "caption"],
)
def test_a_computer_that_can_not_be_listed_keeps_no_other_from_the_list(bad: HostRun) -> None:
    both = [bad, seen("pc-2")]
    assert list(given_computers(entries.read_computers(both))) == ["pc-2"]
    ends = outcomes.collected(both, ["pc-1", "pc-2"], False)
    assert [(end.host, end.kind) for end in ends] == [("pc-1", "failed"), ("pc-2", "collected")]
    assert ends[0].reason


def test_two_computers_with_one_installation_id_are_a_finding_of_those_that_were_read() -> None:
    computers = given_computers(entries.read_computers([seen("pc-1"), seen("pc-2"), seen("pc-3", {"installation_id": IID[::-1]})]))
    (found,) = shared_installation_ids(FullList(computers=computers), ["pc-2"])
    assert found.reason == error_catalogue.said(WRITTEN[SHARED])
    assert shared_installation_ids(FullList(computers=computers), ["pc-3"]) == []


def kms_ends() -> dict[str, Any]:
    """The end of a run in which a client and the DNS server tell something in no form."""
    declared = kms.declare("kms_single_site", {"domain": "contoso.com"}, [], [])
    fleet = fleet_of(["kms-1", "pc-1"], ["kms-1", "pc-1"], {"kms_hosts": ["kms-1"], "kms_clients": ["pc-1"]}, kms.GROUPS)
    once = {
        "declared": declared,
        "work": kms.Run(fleet, Registered(["kms-1"], {"declared": {"kms-1": declared}, "license": {}, "accounts": {}})).work(),
    }
    once["found"] = {
        "due": ["pc-1"],
        "threshold": 25,
        "left": [FORGED],
        "clients": {"licensed": 0, "silent": [], "remarks": [FORGED], "shared": [FORGED]},
    }
    once["records"] = {
        "results": [{"item": once["work"]["sites"][0], "records": [{"target": FORGED, "port": 1, "priority": 0, "weight": 0}]}]
    }
    results = {name: {"kms-1": result} for name, result in once.items()}
    results |= {name: {} for name in ("license", "license_after", "serving", "host", "answer", "rights", "again")}
    results["client"] = {"pc-1": {"failed": True, "msg": FORGED}}
    return kms.Run(fleet, Registered(["kms-1", "pc-1"], results)).decide("ends", check_mode=False)


def texts_of(result: dict[str, Any]) -> list[str]:
    return [text for value in result.values() for text in ([value] if isinstance(value, str) else value)]


@pytest.mark.parametrize(
    ("name", "taken"), [("pc-1.contoso.com", True), ("pc 1", False), (FORGED.lower(), False), ("a" * 64, False), ("{{x}}", False)]
)
def test_a_name_that_dns_gives_is_one_of_a_host(monkeypatch: pytest.MonkeyPatch, name: str, taken: bool) -> None:
    monkeypatch.setattr(names.socket, "getnameinfo", lambda *_arguments: (name, "0"))
    monkeypatch.setattr(names.socket, "getaddrinfo", lambda *_arguments, **_named: [(0, 0, 0, "", ("127.0.0.9", 0))])
    assert names.names_of(["127.0.0.9"], 5) == ({"127.0.0.9": name} if taken else {})


def mak_seen(**results: Any) -> steps.MakSeen:
    """A computer of a MAK run that tells something in no form, as does the ring."""
    settings = dict.fromkeys(MakSettings.__slots__, False)
    run = {
        "unassigned": {},
        "settings": settings,
        "assigned": {"pc-1": ["win"]},
        "descriptions": {"win": FORGED},
        "findings": [],
        "max_unreachable": "",
    }
    run["findings"] = [Finding(FORGED, FORGED, True).as_result()]
    plan = {"results": [{"item": "win", "failed": True, "msg": FORGED}]}
    found = {"run": run, "license": {}, "plan": plan, "made": {}, "before": {}, "after": {}, **results}
    return steps.MakSeen.of(Registered(["pc-1"], {name: {"pc-1": result} for name, result in found.items()}))


def mak_ends() -> dict[str, Any]:
    others = [{"host": "pc-1", "key": "win", "kind": "failed", "reason": FORGED, "hresult": None}]
    seen = mak_seen(orders={"others": others}, learned={"products": {"win": {"name": FORGED}}})
    return steps.ends(seen, check_mode=False)


LINES = {
    "a table of findings": lambda: table([{"object": FORGED, "text": FORGED, "blocks": True}]),
    "an error": lambda: [ActivationError(FORGED).message, str(ActivationError(FORGED))],
    "a finding": lambda: list(Finding(FORGED, FORGED, True).as_result().values())[:2],
    "a deviation": lambda: texts_of(Deviation(FORGED, FORGED, [FORGED], FORGED, FORGED).as_result()),
    "a table of deviations": lambda: audit.table([Deviation(FORGED, FORGED, [FORGED], FORGED, FORGED)]),
    "the summary of KMS": lambda: kms_ends()["lines"],
    "the summary of MAKs": lambda: mak_ends()["lines"],
    "the ends of MAKs": lambda: list(mak_ends()["failures"].values()),
    "the findings of MAKs": lambda: (found := steps.findings(mak_seen()))["lines"] + [found["stop"]],
    "the summary of MAK proxy activation": lambda: visible_lines(
        summary.summary("x", [outcomes.ProxyEnd("pc-1", "failed", FORGED)], [{"reason": FORGED}], False)
    ),
    "what Microsoft was asked": lambda: visible_lines(summary.acquired({"msg": FORGED})),
    "the telephone": lambda: visible_lines(summary.telephone_lines(
        {"kind": "full", "computers": [{"name": FORGED, "products": [{"name": FORGED, "pending": True, "extended_pid": PID, "installation_id": IID}]}]}
    )),
    "a reference image": lambda: visible_lines(
        image.summary([image.ReferenceComputer("pc-1", license={"operating_system": {"caption": FORGED}})], False, False)
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LINES)
def test_what_a_role_prints_is_visible_lines(case: str) -> None:
    lines = LINES[case]()
    assert any("PC" in line for line in lines), lines
    for line in lines:
        assert line.isprintable(), repr(line)
