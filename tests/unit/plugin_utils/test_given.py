# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists as people type them are read by one reader, in every form that surveys and extra variables bring."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import error_catalogue
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.given import names_of

pytestmark = pytest.mark.tier("quick")

NO_LIST, NO_NAMES = "a text that holds no list", "a dictionary in place of a list"
WRITTEN = error_catalogue.paired("Lists", [NO_LIST, NO_NAMES])


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (None, []),
        ("", []),
        ("  ", []),
        ([], []),
        ("[]", []),
        (" [ ] ", []),
        (",", []),
        ("a", ["a"]),
        ("a, b ,", ["a", "b"]),
        ("a b", ["a b"]),
        ('["a","b"]', ["a", "b"]),
        ("['a']", ["a"]),
        ("['127.0.0.10']", ["127.0.0.10"]),
        ("[a, b]", ["a", "b"]),
        ("[\n  'a',\n  \"b\",\n]", ["a", "b"]),
        ("- a\n- b", ["a", "b"]),
        ("- 'a'\n-  \"b\"\n", ["a", "b"]),
        ("a\nb\r\n\nc", ["a", "b", "c"]),
        ("a,\nb", ["a", "b"]),
        ("'a', b", ["a", "b"]),
        ('"CN=KMS,OU=x", b', ["CN=KMS,OU=x", "b"]),
        ("['it''s']", ["it's"]),
        ("O'Neill", ["O'Neill"]),
        ('["a\\u00e4"]', ["aä"]),
        ("[::1]", ["[::1]"]),
        ("[::1]:53, 10.0.0.1", ["[::1]:53", "10.0.0.1"]),
        ("['[::1]:53']", ["[::1]:53"]),
        ("kms_clients[0:3], all:!dark", ["kms_clients[0:3]", "all:!dark"]),
        ("kms-1, -x", ["kms-1", "-x"]),
        (["a", " b ", ""], ["a", "b"]),
        (("a", 1), ["a", "1"]),
        ("[1, 2]", ["1", "2"]),
    ],
)
def test_each_form_is_read(value: Any, names: list[str]):
    assert names_of(value, "x") == names


@pytest.mark.parametrize(
    "value", ['["a"', "['a', 'b'", "{a: b}", '{"a": "b"}', "[[a], [b]]", "['a' 'b']", '"a', "['a]", "[a, {b: c}]", 'x, "a"b']
)
def test_a_text_that_holds_no_list_is_refused_with_the_name_of_the_variable(value: str):
    with pytest.raises(ActivationError) as caught:
        names_of(value, "kms_single_site_dns_servers")
    assert error_catalogue.shown(caught.value) == error_catalogue.expected(WRITTEN[NO_LIST], caught.value)


@pytest.mark.parametrize("value", [{"a": "b"}, True, 1, [None], [["a"]], [{"a": 1}], [True]])
def test_what_is_no_list_is_refused_with_the_name_of_the_variable(value: Any):
    with pytest.raises(ActivationError) as caught:
        names_of(value, "kms_single_site_dns_servers")
    assert error_catalogue.shown(caught.value) == error_catalogue.expected(WRITTEN[NO_NAMES], caught.value)


NAMES = st.lists(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True), max_size=6)


@given(NAMES)
def test_what_yaml_json_and_python_write_comes_back(names: list[str]):
    for text in (json.dumps(names), str(names), yaml.safe_dump(names), ", ".join(names), "\n".join(names), f"[{', '.join(names)}]"):
        assert names_of(text, "x") == names


@given(st.text())
def test_whatever_is_typed_is_read_or_refused(text: str):
    with contextlib.suppress(ActivationError):
        assert all(name == name.strip() != "" for name in names_of(text, "x"))


def test_a_long_text_takes_no_longer_than_it_is():
    began = time.monotonic()
    for part in ("a,", '"a",', "[", "- a\n", "'a", "\\"):
        with contextlib.suppress(ActivationError):
            names_of(part * 50_000, "x")
    assert time.monotonic() - began < 10
