# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a KMS client finds a host and asks it (docs/facts/kms.md#choice-of-a-host, docs/facts/kms.md#where-a-client-looks)."""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import kms_line, srv_choice
from .events import EventLog
from .kms_line import CountAnswer, CountRequest
from .ports import DNS_ERROR_NO_DNS_SERVERS, DnsError, Resolver, SrvRecord
from .settings import DEFAULT_PORT, LicensingSettings
from .spec import HostSpec

NO_HOST_CONTACTED = 0xC004F074
COUNT_TOO_LOW = 0xC004F038

_RECORD = "_vlmcs._tcp"


class ActivationFailed(Exception):
    """Activate() ends with this HRESULT."""

    def __init__(self, code: int) -> None:
        super().__init__(f"0x{code:08X}")
        self.code = code


@dataclass(frozen=True)
class FoundHost:
    """A KMS host: as it was named, where it answered; ``by_dns`` False for a configured one."""

    name: str
    port: int
    address: str = ""
    by_dns: bool = True


class KmsClient:
    """The client half of the licensing service of one machine."""

    def __init__(
        self,
        spec: HostSpec,
        resolver: Resolver,
        settings: LicensingSettings,
        generator: random.Random,
        events: EventLog,
        suffixes: Callable[[], list[str]],
    ) -> None:
        self._spec = spec
        self._resolver = resolver
        self._settings = settings
        self._random = generator
        self._events = events
        self._suffixes = suffixes
        self.caching = True
        self.cached: FoundHost | None = None
        self.discovered: FoundHost | None = None

    def set_caching(self, caching: bool) -> None:
        """Keep the host that answered, or not."""
        self.caching = caching
        if not caching:
            self.cached = None

    def ask(self, request: CountRequest) -> CountAnswer:
        """Ask hosts in turn until one says yes. Raises ActivationFailed."""
        refusal = NO_HOST_CONTACTED
        for host in self._candidates(request.product_id):
            for address in self._addresses(host.name):
                try:
                    answer = kms_line.ask(address, host.port, request, self._spec.kms_timeout, self._spec.address)
                except (OSError, kms_line.LineError):
                    self._sent(NO_HOST_CONTACTED, host, request)
                    continue
                self._sent(answer.hresult, host, request)
                if answer.hresult:
                    refusal = answer.hresult
                    break
                self._remember(FoundHost(host.name, host.port, address, host.by_dns))
                return answer
            if self.cached is not None and self.cached.name == host.name:
                self.cached = None
        raise ActivationFailed(refusal)

    def _candidates(self, product_id: str) -> Iterator[FoundHost]:
        """A configured host, or else the cached one and then what DNS says, asked only when it is needed."""
        for scope in (product_id, None):
            name = self._settings.text("KeyManagementServiceName", scope)
            if name:
                yield FoundHost(name, self._settings.port("KeyManagementServicePort", scope) or DEFAULT_PORT, by_dns=False)
                return
        tried = self.cached
        if tried is not None:
            yield tried
        for record in self._look_up(product_id):
            if tried is None or (record.target.lower(), record.port) != (tried.name.lower(), tried.port):
                yield FoundHost(record.target.rstrip("."), record.port)

    def _look_up(self, product_id: str) -> list[SrvRecord]:
        """The first suffix that has records decides. Raises ActivationFailed with the first suffix's error."""
        fixed = self._settings.text("KeyManagementServiceLookupDomain", product_id) or self._settings.text(
            "KeyManagementServiceLookupDomain"
        )
        domains = [fixed] if fixed else self._suffixes()
        error = DnsError(DNS_ERROR_NO_DNS_SERVERS, "no suffix")
        for number, domain in enumerate(domains):
            try:
                records = self._resolver.srv(f"{_RECORD}.{domain}", self._spec.dns_servers)
            except DnsError as failure:
                error = failure if number == 0 else error
                continue
            return srv_choice.order(records, self._random, self._spec.windows.is_vista_era)
        raise ActivationFailed(error.code)

    def _addresses(self, name: str) -> list[str]:
        try:
            # An IPv6 address stands in brackets (docs/facts/slmgr.md#kms-client-settings).
            return [str(ipaddress.ip_address(name.removeprefix("[").removesuffix("]")))]
        except ValueError:
            pass
        qualified = name if "." in name else f"{name}.{self._spec.suffix}"
        try:
            return self._resolver.addresses(qualified, self._spec.dns_servers)
        except DnsError:
            return []

    def _remember(self, host: FoundHost) -> None:
        if host.by_dns:
            self.discovered = host
            if self.caching:
                self.cached = host

    def _sent(self, code: int, host: FoundHost, request: CountRequest) -> None:
        fields = (f"0x{code:08X}", "0x00000000", f"{host.name}:{host.port}", request.cmid, request.time, 0, request.licence_state)
        self._events.write(12288, *fields, request.minutes_left, request.product_id, request.threshold, failed=code != 0)
