# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The product keys of an answer file.

Two settings hold one. ProductKey of Microsoft-Windows-Shell-Setup, in the pass specialize, is the key that Windows is activated with;
Microsoft's reference says that a MAK has to be given there (Unattended Windows Setup Reference, "ProductKey" of that component, section
"Comparison of product key settings"). UserData/ProductKey/Key of Microsoft-Windows-Setup, in the pass windowsPE, chooses the image that
Setup installs. Only the first is written here.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from xml.sax.saxutils import quoteattr

from .._core.errors import ActivationError
from .._core.plan import Step
from .._core.text import LONGEST_NAME, visible
from .components import (
    ARCHITECTURES,
    COMPONENT,
    IDENTITY,
    NAMESPACE,
    SETTING,
    SETUP_COMPONENT,
    SETUP_SETTING,
    SPECIALIZE,
    WINDOWS_PE,
    has_components,
    installable,
    key_in,
    last_five_in,
    qualified,
    shown_of,
    tagged,
)
from .elements import Element, parse
from .layout import Edit, Layout, apply


@dataclass(frozen=True, slots=True)
class WantedKeys:
    """What is to become of the keys.

    Attributes:
        present: Whether a key is to be there, or none.
        key: The key in Windows' form. With C(present) unset only this key is taken out; empty for whichever there is.
        architectures: Those of the components; empty to go by what the file has.
    """

    present: bool
    key: str
    architectures: tuple[str, ...] = ()


@dataclass(slots=True)
class Changed:
    """The file as it is to be.

    Attributes:
        body: The document.
        steps: What differs; nothing where the document is as it was.
        warnings: Sentences for the user.
        keys: The keys that Windows will be activated with, by architecture.
        setup_keys: The keys by which Setup chooses an image.
    """

    body: bytes
    steps: list[Step]
    warnings: list[str]
    keys: list[dict[str, Any]]
    setup_keys: list[dict[str, Any]]


def change(body: bytes, path: str, wanted: WantedKeys) -> Changed:
    """Work out the change of a document.

    Args:
        body: The document in UTF-8 without a byte order mark.
        path: The file's name.
        wanted: What is to become of it.

    Raises:
        ActivationError: It is not an answer file, or it is not clear which place of it is meant.
    """
    file = _AnswerFile(body, path)
    steps, edits = file.put(wanted) if wanted.present else file.take(wanted)
    changed = apply(body, edits)
    # Read again: what is reported is what the new document says, and a splice that broke it would show here.
    after = _AnswerFile(changed, path)
    return Changed(changed, steps, after.warnings(wanted), after.keys(), after.setup_keys())


