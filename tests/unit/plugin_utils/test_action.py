# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options in, one result out, and no secret in it whatever happens."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import ClassVar

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.winops.volume_activation.plugins.plugin_utils import _action
from ansible_collections.winops.volume_activation.plugins.plugin_utils._errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._plan import Plan, Step

KEY = "BCDFG-HJKMP-QRTVW-XY234-6789B"
SPEC = {
    "product_key": {"type": "str"},
    "port": {"type": "int", "default": 1688},
    "mode": {"type": "str", "choices": ["a", "b"]},
    "servers": {"type": "list", "elements": "str"},
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    """Runs an action with this work and these task arguments."""
    monkeypatch.setattr(_action, "documented_options", lambda _module: SPEC)

    def run(work, args, *, check_mode=False, diff=False, task_vars=None):
        class ActionModule(_action.VolumeActivationAction):
            SECRETS = frozenset({"product_key"})
            VARIABLES: ClassVar = {"servers": "volume_activation_servers"}

            def execute(self, options, check_mode):
                return work(options, check_mode)

        task = SimpleNamespace(
            args=args, check_mode=check_mode, diff=diff, async_val=0, action="x", delegate_to=None, environment=None, resolved_action="x"
        )
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="x"))
        templar = SimpleNamespace(template=lambda value: value)
        return ActionModule(task, connection, None, None, templar, None).run(task_vars={"inventory_hostname": "kms-1", **(task_vars or {})})

    return run


def options_of(run, args, **more):
    seen = []
    run(lambda options, _check: seen.append(options) or _action.Outcome(), args, **more)
    return seen[0]


def test_an_empty_string_is_an_option_that_was_left_out(run):
    assert options_of(run, {"mode": "", "port": "", "product_key": None}) == {
        "product_key": None,
        "port": 1688,
        "mode": None,
        "servers": None,
    }


def test_the_task_comes_before_the_variable_and_the_variable_before_the_environment(run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VOLUME_ACTIVATION_SERVERS", "c,d")
    assert options_of(run, {})["servers"] == ["c", "d"]
    assert options_of(run, {}, task_vars={"volume_activation_servers": ["b"]})["servers"] == ["b"]
    assert options_of(run, {"servers": ["a"]}, task_vars={"volume_activation_servers": ["b"]})["servers"] == ["a"]
    assert options_of(run, {}, task_vars={"volume_activation_servers": ""})["servers"] == ["c", "d"]


def test_changed_is_having_steps_and_the_diff_shows_them(run):
    step = Step("kms-1", "listening port", 1689, 1688)
    result = run(lambda _options, _check: _action.Outcome([step], {"port": 1688}), {}, diff=True)
    assert (result["changed"], result["failed"], result["port"]) == (True, False, 1688)
    assert result["diff"][0]["before"] == {"kms-1": {"listening port": 1689}}
    assert result["diff"][0]["after"] == {"kms-1": {"listening port": 1688}}
    unchanged = run(lambda _options, _check: _action.Outcome(), {}, diff=True)
    assert (unchanged["changed"], unchanged["steps"], "diff" in unchanged) == (False, [], False)


def test_an_error_names_what_was_done_and_what_was_not_begun(run):
    def work(_options, _check):
        plan = Plan()
        plan.add(Step("kms-1", "product key", None, "6789B"), lambda: None)
        plan.add(
            Step("kms-1", "listening port", 1, 2), lambda: (_ for _ in ()).throw(ActivationError("No.", code="0x1", name="N", source="s"))
        )
        plan.add(Step("kms-1", "license status", 1, 2), lambda: None)
        plan.run()

    result = run(work, {})
    assert (result["failed"], result["changed"]) == (True, True)
    assert result["error"] == {
        "code": "0x1",
        "name": "N",
        "source": "s",
        "step": "kms-1: listening port",
        "done": ["kms-1: product key"],
        "remaining": ["kms-1: license status"],
    }
    assert result["msg"] == "No. Done before it: kms-1: product key. Not begun: kms-1: license status."


def test_wrong_options_are_refused_by_name_before_any_work(run):
    result = run(lambda _options, _check: pytest.fail("worked"), {"mode": "c", "prot": 1})
    assert result["failed"]
    assert result["error"]["source"] == "options"
    assert "mode" in result["msg"]
    assert "prot" in result["msg"]


def test_a_host_that_did_not_answer_is_unreachable_for_ansible(run):
    def work(_options, _check):
        raise ActivationError(f"kms-1 does not answer to {KEY}.", unreachable=True)

    with pytest.raises(AnsibleConnectionFailure, match="kms-1 does not answer") as caught:
        run(work, {"product_key": KEY})
    assert KEY not in str(caught.value)


def raising(error):
    def work(_options, _check):
        raise error

    return work


def stepping(error):
    def work(_options, _check):
        plan = Plan()
        plan.add(Step("kms-1", "product key", None, "6789B"), lambda: None)
        plan.add(Step("kms-1", "license status", 1, 2), lambda: (_ for _ in ()).throw(error))
        plan.run()

    return work


def test_an_unknown_case_inside_a_step_still_says_what_was_done(run):
    result = run(stepping(RuntimeError("surprise")), {})
    assert (result["failed"], result["changed"]) == (True, True)
    assert result["error"]["done"] == ["kms-1: product key"]
    assert "RuntimeError: surprise" in result["msg"]
    assert "surprise" in result["exception"]


def test_a_password_that_is_a_number_is_masked(run):
    assert "20261124" not in json.dumps(run(raising(ActivationError("not 20261124")), {"product_key": 20261124}))


@pytest.mark.parametrize("given", [KEY, KEY.lower(), KEY.replace("-", ""), KEY.replace("-", "\u2013")])
@pytest.mark.parametrize("shown", [KEY, KEY.replace("-", ""), "the option itself"])
@pytest.mark.parametrize(
    "work",
    [
        lambda shown: (
            lambda _o, _c: _action.Outcome([Step(shown, shown, shown, shown, shown)], {"deep": [{"er": shown}]}, [{"before": shown}])
        ),
        lambda shown: raising(ActivationError(f"x {shown} y", code=shown)),
        lambda shown: raising(RuntimeError(shown)),
        lambda shown: raising(ValueError({"key": shown})),
        lambda shown: stepping(RuntimeError(shown)),
        lambda shown: stepping(ActivationError(shown)),
    ],
)
def test_a_key_is_in_no_result_error_diff_or_traceback(run, given: str, shown: str, work):
    result = run(work(given if shown == "the option itself" else shown), {"product_key": given}, diff=True)
    text = json.dumps(result, ensure_ascii=False)
    for form in (given, KEY, KEY.replace("-", "")):
        assert form not in text


def test_a_key_in_an_option_error_is_masked(run):
    result = run(lambda _options, _check: _action.Outcome(), {"product_key": KEY, "mode": KEY})
    assert KEY not in json.dumps(result)


def test_a_key_in_an_error_of_a_connection_plugin_is_masked(run):
    with pytest.raises(AnsibleError) as caught:
        run(raising(AnsibleError(f"kinit said {KEY}")), {"product_key": KEY})
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None
