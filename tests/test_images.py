"""Decoding on pictures encoded here in every mode; numbers worked by hand."""

import io
import struct
import warnings

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from fer_pipeline import images
from fer_pipeline.errors import BadImage

NOISE = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
# 2 x 3: distinct corners, so that every turn shows.
CORNERS = np.array([[10, 20, 30], [40, 50, 60]], np.uint8)


def encoded(picture, kind, **options):
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def cv2_encoded(values, kind):
    return cv2.imencode(kind, values)[1].tobytes()


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM", "WEBP"])
def test_gray_stays_gray_where_the_format_knows_it(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    found = images.decode(encoded(Image.fromarray(CORNERS), kind, **options))
    assert found.dtype == np.uint8
    assert found.ndim == (3 if kind == "WEBP" else 2)
    np.testing.assert_array_equal(images.to_gray(found), CORNERS)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM"])
def test_colour_is_rgb(kind):
    pixels = np.array([[[250, 120, 3], [1, 2, 3]]], np.uint8)
    np.testing.assert_array_equal(images.decode(encoded(Image.fromarray(pixels), kind)), pixels)


@pytest.mark.parametrize("kind", [".png", ".tiff"])
def test_16_bit_gray_is_scaled_by_257(kind):
    values = np.array([[0, 128, 129, 257, 32896, 65535]], np.uint16)
    # 128 / 257 = 0.498, 129 / 257 = 0.502.
    expected = [[0, 0, 1, 1, 128, 255]]
    np.testing.assert_array_equal(images.decode(cv2_encoded(values, kind)), expected)


def test_big_endian_16_bit():
    data = encoded(Image.fromarray(np.array([[0, 257, 65535]], ">u2")), "TIFF")
    np.testing.assert_array_equal(images.decode(data), [[0, 1, 255]])


@pytest.mark.parametrize("kind", [".png", ".tiff"])
def test_16_bit_colour_keeps_the_high_byte(kind):
    bgr = np.array([[[65535, 513, 0], [255, 256, 32896]]], np.uint16)
    expected = [[[0, 2, 255], [128, 1, 0]]]
    np.testing.assert_array_equal(images.decode(cv2_encoded(bgr, kind)), expected)


def test_32_bit_integers_and_floats():
    integers = Image.fromarray(np.array([[0, 257 * 7, 10**6]], np.int32))
    np.testing.assert_array_equal(images.decode(encoded(integers, "TIFF")), [[0, 7, 255]])
    floats = Image.fromarray(np.array([[0.4, 100.6, 300.0, -5.0]], np.float32))
    np.testing.assert_array_equal(images.decode(encoded(floats, "TIFF")), [[0, 101, 255, 0]])


def test_a_value_that_is_no_number_is_refused():
    floats = Image.fromarray(np.array([[1.0, np.nan]], np.float32))
    with pytest.raises(BadImage, match="not finite"):
        images.decode(encoded(floats, "TIFF"))


@pytest.mark.parametrize(("kind", "options"), [("JPEG", {"quality": 100}), ("TIFF", {})])
def test_cmyk(kind, options):
    # Full cyan ink leaves no red; half black ink halves the rest.
    for ink, expected in (((255, 0, 0, 0), (0, 255, 255)), ((0, 0, 0, 128), (127, 127, 127))):
        found = images.decode(encoded(Image.new("CMYK", (8, 8), ink), kind, **options))
        np.testing.assert_allclose(found, np.broadcast_to(expected, (8, 8, 3)), atol=2)


def test_palette():
    picture = Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putdata([1, 0])
    expected = [[[0, 0, 255], [255, 0, 0]]]
    np.testing.assert_array_equal(images.decode(encoded(picture, "PNG")), expected)
    with_hole = images.decode(encoded(picture, "PNG", transparency=0))
    np.testing.assert_array_equal(with_hole, [[[0, 0, 255], [255, 255, 255]]])


def test_alpha_is_laid_on_white():
    picture = Image.new("RGBA", (3, 1))
    picture.putdata([(200, 0, 0, 255), (200, 0, 0, 0), (200, 0, 0, 51)])
    # A fifth of (200, 0, 0) on white: 200 / 5 + 255 * 4 / 5 = 244, and 204.
    expected = [[[200, 0, 0], [255, 255, 255], [244, 204, 204]]]
    np.testing.assert_array_equal(images.decode(encoded(picture, "PNG")), expected)


def test_gray_with_alpha_stays_gray():
    picture = Image.new("LA", (3, 1))
    picture.putdata([(100, 255), (100, 0), (0, 51)])
    np.testing.assert_array_equal(images.decode(encoded(picture, "PNG")), [[100, 255, 204]])


def test_one_bit():
    picture = Image.fromarray(np.array([[True, False]]))
    np.testing.assert_array_equal(images.decode(encoded(picture, "PNG")), [[255, 0]])


def test_lab_is_no_alpha():
    found = images.decode(encoded(Image.new("LAB", (2, 2), (255, 128, 128)), "TIFF"))
    np.testing.assert_allclose(found, np.full((2, 2, 3), 255), atol=1)


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, CORNERS),
        (2, CORNERS[:, ::-1]),
        (3, CORNERS[::-1, ::-1]),
        (4, CORNERS[::-1]),
        (5, CORNERS.T),
        (6, np.rot90(CORNERS, -1)),
        (7, CORNERS[::-1, ::-1].T),
        (8, np.rot90(CORNERS)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_exif_orientation(orientation, upright, kind):
    data = encoded(Image.fromarray(CORNERS), kind, exif=exif(orientation))
    np.testing.assert_array_equal(images.decode(data), upright)


def test_exif_orientation_of_a_jpeg():
    left_half_white = np.zeros((16, 32), np.uint8)
    left_half_white[:, :16] = 255
    data = encoded(Image.fromarray(left_half_white), "JPEG", exif=exif(6))
    found = images.decode(data)
    assert found.shape == (32, 16)
    assert found[:14].min() > 200
    assert found[18:].max() < 50


def test_the_content_decides_and_not_the_extension(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded(Image.fromarray(CORNERS), "PNG"))
    found = images.read(tmp_path, {"path": "a.jpg", "image": None, "view": None})
    np.testing.assert_array_equal(found, CORNERS)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"no picture at all", "cannot identify image file"),
        (encoded(Image.fromarray(NOISE), "JPEG")[:1500], "image file is truncated"),
        (encoded(Image.fromarray(NOISE), "PNG")[:1500], "truncated"),
    ],
)
def test_unreadable_files_give_a_reason(data, reason):
    with pytest.raises(BadImage, match=reason) as caught:
        images.decode(data)
    assert "0x" not in str(caught.value)