class _AnswerFile:
    """A document that was found to be an answer file."""

    def __init__(self, body: bytes, path: str) -> None:
        self._path = path
        self._root = parse(body, path)
        if (self._root.namespace, self._root.name) != (NAMESPACE, "unattend"):
            raise ActivationError(
                f"{path} is no answer file of Windows Setup: its root element is {visible(self._root.name, LONGEST_NAME)}"
                f"{f' of {visible(self._root.namespace, LONGEST_NAME)}' if self._root.namespace else ' without a namespace'}"
                f" and not unattend of {NAMESPACE}.",
                source="options",
            )
        self._layout = Layout(body, self._root)

    def put(self, wanted: WantedKeys) -> tuple[list[Step], list[Edit]]:
        """The key into each architecture."""
        steps, edits = [], []
        components = self._activation_components()
        architectures = wanted.architectures or installable(components) or self._architectures()
        if not architectures:
            raise ActivationError(
                f"{self._path} has no component that tells for which processor architecture the key is; give architectures.",
                source="options",
            )
        new = []
        for architecture in architectures:
            component = components.get(architecture)
            setting = self._setting(component) if component else None
            if setting and setting.text == wanted.key:
                continue
            steps.append(self._step(architecture, setting, wanted.key[-5:]))
            if component is None:
                new.append(architecture)
            elif setting is None:
                edits.append(self._layout.insert(component, [(0, tagged(component, SETTING, wanted.key))]))
            elif setting.closes_itself:
                edits.append(Edit(setting.start, setting.end, tagged(component, SETTING, wanted.key).encode()))
            else:
                edits.append(Edit(setting.inner, setting.close, wanted.key.encode()))
        if new:
            edits.append(self._new_components(new, wanted.key))
        return steps, edits

    def take(self, wanted: WantedKeys) -> tuple[list[Step], list[Edit]]:
        """The key out of each architecture."""
        steps, edits = [], []
        for architecture, component in self._activation_components().items():
            if wanted.architectures and architecture not in wanted.architectures:
                continue
            setting = self._setting(component)
            if setting is None or (wanted.key and key_in(setting) != wanted.key):
                continue
            steps.append(self._step(architecture, setting, None))
            edits.append(self._layout.remove(setting))
        return steps, edits

    def keys(self) -> list[dict[str, Any]]:
        """The key of each architecture that has one."""
        found = {architecture: self._setting(component) for architecture, component in self._activation_components().items()}
        return [shown_of(architecture, setting) for architecture in installable(found) if (setting := found[architecture])]

    def setup_keys(self) -> list[dict[str, Any]]:
        """The keys by which Setup chooses an image."""
        return [shown_of(architecture, key) for architecture, key in self._image_keys()]

    def warnings(self, wanted: WantedKeys) -> list[str]:
        """What the user has to know about keys that are left alone, and about a key that has no effect."""
        key, warnings = wanted.key, []
        if (
            wanted.present
            and PurePath(self._path).name.lower() == "autounattend.xml"
            and not any(map(has_components, self._settings(WINDOWS_PE)))
        ):
            warnings.append(
                f"{self._path} has no component in the pass {WINDOWS_PE}. Setup ignores an AutoUnattend.xml without it when it starts from"
                " media, so the key has no effect. Add the pass, or name the file with setup.exe /unattend."
            )
        for architecture, component in self._activation_components().items():
            if architecture not in ARCHITECTURES and any(component.named(SETTING)):
                warnings.append(
                    f"{self._path} has a {SETTING} of {COMPONENT} for {visible(architecture, LONGEST_NAME)}, which is no architecture that"
                    " Setup installs. It has no effect; remove it with state: absent, or correct the architecture."
                )
        if any(settings.attributes.get("wasPassProcessed", "").lower() == "true" for settings in self._settings(SPECIALIZE)):
            warnings.append(
                f"{self._path} is a copy that Setup has worked through (wasPassProcessed), so that its pass {SPECIALIZE} has no effect any more."
            )
        if key and any(key_in(found) == key for _architecture, found in self._image_keys()):
            warnings.append(
                f"{self._path}: the same key stands in the pass {WINDOWS_PE} too, where Setup chooses the image by it;"
                " that one was left as it is."
            )
        for settings, component in self._components(COMPONENT):
            named = settings.attributes.get("pass", "")
            if named.lower() != SPECIALIZE and any(component.named(SETTING)):
                warnings.append(
                    f"{self._path}: a {SETTING} of {COMPONENT} stands in the pass {visible(named, LONGEST_NAME)}, where Setup takes none; it was left as it is."
                )
        return warnings

    def _step(self, architecture: str, setting: Element | None, after: str | None) -> Step:
        before = None if setting is None else last_five_in(setting)
        return Step(self._path, f"{SETTING} of {COMPONENT} ({SPECIALIZE}, {architecture})", before, after, "rename")

    def _settings(self, wanted: str) -> list[Element]:
        return [settings for settings in self._root.named("settings") if settings.attributes.get("pass", "").lower() == wanted.lower()]

    def _components(self, name: str) -> Iterator[tuple[Element, Element]]:
        """The components of a name in every pass, each with its settings."""
        for settings in self._root.named("settings"):
            for component in settings.named("component"):
                if component.attributes.get("name", "").lower() == name.lower():
                    yield settings, component

    def _activation_components(self) -> dict[str, Element]:
        """Where the key for activation belongs, by architecture."""
        found: dict[str, Element] = {}
        for settings, component in self._components(COMPONENT):
            if settings.attributes.get("pass", "").lower() != SPECIALIZE:
                continue
            architecture = component.attributes.get("processorArchitecture", "").lower()
            if not architecture:
                raise ActivationError(
                    f"{self._path} has a {COMPONENT} in the pass {SPECIALIZE} without a processorArchitecture, which Setup demands.",
                    source="options",
                )
            if architecture in found:
                raise ActivationError(
                    f"{self._path} has {COMPONENT} for {visible(architecture, LONGEST_NAME)} more than once in the pass {SPECIALIZE}, and which of"
                    " them Setup takes is not defined; make one of them.",
                    source="options",
                )
            found[architecture] = component
        return found

    def _setting(self, component: Element) -> Element | None:
        """The setting in a component, which is there once or not at all."""
        found = list(component.named(SETTING))
        where = f"{COMPONENT} of the pass {SPECIALIZE}"
        if len(found) > 1:
            raise ActivationError(
                f"{self._path} has {len(found)} {SETTING} in one {where}, where Setup takes one; leave one of them.", source="options"
            )
        if found and not found[0].pure:
            raise ActivationError(
                f"{self._path} has a {SETTING} in {where} that holds more than a text, such as a comment, which would get lost;"
                " put that beside it.",
                source="options",
            )
        return found[0] if found else None

    def _architectures(self) -> tuple[str, ...]:
        """Of which architectures the file speaks: those of the image, or where nothing is said of it those of Setup itself."""
        by_pass: dict[bool, dict[str, None]] = {False: {}, True: {}}
        for settings in self._root.named("settings"):
            of_setup = settings.attributes.get("pass", "").lower() == WINDOWS_PE.lower()
            for component in settings.named("component"):
                by_pass[of_setup].update(dict.fromkeys(installable([component.attributes.get("processorArchitecture", "").lower()])))
        return tuple(by_pass[False] or by_pass[True])

    def _image_keys(self) -> Iterator[tuple[str, Element]]:
        for settings, component in self._components(SETUP_COMPONENT):
            if settings.attributes.get("pass", "").lower() != WINDOWS_PE.lower():
                continue
            found = [component]
            for name in SETUP_SETTING:
                found = [child for element in found for child in element.named(name)]
            yield from ((component.attributes.get("processorArchitecture", "").lower(), key) for key in found)

    def _new_components(self, architectures: Sequence[str], key: str) -> Edit:
        """The edit that makes a component for each architecture, and the pass where it is missing."""
        settings = next(iter(self._settings(SPECIALIZE)), None)
        like = settings or self._root
        depth = 0 if settings else 1
        lines = []
        for architecture in architectures:
            attributes = f'name="{COMPONENT}" processorArchitecture={quoteattr(architecture)} {IDENTITY}'
            lines += [
                (depth, f"<{qualified(like, 'component')} {attributes}>"),
                (depth + 1, tagged(like, SETTING, key)),
                (depth, f"</{qualified(like, 'component')}>"),
            ]
        if settings:
            return self._layout.insert(settings, lines)
        tag = qualified(like, "settings")
        return self._layout.insert(self._root, [(0, f'<{tag} pass="{SPECIALIZE}">'), *lines, (0, f"</{tag}>")])
