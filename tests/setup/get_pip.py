# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the get-pip.py that ansible-test downloads for its own environments.

ansible-test takes this file from its cache and calls it with pip's arguments. The pip that comes with Python installs
the one that is asked for, from the same package registry as everything else.
"""

from __future__ import annotations

import ensurepip
import os
import subprocess
import sys

# pip before 24.2 has certificates of its own and ignores the system's, which a company's proxy may need.
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
# Arguments of get-pip.py that pip does not know.
NOT_OF_PIP = ("--no-setuptools", "--no-wheel")

ensurepip.bootstrap(upgrade=True)
if os.path.exists(CERTIFICATES):
    os.environ.setdefault("PIP_CERT", CERTIFICATES)
arguments = [argument for argument in sys.argv[1:] if argument not in NOT_OF_PIP]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *arguments]))