def test_damaged_files_never_raise_anything_else():
    rng = np.random.default_rng(0)
    colour = Image.fromarray(rng.integers(0, 256, (24, 31, 3), np.uint8))
    kinds = [
        *((colour, kind, {}) for kind in ("PNG", "GIF", "BMP", "TIFF", "WEBP")),
        *((colour, kind, {"exif": exif(6)}) for kind in ("JPEG", "TIFF", "WEBP")),
        (colour.convert("P"), "PNG", {}),
        (colour.convert("CMYK"), "JPEG", {}),
    ]
    read = refused = 0
    for picture, kind, options in kinds:
        whole = encoded(picture, kind, **options)
        for turn in range(60):
            data = bytearray(whole[: rng.integers(1, len(whole))] if turn % 3 == 0 else whole)
            head = min(len(data), 200)
            for place in rng.integers(0, head if turn % 2 else len(data), 4):
                data[place] = rng.integers(0, 256)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    found = images.decode(bytes(data))
                except BadImage:
                    refused += 1
                else:
                    assert found.dtype == np.uint8
                    assert found.ndim == 2 or found.shape[2] == 3
                    read += 1
    assert read > 100
    assert refused > 100


def test_a_damaged_exif_tag_does_not_spoil_the_picture():
    """`ImageOps.exif_transpose` fails here: it writes all tags anew."""
    tags = exif(3)
    tags[0x0100] = 1
    data = encoded(Image.fromarray(CORNERS.repeat(8, 0).repeat(8, 1)), "JPEG", exif=tags)
    # The width's type, 4 (integer), becomes 11 (float).
    broken = data.replace(struct.pack(">HH", 0x0100, 4), struct.pack(">HH", 0x0100, 11))
    assert broken != data
    with pytest.raises(struct.error), Image.open(io.BytesIO(broken)) as picture:
        ImageOps.exif_transpose(picture)
    assert images.decode(broken)[0, 0] == pytest.approx(60, abs=6)


def test_a_missing_file_gives_a_reason(tmp_path):
    with pytest.raises(BadImage, match="cannot be opened: No such file"):
        images.read(tmp_path, {"path": "none.png", "image": None, "view": None})


