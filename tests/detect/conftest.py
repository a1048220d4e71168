"""A small raw set of drawn faces, with its samples table."""

import cv2
import numpy as np
import pytest
import yaml

from fer_pipeline import images, manifest
from fer_pipeline.sample.looks import LOOKS
from fer_pipeline.sample.shots import Shot, take

PEOPLE = 6


def picture(pixels):
    return images.encode_png(np.ascontiguousarray(pixels))


@pytest.fixture(scope="session")
def drawn():
    """Six portraits, 140 x 140 RGB."""
    look = LOOKS["rafdb"]
    shots = [Shot(look, 7, f"s{number:03d}", None, "neutral", number) for number in range(PEOPLE)]
    return [take(shot)[0] for shot in shots]


@pytest.fixture(scope="session")
def raw(tmp_path_factory, drawn):
    """Folder with p0.png to p5.png, gray.png, group.png, empty.jpg, wall.png and clip.avi."""
    folder = tmp_path_factory.mktemp("raw")
    for number, portrait in enumerate(drawn):
        (folder / f"p{number}.png").write_bytes(picture(portrait.pixels))
    (folder / "gray.png").write_bytes(picture(images.to_gray(drawn[0].pixels)))
    small = cv2.resize(drawn[1].pixels, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    group = np.full((140, 280, 3), 90, np.uint8)
    group[:, :140] = drawn[0].pixels
    group[30 : 30 + len(small), 160 : 160 + len(small)] = small
    (folder / "group.png").write_bytes(picture(group))
    (folder / "empty.jpg").touch()
    (folder / "wall.png").write_bytes(picture(np.full((80, 90, 3), 120, np.uint8)))
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    video = cv2.VideoWriter(str(folder / "clip.avi"), codec, 25, (140, 140))
    for portrait in drawn:
        video.write(portrait.pixels[..., ::-1])
    video.release()
    return folder


@pytest.fixture(scope="session")
def row():
    """`row(name, **columns)`: a complete SAMPLES row with nulls where nothing is said."""
    empty = dict.fromkeys(manifest.SAMPLES.names)
    fixed = {"dataset": "drawn", "status": "ok", "attributes": [("age", "30")], "emotion": "fear"}
    return lambda name, **columns: empty | fixed | {"id": f"drawn/{name}"} | columns


@pytest.fixture
def samples(tmp_path):
    """`samples(rows)`: the path of a SAMPLES table of them."""

    def write(rows):
        with manifest.writing(tmp_path / "samples.parquet", manifest.SAMPLES) as writer:
            for each in rows:
                writer.add(each)
        return tmp_path / "samples.parquet"

    return write


@pytest.fixture
def params(tmp_path):
    """`params(**section)`: a params.yaml with the set `drawn` and that section `detect`."""

    def write(detector="mtcnn", **section):
        value = {"datasets": {"drawn": {"detector": detector}}, "detect": section}
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(value))
        return tmp_path / "params.yaml"

    return write


@pytest.fixture
def arguments(raw, tmp_path):
    """`arguments(samples, params, name)`: the command line; outputs lie below `name`."""

    def line(samples, params, name="out"):
        return [
            *("--dataset", "drawn", "--raw", str(raw), "--samples", str(samples)),
            *("--out", str(tmp_path / name / "faces.parquet")),
            *("--metrics", str(tmp_path / name / "detect.json")),
            *("--runs", str(tmp_path / name / "runs"), "--params", str(params)),
        ]

    return line


@pytest.fixture
def shards_in():
    """The finished shards below an output folder of `arguments`."""
    return lambda folder: list(folder.glob("runs/*/shard-*.parquet"))


@pytest.fixture
def pooled():
    """Code of the command that starts its pool, however little there is to do."""
    return (
        "from fer_pipeline.detect import __main__, shards\nshards._START_UP = 0\n__main__.main()\n"
    )
