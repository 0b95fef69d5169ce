# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings: no secret in them, names replaced consistently, and played back they answer as the host did."""

from __future__ import annotations

import json
import re
import stat
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import error_catalogue
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import namespaces as ns
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import recording
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.carrier import HttpError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.cim import CimClass, Method
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.fault import WsmanFault
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.masking import MASK, Aliases, Masker
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.replay import Replay, load
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session, UnknownOutcome

pytestmark = pytest.mark.tier("quick")

KEY = "BCDFG-HJKMP-QRTVW-XY234-6789B"
FULL, FOLDER, NO_FOLDER = "a disk that is full", "a folder in place of a file", "a folder that is not there"
OTHER_FILES = {
    "a file that is not JSON": "no JSON",
    "a file that is something else": json.dumps({"format": "x", "version": 1, "exchanges": []}),
    "a recording of a later version": json.dumps({"format": recording.FORMAT, "version": 2, "exchanges": []}),
}
REQUESTS = {"a recorded request with a document type": "<!DOCTYPE x><x/>", "a recorded request that is not XML": "x"}
WRITTEN = error_catalogue.paired("Recordings of a session", [FOLDER, NO_FOLDER, FULL, *OTHER_FILES, *REQUESTS])
MASKED_KEY = "XXXXX-XXXXX-XXXXX-XXXXX-6789B"
URI = f"{ns.WMI}/root/cimv2/Win32_Thing"
THING = CimClass("Win32_Thing", properties={"Name": "string", "CSName": "string"}, methods={"Install": Method({"ProductKey": "string"})})


def check(case: str, error: ActivationError, **known: object) -> None:
    assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN[case], error, **known)


class Host:
    """A carrier whose answers are written by a function of the request."""

    endpoint = "http://kms-1.contoso.com:5985/wsman"

    def __init__(self, answer: Callable[[str], str | bytes | Exception]) -> None:
        self.answer = answer
        self.reconnects = 0

    def send(self, message: bytes) -> bytes:
        request = message.decode()
        answer = self.answer(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, bytes):
            return answer
        # Windows writes the ID in the case that it likes.
        message_id = re.search("<a:MessageID>(.*?)</a:MessageID>", request)[1].lower()
        return (
            f'<s:Envelope xmlns:s="{ns.SOAP}" xmlns:a="{ns.ADDRESSING}" xmlns:w="{ns.WSMAN}" xmlns:n="{ns.ENUMERATION}" xmlns:xsi="{ns.XSI}">'
            f"<s:Header><a:RelatesTo>{message_id}</a:RelatesTo></s:Header><s:Body>{answer}</s:Body></s:Envelope>"
        ).encode()

    def reconnect(self) -> None:
        self.reconnects += 1

    def close(self) -> None:
        pass


def row(**values: str) -> str:
    properties = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
    return f"<n:EnumerateResponse><w:Items><w:XmlFragment>{properties}</w:XmlFragment></w:Items><w:EndOfSequence/></n:EnumerateResponse>"


def recorded(host: Host, work: Callable[[Session], object], secrets=(), replace=None, about=None):
    """A recording of this work, as a file would hold it."""
    session = Session(host, "kms-1")
    recorder = session.wrap_carrier(recording.Recorder)
    work(session)
    return json.loads(json.dumps(recording.document(recorder, about, secrets, replace)))


def names(session: Session) -> list[str]:
    return [str(found["Name"]) for found in session.query(THING, ["Name"])]


def test_what_was_recorded_is_answered_again():
    answers = iter(["a", "b"])
    document = recorded(Host(lambda _request: row(Name=next(answers))), lambda session: [names(session), names(session)])
    replay = Replay(document)
    assert replay.remaining == 2
    session = Session(replay, "elsewhere")
    assert [names(session), names(session)] == [["a"], ["b"]]
    assert replay.remaining == 0
    with pytest.raises(ActivationError, match=r"holds no .* answer to this request: .*Enumerate"):
        names(session)


