# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The computer itself: its names, its system, a reboot, and the tickets of its service account."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from ..._core.codes.code import plain
from ..._core.errors import ActivationError
from ..._core.text import LONGEST_NAME, visible
from ..._srv.value import plain_name
from ..._wsman.session import Session, UnknownOutcome
from . import programs, registry, told
from .classes import WIN32_COMPUTER_SYSTEM, WIN32_OPERATING_SYSTEM
from .versions import WindowsVersion, parse_version

# The Kerberos tickets of NetworkService, as which sppsvc runs, belong to this logon session. Like Win32_Process.Create
# itself, klist gives nothing back that could be read: the effect shows in DNS.
_TCPIP_PARAMETERS = "SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters"
_PURGE_TICKETS = "klist.exe -li 0x3e4 purge"


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """What Windows says about itself.

    Attributes:
        caption: Its name in its own language.
        version: Its version, such as C(10.0.20348).
        build: The build number, such as 20348.
        is_server: Whether it is a server edition.
        computer_name: The NetBIOS name; the machine account is this with a C($) behind it.
        local_time: Its clock, with offset.
        last_boot: When it was started.
    """

    caption: str
    version: str
    build: int
    is_server: bool
    computer_name: str
    local_time: datetime | None
    last_boot: datetime | None

    @property
    def windows(self) -> WindowsVersion:
        """The version as one that can be compared."""
        return parse_version(self.version)


def read_operating_system(session: Session) -> OperatingSystem:
    """The operating system, in one request."""
    columns = ("Caption", "Version", "BuildNumber", "ProductType", "CSName", "LocalDateTime", "LastBootUpTime")
    rows = session.query(WIN32_OPERATING_SYSTEM, columns)
    if not rows:
        raise ActivationError(
            "WMI knows no operating system; its repository is damaged (winmgmt /verifyrepository).", subject=session.host, source="windows"
        )
    row = rows[0]
    local_time, last_boot = row["LocalDateTime"], row["LastBootUpTime"]
    return OperatingSystem(
        caption=visible(str(row["Caption"] or "").strip(), LONGEST_NAME),
        version=str(row["Version"] or ""),
        build=int(str(row["BuildNumber"] or 0)),
        # Win32_OperatingSystem.ProductType: 1 is a workstation, 2 a domain controller, 3 a server.
        is_server=row["ProductType"] != 1,
        computer_name=told.computer_name(session.host, row["CSName"]),
        local_time=local_time if isinstance(local_time, datetime) else None,
        last_boot=last_boot if isinstance(last_boot, datetime) else None,
    )


def read_names(session: Session) -> tuple[str, str]:
    """The DNS host name and the AD domain, both in lower case; no domain where the computer is not a member of one."""
    rows = session.query(WIN32_COMPUTER_SYSTEM, ("DNSHostName", "Domain", "PartOfDomain"))
    row = rows[0] if rows else {}
    # In a workgroup Domain is the workgroup's name.
    domain = told.dns_name(session.host, "Domain", row.get("Domain")) if row.get("PartOfDomain") else ""
    return told.dns_name(session.host, "DNSHostName", row.get("DNSHostName")), domain


def read_fqdn(session: Session) -> str:
    """The DNS name under which the computer publishes itself, in lower case.

    Its suffix may be another than the domain that it is a member of (disjoint namespace). That is checked where the inventory does
    not call the computer by its name in the domain.
    """
    name, domain = read_names(session)
    if not name or not domain:
        raise ActivationError(
            f"{session.host} is not a member of a domain, so it can't publish itself by secure dynamic update; write its record by hand.",
            source="windows",
        )
    if f"{name}.{domain}" == plain_name(session.host):
        return f"{name}.{domain}"
    suffix = registry.read_string(session, _TCPIP_PARAMETERS, "Domain")
    return f"{name}.{told.dns_name(session.host, f'the registry value Domain of {_TCPIP_PARAMETERS}', suffix) or domain}"


def purge_tickets(session: Session) -> None:
    """Make the service account forget its Kerberos tickets, so that the next one knows the groups of today.

    Raises:
        ActivationError: The target forbids it.
    """
    process = programs.start(session, _PURGE_TICKETS, "use ticket: reboot or ticket: wait instead")
    # sppsvc is restarted next, and must not get its new security context from the old tickets.
    programs.wait_for_end(session, process)


def restarted(host: str) -> str:
    """What a person is told of a computer that was restarted for its ticket."""
    return f"{host} was restarted, so that it gets a Kerberos ticket with its present groups (O(ticket): reboot)."


def reboot(session: Session, timeout: float) -> None:
    """Restart the computer and wait until its WMI answers again.

    Args:
        session: The host; usable again afterwards.
        timeout: Seconds to wait.

    Raises:
        ActivationError: It was refused, or the computer did not come back.
    """
    before = read_operating_system(session).last_boot
    lost = ""
    try:
        code = session.invoke(WIN32_OPERATING_SYSTEM, "Reboot")["ReturnValue"]
    except UnknownOutcome:
        # The answer may be lost because the computer was quicker.
        code, lost = 0, ", and the answer to the order was lost"
    if code:
        raise ActivationError(
            f"the reboot was refused with the Windows error {code} (net helpmsg {code} shows its text). Let the WinRM"
            " account shut the computer down from a remote system, or restart it by hand and run it again.",
            subject=session.host,
            code=plain(code),
            source="windows",
        )
    deadline = time.monotonic() + timeout
    answers = False
    while time.monotonic() < deadline:
        time.sleep(min(5.0, timeout / 20))
        answers = False
        try:
            session.reconnect()
            if read_operating_system(session).last_boot != before:
                return
            answers = True
        except ActivationError:
            # Whatever a computer on its way down or up answers means only that it is not ready yet.
            continue
    if answers:
        raise ActivationError(
            f"{session.host} was not restarted within {timeout:.0f} seconds of its reboot{lost}. Something may hold it up, such as an"
            " update or a person who is logged on; restart it by hand, or give O(reboot_timeout) more seconds, and run it again.",
            source="windows",
        )
    raise ActivationError(
        f"{session.host} did not come back within {timeout:.0f} seconds of its reboot{lost}. Look at its console; when it is back, run"
        " it again, with more seconds for O(reboot_timeout) if it needs them.",
        source="windows",
        unreachable=True,
    )
