"""Every file of the datasets catalogue: its names, its documents, a sample's round trip."""

import sys
from collections.abc import Mapping

import cv2
import numpy as np
import pytest

from fer_pipeline import images, registry
from fer_pipeline.emotions import EMOTIONS
from fer_pipeline.errors import MissingData
from fer_pipeline.faces import TEMPLATE, TEMPLATE_SIZE
from fer_pipeline.ingest.rows import read
from fer_pipeline.manifest import OK, SPLITS, STATUSES
from fer_pipeline.pictures import Pictures
from fer_pipeline.portraits import Portrait
from fer_pipeline.protocol import Protocol

NAMES = registry.names("datasets")
OF_CLIPS = ("ckplus", "mmi")
PHASES = ("neutral", "onset", "onset", "apex", "apex", "apex")
SIZE = 128


def portrait(seed: int, emotion: str, subject: int, split: str | None, **clip) -> Portrait:
    """A smooth random texture whose landmarks lie where an aligned face has them."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)
    pixels = cv2.resize(coarse, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    points = TEMPLATE * (SIZE / TEMPLATE_SIZE)
    landmarks = np.full((68, 2), SIZE / 2, np.float32)
    landmarks[36:42], landmarks[42:48] = points[0], points[1]
    landmarks[30], landmarks[48], landmarks[54] = points[2:]
    votes = [0] * 10
    votes[EMOTIONS.index(emotion)], votes[8] = 8, 2
    return Portrait(
        pixels=pixels,
        emotion=emotion,
        subject=f"s{subject:03d}",
        split=split,
        intensity=1.0 if clip.get("phase") in (None, "apex") else 0.0,
        votes=tuple(votes),
        landmarks=landmarks,
        box=np.array([8, 8, SIZE - 8, SIZE - 8], np.float32),
        valence=0.25,
        arousal=-0.5,
        gender="female",
        race="Asian",
        age=30,
        action_units={12: 3.0},
        **clip,
    )


def portraits(name: str) -> list[Portrait]:
    """Six subjects, two of each split, each with every emotion that the set knows."""
    module = registry.load("datasets", name)
    known = [emotion for emotion in EMOTIONS if emotion in module.EMOTION_OF.values()]
    official = module.PROTOCOL.kind == "official"
    found: list[Portrait] = []
    for subject in range(1, 7):
        split = SPLITS[subject % 3] if official else None
        for number, emotion in enumerate(known, start=1):
            if name in OF_CLIPS and emotion == "neutral":
                continue
            frames = [{"sequence": number, "frame": i, "phase": p} for i, p in enumerate(PHASES)]
            for clip in frames if name in OF_CLIPS else [{}]:
                found.append(portrait(len(found), emotion, subject, split, **clip))
    return found


def look(pixels: np.ndarray) -> np.ndarray:
    """(16, 16) gray of the central square, to compare pictures of any size."""
    gray = images.to_gray(pixels)
    side = min(gray.shape)
    top, left = ((length - side) // 2 for length in gray.shape)
    square = gray[top : top + side, left : left + side]
    return cv2.resize(square, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32)


@pytest.fixture(scope="module", params=NAMES)
def laid_out(request, tmp_path_factory):
    """(name, module, raw folder, the portraits written there)."""
    name = request.param
    module = registry.load("datasets", name)
    raw = tmp_path_factory.mktemp(name)
    given = portraits(name)
    module.write_sample(iter(given), raw)
    return name, module, raw, given


@pytest.mark.parametrize("name", NAMES)
def test_names_and_types(name):
    module = registry.load("datasets", name)
    assert isinstance(module.EMOTION_OF, Mapping)
    assert module.EMOTION_OF
    assert all(isinstance(label, str) for label in module.EMOTION_OF)
    assert set(module.EMOTION_OF.values()) <= {*EMOTIONS, None}
    assert isinstance(module.PROTOCOL, Protocol)
    assert module.PROTOCOL.source
    assert set(module.PROTOCOL.counts) <= set(SPLITS)
    assert isinstance(module.OBTAIN, str)
    assert len(module.OBTAIN) > 40
    for function in (module.recognise, module.samples, module.write_sample):
        assert callable(function)
        assert function.__doc__


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("word", ["layout", "split", "subject", "licence", "paper"])
def test_docstring_states(name, word):
    assert word in (registry.load("datasets", name).__doc__ or "").lower()


@pytest.mark.parametrize("name", NAMES)
def test_optional_counts_fit_the_protocol(name):
    """Rows without an emotion may be missing from the class counts, and from some layouts."""
    module = registry.load("datasets", name)
    for split, cells in getattr(module, "CLASS_COUNTS", {}).items():
        assert set(cells) <= set(EMOTIONS)
        assert sum(cells.values()) <= module.PROTOCOL.counts[split]
    by_layout = getattr(module, "LAYOUT_COUNTS", {})
    kinds = (set(SPLITS), {"all"}, {"sequences"})
    for counts in by_layout.values():
        assert any(set(counts) <= kind for kind in kinds)
    for layout, classes in getattr(module, "LAYOUT_CLASSES", {}).items():
        for split, cells in classes.items():
            assert set(cells) <= set(EMOTIONS)
            assert sum(cells.values()) <= by_layout[layout].get(split, sys.maxsize)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("exists", [True, False])
def test_empty_folder_says_what_to_get_and_where_to_put_it(name, exists, tmp_path):
    module = registry.load("datasets", name)
    raw = tmp_path if exists else tmp_path / "absent"
    for look_up in (module.recognise, lambda folder: next(iter(module.samples(folder)))):
        with pytest.raises(MissingData) as caught:
            look_up(raw)
        assert str(raw) in str(caught.value)
        assert module.OBTAIN in str(caught.value)


def test_layout_is_recognised(laid_out):
    _, module, raw, _ = laid_out
    layout = module.recognise(raw)
    assert isinstance(layout, str)
    assert layout


def test_rows_are_well_formed(laid_out):
    name, module, raw, _ = laid_out
    found = list(module.samples(raw))
    ids = [sample.id for sample in found]
    assert len(set(ids)) == len(ids)
    assert ids == [sample.id for sample in module.samples(raw)]
    for sample in found:
        assert sample.id.startswith(f"{name}/")
        assert sample.status in STATUSES
        assert (sample.status == OK) <= (sample.emotion in EMOTIONS)
        assert (sample.status == OK) or sample.reason
        assert sample.split in (SPLITS if module.PROTOCOL.kind == "official" else (None,))
        assert (sample.subject is not None) or module.PROTOCOL.kind == "official"
        assert (sample.path is None) != (sample.pixels is None)
        assert sample.votes is None or len(sample.votes) == len(EMOTIONS)


def test_round_trip(laid_out):
    """Each usable row shows a portrait that was written, with its emotion, split and subject."""
    name, module, raw, given = laid_out
    looks = np.stack([look(portrait.pixels) for portrait in given])
    found = [sample for sample in module.samples(raw) if sample.status == OK]
    has_val = any(sample.split == "val" for sample in found)
    shown, subjects = set(), {}
    with Pictures(raw) as pictures:
        for sample in found:
            apart = np.abs(looks - look(read(sample, pictures))).mean(axis=(1, 2))
            index = int(apart.argmin())
            source = given[index]
            assert apart[index] < 12 < np.partition(apart, 1)[1]
            assert sample.emotion == ("neutral" if source.phase == "neutral" else source.emotion)
            carved = source.split == "val" and not has_val
            assert sample.split == ("train" if carved else source.split)
            if sample.subject is not None:
                assert subjects.setdefault(sample.subject, source.subject) == source.subject
            shown.add(index)
    assert len(set(subjects.values())) == len(subjects)
    if name in OF_CLIPS:
        clips = {(p.subject, p.sequence) for p in given}
        assert {
            (given[i].subject, given[i].sequence) for i in shown if given[i].phase == "apex"
        } == clips
    else:
        assert shown == set(range(len(given)))
