# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module is documentation, a stub and an action plugin that fit each other."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions import module_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.base import VolumeActivationAction
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.action import RunAction

pytestmark = pytest.mark.tier("quick")

PLUGINS = Path(module_options.__file__).parents[2]
COLLECTION = PLUGINS.parent
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.yml"))


def action_of(module: str):
    return importlib.import_module(f"ansible_collections.winops.volume_activation.plugins.action.{module}").ActionModule


def test_every_action_has_a_documented_module_and_the_other_way_round():
    actions = sorted(path.stem for path in (PLUGINS / "action").glob("*.py") if path.stem != "__init__")
    assert MODULES, "there is no module to check"
    assert actions == MODULES == sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_the_options_are_an_argument_spec(module: str):
    spec = module_options.documented_options(module)
    checked = ArgumentSpecValidator(spec, **action_of(module).CONSTRAINTS).validate({"unknown": "x"})
    assert any("unknown. Supported parameters" in message for message in checked.error_messages)
    assert {name for name, option in spec.items() if "default" in option} <= checked.validated_parameters.keys()


def test_options_are_read_when_an_action_is_imported_and_not_by_each_worker():
    options = module_options.documented_options
    options.cache_clear()
    type("ActionModule", (VolumeActivationAction,), {"__module__": action_of("mak_client").__module__})
    assert options.cache_info().misses == 1
    options("mak_client")
    assert options.cache_info().misses == 1


@pytest.mark.parametrize("module", MODULES)
def test_secrets_and_variables_are_documented_options(module: str):
    spec, action = module_options.documented_options(module), action_of(module)
    options = spec | {name: option for outer in spec.values() for name, option in outer.get("options", {}).items()}
    assert options.keys() >= action.SECRETS
    assert spec.keys() >= action.VARIABLES.keys()
    texts = [name for name, option in options.items() if option["type"] != "bool"]
    suspicious = {name for name in texts if "password" in name or name.endswith(("_key", "_secret"))}
    assert suspicious <= action.SECRETS


@pytest.mark.parametrize("module", MODULES)
def test_the_variables_that_stand_in_for_an_option_are_named_in_its_description(module: str):
    documents = [(PLUGINS / "modules" / f"{module}.yml").read_text(encoding="utf-8")]
    documents += [path.read_text(encoding="utf-8") for path in (PLUGINS / "doc_fragments").glob("*.py")]
    for variable in action_of(module).VARIABLES.values():
        assert any(variable in text and variable.upper() in text for text in documents), variable


@pytest.mark.parametrize("module", MODULES)
def test_a_module_for_users_is_in_an_action_group(module: str):
    groups = yaml.safe_load((COLLECTION / "meta" / "runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    extended = groups["all"][0]["metadata"]["extend_group"]
    # What only roles of the collection use takes its options from them alone.
    assert any(module in groups[name] for name in extended) != module.startswith("run_")


@pytest.mark.parametrize("module", MODULES)
def test_what_roles_alone_use_says_so_where_it_is_listed(module: str):
    document = yaml.safe_load((PLUGINS / "modules" / f"{module}.yml").read_text(encoding="utf-8"))["DOCUMENTATION"]
    assert document["short_description"].startswith("[INTERNAL] ") == module.startswith("run_")
    assert module.startswith("run_") or not issubclass(action_of(module), RunAction)


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_use_documented_options(module: str):
    text = yaml.safe_load((PLUGINS / "modules" / f"{module}.yml").read_text(encoding="utf-8"))["EXAMPLES"]
    spec = module_options.documented_options(module)
    used = [
        task[f"winops.volume_activation.{module}"] or {} for task in yaml.safe_load(text) if f"winops.volume_activation.{module}" in task
    ]
    assert used
    for options in used:
        assert spec.keys() >= options.keys()
