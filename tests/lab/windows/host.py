# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated Windows machine: its parts, their life, and what one of them tells another."""

from __future__ import annotations

import hashlib
import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from . import identifiers
from . import machine as system
from .events import EventLog
from .firewall import Firewall, variant_of
from .fresh_registry import fresh_registry
from .host_providers import providers_of
from .host_state import state_of
from .kms_answers import KmsAnswers
from .kms_client import KmsClient
from .kms_line import CountAnswer, CountRequest
from .kms_listener import KmsListener
from .licences import LICENSED
from .licensing import KMS_NOT_ENABLED, Licensing
from .microsoft import Microsoft
from .ports import Clock, Forest, Identity, Publisher, Resolver, SystemClock
from .power import Power
from .processes import HasEnded, Processes, Programs, blocked_in
from .publishing import DnsPublication, RunningSettings
from .registry import ValueType
from .schema import CIMV2, system_class
from .services import SLSVC, SPPSVC, ServiceManager
from .settings import LicensingSettings
from .spec import HostSpec
from .sysprep import Sysprep
from .wmi_face import WmiFace

_KMS_START_FAILED = 12291

logger = logging.getLogger(__name__)

PowerListener = Callable[["Host", bool], None]


class Host(WmiFace):
    """Built without touching the network: call :meth:`start` when the domain answers.

    ``power_listener`` is told when the machine goes away and comes back by itself (a restart over WMI).
    """

    def __init__(
        self,
        spec: HostSpec,
        seed: int,
        publisher: Publisher | None,
        resolver: Resolver,
        microsoft: Microsoft,
        identity: Identity | None = None,
        clock: Clock | None = None,
        power_listener: PowerListener | None = None,
    ) -> None:
        super().__init__()
        self.spec = self._first_spec = spec
        self.clock: Clock = clock or SystemClock()
        self.power_listener: PowerListener = power_listener or (lambda _host, _up: None)
        self.is_up = False
        # One seed for a park still makes every host another one.
        self._seed = int.from_bytes(hashlib.sha256(f"{seed} {spec.dns_name}".encode()).digest()[:4], "big")
        self._publisher = publisher
        self._resolver = resolver
        self._microsoft = microsoft
        self._identity = identity
        self._listener = KmsListener(spec.address, self._answer)
        self._images = 0
        self._hardware_id = ""
        self.reaches_microsoft = spec.internet
        self.forest: Forest = list
        self._power = Power(self.stop, self.start, spec.reboot, lambda up: self.power_listener(self, up))
        self._build()

    def _build(self) -> None:
        spec, seed, clock = self.spec, self._seed, self.clock
        generator = random.Random(f"{seed} image {self._images}") if self._images else random.Random(seed)
        self.booted = clock.now()
        self.is_member = bool(spec.domain)
        self.running: RunningSettings | None = None
        self.registry = fresh_registry(spec)
        self.settings = LicensingSettings(self.registry, spec.windows)
        self.registry.create(self.settings.path)
        if spec.wow64_spp_key:
            self.registry.create(self.settings.wow64_path)
        self.events = EventLog(clock)
        self.firewall = Firewall(variant_of(spec, seed), spec.language, rules_apply=spec.local_firewall_rules)
        self.firewall.store(self.registry, spec.windows.version)
        self.firewall.changed = self._firewall_changed
        self.publication = DnsPublication(spec, seed, self._identity, self._publisher, self.events)
        client = KmsClient(spec, self._resolver, self.settings, generator, self.events, lambda: system.lookup_suffixes(spec, self.registry))
        self.licensing = Licensing(
            spec, generator, clock, self.settings, self.events, client, self._microsoft, lambda: self.reaches_microsoft
        )
        self.licensing.hardware_id = self._hardware_id or self.licensing.hardware_id
        self.kms = KmsAnswers(spec.dns_name, clock, self.events, self.licensing)
        self.licensing.by_volume.forest = lambda: self.forest() if self.is_member else []
        self.licensing.host_installed = self._host_installed
        self.licensing.host_activated = self._host_activated
        # A publication that is about to be made is not made any more.
        self.licensing.host_removed = self.publication.cancel
        self.services = ServiceManager(
            clock,
            spec.sppsvc_stop,
            spec.sppsvc_idle,
            lambda: self.licensing.host_licence() is not None,
            spec.sppsvc_start_pending,
            SLSVC if spec.windows.is_vista_era else SPPSVC,
        )
        self.services.started = self._service_started
        self.services.stopped = self._service_stopped
        self.sysprep = Sysprep(spec, self.registry, self.licensing.rearms.windows_if_left, self._power.restart_soon, self._leave_domain)
        programs = Programs(lambda: self._at_its_end(self.publication.purge), self._netsh, self.sysprep.run)
        self.processes = Processes(
            system_class("Win32_Process", CIMV2), spec.language, programs, lambda: blocked_in(self.registry), seed, spec.program
        )
        self._serve([*providers_of(self, self._power.restart_soon), self.processes])

    def start(self) -> None:
        """Switch on: the computer gets its ticket, a KMS host starts its service."""
        with self._lock:
            self._power.cancel()
            if self.is_up:
                return
            self.is_up = True
            self.booted = self.clock.now()
            self.publication.boot()
            self.licensing.boot()
            self.sysprep.boot()
            self.firewall.load(self.registry)
            # sppsvc starts with Windows; only a KMS host keeps it running.
            if self.licensing.host_licence() is not None and self.services.find(self.services.licensing).start_mode != "Disabled":
                self.services.start(self.services.licensing)
            self.sync_port()

    def stop(self) -> None:
        """Switch off."""
        with self._lock:
            self._power.cancel()
            self.sysprep.cancel()
            self.publication.cancel(wait=True)
            self.services.halt()
            self.is_up = False
            self._listener.close()

    def reboot(self) -> None:
        """Off and on again at once: new tickets, sppsvc restarted, a rearm takes effect."""
        with self._lock:
            self.stop()
            self.start()

    def reset(self) -> None:
        """As on its first day, and switched on."""
        with self._lock:
            self.stop()
            self.spec = self._first_spec
            self._images, self._hardware_id, self.reaches_microsoft = 0, "", self.spec.internet
            self._build()
            self.start()

    def reimage(self, same_hardware: bool = True, with_key: bool = True) -> None:
        """Set up anew, and switched on: nothing is left but the hardware, and that only where it is the same."""
        with self._lock:
            self.stop()
            self._images += 1
            self.spec = self._first_spec
            if self.spec.activated == "by KMS":
                self.spec = replace(self.spec, activated="")
            self._hardware_id = self.licensing.hardware_id if same_hardware else self._other_hardware()
            self._build()
            if not with_key:
                self.licensing.remove_keys()
            self.start()

    def change_hardware(self) -> None:
        """Other hardware under the same installation."""
        with self._lock:
            self._hardware_id = self._other_hardware()
            self.licensing.change_hardware(self._hardware_id)

    def _other_hardware(self) -> str:
        return identifiers.make_guid(random.Random(f"{self._seed} hardware after {self.licensing.hardware_id}"))

    def become_copy(self, source: Host) -> None:
        """Be what an image of another machine makes of this one, and switch on; name, address and domain stay its own."""
        with source._lock, self._lock:
            self.stop()
            mine, made = self._first_spec, source.spec
            kinds = {
                name: getattr(made, name) for name in ("profile", "initial_key", "has_updates", "office", "edition_id", "volume_licences")
            }
            self.spec = replace(mine, **kinds)
            self._build()
            self.registry.copy_from(source.registry)
            for name in ("Domain", "NV Domain"):
                self.registry.set(system.TCPIP_PARAMETERS, name, ValueType.SZ, mine.suffix)
            self.licensing.become_copy(source.licensing)
            self.start()

    def count_clients(self, clients: int) -> int:
        """See :meth:`lab.windows.kms_answers.KmsAnswers.count_made_up`."""
        with self._lock:
            return self.kms.count_made_up(clients)

    def block(self, networks: Sequence[str]) -> None:
        """Let no packet of these networks reach the KMS port; a firewall on the way drops them."""
        self._listener.block(networks)

    @property
    def open_port(self) -> int:
        """The port on which its KMS is reached; 0 if there is none."""
        return self._listener.port

    def snapshot_state(self) -> dict[str, Any]:
        """See :func:`lab.windows.host_state.state_of`."""
        with self._lock:
            return state_of(self)

    def sync_port(self) -> None:
        """Open or close the KMS port as service, key and firewall are now."""
        with self._lock:
            port = self.kms_port()
            if not port or not self.firewall.admits(port):
                self._listener.close()
                return
            try:
                self._listener.open(port)
            except OSError as error:
                logger.warning("%s: port %d of %s: %s", self.spec.dns_name, port, self.spec.address, error)
                self.events.write(_KMS_START_FAILED, f"0x{0x80070000 | (error.errno or 1):08X}", failed=True)

    def kms_port(self) -> int:
        """The port on which the KMS listens, behind its firewall; 0 if there is none."""
        serves = self.is_up and self.running is not None and self.licensing.host_licence() is not None
        return self.running.port if serves and self.running is not None else 0

    def _firewall_changed(self) -> None:
        self.firewall.store(self.registry, self.spec.windows.version)

    def _netsh(self, criterion: str, text: str, enabled: bool) -> HasEnded:
        def effect() -> None:
            with self._lock:
                self.firewall.switch(criterion, text, enabled)
                self.sync_port()

        return self._at_its_end(effect)

    def _at_its_end(self, effect: Callable[[], None]) -> HasEnded:
        """A program is a process of its own: its effect comes after the call that started it was answered, and before it ends."""
        if self.spec.program <= 0:
            effect()
            return lambda: True
        timer = threading.Timer(self.spec.program, effect)
        timer.daemon = True
        timer.start()
        return lambda: not timer.is_alive()

    def _answer(self, request: CountRequest) -> CountAnswer:
        """In a thread of the listener; without the host's lock, which its own Activate() may hold."""
        if self.running is None:
            return CountAnswer(KMS_NOT_ENABLED)
        return self.kms.answer(request)

    def _service_started(self) -> None:
        self.events.write(900)
        self.events.write(902)
        self.running = RunningSettings.read(self.settings)
        self.publication.service_started()
        licence = self.licensing.host_licence()
        if licence is not None and licence.status(self.clock.now()).state == LICENSED:
            self.publication.schedule(self.running)
        self.sync_port()

    def _service_stopped(self) -> None:
        self.events.write(903)
        self.publication.cancel()
        self.running = None
        self.sync_port()

    def _host_installed(self) -> None:
        self.running = RunningSettings.read(self.settings)

    def _host_activated(self) -> None:
        if self.running is not None:
            self.publication.schedule(self.running)

    def _leave_domain(self) -> None:
        self.is_member = False
