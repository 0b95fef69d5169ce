# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs that install and remove keys and licenses.

After each change of a key slmgr.vbs marks KMS hosts in the registry for monitoring, and takes the mark from all others.
"""

from __future__ import annotations

from collections.abc import Callable

from ..._core.errors import ActivationError
from ..._core.plan import Plan, Step
from ..._licensing.channels import Channel
from ..._licensing.kms import is_office
from ..._licensing.product_keys import last_five
from ..._licensing.setup_keys import by_key
from ..spp import license_changes, licensing, version_values
from .state import SlmgrHost
from .work import VerbRequest, Work


def ipk(machine: SlmgrHost, request: VerbRequest) -> Work:
    """A product key, which decides itself to which product it belongs."""
    key: str = request.options["product_key"]
    work = Work()
    if machine.holds(last_five(key)):
        work.plan = _marks(machine)
        return work
    _spare_a_kms_host(machine, request)
    step = _key_step(machine, last_five(key), installs=True)
    work.plan.add(step, lambda: license_changes.install_key(machine.session, machine.version, key))
    work.predict = machine.plan_key
    work.follow_up = lambda: _marks(machine)
    work.verify = lambda: (
        [] if machine.holds(last_five(key)) else [f"the product key that ends in {last_five(key)}, which no product holds"]
    )
    return work


def _spare_a_kms_host(machine: SlmgrHost, request: VerbRequest) -> None:
    """Refuse a key that would end a KMS host which serves. Of a key that Microsoft does not publish nobody knows what it replaces."""
    key: str = request.options["product_key"]
    known = by_key(key)
    for product in (sku.product for sku in machine.skus):
        elsewhere = known is not None and known.for_office != is_office(product.application_id)
        if product.channel is Channel.CSVLK and product.licensed and not elsewhere and not request.options.get("replace_key"):
            raise ActivationError(
                f"{machine.host} is a licensed KMS host with the key that ends in {product.partial_key}, and ipk may replace that by the key that"
                f" ends in {last_five(key)}. Give ipk O(replace_key): true to let it.",
                source="options",
            )


def upk(machine: SlmgrHost, request: VerbRequest) -> Work:
    """No product key for a product any more."""
    work = Work()
    sku = machine.with_key(request.product_id)
    if sku is None:
        work.plan = _marks(machine)
        return work
    step = _key_step(machine, sku.product.partial_key, installs=False)
    work.plan.add(step, lambda: license_changes.uninstall_key(machine.session, machine.version, sku.id))
    work.predict = lambda: machine.remove(sku)
    work.follow_up = lambda: _marks(machine)
    work.verify = lambda: [f"the product key of {sku.shown}, which is still there"] if machine.with_key(sku.id.lower()) else []
    return work


def _key_step(machine: SlmgrHost, partial_key: str, installs: bool) -> Step:
    states = ("absent", "installed")
    before, after = states if installs else reversed(states)
    method = "SoftwareLicensingService.InstallProductKey" if installs else "SoftwareLicensingProduct.UninstallProductKey"
    return Step(machine.host, f"product key that ends in {partial_key}", before, after, method)


def _marks(machine: SlmgrHost) -> Plan:
    """The mark of KMS hosts as it has to be with the keys that are installed; nothing in a trial that can't know them."""
    plan = Plan()
    if machine.key_planned:
        return plan
    wanted = machine.version if machine.has_host_key else None
    for key, value in version_values.read(machine.session, machine.windows).items():
        if value == wanted:
            continue
        method = "StdRegProv.SetStringValue" if wanted else "StdRegProv.DeleteValue"
        plan.add(Step(machine.host, version_values.attribute(key), value, wanted, method), _marker(machine, key, wanted))
    return plan


def _marker(machine: SlmgrHost, key: str, wanted: str | None) -> Callable[[], None]:
    if wanted is None:
        return lambda: version_values.remove(machine.session, key)
    return lambda: version_values.write(machine.session, key, wanted)


def cpky(machine: SlmgrHost, _request: VerbRequest) -> Work:
    """Take the key out of the registry, where it is not needed once Windows is installed."""
    work = Work()
    step = Step(
        machine.host, "product key in the registry", None, "cleared", _service("ClearProductKeyFromRegistry"), decided_by_target=("before",)
    )
    work.plan.add(step, lambda: licensing.call_service(machine.session, machine.version, "ClearProductKeyFromRegistry", repeatable=True))
    return work


def ilc(machine: SlmgrHost, request: VerbRequest) -> Work:
    """A license file. Windows takes one that it has already once more, so that a lost answer is no harm."""
    name, text = request.options["license_file"]
    work = Work()
    step = Step(machine.host, f"license {name}", None, "installed", _service("InstallLicense"), decided_by_target=("before",))
    work.plan.add(
        step, lambda: licensing.call_service(machine.session, machine.version, "InstallLicense", {"License": text}, repeatable=True)
    )
    return work


def _service(method: str) -> str:
    return f"SoftwareLicensingService.{method}"
