# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read of answers that are faults, or no answers: the sentences of the error catalogue, through the whole session."""

from __future__ import annotations

import re
from collections.abc import Callable

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.meaning import describe
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.table import ROWS
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform.computer import read_operating_system
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.spp import licensing
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import namespaces as ns
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session, UnknownOutcome

pytestmark = pytest.mark.tier("quick")

KEY = "BCDFG-HJKMP-QRTVW-XY234-6789B"


def fault(detail: str, subcode: str = "w:InternalError", reason: str = "") -> str:
    """A body with a fault that has this detail."""
    return (
        f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="de-DE">{reason}</s:Text></s:Reason><s:Detail>{detail}</s:Detail></s:Fault>'
    )


def plain(code: int, message: str = "") -> str:
    """The first form."""
    return f'<f:WSManFault xmlns:f="{ns.WSMAN_FAULT}" Code="{code}" Machine="kms-1"><f:Message>{message}</f:Message></f:WSManFault>'


def of_provider(code: int, message: str) -> str:
    """The second form: the provider's own text."""
    return plain(code, f'<f:ProviderFault provider="WMI Provider" path="%systemroot%\\system32\\WsmWmiPl.dll">{message}</f:ProviderFault>')


def wmi_error(code: int) -> str:
    """The fourth form, that of the newer providers."""
    return (
        f'<p:MSFT_WmiError xmlns:p="{ns.WMI}/root/standardcimv2/MSFT_WmiError" xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"'
        f' b:IsCIM_Error="true"><p:CIMStatusCode>1</p:CIMStatusCode><p:MessageID>HRESULT 0x{code:08x}</p:MessageID>'
        f"<p:error_Code>{code}</p:error_Code></p:MSFT_WmiError>"
    )


UNKNOWN_TEXT = "Der WMI-Dienst hat einen unbekannten Fehler zurückgegeben: HRESULT 0xc004f0fe"
FAULTS = {
    "a plain fault": fault(plain(0x80338041, "Die Nachricht ist ungültig."), "w:SchemaValidationError"),
    "a fault in the provider's own words, which are German": fault(
        of_provider(0x80338102, "Der WMI-Dienst hat einen unbekannten Fehler zurückgegeben: HRESULT 0xc004f051")
    ),
    "a fault inside another one": fault(of_provider(0x8033811E, plain(0xC004F015, "Fehler"))),
    "a fault of the newer providers": fault(wmi_error(0xC004F025)),
    "a fault with a code that nobody knows, and a German text": fault(of_provider(0xC004F0FE, UNKNOWN_TEXT)),
    "a fault with a code that nobody knows, and no text": fault(plain(0xC004F0FE)),
    "a fault without a code": fault("", "a:ActionNotSupported", "Die Aktion wird nicht unterstützt."),
    "a fault without anything": fault(""),
    "a time-out of WinRM, while the work may go on": fault(plain(0x80338029, "Zeitüberschreitung."), "w:TimedOut"),
    "too many shells of others": fault(plain(0x803381A5), "w:QuotaLimit"),
}
"""The forms of docs/facts/wire-faults.md#forms and what else a fault can be, as answers to InstallProductKey."""

RIGHTS = {
    "an account without rights on WMI": 0x80041003,
    "an account that WinRM does not let through to WMI": 0x80338104,
}

SPOILT = {
    "an answer to another request": lambda answer: re.sub(
        "(<a:RelatesTo>)[^<]*", r"\g<1>uuid:00000000-0000-0000-0000-000000000000", answer
    ),
    "an answer that relates to nothing": lambda answer: re.sub("<a:RelatesTo>.*</a:RelatesTo>", "", answer),
    "an answer with a document type": lambda answer: f"<!DOCTYPE s>{answer}",
    "an answer that is not XML": lambda _answer: "Service Unavailable: the proxy is tired & <not> XML",
    "an answer in an encoding that there is not": lambda answer: f'<?xml version="1.0" encoding="foo"?>{answer}',
    "an answer that is other XML": lambda _answer: "<html><head><title>It works!</title></head><body/></html>",
    "an answer to another method": lambda answer: answer.replace("<s:Body/>", "<s:Body><p:Other_OUTPUT xmlns:p='x'/></s:Body>"),
}
UNREADABLE = {
    "an answer to a query that holds a text where a number belongs": (
        "<n:EnumerateResponse><w:Items><w:XmlFragment><BuildNumber>20348</BuildNumber><ProductType>three</ProductType>"
        "<Version>10.0.20348</Version></w:XmlFragment></w:Items><w:EndOfSequence/></n:EnumerateResponse>"
    ),
}
MISSING = "a host whose WMI knows no operating system"

