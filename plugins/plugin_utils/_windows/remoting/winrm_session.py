# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a WinRM session is like: versions, speed, clock, rights and limits, each found out by reading only.

A refusal is what is being looked for here, so it is an answer like any other. Only a host that can't be reached, or does
not accept the credentials, is an error.
"""

from __future__ import annotations

import importlib.metadata
import platform
import statistics
import time
import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..._core.errors import ActivationError
from ..._wsman.service import Identity, ServiceConfig
from ..._wsman.session import Session
from ..._wsman.transport import CarrierFacts
from ..platform import firewall, registry
from ..platform.computer import OperatingSystem, read_operating_system
from ..spp import licensing
from ..spp.license_info import read_license

GRANTED = "granted"
PACKAGES = ("pywinrm", "pypsrp", "pyspnego", "requests")
"""What carries the messages, as pip names it."""

_ROUND_TRIPS = 5
_KMS_VERSION_VALUE = "KeyManagementServiceVersion"

Read = t.TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Clock:
    """The host's clock beside ours.

    Attributes:
        system: What came with the time.
        skew: By how many seconds the host is ahead; C(None) where it named no time.
    """

    system: OperatingSystem
    skew: float | None


def inspect_session(session: Session, facts: Callable[[], CarrierFacts], ansible_core: str) -> dict[str, t.Any]:
    """Everything about the session with one host, by at most a dozen requests.

    Args:
        session: The host.
        facts: What its carrier is; asked when messages have gone out, because only then encryption is known.
        ansible_core: The version of ansible-core in use; empty without one.

    Raises:
        ActivationError: The host can't be reached.
    """
    rights: dict[str, str] = {}
    identity, refusal = _attempt(session.identify)
    round_trip = measure_round_trip(session)
    clock, rights["wmi"] = _attempt(lambda: read_clock(session))
    _licensing, rights["licensing"] = _attempt(lambda: licensing.read_service(session, ("Version",)))
    _value, rights["registry"] = _attempt(lambda: _read_registry(session))
    _rules, rights["firewall"] = _attempt(lambda: firewall.read_kms_rules(session))
    config, rights["winrm_config"] = _attempt(session.read_config)
    carrier = facts()
    return {
        "versions": _versions(identity, refusal, clock, ansible_core),
        "connection": carrier.connection,
        "endpoint": carrier.endpoint,
        "authentication": carrier.authentication,
        "encryption": carrier.encryption,
        "round_trip_ms": round_trip,
        "clock_skew": clock.skew if clock else None,
        "rights": rights,
        "limits": _limits(config) if config else None,
    }


def read_for_recording(session: Session) -> None:
    """What a recording is to hold beyond the inspection: the licensing state, or the fault that Windows answers it with."""
    _attempt(lambda: read_license(session))


def measure_round_trip(session: Session) -> float:
    """Milliseconds that a cheap request takes on a connection that is up: the median of a few.

    Whether Identify is allowed does not matter, as a fault comes back just as fast.
    """
    taken: list[float] = []
    for _number in range(_ROUND_TRIPS):
        started = time.perf_counter()
        _attempt(session.identify)
        taken.append(time.perf_counter() - started)
    return round(statistics.median(taken) * 1000, 1)


def read_clock(session: Session) -> Clock:
    """The operating system, and how far its clock is from ours; the time of the question is the middle of the exchange."""
    started, asked = datetime.now(UTC), time.monotonic()
    system = read_operating_system(session)
    middle = started + timedelta(seconds=(time.monotonic() - asked) / 2)
    skew = round((system.local_time - middle).total_seconds(), 1) if system.local_time else None
    return Clock(system, skew)


def _attempt(read: Callable[[], Read]) -> tuple[Read | None, str]:
    """What was read, and C(granted) or the sentence that says why not."""
    try:
        return read(), GRANTED
    except ActivationError as refusal:
        if refusal.unreachable:
            raise
        return None, refusal.message


def _read_registry(session: Session) -> None:
    try:
        registry.read_string(session, licensing.PLATFORM_KEY, _KMS_VERSION_VALUE)
    except registry.KeyMissing:
        # It could look, and there was nothing.
        return


def _versions(identity: Identity | None, refusal: str, clock: Clock | None, ansible_core: str) -> dict[str, t.Any]:
    versions: dict[str, t.Any] = {"ansible_core": ansible_core or None, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    versions["windows"] = (clock.system.version if clock else identity.os_version if identity else "") or None
    versions["windows_name"] = clock.system.caption if clock else None
    versions["winrm"] = (identity.winrm_version or None) if identity else None
    versions["winrm_product"] = identity.product if identity else refusal
    return versions


def _limits(config: ServiceConfig) -> dict[str, t.Any]:
    return {
        "max_envelope_size_kb": config.max_envelope_size_kb,
        "max_timeout_ms": config.max_timeout_ms,
        "max_batch_items": config.max_batch_items,
        "max_concurrent_operations_per_user": config.max_concurrent_operations_per_user,
        "allow_unencrypted": config.allow_unencrypted,
        "authentication": list(config.authentication),
    }
