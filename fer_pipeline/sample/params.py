"""Section `sample`: the synthetic faces of the default run."""

from pydantic import Field

from fer_pipeline.params import Section


class Faults(Section):
    """How many of each fault are planted in a set whose layout permits it."""

    duplicate: int = Field(default=6, ge=0, description="pictures copied from train to test")
    conflict: int = Field(default=4, ge=0, description="train pictures under two labels")
    constant: int = Field(default=3, ge=0, description="pictures of one gray level")
    unknown_label: int = Field(default=2, ge=0, description="labels the set does not document")
    truncated: int = Field(default=3, ge=0, description="files cut in the middle")
    empty: int = Field(default=2, ge=0, description="files of no bytes")
    wrong_extension: int = Field(default=3, ge=0, description="PNG content under a .jpg name")
    faceless: int = Field(default=3, ge=0, description="pictures of a place without anybody")
    group: int = Field(default=2, ge=0, description="pictures of three, the subject in front")
    rotated: int = Field(default=3, ge=0, description="turned pixels, an EXIF tag undoes it")
    deep: int = Field(default=2, ge=0, description="16-bit pictures")
    cmyk: int = Field(default=2, ge=0, description="JPEGs in CMYK")


class SampleParams(Section):
    """How many people and pictures there are is part of each set's look, `sample/looks.py`."""

    seed: int = Field(default=7, ge=0, description="decides every picture")
    scale: float = Field(default=1.0, gt=0, le=100, description="times the people of each look")
    workers: int = Field(default=2, ge=1, le=64, description="processes; pictures do not change")
    faults: Faults = Field(default=Faults(), description="how many of each are planted")
