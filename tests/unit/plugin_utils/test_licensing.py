# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Error table, channels, states, keys and KMS decisions."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.asked import ROWS as OTHER_ROWS
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.asked import Asked
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.meaning import describe, hexadecimal, sentence
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.table import ROWS
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing import kms, product_keys
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.channels import Channel, classify
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.kms import ActivationState, judge_activation
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.status import expiry, status_name

pytestmark = pytest.mark.tier("quick")

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_every_code_stands_once_with_meaning_and_remedy() -> None:
    codes = [row[0] for row in ROWS]
    assert len(codes) == len(set(codes))
    for code, name, meaning, remedy, source in ROWS:
        assert 0 < code <= 0xFFFFFFFF
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*|", name), name
        for clause in (meaning, remedy):
            assert clause
            assert not clause.endswith((".", " "))
        assert source


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0xC004F038, "SL_E_VL_NOT_ENOUGH_COUNT"),
        (0xC004F042, "SL_E_VL_KEY_MANAGEMENT_SERVICE_ID_MISMATCH"),
        (0xC004F074, "SL_E_VL_BINDING_SERVICE_UNAVAILABLE"),
        (0xC004C008, "SL_E_CHPA_MAXIMUM_UNLOCK_EXCEEDED"),
        (0xC004F069, "SL_E_MISMATCHED_PRODUCT_SKU"),
        (0x8007232B, "DNS_ERROR_RCODE_NAME_ERROR"),
        (0x80072338, "DNS_ERROR_RCODE_BADSIG"),
        (0x80041010, "WBEM_E_INVALID_CLASS"),
        (0x80338104, "ERROR_WSMAN_WMI_SVC_ACCESS_DENIED"),
        (0x8004FE21, ""),
    ],
)
def test_names_are_those_of_the_headers(code: int, name: str) -> None:
    known = describe(code)
    assert known is not None
    assert known.name == name


@pytest.mark.parametrize(("facility_code", "win32"), [("DNS_ERROR_RCODE_NAME_ERROR", 9003), ("DNS_ERROR_RCODE_BADSIG", 9016),
                                                      ("DNS_INFO_NO_RECORDS", 9501), ("DNS_ERROR_NO_DNS_SERVERS", 9852),
                                                      ("RPC_S_SERVER_UNAVAILABLE", 1722), ("ERROR_WINHTTP_TIMEOUT", 12002)])  # fmt: skip
def test_a_win32_code_is_carried_in_the_low_half(facility_code: str, win32: int) -> None:
    assert [row[0] for row in ROWS if row[1] == facility_code] == [0x80070000 | win32]


@given(st.sampled_from([row[0] for row in ROWS]))
def test_signed_and_unsigned_are_the_same_code(code: int) -> None:
    signed = code - 0x100000000 if code >= 0x80000000 else code
    assert describe(signed) == describe(code)
    assert hexadecimal(signed) == hexadecimal(code) == f"0x{code:08X}"
    assert sentence(signed) == sentence(code)
    assert sentence(code).startswith(hexadecimal(code))
    assert sentence(code).endswith(".")


@given(st.integers(-(2**31), 2**32 - 1))
def test_an_unknown_code_points_to_windows_own_text(code: int) -> None:
    assume(describe(code) is None)
    assert f"slui.exe 0x2a {hexadecimal(code)}" in sentence(code)


