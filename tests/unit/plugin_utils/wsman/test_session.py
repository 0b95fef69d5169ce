# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session over a carrier that answers from a script, and the requests that it writes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import namespaces as ns
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.carrier import HttpError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.cim import CimClass, Method
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.fault import WsmanFault
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session, UnknownOutcome

pytestmark = pytest.mark.tier("quick")

THING = CimClass(
    "Win32_Thing",
    properties={"Name": "string", "Size": "uint64"},
    methods={"Grow": Method({"By": "uint32", "Names": "string[]", "Why": "string"}, {"Size": "uint64"})},
)
URI = f"{ns.WMI}/root/cimv2/Win32_Thing"
Answer = Callable[[ET.Element], bytes] | Exception


class Script:
    """A carrier with one answer per message."""

    endpoint = "http://host:5985/wsman"

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.sent: list[ET.Element] = []
        self.reconnects = 0

    def send(self, message: bytes) -> bytes:
        self.sent.append(ET.fromstring(message))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer(self.sent[-1])

    def reconnect(self) -> None:
        self.reconnects += 1

    def close(self) -> None:
        pass


def body(text: str) -> Answer:
    """An answer with this body, related to whatever was asked."""

    def answer(request: ET.Element) -> bytes:
        message_id = request.findtext(f".//{{{ns.ADDRESSING}}}MessageID")
        return (
            f'<s:Envelope xmlns:s="{ns.SOAP}" xmlns:a="{ns.ADDRESSING}" xmlns:n="{ns.ENUMERATION}" xmlns:w="{ns.WSMAN}" xmlns:xsi="{ns.XSI}">'
            f"<s:Header><a:RelatesTo>{message_id}</a:RelatesTo></s:Header><s:Body>{text}</s:Body></s:Envelope>"
        ).encode()

    return answer


def fault(subcode: str, code: int) -> Answer:
    return body(
        f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code><s:Reason/>"
        f'<s:Detail><f:WSManFault xmlns:f="{ns.WSMAN_FAULT}" Code="{code}"/></s:Detail></s:Fault>'
    )


def header(request: ET.Element, name: str) -> str:
    return request.findtext(f"{{{ns.SOAP}}}Header/{name}", "")


ROW = "<w:XmlFragment><Name>{}</Name><Size>{}</Size></w:XmlFragment>"


def test_a_query_of_one_page_is_one_request():
    script = Script(
        body(f"<n:EnumerateResponse><w:Items>{ROW.format('a', 1)}</w:Items><n:EnumerationContext/><w:EndOfSequence/></n:EnumerateResponse>")
    )
    session = Session(script, "host")
    assert session.query(THING, ["Name", "Size"], "Size < 5 and Name <> 'b'") == [{"Name": "a", "Size": 1}]
    assert session.requests == 1
    request = script.sent[0]
    assert header(request, f"{{{ns.ADDRESSING}}}Action") == ns.ENUMERATE
    assert header(request, f"{{{ns.WSMAN}}}ResourceURI") == f"{ns.WMI}/root/cimv2/*"
    assert request.find(f".//{{{ns.WSMAN}}}Filter").text == "select Name,Size from Win32_Thing where Size < 5 and Name <> 'b'"
    assert request.find(f".//{{{ns.WSMAN}}}SelectorSet") is None
    assert re.fullmatch(r"uuid:[0-9A-F-]{36}", header(request, f"{{{ns.ADDRESSING}}}MessageID"))


def test_pages_are_pulled_with_the_newest_context_until_the_end():
    script = Script(
        body(
            f"<n:EnumerateResponse><n:EnumerationContext>uuid:1</n:EnumerationContext><w:Items>{ROW.format('a', 1)}</w:Items></n:EnumerateResponse>"
        ),
        body(
            f"<n:PullResponse><n:EnumerationContext>uuid:2</n:EnumerationContext><n:Items>{ROW.format('b', 2)}</n:Items></n:PullResponse>"
        ),
        body(f"<n:PullResponse><n:Items>{ROW.format('c', 3)}</n:Items><n:EndOfSequence/></n:PullResponse>"),
    )
    assert [row["Name"] for row in Session(script, "host").query(THING, ["Name"])] == ["a", "b", "c"]
    contexts = [request.findtext(f".//{{{ns.ENUMERATION}}}EnumerationContext") for request in script.sent[1:]]
    assert contexts == ["uuid:1", "uuid:2"]


def test_a_query_whose_rows_cant_be_read_is_released_and_the_reason_told():
    items = f"<w:Items>{ROW.format('a', 'x')}</w:Items>"
    bad = body(f"<n:EnumerateResponse><n:EnumerationContext>uuid:1</n:EnumerationContext>{items}</n:EnumerateResponse>")
    for answer in (body(""), fault("w:InternalError", 1)):
        script = Script(bad, answer)
        with pytest.raises(ActivationError, match="uint64"):
            Session(script, "host").query(THING, ["Name", "Size"])
        release = script.sent[1]
        assert header(release, f"{{{ns.ADDRESSING}}}Action") == ns.RELEASE
        assert release.findtext(f".//{{{ns.ENUMERATION}}}EnumerationContext") == "uuid:1"


