"""Which tenants a change of files can touch. Whatever is not known to touch none or some is taken to touch all."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from automation.review.changed_files import File
from automation.review.symlinks import Endless, aliases, symlinks
from config.images import ImageError, recipes
from config.portal.image_sources import ADDED, OPS
from config.releases.release import Releases
from config.releases.upgrades import path as way
from config.tenant.fleet import Fleet as FleetFile
from config.tenant.tenant import Tenant, load_valid, names

# The release's own files, and where images are made.
_RELEASES = "config/releases/"
# What a role's folder may hold that never reaches its image, as config/images.py has it.
_NOT_IN_IMAGES = frozenset({"tests", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"})

# No tenant's plan is made from these.
NONE = {
    "docs/": "documentation",
    "tests/": "tests",
    "policies/": "rules that every plan must keep",
    "benchmarks/": "benchmarks",
    "testbed/": "what tests and benchmarks are built on",
    ".github/": "checks of the repository",
    ".ci/": "checks of the repository",
    ".gitlab-ci.yml": "checks of the repository",
    ".gitignore": "what git ignores",
    "requirements.in": "what requirements.txt is made from",
    "pyproject.toml": "settings of the checks and tests",
    "config/tenant.schema.json": "for editors",
}
# Every tenant's plan is made from these.
ALL = {
    "components/": "what every portal is made of",
    "__main__.py": "the program of every portal",
    "Pulumi.yaml": "the project of every portal",
    "config/": "what every tenant file and release is read by",
    "preflight/": "what is checked before the program begins",
    "plugins/": "what decides between a change in place and a replacement",
    "automation/": "what runs the program",
    "toolchain/": "which Pulumi and which plugins run it",
    "requirements.txt": "which SDKs the program runs on",
    "portal": "what runs the program",
}


@dataclass(frozen=True, kw_only=True)
class Affected:
    """What a change can touch: tenants by name with the reasons, those whose file is gone, and what was left alone."""

    tenants: Mapping[str, tuple[str, ...]]
    removed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left: tuple[str, ...] = ()

    def notes(self) -> list[str]:
        """What touches no tenant, one line a reason."""
        return list(self.left)


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """All tenants of a checkout: those that can be read, by name, and those whose files are wrong."""

    tenants: Mapping[str, Tenant]
    broken: Collection[str] = ()
    # images/
    images: Path = Path("images")
    # The checkout's symbolic links: where each lies and where it leads.
    links: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path) -> "Fleet":
        """The tenants of the checkout at `root`. Raises ConfigError when what they share is wrong."""
        folder = root / "tenants"
        shared = FleetFile.load(root / "config" / "fleet.yml")
        releases = Releases(root / "config" / "releases", mirror=shared.mirror)
        tenants, _ = load_valid(folder, shared, releases)
        broken = sorted(set(names(folder)) - set(tenants))
        # A link in a folder that no plan is made from leads no plan anywhere.
        links = {
            link: target
            for link, target in symlinks(root).items()
            if not any(link == each or (each.endswith("/") and link.startswith(each)) for each in NONE)
        }
        return cls(tenants=tenants, broken=broken, images=root / "images", links=links)

    def all(self) -> list[str]:
        """Every name."""
        return sorted({*self.tenants, *self.broken})

    def names_where(self, condition: Callable[[Tenant], bool]) -> list[str]:
        """The tenants of which it holds; of one whose file cannot be read nobody can say that it does not."""
        return sorted({*self.broken, *(name for name, each in self.tenants.items() if condition(each))})


def affected(files: Sequence[File], fleet: Fleet) -> Affected:
    """The tenants that these files can touch, each with its reasons, in the order of the files."""
    reasons_by_tenant: dict[str, list[str]] = {}
    removed: dict[str, list[str]] = {}
    left: list[str] = []
    for file in sorted(files, key=lambda each: (each.path, each.before)):
        gone, come = _moved(file)
        for path, is_gone in ((gone, True), (come, False)):
            if not path:
                continue
            name = _tenant(path)
            if name and is_gone and name not in fleet.all():
                what = f"renamed to {come}; a tenant's name cannot be changed" if come else "removed"
                removed.setdefault(name, []).append(f"{path}: {what}")
                continue
            with_reasons = list(reasons(path, fleet))
            if not any(these for these, _ in with_reasons):
                left.append(
                    f"{path}: affects no tenant ({'; '.join((reason for _, reason in with_reasons))})"
                )
            for these, reason in with_reasons:
                for each in these:
                    reasons_by_tenant.setdefault(each, []).append(f"{path}: {reason}")
    if any(_tenant(path) for file in files for path in _moved(file)):
        # A file that changed may claim what another tenant has, which is then refused as well.
        for each in fleet.broken:
            reasons_by_tenant.setdefault(each, ["its file is invalid, or collides with one that changed"])
    return Affected(
        tenants={name: tuple(dict.fromkeys(reasons_by_tenant[name])) for name in sorted(reasons_by_tenant)},
        removed={name: tuple(removed[name]) for name in sorted(removed)},
        left=tuple(dict.fromkeys(left)),
    )


def _moved(file: File) -> tuple[str, str]:
    """The path that is gone and the path that is there now."""
    if file.status == "D":
        return file.path, ""
    return file.before, file.path


def reasons(path: str, fleet: Fleet) -> Iterator[tuple[list[str], str]]:
    """The tenants that one file can touch, and why, by its own place and by each where a symbolic link shows it."""
    yield tenants_of(path, fleet)
    try:
        for alias in aliases(path, fleet.links):
            these, reason = tenants_of(alias, fleet)
            yield these, f"read as {alias}: {reason}"
    except Endless as error:
        yield fleet.all(), str(error)


def tenants_of(path: str, fleet: Fleet) -> tuple[list[str], str]:
    """The tenants that one file can touch by its own place, and why."""
    name = _tenant(path)
    if name:
        return ([name], "its own file") if name in fleet.all() else ([], "its tenant has no file here")
    if path.startswith("tenants/"):
        return fleet.all(), "is in the folder of tenant files"
    if path.startswith(_RELEASES):
        return _of_release(PurePosixPath(path), fleet)
    if path == "config/pins.yml":
        return fleet.names_where(_has_public_image), "public images by digest"
    if path.startswith("images/"):
        return _of_image(PurePosixPath(path), fleet)
    for table, those in ((NONE, []), (ALL, fleet.all())):
        for known, reason in table.items():
            if path == known or (known.endswith("/") and path.startswith(known)):
                return those, reason
    if "/" not in path and path.endswith(".md"):
        return [], "documentation"
    return fleet.all(), "unknown file, so it may affect every tenant"


def _tenant(path: str) -> str:
    """The tenant whose file this is, `Pulumi.<tenant>.yaml` being its stack's."""
    inside = PurePosixPath(path)
    if inside.parent != PurePosixPath("tenants") or inside.suffix != ".yaml":
        return ""
    return inside.stem.removeprefix("Pulumi.")


