# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that remember what was set, each by its number, until they begin anew. What they are is in C(changing.yml).

Methods do what is documented (docs/facts/licensing.md#service-methods, docs/facts/system.md#registry-provider,
docs/facts/system.md#services), whoever calls them. Answers to methods were never recorded but for C(StdRegProv.GetStringValue); those of the
others are in its envelope, in the form of docs/facts/wire-values.md#method-results.
"""

from __future__ import annotations

import copy
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from . import canned

_DATA = yaml.safe_load(Path(__file__).with_name("changing.yml").read_text(encoding="utf-8"))
KINDS = tuple(_DATA["kinds"])

_SERVICE, _PRODUCT = "SoftwareLicensingService", "SoftwareLicensingProduct"
_SEARCH_LIST = ("SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters", "SearchList")
# StdRegProv, ReturnValue.
_NO_VALUE, _NO_KEY = "1", "2"
# Win32_Service, ReturnValue.
_NOT_ACTIVE, _ALREADY_RUNNING = "6", "10"

_URI = re.compile(rb"ResourceURI[^>]*>\s*([^<\s]+/(\w+|\*))\s*<")
_ACTION = re.compile(rb"Action[^>]*>\s*([^<\s]+)\s*<")
_BODY = re.compile(rb"<(?:\w+:)?Body[\s>].*", re.DOTALL)
_ARGUMENT = re.compile(rb"<(?:\w+:)?(\w+)>([^<]*)</")
_RULE = re.compile(rb">MSFT\|FW\|FirewallRule\|([^<]+)<")
_OUTPUT = re.compile(rb"<p:GetStringValue_OUTPUT.*</p:GetStringValue_OUTPUT>", re.DOTALL)
_ENABLED = re.compile(rb"(<p:Enabled>)\d(<)")
_INSTANCE = re.compile(rb"<p:MSFT_NetFirewallRule .*</p:MSFT_NetFirewallRule>", re.DOTALL)
_XSI = "http://www.w3.org/2001/XMLSchema-instance"


@dataclass
class _State:
    """What one host is now.

    Attributes:
        rows: By class the columns that are not as recorded; C(None) is NULL.
        registry: By key and name the values.
        rules: By name C(Enabled) of firewall rules that are not as recorded.
        process: The process ID of sppsvc; 0 while it is stopped.
        started: How often it was started.
    """

    rows: dict[str, dict[str, str | None]]
    registry: dict[str, dict[str, str | list[str]]]
    rules: dict[str, str]
    process: int = 1000
    started: int = 0


class ChangingHosts(canned.Host):
    """All hosts of a kind.

    Args:
        kind: One of C(KINDS).
    """

    def __init__(self, kind: str) -> None:
        self._declared = _declared(kind)
        self._states: dict[int, _State] = {}
        self._rules: dict[bytes, bytes] = {}
        self._output = b""
        super().__init__(canned.RECORDINGS / self._declared["recording"])

    def _learn(self, exchange: Mapping[str, Any]) -> None:
        super()._learn(exchange)
        request, answer = exchange["request"].encode(), exchange.get("answer", "").encode()
        rule = _RULE.search(request)
        if rule:
            self._rules[rule[1]] = answer
        elif _OUTPUT.search(answer):
            self._output = answer

    def answer(self, request: bytes, number: int = 0) -> bytes | None:
        """See the base class."""
        uri, action, message_id = _URI.search(request), _ACTION.search(request), canned.MESSAGE_ID.search(request)
        if uri is None or action is None or message_id is None:
            return None
        state = self._states.get(number) or self._states.setdefault(number, self._new())
        query, named = canned.QUERY.search(request), uri[2].decode()
        if query:
            whole = self._queried(state, query[1], query[2])
        elif action[1].endswith(b"/transfer/Get"):
            whole = self._gotten(state, named, request)
        else:
            body = _BODY.search(request)
            arguments = [(name.decode(), html.unescape(value.decode())) for name, value in _ARGUMENT.findall(body[0] if body else b"")]
            method = action[1].rpartition(b"/")[2].decode()
            returned = self._called(state, named, method, arguments, request)
            whole = None if returned is None else self._returned(uri[1].decode(), method, returned)
        if whole is None:
            return None
        related = canned.RELATES_TO.sub(lambda found: found[1] + message_id[1] + found[2], whole, count=1)
        return related.replace(canned.NUMBER, b"%012d" % number)

    def _new(self) -> _State:
        declared = self._declared
        return copy.deepcopy(_State(declared["rows"], declared["registry"], declared["rules"]))

    def _queried(self, state: _State, columns: bytes, of: bytes) -> bytes | None:
        known = self._instances.get(of.lower())
        row = next((row for name, row in state.rows.items() if name.lower() == of.decode().lower()), {})
        if known is None and not row:
            return None
        instance = known or next(iter(self._instances.values()))
        kept = known.elements if known else {}
        changed = {name.lower().encode(): _element(name, value) for name, value in row.items()}
        # In alphabetical order (docs/facts/wire-values.md#instances).
        wanted = sorted(column.strip().lower() for column in columns.split(b","))
        chosen = [changed.get(column) or kept.get(column, b"") for column in wanted]
        return instance.before + b"".join(chosen) + instance.after

    def _gotten(self, state: _State, of: str, request: bytes) -> bytes | None:
        if of == "MSFT_NetFirewallRule":
            rule = _RULE.search(request)
            if rule is None or rule[1] not in self._rules:
                return None
            enabled = state.rules.get(rule[1].decode())
            answer = self._rules[rule[1]]
            return answer if enabled is None else _ENABLED.sub(rb"\g<1>%b\g<2>" % enabled.encode(), answer)
        if of != "Win32_Service":
            return None
        running = "Running" if state.process else "Stopped"
        row = {"Name": "sppsvc", "ProcessId": str(state.process), "StartMode": "Auto", "State": running}
        elements = "".join(f"<p:{name}>{value}</p:{name}>" for name, value in row.items())
        uri = f"http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/{of}"
        text = f'<p:{of} xmlns:xsi="{_XSI}" xmlns:p="{uri}" xsi:type="p:{of}_Type">{elements}</p:{of}>'.encode()
        envelope = next(answer for answer in self._rules.values() if _INSTANCE.search(answer))
        return _INSTANCE.sub(lambda _found: text, envelope, count=1)

    def _returned(self, uri: str, method: str, elements: str) -> bytes:
        text = f'<p:{method}_OUTPUT xmlns:xsi="{_XSI}" xmlns:p="{uri}">{elements}</p:{method}_OUTPUT>'.encode()
        answer = _OUTPUT.sub(lambda _found: text, self._output, count=1)
        return _ACTION.sub(lambda found: found[0].replace(found[1], f"{uri}/{method}Response".encode()), answer, count=1)

    def _called(self, state: _State, of: str, method: str, arguments: list[tuple[str, str]], request: bytes) -> str | None:
        """What a method returns, as elements; C(None) for one that nothing is known about."""
        given = dict(arguments)
        if of == "StdRegProv":
            return _registry(state, method, arguments)
        if of == "Win32_NetworkAdapterConfiguration" and method == "SetDNSSuffixSearchOrder":
            state.registry[_SEARCH_LIST[0]][_SEARCH_LIST[1]] = ",".join(
                value for name, value in arguments if name == "DNSDomainSuffixSearchOrder"
            )
            return _code("0")
        if of == "MSFT_NetFirewallRule" and method in ("Enable", "Disable"):
            rule = _RULE.search(request)
            if rule is None or rule[1] not in self._rules:
                return None
            state.rules[rule[1].decode()] = "1" if method == "Enable" else "2"
            # docs/facts/wire-values.md#method-results
            return ""
        if of == "Win32_Service":
            return _service(state, method)
        return self._licensing(state, of, method, given)

    def _licensing(self, state: _State, of: str, method: str, given: Mapping[str, str]) -> str | None:
        if (of, method) == (_SERVICE, "InstallProductKey"):
            _put(state, self._declared["installed"])
            _put(state, {_PRODUCT: {"PartialProductKey": given["ProductKey"][-5:]}})
            return _code("0")
        if (of, method) == (_SERVICE, "RefreshLicenseStatus"):
            return _code("0")
        if (of, method) == (_PRODUCT, "Activate"):
            _put(state, {_PRODUCT: self._declared["activated"]})
            return _code("0")
        known = _DATA["methods"].get(of, {}).get(method)
        if known is None:
            return None
        value = given[known["argument"]] if "argument" in known else known["value"]
        if known.get("inverted"):
            value = "false" if value == "true" else "true"
        _put(state, {of: {known["column"]: value}})
        return _code("0")


@cache
def _declared(kind: str) -> dict[str, Any]:
    """A kind with what it has of its base: each class and each other entry whole or column by column, as the file says it."""
    own = _DATA["kinds"][kind]
    base = _declared(own["base"]) if "base" in own else {"rows": {}, "registry": {}, "rules": {}, "installed": {}, "activated": {}}
    rows = {name: {**base["rows"].get(name, {}), **own.get("rows", {}).get(name, {})} for name in {**base["rows"], **own.get("rows", {})}}
    return {**base, **own, "rows": rows}


def _put(state: _State, rows: Mapping[str, Mapping[str, str | None]]) -> None:
    for of, row in rows.items():
        state.rows.setdefault(of, {}).update(row)


def _registry(state: _State, method: str, arguments: list[tuple[str, str]]) -> str | None:
    given = dict(arguments)
    # Names are compared without case.
    key = next((key for key in state.registry if key.lower() == given["sSubKeyName"].lower()), "")
    values = state.registry.get(key)
    if method == "CreateKey":
        state.registry.setdefault(key or given["sSubKeyName"], {})
        return _code("0")
    if values is None:
        return _code(_NO_KEY, "sValue" if method.startswith("Get") else "")
    name = next((name for name in values if name.lower() == given["sValueName"].lower()), given["sValueName"])
    if method in ("SetStringValue", "SetMultiStringValue"):
        lines = [value for argument, value in arguments if argument == "sValue"]
        values[name] = lines if method == "SetMultiStringValue" else "".join(lines)
        return _code("0")
    if method in ("GetStringValue", "GetMultiStringValue"):
        found = values.get(name)
        if found is None:
            return _code(_NO_VALUE, "sValue")
        told = found if isinstance(found, list) else [found]
        return _code("0") + "".join(f"<p:sValue>{html.escape(value, quote=False)}</p:sValue>" for value in told)
    if method == "DeleteValue":
        # docs/facts/system.md#registry-provider
        return _code("0" if values.pop(name, None) is not None else _NO_KEY)
    return None


def _service(state: _State, method: str) -> str | None:
    if method == "StopService":
        was, state.process = state.process, 0
        return _code("0" if was else _NOT_ACTIVE)
    if method == "StartService":
        if state.process:
            return _code(_ALREADY_RUNNING)
        state.started += 1
        state.process = 1000 + state.started
        return _code("0")
    return None


def _code(code: str, nothing: str = "") -> str:
    return f"<p:ReturnValue>{code}</p:ReturnValue>" + (f'<p:{nothing} xsi:nil="true"/>' if nothing else "")


def _element(name: str, value: str | None) -> bytes:
    told = f'<{name} xsi:nil="true"/>' if value is None else f"<{name}>{html.escape(value, quote=False)}</{name}>"
    return told.encode()