def test_a_method_sends_its_arguments_in_the_order_of_the_class_and_its_keys():
    script = Script(body(f'<p:Grow_OUTPUT xmlns:p="{URI}"><p:ReturnValue>0</p:ReturnValue><p:Size>7</p:Size></p:Grow_OUTPUT>'))
    answer = Session(script, "host").invoke(THING, "Grow", {"Why": None, "Names": ["x", "<y>"], "By": 3}, {"Name": 'a"&<'})
    assert answer == {"ReturnValue": 0, "Size": 7}
    request = script.sent[0]
    assert header(request, f"{{{ns.ADDRESSING}}}Action") == f"{URI}/Grow"
    selector = request.find(f".//{{{ns.WSMAN}}}Selector")
    assert (selector.get("Name"), selector.text) == ("Name", 'a"&<')
    content = request.find(f"{{{ns.SOAP}}}Body")[0]
    assert content.tag == f"{{{URI}}}Grow_INPUT"
    assert [(child.tag.rpartition("}")[2], child.text, child.get(f"{{{ns.XSI}}}nil")) for child in content] == [
        ("By", "3", None),
        ("Names", "x", None),
        ("Names", "<y>", None),
        ("Why", None, "true"),
    ]


def test_an_argument_that_the_method_lacks_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        Session(Script(), "host").invoke(THING, "Grow", {"by": 3})


def test_a_method_whose_answer_was_lost_is_not_called_again():
    script = Script(UnknownOutcome("the connection broke"))
    with pytest.raises(UnknownOutcome):
        Session(script, "host").invoke(THING, "Grow", {"By": 1})
    assert len(script.sent) == 1


def test_a_query_whose_answer_was_lost_is_asked_again_over_a_new_connection():
    script = Script(UnknownOutcome("the connection broke"), body("<n:EnumerateResponse><w:EndOfSequence/></n:EnumerateResponse>"))
    assert Session(script, "host").query(THING, ["Name"]) == []
    assert script.reconnects == 1


def test_a_time_out_of_the_provider_is_an_unknown_outcome():
    with pytest.raises(UnknownOutcome, match="60 seconds") as caught:
        Session(Script(fault("w:TimedOut", 2150858793)), "host").invoke(THING, "Grow", {"By": 1})
    assert caught.value.shown_code == "0x80338029"


def test_any_other_fault_is_raised_as_it_is():
    script = Script(fault("w:AccessDenied", 5))
    with pytest.raises(WsmanFault):
        Session(script, "host").invoke(THING, "Grow", {"By": 1})
    assert len(script.sent) == 1


def test_a_bare_400_after_an_idle_time_is_sent_again_once():
    script = Script(HttpError("400", 400), body(f'<p:Grow_OUTPUT xmlns:p="{URI}"><p:ReturnValue>0</p:ReturnValue></p:Grow_OUTPUT>'))
    assert Session(script, "host").invoke(THING, "Grow", {"By": 1})["ReturnValue"] == 0
    assert script.reconnects == 1
    script = Script(HttpError("400", 400), HttpError("400", 400))
    with pytest.raises(HttpError):
        Session(script, "host").invoke(THING, "Grow", {"By": 1})


def test_another_http_error_is_not_sent_again():
    script = Script(HttpError("413", 413))
    with pytest.raises(HttpError):
        Session(script, "host").query(THING, ["Name"])
    assert len(script.sent) == 1


def test_get_and_put_name_the_instance():
    script = Script(body(f'<p:Win32_Thing xmlns:p="{URI}"><p:Name>a</p:Name></p:Win32_Thing>'), body(""))
    session = Session(script, "host")
    assert session.get(THING, {"Name": "a"}) == {"Name": "a", "Size": None}
    session.put(THING, {"Name": "a"}, {"Size": 9})
    assert [header(request, f"{{{ns.ADDRESSING}}}Action") for request in script.sent] == [ns.GET, ns.PUT]
    assert script.sent[1].find(f"{{{ns.SOAP}}}Body")[0].tag == f"{{{URI}}}Win32_Thing"


def output(return_value: object) -> Answer:
    return body(f'<p:Grow_OUTPUT xmlns:p="{URI}"><p:ReturnValue>{return_value}</p:ReturnValue></p:Grow_OUTPUT>')


def test_a_return_value_with_the_high_bit_is_a_failure_with_a_name():
    with pytest.raises(WsmanFault, match=r"host: Win32_Thing\.Grow failed with 0xC004F050 \(SL_E_INVALID_PRODUCT_KEY\): ") as caught:
        Session(Script(output(0xC004F050)), "host").invoke(THING, "Grow", {"By": 1})
    assert (caught.value.shown_code, caught.value.codes) == ("0xC004F050", [0xC004F050])


