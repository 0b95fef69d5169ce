# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts, name servers and files decide about takes time by its length, and not by the square of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from unit import timing

from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.merging import Merged, merge_typed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import FullList, ListedComputer, ListedProduct
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.reading import parse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.masking import Secrets, without_named_keys
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sddl import from_sddl
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.rrset import checked_wish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.setup_keys import office_product
from ansible_collections.winops.volume_activation.plugins.plugin_utils._microsoft.acquiring import given_products
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.order import selection_order
from ansible_collections.winops.volume_activation.plugins.plugin_utils._srv.value import SrvValue
from ansible_collections.winops.volume_activation.plugins.plugin_utils._unattend.product_key import WantedKeys, change
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.masking import Aliases, Masker
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.service import Identity

pytestmark = pytest.mark.tier("quick")

NAME = "OA3xOriginalProductKey"
# Backslashes beside one another, and characters that JSON, XML and URLs write in other ways.
SECRETS = Secrets(["!p\\\\s&amp;w0rd", "\\\\srv\\share", "a\\b\\c!d", "correct horse"])
ANSWER_FILE = "urn:schemas-microsoft-com:unattend"
COMPONENT = '<component name="Microsoft-Windows-Shell-Setup" processorArchitecture="a{number}"/>'

TEXTS = ["0 ", " ", "\\", "\n", "A", "0:", ":", "&amp;", "<", f"{NAME} ", f"{NAME} = ", f"<{NAME} ", f"{NAME}=", " =", "BCDFG "]


def text(piece: str) -> Callable[[int], str]:
    return lambda length: piece * (length // len(piece))


def answer_file(inside: Callable[[int], str], settings: str = '<settings pass="specialize">') -> Callable[[int], bytes]:
    end = "</settings>" if settings else ""
    return lambda length: f'<unattend xmlns="{ANSWER_FILE}">{settings}{inside(length)}{end}</unattend>'.encode()


def put_key(body: bytes) -> None:
    change(body, "Unattend.xml", WantedKeys(True, "BCDFG-HJKMP-QRTVW-XY234-6789B"))


def many(length: int, piece: str) -> str:
    return "".join(piece.format(number=number) for number in range(length))


def values(length: int, weight: int) -> list[SrvValue]:
    return [SrvValue(0, weight, 1688, f"kms-{number}") for number in range(length)]


def rows(length: int) -> list[dict[str, Any]]:
    return [{"priority": 0, "weight": 0, "port": 1688, "target": f"kms-{number}.contoso.com"} for number in range(length)]


def note_all(length: int) -> None:
    merged = Merged()
    for number in range(length):
        merged.note(merged.missing, str(number))


def merge_as_many(length: int) -> None:
    found = {str(number): ListedComputer(products={"x": ListedProduct(str(number), "x", str(number), "")}) for number in range(length)}
    merge_typed(FullList(computers=found), [(str(number), "1") for number in range(length)])


def twice_named(length: int) -> bytes:
    return ("{" + many(length, '"k{number}":0,') + '"z":0,"z":1}').encode()


@pytest.mark.parametrize("tail", ["", "x"])
@pytest.mark.parametrize("piece", TEXTS)
def test_masking_what_a_host_says(piece: str, tail: str):
    made = text(piece)
    for work in (without_named_keys, SECRETS.mask, Masker(["!p\\\\s"]).message):
        assert timing.is_linear(work, lambda length: f"<p a=b>{made(length)}{tail}", 8_000)


def test_other_names_for_what_a_host_says():
    def replace(message: str) -> None:
        Masker((), Aliases([message])).message(message)

    assert timing.is_linear(replace, lambda length: many(length, "<CSName>h{number}x{number}</CSName>of a caption"), 4_000)
    assert timing.is_linear(Aliases([]).replace, lambda length: f"{':' * length}g", 20_000)


CASES: dict[str, tuple[Callable[[Any], object], Callable[[int], Any], int]] = {
    "lines of an answer file": (put_key, answer_file(lambda length: "\n" * length), 60_000),
    "elements on one line": (put_key, answer_file(lambda length: "<settings/>" * length, ""), 30_000),
    "blanks between elements": (put_key, answer_file(lambda length: f"{' ' * 100}<settings/>" * length, ""), 4_000),
    "architectures": (put_key, answer_file(lambda length: many(length, COMPONENT)), 3_000),
    "comments": (put_key, answer_file(lambda length: "<!-- -->b" * length), 120_000),
    "names of an object": (lambda found: parse(found, "x"), twice_named, 8_000),
    "computers of a merge": (note_all, lambda length: length, 8_000),
    "typed confirmation IDs": (merge_as_many, lambda length: length, 2_000),
    "flags of an ACE": (from_sddl, lambda length: f"D:(A;{'CI' * length};RP;;;WD)", 60_000),
    "brackets of SDDL": (from_sddl, lambda length: f"D:{'(' * length}", 20_000),
    "targets with a weight": (lambda found: selection_order(found, lambda top: top // 2), lambda length: values(length, 5), 3_000),
    "targets without a weight": (lambda found: selection_order(found, lambda _top: 0), lambda length: values(length, 0), 3_000),
    "values of a task": (lambda found: checked_wish(found, "exact", None, False), rows, 2_000),
    "products of a task": (given_products, lambda length: [(str(number), "1", "2") for number in range(length)], 8_000),
    "a name of Office": (office_product, text("Office"), 20_000),
    "a version without WinRM's": (lambda found: Identity("", found).winrm_version, text("OS: a "), 20_000),
    "a version that is one word": (lambda found: Identity("", f"OS: {found}").winrm_version, text("<"), 20_000),
}


@pytest.mark.parametrize("case", CASES)
def test_what_files_name_servers_and_hosts_decide_about(case: str):
    assert timing.is_linear(*CASES[case])


def test_something_that_takes_the_square_is_noticed():
    def square(length: int) -> int:
        return sum(1 for _one in range(length) for _other in range(length))

    assert not timing.is_linear(square, lambda length: length, 1_500)


def test_the_versions_of_a_service():
    found = Identity("Microsoft Corporation", "OS: 10.0.20348 SP: 0.0 Stack: 3.0")
    assert (found.os_version, found.winrm_version) == ("10.0.20348", "3.0")
    for product in ("", "OS: 10.0", "Stack: 3.0", "OS:", "OS: 0.0.0 SP: 0.0"):
        assert (Identity("", product).os_version, Identity("", product).winrm_version) == ("", "")
