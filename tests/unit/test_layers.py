# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the layers of the collection: each imports only what is below it, and the pure ones touch neither Ansible nor a network.

The sources are parsed, not imported, so that imports inside functions and for type checkers count as well.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from import_graph import COLLECTION, imports, is_within, layer_of

pytestmark = pytest.mark.tier("quick")

TREE = Path(__file__).resolve().parents[2]

# From top to bottom. What stands on one line does not import one another. A name is a folder of plugins/, or a module
# or package of plugins/plugin_utils/ where it starts with an underscore.
LAYERS = (
    ("action", "callback", "filter", "inventory", "lookup"),
    ("_runs",),
    ("_fleet",),
    ("_actions",),
    ("_windows", "_dns", "_directory", "_kms_endpoint", "_microsoft", "_unattend", "_scan", "_report"),
    ("_wsman", "_kerberos", "_computer_list", "_survey"),
    ("_licensing", "_topology"),
    ("_srv", "_state", "_condensed"),
    ("_core",),
    ("doc_fragments", "modules", "plugin_utils"),
)
HEIGHT = {name: -depth for depth, names in enumerate(LAYERS) for name in names}
# The same within a room that has rooms, or files that all others stand on.
WITHIN = {
    "_windows": (("survey", "slmgr"), ("kms_host", "kms_client", "mak_client", "sysprep", "remoting"), ("spp",), ("platform",)),
    "_core": (("address", "given", "files"), ("plan", "errors", "xml"), ("text", "codes"), ("masking",), ("secret_forms",)),
}
# Rooms that stay apart although one is above the other: what brings a code knows nothing of what it tells of.
APART = {"_wsman": ("_licensing", "_topology", "_srv")}
# What not everybody above may use. Of those that may reach hosts the siblings talk to directories, name servers and Microsoft; a run
# decides about what others have read.
KEPT_FOR = {
    "_wsman": ("action", "_actions", "_fleet", "_windows", "_scan"),
    "_actions": ("action", "_fleet"),
    "_fleet": ("action",),
}
KNOWS_ANSIBLE = ("action", "callback", "filter", "inventory", "lookup", "_actions", "_fleet")
PURE = (
    "_runs",
    "_report",
    "_computer_list",
    "_unattend",
    "_wsman",
    "_licensing",
    "_topology",
    "_survey",
    "_srv",
    "_state",
    "_condensed",
    "_core",
    "doc_fragments",
    "modules",
)
# The one file of _wsman that is neither pure nor ignorant of Ansible.
CARRIERS = "plugins/plugin_utils/_wsman/transport.py"
# Those of _runs that read what Ansible has; all others are pure.
READERS = tuple(f"plugins/plugin_utils/_runs/{name}.py" for name in ("action", "collect"))
# Those of _wsman that use the libraries for WinRM, and HTTP beneath them.
LIBRARIES = tuple(f"plugins/plugin_utils/_wsman/{name}.py" for name in ("carriers", "contact", "proxies", "shared"))
# The one file of _microsoft that talks, and what it takes from Ansible for that.
SPEAKER = "plugins/plugin_utils/_microsoft/service.py"
URLS = "ansible.module_utils.urls"
TALKS = (
    "asyncio",
    "ftplib",
    "http",
    "imaplib",
    "multiprocessing",
    "poplib",
    "select",
    "selectors",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "subprocess",
    "urllib.request",
    "xmlrpc",
)


def complaint(file: str, layer: str, name: str) -> str:
    """What is wrong with one import; empty if it is allowed.

    Args:
        file: The importing file, from the top of the tree.
        layer: Its layer.
        name: The full dotted name that it imports.
    """
    if is_within(name, "tests", "lab"):
        return "the collection imports nothing of its tests"
    if name.startswith(COLLECTION):
        inside = name.removeprefix(COLLECTION).split(".")
        if inside[0] != "plugins" or len(inside) < 2:
            return "reaches out of plugins"
        other = layer_of(inside[1:])
        return complaint_inside(file, layer, inside[3:]) if other == layer else complaint_between(file, layer, other)
    if is_within(name, "ansible._internal", "ansible.module_utils._internal"):
        return "private to ansible-core"
    if file in (CARRIERS, *READERS) or (file == SPEAKER and is_within(name, URLS)):
        return ""
    if is_within(name, "ansible") and layer not in KNOWS_ANSIBLE:
        return f"{layer} knows nothing of Ansible"
    if (layer in PURE and file not in LIBRARIES) or (layer == "_microsoft" and file != SPEAKER):
        if is_within(name, *TALKS):
            return f"{layer} is pure: no network, no processes"
        if name.partition(".")[0] not in sys.stdlib_module_names:
            return f"{layer} is pure: nothing but the standard library"
    return ""


