# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WMI classes in use: their properties, methods and types.

Sources: the MOF of SppWmi.dll (SoftwareLicensing*), MSFT_NetFirewallRule and MSFT_NetTCPConnection in root/StandardCimv2, CIMWin32
and StdRegProv as Microsoft's WMI reference documents them. Only what the collection uses is listed; which Windows has it, versions.py
says.
"""

from __future__ import annotations

from ..._wsman.cim import CimClass, Method
from . import forms

HKEY_LOCAL_MACHINE = 2147483650

# The service has them for all products, and each product for itself.
_CLIENT_METHODS = {
    "SetKeyManagementServiceMachine": Method({"MachineName": "string"}),
    "ClearKeyManagementServiceMachine": Method(),
    "SetKeyManagementServicePort": Method({"PortNumber": "uint32"}),
    "ClearKeyManagementServicePort": Method(),
    "SetKeyManagementServiceLookupDomain": Method({"LookupDomain": "string"}),
    "ClearKeyManagementServiceLookupDomain": Method(),
    "SetVLActivationTypeEnabled": Method({"ActivationType": "uint32"}),
    "ClearVLActivationTypeEnabled": Method(),
}

SOFTWARE_LICENSING_SERVICE = CimClass(
    "SoftwareLicensingService",
    properties={
        "Version": "string",
        "ClientMachineID": "string",
        "IsKeyManagementServiceMachine": "uint32",
        "KeyManagementServiceDnsPublishing": "boolean",
        "KeyManagementServiceHostCaching": "boolean",
        "KeyManagementServiceLowPriority": "boolean",
        "KeyManagementServiceListeningPort": "uint32",
        "VLActivationInterval": "uint32",
        "VLRenewalInterval": "uint32",
        "RemainingWindowsReArmCount": "uint32",
        "KeyManagementServiceCurrentCount": "uint32",
        "KeyManagementServiceTotalRequests": "uint32",
        "KeyManagementServiceFailedRequests": "uint32",
        "KeyManagementServiceUnlicensedRequests": "uint32",
        "KeyManagementServiceLicensedRequests": "uint32",
        "KeyManagementServiceOOBGraceRequests": "uint32",
        "KeyManagementServiceOOTGraceRequests": "uint32",
        "KeyManagementServiceNonGenuineGraceRequests": "uint32",
        "KeyManagementServiceNotificationRequests": "uint32",
        "DiscoveredKeyManagementServiceMachineName": "string",
        "DiscoveredKeyManagementServiceMachineIpAddress": "string",
        "DiscoveredKeyManagementServiceMachinePort": "uint32",
        "KeyManagementServiceMachine": "string",
        "KeyManagementServicePort": "uint32",
        "KeyManagementServiceLookupDomain": "string",
    },
    forms={
        "Version": forms.VERSION,
        "KeyManagementServiceListeningPort": forms.PORT,
        "KeyManagementServicePort": forms.PORT,
        "DiscoveredKeyManagementServiceMachinePort": forms.PORT,
    },
    methods={
        "InstallProductKey": Method({"ProductKey": "string"}),
        "RefreshLicenseStatus": Method(),
        "SetKeyManagementServiceListeningPort": Method({"PortNumber": "uint32"}),
        "SetVLActivationInterval": Method({"ActivationInterval": "uint32"}),
        "SetVLRenewalInterval": Method({"RenewalInterval": "uint32"}),
        "DisableKeyManagementServiceDnsPublishing": Method({"DisablePublishing": "boolean"}),
        "EnableKeyManagementServiceLowPriority": Method({"EnableLowPriority": "boolean"}),
        "ClearKeyManagementServiceListeningPort": Method(),
        **_CLIENT_METHODS,
        "DisableKeyManagementServiceHostCaching": Method({"DisableCaching": "boolean"}),
        "ClearProductKeyFromRegistry": Method(),
        "InstallLicense": Method({"License": "string"}),
        "ReArmWindows": Method(),
        "ReArmApp": Method({"ApplicationId": "string"}),
    },
)

SOFTWARE_LICENSING_PRODUCT = CimClass(
    "SoftwareLicensingProduct",
    properties={
        "ID": "string",
        "ApplicationID": "string",
        "Name": "string",
        "Description": "string",
        "LicenseFamily": "string",
        "LicenseIsAddon": "boolean",
        "LicenseStatus": "uint32",
        "LicenseStatusReason": "uint32",
        "GracePeriodRemaining": "uint32",
        "PartialProductKey": "string",
        "ProductKeyChannel": "string",
        "RequiredClientCount": "uint32",
        "OfflineInstallationId": "string",
        "ProductKeyID": "string",
        "IsKeyManagementServiceMachine": "uint32",
        "KeyManagementServiceMachine": "string",
        "KeyManagementServicePort": "uint32",
        "KeyManagementServiceLookupDomain": "string",
        "DiscoveredKeyManagementServiceMachineName": "string",
        "DiscoveredKeyManagementServiceMachinePort": "uint32",
        "VLActivationType": "uint32",
        "VLActivationTypeEnabled": "uint32",
        "ADActivationObjectName": "string",
        "ADActivationObjectDN": "string",
        "ADActivationCsvlkPid": "string",
        "ADActivationCsvlkSkuId": "string",
        "RemainingAppReArmCount": "uint32",
        "RemainingSkuReArmCount": "uint32",
    },
    forms={
        "ID": forms.KEY,
        "LicenseStatus": forms.ALWAYS,
        "GracePeriodRemaining": forms.MINUTES,
        "KeyManagementServicePort": forms.PORT,
        "DiscoveredKeyManagementServiceMachinePort": forms.PORT,
    },
    methods={
        "Activate": Method(),
        "UninstallProductKey": Method(),
        "DepositOfflineConfirmationId": Method({"InstallationId": "string", "ConfirmationId": "string"}),
        "ReArmSku": Method(),
        **_CLIENT_METHODS,
    },
)

TOKEN_ACTIVATION_LICENSE = CimClass(
    "SoftwareLicensingTokenActivationLicense",
    properties={
        "ID": "string",
        "ILID": "string",
        "ILVID": "uint32",
        "AuthorizationStatus": "uint32",
        "ExpirationDate": "datetime",
        "Description": "string",
        "AdditionalInfo": "string",
    },
    methods={"Uninstall": Method()},
)

STD_REG_PROV = CimClass(
    "StdRegProv",
    methods={
        "GetStringValue": Method({"hDefKey": "uint32", "sSubKeyName": "string", "sValueName": "string"}, {"sValue": "string"}),
        "CreateKey": Method({"hDefKey": "uint32", "sSubKeyName": "string"}),
        "SetStringValue": Method({"hDefKey": "uint32", "sSubKeyName": "string", "sValueName": "string", "sValue": "string"}),
        "GetMultiStringValue": Method({"hDefKey": "uint32", "sSubKeyName": "string", "sValueName": "string"}, {"sValue": "string[]"}),
        "SetMultiStringValue": Method({"hDefKey": "uint32", "sSubKeyName": "string", "sValueName": "string", "sValue": "string[]"}),
        "GetDWORDValue": Method({"hDefKey": "uint32", "sSubKeyName": "string", "sValueName": "string"}, {"uValue": "uint32"}),
        "SetDWORDValue": Method({"hDefKey": "uint32", "sSubKeyName": "string", "sValueName": "string", "uValue": "uint32"}),
        "DeleteValue": Method({"hDefKey": "uint32", "sSubKeyName": "string", "sValueName": "string"}),
        "EnumKey": Method({"hDefKey": "uint32", "sSubKeyName": "string"}, {"sNames": "string[]"}),
    },
)

NET_FIREWALL_RULE = CimClass(
    "MSFT_NetFirewallRule",
    namespace="root/StandardCimv2",
    properties={"Enabled": "uint16", "Profiles": "uint16"},
    forms={"Enabled": forms.SWITCH},
    methods={"Enable": Method(), "Disable": Method()},
)

NET_TCP_CONNECTION = CimClass(
    "MSFT_NetTCPConnection",
    namespace="root/StandardCimv2",
    properties={"LocalPort": "uint16"},
)

WIN32_SERVICE = CimClass(
    "Win32_Service",
    properties={"State": "string", "ProcessId": "uint32", "StartMode": "string"},
    forms={"State": forms.SERVICE_STATE, "StartMode": forms.START_MODE},
    methods={"StartService": Method(), "StopService": Method(), "ChangeStartMode": Method({"StartMode": "string"})},
)

WIN32_PROCESS = CimClass(
    "Win32_Process",
    properties={"ProcessId": "uint32"},
    methods={"Create": Method({"CommandLine": "string"}, {"ProcessId": "uint32"})},
)

WIN32_NT_LOG_EVENT = CimClass(
    "Win32_NTLogEvent",
    properties={"EventCode": "uint16", "InsertionStrings": "string[]", "TimeGenerated": "datetime"},
)

WIN32_OPERATING_SYSTEM = CimClass(
    "Win32_OperatingSystem",
    properties={
        "Caption": "string",
        "Version": "string",
        "BuildNumber": "string",
        "ProductType": "uint32",
        "CSName": "string",
        "LocalDateTime": "datetime",
        "LastBootUpTime": "datetime",
    },
    forms={
        "Version": forms.VERSION,
        "BuildNumber": forms.BUILD,
        "ProductType": forms.PRODUCT_TYPE,
        "LocalDateTime": forms.POINT_IN_TIME,
        "LastBootUpTime": forms.POINT_IN_TIME,
    },
    methods={"Reboot": Method()},
)

WIN32_NETWORK_ADAPTER_CONFIGURATION = CimClass(
    "Win32_NetworkAdapterConfiguration",
    methods={"SetDNSSuffixSearchOrder": Method({"DNSDomainSuffixSearchOrder": "string[]"})},
)

WIN32_COMPUTER_SYSTEM = CimClass(
    "Win32_ComputerSystem",
    properties={"DNSHostName": "string", "Domain": "string", "PartOfDomain": "boolean"},
    forms={"PartOfDomain": forms.ALWAYS},
)
