# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless Chromium, driven through the DevTools protocol over a pipe, with nothing but the standard library.

The protocol is that of https://chromedevtools.github.io/devtools-protocol/: with --remote-debugging-pipe the browser reads commands from
file descriptor 3 and writes answers to 4, each JSON with a null byte behind it.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRAM = "chromium"
_SECONDS = 120.0


def _pipe() -> tuple[int, int]:
    """A pipe, to be read and to be written, beyond the numbers of the browser."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]


def is_there() -> bool:
    """Whether Chromium is installed."""
    return shutil.which(PROGRAM) is not None


class Browser:
    """One page in a browser of its own.

    Args:
        folder: For its profile.
        width: Of the page in CSS pixels.
        height: Likewise.
        script: Whether pages may run scripts.
        dark: Whether the user prefers dark pages.

    Attributes:
        complaints: What the console of the page shows: errors, warnings and exceptions.
        requests: The addresses that the page has asked for.
    """

    def __init__(self, folder: Path, width: int = 1280, height: int = 900, script: bool = True, dark: bool = False) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._number, self._rest = 0, b""
        self._session = ""
        commands, self._commands = _pipe()
        answers, self._answers = reversed(_pipe())
        # A shell gives the ends of the browser the numbers that it knows, which may be in use here.
        shell = f'exec "$@" 3<&{commands} 4>&{answers} {commands}<&- {answers}>&-'
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run", f"--user-data-dir={folder}"]
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "bash", PROGRAM, *options, "about:blank"],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self._ask("Emulation.setScriptExecutionDisabled", value=not script)
        self.prefer("dark" if dark else "light")

    def prefer(self, scheme: str, media: str = "screen") -> None:
        """Take a colour scheme, C(light) or C(dark), and a medium, C(screen) or C(print)."""
        self._ask("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, page: Path) -> float:
        """Load a page; returns the seconds until it was there."""
        begun = time.monotonic()
        self._loaded = False
        self._ask("Page.navigate", url=page.as_uri())
        while not self._loaded:
            self._take(self._next())
        return time.monotonic() - begun

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript comes to."""
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def text(self) -> str:
        """What a reader without script sees of the page, by the accessibility tree."""
        nodes = self._ask("Accessibility.getFullAXTree")["nodes"]
        return "\n".join(str(node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"])

    def picture(self, file: Path, whole: bool = True) -> None:
        """Keep what the page looks like as PNG."""
        file.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot", captureBeyondViewport=whole)["data"]))

    def printed(self) -> bytes:
        """The page as PDF."""
        return base64.b64decode(self._ask("Page.printToPDF")["data"])

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        os.close(self._commands)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._answers)

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters, **({"sessionId": self._session} if self._session else {})}
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("id") == self._number:
                assert "error" not in message, message
                return message["result"]
            self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        method, given = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(given["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(given["exceptionDetails"]))
        elif method == "Log.entryAdded" or (method == "Runtime.consoleAPICalled" and given["type"] in ("error", "warning")):
            self.complaints.append(str(given))

    def _next(self) -> dict[str, Any]:
        deadline = time.monotonic() + _SECONDS
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, "the browser does not answer"
            read = os.read(self._answers, 1 << 20)
            assert read, "the browser has ended"
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)