def complaint_inside(file: str, layer: str, imported: list[str]) -> str:
    """What is wrong with a room within a layer that imports another one of it."""
    floors = {name: -depth for depth, names in enumerate(WITHIN.get(layer, ())) for name in names}
    own, other = file.split("/")[3].removesuffix(".py"), imported[0]
    if not floors or own in (other, "__init__"):
        return ""
    if own not in floors or other not in floors:
        return f"{layer}/{other if own in floors else own} has no place in WITHIN"
    return "" if floors[other] < floors[own] else f"{layer}/{own} is not above {layer}/{other}"


def complaint_between(file: str, layer: str, other: str) -> str:
    """What is wrong with a layer that imports another one."""
    if other not in HEIGHT:
        return f"{other} has no place in LAYERS"
    if other in APART.get(layer, ()):
        return f"{layer} knows nothing of {other}"
    if HEIGHT[other] >= HEIGHT[layer]:
        return f"{layer} is not above {other}"
    users = KEPT_FOR.get(other, (layer,))
    return "" if layer in users or file in READERS else f"only {', '.join(users)} use {other}"


def violations(tree: Path) -> list[str]:
    """Imports that break a rule, as C(file:line: import: why).

    Args:
        tree: Folder that holds C(plugins) and C(tests/lab).
    """
    found = []
    for path in sorted((tree / "plugins").rglob("*.py")):
        file = path.relative_to(tree).as_posix()
        layer = layer_of(list(path.relative_to(tree / "plugins").parts))
        if layer not in HEIGHT:
            found.append(f"{file}: {layer} has no place in LAYERS")
            continue
        package = COLLECTION + ".".join(path.parent.relative_to(tree).parts)
        for line, name in imports(path, package):
            if why := complaint(file, layer, name):
                found.append(f"{file}:{line}: {name}: {why}")
    for path in sorted((tree / "tests" / "lab").rglob("*.py")):
        file = path.relative_to(tree).as_posix()
        package = ".".join(path.parent.relative_to(tree / "tests").parts)
        for line, name in imports(path, package):
            if is_within(name, "ansible_collections", "plugins"):
                found.append(f"{file}:{line}: {name}: the laboratory shares nothing with what it tests")
    return found


def test_every_layer_imports_only_what_is_below_it() -> None:
    assert list((TREE / "plugins").rglob("*.py")), "there is no source to check"
    assert violations(TREE) == []


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for path in (TREE / "plugins/plugin_utils").rglob("*.py"):
        for node in ast.parse(path.read_bytes()).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(path.relative_to(TREE).as_posix())
    assert len(places) > 100
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


