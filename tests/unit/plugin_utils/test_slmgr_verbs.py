# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of slmgr's verbs, what the documentation makes of it, and the options of each verb."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.module_options import documented_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.offline_ids import (
    checked_guid,
    confirmation_digits,
    installation_digits,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.slmgr_verbs import (
    DIRECTORY_VERBS,
    VERBS,
    Repeat,
    documentation,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.batch_request import checked_extended_pid
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform import classes
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.slmgr import run
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.slmgr.requests import license_text, parse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.cim import CimClass

pytestmark = pytest.mark.tier("quick")

GUIDE = Path(__file__).resolve().parents[3] / "docs/docsite/rst/slmgr.rst"
CLASSES = {item.name: item for item in vars(classes).values() if isinstance(item, CimClass)}
GUID = "73111121-5638-40f6-bc11-f1d7b0d64300"


def requests(**entry: Any) -> Any:
    (request,) = parse([entry], lambda path: (path, "<x/>"))
    return request


def test_the_guide_has_the_very_table():
    text = GUIDE.read_text(encoding="utf-8")
    assert text[text.index(".. list-table::") :] == documentation()


def test_every_verb_is_a_choice_of_the_module_and_each_that_works_has_its_code():
    assert documented_options("slmgr")["verbs"]["options"]["verb"]["choices"] == list(VERBS)
    works = {verb.name for verb in VERBS.values() if verb.repeat is not Repeat.REFUSED}
    assert works == run._PLANNERS.keys() | DIRECTORY_VERBS


def test_every_option_belongs_to_a_verb():
    options = documented_options("slmgr")["verbs"]["options"].keys() - {"verb"}
    assert options == {name for verb in VERBS.values() for name in (*verb.required, *verb.optional)}


def test_the_calls_of_the_table_are_methods_that_the_session_knows():
    methods = {method for item in CLASSES.values() for method in item.methods}
    for verb in VERBS.values():
        for call in verb.calls:
            for name in re.findall(r"\.(\w+)", call):
                assert name in methods, (verb.name, name)


@pytest.mark.parametrize("name", [verb.name for verb in VERBS.values() if verb.repeat is Repeat.REFUSED])
def test_what_works_on_the_computer_only_is_refused_with_its_reason(name: str):
    with pytest.raises(ActivationError, match=f"^{name} does not work over the network") as caught:
        requests(verb=name)
    assert VERBS[name].note in caught.value.message


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"verb": "ipk"}, "ipk needs product_key."),
        ({"verb": "ril", "ilid": "x"}, "ril needs ilvid."),
        ({"verb": "ckhc", "port": 1, "minutes": 2}, "ckhc takes no minutes and no port."),
        ({"verb": "sprt", "port": 0}, "listening_port is 0, but has to be from 1 to 65535."),
        ({"verb": "sai", "minutes": 14}, "activation_interval is 14, but has to be from 15 to 43200."),
        ({"verb": "sri", "minutes": 43201}, "renewal_interval is 43201, but has to be from 15 to 43200."),
        ({"verb": "atp", "confirmation_id": "12345A"}, "The confirmation ID has to be digits, in groups or not."),
        ({"verb": "skms", "kms_host": ":0"}, "':0' names no host: write host or host:port."),
        ({"verb": "skms", "kms_host": "a:b"}, "'a:b' has no valid port: write a number from 1 to 65535 after the colon."),
        ({"verb": "ato", "activation_id": "all"}, "activation_id is 'all', which is no GUID such as"),
    ],
)
def test_bad_options_are_refused_before_a_host_is_asked(entry: dict[str, Any], text: str):
    with pytest.raises(ActivationError) as caught:
        requests(**entry)
    assert caught.value.message.startswith(text)
    assert caught.value.source == "options"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("kms-1", ("kms-1", 0)),
        ("kms-1.contoso.com:1689", ("kms-1.contoso.com", 1689)),
        (":1689", ("", 1689)),
        ("[2001:db8::1]:1688", ("2001:db8::1", 1688)),
        ("2001:db8::1", ("2001:db8::1", 0)),
    ],
)
def test_a_kms_host_is_written_as_slmgr_takes_it(text: str, address: tuple[str, int]):
    assert requests(verb="skms", kms_host=text).options["kms_host"] == address


def test_all_products_can_be_shown():
    assert requests(verb="dlv", activation_id=" ALL ").product_id == "all"
    assert requests(verb="ato", activation_id=f"{{{GUID.upper()}}}").product_id == GUID


