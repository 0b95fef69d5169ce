# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module unattend_key on answer files of the test: the intended bytes differ and no others, or a clear refusal and none."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import typing as t
from pathlib import Path

import error_catalogue
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from answer_files import BY_HAND, IDENTITY, KEY, OTHER, SIM, VARIANTS, Variant, component
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.action.unattend_key import ActionModule
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.base import Outcome
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.module_options import documented_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._unattend import file as disk

pytestmark = pytest.mark.tier("quick")

NAMESPACE = "urn:schemas-microsoft-com:unattend"
ROOT = f'<unattend xmlns="{NAMESPACE}">'
EMPTY = f"{ROOT}</unattend>"


def run(path: Path, check_mode: bool = False, **options: t.Any) -> Outcome:
    checked = ArgumentSpecValidator(documented_options("unattend_key"), **ActionModule.CONSTRAINTS).validate({"path": str(path), **options})
    assert checked.error_messages == []
    return ActionModule.__new__(ActionModule).execute(checked.validated_parameters, check_mode)


def specialize(*inside: str) -> str:
    return f'{ROOT}<settings pass="specialize">{"".join(inside)}</settings></unattend>'


def shell_setup(*inside: str, architecture: str = "amd64") -> str:
    return f"{component(architecture)}{''.join(inside)}</component>"


def keys_by_xmllint(path: Path, count: str = "") -> str:
    """What libxml2 finds in the places where Setup looks for the key."""
    places = (
        f"/*[local-name()='unattend' and namespace-uri()='{NAMESPACE}']/*[local-name()='settings' and @pass='specialize']"
        "/*[local-name()='component' and @name='Microsoft-Windows-Shell-Setup']/*[local-name()='ProductKey']"
    )
    query = f"count({places})" if count else f"{places}/text()"
    done = subprocess.run(["xmllint", "--nonet", "--xpath", query, path], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 10), done.stderr
    return done.stdout.strip()


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> Variant:
    return VARIANTS[request.param]


@pytest.fixture
def answer_file(tmp_path: Path, variant: Variant) -> Path:
    path = tmp_path / "Unattend.xml"
    path.write_bytes(variant.before)
    return path


def test_the_key_is_put_in_and_every_other_byte_stays(answer_file: Path, variant: Variant):
    planned = run(answer_file, check_mode=True, product_key=KEY.lower())
    assert answer_file.read_bytes() == variant.before
    outcome = run(answer_file, product_key=KEY.lower())
    assert answer_file.read_bytes() == variant.after
    assert outcome.steps and outcome == planned
    assert {step.after for step in outcome.steps} == {"6789B"}
    assert {key["partial_product_key"] for key in outcome.result["keys"]} == {"6789B"}
    assert set(keys_by_xmllint(answer_file).split()) == {KEY}
    again = run(answer_file, product_key=KEY)
    assert again.steps == [] and again.result["keys"] == outcome.result["keys"]


def test_the_key_is_taken_out_with_its_line_and_nothing_else(answer_file: Path, variant: Variant):
    answer_file.write_bytes(variant.after)
    text = variant.after.removeprefix(variant.mark).decode(variant.codec)
    setting = f"<(?:u:)?ProductKey>{KEY}</(?:u:)?ProductKey>"
    without = re.sub(rf"(?m)^[ \t]*{setting}\r?\n|{setting}", "", text)
    outcome = run(answer_file, state="absent")
    assert answer_file.read_bytes() == variant.mark + without.encode(variant.codec)
    assert {(step.before, step.after) for step in outcome.steps} == {("6789B", None)}
    assert outcome.result["keys"] == []
    assert keys_by_xmllint(answer_file, "count") == "0"
    assert run(answer_file, state="absent").steps == []


def test_what_was_put_in_and_taken_out_again_is_the_file_as_it_was(tmp_path: Path):
    path = tmp_path / "AutoUnattend.xml"
    for variant in (VARIANTS["Windows SIM"], VARIANTS["by hand"], VARIANTS["one line, UTF-16"]):
        path.write_bytes(variant.before)
        run(path, product_key=KEY)
        run(path, state="absent", product_key=KEY)
        assert path.read_bytes() == variant.before


