"""Section `explain` of params.yaml."""

from typing import Literal

from pydantic import Field

from fer_pipeline.params import Section

Method = Literal["gradcam", "gradcam++", "hirescam", "layercam", "xgradcam", "eigengradcam"]


class ExplainParams(Section):
    """Which pictures are explained, and how."""

    method: Method = Field("gradcam", description="class activation map of the grad-cam package")
    per_class: int = Field(
        3, ge=1, le=8, description="pictures per emotion in the grid, right and wrong each"
    )
    images: int = Field(
        48, ge=1, le=4096, description="test pictures, drawn at random, whose heat is averaged"
    )
    seed: int = Field(0, ge=0, description="of that draw")
