# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML namespaces, action URIs and resource URI prefixes of WS-Management (docs/facts/wire.md#namespaces)."""

from __future__ import annotations

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
EVENTING = "http://schemas.xmlsoap.org/ws/2004/08/eventing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
MSWSMAN = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
WSMAN_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
CIM_BINDING = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"
CIM_COMMON = "http://schemas.dmtf.org/wbem/wscim/1/common"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"

ANONYMOUS = ADDRESSING + "/role/anonymous"

ACTION_ENUMERATE = ENUMERATION + "/Enumerate"
ACTION_PULL = ENUMERATION + "/Pull"
ACTION_RELEASE = ENUMERATION + "/Release"
ACTION_GET = TRANSFER + "/Get"
ACTION_PUT = TRANSFER + "/Put"
ACTION_CREATE = TRANSFER + "/Create"
ACTION_DELETE = TRANSFER + "/Delete"
ACTION_END = "http://schemas.microsoft.com/wbem/wsman/1/wsman/End"

FAULT_ADDRESSING = ADDRESSING + "/fault"
FAULT_ENUMERATION = ENUMERATION + "/fault"
FAULT_WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
FAULT_DETAIL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"

URI_WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
URI_DMTF = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
URI_SCHEMA = "http://schemas.dmtf.org/wbem/cim-xml/2/cim-schema/2/*"
URI_CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"
URI_FULL_DUPLEX = "http://schemas.microsoft.com/wbem/wsman/1/wsman/FullDuplex"
URI_SHELLS = ("http://schemas.microsoft.com/wbem/wsman/1/windows/shell", "http://schemas.microsoft.com/powershell/")

DIALECT_WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
DIALECT_SELECTOR = "http://schemas.dmtf.org/wbem/wsman/1/wsman/SelectorFilter"
