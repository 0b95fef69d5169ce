# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site of C(make docs): what is made of the pages of antsibull-docs, and that the whole of it is made without a warning."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import guides
import pytest

sys.path.insert(0, str(guides.TREE / "tests/setup"))
docsite = importlib.import_module("docsite")

pytestmark = pytest.mark.tier("test")

PLAYBOOKS = sorted(path.stem for path in (guides.TREE / "playbooks").glob("*.yml"))
ROLES = sorted(path.parent.parent.name for path in (guides.TREE / "roles").glob("*/meta/argument_specs.yml"))
GUIDES = guides.TREE / "docs/docsite/rst"

INDEX = """.. _plugins_in_winops.volume_activation:

Winops.Volume_Activation
========================

.. contents::
   :local:
   :depth: 1

Guides
------

.. _plugin_index_for_winops.volume_activation:

Plugin Index
------------

* :ansplugin:`kms_host module <winops.volume_activation.kms_host#module>` -- One
* :ansplugin:`run_kms module <winops.volume_activation.run_kms#module>` -- [INTERNAL]

    kms_host_module
    run_kms_module

.. _role_plugins_in_winops.volume_activation:

Role Index
----------
"""


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_the_page_of_a_playbook_says_what_it_does_and_has_the_variables_of_its_roles(name: str):
    playbooks = guides.TREE / "playbooks"
    page = docsite.playbook_page(playbooks, name)
    assert len(docsite.about((guides.TREE / "playbooks" / f"{name}.yml").read_text(encoding="utf-8"))) > 60
    assert "#. " in page
    entries = docsite.entry_points(playbooks, name)
    assert bool(entries) == (name != "survey")
    for role, entry in entries:
        for variable in docsite.specs(playbooks, role)[entry]["options"]:
            assert f"\n:ansopt:`{docsite.NAME}.{role}#role:{entry}:{variable}` (" in page


def test_the_page_of_mak_to_kms_has_the_variables_of_its_entry_point():
    assert docsite.entry_points(guides.TREE / "playbooks", "mak_to_kms") == [("mak_independent", "to_kms")]


def test_the_first_page_of_the_site_has_guides_roles_and_plugins_in_this_order_and_nothing_internal():
    found = docsite.index(INDEX, ["audit"])
    places = [found.index(title) for title in ("Guides\n", "Playbook Index\n", "Role Index\n", "Plugin Index\n")]
    assert "    audit_playbook\n" in found
    assert places == sorted(places)
    assert "run_kms" not in found
    assert "kms_host_module" in found
    assert "\nwinops.volume_activation\n========================\n" in found


@pytest.mark.tier("soak")
def test_the_site_is_made_without_a_warning(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    staged = guides.TREE / "build/collections/ansible_collections/winops/volume_activation"
    assert docsite.main(tmp_path, staged) == 0
    assert "WARNING" not in capfd.readouterr().err
    site = tmp_path / "docs"
    assert {path.stem for path in (site / "docsite").glob("*.html")} == {path.stem for path in GUIDES.glob("*.rst")}
    assert {path.name for path in (site / "_images").iterdir()} >= {path.name for path in GUIDES.glob("images/*.svg")}
    for name in (*(f"{role}_role" for role in ROLES), *(f"{name}_playbook" for name in PLAYBOOKS), "kms_host_module"):
        assert (site / f"{name}.html").exists()
    assert not list(site.glob("run_*_module.html"))
