# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can go wrong with a request to Microsoft: the sentence of the error catalogue, and what it means for another attempt."""

from __future__ import annotations

import time
from typing import Any

import error_catalogue
import pytest
from unit.lab.microsoft_requests import KEY, failure, of_sample, settings, through

from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.batch_request import Question
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.failures import Fate
from lab.microsoft.proxy import proxy_in_thread
from lab.microsoft.server import BatchServer
from lab.microsoft.variants import seed_of
from lab.windows.data import key_named

pytestmark = pytest.mark.tier("test")

REFUSED, AGAIN, LOST = (Fate.REFUSED, False), (Fate.REFUSED, True), (Fate.LOST, True)
NO_WAY, NEVER = (Fate.NOT_SENT, True), (Fate.NOT_SENT, False)

# What a key is in the laboratory, and what the failure means: what became of the request, and whether another one may do better.
OF_KEYS = {
    "a key that Microsoft has blocked": ("blocked", REFUSED),
    "an extended PID of a key that Microsoft does not know": ("invalid", REFUSED),
    "a key of another type than a MAK": ("wrong_type", REFUSED),
    "a MAK that has none left for confirmation IDs": ("exhausted", REFUSED),
    "a key whose override is used up": ("rot_limit", REFUSED),
    "a MAK whose override is used up": ("dmak_limit", REFUSED),
    "a key of another country": ("wrong_location", REFUSED),
    "a service that is out of order": ("outage", AGAIN),
    "a service that answers HTTP 500, as for keys of the second year of ESU": ("batch_http_500", AGAIN),
}
# Rules of faults.
OF_RULES: dict[str, tuple[dict[str, Any], tuple[Fate, bool]]] = {
    "a key without activations": ({"fault": "error", "code": 0x71}, REFUSED),
    "an extended PID that the service cannot read": ({"fault": "error", "code": 0x80131600}, AGAIN),
    "a code that Windows has as well": ({"fault": "error", "code": 0xC004C008}, REFUSED),
    "a code that nobody knows": ({"fault": "error", "code": 0x1234}, REFUSED),
    "a service that is overloaded": ({"fault": "http", "status": 503}, AGAIN),
    "too many requests": ({"fault": "http", "status": 429}, AGAIN),
    "another service than Microsoft's": ({"fault": "http", "status": 403}, REFUSED),
    "a page that has moved": ({"fault": "http", "status": 302, "location": "https://elsewhere.invalid/x"}, REFUSED),
    "a page that has moved for good": ({"fault": "http", "status": 308, "location": "https://elsewhere.invalid/x"}, REFUSED),
    "a page that has moved nobody knows where": ({"fault": "http", "status": 303}, REFUSED),
    "a gateway that got no sound answer": ({"fault": "http", "status": 502}, LOST),
    "a gateway that got none in time": ({"fault": "http", "status": 504}, LOST),
    "an answer that comes too late": ({"fault": "slow", "seconds": 6}, LOST),
    "a connection that ends before the work": ({"fault": "close_before"}, LOST),
    "a connection that ends after it": ({"fault": "close_after"}, LOST),
    "half an answer": ({"fault": "half"}, LOST),
    "an answer of noise": ({"fault": "garbage"}, LOST),
    "a page to sign in to the network": ({"fault": "html"}, LOST),
    "an empty answer": ({"fault": "empty"}, LOST),
    "an answer without end": ({"fault": "huge"}, LOST),
    "an answer of Microsoft with a document type": ({"fault": "doctype"}, LOST),
    "an answer without content": ({"fault": "no_answer"}, LOST),
    "an answer to somebody else": ({"fault": "other_answer"}, LOST),
    "an answer with a confirmation ID that no Windows takes": ({"fault": "other_text", "text": "1" * 129}, LOST),
}
BAD_IID, UNTRUSTED, NO_TLS, CLOSED, NOBODY = (
    "an installation ID that is not the computer's",
    "a certificate of a stranger",
    "a port that does not speak TLS",
    "a port that is closed",
    "a name of the service that DNS does not know",
)
PASSWORD, FORBIDDEN, NO_PROXY = "a proxy that wants another password", "a proxy that finds no way", "a proxy that is not there"
OF_WAYS = {
    UNTRUSTED: NEVER,
    NO_TLS: NEVER,
    CLOSED: NO_WAY,
    NOBODY: NO_WAY,
    PASSWORD: NEVER,
    FORBIDDEN: NO_WAY,
    NO_PROXY: NO_WAY,
}
OF_ENVIRONMENT = {
    "a proxy of the environment that wants another password": NEVER,
    "a proxy of the environment that is not there": NO_WAY,
}
WRITTEN = error_catalogue.paired("Answers of Microsoft", [*OF_KEYS, *OF_RULES, BAD_IID, *OF_WAYS, *OF_ENVIRONMENT])


