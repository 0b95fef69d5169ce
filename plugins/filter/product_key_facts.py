# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that tells of a key what roles may keep of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..plugin_utils._licensing import given_keys
from ..plugin_utils._licensing.product_keys import last_five

_KINDS = {"csvlk": given_keys.HOST_KEY, "mak": given_keys.MAK}


def product_key_facts(key: Any, variable: str, kind: str) -> dict[str, Any]:
    """See C(product_key_facts.yml)."""
    text = str(key or "")
    refusal = given_keys.complaint(text, variable, _KINDS[kind]) if text else ""
    return {"given": bool(text), "last_five": last_five(text) if text and not refusal else "", "refusal": refusal}


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"product_key_facts": product_key_facts}
