# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions by the settings of a host's own Ansible connection plugin.

The only file that touches private interfaces of ansible-core. The plugins' own way of connecting opens a WinRS shell
(winrm) or a PowerShell runspace (psrp) on the target; here only their settings are read.
"""

from __future__ import annotations

import copy
import os
import typing as t

from ansible import constants

from .._core.errors import ActivationError
from . import diagnosis
from .carriers import PSRP_ERROR, WINRM_ERROR, CarrierFacts, describe_carrier, open_with, psrp_transport
from .contact import Contact
from .http_carrier import HttpCarrier, moved
from .session import Session
from .settings import ConnectionSettings

__all__ = [
    "CarrierFacts",
    "address_variables",
    "describe_carrier",
    "log_on",
    "not_wsman",
    "open_session",
    "open_with",
    "read_settings",
    "resolve_options",
]


# How pywinrm says that nobody has chosen a proxy; it would take that of the environment, and show it with its account.
_NOT_CHOSEN = "legacy_requests"

# The extra has to be compiled, and who does without Kerberos does without it.
_INSTALL = {package: f"pip install {package}, with Kerberos '{package}[kerberos]'" for package in ("pywinrm", "pypsrp")}


class Templar(t.Protocol):
    """What makes values of templates."""

    def template(self, value: t.Any) -> t.Any:
        """The value itself, or what its template gives."""


def resolve_options(connection: t.Any, variables: t.Mapping[str, t.Any], templar: Templar) -> dict[str, t.Any]:
    """Those variables of a host that options of its connection come from, by their names, without templates.

    Args:
        connection: The connection plugin.
        variables: All variables of the host.
        templar: Makes values of those that the plugin reads.
    """
    return dict(connection._resolve_option_variables(variables, templar))


def address_variables(connection: t.Any) -> list[str]:
    """The variables that an address can come from; the last that is set counts."""
    definitions = constants.config.get_configuration_definitions("connection", connection._load_name)
    return [str(entry["name"]) for entry in definitions["remote_addr"]["vars"]]


def read_settings(connection: t.Any, host: str, kinit: bool = True) -> ConnectionSettings:
    """What the options of a connection plugin say.

    Args:
        connection: A connection plugin, C(ansible.builtin.winrm) or C(ansible.builtin.psrp), whose options are set.
        host: The host's name as the inventory has it.
        kinit: Get a Kerberos ticket where the plugin would do so. It sets the ticket cache of the whole process.

    Raises:
        ActivationError: The connection is of another kind, its plugin has changed, or its options do not go together.
    """
    name = str(getattr(connection, "ansible_name", "")).rpartition(".")[2]
    if name == "winrm":
        return _winrm_settings(connection, host, kinit)
    if name == "psrp":
        return _psrp_settings(connection, host)
    raise not_wsman(name, host)


def not_wsman(name: str, host: str) -> ActivationError:
    """The error for a connection that is neither C(winrm) nor C(psrp); it recommends the one whose package is installed."""
    instead = "psrp" if PSRP_ERROR is None else "winrm"
    package = "" if PSRP_ERROR is None or WINRM_ERROR is None else f" Install its package: {_INSTALL['pywinrm']}."
    return ActivationError(
        f"WMI is reached over WS-Management, which ansible_connection={name} does not speak. Set for this host"
        f" ansible_connection: {instead} and ansible_port: 5985.{package}",
        subject=host,
        source="options",
    )


def open_session(connection: t.Any, host: str, contact: Contact | None = None) -> Session:
    """A session over the settings of an Ansible connection, which itself is not connected.

    Args:
        connection: The task's connection plugin, C(ansible.builtin.winrm) or C(ansible.builtin.psrp).
        host: The host's name as the inventory has it.
        contact: Limits the first answer.

    Raises:
        ActivationError: See C(read_settings).
    """
    return open_with(read_settings(connection, host), host, contact)


def log_on(connection: t.Any, host: str, user: str, password: str) -> str:
    """A ticket by C(kinit), as the winrm plugin gets it with its options for that.

    Args:
        connection: The winrm plugin, after C(read_settings).
        host: The host's name, for messages.
        user: The principal.
        password: Its password.

    Returns:
        The file of the ticket cache, which is removed with the plugin's next ticket.

    Raises:
        LogonRejected: The domain does not accept the account.
        ActivationError: There is no ticket for another reason.
    """
    before = os.environ.get("KRB5CCNAME")
    try:
        connection._kerb_auth(user, password)
        return str(connection._kerb_ccache.name)
    except AttributeError as error:
        raise moved("winrm", error) from error
    except Exception as error:
        raise HttpCarrier(host).refused_logon(str(error) or type(error).__name__) from None
    finally:
        if before is None:
            os.environ.pop("KRB5CCNAME", None)
        else:
            os.environ["KRB5CCNAME"] = before


def _lacks(name: str, package: str, host: str, installed: str) -> ActivationError:
    """The error for a connection without its package; C(installed) is the other connection where it has its own."""
    instead = f" Or set ansible_connection: {installed}, whose package is installed." if installed else ""
    return ActivationError(
        f"ansible_connection={name} needs the Python package {package} on the control node: {_INSTALL[package]}.{instead}",
        subject=host,
        source="options",
    )


def _winrm_settings(connection: t.Any, host: str, kinit: bool) -> ConnectionSettings:
    if WINRM_ERROR:
        raise _lacks("winrm", "pywinrm", host, "" if PSRP_ERROR else "psrp") from WINRM_ERROR
    try:
        connection._build_winrm_kwargs()
        managed = not kinit and bool(connection._kerb_managed) and "kerberos" in connection._winrm_transport
        if not kinit:
            connection._kerb_managed = False
        # With a shell already named, _winrm_connect leaves open_shell out; it still runs kinit for managed Kerberos.
        shell_id = connection.shell_id
        connection.shell_id = shell_id or "none"
        try:
            protocol = connection.protocol or connection._winrm_connect()
        finally:
            connection.shell_id = shell_id
        # Never used itself: every connection is made with a copy, so that nothing of a broken one is left.
        pristine = copy.copy(protocol.transport)
        pristine.session = pristine.encryption = None
        # One number for connecting and reading would make a host that is off hold the task for a minute and more.
        seconds = int(pristine.read_timeout_sec or 30)
        chosen = pristine.proxy != _NOT_CHOSEN
        if not chosen:
            pristine.proxy = None
        return ConnectionSettings("winrm", pristine, (seconds, seconds), str(pristine.proxy or ""), chosen, managed)
    except AttributeError as error:
        raise moved("winrm", error) from error
    except Exception as error:
        # The connection plugin has its own words for what pywinrm and kinit say, without the host.
        if diagnosis.is_a(error, "AnsibleConnectionFailure"):
            raise HttpCarrier(host).refused_logon(str(error) or type(error).__name__) from None
        raise ActivationError(
            f"{diagnosis.explain_authentication(str(error) or type(error).__name__)}.", subject=host, source="options"
        ) from None


def _psrp_settings(connection: t.Any, host: str) -> ConnectionSettings:
    if PSRP_ERROR:
        raise _lacks("psrp", "pypsrp", host, "" if WINRM_ERROR else "winrm") from PSRP_ERROR
    try:
        connection._build_kwargs()
        arguments = dict(connection._psrp_conn_kwargs)
        transport = psrp_transport(arguments)
        timeouts = (transport.connection_timeout, transport.read_timeout)
        return ConnectionSettings("psrp", arguments, timeouts, str(transport.proxy or ""), bool(transport.no_proxy))
    except AttributeError as error:
        raise moved("psrp", error) from error
    except ValueError as error:
        raise ActivationError(f"{str(error).rstrip('.')}.", subject=host, source="options") from None