def test_the_key_that_chooses_the_image_is_shown_and_left(tmp_path: Path):
    path = tmp_path / "Unattend.xml"
    path.write_bytes(VARIANTS["Windows SIM"].before)
    outcome = run(path, state="absent")
    assert outcome.steps == [] and outcome.warnings == []
    assert outcome.result["setup_keys"] == [{"architecture": "amd64", "partial_product_key": "VMK7H"}]
    # The same key there as well is what its owner has to know.
    assert "windowsPE too" in run(path, state="absent", product_key=OTHER).warnings[0]
    assert OTHER in path.read_text(encoding="utf-8-sig")


def test_only_the_key_that_was_named_is_taken_out(tmp_path: Path):
    path = tmp_path / "Unattend.xml"
    path.write_text(specialize(shell_setup(f"<ProductKey>{OTHER}</ProductKey>")))
    assert run(path, state="absent", product_key=KEY).steps == []
    (step,) = run(path, state="absent", product_key=OTHER).steps
    assert (step.before, step.after) == ("VMK7H", None)


def test_architectures_that_were_named_and_no_others(tmp_path: Path):
    path = tmp_path / "Unattend.xml"
    path.write_text(specialize(shell_setup(), shell_setup(architecture="x86")))
    outcome = run(path, product_key=KEY, architectures=["amd64", "arm64", "arm64"])
    assert [key["architecture"] for key in outcome.result["keys"]] == ["amd64", "arm64"]
    assert [step.attribute[-18:] for step in outcome.steps] == ["(specialize, amd64)"[-18:], "(specialize, arm64)"[-18:]]
    run(path, state="absent", architectures=["arm64"])
    assert keys_by_xmllint(path) == KEY
    path.write_text(EMPTY)
    run(path, product_key=KEY, architectures=["amd64"])
    assert keys_by_xmllint(path) == KEY


def test_what_is_no_key_is_not_shown(tmp_path: Path):
    path = tmp_path / "Unattend.xml"
    path.write_text(specialize(shell_setup(f"<ProductKey>{OTHER[:-1]}</ProductKey>")))
    (step,) = run(path, check_mode=True, state="absent").steps
    assert step.before == "a text that is no product key"
    path.write_text(specialize(shell_setup(f"<ProductKey> {KEY.lower()}</ProductKey>")))
    (step,) = run(path, product_key=KEY).steps
    assert (step.before, step.after) == ("6789B, not in the form that Windows takes", "6789B")


def test_keys_where_setup_takes_none_are_named(tmp_path: Path):
    path = tmp_path / "Unattend.xml"
    path.write_text(
        specialize(shell_setup()).replace("specialize", "oobeSystem").replace("</comp", f"<ProductKey>{OTHER}</ProductKey></comp")
    )
    (warning,) = run(path, product_key=KEY).warnings
    assert "oobeSystem" in warning and OTHER not in warning
    path.write_bytes(VARIANTS["from Panther"].before)
    assert "wasPassProcessed" in run(path, product_key=KEY).warnings[0]


def test_mode_owner_and_link_stay(tmp_path: Path):
    path, link = tmp_path / "real.xml", tmp_path / "Unattend.xml"
    path.write_bytes(VARIANTS["by hand"].before)
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12345, 54321)
    known = path.stat()
    link.symlink_to("real.xml")
    outcome = run(link, product_key=KEY, backup=True)
    new, saved = path.stat(), Path(outcome.result["backup_file"])
    assert link.is_symlink()
    assert new.st_ino != known.st_ino
    for made in (new, saved.stat()):
        assert (stat.S_IMODE(made.st_mode), made.st_uid, made.st_gid) == (0o640, known.st_uid, known.st_gid)
    assert re.fullmatch(r"real\.xml\.\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~", saved.name)
    assert saved.read_bytes() == VARIANTS["by hand"].before
    assert sorted(os.listdir(tmp_path)) == sorted(["Unattend.xml", "real.xml", saved.name])
    assert run(link, product_key=KEY, backup=True).result["backup_file"] == ""


def no_device(*_arguments: object) -> t.NoReturn:
    raise OSError(28, "No space left on device")


def test_a_file_that_can_not_be_replaced_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "Unattend.xml"
    path.write_bytes(VARIANTS["by hand"].before)
    for call in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, no_device)
            refused(path)
        assert os.listdir(tmp_path) == ["Unattend.xml"]
        assert path.read_bytes() == VARIANTS["by hand"].before


