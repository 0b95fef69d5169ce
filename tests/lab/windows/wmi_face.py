# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated Windows machine as the WS-Management front end sees it: who it is, whom it lets in, and its WMI classes."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..wsman.backend import CimClass
from .ports import Clock
from .provider import Provider
from .schema import CIMV2
from .services import ServiceDisabled, ServiceManager, ServiceStopping
from .spec import HostSpec

SERVICE_STOPPING = 0xC004F075
_SERVICE_DISABLED = 0x80070422


class WmiFace:
    """Implements :class:`lab.wsman.backend.Backend` over the parts of a machine, which a subclass makes.

    Every call holds ``_lock``, and tells the machine by :meth:`sync_port` when it may have changed something.
    """

    spec: HostSpec
    clock: Clock
    services: ServiceManager
    is_member: bool
    _seed: int

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._providers: dict[tuple[str, str], Provider] = {}
        self._said: dict[str, dict[str, Any]] = {}

    def sync_port(self) -> None:
        """Open or close the machine's own port, as its state is now."""
        raise NotImplementedError

    def say(self, class_name: str, properties: Mapping[str, Any]) -> None:
        """Answer with these values in every instance of a class that has a value there, whatever the machine is; none ends that."""
        with self._lock:
            self._said[class_name.lower()] = dict(properties)

    def _told(self, class_name: str, instance: Mapping[str, Any]) -> Mapping[str, Any]:
        said = self._said.get(class_name.lower(), {})
        return {name: said[name] if name in said and value is not None else value for name, value in instance.items()}

    def _serve(self, providers: Iterable[Provider]) -> None:
        self._said = {}
        self._providers = {(item.cim_class.namespace.lower(), item.cim_class.name.lower()): item for item in providers}

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

    def demand_licensing(self) -> None:
        """Have sppsvc running, started on demand; the first answer after a start is slow."""
        try:
            if self.services.demand():
                self.clock.sleep(self.spec.sppsvc_start)
        except ServiceStopping as error:
            raise self._providers[CIMV2, "softwarelicensingservice"].error(SERVICE_STOPPING) from error
        except ServiceDisabled as error:
            raise self._providers[CIMV2, "softwarelicensingservice"].error(_SERVICE_DISABLED) from error

    def has_namespace(self, namespace: str) -> bool:
        """Whether any class is served from it."""
        return any(known == _spelled(namespace) for known, _name in self._providers)

    def cim_class(self, namespace: str, name: str) -> CimClass | None:
        """The class, or None."""
        provider = self._find(namespace, name)
        return provider.cim_class if provider else None

    def instances(self, namespace: str, class_name: str, equal: Mapping[str, object] | None = None) -> Sequence[Mapping[str, Any]]:
        """All instances, computed now."""
        with self._lock:
            return [self._told(class_name, found) for found in self._provider(namespace, class_name).instances(equal)]

    def get(self, namespace: str, class_name: str, selectors: Mapping[str, str]) -> Mapping[str, Any]:
        """One instance."""
        with self._lock:
            return self._told(class_name, self._provider(namespace, class_name).get(selectors))

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
        return self._providers.get((_spelled(namespace), name.lower()))

    def _provider(self, namespace: str, name: str) -> Provider:
        provider = self._find(namespace, name)
        if provider is None:
            raise KeyError(f"{namespace}:{name}")
        return provider


def _spelled(namespace: str) -> str:
    return namespace.replace("\\", "/").strip("/").lower()
