# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""slmgr.vbs' verbs: what each calls, which state decides whether it has to, and what it takes.

Sources: slmgr.vbs of Windows 8 and later for the calls and their order, "Slmgr.vbs options for volume activation"
(windowsserverdocs) for what an option means and where it works. The documentation of the collection has the same table.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

SERVICE, PRODUCT, TOKEN, REGISTRY = (
    "SoftwareLicensingService",
    "SoftwareLicensingProduct",
    "SoftwareLicensingTokenActivationLicense",
    "StdRegProv",
)

VISTA, WINDOWS_7, WINDOWS_8 = (6, 0), (6, 1), (6, 2)
"""Versions of Windows, as a pair that compares with those of hosts."""


class Repeat(StrEnum):
    """What a verb does when it is given a second time; the value is what the documentation shows."""

    READS = "reads only"
    IDEMPOTENT = "yes"
    EVERY_TIME = "no"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb.

    Attributes:
        name: As slmgr.vbs spells it, without the slash.
        calls: The calls in their order, as C(Class.Method); what else it does, in words.
        state: What is read to decide whether the calls are made.
        repeat: What a second time does.
        note: Why it is so, or why it is refused; a sentence.
        required: Options that it needs.
        optional: Options that it takes.
        host_only: It makes sense on a KMS host alone.
        since: The first version of Windows that has its calls.
        restart: What has to be restarted before it has its effect, C(service) or C(computer).
    """

    name: str
    calls: tuple[str, ...]
    state: str
    repeat: Repeat = Repeat.IDEMPOTENT
    note: str = ""
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    host_only: bool = False
    since: tuple[int, int] = VISTA
    restart: str = ""

    @property
    def changes(self) -> bool:
        """Whether it can change anything."""
        return self.repeat in (Repeat.IDEMPOTENT, Repeat.EVERY_TIME)


_MARK = f"{REGISTRY}.SetStringValue or DeleteValue of KeyManagementServiceVersion in both views"
_REFRESH = f"{SERVICE}.RefreshLicenseStatus"
_EITHER = f"{SERVICE} or {PRODUCT}"
_ID = ("activation_id",)
_OWN_RIGHTS = (
    "slmgr.vbs refuses it for another computer: Windows writes the activation object with the caller's rights, which a logon over"
    " the network does not carry beyond the host. Run slmgr.vbs on the host itself, with an account that may write the"
    " configuration partition."
)
_OWN_SIGNER = (
    "The certificates are those of the user's own store and smart card, which only COM on the computer itself reaches"
    " (SPPWMI.SppWmiTokenActivationSigner). Run slmgr.vbs in a session of that user."
)
_REMOVED = "Windows 8.1 and Server 2012 R2 removed it."


def _host_setting(name: str, method: str, argument: str, column: str, required: tuple[str, ...] = (), restart: str = "service") -> Verb:
    return Verb(name, (f"{SERVICE}.{method}{argument}",), column, required=required, host_only=True, restart=restart)


_TABLE = (
    Verb(
        "ipk",
        (f"{SERVICE}.InstallProductKey", _REFRESH, _MARK),
        "PartialProductKey of all products; KeyManagementServiceVersion",
        note="Where another key licenses the computer as a KMS host, replace_key has to allow that it goes.",
        required=("product_key",),
        optional=("replace_key",),
    ),
    Verb(
        "upk",
        (f"{PRODUCT}.UninstallProductKey", _REFRESH, _MARK),
        "PartialProductKey of the product; KeyManagementServiceVersion",
        optional=_ID,
    ),
    Verb(
        "cpky",
        (f"{SERVICE}.ClearProductKeyFromRegistry",),
        "none",
        Repeat.EVERY_TIME,
        "Nothing tells whether the registry still holds the key.",
    ),
    Verb(
        "ato",
        (f"{PRODUCT}.Activate", _REFRESH),
        "LicenseStatus, VLActivationTypeEnabled",
        note="A product that is licensed is not activated again.",
        optional=_ID,
    ),
    Verb(
        "atp",
        (f"{PRODUCT}.DepositOfflineConfirmationId", _REFRESH),
        "LicenseStatus, OfflineInstallationId",
        note="A product that is licensed is not activated again.",
        required=("confirmation_id",),
        optional=_ID,
    ),
    Verb("dti", (), "OfflineInstallationId", Repeat.READS, optional=_ID),
    Verb("dli", (), "the product, and the service", Repeat.READS, optional=_ID),
    Verb("dlv", (), "the product and the service, with all identifiers and counts", Repeat.READS, optional=_ID),
    Verb("xpr", (), "LicenseStatus, GracePeriodRemaining", Repeat.READS, optional=_ID),
    Verb(
        "ilc",
        (f"{SERVICE}.InstallLicense",),
        "none",
        Repeat.EVERY_TIME,
        "Nothing lists the license files that are installed.",
        required=("license_file",),
    ),
    Verb(
        "rilc",
        (),
        "none",
        Repeat.REFUSED,
        r"The license files lie on the computer itself, below %SystemRoot%\system32\spp\tokens and oem, and WMI reads no files."
        " Install single ones with ilc, or run slmgr.vbs on the host.",
    ),
    Verb(
        "rearm",
        (f"{SERVICE}.ReArmWindows",),
        "RemainingWindowsReArmCount, SkipRearm",
        Repeat.EVERY_TIME,
        "Each time spends one of the rearms that are left.",
        restart="computer",
    ),
    Verb(
        "rearm-app",
        (f"{SERVICE}.ReArmApp",),
        "RemainingAppReArmCount",
        Repeat.EVERY_TIME,
        "Each time spends one of the rearms that are left.",
        required=("application_id",),
        since=WINDOWS_8,
        restart="computer",
    ),
    Verb(
        "rearm-sku",
        (f"{PRODUCT}.ReArmSku",),
        "RemainingSkuReArmCount",
        Repeat.EVERY_TIME,
        "Each time spends one of the rearms that are left.",
        required=_ID,
        since=WINDOWS_8,
        restart="computer",
    ),
    Verb(
        "skms",
        (
            f"{_EITHER}.SetKeyManagementServiceMachine",
            f"{_EITHER}.SetKeyManagementServicePort, or ClearKeyManagementServicePort where no port is given",
        ),
        "KeyManagementServiceMachine, KeyManagementServicePort",
        required=("kms_host",),
        optional=_ID,
    ),
    Verb(
        "ckms",
        (f"{_EITHER}.ClearKeyManagementServiceMachine", f"{_EITHER}.ClearKeyManagementServicePort"),
        "KeyManagementServiceMachine, KeyManagementServicePort",
        optional=_ID,
    ),
    Verb(
        "skms-domain",
        (f"{_EITHER}.SetKeyManagementServiceLookupDomain",),
        "KeyManagementServiceLookupDomain",
        required=("lookup_domain",),
        optional=_ID,
        since=WINDOWS_8,
    ),
    Verb(
        "ckms-domain",
        (f"{_EITHER}.ClearKeyManagementServiceLookupDomain",),
        "KeyManagementServiceLookupDomain",
        optional=_ID,
        since=WINDOWS_8,
    ),
    Verb(
        "skhc",
        (f"{SERVICE}.DisableKeyManagementServiceHostCaching(false)",),
        "KeyManagementServiceHostCaching",
        since=WINDOWS_7,
    ),
    Verb(
        "ckhc",
        (f"{SERVICE}.DisableKeyManagementServiceHostCaching(true)",),
        "KeyManagementServiceHostCaching",
        since=WINDOWS_7,
    ),
    _host_setting("sprt", "SetKeyManagementServiceListeningPort", "", "KeyManagementServiceListeningPort", ("port",)),
    _host_setting("sai", "SetVLActivationInterval", "", "VLActivationInterval", ("minutes",), ""),
    _host_setting("sri", "SetVLRenewalInterval", "", "VLRenewalInterval", ("minutes",), ""),
    _host_setting("sdns", "DisableKeyManagementServiceDnsPublishing", "(false)", "KeyManagementServiceDnsPublishing"),
    _host_setting("cdns", "DisableKeyManagementServiceDnsPublishing", "(true)", "KeyManagementServiceDnsPublishing"),
    _host_setting("spri", "EnableKeyManagementServiceLowPriority", "(false)", "KeyManagementServiceLowPriority"),
    _host_setting("cpri", "EnableKeyManagementServiceLowPriority", "(true)", "KeyManagementServiceLowPriority"),
    Verb(
        "act-type",
        (f"{_EITHER}.SetVLActivationTypeEnabled, or ClearVLActivationTypeEnabled for 0",),
        "VLActivationTypeEnabled of the product",
        required=("activation_type",),
        optional=_ID,
        since=WINDOWS_8,
    ),
    Verb("lil", (), f"all of {TOKEN}", Repeat.READS, since=WINDOWS_7),
    Verb("ril", (f"{TOKEN}.Uninstall",), "ILID, ILVID", required=("ilid", "ilvid"), since=WINDOWS_7),
    Verb("stao", (), "none", Repeat.REFUSED, f"{_REMOVED} Use act-type with activation_type 3."),
    Verb("ctao", (), "none", Repeat.REFUSED, f"{_REMOVED} Use act-type with activation_type 0."),
    Verb("ltc", (), "none", Repeat.REFUSED, _OWN_SIGNER),
    Verb("fta", (), "none", Repeat.REFUSED, _OWN_SIGNER),
    Verb("ad-activation-online", (), "none", Repeat.REFUSED, _OWN_RIGHTS),
    Verb(
        "ad-activation-get-iid",
        (),
        "none",
        Repeat.REFUSED,
        "slmgr.vbs refuses it for another computer, and what it shows is of use for ad-activation-apply-cid only. Run slmgr.vbs on the host"
        " itself.",
    ),
    Verb("ad-activation-apply-cid", (), "none", Repeat.REFUSED, _OWN_RIGHTS),
    Verb("ao-list", (), "LDAP: the activation objects of the forest", Repeat.READS),
    Verb("del-ao", ("LDAP delete",), "LDAP: the activation object", required=("activation_object",)),
)

VERBS: Mapping[str, Verb] = {verb.name: verb for verb in _TABLE}
"""Every verb by its name, in the order in which the documentation lists them."""

DIRECTORY_VERBS = frozenset({"ao-list", "del-ao"})
"""Those that ask a domain controller, and nothing of the host."""

_COLUMNS = ("Verb", "Calls, in their order", "State that is read", "Idempotent", "Note")


def documentation() -> str:
    """The table as the documentation has it, in reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 10 35 25 10 20", ""]
    rows = [_COLUMNS, *(_documented(verb) for verb in VERBS.values())]
    for row in rows:
        for number, cell in enumerate(row):
            lines.append(f"   {'*' if number == 0 else ' '} - {cell}".rstrip())
    return "\n".join(lines) + "\n"


def _documented(verb: Verb) -> tuple[str, ...]:
    options = [*verb.required, *(f"[{name}]" for name in verb.optional)]
    name = f"``{verb.name}``" + (f" {' '.join(options)}" if options else "")
    notes = [verb.note.replace("\\", "\\\\")]
    if verb.host_only:
        notes.append("On KMS hosts only.")
    if verb.restart:
        notes.append(f"Takes effect after a restart of {'sppsvc' if verb.restart == 'service' else 'the computer'}.")
    if verb.since > VISTA:
        notes.append(f"Since Windows {'7 and Server 2008 R2' if verb.since == WINDOWS_7 else '8 and Server 2012'}.")
    calls = "; ".join(verb.calls) or "none"
    return name, calls, verb.state, str(verb.repeat), " ".join(filter(None, notes))
