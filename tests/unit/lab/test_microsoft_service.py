# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BatchActivation of the laboratory, asked by openssl, urllib and xmllint."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from unit.lab.batch_client import HEADERS, ask, digest_of, envelope, field, inner, post

from lab.microsoft.server import BatchServer, microsoft_in_thread
from lab.microsoft.variants import TOPICS, seed_of
from lab.windows import data
from lab.windows.microsoft import Microsoft

pytestmark = pytest.mark.tier("test")

KEY = "mak_win_enterprise"


def left(microsoft: BatchServer, key: str = KEY) -> int:
    remaining: int = microsoft.microsoft.snapshot()[key]["remaining"]
    return remaining


def of(name: str) -> str:
    return data.key_named(name).key


def test_a_confirmation_id_is_given_and_counted(microsoft: BatchServer) -> None:
    sample = microsoft.sample(KEY, "pc-001")
    assert field(ask(microsoft, 1, sample.extended_pid, sample.installation_id), "CID") == sample.confirmation_id
    assert len(sample.confirmation_id) == 48 and len(sample.installation_id) == 63
    assert left(microsoft) == 49
    ask(microsoft, 1, sample.extended_pid, sample.installation_id)
    assert left(microsoft) == 48, "whoever asks twice for the same machine is seen"
    first, _second = microsoft.journal.entries
    assert (first.request_type, first.pid, first.iid, first.outcome, first.counted) == (
        1,
        sample.extended_pid,
        sample.installation_id,
        "confirmed",
        True,
    )


def test_an_old_windows_has_54_digits(microsoft: BatchServer) -> None:
    sample = microsoft.sample("mak_win7_enterprise", "pc-001", build="7601")
    assert len(sample.installation_id) == 54
    assert field(ask(microsoft, 1, sample.extended_pid, sample.installation_id), "CID") == sample.confirmation_id


def test_the_remaining_count_is_told_and_not_changed(microsoft: BatchServer) -> None:
    pid = microsoft.sample(KEY).extended_pid
    assert field(ask(microsoft, 2, pid), "ActivationRemaining") == "50"
    microsoft.microsoft.set_remaining(of(KEY), 3)
    assert field(ask(microsoft, 2, pid), "ActivationRemaining") == "3"
    assert (left(microsoft), microsoft.journal.entries[-1].outcome, microsoft.journal.entries[-1].counted) == (3, "remaining 3", False)


@pytest.mark.parametrize(
    ("key", "state", "code"),
    [
        (KEY, "blocked", "0x67"),
        (KEY, "invalid", "0x68"),
        ("csvlk_2022", "exhausted", "0x71"),
        (KEY, "exhausted", "0x7F"),
        (KEY, "wrong_type", "0x86"),
        (KEY, "rot_limit", "0xD5"),
        (KEY, "dmak_limit", "0xD6"),
        (KEY, "wrong_location", "0xC004C017"),
        (KEY, "outage", "0x80004003"),
        ("gvlk_windows_10_enterprise", "valid", "0x86"),
    ],
)
def test_the_state_of_a_key_decides_about_its_code(microsoft: BatchServer, key: str, state: str, code: str) -> None:
    before = microsoft.microsoft.snapshot()
    microsoft.microsoft.set_state(of(key), state)
    sample = microsoft.sample(key)
    answer = ask(microsoft, 1, sample.extended_pid, sample.installation_id)
    assert (field(answer, "ErrorCode").lower(), field(answer, "CID")) == (code.lower(), "")
    assert microsoft.microsoft.snapshot()[key]["activations"] == before[key]["activations"]
    assert microsoft.journal.entries[-1].outcome.lower() == code.lower()


def test_none_left_is_the_limit_of_the_mak(microsoft: BatchServer) -> None:
    microsoft.microsoft.set_remaining(of(KEY), 1)
    codes = []
    for number in range(2):
        sample = microsoft.sample(KEY, f"pc-{number}")
        codes.append(field(ask(microsoft, 1, sample.extended_pid, sample.installation_id), "ErrorCode").lower())
    assert codes == ["", "0x7f"]


