# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of others: computer lists, exports, answer files, the declared topology, and what a run left in the state directory."""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

from unit.computer_list.lists import cid, iid, isolated
from unit.unattend.answer_files import KEY, OTHER

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.vault import VaultCipher
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list import tasks
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import FullList
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.one_computer import computer_in
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.reading import parse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.writing import CHECKSUM, checksum, render
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report import history
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.data import as_csv, as_json
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.model import FleetReport
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.page import as_html
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.prometheus import as_metrics
from ansible_collections.winops.volume_activation.plugins.plugin_utils._report.reading import read_audit, read_survey
from ansible_collections.winops.volume_activation.plugins.plugin_utils._topology.client_policy import PolicyWishes, policies
from ansible_collections.winops.volume_activation.plugins.plugin_utils._topology.derived import derived
from ansible_collections.winops.volume_activation.plugins.plugin_utils._topology.doubts import doubts
from ansible_collections.winops.volume_activation.plugins.plugin_utils._topology.flow_table import flow_table
from ansible_collections.winops.volume_activation.plugins.plugin_utils._topology.order_table import order_table
from ansible_collections.winops.volume_activation.plugins.plugin_utils._topology.search_list import option_119, suffix_policy
from ansible_collections.winops.volume_activation.plugins.plugin_utils._topology.sites import read_sites
from ansible_collections.winops.volume_activation.plugins.plugin_utils._unattend.encoding import decode
from ansible_collections.winops.volume_activation.plugins.plugin_utils._unattend.product_key import WantedKeys, change
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.replay import Replay, load

from .judge import Heard, Parser
from .mutations import loaded, mostly, of_bytes, of_json, of_xml

PATH = "/srv/files/given"


class Held:
    """A computer list's file, of which everything but its place on a disk is as it is."""

    exists, encrypts, plain_backups, path = True, False, 0, PATH

    def __init__(self, document: Any) -> None:
        self._document = document

    def load(self) -> Any:
        return copy.deepcopy(self._document)


