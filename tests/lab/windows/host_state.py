# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test wants to see of a simulated Windows machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import machine as system

if TYPE_CHECKING:
    from .host import Host


def state_of(host: Host) -> dict[str, Any]:
    """Its state as plain values. Looking does not start sppsvc; the caller holds the host's lock."""
    now = host.clock.now()
    base, licensing = host.licensing.base(), host.licensing
    status = base.status(now) if base else None
    return {
        "host": host.spec.dns_name,
        "up": host.is_up,
        "profile": host.spec.profile,
        "key": base.key.name if base and base.key else None,
        "partial_key": base.key.partial if base and base.key else None,
        "channel": base.product.channel if base else None,
        "license_status": status.state if status else None,
        "reason": f"0x{status.reason:08X}" if status else None,
        "minutes": status.minutes if status else None,
        "cmid": licensing.cmid,
        "mac_address": host.spec.mac_address,
        "reaches_microsoft": host.reaches_microsoft,
        "products": licensing.installed(),
        "is_kms_host": licensing.host_licence() is not None,
        "count": licensing.counter.current(now) if licensing.host_licence() else None,
        "requests": licensing.counter.total,
        "failed_requests": licensing.counter.failed,
        "clients": list(licensing.counter.cmids),
        "discovered": licensing.client.discovered.name if licensing.client.discovered else None,
        "cached": licensing.client.cached.name if licensing.client.cached else None,
        "host_caching": licensing.client.caching,
        "suffixes": system.lookup_suffixes(host.spec, host.registry),
        "sppsvc": host.services.find(host.services.licensing).state,
        "open_port": host.open_port,
        "firewall": {rule.name: rule.enabled for rule in host.firewall.rules.values()},
        "registry": {rf"{path}\{value.name}": value.data for path, value in host.registry.walk(host.settings.path)},
        "wow64_registry": {rf"{path}\{value.name}": value.data for path, value in host.registry.walk(host.settings.wow64_path)},
        "publications": [vars(attempt) for attempt in host.publication.attempts],
        "events": [(event.code, event.log, list(event.strings)) for event in host.events.events()],
        "processes": list(host.processes.started),
        "image_state": host.sysprep.image_state,
        "sysprep_log": list(host.sysprep.log),
        "member": host.is_member,
        "rearms": licensing.rearms.left,
        "other_rearms": dict(licensing.rearms.others),
        "key_in_registry": licensing.key_in_registry,
        "license_files": len(licensing.license_files),
        "token_licenses": [(row["ILID"], row["ILVID"]) for row in licensing.token_licenses],
    }
