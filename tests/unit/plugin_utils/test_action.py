# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options in, one result out, and no secret in it whatever happens."""

from __future__ import annotations

import json
import locale
import os
from types import SimpleNamespace
from typing import ClassVar

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from handmade import task_of

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions import base as _action
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions import windows as _windows_action
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.code import Code, CodeKind, plain
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError, Refusals
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import Plan, Step

pytestmark = pytest.mark.tier("quick")

KEY = "BCDFG-HJKMP-QRTVW-XY234-6789B"
SPEC = {
    "product_key": {"type": "str", "aliases": ["key"]},
    "port": {"type": "int", "default": 1688},
    "mode": {"type": "str", "choices": ["a", "b"]},
    "servers": {"type": "list", "elements": "str"},
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    """Runs an action with this work and these task arguments."""
    monkeypatch.setattr(_action, "documented_options", lambda _module: SPEC)

    def run(work, args, *, check_mode=False, diff=False, task_vars=None, cleared=frozenset(), role=None):
        class ActionModule(_action.VolumeActivationAction):
            SECRETS = frozenset({"product_key"})
            CLEARED_BY_EMPTY = cleared
            VARIABLES: ClassVar = {"servers": "volume_activation_servers"}

            def execute(self, options, check_mode):
                return work(options, check_mode)

        task = task_of(args, check_mode=check_mode, diff=diff, _role=role)
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="x"))
        templar = SimpleNamespace(template=lambda value: value)
        return ActionModule(task, connection, None, None, templar, None).run(task_vars={"inventory_hostname": "kms-1", **(task_vars or {})})

    return run


def options_of(run, args, **more):
    seen = []
    run(lambda options, _check: seen.append(options) or _action.Outcome(), args, **more)
    return seen[0]


def test_libraries_do_not_translate_what_they_say_to_a_module(run, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "de")
    seen = []

    def work(_options, _check):
        seen.extend((os.environ["LANGUAGE"], locale.setlocale(locale.LC_MESSAGES)))
        return _action.Outcome()

    spoken = locale.setlocale(locale.LC_MESSAGES)
    run(work, {})
    assert seen == ["C", "C"]
    assert (os.environ["LANGUAGE"], locale.setlocale(locale.LC_MESSAGES)) == ("de", spoken)


def test_an_empty_string_is_an_option_that_was_left_out(run):
    assert options_of(run, {"mode": "", "port": "", "product_key": None}) == {
        "product_key": None,
        "port": 1688,
        "mode": None,
        "servers": None,
    }


def test_an_empty_string_clears_where_an_option_can_be_cleared(run):
    assert options_of(run, {"mode": "", "product_key": ""}, cleared={"product_key"})["product_key"] == ""


