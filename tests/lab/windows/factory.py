# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds simulated hosts: the one entrance for the park."""

from __future__ import annotations

from .host import Host, PowerListener
from .microsoft import Microsoft
from .ports import Clock, Identity, Publisher, Resolver
from .spec import HostSpec

__all__ = ["HostSpec", "build_host"]


def build_host(
    spec: HostSpec,
    seed: int,
    publisher: Publisher | None,
    resolver: Resolver,
    microsoft: Microsoft,
    *,
    identity: Identity | None = None,
    clock: Clock | None = None,
    power_listener: PowerListener | None = None,
) -> Host:
    """A host that is off; :meth:`Host.start` switches it on.

    ``identity`` is the machine account with which it publishes: without one it cannot. The same seed and spec give the
    same CMID, hardware, choices among SRV records and unproved wire forms.
    """
    return Host(spec, seed, publisher, resolver, microsoft, identity, clock, power_listener)
