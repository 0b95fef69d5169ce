# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The components of an answer file that hold product keys: their names, their architectures, and what a setting holds.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._core.errors import ActivationError
from .._licensing.product_keys import last_five, normalise
from .elements import Element

NAMESPACE = "urn:schemas-microsoft-com:unattend"
SPECIALIZE = "specialize"
COMPONENT = "Microsoft-Windows-Shell-Setup"
SETTING = "ProductKey"
WINDOWS_PE = "windowsPE"
SETUP_COMPONENT = "Microsoft-Windows-Setup"
SETUP_SETTING = ("UserData", "ProductKey", "Key")
# What identifies a component of Windows beside its name and architecture, in every answer file that Windows SIM writes.
IDENTITY = 'publicKeyToken="31bf3856ad364e35" language="neutral" versionScope="nonSxS"'
NO_KEY = "a text that is no product key"
ARCHITECTURES = ("amd64", "arm64", "x86", "ia64", "arm")
"""What Windows Setup installs. A component for C(wow64) is one of the 32-bit part of a 64-bit Windows, which has no Shell-Setup."""


def installable(architectures: Iterable[str]) -> tuple[str, ...]:
    """The architectures among these that Setup installs."""
    return tuple(architecture for architecture in architectures if architecture in ARCHITECTURES)


def has_components(settings: Element) -> bool:
    """Whether anything is set in a pass."""
    return any(settings.named("component"))


def qualified(like: Element, name: str) -> str:
    """A name with the prefix that an element in the same namespace has."""
    return f"{like.prefix}:{name}" if like.prefix else name


def tagged(like: Element, name: str, text: str) -> str:
    """An element with a text in it, in the namespace of another; the text needs no escapes."""
    tag = qualified(like, name)
    return f"<{tag}>{text}</{tag}>"


def key_in(setting: Element) -> str:
    """The key in a setting in Windows' form; empty where it holds something else."""
    try:
        return normalise(setting.text)
    except ActivationError:
        return ""


def last_five_in(setting: Element) -> str:
    """What may be shown of a setting; anything that is no key might be one with a slip, or something else that nobody is to see."""
    key = key_in(setting)
    if not key:
        return NO_KEY if setting.text.strip() else "empty"
    return last_five(key) if setting.text == key else f"{last_five(key)}, not in the form that Windows takes"


def shown_of(architecture: str, setting: Element) -> dict[str, Any]:
    """A setting as results show it."""
    return {"architecture": architecture, "partial_product_key": key_in(setting)[-5:]}