def _of_release(path: PurePosixPath, fleet: Fleet) -> tuple[list[str], str]:
    if path.parent.name == "hub":
        return (
            fleet.names_where(lambda tenant: _uses_file(tenant, path.name)),
            f"goes into public images with {path.name}",
        )
    if path.suffix == ".yml" and len(path.parts) == 3:
        return (
            fleet.names_where(lambda tenant: _from_release(tenant, path.stem)),
            f"release {path.stem}",
        )
    return fleet.all(), "is in the folder of releases"


def _from_release(tenant: Tenant, name: str) -> bool:
    """Whether a plan is made from a release: the tenant's own, or one whose data its own may take over."""
    own = tenant.release
    return name == own.name or name in own.follows or bool(way(name, own.name, tenant.releases))


def _of_image(path: PurePosixPath, fleet: Fleet) -> tuple[list[str], str]:
    if len(path.parts) < 3:
        return fleet.all(), "is in the folder of images"
    role = path.parts[1]
    if _NOT_IN_IMAGES.intersection(path.parts[2:-1]):
        return [], f"is not part of image {role}"
    try:
        known = recipes(fleet.images)
    except ImageError:
        return fleet.all(), "the images' recipes cannot be read"
    if role not in known and not (fleet.images / role).is_dir():
        return fleet.all(), f"image {role} no longer exists"
    above = {role}
    # A recipe comes after those that it stands on.
    for name, recipe in known.items():
        if above.intersection(recipe.needs):
            above.add(name)
    return fleet.names_where(
        lambda tenant: bool(above & _images(tenant))
    ), f"image {role}, and the images built on it"


def _images(tenant: Tenant) -> set[str]:
    """The roles that a tenant's containers are made from."""
    roles = {OPS}
    for name, service in tenant.services.items():
        source = tenant.source(name)
        if source == "packages":
            roles.add(service.image)
        if source == "hub" and service.hub.derived:
            roles |= {service.hub.derived, ADDED}
    return roles


def _has_public_image(tenant: Tenant) -> bool:
    return any(tenant.source(name) == "hub" for name in tenant.services)


def _uses_file(tenant: Tenant, name: str) -> bool:
    return any(
        name in each.hub.files for service, each in tenant.services.items() if tenant.source(service) == "hub"
    )
