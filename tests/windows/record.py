# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records what a real Windows answers, without ansible-core, which does not run on Windows.

    python record.py FILE

Runs on the Windows computer itself and talks to its WinRM listener on localhost, as the account in the environment
variables C(RECORD_USER) and C(RECORD_PASSWORD). It changes the computer a little (a registry key below HKLM\\SOFTWARE,
the KMS firewall rule, a restart of sppsvc) and puts key and rule back. Meant for machines that are thrown away, such as those of
hosted CI. Each part that fails is told and recorded; the others go on.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import typing as t
from collections.abc import Callable
from types import SimpleNamespace

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform import firewall, services
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform.classes import (
    HKEY_LOCAL_MACHINE,
    NET_FIREWALL_RULE,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.remoting.winrm_session import inspect_session
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp import license_changes, licensing
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp.license_info import read_license
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import recording
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.cim import CimClass, Method, Value
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.transport import describe_carrier, open_session

HOST = "localhost"
# It has the shape of a key and no check sum that fits.
WRONG_KEY = "BBBBB-BBBBB-BBBBB-BBBBB-BBBBB"
RULE = firewall.KMS_RULES[0]
KEY = "SOFTWARE\\winops-record"
LISTS: dict[str, list[str]] = {"two": ["one.example", "two.example"], "one": ["only.example"], "none": []}

_PLACE = {"hDefKey": "uint32", "sSubKeyName": "string"}
_VALUE = {**_PLACE, "sValueName": "string"}
REGISTRY = CimClass(
    "StdRegProv",
    methods={
        "CreateKey": Method(_PLACE),
        "DeleteKey": Method(_PLACE),
        "SetMultiStringValue": Method({**_VALUE, "sValue": "string[]"}),
        "GetMultiStringValue": Method(_VALUE, {"sValue": "string[]"}),
    },
)
# The collection only switches rules on.
RULES = dataclasses.replace(NET_FIREWALL_RULE, methods={"Enable": Method(), "Disable": Method()})


def connect(user: str, password: str) -> Session:
    """A session as the psrp connection plugin would set it up."""
    settings = {"server": HOST, "port": 5985, "username": user, "password": password, "ssl": False, "auth": "negotiate"}
    connection = SimpleNamespace(ansible_name="ansible.builtin.psrp", _build_kwargs=lambda: None, _psrp_conn_kwargs=settings)
    return open_session(connection, HOST)


def wrong_key(session: Session) -> None:
    """The fault that nobody has published."""
    version = str(licensing.read_service(session, ("Version",))["Version"])
    try:
        license_changes.install_key(session, version, WRONG_KEY)
    except ActivationError as fault:
        print(f"  as it should: {fault.message}")
    else:
        raise ActivationError("Windows took a key that is none.")


def multi_strings(session: Session) -> None:
    """Arrays of two, one and no elements, there and back."""
    place: dict[str, Value] = {"hDefKey": HKEY_LOCAL_MACHINE, "sSubKeyName": KEY}
    session.invoke(REGISTRY, "CreateKey", place)
    try:
        for name, values in LISTS.items():
            session.invoke(REGISTRY, "SetMultiStringValue", {**place, "sValueName": name, "sValue": list(values)})
            answer = session.invoke(REGISTRY, "GetMultiStringValue", {**place, "sValueName": name})
            print(f"  {name}: {answer}")
            if answer["sValue"] != values:
                raise ActivationError(f"{name} came back as {answer['sValue']}.")
    finally:
        session.invoke(REGISTRY, "DeleteKey", place)


def toggle_rule(session: Session) -> None:
    """The KMS rule the other way, and back."""
    before = firewall.read_rule(session, RULE)
    if not before:
        raise ActivationError(f"There is no rule {RULE}.")
    selectors = {"CreationClassName": f"MSFT|FW|FirewallRule|{RULE}", "PolicyRuleName": "", "SystemCreationClassName": "", "SystemName": ""}
    for method in ("Disable", "Enable") if before.enabled else ("Enable", "Disable"):
        session.invoke(RULES, method, selectors=selectors)
        print(f"  {method}: {firewall.read_rule(session, RULE)}")


PARTS: dict[str, Callable[[Session], object]] = {
    "license_info": read_license,
    "a wrong key": wrong_key,
    "registry lists": multi_strings,
    "a firewall rule": toggle_rule,
    "a service": lambda session: services.restart(session, services.SPPSVC),
}


def main(path: str) -> int:
    """The number of parts that failed. What was said until then is kept whatever happens."""
    password = os.environ["RECORD_PASSWORD"]
    about: dict[str, t.Any] = {}
    failed: dict[str, str] = {}
    with connect(os.environ["RECORD_USER"], password) as session:
        carrier = session.carrier
        recorder = session.wrap_carrier(recording.Recorder)
        try:
            about = inspect_session(session, lambda: describe_carrier(carrier), ansible_core="")
            for name, part in PARTS.items():
                print(name)
                try:
                    part(session)
                except ActivationError as error:
                    failed[name] = error.message
                    print(f"  failed: {error.message}")
        finally:
            recording.write(path, recording.document(recorder, {**about, "failed": failed}, [password]))
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
