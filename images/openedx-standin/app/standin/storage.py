"""Names of static files as the image's build hashed them; the files themselves are nginx's."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, StaticFilesStorage

from standin.entry import COLLECTED


class BuiltStaticFiles(ManifestStaticFilesStorage):
    """Reads the build's manifest. A file that is not in it keeps its plain name: a page never fails for its style."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, manifest_storage=StaticFilesStorage(location=COLLECTED), **kwargs)

    def stored_name(self, name):
        return self.hashed_files.get(self.hash_key(self.clean_name(name)), name)
