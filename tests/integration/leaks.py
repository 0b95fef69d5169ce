# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks for secrets wherever a job could have left them: in files, on command lines, and in environments of processes."""

from __future__ import annotations

import base64
import contextlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def traces(secret: str) -> dict[str, bytes]:
    """What the secret looks like in a file: plain, as UTF-16, and inside Base64 wherever it begins there.

    Of a product key the last five characters are left out, which may be shown; it is looked for with and without hyphens.
    """
    groups = secret.split("-")
    if len(groups) == 5 and all(len(group) == 5 for group in groups):
        texts = {"key": "-".join(groups[:4]), "bare key": "".join(groups[:4])}
    else:
        texts = {"secret": secret}
    found = {}
    for name, text in texts.items():
        for encoding in ("utf-8", "utf-16-le"):
            encoded = text.encode(encoding)
            found[f"{name} in {encoding}"] = encoded
            for before in range(3):
                # The characters that only this secret decides, whatever stands before and behind it.
                whole = base64.b64encode(bytes(before) + encoded)
                found[f"{name} in {encoding}, Base64 from {before}"] = whole[-(-before * 8 // 6) : (before + len(encoded)) * 8 // 6]
    return found


def leaks(places: Iterable[tuple[str, bytes]], secrets: Mapping[str, str]) -> list[str]:
    """Where which secret was found, as C(name: form: place)."""
    wanted = [(name, form, trace.lower()) for name, secret in secrets.items() for form, trace in traces(secret).items()]
    return [f"{name}: {form}: {place}" for place, content in places for name, form, trace in wanted if trace in content.lower()]


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield str(path.relative_to(folder)), path.read_bytes()


class Watch:
    """What was seen of the processes that this one has started, their command lines and environments."""

    def __init__(self, named: str) -> None:
        self._named = named.encode()
        self._stop = threading.Event()
        self.seen: dict[tuple[str, bytes], str] = {}

    def _look(self) -> None:
        parents: dict[int, int] = {}
        for entry in os.scandir("/proc"):
            if entry.name.isdigit():
                try:
                    status = Path(entry.path, "stat").read_bytes()
                except OSError:
                    continue
                parents[int(entry.name)] = int(status.rpartition(b")")[2].split()[1])
        for process in parents:
            if self._is_of_job(process, parents):
                for kind in ("cmdline", "environ"):
                    try:
                        content = Path(f"/proc/{process}/{kind}").read_bytes()
                    except OSError:
                        continue
                    self.seen.setdefault((kind, content), f"{kind} of {process}")

    def _is_of_job(self, process: int, parents: Mapping[int, int]) -> bool:
        named = False
        while process in parents and process != os.getpid():
            with contextlib.suppress(OSError):
                named = named or self._named in Path(f"/proc/{process}/cmdline").read_bytes()
            process = parents[process]
        return named and process == os.getpid()

    def run(self) -> None:
        """Look until it is over."""
        while not self._stop.wait(0.03):
            self._look()

    def end(self) -> None:
        """It is over."""
        self._stop.set()

    @property
    def places(self) -> list[tuple[str, bytes]]:
        """What was seen, each once."""
        return [(place, content) for (_kind, content), place in self.seen.items()]


@contextmanager
def watched(named: str = "ansible-playbook") -> Iterator[Watch]:
    """Watch all processes below one whose command line holds that name, and which this process started."""
    watch = Watch(named)
    thread = threading.Thread(target=watch.run, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.end()
        thread.join()