@pytest.mark.parametrize("code", [0, 1, 10, 0x7FFFFFFF])
def test_any_other_return_value_is_for_the_caller(code: int):
    assert Session(Script(output(code)), "host").invoke(THING, "Grow", {"By": 1})["ReturnValue"] == code


def unrelated(_request: ET.Element) -> bytes:
    return f'<s:Envelope xmlns:s="{ns.SOAP}"><s:Body/></s:Envelope>'.encode()


GARBAGE = [
    lambda _request: b"Bad gateway",
    lambda _request: b"<html/>",
    lambda _request: b'<!DOCTYPE x><s:Envelope xmlns:s="x"/>',
    unrelated,
]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_is_no_answer_leaves_a_method_unknown_and_a_query_to_be_asked_again(garbage: Callable[[ET.Element], bytes]):
    script = Script(garbage)
    with pytest.raises(
        UnknownOutcome, match=r"host: Win32_Thing\.Grow.* A second run reads the state before it does anything\.$"
    ) as caught:
        Session(script, "host").invoke(THING, "Grow", {"By": 1})
    assert not caught.value.at_work
    assert len(script.sent) == 1
    script = Script(garbage, body("<n:EnumerateResponse><w:EndOfSequence/></n:EnumerateResponse>"))
    assert Session(script, "host").query(THING, ["Name"]) == []
    assert script.reconnects == 1


def test_an_answer_to_something_else_is_none():
    """Everything in it would read as empty: no rows, a method that gave back nothing."""
    with pytest.raises(UnknownOutcome, match="one to something else \\(Shrink_OUTPUT\\)"):
        Session(Script(body(f'<p:Shrink_OUTPUT xmlns:p="{URI}"/>')), "host").invoke(THING, "Grow", {"By": 1})
    with pytest.raises(UnknownOutcome, match="one to something else \\(Grow_OUTPUT\\)"):
        Session(Script(output(0)), "host").query(THING, ["Name"])
    assert Session(Script(body(f'<p:grow_output xmlns:p="{URI.lower()}"/>')), "host").invoke(THING, "Grow", {"By": 1})["Size"] is None


def licensing(name: str) -> CimClass:
    return CimClass(f"SoftwareLicensing{name}", properties={"ID": "string"}, methods={"Activate": Method({}, {})})


@pytest.mark.parametrize(
    ("ask", "code", "advice"),
    [
        (lambda host: host.invoke(licensing("Product"), "Activate"), 2147944122, "TCP port 1688 of the KMS host"),
        (lambda host: host.query(licensing("Service"), ("ID",)), 2147944122, "restart Winmgmt"),
        (lambda host: host.query(THING, ("Name",)), 2147944122, "restart Winmgmt"),
        (lambda host: host.get(licensing("Service"), {"ID": "1"}), 2147944122, "restart Winmgmt"),
        (lambda host: host.invoke(licensing("Product"), "Activate"), 2147943458, "start type of sppsvc"),
        (lambda host: host.query(licensing("Product"), ("ID",)), 2147943458, "start type of sppsvc"),
        (lambda host: host.invoke(THING, "Grow", {"By": 1}), 2147943458, "a service that is needed for this is disabled"),
        (lambda host: host.query(licensing("Product"), ("ID",)), 2147942402, "slmgr.vbs /rilc"),
        (lambda host: host.query(THING, ("Name",)), 2147942402, "check that the host has the feature"),
    ],
)
def test_what_a_code_advises_fits_what_was_asked(ask: Callable[[Session], object], code: int, advice: str):
    with pytest.raises(WsmanFault) as caught:
        ask(Session(Script(fault("w:InternalError", code)), "host"))
    assert advice in caught.value.message
    assert ("1688" in caught.value.message) == ("1688" in advice)


def test_what_a_method_returns_advises_for_what_was_asked():
    answer = '<p:Activate_OUTPUT xmlns:p="x"><p:ReturnValue>2147944122</p:ReturnValue></p:Activate_OUTPUT>'
    with pytest.raises(WsmanFault, match="TCP port 1688"):
        Session(Script(body(answer)), "host").invoke(licensing("Product"), "Activate")


def test_what_timed_out_is_still_at_work():
    with pytest.raises(UnknownOutcome) as caught:
        Session(Script(fault("w:TimedOut", 2150858793)), "host").invoke(THING, "Grow", {"By": 1})
    assert caught.value.at_work


@pytest.mark.parametrize(("lost", "reconnects"), [(UnknownOutcome("no answer.", subject="host"), 1), (fault("w:TimedOut", 2150858793), 0)])
def test_what_comes_late_finds_nobody(lost: Any, reconnects: int):
    script = Script(lost)
    with pytest.raises(UnknownOutcome):
        Session(script, "host").invoke(THING, "Grow", {"By": 1})
    assert script.reconnects == reconnects


def test_a_lost_answer_says_what_was_asked():
    with pytest.raises(UnknownOutcome, match=r"^host: Win32_Thing\.Grow: the connection broke\. A second run"):
        Session(Script(UnknownOutcome("the connection broke.", subject="host")), "host").invoke(THING, "Grow", {"By": 1})
