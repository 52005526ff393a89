"""Who opens a file that is no TIFF: PIMS, and others where it fails or loses something."""

import contextlib
import importlib.util

import numpy as np

# PIMS takes what there is.
_OTHERS_FOR_FILMS = ("imageio_ffmpeg", "moviepy", "jpype")
_PNG = b"\x89PNG\r\n\x1a\n"
_BOX = b"\0\0\0\x0c"  # of the JPEG committee's file formats, with its name and the same ending
_CODECS = {
    b"\xff\x4f\xff\x51": ("JPEG 2000", "jpeg2k_decode"),
    _BOX + b"jP  ": ("JPEG 2000", "jpeg2k_decode"),
    b"II\xbc\x01": ("JPEG XR", "jpegxr_decode"),
    b"\xff\x0a": ("JPEG XL", "jpegxl_decode"),
    _BOX + b"JXL ": ("JPEG XL", "jpegxl_decode"),
}


def opener_of(path):
    """
    Return what opens a file, by its first bytes.

    Parameters
    ----------
    path : str

    Returns
    -------
    callable
        ``opener(path)`` is a context, which gives a sequence of what the reader calls frames.
        It has a ``frame_shape``, and a ``frame_rate``, which may be None.

    Raises
    ------
    ImportError
        If it needs something that is not installed.
    """
    with open(path, "rb") as file:
        head = file.read(64)
    if codec_of(head):
        _require("imagecodecs", codec_of(head)[0])
        return decoded
    if head.startswith(b"GIF8") or _riff(head) == b"WEBP":
        return animation
    if head.startswith(_PNG):
        with contextlib.suppress(OSError), animation(path) as frames:
            if len(frames) > 1:
                return animation
    if _is_film(head) and not any(map(importlib.util.find_spec, _OTHERS_FOR_FILMS)):
        _require("av", "a film")
    return opened_by_pims


def codec_of(head):
    """Return name and function of the codec that a file needs, by its first bytes, or None."""
    for start, codec in _CODECS.items():
        if head.startswith(start):
            return codec
    # Of a PNG: bits a sample, and kind of samples. Pillow would make colours of 16 bits 8.
    if head.startswith(_PNG) and head[24:25] == b"\x10" and head[25:26] != b"\0":
        return "PNG of 16-bit colours", "png_decode"
    return None


def _riff(head):
    return head[8:12] if head.startswith(b"RIFF") else b""


def _is_film(head):
    """Tell AVI, Matroska and WebM, MP4 and QuickTime."""
    return (
        _riff(head) == b"AVI "
        or head.startswith(b"\x1a\x45\xdf\xa3")
        or (head[4:8] == b"ftyp" and head[8:12] not in (b"avif", b"heic", b"heix", b"mif1"))
        or head[4:8] == b"moov"
    )


def _require(module, what):
    if importlib.util.find_spec(module) is None:
        raise ImportError(f"it is {what}, which {module} reads: pip install 'dask-image[formats]'")


@contextlib.contextmanager
def opened_by_pims(path):
    """Open a file with PIMS."""
    # Importing PIMS takes longer than reading many a TIFF file, which does not need it.
    import pims

    with pims.open(path) as reader:
        if isinstance(reader, pims.FramesSequenceND):
            # Such a reader holds all axes but those of a frame still, unless told to walk them.
            reader.iter_axes = [axis for axis in reader.sizes if axis not in reader.bundle_axes]
        yield reader


class _Animation:
    """The frames of an animated picture that Pillow has opened, in colour."""

    def __init__(self, picture):
        self._picture = picture
        transparent = "transparency" in picture.info or picture.mode in ("RGBA", "LA")
        self._mode = "RGBA" if transparent else "RGB"
        self.frame_shape = (*picture.size[::-1], len(self._mode))
        duration = picture.info.get("duration")
        self.frame_rate = 1000 / duration if duration else None

    def __len__(self):
        return getattr(self._picture, "n_frames", 1)

    def __getitem__(self, item):
        self._picture.seek(item)
        return np.asarray(self._picture.convert(self._mode))


@contextlib.contextmanager
def animation(path):
    """Open a GIF, PNG or WebP file with Pillow, of which PIMS may give the first frame only."""
    from PIL import Image

    with Image.open(path) as picture:
        yield _Animation(picture)


class _Decoded:
    """One picture as a sequence of frames."""

    frame_rate = None

    def __init__(self, pixels):
        self._pixels = pixels
        self.frame_shape = pixels.shape

    def __len__(self):
        return 1

    def __getitem__(self, item):
        return self._pixels


@contextlib.contextmanager
def decoded(path):
    """Open a file with a codec of imagecodecs."""
    import imagecodecs

    with open(path, "rb") as file:
        data = file.read()
    _, name = codec_of(data[:64])
    yield _Decoded(getattr(imagecodecs, name)(data))
