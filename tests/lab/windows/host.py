# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated Windows machine: its parts, its start and stop, and its face as a WMI back end."""

from __future__ import annotations

import hashlib
import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..wsman.backend import CimClass
from . import identifiers
from . import machine as system
from .events import EventLog, NtLogEvents
from .firewall import Firewall, FirewallRules
from .fresh_registry import fresh_registry
from .kms_answers import KmsAnswers
from .kms_client import KmsClient
from .kms_line import CountAnswer, CountRequest
from .kms_listener import KmsListener
from .licences import LICENSED
from .licensing import KMS_NOT_ENABLED, Licensing
from .licensing_classes import LicensingProducts, LicensingService
from .microsoft import Microsoft
from .ports import Clock, Forest, Identity, Publisher, Resolver, SystemClock
from .power import Power
from .processes import ASR_RULES, NO_PROCESSES_OVER_WMI, Processes, Programs
from .provider import Provider
from .publishing import DnsPublication, RunningSettings
from .registry import ValueType
from .schema import CIMV2, STANDARD_CIMV2, licensing_class, system_class
from .services import SLSVC, SPPSVC, ServiceDisabled, ServiceManager, Services, ServiceStopping
from .settings import LicensingSettings
from .spec import HostSpec
from .stdregprov import StdRegProv
from .sysprep import Sysprep
from .tcp import TcpConnections
from .token_licenses import TokenLicenses

_SERVICE_STOPPING = 0xC004F075
_SERVICE_DISABLED = 0x80070422
_KMS_START_FAILED = 12291

logger = logging.getLogger(__name__)

PowerListener = Callable[["Host", bool], None]