def test_requests_are_told_apart_by_what_they_ask_not_by_their_order():
    document = recorded(
        Host(lambda request: row(Name="query")),
        lambda session: [session.query(THING, ["Name"]), session.query(THING, ["Name"], "Name='b'")],
    )
    session = Session(Replay(document), "kms-1")
    assert len(session.query(THING, ["Name"], "Name='b'")) == 1
    with pytest.raises(ActivationError, match="holds no"):
        session.query(THING, ["Name"], "Name='c'")


def test_selectors_and_arguments_belong_to_the_request():
    output = f'<p:Install_OUTPUT xmlns:p="{URI}"><p:ReturnValue>0</p:ReturnValue></p:Install_OUTPUT>'
    document = recorded(Host(lambda _request: output), lambda session: session.invoke(THING, "Install", {"ProductKey": KEY}, {"Name": "a"}))
    assert KEY not in json.dumps(document)
    for arguments, selectors in (({"ProductKey": KEY}, {"Name": "b"}), ({"ProductKey": KEY.replace("6789B", "6789C")}, {"Name": "a"})):
        with pytest.raises(ActivationError, match="holds no"):
            Session(Replay(document), "kms-1").invoke(THING, "Install", arguments, selectors)
    assert Session(Replay(document), "kms-1").invoke(THING, "Install", {"ProductKey": KEY}, {"name": "a"})["ReturnValue"] == 0


def test_a_fault_is_an_answer():
    fault = (
        "<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason/>"
        f'<s:Detail><f:WSManFault xmlns:f="{ns.WSMAN_FAULT}" Code="3221549136"/></s:Detail></s:Fault>'
    )

    def work(session: Session) -> None:
        with pytest.raises(WsmanFault):
            names(session)

    document = recorded(Host(lambda _request: fault), work)
    with pytest.raises(WsmanFault) as caught:
        names(Session(Replay(document), "kms-1"))
    assert caught.value.codes == [0xC004F050]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (HttpError("kms-1: HTTP 413.", 413), "http"),
        (UnknownOutcome("the connection broke"), "unknown"),
        (ActivationError("the certificate is wrong"), "failed"),
    ],
)
def test_an_error_of_the_carrier_is_raised_again(error: ActivationError, kind: str):
    def work(session: Session) -> None:
        with pytest.raises(type(error)):
            session.invoke(THING, "Install", {"ProductKey": KEY})

    document = recorded(Host(lambda _request: error), work)
    assert document["exchanges"][0]["error"]["kind"] == kind
    with pytest.raises(type(error), match=re.escape(error.message)) as caught:
        Session(Replay(document), "kms-1").invoke(THING, "Install", {"ProductKey": KEY})
    assert getattr(caught.value, "status", 413) == 413


def test_a_request_that_was_sent_twice_is_recorded_twice():
    answers = iter([HttpError("400", 400), row(Name="a")])
    host = Host(lambda _request: next(answers))
    document = recorded(host, names)
    assert host.reconnects == 1
    assert [list(exchange) for exchange in document["exchanges"]] == [["request", "seconds", "error"], ["request", "seconds", "answer"]]
    assert names(Session(Replay(document), "kms-1")) == ["a"]