def alike(first: bytes, second: bytes) -> int:
    """How many bytes are the same from the beginning on."""
    return next(
        (place for place, (one, other) in enumerate(zip(first, second, strict=False)) if one != other), min(len(first), len(second))
    )


# The others change in one place.
@given(st.sampled_from(sorted(VARIANTS.keys() - {"from Panther", "two architectures"})), st.data())
def test_a_damaged_file_is_refused_or_still_changed_in_the_one_place(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
):
    whole = VARIANTS[name].before
    cut = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:cut] + data.draw(st.binary(max_size=2)) + whole[cut + data.draw(st.integers(0, 3)) :]
    path = tmp_path_factory.getbasetemp() / "damaged.xml"
    path.write_bytes(damaged)
    try:
        run(path, product_key=KEY)
    except ActivationError:
        assert path.read_bytes() == damaged
        return
    changed = path.read_bytes()
    assert keys_by_xmllint(path)
    # What was before the change and what was behind it, up to the key, is still there.
    common, behind = alike(damaged, changed), alike(damaged[::-1], changed[::-1])
    assert common + behind >= len(damaged) - 200


# What the sentence is about, and the file. The catalogue has the sentences.
REFUSED = {
    "an answer file with a document type": f'<!DOCTYPE unattend [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>{EMPTY}',
    "an answer file whose end is missing": SIM[:600].encode("utf-8"),
    "an XML file that is something else": '<?xml version="1.0"?><Configuration><Add/></Configuration>',
    "an answer file of another namespace": EMPTY.replace(NAMESPACE, "urn:contoso"),
    "an answer file of Windows XP": "[Unattended]\r\nUnattendMode=FullUnattended\r\n",
    "an answer file that says nothing of an architecture": EMPTY,
    "a component without an architecture": specialize(shell_setup()).replace('processorArchitecture="amd64"', ""),
    "a component that is there twice": specialize(shell_setup(), shell_setup()),
    "two keys in one component": specialize(shell_setup("<ProductKey/>", "<ProductKey/>")),
    "a comment within a key": specialize(shell_setup("<ProductKey><!-- MAK --></ProductKey>")),
    "an answer file in UTF-32": EMPTY.encode("utf-32"),
    "an answer file of another XML": f"<?xml version='1.1'?>{EMPTY}",
    "an answer file that says UTF-16 and is not": f'<?xml version="1.0" encoding="utf-16"?>{EMPTY}',
    "an answer file that says UTF-8 and is UTF-16": f'<?xml version="1.0" encoding="utf-8"?>{EMPTY}'.encode("utf-16"),
    "an answer file with a byte that can not be": EMPTY.replace("<unattend", "<!-- \udcfc --><unattend").encode("utf-8", "surrogateescape"),
    "an answer file that is too large": f"{EMPTY}{' ' * disk.LARGEST}",
}
NOT_THERE, FOLDER, CHANGED, FULL, READ_ONLY, FOREIGN = (
    "an answer file that is not there",
    "a device in place of an answer file",
    "an answer file that somebody else changed meanwhile",
    "an answer file on a full disk",
    "an answer file in a folder that can not be written to",
    "an answer file of another account",
)
NO_PE, WOW64 = "an AutoUnattend.xml without the pass that Setup begins with", "a key for the 32-bit part of a 64-bit Windows"
WRITTEN = error_catalogue.paired("Answer files", [*REFUSED, NO_PE, WOW64, NOT_THERE, FOLDER, CHANGED, FULL, READ_ONLY, FOREIGN])


def refused(path: Path, **options: t.Any) -> ActivationError:
    with pytest.raises(ActivationError) as failure:
        run(path, product_key=KEY, **options)
    assert KEY not in failure.value.message
    return failure.value


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_answer_file_or_not_clear_is_refused_and_stays(tmp_path: Path, case: str):
    path = tmp_path / "Unattend.xml"
    content = REFUSED[case]
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = path.read_bytes()
    for check_mode in (True, False):
        error = refused(path, check_mode=check_mode)
        assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN[case], error, path=path)
    assert path.read_bytes() == before


