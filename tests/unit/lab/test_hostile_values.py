# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One odd value from a host ends a task with a result or with one clear sentence, in every module and for every property that is read."""

from __future__ import annotations

import random
from typing import Any

import error_catalogue
import pytest
from unit.lab.hostile_tasks import STORIES, Ended, Story, tell
from unit.lab.hostile_values import VALUES, Place, complaints

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform import firewall, registry
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform.classes import SOFTWARE_LICENSING_PRODUCT
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.fault import WsmanFault
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session, UnknownOutcome
from lab.wsman import namespaces as ns

pytestmark = pytest.mark.tier("test")

SEED = 20261130
SYSTEM, SERVICE, PRODUCT, RULE = "Win32_OperatingSystem", "SoftwareLicensingService", "SoftwareLicensingProduct", "MSFT_NetFirewallRule"

# What the task does, where the value stands, and the value.
EXAMPLES: dict[str, tuple[str, Place, str]] = {
    "a build number of letters": ("a KMS host is read", Place(SYSTEM, "BuildNumber"), "letters"),
    "a build number of superscript digits": ("a client is read", Place(SYSTEM, "BuildNumber"), "superscript digits"),
    "a build number of 6,000 digits": ("a client is read", Place(SYSTEM, "BuildNumber"), "6,000 digits"),
    "a clock at the end of the calendar": ("a client is read", Place(SYSTEM, "LocalDateTime"), "last second in the west"),
    "a clock at the beginning of the calendar": ("a client is read", Place(SYSTEM, "LocalDateTime"), "first second in the east"),
    "a clock that shows an interval": ("a session is checked", Place(SYSTEM, "LocalDateTime"), "interval"),
    "a grace period of 8,000 years": ("a KMS host is read", Place(PRODUCT, "GracePeriodRemaining"), "largest of 32 bits"),
    "a grace period of -1 minute": ("slmgr reads", Place(PRODUCT, "GracePeriodRemaining"), "minus one"),
    "a version that is none": ("a client is set up", Place(SERVICE, "Version"), "template"),
    "a licensing service without a version": ("a MAK is activated", Place(SERVICE, "Version"), "NULL"),
    "a kind of system that there is not": ("an image is generalized", Place(SYSTEM, "ProductType"), "past a port"),
    "a port past the last one": ("a KMS host is set up", Place(SERVICE, "KeyManagementServiceListeningPort"), "past a port"),
    "a license status that did not come": ("an old client is set up", Place(PRODUCT, "LicenseStatus"), "missing"),
    "several values for one": ("a KMS host is read", Place(SERVICE, "VLActivationInterval"), "array"),
    "an object in place of a value": ("a KMS host is read", Place(SYSTEM, "Caption"), "embedded object"),
    "a state of a service that there is not": ("a KMS host is undone", Place("Win32_Service", "State"), "letters"),
    "a firewall rule that is neither on nor off": ("a host is kept within reach", Place(RULE, "Enabled"), "zero"),
    "a registry value with another form": (
        "an image is generalized",
        Place("StdRegProv.GetStringValue", "sValue", "SystemRoot"),
        "path",
    ),
    "a registry value of another type": (
        "an image is generalized",
        Place("StdRegProv.GetDWORDValue", "uValue", "GeneralizationState"),
        "letters",
    ),
}


def spoken(ended: Ended) -> str:
    """What the task says of the odd value: as its failure, or where it goes on without, in its result."""
    if ended.result["failed"]:
        return str(ended.result["msg"])
    told = [*ended.shown, *_texts(ended.result)]
    return next(text for text in told if "does not fit its type" in text)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    entries = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for entry in entries for text in _texts(entry)]


GONE = "a firewall rule that is gone when it is switched"
BY_A_CARRIER = ("a method whose output does not fit", "an odd output of a method that only reads", GONE)
FAULTS = {
    "a fault whose code has 6,000 digits": "9" * 6000,
    "a fault whose code is superscript digits": "²³",
    "a fault with a code of a type that nobody knows": "NETSH 2",
    "a fault with an MI_Result that no HRESULT stands for": "MI 27",
}
WRITTEN = error_catalogue.paired("Odd values and codes of a host", [*EXAMPLES, *BY_A_CARRIER, *FAULTS])


@pytest.mark.parametrize("case", EXAMPLES)
def test_the_sentence_names_host_class_and_property(case: str):
    story, place, value = EXAMPLES[case]
    ended = tell(STORIES[story], place, value)
    assert ended.carrier.hits
    assert complaints(ended.result, ended.shown, ended.host, ended.carrier.log) == []
    assert spoken(ended) == error_catalogue.said(WRITTEN[case], host=ended.host)
    assert ended.seconds < 20


def share(story: Story, count: int) -> list[tuple[Place, str]]:
    """Some of all pairs of a place and a value, the same each time."""
    pairs = [(place, value) for place in tell(story).carrier.places for value in VALUES]
    return random.Random(SEED).sample(pairs, count)


def judge(story: Story, pairs: list[tuple[Place, str]], skip: int = 0) -> list[str]:
    found = []
    for place, value in pairs:
        ended = tell(story, place, value, skip)
        found += [f"{place} = {value}: {complaint}" for complaint in complaints(ended.result, ended.shown, ended.host, ended.carrier.log)]
    return found


@pytest.mark.parametrize("name", STORIES)
def test_a_task_on_a_sound_host_ends_as_its_story_says(name: str):
    ended = tell(STORIES[name])
    assert complaints(ended.result, ended.shown, ended.host, ended.carrier.log) == []
    assert ended.result["failed"] == STORIES[name].fails
    assert ended.carrier.places


