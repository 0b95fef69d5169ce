# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session with one host: query, get, put and invoke, whatever carries the bytes.

Requests go out one after another: an old host allows a user only 15 operations at once, and the carriers encrypt
per connection.
"""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence

from .._core.errors import ActivationError
from .._core.text import LONGEST_NAME, visible
from . import envelope
from .bounds import QueryTally
from .carrier import Carrier, CarrierT, HttpError
from .cim import CimClass, OddValue, Value
from .envelope import Request
from .fault import WsmanFault, check_hresult
from .response import Page, parse_body, parse_instance, parse_output, parse_page
from .service import Identity, ServiceConfig, parse_config, parse_identity


class UnknownOutcome(ActivationError):
    """The request was sent, but no answer says whether it was carried out. The state has to be read again.

    Attributes:
        at_work: The target has not finished it (w:TimedOut), so that it may still come.
        late: No answer came in time, of the target or on the way.
    """

    at_work = False
    late = False


_LOOK_AT_WMI = "Check WMI on the host; winmgmt /verifyrepository there shows damage."
_READ_AGAIN = "A second run reads the state before it does anything."


class Session(contextlib.AbstractContextManager["Session"]):
    """WMI of one host.

    Args:
        carrier: What carries the messages.
        host: The host's name as the inventory has it, for messages.

    Attributes:
        requests: How many WS-Management messages were sent.
    """

    def __init__(self, carrier: Carrier, host: str) -> None:
        self.host = host
        self.requests = 0
        self._received = 0
        self._carrier = carrier

    def query(
        self, cim_class: CimClass, columns: Sequence[str], where: str = "", timeout: int = envelope.OPERATION_TIMEOUT
    ) -> list[dict[str, Value]]:
        """The wanted columns of all matching instances.

        Args:
            cim_class: The class.
            columns: Property names, all of which the target's Windows has to have: WMI refuses a query that names
                one that it does not know.
            where: A WQL condition.
            timeout: Seconds that the target may take to begin its answer. One that took longer is asked again, unless this is less
                than Windows allows.

        Returns:
            One dictionary per instance, with exactly the columns as keys.

        Raises:
            ActivationError: It has no end, or more than C(bounds) allows; the target was told that no more is wanted.
        """
        wql = f"select {','.join(columns)} from {cim_class.name}"
        if where:
            wql += f" where {where}"
        types = {column: cim_class.read_as(column) for column in columns}
        label = f"query of {cim_class.name}"
        patient = timeout >= envelope.OPERATION_TIMEOUT
        before = self._received
        tally = QueryTally(label, self.host, self._carrier.endpoint)
        request = envelope.enumerate_request(self._carrier.endpoint, cim_class, wql, timeout)
        content = self._exchange(request, label, repeatable=patient)
        name = "EnumerateResponse"
        rows: list[dict[str, Value]] = []
        while True:
            with self._about(label):
                page = parse_page(self._expected(content, name, label))
            with self._released_on_error(page, cim_class.namespace):
                tally.add(len(page.items), self._received - before)
                with self._about(label):
                    rows.extend(parse_instance(item, types) for item in page.items)
            if not page.context:
                return rows
            # A page that got lost can't be pulled again: the context has moved on.
            pull = envelope.pull_request(self._carrier.endpoint, cim_class, page.context)
            content = self._exchange(pull, label, repeatable=False)
            name = "PullResponse"

    def get(self, cim_class: CimClass, selectors: Mapping[str, str]) -> dict[str, Value]:
        """The properties of one instance.

        Raises:
            WsmanFault: C(not_found) where no instance has these keys.
        """
        request = envelope.get_request(self._carrier.endpoint, cim_class, selectors)
        label = request.label
        content = self._exchange(request, label, repeatable=True)
        with self._about(label):
            if content is None:
                raise ActivationError("the answer is empty.", source="wsman")
            return parse_instance(content, {name: cim_class.read_as(name) for name in cim_class.properties})

    def put(self, cim_class: CimClass, selectors: Mapping[str, str], properties: Mapping[str, Value]) -> None:
        """Write properties of one instance. Writing the same values twice does no harm, so a lost answer is repeated."""
        request = envelope.put_request(self._carrier.endpoint, cim_class, selectors, properties)
        self._exchange(request, request.label, repeatable=True)

    def invoke(
        self,
        cim_class: CimClass,
        method: str,
        arguments: Mapping[str, Value] | None = None,
        selectors: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> dict[str, t.Any]:
        """Call a method.

        Args:
            cim_class: The class.
            method: The method's name.
            arguments: In parameters.
            selectors: The keys of the instance; none for a static method.
            repeatable: The method only reads, so that it may be called again when its answer was lost.

        Returns:
            C(ReturnValue) and the out parameters. A ReturnValue below 0x80000000 has a meaning of its own in every class.

        Raises:
            WsmanFault: The method failed, by a fault or by an HRESULT as its ReturnValue.
            UnknownOutcome: Nobody knows whether it did.
        """
        request = envelope.invoke_request(self._carrier.endpoint, cim_class, method, arguments or {}, selectors)
        label = request.label
        content = self._expected(self._exchange(request, label, repeatable=repeatable), f"{method}_OUTPUT", label)
        try:
            output = parse_output(content, cim_class, method)
        except OddValue as odd:
            if repeatable:
                raise self._told(label, odd) from None
            # It was carried out, and what it says of it is not known.
            raise self._unknown(label, odd.detail) from None
        check_hresult(output["ReturnValue"], label, request.asked, self.host)
        return output

    def identify(self) -> Identity:
        """What the WinRM service calls itself. Asks nothing of WMI."""
        request = envelope.identify_request()
        label = request.label
        content = self._exchange(request, label, repeatable=True)
        with self._about(label):
            return parse_identity(content)

    def read_config(self) -> ServiceConfig:
        """The settings and limits of the WinRM service; Windows shows them to administrators only."""
        request = envelope.config_request(self._carrier.endpoint)
        label = request.label
        content = self._exchange(request, label, repeatable=True)
        with self._about(label):
            return parse_config(content)

    @property
    def carrier(self) -> Carrier:
        """What carries the messages."""
        return self._carrier

    def wrap_carrier(self, wrapper: Callable[[Carrier], CarrierT]) -> CarrierT:
        """Put another carrier in front of the one in use, such as one that records.

        Returns:
            The new carrier.
        """
        wrapped = wrapper(self._carrier)
        self._carrier = wrapped
        return wrapped

    def reconnect(self) -> None:
        """Forget the connection: the host was restarted, or its WinRM service was."""
        self._carrier.reconnect()

    def close(self) -> None:
        """Close the connection."""
        self._carrier.close()

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _released_on_error(self, page: Page, namespace: str) -> Iterator[None]:
        """Tell the target that no further page is wanted where this one can't be taken."""
        try:
            yield
        except ActivationError:
            if page.context:
                release = envelope.release_request(self._carrier.endpoint, namespace, page.context)
                with contextlib.suppress(ActivationError):
                    self._exchange(release, release.label, repeatable=False)
            raise

    def _exchange(self, request: Request, label: str, repeatable: bool) -> t.Any:
        try:
            return self._send(request, label)
        except UnknownOutcome as unknown:
            if not unknown.at_work:
                # What comes late on this connection would be taken for the answer to the next request.
                self._carrier.reconnect()
            if not repeatable:
                raise
        return self._send(request, label)

    def _send(self, request: Request, label: str) -> t.Any:
        try:
            answer = self._carry(request.envelope)
        except UnknownOutcome as unknown:
            # The carrier knows the host, but not what was asked of it.
            lost = self._unknown(label, f"{unknown.said.rstrip('.')}.", unknown)
            lost.late = unknown.late
            raise lost from None
        try:
            return parse_body(answer, request.message_id, label, request.asked, self.host)
        except WsmanFault as fault:
            if fault.timed_out:
                late = UnknownOutcome(
                    f"{label} took longer than the {request.timeout} seconds that Windows allows; it may still be at work.",
                    subject=self.host,
                    remedy=_READ_AGAIN,
                    code=fault.code,
                    name=fault.name,
                    source="wsman",
                )
                late.at_work = late.late = True
                raise late from None
            raise
        except ActivationError as unreadable:
            # Not an answer to this request, so the outcome is unknown; and what follows on this connection may
            # not be one to the next request either.
            raise self._unknown(label, unreadable.said, unreadable) from None

    def _carry(self, message: bytes) -> bytes:
        try:
            return self._hand_over(message)
        except HttpError as error:
            if error.status != 400:
                raise
        # Windows drops an idle connection and with it the encryption; what comes encrypted for the old connection over a
        # new one is answered by a bare 400. It was not decrypted, so it was not carried out either.
        self._carrier.reconnect()
        return self._hand_over(message)

    def _hand_over(self, message: bytes) -> bytes:
        self.requests += 1
        answer = self._carrier.send(message)
        self._received += len(answer)
        return answer

    def _unknown(self, label: str, clause: str, cause: ActivationError | None = None) -> UnknownOutcome:
        """Nobody knows what came of a request; C(cause) is the error behind it, whose code stays."""
        code, name, source = (cause.code, cause.name, cause.source) if cause else (None, "", "wsman")
        return UnknownOutcome(f"{label}: {clause}", subject=self.host, remedy=_READ_AGAIN, code=code, name=name, source=source)

    def _expected(self, content: t.Any, name: str, label: str) -> t.Any:
        """The content of an answer, which is of that name: anything else would read as one in which everything is empty.

        Windows spells classes and methods as its repository does, whatever the request said.
        """
        found = name if content is None else content.tag.rpartition("}")[2]
        if found.lower() != name.lower():
            raise self._unknown(label, f"the answer is one to something else ({visible(found, LONGEST_NAME)}).")
        return content

    @contextlib.contextmanager
    def _about(self, label: str) -> Iterator[None]:
        """Say of what cannot be read in an answer which answer it is."""
        try:
            yield
        except UnknownOutcome:
            raise
        except OddValue as odd:
            raise self._told(label, odd) from None
        except ActivationError as error:
            raise ActivationError(f"{label}: {error.said}", subject=self.host, source=error.source) from None

    def _told(self, label: str, odd: OddValue) -> OddValue:
        return OddValue(odd.detail, subject=self.host, about=label, remedy=_LOOK_AT_WMI)
