# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms of values let through what Windows gives, and nothing that leads out of a calendar, a port or a decision."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.mak_client.product import is_vista_before_sp1
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform import forms
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform.firewall import FirewallRule, netsh_command
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform.versions import (
    NEWEST,
    WindowsVersion,
    parse_version,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.cim import Form, OddValue, parse_value

pytestmark = pytest.mark.tier("quick")

WEST, EAST = timezone(timedelta(hours=-14)), timezone(timedelta(hours=14))

TAKEN: list[tuple[Form, Any]] = [
    *((forms.VERSION, text) for text in ("10.0.20348", "10.0.17134.471", "6.0.6001.18000", "6.3.9600")),
    *((forms.BUILD, text) for text in ("6000", "20348", "26100")),
    *((forms.PRODUCT_TYPE, number) for number in (1, 2, 3)),
    *((forms.POINT_IN_TIME, moment) for moment in (datetime(1602, 1, 1, tzinfo=EAST), datetime(9998, 12, 31, tzinfo=WEST), None)),
    *((forms.MINUTES, minutes) for minutes in (0, 43200, 259200, 527040 * 10)),
    *((forms.PORT, port) for port in (0, 1688, 65535, None)),
    *((forms.SERVICE_STATE, state) for state in ("Running", "Stop Pending", "Paused")),
    *((forms.START_MODE, mode) for mode in ("Auto", "Manual", "Disabled")),
    *((forms.FOLDER, path) for path in ("C:\\Windows", "D:\\Windows\\", "C:\\WINNT 5", "E:\\Fenêtres")),
    *((forms.WORD, word) for word in ("", "ServerStandard", "IMAGE_STATE_COMPLETE", "EnterpriseSN")),
]
REFUSED: list[tuple[Form, Any]] = [
    *((forms.VERSION, text) for text in (None, "", "10", "10.", "a.b", "10.0.x", "\u0661.\u0660", "1" * 6 + ".0", "10.0\n", " 10.0")),
    *((forms.BUILD, text) for text in (None, "", "abc", "²³", "1" * 9, "-1", "20348 ", "1_0")),
    *((forms.PRODUCT_TYPE, number) for number in (None, 0, 4)),
    *((forms.POINT_IN_TIME, value) for value in (datetime.max.replace(tzinfo=WEST), datetime.min.replace(tzinfo=EAST), timedelta(1))),
    *((forms.MINUTES, minutes) for minutes in (None, 4294967295, 100 * 366 * 24 * 60)),
    *((forms.PORT, port) for port in (65536, 4294967295)),
    *((forms.SERVICE_STATE, state) for state in (None, "", "running", "Running ", "abc")),
    *((forms.START_MODE, mode) for mode in (None, "auto", "Automatic")),
    *((forms.FOLDER, path) for path in ("", "Windows", "\\\\server\\share", 'C:\\a" & b', "C:\\a\nb", "C:\\%x%", "C:\\" + "a" * 300)),
    *((forms.WORD, word) for word in ("a b", "a\n", "{{7*7}}", "a" * 65)),
    *((forms.KEY, text) for text in (None, "")),
    (forms.SWITCH, 0),
]


@pytest.mark.parametrize(("form", "value"), TAKEN)
def test_what_windows_gives_is_taken(form: Form, value: Any):
    assert form.check(value) == value


@pytest.mark.parametrize(("form", "value"), REFUSED)
def test_anything_else_is_refused_in_one_short_clause(form: Form, value: Any):
    with pytest.raises(OddValue) as caught:
        form.check(value)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 250


@pytest.mark.parametrize("moment", [datetime(1602, 1, 1, tzinfo=EAST), datetime(9998, 12, 31, 23, 59, 59, tzinfo=WEST)])
def test_a_time_that_is_taken_can_be_reckoned_with(moment: datetime):
    assert forms.POINT_IN_TIME.check(moment)
    assert moment.astimezone(UTC) - timedelta(days=1) + timedelta(days=1) == moment


@pytest.mark.parametrize("digits", [21, 40, 4000, 6000, 65536])
@pytest.mark.parametrize("sign", ["", "-", "+"])
def test_a_number_without_end_is_refused_in_short(digits: int, sign: str):
    with pytest.raises(OddValue) as caught:
        parse_value(sign + "9" * digits, "uint32")
    assert len(caught.value.message) < 150
    assert parse_value(sign.replace("-", "") + "0" * 19 + "7", "uint32") == 7


@pytest.mark.parametrize("text", ["\u0666.\u0661", "²³.0", "9" * 6000 + ".0", "6", "x", ""])
def test_a_version_that_is_none_is_no_old_windows(text: str):
    assert parse_version(text) == NEWEST
    assert not is_vista_before_sp1(text)


def test_versions_compare_by_their_numbers():
    assert parse_version("6.1.7601.17514") == WindowsVersion(6, 1) < parse_version("10.0.20348")
    assert is_vista_before_sp1("6.0.6000.16386")
    assert not is_vista_before_sp1("6.0.6001.18000")
    assert not is_vista_before_sp1("6.0.²³")


@pytest.mark.parametrize("group", ["", 'a" & calc "', "a\nb", "%COMSPEC%", "a" * 300, "a\x9bb"])
def test_a_group_that_would_not_stay_between_its_quotes_is_refused(group: str):
    with pytest.raises(ActivationError, match=r"^kms-1: the firewall rule R belongs to no group"):
        netsh_command("kms-1", FirewallRule("R", False, 0, group=group))
