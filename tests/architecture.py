# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws C(docs/architecture.svg) from what the files of C(plugins) really import.

    python3 tests/architecture.py

What Ansible calls is on the top floor. A room is on a floor below every room that imports it. An arrow that follows from
others is left out, and the arrows into one room are a bundle in its colour.
Needs the standard library alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from import_graph import imported_layers

TREE = Path(__file__).resolve().parents[1]
PICTURE = TREE / "docs/architecture.svg"

Graph = Mapping[str, set[str]]

_WIDTH = 900
_MARGIN = 16
_HEADER = 44
_ROOM_HEIGHT = 34
_GAP = 74
_SPACE = 14
_LANE = 3
# How much of a floor rooms may take: the rest is for bundles that pass by, and for air.
_ROOM_FOR_ROOMS = 680
_CHARACTER = 7.9
_SWEEPS = 60
_MONOSPACE = "DejaVu Sans Mono, Menlo, Consolas, monospace"
_SANS = "DejaVu Sans, Helvetica, Arial, sans-serif"
_CAPTION = "Top floor: what Ansible calls. Below: rooms of plugins/plugin_utils. An arrow leads to what is imported."
# Dark enough to be told from one another on white.
_COLOURS = ("#1f5fa8", "#b3471d", "#2b7a3d", "#7b3fa0", "#8a6d0b", "#0f7a80", "#b02a5b", "#555b66")


@dataclass(eq=False)
class Place:
    """What takes room on a floor: a room, or a lane where a bundle passes by.

    Attributes:
        name: The room, or the room that the bundle leads to.
        floor: Counted from the top.
        label: What is written on it; empty for a lane.
        x: The middle, in pixels.
    """

    name: str
    floor: int
    label: str
    x: float = 0.0

    @property
    def width(self) -> float:
        """In pixels."""
        return len(self.label) * _CHARACTER + 18 if self.label else _LANE

    @property
    def space(self) -> float:
        """What has to be free beside it, in pixels."""
        return _SPACE if self.label else 9


def reached(graph: Graph, room: str) -> set[str]:
    """Every room that one imports, directly or through others."""
    found: set[str] = set()
    waiting = [room]
    while waiting:
        for other in graph[waiting.pop()] - found:
            found.add(other)
            waiting.append(other)
    return found


def without_implied(graph: Graph) -> dict[str, set[str]]:
    """The graph without the imports that follow from others. Raises ValueError where rooms import one another in a circle."""
    below = {room: reached(graph, room) for room in graph}
    circle = sorted(room for room in graph if room in below[room])
    if circle:
        raise ValueError(f"these import one another in a circle: {', '.join(circle)}")
    return {room: {other for other in others if not any(other in below[third] for third in others)} for room, others in graph.items()}


def floors_of(graph: Graph, top: Iterable[str], labels: Mapping[str, str]) -> dict[str, int]:
    """The floor of each room: as high as its importers and the width of the picture allow, the longest chains first."""
    chain: dict[str, int] = {}

    def length(room: str) -> int:
        if room not in chain:
            chain[room] = 1 + max(map(length, graph[room]), default=0)
        return chain[room]

    importers = {room: {other for other in graph if room in graph[other]} for room in graph}
    floors = dict.fromkeys(top, 0)
    filled: dict[int, float] = {}
    waiting = set(graph) - floors.keys()
    while waiting:
        ready = [room for room in waiting if importers[room] <= floors.keys()]
        room = min(ready, key=lambda name: (-length(name), name))
        floor = 1 + max((floors[importer] for importer in importers[room]), default=0)
        width = Place(room, floor, labels[room]).width + _SPACE
        while floor in filled and filled[floor] + width > _ROOM_FOR_ROOMS:
            floor += 1
        floors[room] = floor
        filled[floor] = filled.get(floor, 0.0) + width
        waiting.remove(room)
    _shorten(graph, importers, floors, {room: Place(room, 0, labels[room]).width + _SPACE for room in graph})
    return floors


