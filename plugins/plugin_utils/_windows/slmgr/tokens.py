# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs for token-based activation that need nobody's smart card: the issuance licenses of a computer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ..._core.codes.code import hexadecimal
from ..._core.plan import Step
from ..._wsman.cim import Value
from ..platform.classes import TOKEN_ACTIVATION_LICENSE
from ..platform.returned import number
from ..spp import licensing
from .state import Row, SlmgrHost
from .work import VerbRequest, Work


def lil(machine: SlmgrHost, _request: VerbRequest) -> Work:
    """All issuance licenses."""
    return Work(show=lambda: {"token_licenses": [_shown(row) for row in _read(machine)]})


def ril(machine: SlmgrHost, request: VerbRequest) -> Work:
    """No issuance license with that ID and version any more."""
    ilid, ilvid = str(request.options["ilid"]), request.options["ilvid"]

    def found() -> list[Row]:
        return [row for row in _read(machine) if str(row["ILID"]).lower() == ilid.lower() and row["ILVID"] == ilvid]

    work = Work()
    for row in found():
        step = Step(
            machine.host, f"token license {ilid} {ilvid}", "installed", "absent", "SoftwareLicensingTokenActivationLicense.Uninstall"
        )
        work.plan.add(step, _remover(machine, row["ID"]))
    work.verify = lambda: [f"token license {ilid} {ilvid}, which is still there"] if found() else []
    return work


def _remover(machine: SlmgrHost, license_id: Value) -> Callable[[], None]:
    return lambda: licensing.call_method(machine.session, TOKEN_ACTIVATION_LICENSE, {"ID": str(license_id)}, "Uninstall")


def _read(machine: SlmgrHost) -> list[Row]:
    return licensing.patiently(lambda: machine.session.query(TOKEN_ACTIVATION_LICENSE, tuple(TOKEN_ACTIVATION_LICENSE.properties)))


def _shown(row: Row) -> dict[str, Any]:
    ends = row["ExpirationDate"]
    status = number(row["AuthorizationStatus"])
    return {
        "ilid": row["ILID"],
        "ilvid": row["ILVID"],
        "authorized": status == 0,
        "authorization_status": hexadecimal(status),
        "expires": ends.isoformat() if isinstance(ends, datetime) else None,
        "description": row["Description"],
        "additional_info": row["AdditionalInfo"],
    }
