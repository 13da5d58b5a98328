"""The names of static files with the hashes of the image's build. nginx serves the files."""

from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, StaticFilesStorage

from standin.entry import COLLECTED


class BuiltStaticFiles(ManifestStaticFilesStorage):
    """Reads the build's manifest. A file that is not in it keeps its name, so that no page fails because of it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, manifest_storage=StaticFilesStorage(location=COLLECTED), **kwargs)

    def stored_name(self, name: str) -> str:
        """The name with its hash, or the name itself."""
        stored: str = self.hashed_files.get(self.hash_key(self.clean_name(name)), name)
        return stored
