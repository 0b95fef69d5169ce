# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the WS-Management front end asks of a simulated Windows host.

The front end (this package) knows the wire: HTTP, authentication, SOAP, WQL, faults.
The host (whatever implements :class:`Backend`) knows WMI: classes, instances, methods, HRESULTs.

Values cross this interface as Python values by CIM type:

===============================  ==========================================================
CIM type                         Python
===============================  ==========================================================
``string``, ``char16``           ``str``
``uint8`` … ``sint64``           ``int``
``boolean``                      ``bool``
``real32``, ``real64``           ``float``
``datetime``                     ``datetime.datetime`` with a time zone; an interval is a
                                 ``datetime.timedelta``
``reference``                    :class:`Reference`, or ``str`` for an object path
``object``                       :class:`Instance`
any of them with ``[]``          ``list`` of the above (an empty list is not NULL)
NULL                             ``None``
===============================  ==========================================================

How they look on the wire: docs/facts/wire-values.md#scalars, docs/facts/wire-values.md#arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

FaultKind = Literal["wbem", "provider", "mi"]


@dataclass(frozen=True)
class Property:
    """A property or a parameter: its name as the repository spells it and its CIM type.

    ``type`` is one of ``string uint8 sint8 uint16 sint16 uint32 sint32 uint64 sint64 boolean real32 real64
    char16 datetime reference object``; an array has the suffix ``[]``. ``writable`` only matters to the host's own ``put``.
    ``embedded`` is the class of an ``object`` parameter.
    """

    name: str
    type: str
    writable: bool = False
    embedded: CimClass | None = None

    @property
    def is_array(self) -> bool:
        """Whether the value is a list."""
        return self.type.endswith("[]")

    @property
    def scalar_type(self) -> str:
        """The CIM type of one element."""
        return self.type.removesuffix("[]")


@dataclass(frozen=True)
class Method:
    """A method: in parameters, out parameters and whether it needs no instance.

    ``ReturnValue`` is not listed among ``outputs``; ``return_type`` is its CIM type, or None for the methods that
    answer an empty ``_OUTPUT`` (``MSFT_NetFirewallRule.Enable``, docs/facts/wire-values.md#method-results).
    """

    name: str
    inputs: tuple[Property, ...] = ()
    outputs: tuple[Property, ...] = ()
    static: bool = False
    return_type: str | None = "uint32"


@dataclass(frozen=True)
class CimClass:
    """A WMI class of one namespace.

    ``namespace`` is written with slashes and the repository's case (``root/cimv2``, ``root/StandardCimv2``).
    ``keys`` are the selectors of an instance, empty for a singleton or a class of static methods only.
    ``superclass`` and the properties' order only show in the answer to a schema request.
    """

    namespace: str
    name: str
    keys: tuple[str, ...] = ()
    properties: tuple[Property, ...] = ()
    methods: tuple[Method, ...] = ()
    singleton: bool = False
    superclass: str = ""

    def find_property(self, name: str) -> Property | None:
        """The property of that name, in any case."""
        wanted = name.lower()
        return next((item for item in self.properties if item.name.lower() == wanted), None)

    def find_method(self, name: str) -> Method | None:
        """The method of that name, in any case."""
        wanted = name.lower()
        return next((item for item in self.methods if item.name.lower() == wanted), None)


@dataclass(frozen=True)
class Reference:
    """A reference to an instance: class and keys."""

    namespace: str
    class_name: str
    keys: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Instance:
    """An instance inside another one, or inside arguments: its class and its properties by repository name."""

    cim_class: CimClass
    values: Mapping[str, Any]


class WmiError(Exception):
    """A WMI operation that failed with an HRESULT.

    ``kind`` says which families of fault forms Windows might answer with (docs/facts/wire-faults.md#forms): ``wbem`` for an error of
    WMI itself (0x8004xxxx), ``provider`` for an error that a classic provider raised (a COM error such as 0xC004F050),
    ``mi`` for one of the newer MI providers (``MSFT_*`` classes in ``root/StandardCimv2``).
    ``operation`` and ``provider_name`` only fill the ``__ExtendedStatus`` of some forms.
    """

    def __init__(
        self,
        hresult: int,
        text: str,
        kind: FaultKind = "provider",
        *,
        operation: str = "",
        provider_name: str = "",
        parameter_info: str = "",
    ) -> None:
        super().__init__(f"0x{hresult & 0xFFFFFFFF:08X} {text}")
        self.hresult = hresult & 0xFFFFFFFF
        self.text = text
        self.kind: FaultKind = kind
        self.operation = operation
        self.provider_name = provider_name
        self.parameter_info = parameter_info


