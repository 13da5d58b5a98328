"""Programs and packages of images, which no package of this repository has: loaded from their files."""

import importlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

ROOT = Path(__file__).parents[1]
# Those that need nothing but Python.
CONFIGURATOR = (
    "ansible",
    "files",
    "layers",
    "overrides",
    "paths",
    "placeholders",
    "plain_yaml",
    "records",
    "refusal",
    "rendering",
    "start_failures",
    "variables",
)


def load(path: Path) -> ModuleType:
    """What stands in a file, as a module of its own each time.

    Raises what the file raises.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def package(folder: Path, name: str, modules: Iterable[str]) -> Iterator[dict[str, ModuleType]]:
    """The named modules of a package in a folder, by name. No other test finds them loaded."""
    sys.path.insert(0, str(folder))
    try:
        yield {module: importlib.import_module(f"{name}.{module}") for module in modules}
    finally:
        sys.path.remove(str(folder))
        for loaded in [each for each in sys.modules if each.partition(".")[0] == name]:
            del sys.modules[loaded]


@contextmanager
def configurator() -> Iterator[SimpleNamespace]:
    """The modules of images/configuration by name."""
    with package(ROOT / "images" / "configuration", "configurator", CONFIGURATOR) as modules:
        yield SimpleNamespace(**modules)