@pytest.mark.parametrize("name", STORIES)
def test_some_odd_values(name: str):
    assert judge(STORIES[name], share(STORIES[name], 4)) == []


@pytest.mark.tier("soak")
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", STORIES)
def test_an_odd_value_in_every_property(name: str, value: str):
    story = STORIES[name]
    assert judge(story, [(place, value) for place in tell(story).carrier.places]) == []


@pytest.mark.tier("soak")
@pytest.mark.parametrize("name", [name for name, story in STORIES.items() if story.module != "license_info"])
def test_an_odd_value_that_comes_only_after_a_change(name: str):
    story = STORIES[name]
    for skip in (1, 2, 4):
        assert judge(story, share(story, 100), skip) == []


class Answering:
    """A carrier that answers everything with one body."""

    endpoint = "http://host:5985/wsman"

    def __init__(self, body: str) -> None:
        self._body = body

    def send(self, message: bytes) -> bytes:
        named = message.partition(b"MessageID>")[2].partition(b"<")[0].decode()
        return (
            f'<s:Envelope xmlns:s="{ns.SOAP}" xmlns:a="{ns.ADDRESSING}"><s:Header><a:RelatesTo>{named}</a:RelatesTo></s:Header>'
            f"<s:Body>{self._body}</s:Body></s:Envelope>"
        ).encode()

    def reconnect(self) -> None:
        pass

    def close(self) -> None:
        pass


def fault(text: str) -> str:
    """The body of a fault with that as its code, or with a type in front of it."""
    kind, _space, number = text.rpartition(" ")
    detail = f'<f:WSManFault xmlns:f="{ns.WSMAN_FAULT}" Code="{text}"><f:Message/></f:WSManFault>'
    if kind:
        lines = f"<p:error_Type>{kind}</p:error_Type><p:error_Code>{number}</p:error_Code>"
        detail = f'<p:MSFT_WmiError xmlns:p="{ns.URI_WMI}root/standardcimv2/MSFT_WmiError">{lines}</p:MSFT_WmiError>'
    return (
        "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>InternalError</s:Value></s:Subcode></s:Code>"
        f"<s:Detail>{detail}</s:Detail></s:Fault>"
    )


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_with_an_odd_code(case: str):
    with pytest.raises(WsmanFault) as caught:
        firewall.read_rule(Session(Answering(fault(FAULTS[case])), "kms-1"), "R")
    assert error_catalogue.shown(caught.value) == error_catalogue.expected(WRITTEN[case], caught.value)


@pytest.mark.parametrize("text", ["MI 6", "WIN32 2", "HRESULT 2147749890"])
def test_a_rule_that_is_gone_when_it_is_switched(text: str):
    with pytest.raises(ActivationError) as caught:
        firewall.switch_rule(Session(Answering(fault(text)), "kms-1"), firewall.FirewallRule("R", False, 0), True)
    expected = error_catalogue.expected(WRITTEN[GONE], caught.value) | {"code": caught.value.shown_code, "name": caught.value.name}
    assert error_catalogue.shown(caught.value) == expected


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("a KMS host is set up", Place(RULE, "Enabled")),
        ("a KMS host waits for its confirmation ID", Place(SERVICE, "Version")),
        ("a KMS host is undone", Place(RULE, "Enabled")),
        ("a client is set up", Place(PRODUCT, "LicenseStatus")),
    ],
)
def test_where_the_state_is_odd_after_the_changes_the_result_says_what_was_done(name: str, place: Place):
    ended = tell(STORIES[name], place, "letters", skip=1)
    assert "does not fit its type" in ended.result["msg"]
    assert ended.result["changed"]
    assert ended.result["error"]["done"]
    assert complaints(ended.result, ended.shown, ended.host, ended.carrier.log) == []


def activated(output: str) -> UnknownOutcome:
    """The error of an activation whose answer is this."""
    body = f'<p:Activate_OUTPUT xmlns:p="urn:x">{output}</p:Activate_OUTPUT>'
    with pytest.raises(UnknownOutcome) as caught:
        Session(Answering(body), "kms-1").invoke(SOFTWARE_LICENSING_PRODUCT, "Activate", selectors={"ID": "x"})
    return caught.value


def test_what_came_of_a_method_whose_output_does_not_fit_is_not_known():
    lost = activated("<p:ReturnValue>abc</p:ReturnValue>")
    assert error_catalogue.shown(lost) == error_catalogue.expected(WRITTEN["a method whose output does not fit"], lost)
    assert not lost.at_work
    for output in ("<p:ReturnValue>-99999999999</p:ReturnValue>", "<p:ReturnValue/>", "<p:ReturnValue>0</p:ReturnValue>" * 2):
        assert "ReturnValue does not fit" in activated(output).message


def test_an_odd_output_of_a_method_that_only_reads():
    body = '<p:GetDWORDValue_OUTPUT xmlns:p="urn:x"><p:ReturnValue>0</p:ReturnValue><p:uValue>1.5</p:uValue></p:GetDWORDValue_OUTPUT>'
    with pytest.raises(ActivationError) as caught:
        registry.read_number(Session(Answering(body), "kms-1"), "SOFTWARE\\X", "Y")
    case = WRITTEN["an odd output of a method that only reads"]
    assert error_catalogue.shown(caught.value) == error_catalogue.expected(case, caught.value)