def check(case: str, meaning: tuple[Fate, bool], how: Any, question: Question | None = None) -> None:
    failed = failure(how, question or of_sample()[0])
    assert error_catalogue.shown(failed) == error_catalogue.expected(WRITTEN[case], failed, place=how.place)
    assert (failed.fate, failed.again) == meaning


@pytest.mark.parametrize("case", OF_KEYS)
def test_what_microsoft_says_of_a_key(microsoft: BatchServer, case: str):
    state, meaning = OF_KEYS[case]
    microsoft.microsoft.set_state(key_named(KEY).key, state)
    check(case, meaning, settings(microsoft))


def test_an_installation_id_of_another_computer_or_a_number(microsoft: BatchServer):
    check(BAD_IID, REFUSED, settings(microsoft), Question(of_sample()[0].extended_pid, "1" * 63))


@pytest.mark.parametrize("case", OF_RULES)
def test_what_can_go_wrong_with_an_answer(microsoft: BatchServer, case: str):
    rule, meaning = OF_RULES[case]
    microsoft.service.seed = seed_of("echo", "both")
    microsoft.faults.add(rule)
    check(case, meaning, settings(microsoft, timeout=3 if "seconds" in rule else 10))
    # Asked once, whatever came.
    deadline = time.monotonic() + 60
    while not microsoft.journal.entries and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(microsoft.journal.entries) == 1


@pytest.mark.parametrize("case", OF_WAYS)
def test_there_is_no_way_to_microsoft(microsoft: BatchServer, case: str):
    closed = "127.0.0.1:9"
    how = settings(microsoft)
    with proxy_in_thread("svc", "right") as proxy, proxy_in_thread() as open_proxy:
        if case == UNTRUSTED:
            how = settings(microsoft, ca_path="")
        elif case in (NO_TLS, CLOSED, NOBODY):
            place = {NO_TLS: proxy.url.removeprefix("http://"), CLOSED: closed, NOBODY: "nobody.invalid"}[case]
            how = settings(microsoft, url=f"https://{place}/x")
        elif case == PASSWORD:
            how = settings(microsoft, proxy=through(proxy.url, "svc", "wrong"))
        elif case == FORBIDDEN:
            how = settings(microsoft, url=f"https://{closed}/x", proxy=through(open_proxy.url))
        elif case == NO_PROXY:
            how = settings(microsoft, proxy=through(f"http://{closed}"))
        check(case, OF_WAYS[case], how)
    assert microsoft.journal.entries == []


@pytest.mark.parametrize("case", OF_ENVIRONMENT)
def test_the_proxy_of_the_environment_lets_nobody_through(microsoft: BatchServer, monkeypatch: pytest.MonkeyPatch, case: str):
    with proxy_in_thread("svc", "right") as proxy:
        named = proxy.url.removeprefix("http://") if "password" in case else "127.0.0.1:9"
        monkeypatch.setenv("HTTPS_PROXY", f"http://svc:hidden@{named}")
        check(case, OF_ENVIRONMENT[case], settings(microsoft))
    assert microsoft.journal.entries == []
