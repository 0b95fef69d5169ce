# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of MAK proxy activation makes of results: who goes into the list, who is applied what, and what people are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import error_catalogue
import pytest
from unit.computer_list import lists

from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list import tasks
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.given import given_computers
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import FullList
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.store import ListFile
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak_proxy import entries, findings, outcomes, summary
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak_proxy.computers import HostRun
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak_proxy.orders import Order, make_orders, named
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.mak_proxy.outcomes import ProxyEnd

pytestmark = pytest.mark.tier("quick")

LICENSE = {"operating_system": {"computer_name": "PC-1", "caption": "Microsoft Windows 10 Enterprise"}}
RING = {"win": {"key": "MMKVP-D7663-2TCFK-B7W8M-7VCKF"}}
ORDER = Order(lists.iid(1), "win")
ORDERS = {"pc-1": {lists.WINDOWS_10: ORDER}}
BEGAN, ENDED = "2026-11-27T03:42:07Z", "2026-11-27T03:42:09Z"


def product(**more: Any) -> dict[str, Any]:
    """A product as mak_client returns it."""
    return {
        "name": "Windows",
        "activation_id": lists.WINDOWS_10,
        "channel": "mak",
        "license_status": "oob_grace",
        "partial_product_key": "7VCKF",
        "extended_pid": lists.EPID,
        "installation_id": lists.iid(1),
        **more,
    }


def made(*, activated: bool = False, attempted: bool = False, installed: bool = True, **more: Any) -> dict[str, Any]:
    """A result of mak_client."""
    outcome = "licensed" if attempted else "already_licensed" if activated else "not_attempted"
    found = {"applicable": True, "reason": "", "installed": installed, "activated": activated, "product": product()}
    return {**found, "activation": {"attempted": attempted, "outcome": outcome}, **more}


def seen(**more: Any) -> HostRun:
    return HostRun(**{"host": "pc-1", "keys": ["win"], "address": "10.1.1.1", "license": LICENSE, **more})


FAILED = {"failed": True, "msg": "pc-1: the key was refused."}
GONE = {"unreachable": True, "msg": "pc-1: no answer."}


def test_what_was_read_is_what_the_computer_list_takes():
    [read] = entries.read_computers([seen(made={"win": made()})])
    assert {name: read[name] for name in ("name", "computer_name", "fqdn", "address", "operating_system")} == {
        "name": "pc-1",
        "computer_name": "PC-1",
        "fqdn": "",
        "address": "10.1.1.1",
        "operating_system": "Microsoft Windows 10 Enterprise",
    }
    listed = given_computers([read])["pc-1"]
    assert listed.read is not None and listed.products[lists.WINDOWS_10].mak == "win"
    assert listed.products[lists.WINDOWS_10].pending


@pytest.mark.parametrize(("host", "fqdn"), [("pc-1", ""), ("10.1.1.1", ""), ("pc-1.contoso.com", "pc-1.contoso.com")])
def test_only_a_whole_name_is_a_dns_name(host: str, fqdn: str):
    assert entries.read_computers([seen(host=host, made={"win": made()})])[0]["fqdn"] == fqdn


@pytest.mark.parametrize("result", [FAILED, GONE, {}])
def test_who_failed_half_way_is_read_again_by_the_next_run(result: dict[str, Any]):
    [read] = entries.read_computers([seen(made={"win": result})])
    assert given_computers([read])["pc-1"].read is None
    # Who was not read at all is not in the list.
    assert entries.read_computers([seen(license=GONE), seen(license={"skipped": True})]) == []


def test_a_computer_that_takes_no_mak_is_known_and_does_not_leave():
    retail = made(
        installed=False, applicable=False, reason="it runs a retail edition", product=product(channel="retail", installation_id=None)
    )
    listed = given_computers(entries.read_computers([seen(made={"win": retail})]))["pc-1"]
    assert listed.products[lists.WINDOWS_10].mak == ""
    assert not listed.products[lists.WINDOWS_10].pending


def shown_list(full: FullList, tmp_path: Any) -> list[dict[str, Any]]:
    """The computers of a list as the module shows them, without confirmation IDs."""
    file = ListFile(str(tmp_path / "list.json"))
    with file.locked():
        file.save(full)
    return tasks.inspect(file, None, False).result["computers"]


def test_orders_are_the_confirmation_ids_of_the_chosen_computers(tmp_path: Any):
    full = lists.isolated(3)
    for product_ in list(full.entries())[:2]:
        product_.confirmation_id = lists.cid(1)
    found = make_orders(shown_list(full, tmp_path), ["iso-001", "iso-003"])
    assert list(found) == ["iso-001"]
    assert found["iso-001"][lists.WINDOWS_10].installation_id == lists.iid(1)
    assert lists.cid(1) not in str(found)
    assert named(found) == {"iso-001": {lists.WINDOWS_10: found["iso-001"][lists.WINDOWS_10].mak}}


