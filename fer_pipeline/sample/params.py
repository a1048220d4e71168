"""Section `sample`: the synthetic faces of the default run."""

from pydantic import Field

from fer_pipeline.params import Section


class Faults(Section):
    """How many of each fault are planted in a set whose layout permits it."""

    duplicate: int = Field(6, ge=0, description="pictures copied from train to test")
    conflict: int = Field(4, ge=0, description="pictures copied within train under another label")
    constant: int = Field(3, ge=0, description="pictures of one gray level")
    unknown_label: int = Field(2, ge=0, description="labels that the set does not document")
    truncated: int = Field(3, ge=0, description="files cut in the middle")
    empty: int = Field(2, ge=0, description="files of no bytes")
    wrong_extension: int = Field(3, ge=0, description="PNG content under a .jpg name")
    faceless: int = Field(3, ge=0, description="pictures of a place without anybody")
    group: int = Field(2, ge=0, description="pictures of several people, the subject in front")
    rotated: int = Field(3, ge=0, description="pixels turned, with the EXIF tag that undoes it")
    deep: int = Field(2, ge=0, description="16-bit pictures")
    cmyk: int = Field(2, ge=0, description="JPEGs in CMYK")


class SampleParams(Section):
    """Sizes default to those of the set's look, `sample/looks.py`."""

    seed: int = Field(7, ge=0, description="decides every picture")
    scale: float = Field(1.0, gt=0, le=100, description="times the number of people of each look")
    workers: int = Field(2, ge=1, le=64, description="processes; the pictures do not depend on it")
    faults: Faults = Faults()