@pytest.mark.parametrize(
    ("description", "key_channel", "channel"),
    [
        ("Windows(R) Operating System, VOLUME_KMSCLIENT channel", "Volume:GVLK", Channel.GVLK),
        ("Windows(R) Operating System, VOLUME_KMS_WS16 channel", "Volume:CSVLK", Channel.CSVLK),
        ("Windows Operating System - Windows Server(R) 2008 R2, VOLUME_KMS_R2_B channel", None, Channel.CSVLK),
        ("Windows(R) Operating System, VOLUME_MAK channel", "Volume:MAK", Channel.MAK),
        ("Office 16, RETAIL(MAK) channel", None, Channel.MAK),
        ("Windows(R) Operating System, RETAIL channel", "Retail", Channel.RETAIL),
        ("Windows(R) Operating System, OEM_DM channel", "OEM:DM", Channel.OEM),
        ("Windows(R) Operating System, TIMEBASED_EVAL channel", "Retail:TB:Eval", Channel.TIMEBASED),
        ("Windows(R) Operating System, VIRTUAL_MACHINE_ACTIVATION channel", None, Channel.AVMA),
        ("OEM Tools, RETAIL channel", None, Channel.RETAIL),
        ("", "Volume:GVLK", Channel.GVLK),
        (None, "Retail:TB:Eval", Channel.TIMEBASED),
        (None, "OEM:SLP", Channel.OEM),
        (None, None, Channel.UNKNOWN),
    ],
)
def test_channels(description: str | None, key_channel: str | None, channel: Channel) -> None:
    assert classify(description, key_channel) is channel


@given(st.text(), st.text())
def test_every_text_has_a_channel(description: str, key_channel: str) -> None:
    assert isinstance(classify(description, key_channel), Channel)


def test_states_have_names() -> None:
    assert [status_name(number) for number in (None, *range(8))] == [
        "unknown", "unlicensed", "licensed", "oob_grace", "oot_grace", "non_genuine_grace", "notification", "extended_grace", "unknown",
    ]  # fmt: skip


@given(st.sampled_from([1, 2, 3, 4, 6]), st.integers(1, 300000))
def test_a_begun_day_counts(status: int, minutes: int) -> None:
    ends = expiry(status, minutes, NOW)
    assert not ends.permanent
    assert ends.minutes == minutes
    assert ends.at == NOW + timedelta(minutes=minutes)
    assert ends.days is not None
    assert (ends.days - 1) * 1440 < minutes <= ends.days * 1440


@pytest.mark.parametrize(("status", "minutes", "permanent"), [(1, 0, True), (1, None, True), (0, 0, False), (5, 0, False), (5, 60, False)])
def test_states_that_do_not_end(status: int, minutes: int | None, permanent: bool) -> None:
    ends = expiry(status, minutes, NOW)
    assert (ends.permanent, ends.minutes, ends.days, ends.at) == (permanent, None, None, None)


def test_a_grace_of_no_minutes_is_over_now() -> None:
    assert expiry(2, 0, NOW).at == NOW


# Marks of a direction, joiners, spaces without a width, a variation selector, a blank that counts as a letter, controls.
UNSEEN = [
    "\u200e",
    "\u200f",
    "\u202a-\u202c",
    "\u2068-\u2069",
    "\u061c",
    "\u034f",
    "\u200b",
    "\u2060-",
    "\ufeff",
    "-\ufe0f",
    "\u3164",
    "\x00\x85",
]

keys = st.lists(st.text(product_keys.ALPHABET, min_size=5, max_size=5), min_size=5, max_size=5)


@given(keys, st.sampled_from(["-", "", " ", "\u2013", " - ", "\u2011", "\u00ad", "\u2212", "\u00a0", *UNSEEN]), st.booleans())
def test_a_key_is_taken_in_every_spelling(groups: list[str], between: str, lower: bool) -> None:
    wanted = "-".join(groups)
    given_key = f" {between.join(groups)}\n"
    assert product_keys.normalise(given_key.lower() if lower else given_key) == wanted
    assert product_keys.last_five(given_key) == groups[-1]


@given(
    st.one_of(st.text(max_size=40), st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=25, max_size=25), st.text("BCD-", min_size=20))
)
def test_what_has_not_the_shape_is_refused_without_being_shown(text: str) -> None:
    try:
        product_keys.normalise(text)
    except ActivationError as refusal:
        caught = refusal
    else:
        reject()
    shown = caught.message
    assert re.fullmatch(
        r"The product key does not have the shape of one: "
        r"(it has \d+ letters and digits instead of 25|it holds other characters than letters, digits and dashes"
        r"|the characters? at places? [\d, ]+ of 25 (is|are) used in no product key)\.",
        shown,
    )
    assert caught.source == "options"


