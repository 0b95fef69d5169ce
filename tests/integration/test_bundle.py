# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bundle for a control node without a network: installed and used in a network namespace in which there is not even a loopback."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pip._internal.models.index import PyPI

from .documented import TREE

pytestmark = [pytest.mark.tier("soak"), pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root")]

ANSWER_FILE = """<unattend xmlns="urn:schemas-microsoft-com:unattend"><settings pass="specialize">
<component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64"></component></settings></unattend>"""
KEY = "BCDFG-HJKMP-QRTVW-XY234-6789B"


@pytest.fixture(scope="module")
def bundle(project: Path) -> Path:
    """The file that C(make integration) has made, as these tests have no network themselves."""
    found = sorted((project / "build").glob("winops-volume_activation-bundle-*.tar.gz"), key=lambda path: path.stat().st_mtime)
    if not found:
        pytest.skip("there is no bundle: make bundle")
    return found[-1]


@pytest.fixture(scope="module")
def unpacked(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    subprocess.run(["tar", "--extract", "--file", bundle, "--directory", folder], check=True)
    (inside,) = folder.iterdir()
    assert inside.name == bundle.name.removesuffix(".tar.gz")
    return inside


def without_routes(home: Path, *command: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command where no network is, with nothing of this environment."""
    python = Path(sys.base_prefix) / "bin"
    return subprocess.run(
        ["unshare", "--net", *map(str, command)],
        env={"PATH": f"{python}:/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8", "PYTHON": str(python / "python3"), **environment},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def installed(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    done = without_routes(home, unpacked / "install.sh", home / "venv")
    assert done.returncode == 0, done.stdout
    assert "installed: " in done.stdout
    return home


def test_there_is_no_network_where_it_is_tried(tmp_path: Path):
    seen = without_routes(tmp_path, "cat", "/proc/net/route", "/proc/net/dev").stdout.splitlines()
    # No route, not even a heading of them; two lines of headings, and a loopback that is down.
    assert len(seen) == 3 and "lo:" in seen[2]


def test_its_commands_know_the_collection(installed: Path):
    shown = without_routes(installed, installed / "venv/bin/ansible-doc", "winops.volume_activation.kms_host")
    assert shown.returncode == 0 and "> MODULE winops.volume_activation.kms_host" in re.sub(r"\x1b\[\d*m", "", shown.stdout), shown.stdout
    shown = without_routes(
        installed, installed / "venv/bin/python", "-c", "import ldap, gssapi, krb5, kerberos, winrm, pypsrp, dns, jmespath"
    )
    assert shown.returncode == 0, shown.stdout


def test_a_task_does_its_work_and_another_says_that_the_host_is_away(installed: Path):
    path = installed / "Unattend.xml"
    path.write_text(ANSWER_FILE)
    options = ["localhost", "--connection", "local", "-m", "winops.volume_activation.unattend_key", "-a", f"path={path} product_key={KEY}"]
    done = without_routes(installed, installed / "venv/bin/ansible", *options)
    assert done.returncode == 0 and KEY in path.read_text() and KEY not in done.stdout, done.stdout
    options = ["-i", "192.0.2.1,", "all", "-m", "winops.volume_activation.license_info"]
    options += ["-e", '{"ansible_connection": "winrm", "ansible_port": 5985, "ansible_user": "x", "ansible_password": "y"}']
    done = without_routes(installed, installed / "venv/bin/ansible", *options)
    assert "UNREACHABLE" in done.stdout and "192.0.2.1" in done.stdout, done.stdout


def test_it_comes_up_to_date_in_the_same_place_and_refuses_what_was_changed(unpacked: Path, installed: Path):
    done = without_routes(installed, unpacked / "install.sh", installed / "venv")
    assert done.returncode == 0, done.stdout
    readme = unpacked / "README.md"
    whole = readme.read_bytes()
    readme.write_bytes(whole + b"\n")
    done = without_routes(installed, unpacked / "install.sh", installed / "other")
    readme.write_bytes(whole)
    assert done.returncode == 1 and "copy the bundle again" in done.stdout
    wrong = installed / "python9"
    wrong.write_text("#!/bin/sh\necho 2.7\n")
    wrong.chmod(0o755)
    done = without_routes(installed, unpacked / "install.sh", installed / "other", PYTHON=str(wrong))
    assert done.returncode == 1 and "this bundle is for Python" in done.stdout
    assert not (installed / "other").exists()


def contents(bundle: Path) -> Iterator[tuple[str, bytes]]:
    """Every file in the bundle, and every file in those that are archives themselves."""
    with tarfile.open(bundle) as archive:
        for member in archive.getmembers():
            held = archive.extractfile(member)
            content = held.read() if held else b""
            yield member.name, content
            if member.name.endswith(".whl"):
                with zipfile.ZipFile(io.BytesIO(content)) as wheel:
                    yield from ((f"{member.name}: {name}", wheel.read(name)) for name in wheel.namelist())
            elif member.name.endswith(".tar.gz"):
                with tarfile.open(fileobj=io.BytesIO(content)) as inner:
                    yield from (
                        (f"{member.name}: {file.name}", inner.extractfile(file).read()) for file in inner.getmembers() if file.isfile()
                    )


def test_it_holds_the_collection_as_it_is(bundle: Path):
    held = dict(contents(bundle))
    plugins = {name.partition(": ")[2]: content for name, content in held.items() if ".tar.gz: plugins/" in name}
    now = {path.relative_to(TREE).as_posix(): path.read_bytes() for path in (TREE / "plugins").rglob("*") if path.suffix in (".py", ".yml")}
    assert plugins == now, "the bundle is an old one: make bundle"


def registries() -> set[str]:
    """The hosts that pip of this machine asks, other than the one that everybody knows."""
    said = subprocess.run([Path(sys.executable).parent / "pip", "config", "list"], capture_output=True, text=True, check=True).stdout
    found = {urlsplit(address).hostname or "" for address in re.findall(r"https?://[^\s'\"]+", said)}
    return found - {"", PyPI.netloc, PyPI.file_storage_domain}


def test_nothing_in_it_tells_of_the_machine_that_made_it(bundle: Path):
    places = {str(TREE), sys.base_prefix, "/tmp/pip-"} | ({f"{Path.home()}/"} if Path.home() != Path("/") else set())
    # A path that begins there: root's home is also the end of the name of a WMI namespace.
    told = [re.compile(rb"(?<![\w.])" + re.escape(text.encode())) for text in places | registries() if not text.startswith("/usr")]
    # What projects publish says what they like.
    made_here = [(name, content) for name, content in contents(bundle) if ".whl" not in name or "-linux_" in name]
    found = [(name, place.pattern) for name, content in made_here for place in told if place.search(content)]
    assert found == []
    with tarfile.open(bundle) as archive:
        for member in archive.getmembers():
            assert (member.uid, member.gid, member.uname, member.gname, member.mtime) == (0, 0, "", "", 0)