def sealed(data: bytes) -> bytes:
    """A list with the checksum that fits it."""
    document = json.loads(data)
    return json.dumps({**document, CHECKSUM: checksum(document)}, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")


def read_list(data: bytes, heard: Heard) -> None:
    """A list or an export, as it is and with a right checksum, for everything that is done with one."""
    with suppress(ValueError, RecursionError, TypeError):
        closed = sealed(data)
        with suppress(ActivationError):
            parse(data, PATH)
        data = closed
    heard.size = len(data)
    document = parse(data, PATH)
    if parse(render(document), PATH) != document:
        heard.wrong.append("it is another one when it is written and read again")
    file: Any = Held(document)
    own: Any = Held(isolated(2))
    typed = [(iid(1), cid(1))]
    works: list[Callable[[], Any]] = [lambda: tasks.inspect(file, None, True)]
    if isinstance(document, FullList):
        for name in [*document.computers][:3]:
            computer_in(render(document), name)
            computer_in(data, name)
        works += [
            lambda: tasks.merge(file, None, typed, None, True, True),
            lambda: tasks.save(file, isolated(2).computers, [], True),
            lambda: tasks.export(file, Missing(), None, True),  # type: ignore[arg-type]
            lambda: tasks.to_read(file, ["iso-001"], 60),
        ]
    else:
        works += [lambda: tasks.merge(own, file, typed, None, True, True), lambda: tasks.export(own, file, None, True)]
    for work in works:
        try:
            done = work()
        except ActivationError as refusal:
            heard.sentences.append(refusal.message)
            continue
        if isinstance(done, tasks.ListDone):
            heard.sentences += [*done.warnings, *(conflict["reason"] for conflict in done.result.get("conflicting", ()))]


class Missing:
    """A file that is not there."""

    exists, path = False, PATH


_CIPHER = VaultCipher("a password")


def read_vault(data: bytes, _heard: Heard) -> None:
    """A file that Ansible Vault has encrypted."""
    _CIPHER.decrypt(data, PATH)


def read_answer_file(data: bytes, heard: Heard) -> None:
    """An Unattend.xml, into which a key goes and out of which it comes again."""
    text, encoding = decode(data, PATH)
    body = text.encode()
    for wanted in (WantedKeys(True, KEY), WantedKeys(True, OTHER, ("arm64", "amd64")), WantedKeys(False, "")):
        try:
            changed = change(body, PATH, wanted)
        except ActivationError as refusal:
            heard.sentences.append(refusal.message)
            continue
        heard.sentences += changed.warnings
        with suppress(UnicodeEncodeError):
            encoding.encode(changed.body.decode())
        again = change(changed.body, PATH, wanted)
        if again.steps or again.body != changed.body:
            heard.wrong.append(f"a second run changes something: {again.steps}")
        if not changed.steps and changed.body != body:
            heard.wrong.append("it is changed without a step")
    change(body, PATH, WantedKeys(True, KEY))


def _of_answer_file(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Its text changed, in the encoding that it has."""
    try:
        text, encoding = decode(data, PATH)
        made = mostly(of_xml, 0.95)(draw, text.encode(), [other for other in others if other.isascii()])
        return encoding.encode(made.decode()) if draw.randrange(10) else of_bytes(draw, data, others)
    except (ActivationError, UnicodeError):
        return of_bytes(draw, data, others)


def read_topology(data: bytes, heard: Heard) -> None:
    """The declared sites, and all that follows from them."""
    document = loaded(data)
    if not isinstance(document, Mapping):
        document = {"sites": document}
    defaults = document.get("defaults")
    sites = read_sites(document.get("sites"), defaults if isinstance(defaults, Mapping) else {}, ["east"])
    topology = derived(sites)
    heard.sentences += [text for _name, text in doubts(topology)]
    heard.sentences += [line for line in [*order_table(topology), *flow_table(topology)] if line]
    for wishes in (PolicyWishes(), PolicyWishes(discover=False, lookup_domain=True, unverified=True)):
        policies(topology, wishes)
    for site in topology["sites"].values():
        for work in (lambda: option_119(site["dns_suffixes"]), lambda: suffix_policy(site["dns_suffixes"], "x")):  # noqa: B023
            try:
                work()
            except ActivationError as refusal:
                heard.sentences.append(refusal.message)


# One name for all of a process, so that the same refusal of two inputs is the same.
_FOLDER = tempfile.TemporaryDirectory()


@contextmanager
def _file(data: bytes) -> Iterator[str]:
    path = Path(_FOLDER.name, "given")
    path.write_bytes(data)
    yield str(path)


def _written(report: FleetReport) -> None:
    for form in (as_html, as_csv, as_json, as_metrics):
        form(report)


def read_survey_file(data: bytes, _heard: Heard) -> None:
    """The rows of a survey, and the report that is made of them."""
    report = FleetReport("2026-12-01T04:14:02Z")
    with _file(data) as path:
        read_survey(report, path)
    _written(report)


def read_audit_file(data: bytes, _heard: Heard) -> None:
    """The report of an audit, and what the report of the fleet makes of it."""
    with _file(data) as path:
        _written(FleetReport("2026-12-01T04:14:02Z", audit=read_audit(path)))


def read_history(data: bytes, _heard: Heard) -> None:
    """The counts of former reports."""
    found = history.with_report(history.parse(data), "2026-12-01T04:14:02Z", {"kms-1": 50})
    history.parse(history.encode(found))
    _written(FleetReport("2026-12-01T04:14:02Z", history=found))


def read_recording(data: bytes, _heard: Heard) -> None:
    """A recording of a session, from its file."""
    with _file(data) as path:
        Replay(load(path))


def _of_lines(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """A line of JSON changed, doubled or left out."""
    lines = data.split(b"\n")
    place = draw.randrange(len(lines))
    kind = draw.randrange(6)
    if kind == 0:
        lines[place:place] = [lines[place]] * draw.choice([1, 2, 100])
    elif kind == 1:
        del lines[place]
    else:
        with suppress(ValueError):
            lines[place] = json.dumps(json.loads(of_json(draw, lines[place], others))).encode()
    return b"\n".join(lines)


PARSERS = [
    Parser("lists", read_list, mostly(of_json)),
    Parser("vault", read_vault, mostly(of_bytes)),
    Parser("unattend", read_answer_file, _of_answer_file),
    Parser("topology", read_topology, mostly(of_json, 1.0)),
    Parser("survey", read_survey_file, mostly(_of_lines)),
    Parser("audit", read_audit_file, mostly(of_json)),
    Parser("history", read_history, mostly(_of_lines)),
    Parser("recording", read_recording, mostly(of_json)),
]