@pytest.mark.parametrize("unseen", UNSEEN)
def test_a_key_from_a_mail_or_a_spreadsheet(unseen: str) -> None:
    assert product_keys.normalise(f"{unseen}BBBBB-C{unseen}CCCC-DDDDD-FFFFF-GGGGG{unseen}") == "BBBBB-CCCCC-DDDDD-FFFFF-GGGGG"


@pytest.mark.parametrize(
    "form",
    [
        "'{}",
        '"{}"',
        "\u201c{}\u201d",
        "\u00ab {} \u00bb",
        "Product key: {}",
        "KMS host key:\t{}",
        "\uff22{}",
        "{}\uff27",
        "Key:\u00a0\u200e'{}'",
    ],
)
def test_a_key_as_spreadsheets_mails_and_wide_keyboards_write_it(form: str) -> None:
    key = "BBBBB-CCCCC-DDDDD-FFFFF-GGGGG"
    given_key = form.format(key[1:] if form.startswith("\uff22") else key[:-1] if form.endswith("\uff27") else key)
    assert product_keys.normalise(given_key) == key


def test_places_of_wrong_characters_are_named() -> None:
    with pytest.raises(ActivationError, match="characters at places 1, 25 of 25 are used"):
        product_keys.normalise("ABBBB-BBBBB-BBBBB-BBBBB-BBBBO")
    with pytest.raises(ActivationError, match="character at place 6 of 25 is used"):
        product_keys.normalise("BBBBB-1BBBB-BBBBB-BBBBB-BBBBB")


@pytest.mark.parametrize(
    ("application", "server", "required", "wanted"),
    [
        (kms.WINDOWS, False, None, 25),
        (kms.WINDOWS, True, None, 5),
        (kms.OFFICE.upper(), False, None, 5),
        (kms.OFFICE_2010, False, 0, 5),
        (kms.WINDOWS, False, 0xFFFFFFFF, 25),
        (kms.WINDOWS, False, 7, 7),
        (None, False, None, 25),
    ],
)
def test_thresholds(application: str | None, server: bool, required: int | None, wanted: int) -> None:
    assert kms.threshold(application, server=server, required_client_count=required) == wanted


def test_ports_and_counts_that_were_never_set() -> None:
    assert [kms.effective_port(port) for port in (None, 0, 1688, 1689)] == [1688, 1688, 1688, 1689]
    assert [kms.current_count(count) for count in (None, -1, 0xFFFFFFFF, 0, 26)] == [None, None, None, 0, 26]


@pytest.mark.parametrize(
    ("status", "raised", "reason", "state", "licensed", "code"),
    [
        (1, None, None, ActivationState.LICENSED, True, None),
        (1, None, 0x4004F401, ActivationState.LICENSED, True, None),
        (1, 0, None, ActivationState.LICENSED, True, None),
        (2, 0xC004F038, None, ActivationState.COUNTED, False, 0xC004F038),
        (5, -1073418184, None, ActivationState.COUNTED, False, 0xC004F038),
        (5, None, 0xC004F038, ActivationState.COUNTED, False, 0xC004F038),
        (1, 0xC004F038, None, ActivationState.COUNTED, True, 0xC004F038),
        (2, 0xC004F074, 0x4004F00C, ActivationState.FAILED, False, 0xC004F074),
        (1, 0xC004F074, None, ActivationState.FAILED, True, 0xC004F074),
        (0, None, 0, ActivationState.FAILED, False, None),
    ],
)
def test_what_came_of_an_activation(
    status: int, raised: int | None, reason: int | None, state: ActivationState, licensed: bool, code: int | None
) -> None:
    outcome = judge_activation(status, raised=raised, reason=reason)
    assert (outcome.state, outcome.licensed, outcome.code) == (state, licensed, code)
    assert outcome.sentence.endswith(".")
    assert ("stays valid" in outcome.sentence) == (licensed and state is not ActivationState.LICENSED)


