# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of every CIM type go to the lab as arguments and come back as they were: two writers and two readers agree."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.lab.fake_host import FakeHost
from unit.lab.in_process import seed_of, session_on

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.cim import CimClass, Embedded, Method, Reference, Value
from lab.wsman import backend as wmi
from lab.wsman.variants import TOPICS

pytestmark = pytest.mark.tier("test")

INTEGERS = {f"{sign}int{bits}": (sign == "s", bits) for sign in "us" for bits in (8, 16, 32, 64)}
SYSTEM = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_ComputerSystem"
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=20).map(
    lambda text: "".join(character for character in text if character >= " " or character in "\t\n\r")
)


def integers(signed: bool, bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else st.integers(0, 2**bits - 1)


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    **{name: integers(*parts) for name, parts in INTEGERS.items()},
    "string": TEXT,
    "boolean": st.booleans(),
    "real32": st.floats(allow_nan=False),
    "real64": st.floats(allow_nan=False),
    "char16": st.sampled_from("aä€<&5"),
    "datetime": st.datetimes(
        datetime.fromisoformat("1601-01-02"),
        datetime.fromisoformat("9998-01-01"),
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7))]),
    )
    | st.timedeltas(timedelta(0), timedelta(days=99_999_999)),
}
TYPES = [*SCALARS, *(f"{name}[]" for name in SCALARS)]
VALUES = {
    name: st.none() | (st.lists(SCALARS[name.removesuffix("[]")], max_size=3) if name.endswith("[]") else SCALARS[name]) for name in TYPES
}


def property_of(cim_type: str) -> str:
    return "P" + cim_type.replace("[]", "Array")


# The same three classes as the collection and as the lab describe them: a descriptor holds entries, and each of them a trustee.
TRUSTEE = CimClass("Win32_Trustee", {property_of(name): name for name in TYPES})
ENTRY = CimClass("Win32_ACE", {"Trustee": Embedded(TRUSTEE), "AccessMask": "uint32"})
DESCRIPTOR = CimClass("Win32_SecurityDescriptor", {"DACL": Embedded(ENTRY, is_array=True), "Owner": Embedded(TRUSTEE)})
PARAMETERS = {**TRUSTEE.properties, "Descriptor": Embedded(DESCRIPTOR), "System": "reference"}
ECHO = CimClass("Win32_Echo", methods={"Echo": Method(PARAMETERS, PARAMETERS)})

LAB_TRUSTEE = wmi.CimClass("root/cimv2", "Win32_Trustee", (), tuple(wmi.Property(property_of(name), name) for name in TYPES))
LAB_ENTRY = wmi.CimClass(
    "root/cimv2", "Win32_ACE", (), (wmi.Property("Trustee", "object", embedded=LAB_TRUSTEE), wmi.Property("AccessMask", "uint32"))
)
LAB_DESCRIPTOR = wmi.CimClass(
    "root/cimv2",
    "Win32_SecurityDescriptor",
    (),
    (wmi.Property("DACL", "object[]", embedded=LAB_ENTRY), wmi.Property("Owner", "object", embedded=LAB_TRUSTEE)),
)
LAB_PARAMETERS = (
    *LAB_TRUSTEE.properties,
    wmi.Property("Descriptor", "object", embedded=LAB_DESCRIPTOR),
    wmi.Property("System", "reference"),
)
LAB_ECHO = wmi.CimClass("root/cimv2", "Win32_Echo", (), (), (wmi.Method("Echo", LAB_PARAMETERS, LAB_PARAMETERS, static=True),))


class Echo(FakeHost):
    """Has one more class, whose method gives back its arguments."""

    def cim_class(self, namespace: str, name: str) -> wmi.CimClass | None:
        return LAB_ECHO if name == "Win32_Echo" else super().cim_class(namespace, name)

    def invoke(
        self, namespace: str, class_name: str, selectors: Mapping[str, str] | None, method: str, arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        self.calls.append((method, selectors, dict(arguments)))
        return {"ReturnValue": 0, **arguments}


def members(types: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the properties; what is left out is NULL."""
    return st.lists(st.sampled_from(sorted(types)), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: types[name] for name in names})
    )


TRUSTEES = members({property_of(name): values for name, values in VALUES.items()})
ENTRIES = members({"Trustee": st.none() | TRUSTEES, "AccessMask": VALUES["uint32"]})
DESCRIPTORS = members({"DACL": st.none() | st.lists(ENTRIES, max_size=2), "Owner": st.none() | TRUSTEES})


def completed(types: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """As it is read: with everything that the schema has, NULL where nothing was given."""
    return {name: _completed(cim_type, values.get(name)) for name, cim_type in types.items()}


def _completed(cim_type: Any, value: Any) -> Any:
    if isinstance(cim_type, Embedded):
        known = cim_type.cim_class.properties
        if cim_type.is_array:
            return [completed(known, entry) for entry in value or []]
        return None if value is None else completed(known, value)
    return [] if value is None and cim_type.endswith("[]") else value


@pytest.mark.parametrize("form", TOPICS["embedded instance"].variants)
@settings(max_examples=40)
@given(arguments=TRUSTEES, descriptor=st.none() | DESCRIPTORS, keys=st.dictionaries(st.sampled_from(["Name", "Domain"]), TEXT))
def test_what_is_sent_comes_back(form: str, arguments: dict[str, Any], descriptor: dict[str, Any] | None, keys: dict[str, str]) -> None:
    host = Echo(seed_of("embedded instance", form))
    given: dict[str, Value] = {**arguments, "Descriptor": descriptor, "System": Reference(SYSTEM, keys)}
    answer = session_on(host).invoke(ECHO, "Echo", given)
    assert answer.pop("ReturnValue") == 0
    assert answer == completed(PARAMETERS, given)
    # In between, the lab had them as values and not as text.
    given_there = host.calls[-1][2]
    assert {name: given_there[name] for name in arguments if arguments[name] != []} == {
        name: value for name, value in arguments.items() if value != []
    }


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"Pstring": "a\x00b"}, r"U\+0000"),
        ({"PstringArray": ["a", "\x1b"]}, r"U\+001B"),
        ({"Pstring": "\ud800"}, r"U\+D800"),
        ({"Puint32": [1, 2]}, "list does not fit into uint32"),
        ({"Puint32Array": 1}, "int is no array"),
        ({"Pdatetime": datetime.fromisoformat("2026-01-01")}, "datetime does not fit into datetime"),
        ({"Pdatetime": timedelta(seconds=-1)}, "timedelta does not fit"),
        ({"Pchar16": "ab"}, "str does not fit into char16"),
        ({"Descriptor": "O:BA"}, "str is no instance of Win32_SecurityDescriptor"),
        ({"Descriptor": {"Owner": {"Puint8": 256}}}, "int does not fit into uint8"),
    ],
)
def test_what_does_not_fit_is_not_sent(arguments: dict[str, Any], why: str) -> None:
    host = Echo()
    with pytest.raises(ActivationError, match=why):
        session_on(host).invoke(ECHO, "Echo", arguments)
    assert host.calls == []


def test_a_member_that_a_class_does_not_have_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError, match="Win32_Trustee has no Owner"):
        session_on(Echo()).invoke(ECHO, "Echo", {"Descriptor": {"Owner": {"Owner": 1}}})
