# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with BatchActivation in the laboratory, and the ways to it: by rule, through a proxy, by itself."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
import urllib.error
from pathlib import Path

import pytest
from unit.lab.batch_client import HEADERS, ask, envelope, field, inner, post, xpath

from lab.layout import TESTS
from lab.microsoft.proxy import proxy_in_thread
from lab.microsoft.server import BatchServer, Sample

pytestmark = pytest.mark.tier("test")

KEY = "mak_win_enterprise"
BROKEN = (urllib.error.URLError, http.client.HTTPException, ConnectionError)


@pytest.fixture
def sample() -> Sample:
    return BatchServer.sample(KEY)


def confirm(microsoft: BatchServer, sample: Sample) -> bytes:
    return ask(microsoft, 1, sample.extended_pid, sample.installation_id)


def left(microsoft: BatchServer) -> int:
    remaining: int = microsoft.microsoft.snapshot()[KEY]["remaining"]
    return remaining


def test_a_rule_is_about_certain_requests(microsoft: BatchServer, sample: Sample) -> None:
    microsoft.faults.add({"request_type": 1, "iid": f"{sample.installation_id[:7]}*", "skip": 1, "times": 2, "code": 0xD5})
    other = microsoft.sample(KEY, "pc-002")
    codes = [field(confirm(microsoft, sample), "ErrorCode").lower() for _number in range(4)]
    assert codes == ["", "0xd5", "0xd5", ""]
    assert field(confirm(microsoft, other), "CID") == other.confirmation_id
    assert field(ask(microsoft, 2, sample.extended_pid), "ActivationRemaining") == "47"
    assert microsoft.faults.hits() == [2]


@pytest.mark.parametrize("code", [0x67, 0x68, 0x71, 0x7F, 0x86, 0x90, 0xD5, 0xD6, 0xC004C017, 0x80131600, 0x80004003, 0x1234])
def test_any_code_can_be_given_by_rule(microsoft: BatchServer, sample: Sample, code: int) -> None:
    microsoft.faults.add({"code": code})
    assert int(field(confirm(microsoft, sample), "ErrorCode"), 16) == code
    assert left(microsoft) == 50


@pytest.mark.parametrize("status", [500, 503, 403])
def test_a_bare_status(microsoft: BatchServer, sample: Sample, status: int) -> None:
    microsoft.faults.add({"fault": "http", "status": status})
    with pytest.raises(urllib.error.HTTPError) as caught:
        confirm(microsoft, sample)
    assert caught.value.code == status
    assert (left(microsoft), microsoft.journal.entries[-1].outcome) == (50, f"http {status}")


@pytest.mark.parametrize(("fault", "spent"), [("close_before", 0), ("close_after", 1), ("half", 1)])
def test_an_answer_is_lost_before_or_after_the_work(microsoft: BatchServer, sample: Sample, fault: str, spent: int) -> None:
    microsoft.faults.add({"fault": fault})
    with pytest.raises(BROKEN):
        confirm(microsoft, sample)
    assert left(microsoft) == 50 - spent
    assert [(entry.fault, entry.counted) for entry in microsoft.journal.entries] == [(fault, bool(spent))]
    assert field(confirm(microsoft, sample), "CID") == sample.confirmation_id
    assert left(microsoft) == 49 - spent, "asking again counts again"


def test_an_answer_is_slow(microsoft: BatchServer, sample: Sample) -> None:
    microsoft.faults.add({"fault": "slow", "seconds": 0.3})
    began = time.monotonic()
    assert field(confirm(microsoft, sample), "CID") == sample.confirmation_id
    assert time.monotonic() - began > 0.3


@pytest.mark.parametrize("fault", ["garbage", "html", "empty", "doctype", "no_answer"])
def test_a_body_that_is_no_answer(microsoft: BatchServer, sample: Sample, fault: str) -> None:
    microsoft.faults.add({"fault": fault})
    answer = confirm(microsoft, sample)
    assert (b"<ResponseXml />" in answer) == (fault == "no_answer")
    assert (b"<!DOCTYPE" in answer) == (fault == "doctype")
    if fault in ("garbage", "empty"):
        with pytest.raises(subprocess.CalledProcessError):
            xpath(answer, "/*")
    assert left(microsoft) == 50


def test_an_answer_of_a_hundred_megabytes(microsoft: BatchServer, sample: Sample) -> None:
    microsoft.faults.add({"fault": "huge"})
    assert len(confirm(microsoft, sample)) == 100 * 1024 * 1024


