# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that turn the results of the role reference_image into text for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..plugin_utils import _reference_image
from ..plugin_utils._results import Results
from ..plugin_utils._text import visible_lines

_PREFIX = "__reference_image_"


def reference_image_findings(hostvars: Any, hosts: Sequence[str]) -> list[dict[str, Any]]:
    """See C(reference_image_findings.yml)."""
    return [finding.as_result() for finding in _reference_image.findings(_computers(hostvars, hosts))]


def reference_image_summary(hostvars: Any, hosts: Sequence[str], mak: bool, check_mode: bool) -> list[str]:
    """See C(reference_image_summary.yml)."""
    return visible_lines(_reference_image.summary(_computers(hostvars, hosts), mak, check_mode))


def _computers(hostvars: Any, hosts: Sequence[str]) -> dict[str, _reference_image.Reference]:
    results = Results(hostvars, _PREFIX)
    names = ("license", "sealing_check", "client_check", "client", "sealing", "key")
    return {host: _reference_image.Reference(*(results.of(host, name) for name in names)) for host in hosts}


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"reference_image_findings": reference_image_findings, "reference_image_summary": reference_image_summary}
