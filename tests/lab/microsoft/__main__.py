# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BatchActivation by itself, for another network namespace than that of the machines: ``python -m lab.microsoft FOLDER``.

It knows the keys of ``data/keys.yml``, which are those of every lab's machines, and tells an installation ID by its check group,
so it needs nothing of the lab that they are in. FOLDER gets ``ca.pem`` and ``microsoft.jsonl``. Its one line on standard output,
a JSON object with ``url`` and ``ca_path`` (and ``proxy``), says that it answers; it ends with SIGTERM. Standard input takes commands as
JSON lines, each answered by one: {"command": "snapshot"}, "entries", "reset", "settle", {"command": "set_state", "key": NAME, "state": …},
{"command": "set_remaining", "key": NAME, "count": N}, {"command": "fault", "rule": {…}}, {"command": "reachable", "value": false}.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..settling import settle
from ..windows import data
from .proxy import ProxyServer
from .server import HOST_NAME, BatchServer


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.microsoft", description="Microsoft's BatchActivation for the lab.")
    parser.add_argument("folder", type=Path, help="for certificates and the log")
    parser.add_argument("--address", default="127.0.0.1", help="where it listens (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="on which port (default: a free one)")
    parser.add_argument("--seed", type=int, default=1, help="chooses among forms that no source proves (default: %(default)s)")
    parser.add_argument("--proxy-port", type=int, help="also a proxy on that port of the same address, 0 for a free one")
    parser.add_argument("--proxy-user", default="", help="its user; the password is in LAB_PROXY_PASSWORD")
    return parser


def run_command(server: BatchServer, command: str, **given: Any) -> Any:
    """One command of standard input. Raises ValueError, KeyError or TypeError for what it does not understand."""
    microsoft = server.microsoft
    if command == "snapshot":
        return microsoft.snapshot()
    if command == "entries":
        return [asdict(entry) for entry in server.journal.entries]
    if command == "settle":
        return settle(server.is_quiet)
    if command == "reset":
        microsoft.reset()
        return server.reset()
    if command == "set_state":
        return microsoft.set_state(data.key_named(given["key"]).key, given["state"])
    if command == "set_remaining":
        return microsoft.set_remaining(data.key_named(given["key"]).key, given["count"])
    if command == "fault":
        return server.faults.add(given["rule"])
    if command == "reachable":
        microsoft.reachable = bool(given["value"])
        return None
    raise ValueError(f"no command {command}")


def _serve_commands(server: BatchServer) -> None:
    for line in sys.stdin:
        try:
            answer = {"result": run_command(server, **json.loads(line))}
        except (ValueError, KeyError, TypeError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def main() -> int:
    """Run until SIGTERM."""
    arguments = _parser().parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    server = BatchServer(
        arguments.folder,
        address=arguments.address,
        port=arguments.port,
        seed=arguments.seed,
        log=arguments.folder / "microsoft.jsonl",
    )
    server.start()
    said = {"url": server.url, "ca_path": server.ca_path}
    if arguments.proxy_port is not None:
        proxy = ProxyServer(
            arguments.proxy_user,
            os.environ.get("LAB_PROXY_PASSWORD", ""),
            address=arguments.address,
            port=arguments.proxy_port,
            names={HOST_NAME: (server.address, server.port)},
        )
        proxy.start()
        said["proxy"] = proxy.url
    print(json.dumps(said), flush=True)
    threading.Thread(target=_serve_commands, args=(server,), daemon=True).start()
    ended.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
