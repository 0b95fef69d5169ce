# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of libraries in English, whatever the locale of the control node is: some reasons are told apart by their text alone."""

from __future__ import annotations

import contextlib
import locale
import os
from collections.abc import Iterator

_LANGUAGE = "LANGUAGE"


@contextlib.contextmanager
def in_english() -> Iterator[None]:
    """Within it, MIT Kerberos, the C library and programs that are started do not translate what they say.

    ansible-core takes the locale of the environment over, and the libraries of Kerberos have translations. The locale counts for this
    process; for programs that it starts, such as kinit, the variable C(LANGUAGE) does, which gettext puts above all others.
    """
    language, spoken = os.environ.get(_LANGUAGE), locale.setlocale(locale.LC_MESSAGES)
    os.environ[_LANGUAGE] = "C"
    locale.setlocale(locale.LC_MESSAGES, "C")
    try:
        yield
    finally:
        locale.setlocale(locale.LC_MESSAGES, spoken)
        os.environ.pop(_LANGUAGE, None)
        if language is not None:
            os.environ[_LANGUAGE] = language