@pytest.mark.parametrize("answer", [f"<x>{KEY}</x>".encode("utf-16"), f"<x>{KEY}</x>".encode("utf-16-le"), b"\xff\xfe", b"<x>\xe4</x>"])
def test_an_answer_that_is_not_utf_8_is_left_out_because_it_can_not_be_masked(answer: bytes):
    def work(session: Session) -> None:
        with pytest.raises(ActivationError):
            names(session)

    document = recorded(Host(lambda _request: answer), work)
    assert document["exchanges"][0]["error"]["kind"] == "unreadable"
    assert "answer" not in document["exchanges"][0]
    with pytest.raises(ActivationError, match="is not UTF-8"):
        names(Session(Replay(document), "kms-1"))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"<p:ProductKey>{KEY}</p:ProductKey>", f"<p:ProductKey>{MASKED_KEY}</p:ProductKey>"),
        (f"<p:K>{KEY.lower()}</p:K>", f"<p:K>{MASKED_KEY[:-5]}6789b</p:K>"),
        (f"<p:K>{KEY.replace('-', '')}</p:K>", f"<p:K>{MASKED_KEY}</p:K>"),
        (f"<p:K>{KEY.replace('-', chr(0x2013))}</p:K>", f"<p:K>{MASKED_KEY}</p:K>"),
        (f'<w:Selector Name="{KEY}">x</w:Selector>', f'<w:Selector Name="{MASKED_KEY}">x</w:Selector>'),
        (f"<!-- {KEY} --><a><![CDATA[<b {KEY}>]]></a>", f"<!-- {MASKED_KEY} --><a><![CDATA[<b {MASKED_KEY}>]]></a>"),
        ("<p:OA3xOriginalProductKey>odd</p:OA3xOriginalProductKey>", f"<p:OA3xOriginalProductKey>{MASK}</p:OA3xOriginalProductKey>"),
        (f"<OA3xOriginalProductKey>{KEY}</OA3xOriginalProductKey>", f"<OA3xOriginalProductKey>{MASK}</OA3xOriginalProductKey>"),
        (
            "<OA3xOriginalProductKeyPkPn>[4.0]</OA3xOriginalProductKeyPkPn>",
            "<OA3xOriginalProductKeyPkPn>[4.0]</OA3xOriginalProductKeyPkPn>",
        ),
    ],
)
def test_product_keys_keep_their_last_five_characters_only(text: str, masked: str):
    assert Masker().message(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "<p:ID>73111121-5638-40f6-bc11-f1d7b0d64300</p:ID>",
        "<p:ProductKeyID>00454-40000-00000-AA947</p:ProductKeyID>",
        "<p:PID>06401-00206-491-123456-03-1033-9600.0000-1842023</p:PID>",
        "<a:MessageID>uuid:D4909985-CE1E-48D4-9AEC-DAB0C34BD421</a:MessageID>",
        "<p:PartialProductKey>6789B</p:PartialProductKey>",
    ],
)
def test_what_only_looks_like_a_key_stays(text: str):
    assert Masker().message(text) == text


def test_names_of_the_protocol_are_not_masked_even_where_a_secret_is_part_of_them():
    text = f'<w:Selector xmlns:w="{ns.WSMAN}" Name="wsman">wsman</w:Selector><w:ResourceURI>{URI}</w:ResourceURI>'
    assert Masker(["wsman", "Win32_Thing", "Selector"]).message(text) == text.replace('"wsman">wsman<', f'"{MASK}">{MASK}<')


@given(st.text("aZ3&<>\"' ü", min_size=4), st.text("01"), st.text("01"))
def test_no_secret_comes_through(secret: str, before: str, after: str):
    value = before + secret + after
    shown = ET.fromstring(Masker([secret]).message(f"<a b={quoteattr(value)}>{escape(value)}</a>"))
    for masked in (shown.text, shown.get("b")):
        assert secret not in masked
        assert masked.startswith(before)
        assert masked.endswith(after)


def test_a_secret_is_masked_in_what_the_recorder_knew_and_in_messages_of_errors():
    def work(session: Session) -> None:
        with pytest.raises(ActivationError):
            names(session)

    host = Host(lambda _request: ActivationError("The gateway said: user svc, password Pa55-w<rd."))
    document = recorded(host, work, secrets=["pa55-W<rd", "x"], about={"rights": [f"no: Pa55-w<rd {KEY}", 5, None]})
    assert document["exchanges"][0]["error"]["message"] == f"The gateway said: user svc, password {MASK}."
    assert document["about"] == {"rights": [f"no: {MASK} {MASKED_KEY}", 5, None]}