def test_an_embedded_picture_needs_no_file(tmp_path):
    row = {"path": None, "image": images.encode_png(CORNERS), "view": None}
    np.testing.assert_array_equal(images.read(tmp_path, row), CORNERS)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (None, CORNERS),
        ("rot90", [[30, 60], [20, 50], [10, 40]]),
        ("rot270", [[40, 10], [50, 20], [60, 30]]),
        ("crop:1,0,3,2", [[20, 30], [50, 60]]),
        ("crop:-2,-1,3,2", [[50, 60]]),
        ("rot90;crop:0,0,1,3", [[30], [20], [10]]),
    ],
)
def test_views(view, expected):
    np.testing.assert_array_equal(images.apply_view(CORNERS, view), expected)


def test_bad_views():
    with pytest.raises(BadImage, match=r"'crop:3,0,4,2' leaves nothing of a 3 x 2 picture"):
        images.apply_view(CORNERS, "crop:3,0,4,2")
    with pytest.raises(ValueError, match="'rot45'"):
        images.apply_view(CORNERS, "rot45")


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_png_is_lossless(shape, stored):
    pixels = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    data = images.encode_png(pixels, stored=stored)
    np.testing.assert_array_equal(images.decode_png(data), pixels)
    np.testing.assert_array_equal(images.decode(data), pixels)


def test_a_damaged_embedded_png_is_refused():
    with pytest.raises(BadImage, match="embedded PNG"):
        images.decode_png(b"nothing")


def test_pixel_hash_sees_pixels_and_shape_only():
    png = images.decode(encoded(Image.fromarray(CORNERS), "PNG"))
    tiff = images.decode(encoded(Image.fromarray(CORNERS), "TIFF"))
    assert images.pixel_hash(png) == images.pixel_hash(tiff)
    assert len(images.pixel_hash(png)) == 32
    assert images.pixel_hash(CORNERS) != images.pixel_hash(CORNERS.reshape(3, 2))
    assert images.pixel_hash(CORNERS) != images.pixel_hash(CORNERS + 1)
    assert images.pixel_hash(CORNERS.T) == images.pixel_hash(np.ascontiguousarray(CORNERS.T))


def test_gray_of_colour_is_bt601():
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    np.testing.assert_array_equal(images.to_gray(pixels), [[76, 150, 29]])
    np.testing.assert_array_equal(images.to_rgb(CORNERS)[..., 2], CORNERS)


def contract(size, channels):
    return images.Input(size, channels, (0.5,) * channels, (0.5,) * channels)


def test_prepare_averages_when_it_shrinks():
    checks = np.array([[0, 100], [200, 100]], np.uint8)
    found = images.prepare(np.tile(checks, (2, 2)), contract(2, 1))
    np.testing.assert_array_equal(found, np.full((2, 2, 1), 100))


def test_prepare_enlarges_and_gives_the_channels_asked_for():
    found = images.prepare(np.full((10, 10), 7, np.uint8), contract(24, 3))
    assert (found.shape, found.dtype) == ((24, 24, 3), np.uint8)
    assert (found == 7).all()
    assert images.prepare(np.zeros((24, 24, 3), np.uint8), contract(24, 1)).shape == (24, 24, 1)


@pytest.fixture
def video(tmp_path):
    """Six frames of gray 30 * i."""
    path = tmp_path / "a.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for i in range(6):
        writer.write(np.full((48, 64, 3), 30 * i, np.uint8))
    writer.release()
    return path


def test_frames_of_a_video(video):
    levels = [frame.mean() for frame in images.frames(video)]
    np.testing.assert_allclose(levels, [0, 30, 60, 90, 120, 150], atol=3)
    assert images.read_frame(video, 4).mean() == pytest.approx(120, abs=3)
    row = {"path": video.name, "frame": 2, "image": None, "view": "crop:0,0,10,20"}
    assert images.read(video.parent, row).shape == (20, 10, 3)


def test_what_is_no_video(video, tmp_path):
    (tmp_path / "b.avi").write_text("no video")
    with pytest.raises(BadImage, match="no frame"):
        images.frames(tmp_path / "b.avi")
    with pytest.raises(BadImage, match="frame 0 cannot be read"):
        images.read_frame(tmp_path / "b.avi", 0)
    with pytest.raises(BadImage, match="ends before frame 9"):
        images.read_frame(video, 9)
