from collections import Counter

import pytest

from fer_pipeline.sample.casting import plan
from fer_pipeline.sample.looks import LOOKS


@pytest.mark.parametrize("name", LOOKS)
def test_people_are_in_one_split_only(name):
    shots = plan(LOOKS[name], 7, 1.0)
    splits = {shot.subject: set() for shot in shots}
    for shot in shots:
        splits[shot.subject].add(shot.split)
    assert {len(found) for found in splits.values()} == {1}
    assert {split for found in splits.values() for split in found} == (
        set(LOOKS[name].splits) or {None}
    )


@pytest.mark.parametrize("name", LOOKS)
def test_each_split_has_its_share_of_every_emotion(name):
    look = LOOKS[name]
    shots = plan(look, 7, 1.0)
    total = sum(look.shares.values())
    for split in set(look.splits) or {None}:
        dealt = Counter(shot.emotion for shot in shots if shot.split == split)
        count = sum(dealt.values())
        for emotion, share in look.shares.items():
            assert abs(dealt[emotion] - count * share / total) <= 1


@pytest.mark.parametrize("name", LOOKS)
def test_split_sizes_follow_the_look(name):
    look = LOOKS[name]
    people = Counter({shot.subject: shot.split for shot in plan(look, 7, 1.0)}.values())
    for split, share in look.splits.items():
        assert people[split] == pytest.approx(share * look.subjects, abs=1)


def test_ferplus_plans_what_fer2013_plans():
    assert plan(LOOKS["ferplus"], 7, 0.1) == plan(LOOKS["fer2013"], 7, 0.1)