def applied(result: dict[str, Any], order: Order = ORDER) -> dict[str, Any]:
    [found] = entries.applied_computers([seen(made={lists.WINDOWS_10: result})], {"pc-1": {lists.WINDOWS_10: order}}, BEGAN, ENDED)
    return found


def test_what_came_of_a_confirmation_id_goes_into_the_list():
    full = FullList(computers={"pc-1": lists.computer(1)})
    next(full.entries()).confirmation_id = lists.cid(1)
    done = applied(made(activated=True, attempted=True, product=product(license_status="licensed")))
    listed = given_computers([done])["pc-1"].products[lists.WINDOWS_10]
    assert (listed.activation.began, listed.activation.ended, listed.activation.outcome) == (BEGAN, ENDED, "licensed")
    failed = applied(FAILED)
    assert failed["read"] == "" and failed["products"][0]["activation"]["outcome"] == FAILED["msg"]
    # A fault behind the activation was written down as its end; a run that was killed there wrote nothing.
    for outcome in ("pc-1: the answer was lost.", ""):
        proved = applied(made(activated=True), replace(ORDER, outcome=outcome))["products"][0]
        assert proved["activation"] == {"began": BEGAN, "ended": ENDED, "outcome": "licensed"}
    # Who is known to be licensed has nothing new, and who did not answer neither.
    assert "activation" not in applied(made(activated=True), replace(ORDER, outcome="licensed"))["products"][0]
    assert entries.applied_computers([seen(made={lists.WINDOWS_10: GONE})], ORDERS, BEGAN, ENDED) == []


def test_the_list_keeps_the_installation_id_that_its_confirmation_id_is_for():
    forgiven = made(activated=True, attempted=True, product=product(installation_id=lists.iid(7)))
    assert applied(forgiven)["products"][0]["installation_id"] == ""


@pytest.mark.parametrize(
    ("one", "to_read", "check_mode", "kind"),
    [
        (seen(made={"win": made()}), ["pc-1"], False, "collected"),
        (seen(made={"win": made(activated=True)}), ["pc-1"], False, "licensed"),
        (seen(made={"win": made(installed=False)}), ["pc-1"], True, "planned"),
        (seen(made={"win": made(installed=False)}), ["pc-1"], False, "not_applicable"),
        (seen(made={"win": made(applicable=False, reason="retail")}), ["pc-1"], False, "not_applicable"),
        (
            seen(made={"win": made(applicable=False, installed=False, reason="It failed.", reason_hresult=0xC004F050)}),
            ["pc-1"],
            False,
            "failed",
        ),
        (seen(made={"win": FAILED}), ["pc-1"], False, "failed"),
        (seen(made={"win": GONE}), ["pc-1"], False, "not_reached"),
        (seen(license=GONE), ["pc-1"], False, "not_reached"),
        (seen(license=FAILED), ["pc-1"], False, "failed"),
        (seen(), ["pc-1"], False, "failed"),
        (seen(keys=[]), ["pc-1"], False, "not_applicable"),
        (seen(license={}), [], False, "known"),
    ],
)
def test_how_a_computer_ends_that_was_collected(one: HostRun, to_read: list[str], check_mode: bool, kind: str):
    [end] = outcomes.collected([one], to_read, check_mode)
    assert end.kind == kind
    assert kind != "failed" or end.reason


@pytest.mark.parametrize(
    ("result", "check_mode", "kind"),
    [
        (made(activated=True, attempted=True), False, "activated"),
        (made(activated=True), False, "licensed"),
        (made(), True, "planned"),
        (made(applicable=False, reason="it holds no MAK"), False, "not_applicable"),
        (FAILED, False, "failed"),
        (GONE, False, "not_reached"),
        ({}, False, "failed"),
    ],
)
def test_how_a_computer_ends_that_was_applied(result: dict[str, Any], check_mode: bool, kind: str):
    [end] = outcomes.applied([seen(made={lists.WINDOWS_10: result} if result else {})], [], ORDERS, check_mode)
    assert end.kind == kind


def test_who_has_no_confirmation_id_is_told_apart_from_who_needs_none(tmp_path: Any):
    full = lists.isolated(2)
    next(full.listed())[1].license_status = "licensed"
    hosts = [HostRun("iso-001"), HostRun("iso-002"), HostRun("iso-003")]
    ends = outcomes.applied(hosts, shown_list(full, tmp_path), {}, False)
    assert [end.kind for end in ends] == ["licensed", "without_confirmation_id", "not_listed"]


