"""MMI's XML files: views of a session, emotion of a recording, phases of its frames."""

from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from fer_pipeline.errors import BadRaw

PHASES: Final = ("neutral", "onset", "apex", "offset")
"""By marker type, from 0."""


def views(path: Path) -> dict[str, str]:
    """View of each file that a session's tracks name, and under "" of the first track; may be {}.

    Raises: BadRaw.
    """
    found: dict[str, str] = {}
    for track in _elements(path, "track"):
        view = track.get("view")
        if view is not None:
            found.setdefault("", view)
            found[track.get("filename", "")] = view
    return found


def emotion(path: Path) -> str | None:
    """Value of the Metatag named Emotion; None without the file or the tag.

    Raises: BadRaw.
    """
    for tag in _elements(path, "Metatag"):
        if tag.get("Name") == "Emotion":
            return (tag.get("Value") or "").strip()
    return None


def units(path: Path, count: int) -> dict[int, list[str]]:
    """AU number -> phase of each of the `count` frames; units whose number is no number are left.

    Raises: BadRaw.
    """
    coded: dict[int, list[str]] = {}
    for unit in _elements(path, "ActionUnit"):
        number = unit.get("Number", "")
        if not number.isdigit():
            continue
        course = coded.setdefault(int(number), ["neutral"] * count)
        markers = [_marker(marker, path) for marker in unit.iterfind(".//{*}Marker")]
        for frame, kind in sorted(markers):
            start = max(frame - 1, 0)
            course[start:] = [PHASES[kind]] * (count - start if start < count else 0)
    return coded


def phases(coded: dict[int, list[str]], count: int) -> list[str]:
    """Phase of each frame: apex when any unit is there, else onset, offset, neutral in that order.

    Where no unit reaches an apex, the middle third is the apex and the first frame neutral.
    """
    columns = list(zip(*coded.values(), strict=True)) if coded else []
    order = ("apex", "onset", "offset", "neutral")
    found = [next(phase for phase in order if phase in column) for column in columns]
    if "apex" in found:
        return found
    first, last = count // 3, max(count - count // 3, count // 3 + 1)
    return [
        "neutral"
        if i == 0 and first > 0
        else "onset"
        if i < first
        else "apex"
        if i < last
        else "offset"
        for i in range(count)
    ]


def _marker(marker: ElementTree.Element, path: Path) -> tuple[int, int]:
    frame, kind = marker.get("Frame", ""), marker.get("Type", "")
    if not frame.isdigit() or kind not in ("0", "1", "2", "3"):
        raise BadRaw(
            f"{path}: a Marker has Frame='{frame}' Type='{kind}', not a frame from 1 and a type "
            "0-3; download the file again"
        )
    return int(frame), int(kind)


def _elements(path: Path, name: str) -> list[ElementTree.Element]:
    """All elements of that name in any namespace; [] when there is no file."""
    if not path.is_file():
        return []
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        line = error.position[0]
        raise BadRaw(f"{path}, line {line}: {error}; download the file again") from None
    return [element for element in root.iter() if element.tag.rpartition("}")[2] == name]