WBEM_E_FAILED = 0x80041001
WBEM_E_NOT_FOUND = 0x80041002
WBEM_E_ACCESS_DENIED = 0x80041003
WBEM_E_PROVIDER_FAILURE = 0x80041004
WBEM_E_TYPE_MISMATCH = 0x80041005
WBEM_E_INVALID_PARAMETER = 0x80041008
WBEM_E_INVALID_NAMESPACE = 0x8004100E
WBEM_E_INVALID_CLASS = 0x80041010
WBEM_E_NOT_SUPPORTED = 0x8004100C
WBEM_E_INVALID_QUERY = 0x80041017
WBEM_E_READ_ONLY = 0x80041023
WBEM_E_PROVIDER_NOT_CAPABLE = 0x80041024
WBEM_E_INVALID_METHOD = 0x8004102E
WBEM_E_INVALID_METHOD_PARAMETERS = 0x8004102F


class Backend(Protocol):
    """One simulated Windows host as WMI shows it.

    All names are compared without case by the host. Every operation may raise :class:`WmiError`; calls of several
    connections come from several threads at once, so a host guards its own state.
    """

    @property
    def hostname(self) -> str:
        """The DNS name of the host, as faults print it in ``Machine``."""

    @property
    def os_version(self) -> str:
        """``major.minor.build`` of Windows, such as ``10.0.20348``; also decides limits of the WinRM service."""

    @property
    def language(self) -> str:
        """The language of messages: ``en-US`` or ``de-DE``."""

    @property
    def seed(self) -> int:
        """Chooses among the wire forms that no source proves; the same seed gives the same forms."""

    @property
    def allows_unencrypted(self) -> bool:
        """WinRM's ``Service/AllowUnencrypted``: Basic and plain bodies over HTTP."""

    def trusts(self, user: str) -> bool:
        """Whether the account is the host's own or of its domain; any other has no way to log on, whatever its password."""

    def is_administrator(self, user: str) -> bool:
        """Whether an authenticated user (``DOMAIN\\name``, ``name@REALM`` or ``name``) may use WMI remotely."""

    def has_namespace(self, namespace: str) -> bool:
        """Whether there is a WMI namespace of that name."""

    def cim_class(self, namespace: str, name: str) -> CimClass | None:
        """The class, or None if the namespace or the class does not exist."""

    def instances(self, namespace: str, class_name: str, equal: Mapping[str, object] | None = None) -> Sequence[Mapping[str, Any]]:
        """All instances, as properties by repository name; computed when asked.

        ``equal`` is a hint: the query only wants instances with these property values (names in lower case, strings in
        the query's own case). A host may ignore it; the front end filters again.
        """

    def get(self, namespace: str, class_name: str, selectors: Mapping[str, str]) -> Mapping[str, Any]:
        """One instance by its keys (text, as on the wire). Raises ``WBEM_E_NOT_FOUND`` when there is none."""

    def put(self, namespace: str, class_name: str, selectors: Mapping[str, str], properties: Mapping[str, Any]) -> Mapping[str, Any]:
        """Write the properties given, typed by the class, and return the instance as it is then."""

    def invoke(
        self,
        namespace: str,
        class_name: str,
        selectors: Mapping[str, str] | None,
        method: str,
        arguments: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """Run a method; names of method and arguments are the class's own, arguments are typed by ``Method.inputs``.

        An argument that the request leaves out, or gives as nil, is absent or None. ``selectors`` is None for a static
        call. Returns ``ReturnValue`` (unless ``return_type`` is None) and the out parameters.
        """


@dataclass
class Directory:
    """The hosts behind one server, by the IPv4 address that a client connects to; unknown addresses are hung up on.

    Change ``hosts`` while the server runs to stop and start hosts; reading a dict entry is atomic in CPython.
    """

    hosts: dict[str, Backend] = field(default_factory=dict)

    def find(self, address: str) -> Backend | None:
        """The host at an address, or None."""
        return self.hosts.get(address)