def _shorten(graph: Graph, importers: Graph, floors: dict[str, int], widths: Mapping[str, float]) -> None:
    """Move rooms up and down, as long as that makes the bundles shorter."""

    def length(room: str) -> int:
        """Of the bundles that a room has to do with."""
        found = 0
        for target in {room, *graph[room]}:
            found += max((floors[target] - floors[source] for source in importers[target]), default=0)
        return found

    moved = True
    while moved:
        moved = False
        for room in sorted(room for room in floors if importers[room]):
            here, shortest = floors[room], length(room)
            highest = 1 + max(floors[importer] for importer in importers[room])
            lowest = min((floors[other] - 1 for other in graph[room]), default=max(floors.values()))
            best = here
            for floor in range(highest, lowest + 1):
                beside = fsum(widths[other] for other in floors if floors[other] == floor and other != room)
                floors[room] = floor
                if length(room) < shortest and beside + widths[room] <= _ROOM_FOR_ROOMS:
                    best, shortest = floor, length(room)
            floors[room] = best
            moved = moved or best != here


class Layout:
    """Where rooms and bundles are.

    Args:
        graph: Who imports whom, without what is implied.
        floors: The floor of each room.
        labels: What is written on each room.
    """

    def __init__(self, graph: Graph, floors: Mapping[str, int], labels: Mapping[str, str]) -> None:
        self.rooms = {room: Place(room, floors[room], labels[room]) for room in sorted(graph)}
        self.links: list[tuple[Place, Place]] = []
        places = list(self.rooms.values())
        for name, room in self.rooms.items():
            sources = [self.rooms[other] for other in sorted(graph) if name in graph[other]]
            below = room
            for floor in range(room.floor - 1, min((source.floor for source in sources), default=room.floor) - 1, -1):
                self.links += [(source, below) for source in sources if source.floor == floor]
                if any(source.floor < floor for source in sources):
                    lane = Place(name, floor, "")
                    places.append(lane)
                    self.links.append((lane, below))
                    below = lane
        self.floors = [[place for place in places if place.floor == floor] for floor in range(1 + max(floors.values()))]
        self._arrange()

    def _arrange(self) -> None:
        """Order each floor so that few links cross, then move every place towards those that it is linked with."""
        for row in self.floors:
            _spread(row)
        best = (self._cost(), [list(row) for row in self.floors])
        for sweep in range(_SWEEPS):
            downwards = sweep % 2 == 0
            for row in self.floors if downwards else self.floors[::-1]:
                wanted = {id(place): self._middle(place, above=downwards) for place in row}
                row.sort(key=lambda place: (wanted[id(place)], place.name, place.label))
                _spread(row)
            best = min(best, (self._cost(), [list(row) for row in self.floors]), key=lambda found: found[0])
        self.floors = best[1]
        for row in self.floors:
            _spread(row)
        for sweep in range(_SWEEPS):
            for row in self.floors if sweep % 2 else self.floors[::-1]:
                _settle(row, [self._middle(place) for place in row])

    def _middle(self, place: Place, above: bool | None = None) -> float:
        """Where the places are that one is linked with, on both sides or on one."""
        found = [upper.x for upper, lower in self.links if lower is place and above is not False]
        found += [lower.x for upper, lower in self.links if upper is place and above is not True]
        return fsum(found) / len(found) if found else place.x

    def _cost(self) -> int:
        """How many pairs of links cross."""
        crossings = 0
        for floor in range(len(self.floors)):
            links = sorted((upper.x, lower.x) for upper, lower in self.links if upper.floor == floor)
            crossings += sum(
                first[0] < second[0] and first[1] > second[1] for number, first in enumerate(links) for second in links[number + 1 :]
            )
        return crossings


def _spread(row: list[Place]) -> None:
    """Places side by side, with equal space between them."""
    space = (_WIDTH - 2 * _MARGIN - fsum(place.width for place in row)) / (len(row) + 1)
    x = _MARGIN + space
    for place in row:
        place.x = x + place.width / 2
        x += place.width + space


