# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a module, read from its documentation so that the two cannot differ."""

from __future__ import annotations

import functools
import importlib
import typing as t
from pathlib import Path

import yaml

_PLUGINS = Path(__file__).parents[2]
# That of libyaml takes a tenth of the time.
_LOADER: t.Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SPEC_KEYS = ("type", "elements", "choices", "default", "required", "aliases")


@functools.cache
def documented_options(module: str) -> dict[str, dict[str, t.Any]]:
    """The argument spec of a module of this collection.

    Args:
        module: The module's name without namespace, such as C(kms_host).

    Returns:
        What C(ArgumentSpecValidator) takes.
    """
    text = (_PLUGINS / "modules" / f"{module}.yml").read_text(encoding="utf-8")
    documentation = _load(text)["DOCUMENTATION"]
    options: dict[str, t.Any] = {}
    for fragment in documentation.get("extends_documentation_fragment", []):
        options.update(_fragment_options(fragment))
    options.update(documentation.get("options", {}))
    return {name: _spec(option) for name, option in options.items()}


def _load(text: str) -> t.Any:
    return yaml.load(text, _LOADER)  # noqa: S506 - either is safe


def _fragment_options(fragment: str) -> dict[str, t.Any]:
    """The options of a fragment of this collection, named as C(winops.volume_activation.NAME) or with C(.PART) behind it."""
    name, _dot, part = fragment.removeprefix("winops.volume_activation.").partition(".")
    module = importlib.import_module(f"...doc_fragments.{name}", __package__)
    text = getattr(module.ModuleDocFragment, part.upper() or "DOCUMENTATION")
    return t.cast("dict[str, t.Any]", _load(text).get("options", {}))


def _spec(option: dict[str, t.Any]) -> dict[str, t.Any]:
    spec = {key: option[key] for key in _SPEC_KEYS if key in option}
    if "choices" in spec:
        # They may be a dictionary that describes each.
        spec["choices"] = list(spec["choices"])
    if "suboptions" in option:
        spec["options"] = {name: _spec(nested) for name, nested in option["suboptions"].items()}
    return spec