WRITTEN = error_catalogue.paired("Answers of WinRM and WMI", [*RIGHTS, *FAULTS, *SPOILT, *UNREADABLE, MISSING])


class Host:
    """A carrier that answers every request with the same body, and lets C(spoil) have a hand in it."""

    endpoint = "http://kms-1:5985/wsman"

    def __init__(self, body: str = "", spoil: Callable[[str], str] = lambda answer: answer) -> None:
        self.body = body
        self.spoil = spoil
        self.sent = 0

    def send(self, message: bytes) -> bytes:
        self.sent += 1
        message_id = re.search("<a:MessageID>(.*?)</a:MessageID>", message.decode())[1]
        answer = (
            f'<s:Envelope xmlns:s="{ns.SOAP}" xmlns:a="{ns.ADDRESSING}" xmlns:w="{ns.WSMAN}" xmlns:n="{ns.ENUMERATION}"><s:Header>'
            f"<a:RelatesTo>{message_id}</a:RelatesTo></s:Header>"
            + (f"<s:Body>{self.body}</s:Body>" if self.body else "<s:Body/>")
            + "</s:Envelope>"
        )
        return self.spoil(answer).encode()

    def reconnect(self) -> None:
        pass

    def close(self) -> None:
        pass


def install(session: Session) -> None:
    """A call that changes something, and so is never repeated."""
    licensing.call_service(session, "10.0.20348.1", "InstallProductKey", {"ProductKey": KEY})


def check(case: str, host: Host, work: Callable[[Session], object], sent: int = 1) -> ActivationError:
    with pytest.raises(ActivationError) as caught:
        work(Session(host, "kms-1.contoso.com"))
    assert error_catalogue.shown(caught.value) == error_catalogue.expected(WRITTEN[case], caught.value)
    assert host.sent == sent
    return caught.value


@pytest.mark.parametrize("case", FAULTS)
def test_each_form_of_a_fault_ends_in_one_sentence(case: str):
    check(case, Host(FAULTS[case]), install)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"0x{row[0]:08X}")
def test_every_code_of_the_table_gives_a_sentence_of_the_same_form(row: tuple[int, str, str, str, str]):
    """The catalogue has those that people meet most."""
    known = describe(row[0])
    assert known
    code, name, meaning, remedy = known.code, known.name, known.meaning, known.remedy
    if code in (0x80338029, 0xC004F075) or code < 0x80000000:
        # A time-out has a sentence of its own, a service that stops is asked again; the others are information.
        return
    with pytest.raises(ActivationError) as caught:
        install(Session(Host(fault(wmi_error(code))), "kms-1"))
    called = f" ({name})" if name else ""
    said = f"kms-1: SoftwareLicensingService.InstallProductKey failed with 0x{code:08X}{called}: {meaning}; {remedy}."
    assert error_catalogue.shown(caught.value) == {"says": said, "source": "windows", "code": f"0x{code:08X}", "name": name}
    assert not re.search(r"[.;:,]{2}|\s\s|\. [a-z]", said)


@pytest.mark.parametrize("case", RIGHTS)
def test_an_account_without_rights_is_told_which(case: str):
    check(case, Host(fault(of_provider(RIGHTS[case], "Zugriff verweigert"), "w:AccessDenied")), read_operating_system)


@pytest.mark.parametrize("case", SPOILT)
def test_what_is_no_answer_to_the_request_leaves_open_what_came_of_it(case: str):
    assert isinstance(check(case, Host(spoil=SPOILT[case]), install), UnknownOutcome)


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_in_an_answer_is_told_with_the_question(case: str):
    check(case, Host(UNREADABLE[case]), read_operating_system)


def test_a_computer_without_an_operating_system():
    check(MISSING, Host("<n:EnumerateResponse><w:Items/><w:EndOfSequence/></n:EnumerateResponse>"), read_operating_system)