def test_an_answer_to_somebody_else(microsoft: BatchServer, sample: Sample) -> None:
    microsoft.faults.add({"fault": "other_answer"})
    given = field(confirm(microsoft, sample), "CID")
    assert len(given) == 48 and given != sample.confirmation_id
    assert left(microsoft) == 49


def test_nobody_is_answered_while_it_is_not_reachable(microsoft: BatchServer, sample: Sample) -> None:
    microsoft.microsoft.reachable = False
    with pytest.raises(BROKEN):
        confirm(microsoft, sample)
    assert microsoft.journal.entries == []
    microsoft.microsoft.reachable = True
    assert field(confirm(microsoft, sample), "CID") == sample.confirmation_id


def test_an_unknown_fault_is_refused(microsoft: BatchServer) -> None:
    with pytest.raises(ValueError, match="no fault surprise; there are error"):
        microsoft.faults.add({"fault": "surprise"})
    with pytest.raises(TypeError):
        microsoft.faults.add({"when": "now"})


def test_curl_gets_through_a_proxy_that_asks_for_a_password(microsoft: BatchServer, sample: Sample, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(envelope(inner(1, sample.extended_pid, sample.installation_id)))
    headers = [part for name, value in HEADERS.items() for part in ("-H", f"{name}: {value}")]
    names = {"activation.sls.microsoft.com": ("127.0.0.1", microsoft.port)}
    url = microsoft.url.replace(f"127.0.0.1:{microsoft.port}", "activation.sls.microsoft.com")
    with proxy_in_thread("CONTOSO\\svc", "p:ss wörd", names=names) as proxy:

        def curl(*more: str) -> subprocess.CompletedProcess[bytes]:
            command = ["curl", "-sS", "--noproxy", "", "--proxy", proxy.url, "--cacert", microsoft.ca_path, *headers, *more]
            return subprocess.run([*command, "--data-binary", f"@{body}", url], capture_output=True, check=False)

        assert b"407" in curl().stderr
        assert b"407" in curl("--proxy-user", "CONTOSO\\svc:wrong").stderr
        assert field(curl("--proxy-user", "CONTOSO\\svc:p:ss wörd").stdout, "CID") == sample.confirmation_id
        assert proxy.tunnels == ["activation.sls.microsoft.com:443"]
        assert proxy.refused == ["activation.sls.microsoft.com:443"] * 2
    assert left(microsoft) == 49


def test_a_proxy_that_reaches_nothing_says_so(microsoft: BatchServer) -> None:
    with proxy_in_thread() as proxy:
        done = subprocess.run(
            ["curl", "-sS", "--noproxy", "", "--proxy", proxy.url, "https://nowhere.invalid/"], capture_output=True, check=False
        )
    assert b"502" in done.stderr and proxy.refused == ["nowhere.invalid:443"]


def test_it_runs_by_itself(tmp_path: Path, sample: Sample) -> None:
    command = [sys.executable, "-m", "lab.microsoft", str(tmp_path / "ms"), "--proxy-port", "0", "--proxy-user", "svc"]
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "LAB_PROXY_PASSWORD": "secret"}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdin is not None
        said = json.loads(process.stdout.readline())

        def tell(**given: object) -> object:
            assert process.stdout is not None and process.stdin is not None
            process.stdin.write(json.dumps(given) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        class Elsewhere:
            url, ca_path = said["url"], said["ca_path"]

        assert tell(command="set_remaining", key=KEY, count=1) == {"result": None}
        body = envelope(inner(1, sample.extended_pid, sample.installation_id))
        assert field(post(Elsewhere, body), "CID") == sample.confirmation_id  # type: ignore[arg-type]
        assert field(post(Elsewhere, body), "ErrorCode").lower() == "0x7f"  # type: ignore[arg-type]
        snapshot = tell(command="snapshot")
        assert isinstance(snapshot, dict) and snapshot["result"][KEY]["activations"] == 1
        assert tell(command="surprise") == {"error": "ValueError: no command surprise"}
        assert said["proxy"].startswith("http://127.0.0.1:")
        process.terminate()
        process.stdin.close()
        assert process.wait(10) == 0
    lines = (tmp_path / "ms" / "microsoft.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["outcome"].lower() for line in lines] == ["confirmed", "0x7f"]
