# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many activations keys have left. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from .batch_request import Question
from .confirmation import Ask, Asker, Item, first_failure_of_all
from .failures import RequestFailed, refused
from .settings import MicrosoftSettings

OTHER_WAY = "Computers are activated without this way by the playbooks mak_proxy_collect, mak_proxy_acquire and mak_proxy_apply, which hand on files."


def counts(keys: Iterable[tuple[str, str]], ask: Ask, settings: MicrosoftSettings) -> list[dict[str, t.Any]]:
    """What the module C(mak_info) returns of each key.

    Args:
        keys: Name and extended PID of each.
        ask: Sends one request.
        settings: How many at once, and how often again.

    Raises:
        ActivationError: Not one request could be sent.
    """
    keys = list(keys)
    items = {pid: Item(pid, Question(pid)) for _name, pid in keys}
    Asker(ask, settings).ask_all(items.values())
    if failure := first_failure_of_all(items.values()):
        raise failure.followed_by(OTHER_WAY)
    return [{"name": name, "extended_pid": pid, **_shown(items[pid])} for name, pid in keys]


def _shown(item: Item) -> dict[str, t.Any]:
    remaining = item.answer.remaining if item.answer else None
    failure: RequestFailed | None = item.failure
    if item.answer and item.answer.error:
        failure = refused(item.answer.error)
    known = remaining is not None and remaining >= 0 and failure is None
    return {
        "remaining": remaining if known else None,
        "unlimited_or_blocked": remaining is not None and remaining < 0,
        "error": failure.message if failure else "",
        "error_code": (failure.shown_code or str(failure.fate.value)) if failure else "",
    }