@given(st.integers(0, 10**48 - 1), st.lists(st.integers(1, 47), max_size=8), st.sampled_from("- \u2013\t\u00a0"))
def test_a_confirmation_id_is_its_digits_however_they_are_parted(number: int, cuts: list[int], between: str):
    digits = f"{number:048d}"
    bounds = [0, *sorted(set(cuts)), 48]
    written = between.join(digits[start:end] for start, end in pairwise(bounds))
    assert confirmation_digits(written) == digits


@pytest.mark.parametrize(
    "form",
    [
        "A: {} B: {} C: {} D: {} E: {} F: {} G: {} H: {}",
        "a {}\nb {}\nc {}\nd {}\ne {}\nf {}\ng {}\nh {}",
        "A:{}B:{}C:{}D:{}E:{}F:{}G:{}H:{}",
        "A) {}\u200e B) {} C) {} D) {} E) {} F) {} G) {} H) {}",
        "A. {}\t B. {}\t C. {}\t D. {}\t E. {}\t F. {}\t G. {}\t H. {}\ufeff",
        "\u202a{}-{}-{}-{}-{}-{}-{}-{}\u202c",
        "(A) {} (B) {} (C) {} (D) {} (E) {} (F) {} (G) {} (H) {}",
        "[A] {} [B] {} [C] {} [D] {} [E] {} [F] {} [G] {} [H] {}",
        "{}, {}, {}, {}, {}, {}, {}, {}",
        "'{}{}{}{}{}{}{}{}",
        '"{};{};{};{};{};{};{};{}"',
    ],
)
def test_a_confirmation_id_is_taken_as_portals_print_it(form: str):
    groups = [str(number) * 6 for number in range(1, 9)]
    assert confirmation_digits(form.format(*groups)) == "".join(groups)


@pytest.mark.parametrize(
    "text", ["B: 123456 A: 123456", "A: 123456 B: 123456 D: 123456", "A" * 48, f"A{'1' * 48}", f"{'1' * 24}.{'1' * 24}"]
)
def test_letters_that_are_no_labels_of_groups_are_refused(text: str):
    with pytest.raises(ActivationError, match="has to be digits"):
        confirmation_digits(text)


@pytest.mark.parametrize("length", [1, 42, 46, 47, 49, 53, 55, 63, 129])
def test_a_confirmation_id_of_which_digits_are_missing_is_refused(length: int):
    with pytest.raises(ActivationError, match=f"^The confirmation ID has {length} digits, but those of Microsoft have 48; copy it again.$"):
        confirmation_digits("1" * length)


def test_an_installation_id_with_the_numbers_of_its_groups():
    groups = [str(number) * 7 for number in range(1, 10)]
    assert installation_digits(" ".join(f"{place}: {group}" for place, group in enumerate(groups, 1))) == "".join(groups)
    with pytest.raises(ActivationError, match="has to be digits"):
        installation_digits(f"1: {'1' * 63}")


def test_ids_with_what_nobody_sees():
    assert checked_guid(f"\u200e{{{GUID}}}\u200b", "activation_id") == GUID
    pid = "03612-00206-271-344265-03-1033-20348.0000-0012026"
    assert checked_extended_pid(f"\ufeff{pid.replace('-', chr(0x2011))}\u200e") == pid


@given(st.text(max_size=60))
def test_no_text_is_repeated_of_what_is_no_confirmation_id(text: str):
    if not re.search("[0-9]", text):
        with pytest.raises(ActivationError) as caught:
            confirmation_digits(text)
        assert caught.value.message == "The confirmation ID has to be digits, in groups or not."


@given(st.uuids(), st.booleans(), st.booleans())
def test_a_guid_is_written_as_windows_does(guid: Any, upper: bool, braces: bool):
    text = str(guid).upper() if upper else str(guid)
    assert checked_guid(f"{{{text}}}" if braces else text, "activation_id") == str(guid)


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "utf-8-sig", "utf-16"])
def test_a_license_file_is_read_in_the_encodings_of_slmgr(encoding: str):
    assert license_text("a.xrm-ms", "<?xml?><l/>".encode(encoding)) == ("a.xrm-ms", "<?xml?><l/>")


@pytest.mark.parametrize("content", [b"", b"MZ\x90\x00", b"\xff\xfe<", b"no license"])
def test_what_is_no_license_file_is_refused(content: bytes):
    with pytest.raises(ActivationError, match="no license file"):
        license_text("a.xrm-ms", content)