def test_the_task_comes_before_the_variable_and_the_variable_before_the_environment(run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VOLUME_ACTIVATION_SERVERS", "c,d")
    assert options_of(run, {})["servers"] == ["c", "d"]
    assert options_of(run, {}, task_vars={"volume_activation_servers": ["b"]})["servers"] == ["b"]
    assert options_of(run, {"servers": ["a"]}, task_vars={"volume_activation_servers": ["b"]})["servers"] == ["a"]
    assert options_of(run, {}, task_vars={"volume_activation_servers": ""})["servers"] == ["c", "d"]


@pytest.mark.parametrize("text", ["a, b", '["a","b"]', "['a', 'b']", "[a, b]", "- a\n- b", "a\nb"])
def test_a_list_may_be_a_text_in_every_form_that_people_type(run, monkeypatch: pytest.MonkeyPatch, text: str):
    assert options_of(run, {"servers": text})["servers"] == ["a", "b"]
    assert options_of(run, {}, task_vars={"volume_activation_servers": text})["servers"] == ["a", "b"]
    monkeypatch.setenv("VOLUME_ACTIVATION_SERVERS", text)
    assert options_of(run, {})["servers"] == ["a", "b"]


ROLE = SimpleNamespace(
    get_name=lambda: "winops.volume_activation.kms_x",
    get_default_vars=lambda: {"kms_x_mode": "a", "kms_x_hosts": [], "kms_x_product_key": ""},
)
OTHER_ROLE = SimpleNamespace(get_name=lambda: "acme.kms_x", get_default_vars=lambda: {"kms_x_mode": "a"})
NAMED = {"__kms_x_options": {"servers": "kms_x_hosts"}}


@pytest.mark.parametrize(
    ("role", "args", "task_vars", "names"),
    [
        (None, {"servers": ["a"]}, {}, "product_key mode servers port"),
        (None, {}, {"volume_activation_servers": "a"}, "product_key mode volume_activation_servers port"),
        (None, {"servers": ""}, {"volume_activation_servers": "a"}, "product_key mode volume_activation_servers port"),
        (None, {}, {}, "product_key mode servers port"),
        (OTHER_ROLE, {"servers": ["a"]}, NAMED, "product_key mode servers port"),
        (ROLE, {"servers": ["a"]}, {}, "kms_x_product_key kms_x_mode servers port"),
        (ROLE, {"servers": ["a"]}, NAMED, "kms_x_product_key kms_x_mode kms_x_hosts port"),
        (ROLE, {}, {}, "kms_x_product_key kms_x_mode volume_activation_servers port"),
    ],
)
def test_a_message_names_what_its_reader_can_set(run, monkeypatch: pytest.MonkeyPatch, role, args, task_vars, names: str):
    said: list[str] = []
    monkeypatch.setattr(_action.display, "warning", said.append)
    sentence = "Give O(product_key), O(mode), O(servers) and O(port), not (mode)."
    wanted = "Give {}, {}, {} and {}, not (mode).".format(*names.split())
    more = {"role": role, "task_vars": task_vars}
    assert run(raising(ActivationError(sentence)), args, **more)["msg"] == wanted
    assert run(raising(Refusals([sentence, "x"])), args, **more)["msg"] == f"{wanted} x"
    assert run(stepping(ActivationError("x", remedy=sentence)), args, **more)["msg"].startswith(f"x. {wanted}")
    run(lambda _options, _check: _action.Outcome(warnings=[sentence]), args, **more)
    assert said == [wanted]


@pytest.mark.parametrize(
    ("role", "args", "task_vars", "start"),
    [
        (None, {"mode": "c"}, {}, "value of mode must be one of: a, b"),
        (ROLE, {"mode": "c"}, {}, "value of kms_x_mode must be one of: a, b"),
        (None, {"servers": "[a"}, {}, "servers can't be read as a list."),
        (None, {}, {"volume_activation_servers": "[a"}, "volume_activation_servers can't be read as a list."),
        (ROLE, {"servers": "[a"}, NAMED, "kms_x_hosts can't be read as a list."),
    ],
)
def test_so_does_one_about_a_value_that_an_option_can_not_have(run, role, args, task_vars, start: str):
    said = run(lambda _options, _check: _action.Outcome(), args, role=role, task_vars=task_vars)
    assert said["failed"] and start in said["msg"]


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
            Step("kms-1", "listening port", 1, 2),
            lambda: (_ for _ in ()).throw(ActivationError("No.", code=plain(1), name="N", source="s")),
        )
        plan.add(Step("kms-1", "license status", 1, 2), lambda: None)
        plan.run()

    result = run(work, {})
    assert (result["failed"], result["changed"]) == (True, True)
    assert result["error"] == {
        "code": "1",
        "hresult": None,
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


def test_a_host_that_did_not_answer_is_unreachable_for_ansible_and_still_says_why_in_parts(run):
    result = run(raising(ActivationError(f"kms-1 does not answer to {KEY}.", source="wsman", unreachable=True)), {"product_key": KEY})
    assert (result["unreachable"], result["failed"], result["error"]["source"]) == (True, False, "wsman")
    assert result["msg"] == "kms-1 does not answer to XXXXX-XXXXX-XXXXX-XXXXX-6789B."


def test_a_host_that_is_lost_after_a_step_has_failed_and_was_not_unreachable(run):
    result = run(stepping(ActivationError("gone", unreachable=True)), {})
    assert (result["failed"], "unreachable" in result) == (True, False)


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


@pytest.mark.parametrize(("verbosity", "shown"), [(0, False), (2, False), (3, True), (4, True)])
def test_an_unknown_case_is_one_sentence_that_calls_it_a_bug_and_a_traceback_at_vvv_only(
    run, monkeypatch: pytest.MonkeyPatch, verbosity: int, shown: bool
):
    monkeypatch.setattr(_action.display, "verbosity", verbosity)
    result = run(raising(RuntimeError(f"line one {KEY}\n line two " + "x" * 1000)), {"product_key": KEY})
    assert "bug in the collection: RuntimeError: line one XXXXX-XXXXX-XXXXX-XXXXX-6789B line two xxx" in result["msg"]
    assert "report it" in result["msg"]
    assert "\n" not in result["msg"]
    assert len(result["msg"]) < 700
    assert (result["error"]["name"], result["error"]["source"]) == ("RuntimeError", "collection")
    assert ("exception" in result) == shown
    assert not shown or ("Traceback" in result["exception"] and KEY not in result["exception"])


def test_of_a_secret_that_a_long_text_is_cut_in_no_half_is_left(run):
    result = run(raising(RuntimeError("x" * (_action.LONGEST - 8) + "correct horse battery")), {"product_key": "correct horse battery"})
    assert "correct" not in json.dumps(result)


def test_errors_of_ansible_and_its_plugins_are_results_of_the_same_form(run):
    result = run(raising(AnsibleError("kinit is missing")), {})
    assert (result["failed"], result["msg"], result["error"]["source"]) == (True, "kinit is missing", "ansible")
    result = run(raising(AnsibleConnectionFailure("kinit failed")), {})
    assert (result["failed"], result["unreachable"], result["msg"]) == (False, True, "kinit failed")


def test_an_error_before_any_work_is_a_result_too(run, monkeypatch: pytest.MonkeyPatch):
    def refuse(_self, _value):
        raise AnsibleError("'vaulted_name' is undefined")

    monkeypatch.setattr(_action.VolumeActivationAction, "_checked_options", refuse)
    assert run(None, {})["error"]["source"] == "ansible"


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
        lambda shown: raising(ActivationError(f"x {shown} y", code=Code(CodeKind.OTHER, 0, shown))),
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


FORGED = "gone\nok: [pc-001]\x9b31m\u202e"


@pytest.mark.parametrize(
    "work",
    [
        raising(ActivationError(FORGED, code=Code(CodeKind.OTHER, 0, FORGED), name=FORGED)),
        raising(RuntimeError(FORGED)),
        raising(AnsibleError(FORGED)),
        stepping(ActivationError(FORGED)),
        lambda _options, _check: _action.Outcome([Step(FORGED, FORGED, FORGED, [FORGED], FORGED, FORGED)], {"msg": FORGED}),
        lambda _options, _check: _action.Outcome([Step("a", "b", 1, 2)], diff=[{"before": FORGED, "after_header": FORGED}]),
    ],
)
def test_what_people_read_of_a_result_is_visible_lines(run, monkeypatch: pytest.MonkeyPatch, work):
    monkeypatch.setattr(_action.display, "verbosity", 3)
    monkeypatch.setattr(_action.display, "vvv", lambda _text: None)
    result = run(work, {}, diff=True)
    for text in texts(result):
        assert not {"\x9b", "\u202e"} & set(text)
    for text in texts({name: value for name, value in result.items() if name not in ("diff", "exception")}):
        assert "\n" not in text
    assert "\nok:" not in result.get("exception", "")


def test_a_warning_is_one_visible_line(run, monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []
    monkeypatch.setattr(_action.display, "warning", said.append)
    run(lambda _options, _check: _action.Outcome(warnings=[FORGED]), {})
    assert said == [r"gone\x0aok: [pc-001]\x9b31m\u202e"]


def test_what_tasks_need_of_a_result_is_exact(run):
    assert run(lambda _options, _check: _action.Outcome(result={"records": [{"target": FORGED}]}), {})["records"] == [{"target": FORGED}]


def texts(value):
    if isinstance(value, dict):
        value = [*value, *value.values()]
    return [value] if isinstance(value, str) else [text for entry in value for text in texts(entry)] if isinstance(value, list) else []


def test_a_key_in_an_option_error_is_masked(run):
    result = run(lambda _options, _check: _action.Outcome(), {"product_key": KEY, "mode": KEY})
    assert KEY not in json.dumps(result)


def test_a_key_in_an_error_of_a_connection_plugin_is_masked(run):
    result = run(raising(AnsibleError(f"kinit said {KEY}")), {"product_key": KEY})
    assert result["msg"] == "kinit said XXXXX-XXXXX-XXXXX-XXXXX-6789B"


def test_a_secret_under_an_alias_or_inside_of_an_option_is_masked(run):
    def work(options, _check):
        raise ActivationError(f"{options}")

    assert "correct horse" not in json.dumps(run(work, {"key": "correct horse"}))
    assert "correct horse" not in json.dumps(run(work, {"servers": [{"product_key": "correct horse"}]}))


@pytest.mark.parametrize("extended", [False, True])
def test_a_loop_over_secrets_is_hidden_and_a_warning_says_so(run, monkeypatch: pytest.MonkeyPatch, extended: bool):
    said: list[str] = []
    monkeypatch.setattr(_action.display, "warning", said.append)
    loop = {"ansible_loop_var": "item", "item": "kms-1" if extended else {"key": KEY}}
    if extended:
        loop["ansible_loop"] = {"allitems": ["kms-1", KEY]}
    result = run(lambda _options, _check: _action.Outcome(), {"product_key": KEY}, task_vars=loop)
    assert result["_ansible_no_log"] is True
    assert "Loop over names" in said[0]


def test_a_loop_over_names_is_shown(run):
    loop = {"ansible_loop_var": "item", "item": {"name": "kms-1"}}
    assert "_ansible_no_log" not in run(lambda _options, _check: _action.Outcome(), {"product_key": KEY}, task_vars=loop)


def test_passwords_of_the_connection_are_masked():
    class Connection:
        option_definitions: ClassVar = {"remote_password": {}, "remote_user": {}}
        allow_extras = True

        def get_option(self, name):
            return {"remote_password": "winrm secret", "remote_user": "someone", "_extras": {"ansible_psrp_key_password": "key secret"}}[
                name
            ]

    action = _windows_action.WindowsAction.__new__(_windows_action.WindowsAction)
    action._connection = Connection()
    action._module_name = lambda: "license_info"
    assert action._secrets({}).mask("someone winrm secret key secret") == "someone ******** ********"