def test_what_is_wrong_with_pid_and_installation_id(microsoft: BatchServer) -> None:
    sample, other = microsoft.sample(KEY), microsoft.sample("mak_win_professional")
    for pid, iid, code in (
        ("12345", sample.installation_id, "0x80131600"),
        (sample.extended_pid.replace("0012026", "0012026-9"), sample.installation_id, "0x80131600"),
        ("00000-00000-000-000000-03-1033-22631.0000-0012026", sample.installation_id, "0x68"),
        (sample.extended_pid, "1" * 63, "0x90"),
        (sample.extended_pid, sample.installation_id[:-1], "0x90"),
        (sample.extended_pid, other.installation_id, "0x90"),
        (sample.extended_pid, sample.installation_id[1:] + sample.installation_id[0], "0x90"),
    ):
        assert field(ask(microsoft, 1, pid, iid), "ErrorCode").lower() == code, (pid, iid)
    assert left(microsoft) == 50


def test_counts_of_blocked_and_unlimited_keys(microsoft: BatchServer) -> None:
    pid = microsoft.sample(KEY).extended_pid
    microsoft.microsoft.set_state(of(KEY), "unlimited")
    answer = ask(microsoft, 2, pid)
    assert (field(answer, "ActivationRemaining"), field(answer, "ErrorCode")) == ("-1", "")
    microsoft.microsoft.set_state(of(KEY), "blocked")
    for form, code in (("with the code", "0x67"), ("alone", "")):
        microsoft.service.seed = seed_of("blocked count", form)
        answer = ask(microsoft, 2, pid)
        assert (field(answer, "ActivationRemaining"), field(answer, "ErrorCode")) == ("-1", code)
    other = microsoft.sample("csvlk_2022").extended_pid
    assert field(ask(microsoft, 2, other), "ErrorCode") == "0x86", "the count is told of MAKs only"


def test_the_second_year_of_esu_breaks_the_service(microsoft: BatchServer) -> None:
    microsoft.microsoft.set_state(of("esu_windows_10_year_1"), "batch_http_500")
    sample = microsoft.sample("esu_windows_10_year_1", build="19045")
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(microsoft, 1, sample.extended_pid, sample.installation_id)
    assert caught.value.code == 500


@pytest.mark.parametrize(("topic", "name"), [(topic, name) for topic, row in TOPICS.items() for name in row.variants])
def test_every_form_of_an_answer_can_be_read(microsoft: BatchServer, topic: str, name: str) -> None:
    microsoft.service.seed = seed_of(topic, name)
    sample = microsoft.sample(KEY)
    assert field(ask(microsoft, 1, sample.extended_pid, sample.installation_id), "CID") == sample.confirmation_id
    assert field(ask(microsoft, 2, sample.extended_pid), "ActivationRemaining") == "49"
    refused = ask(microsoft, 1, sample.extended_pid, "1" * 63)
    assert (field(refused, "ErrorCode").lower(), field(refused, "CID")) == ("0x90", "")