def test_what_the_file_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "Unattend.xml"

    def check(case: str, where: Path = path, **options: t.Any) -> None:
        error = refused(where, **options)
        assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN[case], error, path=where)

    check(NOT_THERE)
    check(FOLDER, Path("/dev/null"))
    path.write_text(specialize(shell_setup()))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_device)
        check(FULL)
    with monkeypatch.context() as patch:
        patch.setattr(disk.os, "fsync", lambda _descriptor: path.write_text(EMPTY))
        check(CHANGED)
    path.write_text(specialize(shell_setup()))
    with monkeypatch.context() as patch:
        # Root may everything, also as the tests run.
        patch.setattr(os, "access", lambda *_arguments: False)
        check(READ_ONLY, check_mode=True)
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
        check(FOREIGN, check_mode=True)


@pytest.mark.parametrize("there", ["", shell_setup(architecture="wow64")], ids=["another component", "Shell-Setup"])
def test_no_key_is_put_into_a_component_that_setup_does_not_install(tmp_path: Path, there: str):
    path = tmp_path / "Unattend.xml"
    explorer = f"{component('wow64', 'Microsoft-Windows-IE-InternetExplorer')}</component>"
    path.write_text(specialize(explorer, there, f"{component('amd64', 'Microsoft-Windows-Deployment')}</component>"))
    outcome = run(path, product_key=KEY)
    assert outcome.result["keys"] == [{"architecture": "amd64", "partial_product_key": "6789B"}]
    assert keys_by_xmllint(path) == KEY and outcome.warnings == []


def test_a_key_that_stands_for_wow64_is_named_and_taken_out(tmp_path: Path):
    path = tmp_path / "Unattend.xml"
    setting = f"<ProductKey>{KEY}</ProductKey>"
    path.write_text(specialize(shell_setup(setting), shell_setup(setting, architecture="wow64")))
    outcome = run(path, product_key=KEY)
    assert outcome.steps == []
    assert [key["architecture"] for key in outcome.result["keys"]] == ["amd64"]
    assert outcome.warnings == [error_catalogue.said(WRITTEN[WOW64], path=path)]
    outcome = run(path, state="absent")
    assert (len(outcome.steps), outcome.warnings, keys_by_xmllint(path, "count")) == (2, [], "0")


@pytest.mark.parametrize("alone", ["wow64", "x64", "neutral"])
def test_a_file_that_names_no_architecture_of_setup_needs_one(tmp_path: Path, alone: str):
    path = tmp_path / "Unattend.xml"
    path.write_text(specialize(f"{component(alone, 'Microsoft-Windows-Deployment')}</component>"))
    assert "give architectures" in refused(path).message


@pytest.mark.parametrize(
    ("name", "before", "warned"),
    [
        ("AutoUnattend.xml", "", True),
        ("autounattend.XML", '<settings pass="windowsPE"/>', True),
        ("AutoUnattend.xml", f'<settings pass="WindowsPE">{component(name="Microsoft-Windows-Setup")}</component></settings>', False),
        ("Unattend.xml", "", False),
    ],
)
def test_a_file_that_setup_ignores_on_media_is_named(tmp_path: Path, name: str, before: str, warned: bool):
    path = tmp_path / name
    path.write_text(specialize(shell_setup()).replace(ROOT, ROOT + before))
    assert run(path, product_key=KEY).warnings == ([error_catalogue.said(WRITTEN[NO_PE], path=path)] if warned else [])
    assert run(path, state="absent").warnings == []


def test_an_entity_bomb_costs_nothing(tmp_path: Path):
    layers = "".join(f'<!ENTITY a{depth + 1} "{f"&a{depth};" * 10}">' for depth in range(30))
    path = tmp_path / "Unattend.xml"
    path.write_text(f'<!DOCTYPE unattend [<!ENTITY a0 "x">{layers}]>{ROOT}&a30;</unattend>')
    assert "DOCTYPE" in refused(path).message
    # An entity that nobody has declared is not looked for.
    path.write_text(f"{ROOT}&outside;</unattend>")
    assert "undefined entity" in refused(path).message
    # Depth alone is no harm.
    path.write_text(f"{ROOT}{'<a>' * 100_000}{'</a>' * 100_000}</unattend>")
    assert "no component" in refused(path).message


def test_the_variants_are_what_they_seem():
    assert len(VARIANTS) == 10
    assert BY_HAND.count(KEY) == 1 and IDENTITY in SIM
    for variant in VARIANTS.values():
        assert variant.before != variant.after
        assert KEY.encode(variant.codec) in variant.after