@given(st.integers(0, 6), st.one_of(st.none(), st.integers(0, 2**32 - 1)), st.one_of(st.none(), st.integers(0, 2**32 - 1)))
def test_success_needs_a_license_and_no_error(status: int, raised: int | None, reason: int | None) -> None:
    outcome = judge_activation(status, raised=raised, reason=reason)
    assert (outcome.state is ActivationState.LICENSED) == (status == 1 and not raised)
    assert outcome.licensed == (status == 1)


# Every code that Microsoft's activation pages, slmgr.vbs and reports name for volume activation.
# fmt: off
ACTIVATION_CODES = (
    0xC004B100, 0xC004C001, 0xC004C003, 0xC004C008, 0xC004C017, 0xC004C020, 0xC004C021, 0xC004D302, 0xC004D307, 0xC004E002, 0xC004E015,
    0xC004F009, 0xC004F00F, 0xC004F014, 0xC004F015, 0xC004F017, 0xC004F025, 0xC004F02C, 0xC004F035, 0xC004F038, 0xC004F039, 0xC004F041,
    0xC004F042, 0xC004F050, 0xC004F051, 0xC004F056, 0xC004F063, 0xC004F064, 0xC004F065, 0xC004F066, 0xC004F069, 0xC004F06B, 0xC004F06C,
    0xC004F074, 0xC004F075, 0xC004F200, 0xC004F304, 0xC004F305, 0xC004F30A, 0xC004F30D, 0xC004F30E, 0xC004F30F, 0xC004F310, 0xC004F311,
    0xC004F312, 0x80070005, 0x80070002, 0x80070003, 0x8007000D, 0x80070057, 0x80070490, 0x8007007B, 0x8007232A, 0x8007232B, 0x80092328,
    0x8007251D, 0x8007267C, 0x80072338, 0x80072030, 0x80072EE2, 0x80072EE7, 0x800706BA, 0x8004FE21, 0xC0020017, 0x8007139F, 0x80041002,
    0x80041003, 0x80041008, 0x80041010, 0x80041017, 0x80070422, 0xC004F032, 0xC004F033, 0xC004F034,
)
# fmt: on


@pytest.mark.parametrize("code", ACTIVATION_CODES, ids=hexadecimal)
def test_every_code_of_volume_activation_has_meaning_remedy_and_source(code: int):
    row = describe(code)
    assert row is not None
    assert row.meaning and row.remedy and row.source
    # These three stand under this number in no header that is known here.
    assert bool(row.name) == (code not in (0xC004F065, 0x80092328, 0x8004FE21))


@pytest.mark.parametrize(("code", "places", "meaning", "remedy"), OTHER_ROWS)
def test_a_row_for_another_question_differs_from_that_of_an_activation(code: int, places: tuple[Asked, ...], meaning: str, remedy: str):
    for place in places:
        found, usual = describe(code, place), describe(code)
        assert found and usual
        assert (found.meaning, found.remedy, found.name) == (meaning, remedy, usual.name)
        # What concerns the way to a KMS host is nothing that a query or an update of DNS goes.
        assert not re.search("1688|fixed KMS host|MAK|publish the SRV", remedy)


def test_no_question_has_two_rows_for_one_code():
    pairs = [(code, place) for code, places, *_said in OTHER_ROWS for place in places]
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("asked", [Asked.LICENSES, Asked.WINDOWS, Asked.PUBLISHING])
def test_what_leads_clients_to_a_kms_host_is_advised_at_an_activation_alone(asked: Asked):
    advised = [row[0] for row in ROWS if re.search("fixed KMS host|TCP port 1688 of the KMS host", sentence(row[0], asked))]
    assert advised == []


def test_an_update_of_dns_that_is_refused_and_a_question_that_is_refused_are_not_the_same():
    assert "dns_record_acl" in sentence(0x8007232D, Asked.PUBLISHING)
    assert "dns_record_acl" not in sentence(0x8007232D)