@pytest.mark.parametrize(
    ("file", "source", "why"),
    [
        ("plugins/plugin_utils/_licensing/keys.py", "import ansible.errors", "nothing of Ansible"),
        ("plugins/plugin_utils/_licensing/keys.py", "def later():\n    import socket", "no network"),
        ("plugins/plugin_utils/_topology/sites.py", "from urllib import request", "no network"),
        ("plugins/plugin_utils/_topology/sites.py", "from .._licensing.kms import x", "_topology is not above _licensing"),
        ("plugins/plugin_utils/_core/plan.py", "import yaml", "standard library"),
        ("plugins/plugin_utils/_core/plan.py", "from .errors import ActivationError", "_core/plan is not above _core/errors"),
        ("plugins/plugin_utils/_core/novelty.py", "from .errors import ActivationError", "_core/novelty has no place in WITHIN"),
        (
            "plugins/plugin_utils/_windows/spp/licensing.py",
            "from ..kms_host.state import Wish",
            "_windows/spp is not above _windows/kms_host",
        ),
        (
            "plugins/plugin_utils/_windows/kms_host/keys.py",
            "from ..kms_client import setup",
            "_windows/kms_host is not above _windows/kms_client",
        ),
        ("plugins/plugin_utils/_licensing/keys.py", "from .. import _wsman", "_licensing is not above _wsman"),
        ("plugins/plugin_utils/_wsman/session.py", "from ansible.errors import AnsibleError", "nothing of Ansible"),
        ("plugins/plugin_utils/_wsman/fault.py", "from .._licensing.mak import Trouble", "_wsman knows nothing of _licensing"),
        ("plugins/plugin_utils/_core/codes/meaning.py", "from ..errors import ActivationError", "_core/codes is not above _core/errors"),
        ("plugins/plugin_utils/_runs/fleet.py", "from ansible.errors import AnsibleError", "nothing of Ansible"),
        ("plugins/plugin_utils/_runs/fleet.py", "from .._fleet.variables import HostVariables", "only action use _fleet"),
        ("plugins/plugin_utils/_wsman/session.py", "import requests", "standard library"),
        ("plugins/plugin_utils/_wsman/carriers.py", "from ansible.errors import AnsibleError", "nothing of Ansible"),
        ("plugins/plugin_utils/_wsman/transport.py", "from ansible._internal import x", "private to ansible-core"),
        ("plugins/plugin_utils/_dns/update.py", "from .._directory.session import Session", "_dns is not above _directory"),
        (
            "plugins/plugin_utils/_dns/update.py",
            "from .._wsman.session import Session",
            "only action, _actions, _fleet",
        ),
        ("plugins/plugin_utils/_kerberos/tickets.py", "from .._directory.settings import Settings", "_kerberos is not above _directory"),
        ("plugins/plugin_utils/_directory/session.py", "from ansible.utils.display import Display", "nothing of Ansible"),
        ("plugins/plugin_utils/_microsoft/batch_request.py", "from ansible.module_utils.urls import open_url", "nothing of Ansible"),
        ("plugins/plugin_utils/_microsoft/confirmation.py", "import urllib.request", "no network"),
        ("plugins/plugin_utils/_microsoft/service.py", "from ansible.errors import AnsibleError", "nothing of Ansible"),
        ("plugins/plugin_utils/_windows/spp/licensing.py", "from ..._actions.base import Outcome", "_windows is not above _actions"),
        ("plugins/plugin_utils/_windows/spp/licensing.py", "from .....tests.lab import names", "reaches out of plugins"),
        ("plugins/plugin_utils/_windows/spp/licensing.py", "from lab.names import REALM", "nothing of its tests"),
        (
            "plugins/plugin_utils/_windows/spp/licensing.py",
            "import importlib\nimportlib.import_module('tests.lab')",
            "nothing of its tests",
        ),
        (
            "plugins/plugin_utils/_actions/base.py",
            "import ansible_collections.winops.volume_activation.plugins.action.kms_host",
            "_actions is not above action",
        ),
        ("plugins/plugin_utils/_novelty.py", "", "_novelty has no place in LAYERS"),
        ("plugins/modules/kms_host.py", "from ansible.module_utils.basic import AnsibleModule", "nothing of Ansible"),
        ("tests/lab/windows/host.py", "from ansible_collections.winops.volume_activation.plugins import x", "shares nothing"),
        ("tests/lab/windows/host.py", "from ....plugins.plugin_utils._core import errors", "shares nothing"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, file: str, source: str, why: str) -> None:
    found = violations(plant(tmp_path, file, source))
    assert len(found) == 1
    assert why in found[0]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        (
            "plugins/action/kms_host.py",
            "from ..plugin_utils._actions.base import Outcome\nfrom ..plugin_utils._wsman.session import Session",
        ),
        (
            "plugins/plugin_utils/_actions/windows.py",
            "from ansible.errors import AnsibleError\nfrom .._wsman.transport import open_session",
        ),
        (
            "plugins/plugin_utils/_windows/spp/licensing.py",
            "import time\nfrom ..._wsman.session import Session\nfrom ..platform import classes",
        ),
        ("plugins/plugin_utils/_wsman/transport.py", "import ansible.plugins.connection, requests\nfrom .session import Session"),
        ("plugins/plugin_utils/_wsman/carriers.py", "import requests, ssl\nfrom .session import Session"),
        ("plugins/plugin_utils/_microsoft/service.py", "import ssl\nfrom ansible.module_utils.urls import open_url"),
        ("plugins/plugin_utils/_dns/update.py", "import dns.query\nfrom .._kerberos.logon import Logon\nfrom .._core.plan import Plan"),
        (
            "plugins/plugin_utils/_licensing/keys.py",
            "import re\nfrom urllib.parse import quote\nfrom .._core.codes.meaning import sentence",
        ),
        ("tests/lab/windows/host.py", "import socket\nfrom ..names import REALM"),
    ],
)
def test_what_the_layers_allow_is_not_reported(tmp_path: Path, file: str, source: str) -> None:
    assert violations(plant(tmp_path, file, source)) == []


def plant(tree: Path, file: str, source: str) -> Path:
    """A tree with one file."""
    path = tree / file
    path.parent.mkdir(parents=True)
    path.write_text(source, encoding="utf-8")
    return tree
