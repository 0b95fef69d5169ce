# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Sphinx makes the site of C(make docs) from the pages that antsibull-docs writes. No network is asked."""

from __future__ import annotations

import importlib
import re
from typing import Any

project = "winops.volume_activation"
author = "winops contributors"
html_title = project
extensions = ["sphinx_antsibull_ext"]
# A reference that leads nowhere is a warning, and a warning fails the build.
nitpicky = True
default_role = "any"
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
smartquotes = False
html_theme = "alabaster"
html_theme_options = {
    "description": "Windows volume activation, KMS and MAK, with Ansible",
    "page_width": "1100px",
    "sidebar_width": "220px",
    "font_family": "DejaVu Sans, Helvetica, Arial, sans-serif",
    "head_font_family": "DejaVu Sans, Helvetica, Arial, sans-serif",
    "show_powered_by": "false",
    "fixed_sidebar": "false",
}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_sidebars = {"**": ["about.html", "searchbox.html", "navigation.html"]}
html_copy_source = False
html_use_index = False

_ANSIBLE = "https://docs.ansible.com/projects/ansible/latest"
_PAGES = {
    "action_plugins": "plugins/action.html",
    "callback_plugins": "plugins/callback.html",
    "common_return_values": "reference_appendices/common_return_values.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
}
_PLUGIN = re.compile(r"ansible_collections\.(\w+)\.(\w+)\.(\w+)")
_OWN = "ansible_collections.winops.volume_activation."


def ansible_page(kind: str, target: str) -> str | None:
    """The page of Ansible's own documentation for a reference, below its address; C(None) where it is not for it."""
    if kind == "envvar" and target.startswith("ANSIBLE_"):
        return f"reference_appendices/config.html#envvar-{target}"
    plugin = _PLUGIN.fullmatch(target)
    if kind == "ref" and plugin and not target.startswith(_OWN):
        return "collections/{}/{}/{}.html".format(*plugin.groups())
    return _PAGES.get(target) if kind == "ref" else None


def resolve_outside(_app: Any, _env: Any, node: Any, content: Any) -> Any:
    """The link for a reference to what Ansible's own documentation has; C(None) for any other."""
    page = ansible_page(node.get("reftype", ""), node.get("reftarget", ""))
    nodes = importlib.import_module("docutils.nodes")
    return nodes.reference("", "", content, internal=False, refuri=f"{_ANSIBLE}/{page}") if page else None


def setup(app: Any) -> None:
    """What Sphinx calls first."""
    app.connect("missing-reference", resolve_outside)