def test_the_installation_ids_are_shown_as_they_are_read_out(tmp_path: Any):
    full = lists.isolated(2)
    next(full.entries()).confirmation_id = lists.cid(1)
    shown = {"kind": "full", "computers": shown_list(full, tmp_path)}
    assert summary.telephone_lines(shown) == [
        f"iso-002, Windows(R), Enterprise edition (extended PID {lists.EPID})",
        f"    {'-'.join(['0000000'] * 8)}-0000002",
    ]
    assert summary.telephone_lines({"kind": None}) == []


REPORTED = {
    "nothing but numbers": lambda: summary.summary("applied", [ProxyEnd("pc-1", "activated"), ProxyEnd("pc-2", "licensed")], [], False)[1],
    "computers without a confirmation ID": lambda: summary.summary("applied", [ProxyEnd("pc-1", "without_confirmation_id")], [], False)[2],
    "computers that the list does not know": lambda: summary.summary("applied", [ProxyEnd("pc-1", "not_listed")], [], False)[2],
    "computers that were not reached": lambda: summary.summary("applied", [ProxyEnd("pc-1", "not_reached")], [], False)[2],
    "computers that take no key": lambda: summary.summary("collected", [ProxyEnd("pc-1", "not_applicable", "it gets no key")], [], True)[2],
    "a computer that failed": lambda: summary.summary("applied", [ProxyEnd("pc-1", "failed", FAILED["msg"])], [], False)[2],
    "a run that the end came before": lambda: outcomes.collected([seen()], ["pc-1"], False)[0].reason,
    "something that contradicts the list": lambda: summary.summary("collected", [], [{"reason": "It does not fit."}] * 2, False)[2],
    "a computer that stays without": lambda: findings.apply_findings(["pc-1"], {"missing": ["pc-1", "pc-2"]}, {})[0].text,
    "a key that the ring has lost": lambda: findings.reapply_findings(ORDERS, {"other": RING["win"]}, {})[0].text,
    "a list without names of keys": lambda: findings.reapply_findings({"pc-1": {"x": Order(lists.iid(1), "")}}, RING, {})[0].text,
    "confirmation IDs": lambda: summary.acquired({"obtained": 2, "kept": 1, "missing": [], "unknown": []})[0],
    "a confirmation ID that is missing": lambda: summary.acquired(
        {"obtained": 0, "kept": 0, "missing": [{"identifier": "5f0c", "reason": "0x7F: it is used up."}], "unknown": []}
    )[1],
    "a confirmation ID of which nobody knows": lambda: summary.acquired(
        {"obtained": 0, "kept": 0, "missing": [], "unknown": [{"identifier": "5f0c", "reason": "The answer was lost."}]}
    )[1],
    "confirmation IDs that would be asked for": lambda: summary.acquired({"obtained": 2, "kept": 1, "missing": [], "unknown": []}, True)[0],
    "a run that asked nobody": lambda: summary.acquired({"failed": True, "msg": "There is no way to Microsoft."})[0],
}
WRITTEN = error_catalogue.paired("MAK proxy activation", REPORTED)


@pytest.mark.parametrize("case", REPORTED)
def test_what_people_are_told(case: str):
    assert REPORTED[case]() == error_catalogue.said(WRITTEN[case])


def test_numbers_are_there_for_every_kind():
    assert outcomes.counts([ProxyEnd("pc-1", "failed"), ProxyEnd("pc-2", "failed")]) == {**dict.fromkeys(outcomes.KINDS, 0), "failed": 2}


def test_findings_stop_what_can_not_succeed():
    assert findings.collect_findings([seen(made={}, plan={"win": made()})], RING, {"state directory": ""}) == []
    [refused] = findings.collect_findings([], RING, {"state directory": "It ends with the run."})
    assert (refused.object, refused.text, refused.blocks) == ("state directory", "It ends with the run.", True)
    assert findings.apply_findings([], {"error": {}, "msg": "It is no list."}, {})[0].blocks
    assert findings.reapply_findings(ORDERS, [], {})[-1].blocks
    assert findings.reapply_findings(ORDERS, {"win": {"key": "x"}}, {})[0].blocks
    assert findings.reapply_findings(ORDERS, RING, {}) == []


def test_who_failed_fails_with_all_that_was_said_of_it_and_nobody_else_does():
    ended = [ProxyEnd("pc-1", "failed", "One."), ProxyEnd("pc-2", "not_reached", "Dark."), ProxyEnd("pc-1", "failed", "Two\n.")]
    assert outcomes.failures(ended) == {"pc-1": "One. Two\\x0a."}


def test_what_contradicts_the_list_is_said_once():
    conflict = {"name": "pc-1", "activation_id": "", "identifier": "", "reason": "It does not fit."}
    batch = {"conflicting": [conflict]}
    assert outcomes.conflicts([batch, batch, {"conflicting": [dict(conflict)]}, {}]) == [conflict]