def test_names_and_addresses_are_replaced_by_the_same_alias_everywhere():
    machine = '<f:WSManFault xmlns:f="x" Machine="KMS-2"/>'
    texts = [
        "<CSName>KMS-1</CSName><Domain>contoso.com</Domain>",
        "<p:KeyManagementServiceMachine>kms-3.emea.contoso.com</p:KeyManagementServiceMachine>",
        machine,
    ]
    masker = Masker(aliases=Aliases(texts, ["kms-1.contoso.com", "192.168.7.9", "fd00::9"], ["CONTOSO\\svc", "admin@FABRIKAM.COM"]))
    assert masker.text("kms-1.contoso.com") == "host1.domain1.example"
    assert masker.text("KMS-1$ kms-1 Kms-1.") == "host1$ host1 host1."
    assert masker.text("CONTOSO\\svc") == "DOMAIN1\\user1"
    assert masker.text("admin@fabrikam.com of FABRIKAM") == "user2@domain2.example of DOMAIN2"
    assert masker.text("kms-3.emea.contoso.com") == "host2.domain3.example"
    assert masker.message(machine) == machine.replace("KMS-2", "host3")
    assert masker.text("kms-10 my-kms-1 svchost") == "kms-10 my-kms-1 svchost"
    assert masker.text("192.168.7.9, 10.0.0.1, 192.168.7.9") == "192.0.2.1, 192.0.2.2, 192.0.2.1"
    assert masker.text("http://[fd00::9]:5985/wsman [fd00::9] ::1") == "http://[2001:db8::1]:5985/wsman [2001:db8::1] ::1"
    assert masker.text("10.0.20348.169 12:30:05 2026-01-01T12:30:05Z") == "10.0.20348.169 12:30:05 2026-01-01T12:30:05Z"
    assert masker.text("S-1-5-21-11-22-33-1105") == "S-1-5-21-1-1-1-1105"
    assert (
        masker.message("<ClientMachineID>abc</ClientMachineID>")
        == "<ClientMachineID>00000000-0000-0000-0000-000000000000</ClientMachineID>"
    )


def test_an_anonymised_recording_names_nobody_and_still_plays():
    host = Host(lambda _request: row(Name="kms-1.contoso.com", CSName="KMS-1"))
    document = recorded(
        host,
        lambda session: session.query(THING, ["Name", "CSName"]),
        replace=recording.Identities(("front",), ("CONTOSO\\svc",)),
        about={"endpoint": host.endpoint},
    )
    assert document["anonymised"]
    assert not re.search("contoso|kms-1|front", json.dumps(document), re.IGNORECASE)
    assert document["about"]["endpoint"] == "http://host1.domain1.example:5985/wsman"
    assert Session(Replay(document), "kms-1").query(THING, ["Name", "CSName"]) == [{"Name": "host1.domain1.example", "CSName": "host1"}]


def test_names_stay_unless_they_are_to_be_replaced():
    document = recorded(Host(lambda _request: row(Name="kms-1.contoso.com")), names)
    assert not document["anonymised"]
    assert names(Session(Replay(document), "kms-1")) == ["kms-1.contoso.com"]


def test_a_file_is_written_as_a_whole_and_for_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "record.json"
    path.write_text("before")
    path.chmod(0o644)
    document = recorded(Host(lambda _request: row(Name="ä")), names)
    recording.write(str(path), document)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load(path) == document
    monkeypatch.setattr(recording.os, "fsync", lambda _number: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ActivationError) as caught:
        recording.write(str(path), {})
    check(FULL, caught.value, path=path)
    assert load(path) == document
    assert [entry.name for entry in tmp_path.iterdir()] == ["record.json"]


def test_a_place_that_can_not_be_written_to_is_found_before_any_work(tmp_path: Path):
    recording.check_target(str(tmp_path / "new.json"))
    assert list(tmp_path.iterdir()) == []
    for case, path in ((FOLDER, tmp_path), (NO_FOLDER, tmp_path / "missing" / "new.json")):
        with pytest.raises(ActivationError) as caught:
            recording.check_target(str(path))
        check(case, caught.value, path=path)
    with pytest.raises(ActivationError, match="can't be written"):
        recording.write(str(tmp_path / "missing" / "new.json"), {})


@pytest.mark.parametrize(("case", "content"), [*OTHER_FILES.items(), ("a file that is something else", "[]")])
def test_another_file_is_refused(tmp_path: Path, case: str, content: str):
    path = tmp_path / "record.json"
    path.write_text(content)
    with pytest.raises(ActivationError) as caught:
        load(path)
    check(case, caught.value, path=path)


@pytest.mark.parametrize("case", REQUESTS)
def test_a_request_that_is_no_message_is_refused(case: str):
    with pytest.raises(ActivationError) as caught:
        Replay({"exchanges": [{"request": REQUESTS[case], "answer": "<x/>"}]})
    check(case, caught.value)
