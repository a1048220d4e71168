"""Section `report` of params.yaml."""

from pydantic import Field

from fer_pipeline.params import Section


class ReportParams(Section):
    """How the page looks."""

    title: str = Field("Facial emotion recognition: results", min_length=1, description="heading")
    picture_width: int = Field(
        1100, ge=200, le=4000, description="pixels that embedded pictures are shrunk to"
    )
    picture_quality: int = Field(70, ge=10, le=100, description="of embedded pictures, WebP")
