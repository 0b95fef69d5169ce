# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MAK proxy activation, step by step: each playbook begins where the one before it has ended well."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any, ClassVar

from integration.mak_play import groups_of
from integration.test_mak_proxy import KEY

from lab.microsoft.server import BatchServer, microsoft_in_thread
from lab.play import Run, run_playbook
from lab.windows import data
from lab.windows.microsoft import Microsoft

from .world import COLLECTION, Seen, World

COMPUTERS = 4
FILES = ("list.json", "export.json")


class ProxyWorld(World):
    """Four isolated computers; files and Microsoft's counts as the steps before have left them."""

    lab_name = "isolated"
    keeps_state = True
    step: ClassVar[str]
    before: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.microsoft = Microsoft()
        self._stack = ExitStack()
        self.server: BatchServer = self._stack.enter_context(microsoft_in_thread(self.folder / "microsoft", self.microsoft))
        self._files: dict[str, bytes] | None = None

    def close(self) -> None:
        """Microsoft goes."""
        self._stack.close()

    def limit(self) -> Iterable[str]:
        """The computers of the run; Microsoft is asked by the control node."""
        return () if self.step == "acquire" else [f"{label}*" for label in self.labels()]

    def labels(self) -> list[str]:
        """The first computers."""
        return [machine.label for machine in self.lab.options.machines if machine.role == "client"][:COMPUTERS]

    def variables(self) -> dict[str, Any]:
        """Where the files and Microsoft are, and who gets which key."""
        return {
            "mak_proxy_list": str(self.list_file()),
            "mak_proxy_export": str(self.state / FILES[1]),
            "volume_activation_state_directory": str(self.state),
            "volume_activation_microsoft_url": self.server.url,
            "volume_activation_microsoft_ca_path": self.server.ca_path,
            "volume_activation_mak": KEY,
            "volume_activation_mak_hosts": "isolated",
        }

    def list_file(self) -> Any:
        """The list that stays."""
        return self.state / FILES[0]

    def _play(self, step: str) -> Run:
        limit = "" if step == "acquire" else f"--limit {':'.join(f'{label}*' for label in self.labels())}"
        given = {"inventory": self.inventory(), "arguments": limit, "variables": self.variables(), "environment": self.environment}
        return run_playbook(self.lab.layout.root, f"{COLLECTION}.mak_proxy_{step}", **given)

    def prepare(self) -> None:
        """The files of the steps before, and what these have done to the computers."""
        self.microsoft.reset()
        self.server.reset()
        if self._files is None:
            for step in self.before:
                run = self._play(step)
                if run.rc:
                    raise RuntimeError(run.output)
            self._files = {name: (self.state / name).read_bytes() for name in FILES if (self.state / name).exists()}
            self.lab.control.reset()
            self.microsoft.reset()
            self.server.reset()
            for entry in self.state.iterdir():
                entry.unlink()
        for name, content in self._files.items():
            (self.state / name).write_bytes(content)
            (self.state / name).chmod(0o600)
        self._on_computers()

    def _on_computers(self) -> None:
        """Nothing, unless a step says otherwise."""

    def spent(self) -> dict[str, int]:
        """As Microsoft in this process has counted."""
        return {name: int(key["activations"]) for name, key in self.microsoft.snapshot().items() if key["activations"]}

    def seen(self) -> Seen:
        """With what the export says."""
        seen = super().seen()
        export = self.state / FILES[1]
        if export.exists():
            products = json.loads(export.read_text(encoding="utf-8")).get("products", [])
            seen.listed |= {
                f"export {product['installation_id']}": {"confirmation_id": product.get("confirmation_id")} for product in products
            }
        return seen


class Collect(ProxyWorld):
    """Keys are installed, list and export are written."""

    playbook = "mak_proxy_collect"
    step = "collect"


class Acquire(ProxyWorld):
    """The export gets its confirmation IDs."""

    playbook = "mak_proxy_acquire"
    step = "acquire"
    before = ("collect",)

    def documented(self) -> dict[str, Any]:
        """Microsoft may have counted a request without an answer; who accepts that asks again."""
        return {"mak_proxy_ask_again": True}

    def unanswered(self) -> int:
        """The installation IDs of the export without a confirmation ID."""
        listed = self.seen().listed
        return sum(name.startswith("export ") and not known["confirmation_id"] for name, known in listed.items())


class Apply(ProxyWorld):
    """The computers have their keys, and get the confirmation IDs."""

    playbook = "mak_proxy_apply"
    step = "apply"
    before = ("collect", "acquire")

    def _on_computers(self) -> None:
        for label in self.labels():
            key = next(name for name, hosts in groups_of(self.lab).items() if name.startswith("mak_") and _named(label, hosts))
            arguments = {"ProductKey": data.key_named(key).key}
            self.lab.control.call("call_service", host=label, method="InstallProductKey", arguments=arguments)


class Reapply(ProxyWorld):
    """The computers are set up anew: they have neither key nor licence, and the same hardware."""

    playbook = "mak_proxy_reapply"
    step = "reapply"
    before = ("collect", "acquire", "apply")


def _named(label: str, hosts: Iterable[str]) -> bool:
    return any(host.partition(".")[0] == label for host in hosts)
