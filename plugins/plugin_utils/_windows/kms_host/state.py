# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a KMS host should be, and what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from ..._licensing.channels import Channel
from ..._licensing.kms import effective_port
from ..._licensing.publish_list import ListWish
from ..._wsman.cim import Value
from ..platform.firewall import FirewallRule
from ..platform.returned import number
from ..platform.versions import WindowsVersion
from ..spp import licensing
from ..spp.licensing import Product
from ..spp.offline_activation import Confirmation
from .publish_list import HeldList


@dataclass(frozen=True, slots=True)
class HostSetting:
    """A setting of SoftwareLicensingService that its methods change.

    Attributes:
        attribute: Its name in a plan.
        column: The property that holds it.
        method: What sets it.
        parameter: The method's parameter.
        inverted: The method takes the opposite of the property.
        needs_restart: sppsvc takes it up only when it starts (slmgr.vbs says so after each host option; the service
            reads intervals with each request).
    """

    attribute: str
    column: str
    method: str
    parameter: str
    inverted: bool = False
    needs_restart: bool = True


SETTINGS: Mapping[str, HostSetting] = {
    "listening_port": HostSetting(
        "listening port", "KeyManagementServiceListeningPort", "SetKeyManagementServiceListeningPort", "PortNumber"
    ),
    "dns_publishing": HostSetting(
        "DNS publishing",
        "KeyManagementServiceDnsPublishing",
        "DisableKeyManagementServiceDnsPublishing",
        "DisablePublishing",
        inverted=True,
    ),
    "low_priority": HostSetting(
        "low priority", "KeyManagementServiceLowPriority", "EnableKeyManagementServiceLowPriority", "EnableLowPriority"
    ),
    "activation_interval": HostSetting(
        "activation interval", "VLActivationInterval", "SetVLActivationInterval", "ActivationInterval", needs_restart=False
    ),
    "renewal_interval": HostSetting(
        "renewal interval", "VLRenewalInterval", "SetVLRenewalInterval", "RenewalInterval", needs_restart=False
    ),
}


@dataclass(frozen=True, slots=True)
class KmsHostWish:
    """What a KMS host should be. What is C(None) or C(False) is left as it is.

    Attributes:
        product_key: The CSVLK.
        replace_key: Whether it may take the place of another one by which the host is licensed.
        settings: Values by their name in SETTINGS.
        activate: Activate with Microsoft where the host is not licensed.
        confirmation: Activate with this confirmation ID instead.
        publish_list: The lines of DnsDomainPublishList.
        firewall: Open the KMS exception of the firewall.
        netsh: Whether netsh may be started for it where Windows has no class for rules.
        after_step: The earlier step that check mode takes as made, where the host does not hold a CSVLK yet.
        absent: It should be no KMS host at all; C(firewall) closes the exception then, and C(product_key) replaces the CSVLK.
    """

    product_key: str | None = None
    replace_key: bool = False
    settings: Mapping[str, int | bool] = field(default_factory=dict)
    activate: bool = False
    confirmation: Confirmation | None = None
    publish_list: ListWish | None = None
    firewall: bool = False
    netsh: bool = False
    after_step: str = ""
    absent: bool = False


@dataclass(slots=True)
class HostState:
    """What was read from a KMS host, as far as the wish needs it.

    Attributes:
        product: Windows itself; C(None) where it holds no key.
        others: The other products that hold a key.
        service: SoftwareLicensingService.
        version_values: The values by which monitoring finds KMS hosts, by registry key.
        rules: The firewall's exceptions for a KMS.
        publish_list: DnsDomainPublishList.
    """

    product: Product | None = None
    others: tuple[Product, ...] = ()
    service: dict[str, Value] = field(default_factory=dict)
    version_values: dict[str, str | None] = field(default_factory=dict)
    rules: dict[str, FirewallRule] = field(default_factory=dict)
    publish_list: HeldList = field(default_factory=HeldList)

    @property
    def version(self) -> str:
        """The service's version, which is its key."""
        return str(self.service["Version"])

    @property
    def windows(self) -> WindowsVersion | None:
        """The version of Windows, where the service was read."""
        return licensing.version_of(self.service) if self.service else None

    @property
    def has_csvlk(self) -> bool:
        """Whether the installed key makes this computer a KMS host."""
        return self.product is not None and self.product.channel is Channel.CSVLK

    @property
    def port(self) -> int:
        """The TCP port of the KMS that is set now."""
        return effective_port(number(self.service["KeyManagementServiceListeningPort"]))

    def setting(self, name: str) -> int | bool:
        """The value of one of SETTINGS that is set now."""
        return self.port if name == "listening_port" else cast("int | bool", self.service[SETTINGS[name].column])

    @property
    def licensed(self) -> bool:
        """Whether the host is activated as a KMS host."""
        return self.has_csvlk and self.product is not None and self.product.licensed
