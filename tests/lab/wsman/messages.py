# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the WinRM service and its WMI plug-in say, in the two languages that lab hosts speak.

Same meaning as Windows, other words: nobody may decide on a text, and a test that does will notice.
"""

from __future__ import annotations

_TEXTS: dict[str, tuple[str, str]] = {
    "not found": (
        "WS-Management found no resource for this resource URI and these selectors. ",
        "WS-Verwaltung hat zu Ressourcen-URI und Selektoren keine Ressource gefunden. ",
    ),
    "filter": (
        "The filter of this enumeration is missing or cannot be processed. ",
        "Der Filter dieser Aufzählung fehlt oder kann nicht verarbeitet werden. ",
    ),
    "class": ("This namespace has no class of that name. ", "Der Namespace enthält keine Klasse dieses Namens. "),
    "timeout": (
        "The operation did not end within the OperationTimeout of the request.",
        "Der Vorgang wurde nicht innerhalb von OperationTimeout beendet.",
    ),
    "schema": ("The XML of the message does not follow the schema. ", "Das XML der Nachricht entspricht nicht dem Schema. "),
    "keys missing": (
        "The resource URI has no keys although the class is no singleton; see winrm help uris. ",
        "Der Ressourcen-URI enthält keine Schlüssel, die Klasse ist jedoch kein Singleton; siehe winrm help uris. ",
    ),
    "keys on enumerate": (
        "An enumeration of WMI instances takes no selectors. ",
        "Eine Aufzählung von WMI-Instanzen nimmt keine Selektoren an. ",
    ),
    "wql on class": (
        "A WQL filter needs a resource URI that ends in an asterisk. ",
        "Ein WQL-Filter benötigt einen Ressourcen-URI, der mit einem Stern endet. ",
    ),
    "dialect": ("This filter dialect is not available here. ", "Dieser Filterdialekt ist hier nicht verfügbar. "),
    "not capable": (
        "The WMI provider cannot perform this operation. ",
        "Der WMI-Anbieter kann diesen Vorgang nicht ausführen. ",
    ),
    "invalid parameter": (
        "The WMI service or provider met an invalid parameter. ",
        "Der WMI-Dienst oder -Anbieter hat einen ungültigen Parameter festgestellt. ",
    ),
    "access denied": ("Access is denied. ", "Zugriff verweigert "),
    "wmi access denied": (
        "The WMI service answered that access is denied. ",
        "Der WMI-Dienst hat den Zugriff verweigert. ",
    ),
    "selectors": ("The selectors do not fit this resource. ", "Die Selektoren passen nicht zu dieser Ressource. "),
    "resource uri": (
        "The resource URI is missing or badly formed. ",
        "Der Ressourcen-URI fehlt oder hat ein falsches Format. ",
    ),
    "action": ("The service does not support this action. ", "Der Dienst unterstützt diese Aktion nicht. "),
    "headers": (
        "A SOAP header of the request is missing or invalid. ",
        "Ein SOAP-Header der Anforderung fehlt oder ist ungültig. ",
    ),
    "must understand": (
        "A SOAP header marked mustUnderstand is unknown to the service. ",
        "Ein mit mustUnderstand gekennzeichneter SOAP-Header ist dem Dienst unbekannt. ",
    ),
    "version": ("This SOAP version is not supported. ", "Diese SOAP-Version wird nicht unterstützt. "),
    "feature": ("The service does not support this feature. ", "Der Dienst unterstützt diese Funktion nicht. "),
    "encoding limit": (
        "The message exceeds a limit of the encoding. ",
        "Die Nachricht überschreitet einen Grenzwert der Codierung. ",
    ),
    "context": (
        "The enumeration context is unknown; it may have ended, expired or been released. ",
        "Der Aufzählungskontext ist unbekannt; er ist beendet, abgelaufen oder freigegeben. ",
    ),
    "quota": (
        "This account has more than the {maximum} operations under way that one account may have; end some of them. ",
        "Für dieses Konto sind mehr als die {maximum} Vorgänge im Gang, die ein Konto haben darf; beenden Sie einige. ",
    ),
    "unknown error": (
        "The WS-Management service cannot process the request: WMI or its provider gave an unknown error: HRESULT 0x{code:08x} ",
        "WS-Verwaltung kann die Anforderung nicht verarbeiten: WMI oder sein Anbieter meldet unbekannten Fehler: HRESULT 0x{code:08x} ",
    ),
}


def text(name: str, language: str, **values: object) -> str:
    """A message by its name, in German for ``de-…`` and in English otherwise."""
    english, german = _TEXTS[name]
    return (german if language.lower().startswith("de") else english).format(**values)