def _settle(row: list[Place], wanted: list[float]) -> None:
    """Move places as near as they can get to where they want to be, in their order and within the picture."""
    free = _WIDTH - 2 * _MARGIN - fsum(place.width for place in row)
    # Where bundles are many, they move closer together.
    closer = min(1.0, free / (fsum(place.space for place in row) or 1.0))
    left = float(_MARGIN)
    for place, x in zip(row, wanted, strict=True):
        place.x = max(left + place.width / 2, x)
        left = place.x + place.width / 2 + place.space * closer
    right = float(_WIDTH - _MARGIN)
    for place in reversed(row):
        place.x = min(right - place.width / 2, place.x)
        right = place.x - place.width / 2 - place.space * closer


def _top(floor: int) -> int:
    return _HEADER + floor * (_ROOM_HEIGHT + _GAP)


def _curve(upper: Place, lower: Place) -> str:
    """A link, from the bottom of one place to the top of the next; through a lane it goes straight."""
    start, end = _top(upper.floor) + _ROOM_HEIGHT, _top(lower.floor)
    half = (start + end) / 2
    path = f"M{upper.x:.0f} {start} C{upper.x:.0f} {half:.0f} {lower.x:.0f} {half:.0f} {lower.x:.0f} {end}"
    return path if lower.label else f"{path} v{_ROOM_HEIGHT}"


def drawn(layout: Layout) -> str:
    """The picture as SVG."""
    colours = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(layout.rooms)}
    height = _top(len(layout.floors) - 1) + _ROOM_HEIGHT + _MARGIN
    size = f'width="{_WIDTH}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {size} font-family={quoteattr(_MONOSPACE)} font-size="13">',
        "<!-- Made by tests/architecture.py from the imports of plugins/. -->",
        "<title>What imports what in plugins/</title>",
        f'<rect {size} fill="#ffffff"/>',
        f'<text x="{_MARGIN}" y="24" font-family={quoteattr(_SANS)} fill="#444444">{_CAPTION}</text>',
    ]
    bands = [_top(floor) - 8 for floor in range(len(layout.floors))]
    lines += [f'<rect y="{y}" width="{_WIDTH}" height="{_ROOM_HEIGHT + 16}" fill="#f1f4f8"/>' for y in bands]
    for upper, lower in layout.links:
        stroke = f'stroke="{colours[lower.name]}" stroke-width="1.6" stroke-opacity="0.8"'
        lines.append(f'<path d="{_curve(upper, lower)}" fill="none" {stroke}/>')
    for place in layout.rooms.values():
        colour, x, y = colours[place.name], place.x, _top(place.floor)
        if any(lower is place for _upper, lower in layout.links):
            lines.append(f'<path d="M{x - 5:.0f} {y - 9} h10 l-5 9 z" fill="{colour}"/>')
        box = f'x="{x - place.width / 2:.0f}" y="{y}" width="{place.width:.0f}" height="{_ROOM_HEIGHT}" rx="5"'
        lines.append(f'<rect {box} fill="#ffffff" stroke="{colour}" stroke-width="2"/>')
        lines.append(f'<text x="{x:.0f}" y="{y + 22}" text-anchor="middle" fill="#111111">{escape(place.label)}</text>')
    return "\n".join([*lines, "</svg>", ""])


def picture(tree: Path) -> str:
    """The picture of a tree that holds C(plugins)."""
    graph = imported_layers(tree)
    plugins = tree / "plugins"
    top = {room for room in graph if (plugins / room).is_dir()}
    labels = {room: f"{room}/" if room in top or (plugins / "plugin_utils" / room).is_dir() else f"{room}.py" for room in graph}
    reduced = without_implied(graph)
    return drawn(Layout(reduced, floors_of(reduced, sorted(top), labels), labels))


if __name__ == "__main__":
    PICTURE.write_text(picture(TREE), encoding="utf-8")
    print(PICTURE)
