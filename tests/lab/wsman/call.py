# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to one host while it is being answered: what it addresses and how its answer is to look."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from . import faults
from . import namespaces as ns
from .backend import WBEM_E_INVALID_CLASS, Backend, CimClass, WmiError
from .envelope import Request
from .faults import Voice
from .messages import text
from .request_log import Entry
from .values import Style, class_uri
from .variants import variant
from .winrm_config import Limits

TRANSFER_VERBS = {ns.ACTION_GET: "Get", ns.ACTION_PUT: "Put", ns.ACTION_CREATE: "Create", ns.ACTION_DELETE: "Delete"}
ENUMERATION_VERBS = {ns.ACTION_ENUMERATE: "Enumerate", ns.ACTION_PULL: "Pull", ns.ACTION_RELEASE: "Release"}


@dataclass
class Call:
    """A parsed request with its host.

    ``namespace`` and ``class_name`` come from the resource URI; the class name is ``*`` for WQL and empty for what is no WMI.
    ``keys`` are the selectors without ``__cimnamespace``.
    """

    backend: Backend
    address: str
    voice: Voice
    request: Request
    limits: Limits
    user: str = ""
    namespace: str = field(init=False, default="")
    class_name: str = field(init=False, default="")
    is_dmtf: bool = field(init=False, default=False)
    is_query: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        uri = self.request.resource_uri
        if uri.lower().startswith(ns.URI_WMI):
            self.namespace, _slash, self.class_name = uri[len(ns.URI_WMI) :].rpartition("/")
        elif uri.lower().startswith(ns.URI_DMTF):
            self.is_dmtf = True
            self.class_name = uri[len(ns.URI_DMTF) :]
            self.namespace = self._namespace_selector or "root/cimv2"
        self.namespace = self.namespace.replace("\\", "/").strip("/")

    @property
    def owner(self) -> tuple[str, str]:
        """Whose operation it is: the host's address and the user, of which case does not matter."""
        return self.address, self.user.lower()

    @property
    def _namespace_selector(self) -> str:
        found = (value for name, value in self.request.selectors.items() if name.lower() == "__cimnamespace")
        return next(found, "").replace("\\", "/")

    @cached_property
    def keys(self) -> dict[str, str]:
        """The selectors that are keys. A namespace selector is accepted only if it repeats the URI's (docs/facts/wire.md#selectors)."""
        chosen = self._namespace_selector
        if chosen and chosen.lower() != self.namespace.lower():
            raise faults.plain(
                self.voice, faults.INVALID_SELECTORS, "w:InternalError", text("selectors", self.voice.language), receiver=True
            )
        return {name: value for name, value in self.request.selectors.items() if name.lower() != "__cimnamespace"}

    @cached_property
    def style(self) -> Style:
        """How values are written in this answer."""
        precise = self.request.option("UsePreciseArrays")
        return Style.choose(self.voice.language, self.backend.os_version, self.voice.seed, precise)

    @property
    def verb(self) -> str:
        """The action in short; an empty string for what is neither a transfer, an enumeration nor a method."""
        action = self.request.action
        if action in ENUMERATION_VERBS:
            return ENUMERATION_VERBS[action]
        if self.request.resource_uri.startswith(ns.URI_SHELLS):
            return "Shell:" + action.rpartition("/")[2]
        if action in TRANSFER_VERBS:
            return "GetClass" if action == ns.ACTION_GET and self.request.resource_uri == ns.URI_SCHEMA else TRANSFER_VERBS[action]
        return "Invoke:" + self.method_name if self.method_name else ""

    @property
    def method_name(self) -> str:
        """The method that the action names, if it is one of the resource."""
        start, slash, method = self.request.action.rpartition("/")
        return method if slash and self.class_name and start.lower() == self.request.resource_uri.lower() else ""

    @property
    def room(self) -> int:
        """The largest envelope allowed in the answer, in bytes."""
        wanted = self.request.max_envelope_size
        return self.limits.max_envelope if wanted is None else min(wanted, self.limits.max_envelope)

    def uri_of(self, cim_class: CimClass) -> str:
        """The namespace of instances of a class in this answer."""
        if self.is_dmtf:
            return ns.URI_DMTF + cim_class.name
        if variant(self.voice.seed, "namespace case") == "repository":
            return f"{ns.URI_WMI}{cim_class.namespace}/{cim_class.name}"
        return class_uri(cim_class.namespace, cim_class.name)

    def find_class(self, name: str) -> CimClass:
        """The class. Raises :class:`WmiError` (0x80041010) if there is none."""
        found = self.backend.cim_class(self.namespace, name)
        if found is None:
            raise WmiError(WBEM_E_INVALID_CLASS, text("class", self.voice.language), "wbem")
        return found

    def describe(self, entry: Entry, enumeration_label: str) -> None:
        """Fill in the log entry."""
        entry.action = self.verb or self.request.action
        entry.resource = enumeration_label or self.class_name or self.request.resource_uri.rpartition("/")[2]
        if entry.action == "GetClass":
            chosen = (value for name, value in self.request.selectors.items() if name.lower() == "classname")
            entry.resource = next(chosen, "")
        body = self.request.body
        if entry.action == "Enumerate" and body is not None:
            entry.query = (body.findtext(f"{{{ns.WSMAN}}}Filter") or "").strip()
