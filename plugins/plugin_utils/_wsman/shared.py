# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the connections of a process share: TLS contexts, and that nobody looks for proxies in the environment.

To load a CA bundle takes 13 to 25 ms, which requests and urllib3 do for each connection, also for one that checks no certificate.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from urllib.parse import urlsplit

from .http_carrier import HttpCarrier

try:
    import requests.adapters
    import requests.sessions
    import requests.utils
    import urllib3.util.ssl_
except ImportError:
    # Without them there is neither pywinrm nor pypsrp, and the carriers say which package is missing.
    requests = SimpleNamespace(  # type: ignore[assignment]
        adapters=SimpleNamespace(HTTPAdapter=object), sessions=SimpleNamespace(get_environ_proxies=None), utils=SimpleNamespace()
    )

_CONTEXTS: dict[str | bool, ssl.SSLContext] = {}
_LOCK = threading.Lock()


def prepare() -> None:
    """Load the CA bundle of requests, which most connections that check certificates use.

    A process that is forked from this one has it.
    """
    bundle = getattr(requests.utils, "DEFAULT_CA_BUNDLE_PATH", "")
    # Where it can't be read, the first connection that needs it says so.
    with suppress(OSError):
        if bundle:
            _context(bundle)


def share(session: t.Any, endpoint: str) -> None:
    """Let a session of requests do once what it does for each request, and take its TLS context from those that are there.

    One with a client certificate, or that goes through a proxy, keeps its own context: a certificate is part of it.

    Args:
        session: As pywinrm or pypsrp built it, which took the proxies of the environment into it.
        endpoint: The URL that it is for.
    """
    session.trust_env = False
    if not endpoint.lower().startswith("https:") or session.cert or any(session.proxies.values()):
        return
    old = session.adapters["https://"]
    if not isinstance(old, _SharedContext):
        session.mount("https://", _SharedContext(_context(session.verify), max_retries=old.max_retries))


@contextmanager
def without_environment() -> Iterator[None]:
    """Let requests look for no proxies in the environment, which C(guard) lets nobody use.

    pywinrm has them looked for as it builds its session; that takes an eighth of all that a host takes. Holds for the whole process.
    """
    before = requests.sessions.get_environ_proxies
    requests.sessions.get_environ_proxies = lambda *_arguments, **_named: {}
    try:
        yield
    finally:
        requests.sessions.get_environ_proxies = before


def knock(carrier: HttpCarrier) -> None:
    """See whether a host takes connections, without a word to it. Behind a proxy that can't be told apart from any other failure.

    Raises:
        ActivationError: It takes none.
    """
    if carrier.proxy:
        return
    parts = urlsplit(carrier.endpoint)
    try:
        socket.create_connection((str(parts.hostname), parts.port or 0), carrier.contact.seconds).close()
    except OSError as error:
        raise carrier.never_connected(error) from None


def _context(verify: bool | str | None) -> ssl.SSLContext:
    """The context for what requests calls C(verify): C(False), or a bundle or folder of authorities."""
    trusted = requests.utils.DEFAULT_CA_BUNDLE_PATH if verify is True or verify is None else verify
    with _LOCK:
        if trusted not in _CONTEXTS:
            _CONTEXTS[trusted] = _new_context(trusted)
        return _CONTEXTS[trusted]


def _new_context(trusted: bool | str) -> ssl.SSLContext:
    context = urllib3.util.ssl_.create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED if trusted else ssl.CERT_NONE)
    if isinstance(trusted, str):
        if os.path.isdir(trusted):
            context.load_verify_locations(capath=trusted)
        else:
            context.load_verify_locations(cafile=trusted)
    return context


class _SharedContext(requests.adapters.HTTPAdapter):
    """An adapter whose connections use a context that has its authorities already."""

    def __init__(self, context: ssl.SSLContext, **arguments: t.Any) -> None:
        self._context = context
        super().__init__(**arguments)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: t.Any) -> None:
        """See the base class."""
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **pool_kwargs)

    def build_connection_pool_key_attributes(self, request: t.Any, verify: t.Any, cert: t.Any = None) -> t.Any:
        """See the base class; authorities that are named here would be loaded again."""
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {name: value for name, value in pool.items() if name not in ("ca_certs", "ca_cert_dir")}

    def cert_verify(self, conn: t.Any, url: str, verify: t.Any, cert: t.Any) -> None:
        """See the base class; the same."""
        del url, cert
        conn.cert_reqs = "CERT_REQUIRED" if verify else "CERT_NONE"
