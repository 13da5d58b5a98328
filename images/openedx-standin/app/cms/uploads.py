"""Course images: checked before they are stored, and stored under random names."""

import secrets
import struct

from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler

# Pillow's name of a format → the ending of the file's name, by which nginx sets the content type.
KINDS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
MOST_BYTES = 2 * 2**20
MOST_PIXELS = 16_000_000
FOLDER = "course_images"


class Bounded(MemoryFileUploadHandler):
    """Holds an upload in memory; of one that is too large only a part above the limit."""

    def handle_raw_input(self, *args: object, **kwargs: object) -> None:
        """Use this handler for every upload, whatever its length."""
        self.activated = True

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep a chunk, up to just above the limit."""
        if start <= MOST_BYTES:
            self.file.write(raw_data)


def ending_of(upload: UploadedFile) -> str:
    """The ending for an image's name. Raises ValidationError for anything that is not one, or is too large."""
    # Imported here, because only authors need it and it takes memory.
    from PIL import Image

    if upload.size > MOST_BYTES:
        raise ValidationError(f"The image is larger than {MOST_BYTES // 2**20} MiB.")
    try:
        with Image.open(upload, formats=tuple(KINDS)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            ending = KINDS[image.format]
            image.verify()
    except Image.DecompressionBombError as error:
        raise ValidationError(f"The image has more than {MOST_PIXELS:,} pixels.") from error
    # Pillow's parsers raise many kinds of errors for broken files.
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error) as error:
        raise ValidationError("This is not a PNG, JPEG or WebP image.") from error
    finally:
        upload.seek(0)
    return ending


def store(upload: UploadedFile) -> str:
    """Store an image that `ending_of` accepted; returns its path below MEDIA_ROOT."""
    path: str = default_storage.save(f"{FOLDER}/{secrets.token_hex(16)}.{ending_of(upload)}", upload)
    return path


def delete(path: str | None) -> None:
    """Delete an image that no course shows any more."""
    if path:
        default_storage.delete(path)