class Host:
    """Implements :class:`lab.wsman.backend.Backend`.

    Built without touching the network: call :meth:`start` when the domain answers. ``power_listener`` is told when the
    machine goes away and comes back by itself (a restart over WMI).
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
        self._lock = threading.RLock()
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
        split_by_default = not spec.windows.is_server or (spec.windows.schema < 2018 and seed % 2 == 1)
        variant = spec.firewall_variant or ("split" if split_by_default else "any")
        self.firewall = Firewall(variant, spec.language, rules_apply=spec.local_firewall_rules)
        self.firewall.store(self.registry, spec.windows.version)
        self.firewall.changed = self._firewall_changed
        self.publication = DnsPublication(spec, seed, self._identity, self._publisher, self.events)
        client = KmsClient(spec, self._resolver, self.settings, generator, self.events, lambda: system.lookup_suffixes(spec, self.registry))
        self.licensing = Licensing(
            spec, generator, clock, self.settings, self.events, client, self._microsoft, lambda: self.reaches_microsoft
        )
        self.licensing.hardware_id = self._hardware_id or self.licensing.hardware_id
        self.kms = KmsAnswers(spec.dns_name, clock, self.events, self.licensing)
        self.licensing.forest = lambda: self.forest() if self.is_member else []
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
            system_class("Win32_Process", CIMV2), spec.language, programs, self._processes_blocked, seed, spec.program
        )
        self._providers = {
            (item.cim_class.namespace.lower(), item.cim_class.name.lower()): item for item in [*self._make_providers(), self.processes]
        }

    def _make_providers(self) -> list[Provider]:
        spec, schema = self.spec, self.spec.windows.schema
        language, name = spec.language, spec.netbios_name
        environment = {"SystemRoot": r"C:\Windows", "WinDir": r"C:\Windows", "ProgramFiles": r"C:\Program Files"}
        found: list[Provider] = [
            LicensingService(licensing_class("SoftwareLicensingService", schema), self),
            LicensingProducts(licensing_class("SoftwareLicensingProduct", schema), self),
            *self._token_licenses(),
            StdRegProv(system_class("StdRegProv", CIMV2), language, lambda: self.registry, environment),
            StdRegProv(system_class("StdRegProv", "root/default"), language, lambda: self.registry, environment),
            Services(system_class("Win32_Service", CIMV2), language, lambda: self.services, name),
            NtLogEvents(
                system_class("Win32_NTLogEvent", CIMV2), language, lambda: self.events, spec.dns_name, self.clock, spec.event_query
            ),
            system.OperatingSystem(
                system_class("Win32_OperatingSystem", CIMV2), spec, self.clock, lambda: self.booted, self._power.restart_soon
            ),
            system.ComputerSystem(system_class("Win32_ComputerSystem", CIMV2), spec, lambda: self.is_member),
            system.NetworkAdapters(system_class("Win32_NetworkAdapterConfiguration", CIMV2), spec, lambda: self.registry),
        ]
        # Both classes came with Windows 8 and Server 2012.
        if schema >= 2018:
            found.append(FirewallRules(system_class("MSFT_NetFirewallRule", STANDARD_CIMV2), language, lambda: self.firewall))
            found.append(TcpConnections(system_class("MSFT_NetTCPConnection", STANDARD_CIMV2), language, self._kms_port))
        return found

    def _token_licenses(self) -> list[Provider]:
        """The class came with Windows 7 and Server 2008 R2."""
        if self.spec.windows.schema < 2009:
            return []
        cim_class = licensing_class("SoftwareLicensingTokenActivationLicense", self.spec.windows.schema)
        return [TokenLicenses(cim_class, self.spec.language, self.demand_licensing, lambda: self.licensing.token_licenses)]

    @property
    def hostname(self) -> str:
        """The DNS name."""
        return self.spec.dns_name

    @property
    def os_version(self) -> str:
        """``major.minor.build``."""
        return self.spec.windows.version

    @property
    def language(self) -> str:
        """The language of messages."""
        return self.spec.language

    @property
    def seed(self) -> int:
        """Chooses among forms that no source proves."""
        return self._seed

    @property
    def allows_unencrypted(self) -> bool:
        """WinRM's AllowUnencrypted."""
        return self.spec.allows_unencrypted

    def trusts(self, user: str) -> bool:
        """By the account's domain, in either of its spellings; in a workgroup there is none but the machine itself."""
        domain, backslash, _name = user.rpartition("\\")
        written = (domain if backslash else user.partition("@")[2]).lower()
        spec = self.spec
        own = {spec.domain.lower(), spec.netbios_domain.lower()} if self.is_member else set()
        return written in {"", ".", spec.netbios_name.lower(), *own}

    def is_administrator(self, user: str) -> bool:
        """By the account's name, whatever domain it is written with."""
        name = user.rpartition("\\")[2].partition("@")[0]
        return name.lower() in {item.lower() for item in self.spec.administrators}

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

    def snapshot_state(self) -> dict[str, Any]:
        """What a test wants to see, as plain values. Looking does not start sppsvc."""
        with self._lock:
            now = self.clock.now()
            base, licensing = self.licensing.base(), self.licensing
            status = base.status(now) if base else None
            return {
                "host": self.spec.dns_name,
                "up": self.is_up,
                "profile": self.spec.profile,
                "key": base.key.name if base and base.key else None,
                "partial_key": base.key.partial if base and base.key else None,
                "channel": base.product.channel if base else None,
                "license_status": status.state if status else None,
                "reason": f"0x{status.reason:08X}" if status else None,
                "minutes": status.minutes if status else None,
                "cmid": licensing.cmid,
                "reaches_microsoft": self.reaches_microsoft,
                "products": licensing.installed(),
                "is_kms_host": licensing.host_licence() is not None,
                "count": licensing.counter.current(now) if licensing.host_licence() else None,
                "requests": licensing.counter.total,
                "failed_requests": licensing.counter.failed,
                "clients": list(licensing.counter.cmids),
                "discovered": licensing.client.discovered.name if licensing.client.discovered else None,
                "cached": licensing.client.cached.name if licensing.client.cached else None,
                "host_caching": licensing.client.caching,
                "suffixes": system.lookup_suffixes(self.spec, self.registry),
                "sppsvc": self.services.find(self.services.licensing).state,
                "open_port": self._listener.port,
                "firewall": {rule.name: rule.enabled for rule in self.firewall.rules.values()},
                "registry": {rf"{path}\{value.name}": value.data for path, value in self.registry.walk(self.settings.path)},
                "wow64_registry": {rf"{path}\{value.name}": value.data for path, value in self.registry.walk(self.settings.wow64_path)},
                "publications": [vars(attempt) for attempt in self.publication.attempts],
                "events": [(event.code, event.log, list(event.strings)) for event in self.events.events()],
                "processes": list(self.processes.started),
                "image_state": self.sysprep.image_state,
                "sysprep_log": list(self.sysprep.log),
                "member": self.is_member,
                "rearms": licensing.rearms.left,
                "other_rearms": dict(licensing.rearms.others),
                "key_in_registry": licensing.key_in_registry,
                "license_files": len(licensing.license_files),
                "token_licenses": [(row["ILID"], row["ILVID"]) for row in licensing.token_licenses],
            }

    def sync_port(self) -> None:
        """Open or close the KMS port as service, key and firewall are now."""
        with self._lock:
            port = self._kms_port()
            if not port or not self.firewall.admits(port):
                self._listener.close()
                return
            try:
                self._listener.open(port)
            except OSError as error:
                logger.warning("%s: port %d of %s: %s", self.spec.dns_name, port, self.spec.address, error)
                self.events.write(_KMS_START_FAILED, f"0x{0x80070000 | (error.errno or 1):08X}", failed=True)

    def _kms_port(self) -> int:
        """The port on which the KMS listens, behind its firewall; 0 if there is none."""
        serves = self.is_up and self.running is not None and self.licensing.host_licence() is not None
        return self.running.port if serves and self.running is not None else 0

    def _firewall_changed(self) -> None:
        self.firewall.store(self.registry, self.spec.windows.version)

    def _netsh(self, criterion: str, text: str, enabled: bool) -> None:
        def effect() -> None:
            with self._lock:
                self.firewall.switch(criterion, text, enabled)
                self.sync_port()

        self._at_its_end(effect)

    def _at_its_end(self, effect: Callable[[], None]) -> None:
        """A program is a process of its own: its effect comes after the call that started it was answered."""
        if self.spec.program <= 0:
            effect()
            return
        timer = threading.Timer(self.spec.program, effect)
        timer.daemon = True
        timer.start()

    def _processes_blocked(self) -> bool:
        return bool(self.registry.data(ASR_RULES, NO_PROCESSES_OVER_WMI, "0") == "1")

    def demand_licensing(self) -> None:
        """Have sppsvc running, started on demand; the first answer after a start is slow."""
        try:
            if self.services.demand():
                self.clock.sleep(self.spec.sppsvc_start)
        except ServiceStopping as error:
            raise self._providers[CIMV2, "softwarelicensingservice"].error(_SERVICE_STOPPING) from error
        except ServiceDisabled as error:
            raise self._providers[CIMV2, "softwarelicensingservice"].error(_SERVICE_DISABLED) from error

    def cim_class(self, namespace: str, name: str) -> CimClass | None:
        """The class, or None."""
        provider = self._find(namespace, name)
        return provider.cim_class if provider else None

    def instances(self, namespace: str, class_name: str, equal: Mapping[str, object] | None = None) -> Sequence[Mapping[str, Any]]:
        """All instances, computed now."""
        with self._lock:
            return self._provider(namespace, class_name).instances(equal)

    def get(self, namespace: str, class_name: str, selectors: Mapping[str, str]) -> Mapping[str, Any]:
        """One instance."""
        with self._lock:
            return self._provider(namespace, class_name).get(selectors)

    def put(self, namespace: str, class_name: str, selectors: Mapping[str, str], properties: Mapping[str, Any]) -> Mapping[str, Any]:
        """Write an instance."""
        with self._lock:
            written = self._provider(namespace, class_name).put(selectors, properties)
            self.sync_port()
            return written

    def invoke(
        self, namespace: str, class_name: str, selectors: Mapping[str, str] | None, method: str, arguments: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Run a method."""
        with self._lock:
            provider = self._provider(namespace, class_name)
            found = provider.cim_class.find_method(method)
            instance = None
            if found is not None and not found.static:
                instance = dict(provider.get(selectors or {}))
            try:
                return provider.call(instance, found.name if found else method, arguments)
            finally:
                self.sync_port()

    def _find(self, namespace: str, name: str) -> Provider | None:
        return self._providers.get((namespace.replace("\\", "/").strip("/").lower(), name.lower()))

    def _provider(self, namespace: str, name: str) -> Provider:
        provider = self._find(namespace, name)
        if provider is None:
            raise KeyError(f"{namespace}:{name}")
        return provider

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
