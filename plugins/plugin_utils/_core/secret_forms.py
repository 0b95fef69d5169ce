# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All the ways in which a secret may stand in a text: as Python, JSON, XML or a URL write it, one inside the other as well, as UTF-16,
and inside Base64.

Pure.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterator

SHORTEST_SECRET = 4
"""Characters of a secret at least: shorter ones would blank out unrelated text, and are none."""

KEY_LENGTH = 25
"""Characters of a product key without what stands between its groups."""

# Of a piece of Base64 that the neighbours of a secret do not change, less than this much would be found by chance.
_SHORTEST_BASE64 = 8
# Eight groups of six digits.
_CONFIRMATION_ID_LENGTH = 48
_CONFIRMATION_ID_LABELS = "ABCDEFGH"
_NO_DIGITS = dict.fromkeys(map(ord, "0123456789"))
_ENTITIES = {"<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_ALPHANUMERICS = re.compile("[0-9A-Za-z]+")
# Beside those that differ in case from a letter of ASCII, what C(re.IGNORECASE) takes for one.
_LIKE_ASCII = {0x130: "i", 0x131: "i", 0x17F: "s", 0x212A: "k"}


def patterns(secret: str) -> Iterator[str]:
    """Regular expressions for all the ways in which a secret may stand in a message, a traceback or a header.

    A run of backslashes is taken whole or not at all (possessive quantifiers), and looked at from its first one only: a text of
    backslashes would take the square of its length otherwise.
    """
    yield from map(_written, _spellings(secret))
    for encoded in _encoded(secret):
        yield re.escape(encoded.decode("latin-1"))
        # Each time that a text is quoted, its backslashes double.
        yield _from_run_start(_BACKSLASHES.sub(_at_least, re.escape(repr(encoded)[2:-1])))
        yield from map(re.escape, _in_base64(encoded))


def clues(secret: str) -> Iterator[str]:
    """Texts of which each way to write a secret has one: letters and digits of ASCII stay as they are, but in Base64.

    Without any of these the clue is the empty text, which all have.
    """
    for text in _spellings(secret):
        yield _longest_run(text)
    run = _longest_run(secret)
    yield "\0".join(run)
    # As Python writes UTF-16: the zero of the character before, and the second character.
    yield f"x00{run[1]}" if len(run) > 1 else run
    for encoded in _encoded(secret):
        yield from map(str.lower, _in_base64(encoded))


def folded(text: str) -> str:
    """A text in which ASCII is as what matches it without regard to case."""
    return text.lower() if text.isascii() else text.translate(_LIKE_ASCII).lower()


def _spellings(secret: str) -> set[str]:
    """The texts that a secret stands for: with and without what surrounds it, and of a key or confirmation ID all ways to group it."""
    texts = {secret, secret.strip()}
    # Of letters and digits that are as wide as Chinese ones, those of ASCII are made before they are sent.
    characters = "".join(character for character in unicodedata.normalize("NFKC", secret) if character.isalnum())
    if len(characters) == KEY_LENGTH:
        # As Windows writes it, and with nothing between.
        texts |= {characters, "-".join(characters[start : start + 5] for start in range(0, KEY_LENGTH, 5))}
    digits = "".join(filter(str.isdecimal, characters))
    if len(digits) >= _CONFIRMATION_ID_LENGTH and characters.translate(_NO_DIGITS).upper() in ("", _CONFIRMATION_ID_LABELS):
        # It is typed in groups, with a letter in front of each or not, and sent without.
        texts |= {digits, "-".join(digits[start : start + 6] for start in range(0, len(digits), 6))}
    return {text for text in texts if len(text) >= SHORTEST_SECRET}


def _encoded(secret: str) -> tuple[bytes, bytes]:
    """A secret as UTF-8 and as UTF-16."""
    narrow = secret.encode("utf-8", "surrogatepass")
    if not secret.isascii():
        return narrow, secret.encode("utf-16-le", "surrogatepass")
    # What Python loads for UTF-16 takes longer than all else here.
    wide = bytearray(2 * len(narrow))
    wide[::2] = narrow
    return narrow, bytes(wide)


def _longest_run(text: str) -> str:
    return max(_ALPHANUMERICS.findall(text), key=len, default="").lower()


# One or more backslashes of a text, each as a regular expression has it, or as it is.
_BACKSLASHES = re.compile(r"(?:\\\\)+")
_RUNS = re.compile(r"(\\*)([^\\]?)", re.DOTALL)


def _at_least(run: re.Match[str]) -> str:
    """As many backslashes as a run of escaped ones has, or more."""
    return rf"\\{{{len(run[0]) // 2},}}+"


def _from_run_start(pattern: str) -> str:
    """The pattern, which does not begin within a run of backslashes if it begins with one."""
    return rf"(?<!\\){pattern}" if pattern.startswith((r"\\", r"(?:\\")) else pattern


def _written(secret: str) -> str:
    """A regular expression for a text as it is, or as Python, JSON, XML or a URL write it, one inside the other as well."""
    pattern = ""
    for run in _RUNS.finditer(secret):
        backslashes, character = len(run[1]), run[2]
        if not backslashes and not character:
            continue
        # Backslashes of the secret and those that quote the character behind them are one run.
        whole = _character(character, backslashes)
        if backslashes:
            apart = _character(character, 0)
            whole = rf"(?:{whole}|(?:\\++u005c|\\++U0000005c|\\++x5c|&(?:amp;)*#(?:92|x5c);|%5C){{{backslashes}}}{apart})"
        pattern += whole if pattern or not whole.startswith((r"\\", r"(?:\\", r"(?:(?:\\")) else rf"(?<!\\){whole}"
    return pattern


def _character(character: str, backslashes: int) -> str:
    """A regular expression for one character behind so many backslashes, or more where they quote it; empty for none."""
    run, quoting = rf"\\{{{backslashes},}}+", rf"\\{{{backslashes + 1},}}+"
    if not character:
        return run if backslashes else ""
    if character.isascii() and character.isalnum():
        return (run if backslashes else "") + character
    code = ord(character)
    utf_8 = character.encode("utf-8", "surrogatepass")
    plain = [re.escape(character), f"&(?:amp;)*#(?:{code}|x{code:x});", "".join(f"%{byte:02X}" for byte in utf_8)]
    quoted = [f"u{code:04x}", f"U{code:08x}", r"\\++".join(f"x{byte:02x}" for byte in utf_8)]
    if code < 256:
        quoted.append(f"x{code:02x}")
    if code > 0xFFFF:
        pair = character.encode("utf-16-be")
        quoted.append(rf"u{pair[:2].hex()}\\++u{pair[2:].hex()}")
    if character in _ENTITIES:
        plain.append(f"&(?:amp;)*{_ENTITIES[character]};")
    if character == " ":
        plain.append(r"\+")
    if character == "&":
        plain[0] = "&(?:amp;)*"
    return f"(?:{run}(?:{'|'.join(plain)})|{quoting}(?:{'|'.join(quoted)}))"


def _in_base64(encoded: bytes) -> Iterator[str]:
    """What Base64 makes of the bytes wherever they begin, without the characters that their neighbours have a part in."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + encoded).decode("ascii")
        # Three bytes are four characters; of a group that is not full the characters depend on what comes behind it.
        first = (0, 2, 3)[before]
        last = (before + len(encoded)) * 8 // 6
        if last - first >= _SHORTEST_BASE64:
            yield text[first:last]
            yield text[first:last].replace("+", "-").replace("/", "_")
