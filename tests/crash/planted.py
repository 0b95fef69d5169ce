# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bugs that are planted into a copy of the collection, so that it is known that the crash test finds such."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.layout import TESTS

STAGED = TESTS.parent / "build" / "collections"
PLUGINS = Path("ansible_collections/winops/volume_activation/plugins/plugin_utils")


@dataclass(frozen=True)
class Bug:
    """A change of the source: one text of a file below ``plugins/plugin_utils`` in place of another."""

    file: str
    old: str
    new: str


BUGS = {
    # A request to Microsoft is not written down before it is sent.
    "journal of confirmation IDs": Bug(
        "_microsoft/acquiring.py",
        "            self._source.save()\n        except BaseException:",
        "            pass\n        except BaseException:",
    ),
    # An activation is not written down before it begins.
    "journal of activations": Bug("_runs/mak/steps.py", "if seen.settings.activate and not check_mode else []", "if False else []"),
    # What came of a call without an answer is taken for granted.
    "read-back": Bug(
        "_windows/spp/license_changes.py", "        if reached(read_products(session, parse_version(version))):\n", "        if session:\n"
    ),
    # Writers of a file do not wait for each other.
    "lock": Bug("_core/files.py", "            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)", "            pass"),
    # A call that changes something is made again when its answer was lost.
    "repeat after a lost answer": Bug("_wsman/session.py", "            if not repeatable:\n                raise\n", ""),
    # Microsoft is asked again although it may have counted.
    "repeat of an unknown confirmation ID": Bug("_microsoft/sorting.py", "elif not ask_again and any(", "elif False and any("),
    # All values of a name are removed, and not only the old ones.
    "removal of the whole record": Bug("_dns/update.py", "update.delete(name, _rdata(change.value))", "update.delete(name)"),
    # The rights of others that are not inherited are thrown away.
    "rights replaced": Bug(
        "_directory/record_acl.py",
        "return grants.grant_exactly(dacl, sid, self.mask)",
        "return grants.grant_exactly(Acl(tuple(ace for ace in dacl.aces if getattr(ace, 'flags', 16) & 16)), sid, self.mask)",
    ),
}


@contextmanager
def collection(name: str | None) -> Iterator[dict[str, str]]:
    """The environment of runs with a copy that has the bug; an empty one without a name."""
    if name is None:
        yield {}
        return
    bug = BUGS[name]
    with tempfile.TemporaryDirectory(prefix="crash-planted-") as folder:
        copied = Path(folder) / "collections"
        shutil.copytree(STAGED, copied, symlinks=True)
        file = copied / PLUGINS / bug.file
        text = file.read_text(encoding="utf-8")
        if text.count(bug.old) != 1:
            raise ValueError(f"{bug.file} does not have the text that {name} replaces, or has it twice")
        file.unlink()
        file.write_text(text.replace(bug.old, bug.new), encoding="utf-8")
        yield {"ANSIBLE_COLLECTIONS_PATH": str(copied)}
