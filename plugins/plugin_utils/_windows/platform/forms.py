# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms of values that Windows gives, where the type alone lets more through than the collection can work with.

Sources: Microsoft's class references (CIMWin32, SppWmi, MSFT_NetFirewallRule). What is only shown and never judged has no form.
Identifiers and names are checked in C(told).
"""

from __future__ import annotations

import re
from collections.abc import Container
from datetime import datetime
from typing import Any

from ..._wsman.cim import Form

_VERSION = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,10}){1,3}")
_BUILD = re.compile(r"[0-9]{1,8}")
_FOLDER = re.compile(r'[A-Za-z]:\\[^"<>|?*/%\x00-\x1f\x7f-\x9f\u2028\u2029]{0,240}')
_WORD = re.compile(r"[0-9A-Za-z_]{0,64}")
_CENTURY = 100 * 365 * 24 * 60
# Those of FILETIME that have a year before and after them, so that an offset or a span leads out of no calendar.
_YEARS = range(1602, 9999)
_STATES = ("Stopped", "Start Pending", "Stop Pending", "Running", "Continue Pending", "Pause Pending", "Paused", "Unknown")


def _among(values: Container[Any], wanted: str, required: bool = False) -> Form:
    return Form(wanted, values.__contains__, required)


VERSION = Form("a version such as 10.0.20348", _VERSION.fullmatch, required=True)
BUILD = Form("a build number such as 20348", _BUILD.fullmatch, required=True)
PRODUCT_TYPE = _among((1, 2, 3), "a ProductType from 1 to 3", required=True)
POINT_IN_TIME = Form(
    f"a point in time of the years {_YEARS.start} to {_YEARS.stop - 1}", lambda value: isinstance(value, datetime) and value.year in _YEARS
)
# A license that a subscription or an evaluation limits ends within years.
MINUTES = _among(range(_CENTURY + 1), f"minutes up to {_CENTURY}", required=True)
ALWAYS = Form("one", required=True)
KEY = Form("the key of an instance", bool, required=True)
PORT = _among(range(65536), "a TCP port, or 0")
SERVICE_STATE = _among(_STATES, f"one of the states {', '.join(_STATES)}", required=True)
START_MODE = _among(("Boot", "System", "Auto", "Manual", "Disabled"), "a start mode such as Auto or Manual", required=True)
SWITCH = _among((1, 2), "1 for on or 2 for off", required=True)
FOLDER = Form("a folder such as C:\\Windows", _FOLDER.fullmatch)
WORD = Form("one word", _WORD.fullmatch)