@pytest.mark.parametrize(
    ("headers", "body", "status", "outcome"),
    [
        ({"Content-Type": "application/soap+xml; charset=utf-8"}, None, 415, "Content-Type"),
        ({"Content-Type": "text/xml"}, None, 415, "Content-Type"),
        ({"Accept": "application/json"}, None, 406, "Accept"),
        ({"SOAPAction": "http://www.microsoft.com/BatchActivationService/Other"}, None, 500, "SOAPAction"),
        ({}, b"<not xml", 400, "no XML"),
        ({}, b"<a/>", 500, "the root is a"),
        ({}, envelope(inner(1, "x", "y"), digest="AAAA"), 500, "digest"),
        ({}, envelope(inner(1, "x", "y"), encoding="utf-8"), 400, "no XML"),
        ({}, envelope(inner(1, "x", "y"), encoding="utf-16"), 500, "byte order mark"),
        ({}, envelope(inner(3, "x")), 500, "request type 3"),
        ({}, envelope(inner(1, "x")), 500, "has IID, PID"),
        ({}, envelope(inner(2, "x", "y")), 500, "has PID"),
        ({}, envelope(inner(2, "x").replace("2.0<", "1.0<")), 500, "version"),
        ({}, envelope(inner(2, "x").replace("</Requests>", "<Request><PID>y</PID></Request></Requests>")), 500, "has 2 of"),
        ({}, envelope(inner(2, "x")).replace(b"soap/envelope/", b"soap/envelop/"), 500, "the root is"),
    ],
)
def test_a_request_of_another_form_is_refused(
    microsoft: BatchServer, headers: dict[str, str], body: bytes | None, status: int, outcome: str
) -> None:
    sample = microsoft.sample(KEY)
    sound = envelope(inner(1, sample.extended_pid, sample.installation_id))
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(microsoft, sound if body is None else body, {**HEADERS, **headers})
    assert caught.value.code == status
    assert microsoft.journal.entries[-1].outcome.startswith("refused: ") and outcome in microsoft.journal.entries[-1].outcome
    assert left(microsoft) == 50


def test_the_digest_is_over_the_bytes_that_were_sent(microsoft: BatchServer) -> None:
    sample = microsoft.sample(KEY)
    text = inner(2, sample.extended_pid)
    with pytest.raises(urllib.error.HTTPError):
        post(microsoft, envelope(text, digest=digest_of(text.encode())))
    assert field(post(microsoft, envelope(text, digest=digest_of(text.encode("utf-16-le")))), "ActivationRemaining") == "50"


def test_a_client_that_does_not_know_the_authority_ends_the_connection(microsoft: BatchServer) -> None:
    told = ["openssl", "s_client", "-connect", f"127.0.0.1:{microsoft.port}", "-verify_return_error", "-brief"]
    unknown = subprocess.run([*told, "-CApath", "/nonexistent"], input=b"", capture_output=True, check=False)
    known = subprocess.run([*told, "-CAfile", microsoft.ca_path, "-verify_ip", "127.0.0.1"], input=b"", capture_output=True, check=False)
    assert unknown.returncode != 0
    assert known.returncode == 0 and b"Verification: OK" in known.stderr


def test_online_activations_come_out_of_the_same_count(tmp_path: Path) -> None:
    microsoft = Microsoft()
    microsoft.activate(of(KEY), str(uuid.uuid4()))
    with microsoft_in_thread(tmp_path, microsoft) as service:
        sample = service.sample(KEY)
        assert field(ask(service, 2, sample.extended_pid), "ActivationRemaining") == "49"
        ask(service, 1, sample.extended_pid, sample.installation_id)
    assert microsoft.snapshot()[KEY] == {"machines": 2, "activations": 2, "remaining": 48, "state": "valid"}
    lines = [json.loads(line) for line in (tmp_path / "microsoft.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["request_type"], line["pid"], line["outcome"]) for line in lines] == [
        (2, sample.extended_pid, "remaining 49"),
        (1, sample.extended_pid, "confirmed"),
    ]


def test_many_ask_at_once(microsoft: BatchServer) -> None:
    samples = [microsoft.sample(KEY, f"pc-{number}") for number in range(20)]
    bodies = [envelope(inner(1, item.extended_pid, item.installation_id)) for item in samples]
    microsoft.faults.add({"fault": "slow", "seconds": 0.2, "times": 0})
    began = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda body: post(microsoft, body), bodies))
    assert time.monotonic() - began < 3
    assert [field(answer, "CID") for answer in answers] == [item.confirmation_id for item in samples]
    assert left(microsoft) == 30
