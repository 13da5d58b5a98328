"""Course images: looked at before they are kept, and kept under a name that nobody chose."""

import secrets
import struct

from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler

# Pillow's name of a kind → how its file is called, from which nginx tells browsers what it is.
KINDS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
MOST_BYTES = 2 * 2**20
MOST_PIXELS = 16_000_000
FOLDER = "course_images"


class Bounded(MemoryFileUploadHandler):
    """Holds an upload in memory; of one that is too large only what shows that it is."""

    def handle_raw_input(self, *args, **kwargs):
        """Every upload, whatever its length says."""
        self.activated = True

    def receive_data_chunk(self, raw_data, start):
        if start <= MOST_BYTES:
            self.file.write(raw_data)


def kind(upload: UploadedFile) -> str:
    """The ending for an image's name. Raises ValidationError for anything that is not one, or is too large."""
    # Only authors send images: what nobody needs shall not take memory.
    from PIL import Image

    if upload.size > MOST_BYTES:
        raise ValidationError(f"The image is larger than {MOST_BYTES // 2**20} MiB.")
    try:
        with Image.open(upload, formats=tuple(KINDS)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            found = KINDS[image.format]
            image.verify()
    except Image.DecompressionBombError as error:
        raise ValidationError(f"The image has more than {MOST_PIXELS:,} pixels.") from error
    # Pillow's parsers raise whatever a broken file makes them stumble over.
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error) as error:
        raise ValidationError("This is not a PNG, JPEG or WebP image.") from error
    finally:
        upload.seek(0)
    return found


def keep(upload: UploadedFile) -> str:
    """Writes an image that `kind` has passed; its path below MEDIA_ROOT."""
    return default_storage.save(f"{FOLDER}/{secrets.token_hex(16)}.{kind(upload)}", upload)


def drop(path: str | None) -> None:
    """Takes away an image that no course shows any more."""
    if path:
        default_storage.delete(path)
