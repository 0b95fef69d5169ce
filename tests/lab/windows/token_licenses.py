# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SoftwareLicensingTokenActivationLicense: the issuance licences of one machine (docs/facts/licensing.md#classes).

They come with a license file. What such a file looks like no source prints, so the lab takes a form of its own, an element
``tokenLicense`` with the attributes ilid, ilvid and description.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ..wsman.backend import CimClass
from .provider import Instance, Provider

_FORM = re.compile(r'<tokenLicense ilid="([^"]+)" ilvid="([0-9]+)" description="([^"]*)"/>')
_EXPIRES = datetime(2030, 1, 1, tzinfo=UTC)


def token_license_in(text: str) -> Instance | None:
    """The issuance licence in a license file; None if it holds another licence."""
    found = _FORM.search(text)
    if found is None:
        return None
    ilid, ilvid, description = found.groups()
    return {
        "ID": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{ilid} {ilvid}")),
        "ILID": ilid,
        "ILVID": int(ilvid),
        "AuthorizationStatus": 0,
        "ExpirationDate": _EXPIRES,
        "Description": description,
        "AdditionalInfo": "",
    }


class TokenLicenses(Provider):
    """The class of one machine; ``installed`` gives its licences."""

    kind = "provider"

    def __init__(self, cim_class: CimClass, language: str, demand: Callable[[], None], installed: Callable[[], list[Instance]]) -> None:
        super().__init__(cim_class, language)
        self._demand = demand
        self._installed = installed

    def instances(self, equal: Mapping[str, object] | None = None) -> Sequence[Instance]:
        """All of them."""
        self._demand()
        return [self.complete(row) for row in self._installed()]

    def call(self, instance: Instance | None, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Uninstall."""
        rows = self._installed()
        rows[:] = [row for row in rows if instance is None or row["ID"] != instance["ID"]]
        return {"ReturnValue": 0}
