# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a job is one slice of several, each of which AWX gives a part of the inventory.

Pure.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from .._core.errors import ActivationError
from .._core.text import visible

VARIABLE = "volume_activation_min_hosts"
"""How many hosts the inventory has at least."""

# AWX gives its variables to a job under both names.
_PREFIXES = ("awx", "tower")
_UNSET = ("", None)
_MOST_DIGITS = 9


def sliced_template(seen: Mapping[str, t.Any]) -> str:
    """The job template that a slice belongs to; empty text where the job is no slice.

    AWX tells a job neither that it is a slice nor of how many. But it makes a sliced job a workflow job of the job template itself, under the
    name of that; the workflow job of any other job has the name of a workflow template.

    Args:
        seen: The variables of the job, with the extra variables that AWX adds.
    """
    for prefix in _PREFIXES:
        name = str(seen.get(f"{prefix}_workflow_job_name") or "")
        if name and name == str(seen.get(f"{prefix}_job_template_name") or ""):
            return name
    return ""


def may_be_slice(seen: Mapping[str, t.Any]) -> bool:
    """Whether the inventory may be a part of a larger one. A slice that is started again keeps its part, but no workflow job is named any more."""
    again = any(str(seen.get(f"{prefix}_job_launch_type") or "") == "relaunch" for prefix in _PREFIXES)
    return again or bool(sliced_template(seen))


def stop_slice(seen: Mapping[str, t.Any], min_hosts: t.Any, otherwise: str = "") -> None:
    """End a job that decides over all hosts where it has a part of them.

    Args:
        seen: The variables of the job.
        min_hosts: The value of the variable C(volume_activation_min_hosts).
        otherwise: What to do where the job has to be sliced, as the end of a sentence.

    Raises:
        ActivationError: The job is a slice, the inventory has fewer hosts, or the value is no number.
    """
    if template := sliced_template(seen):
        raise ActivationError(
            f'This job is one of the slices of the job template "{visible(template)}", and it decides over all hosts at once. Set the job slices of'
            f" the template to 1{otherwise}. If it is not sliced, give the workflow of the same name another one.",
            source="options",
        )
    inventory = frozenset(seen.get("groups", {}).get("all", ()))
    least = _number(min_hosts)
    # A play over the implicit localhost alone needs no inventory.
    if len(inventory) < least and inventory.intersection(seen.get("ansible_play_hosts_all", ())):
        raise ActivationError(
            f"The inventory has {len(inventory)} hosts, and {VARIABLE} is {least}. If this is a slice of a job that was started again, start its job"
            f" template instead{otherwise}.",
            source="options",
        )


def _number(given: t.Any) -> int:
    if given in _UNSET:
        return 0
    text = str(given).strip()
    if isinstance(given, bool) or not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise ActivationError(f"{VARIABLE} is {visible(str(given))}. Give a number of hosts such as 500.", source="options")
    return int(text)
