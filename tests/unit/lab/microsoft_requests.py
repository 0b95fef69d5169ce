# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single requests of the collection to the laboratory's Microsoft."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.batch_request import Question
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.batch_response import BatchAnswer
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.failures import RequestFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.service import open_service
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.settings import MicrosoftSettings, Proxy
from lab.microsoft.server import BatchServer

KEY = "mak_win_enterprise"


def settings(microsoft: BatchServer, **others: Any) -> MicrosoftSettings:
    """How to ask this Microsoft."""
    return replace(MicrosoftSettings(microsoft.url, microsoft.ca_path, timeout=10), **others)


def ask(how: MicrosoftSettings, question: Question) -> BatchAnswer:
    """One request, once."""
    with open_service(how) as service:
        return service.ask(question)


def failure(how: MicrosoftSettings, question: Question) -> RequestFailed:
    """What one request fails with."""
    with pytest.raises(RequestFailed) as failed:
        ask(how, question)
    return failed.value


def of_sample(name: str = "pc-001") -> tuple[Question, str]:
    """A question for a computer with the key, and the confirmation ID that it would take."""
    sample = BatchServer.sample(KEY, name)
    return Question(sample.extended_pid, sample.installation_id), sample.confirmation_id


def through(proxy_url: str, user: str = "", password: str = "") -> Proxy:
    """A proxy as the settings have it; the password as a URL writes it."""
    address = proxy_url.removeprefix("http://")
    return Proxy(address, f"http://{user}:{password}@{address}" if user else proxy_url)
