# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one would write by hand: pywinrm in a pool of threads, the same envelopes as the survey, one TLS context for all.

python -m scale.bare --hosts FILE --envelopes FILE --port 5985 --threads 32 --out FILE [--ca FILE] [--transport ntlm]
"""

from __future__ import annotations

import argparse
import json
import uuid
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests.adapters
import urllib3.util.ssl_
from winrm.transport import Transport

from .exchange import PASSWORD, USER


class _Adapter(requests.adapters.HTTPAdapter):
    def __init__(self, context: Any) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._context, **named)

    def build_connection_pool_key_attributes(self, *arguments: Any, **named: Any) -> Any:
        host, pool = super().build_connection_pool_key_attributes(*arguments, **named)
        pool.pop("ca_certs", None)
        return host, pool

    def cert_verify(self, conn: Any, *_arguments: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED"


def read(address: str, options: argparse.Namespace, envelopes: list[str], context: Any) -> dict[str, str]:
    """All elements of the answers of one host."""
    endpoint = f"{'https' if context else 'http'}://{address}:{options.port}/wsman"
    transport = Transport(
        endpoint,
        username=USER,
        password=PASSWORD,
        auth_method=options.transport,
        ca_trust_path=options.ca or "legacy_requests",
        read_timeout_sec=30,
    )
    session = transport.build_session()
    if context:
        session.mount("https://", _Adapter(context))
    found: dict[str, str] = {}
    try:
        for envelope in envelopes:
            message = envelope.replace("@ENDPOINT@", endpoint).replace("@MESSAGE_ID@", f"uuid:{uuid.uuid4()}")
            for element in ET.fromstring(transport.send_message(message)).iter():
                found[element.tag] = element.text or ""
    finally:
        transport.close_session()
    return found


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=Path, required=True)
    parser.add_argument("--envelopes", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ca")
    parser.add_argument("--transport", choices=("basic", "ntlm"), default="basic")
    options = parser.parse_args()
    addresses = json.loads(options.hosts.read_text(encoding="utf-8"))
    envelopes = json.loads(options.envelopes.read_text(encoding="utf-8"))
    context = None
    if options.ca:
        context = urllib3.util.ssl_.create_urllib3_context()
        context.load_verify_locations(cafile=options.ca)
    with ThreadPoolExecutor(options.threads) as pool, options.out.open("w", encoding="utf-8") as out:
        for answer in pool.map(lambda address: read(address, options, envelopes, context), addresses):
            out.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
