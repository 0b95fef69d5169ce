# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes into a list, what leaves it and what comes back: no confirmation ID is lost, and nothing that contradicts is taken over."""

from __future__ import annotations

import base64
import copy
from dataclasses import replace

import lists
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list import inspection, writing
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.merging import (
    ListChange,
    merge_computers,
    merge_export,
    merge_typed,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import (
    Activation,
    Export,
    FullList,
    ListedComputer,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.reading import parse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError

pytestmark = pytest.mark.tier("quick")


def confirmed(full: FullList) -> dict[str, str]:
    """The confirmation IDs by installation ID and activation ID."""
    return {f"{p.installation_id}/{p.activation_id}": p.confirmation_id for p in full.entries() if p.confirmation_id is not None}


def answered(export: Export) -> Export:
    """The export with a confirmation ID for each product."""
    products = [replace(p, confirmation_id=lists.cid(int(p.installation_id)), asked=lists.READ) for p in export.products]
    return replace(export, products=products)


@given(lists.full_lists, st.dictionaries(st.text(min_size=1, max_size=3), lists.computers, max_size=3))
def test_what_is_read_never_costs_a_confirmation_id(full: FullList, read: dict[str, ListedComputer]):
    # Some of what is read is about computers that the list has.
    read |= dict(zip(full.computers, read.values(), strict=False))
    before = confirmed(full)
    merge_computers(full, read)
    assert confirmed(full).items() >= before.items()
    assert parse(writing.render(full), "list.json") == full


@given(lists.full_lists, st.dictionaries(st.text(min_size=1, max_size=3), lists.computers, max_size=3))
def test_what_is_read_twice_changes_nothing_the_second_time(full: FullList, read: dict[str, ListedComputer]):
    read |= dict(zip(full.computers, read.values(), strict=False))
    merge_computers(full, copy.deepcopy(read))
    once = copy.deepcopy(full)
    again = merge_computers(full, copy.deepcopy(read))
    assert (again.changes, again.touched, full) == ([], False, once)


@given(lists.full_lists, st.data())
def test_no_answer_costs_a_confirmation_id(full: FullList, data: st.DataObject):
    before = confirmed(full)
    answer = Export(full.list_id, [copy.copy(product) for product in full.entries()])
    for product in answer.products:
        product.confirmation_id = data.draw(st.none() | st.just(product.confirmation_id) | st.just("123456"))
        product.installation_id = data.draw(st.sampled_from([product.installation_id, "1"]))
    merge_export(full, answer, "answer.json")
    assert confirmed(full).items() >= before.items()


@given(lists.full_lists, st.integers(0, 5))
def test_however_far_the_answer_had_got_the_merge_of_the_rest_completes_it(full: FullList, cut: int):
    for product in full.entries():
        product.confirmation_id = None
    export = inspection.export_of(full)
    whole = Export(export.list_id, [replace(p, confirmation_id="1" * 48) for p in export.products])
    part = Export(export.list_id, whole.products[:cut] + export.products[cut:])
    merge_export(full, part, "answer.json")
    merge_export(full, whole, "answer.json")
    # An answer of before, which has fewer, takes nothing away.
    merge_export(full, part, "answer.json")
    assert len(confirmed(full)) == len(export.products)
    assert merge_export(full, whole, "answer.json").changes == []


def test_a_merge_names_what_is_new_changed_missing_and_conflicting():
    full = lists.isolated(5)
    answer = answered(inspection.export_of(full))
    by_iid = {product.installation_id: product for product in answer.products}
    by_iid[lists.iid(2)].confirmation_id = None
    by_iid[lists.iid(3)].installation_id = lists.iid(33)
    by_iid[lists.iid(4)].identifier = "f" * 32
    merged = merge_export(full, answer, "answer.json")
    assert merged.new == ["iso-001", "iso-005"]
    assert merged.missing == ["iso-002", "iso-003", "iso-004"]
    assert sorted((conflict.name, conflict.reason) for conflict in merged.conflicts) == [
        ("", "The list has no product with this identifier; its computer was taken out, or read anew with other hardware."),
        (
            "iso-003",
            "The answer for iso-003 is for another installation ID than the list has now; read the computer again and export anew.",
        ),
    ]
    # That it was asked for is known, although there is no answer.
    assert [product.unknown for _name, product in full.listed()] == [False, True, False, False, False]


def test_an_answer_that_differs_from_the_one_of_before_is_a_conflict():
    full = lists.isolated(1)
    merge_export(full, answered(inspection.export_of(full)), "answer.json")
    other = Export(full.list_id, [replace(next(full.entries()), confirmation_id="9" * 48)])
    merged = merge_export(full, other, "answer.json")
    assert [conflict.reason for conflict in merged.conflicts] == [
        "The answer for iso-001 holds another confirmation ID than the list; the list kept its own."
    ]
    assert next(full.entries()).confirmation_id == lists.cid(1)


def test_an_answer_for_another_list_is_refused():
    one, two = lists.isolated(), lists.isolated()
    with pytest.raises(ActivationError) as refused:
        merge_export(one, inspection.export_of(two), "answer.json")
    assert refused.value.message == (
        f"answer.json was not exported from this list: it belongs to the list {two.list_id}, and this one is {one.list_id}."
    )


def test_what_was_read_is_new_changed_or_missing():
    full = lists.isolated(2)
    identifier = next(full.entries()).identifier
    read = {"iso-001": lists.computer(1, license_status="notification"), "iso-002": replace(lists.computer(2), products={})}
    read["iso-003"] = lists.computer(3)
    merged = merge_computers(full, read)
    assert (merged.new, merged.changed, merged.missing, merged.conflicts) == (["iso-003"], ["iso-001"], ["iso-002"], [])
    assert merged.changes == [
        ListChange("iso-001", lists.WINDOWS_10, "license_status", "oob_grace", "notification"),
        ListChange("iso-003", "", "computer", None, "ISO-003"),
    ]
    assert next(full.entries()).identifier == identifier
    # The product that is gone may come back with its confirmation ID.
    assert len(full.computers["iso-002"].products) == 1


def test_a_name_that_answers_with_other_hardware_is_a_conflict_until_it_is_settled():
    full = lists.isolated(1)
    merge_export(full, answered(inspection.export_of(full)), "answer.json")
    before = copy.deepcopy(full)
    read = {"iso-001": replace(lists.computer(1), products=lists.computer(77).products)}
    merged = merge_computers(full, read)
    assert merged.changes == [] and full == before
    assert merged.conflicts[0].reason == (
        "iso-001 answers with another installation ID for Windows(R), Enterprise edition than the list has, so the hardware is another"
        " one; the list was left as it is."
    )
    settled = merge_computers(full, read, ["iso-001"])
    assert [(change.attribute, change.after) for change in settled.changes] == [
        ("installation_id", lists.iid(77)),
        ("confirmation_id", None),
    ]
    product, old = next(full.entries()), next(before.entries())
    assert (product.installation_id, product.confirmation_id) == (lists.iid(77), None)
    # An answer for the hardware of before does not find it.
    assert product.identifier != old.identifier


def test_another_key_is_a_conflict_that_says_so():
    full = lists.isolated(1)
    merged = merge_computers(full, {"iso-001": lists.computer(77, partial_product_key="XXXXX")})
    assert "so the key is another one" in merged.conflicts[0].reason


def test_what_came_of_an_activation_is_kept():
    full = lists.isolated(1)
    done = Activation(lists.READ, lists.READ, "licensed")
    merged = merge_computers(full, {"iso-001": lists.computer(1, license_status="licensed", activation=done)})
    assert [(change.attribute, change.before, change.after) for change in merged.changes] == [
        ("license_status", "oob_grace", "licensed"),
        ("activation", "", "licensed"),
    ]
    # To read it again without saying anything of an activation takes nothing away.
    assert merge_computers(full, {"iso-001": lists.computer(1, license_status="licensed")}).changes == []
    assert next(full.listed())[1].activation == done


def test_an_attempt_that_ends_as_the_one_before_is_kept_and_is_no_change():
    full = lists.isolated(1)
    merge_computers(full, {"iso-001": lists.computer(1, activation=Activation(lists.READ, lists.READ, "refused"))})
    later = Activation("2026-11-27T05:00:00Z", "2026-11-27T05:00:01Z", "refused")
    merged = merge_computers(full, {"iso-001": lists.computer(1, activation=later)})
    assert (merged.changes, merged.changed, merged.touched) == ([], [], True)
    assert next(full.listed())[1].activation == later


def test_typed_confirmation_ids_are_found_by_their_installation_ids():
    full = lists.isolated(3)
    merged = merge_typed(full, [(lists.iid(1), lists.cid(1)), (lists.iid(9), lists.cid(9))])
    assert (merged.new, merged.missing) == (["iso-001"], ["iso-002", "iso-003"])
    assert [conflict.reason for conflict in merged.conflicts] == [
        "The list has no product with the installation ID 000000000000...; look for a digit that was mistyped."
    ]
    assert merge_typed(full, [(lists.iid(1), lists.cid(1))]).changes == []
    other = merge_typed(full, [(lists.iid(1), lists.cid(2))])
    assert other.changes == []
    assert other.conflicts[0].reason == (
        "The confirmation ID that was typed for iso-001 is another one than the list has; the list kept its own."
    )


def test_only_products_without_a_confirmation_id_leave():
    full = lists.isolated(4)
    products = [product for _name, product in full.listed()]
    products[0].license_status = "licensed"
    products[1].confirmation_id = lists.cid(2)
    products[2].installation_id = ""
    export = inspection.export_of(full)
    assert [product.installation_id for product in export.products] == [lists.iid(4)]
    assert inspection.export_of(full, ["iso-001"]).products == []
    assert export.list_id == full.list_id


NAMES = (
    "CANARY-PC",
    "canary.isolated.example",
    "10.99.88.77",
    "Canary Windows",
    "canary-inventory",
    "canary-ring",
    "CNRYK",
    "canary product",
)


@given(lists.full_lists)
def test_nothing_that_names_a_computer_leaves(full: FullList):
    product = lists.listed(1, name="canary product", partial_product_key="CNRYK", mak="canary-ring", channel="mak")
    full.computers["canary-inventory"] = ListedComputer(*NAMES[:4], read=lists.READ, products={product.activation_id: product})
    exported = writing.render(inspection.export_of(full))
    for name in NAMES:
        for form in (name.encode(), name.encode("utf-16-le"), base64.b64encode(name.encode()).rstrip(b"=")[:-1]):
            assert form.lower() not in exported.lower()
    assert set(writing.as_json(inspection.export_of(full))["products"][0]) == {
        "identifier", "installation_id", "extended_pid", "activation_id", "confirmation_id", "asked"
    }  # fmt: skip


def test_the_order_of_what_leaves_is_that_of_the_random_identifiers():
    identifiers = [product["identifier"] for product in writing.as_json(inspection.export_of(lists.isolated(60)))["products"]]
    assert identifiers == sorted(identifiers) and len(set(identifiers)) == 60


def test_every_field_that_leaves_is_shown_with_what_it_tells():
    export = inspection.export_of(lists.isolated(60))
    shown = {entry.field: entry for entry in inspection.leaving(export)}
    written = writing.as_json(export)
    assert shown.keys() == (written.keys() - {"products"}) | {f"products[].{name}" for name in written["products"][0]}
    assert shown["products[].installation_id"].values == 60
    assert shown["products[].extended_pid"].values == 1
    assert all(entry.tells.endswith(".") for entry in shown.values())
    empty = inspection.leaving(Export(export.list_id))
    assert [entry.field for entry in empty] == ["format", "version", "kind", "list_id", "checksum"]


def test_an_extended_pid_is_taken_apart():
    assert inspection.extended_pid_parts(lists.EPID) == {
        "platform": "06401",
        "group": "00206",
        "serial": "271-298329",
        "channel": "volume",
        "language": 1033,
        "build": 19041,
        "installed": "day 330 of 2026",
    }
    assert inspection.extended_pid_parts("55041-OEM-1234567-12345") is None
