"""`demo`: the first portal on a machine."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from automation.drive import capacity, data_locations
from automation.drive import demo as own
from automation.engine import inventory
from automation.portals import image_choice, image_supply, onboarding, tenant_files, up
from automation.portals.image_choice import PUBLIC, STAND_IN, Choice
from automation.stack import ROOT, Stack
from config.reading import checkout, yamlfile
from config.reading.errors import ConfigError, Findings
from config.reading.nodes import Scalar
from config.tenant.tenant import Tenant, load_valid
from toolchain import files

Say = Callable[[str], None]

NAME = "demo"


def demo(say: Say, *, release: str = "", images: str = "") -> dict[str, Any]:
    """The first portal on a machine: its own drive, its images, `up`. Raises PortalError and its kinds.

    Without words, and without any in its file, its release and images are chosen once, before it is there.
    """
    start = time.monotonic()
    stack = Stack(name=NAME)
    there = stack.exists()
    tenant, why = load_or_choose(there, release, images, say)
    if there:
        own.refuse_moved(
            tenant.storage.root, [each.root for each in data_locations.known_locations(stack, stack.state())]
        )
    image_supply.prepare_images(tenant, say)
    others = {
        name: each.storage.root
        for name, each in load_valid(tenant_files.TENANTS)[0].items()
        if name != tenant.name
    }
    with inventory.connect(tenant.placement.docker_host) as client:
        own.prepare(client, tenant.storage.root, others, say)
    facts = up.up(tenant, say, prepared=up.Prepared())
    return {
        **facts,
        "openedx": image_choice.openedx_facts(tenant, why),
        "seconds": round(time.monotonic() - start, 1),
    }


def load_or_choose(there: bool, release: str, images: str, say: Say) -> tuple[Tenant, str]:
    """The demo's tenant, its file as it is to be, and why it runs the stand-in; `there` is whether it was begun before.

    Raises ConfigError where a demo that was begun has something else than is asked for, and what `image_choice.choose` raises.
    """
    options = {key: value for key, value in (("release", release), ("images", images)) if value}
    if there:
        tenant = tenant_files.load(NAME)
        require_same(tenant, options)
        return tenant, "" if tenant.real else "the demo was begun with it"
    path = tenant_files.TENANTS / f"{NAME}.yaml"
    text = checkout.text(path, ROOT)
    choice = choose_images(text, {**release_and_images(text), **options}, say)
    fresh = with_keys(text, options | ({"release": choice.release, "images": PUBLIC} if choice.real else {}))
    if images == STAND_IN and not release:
        fresh = with_keys(
            fresh, {"release": choice.release} if "release" in release_and_images(fresh) else {}
        )
    validate(fresh, choice.digests)
    image_choice.write_pins(choice.digests, say)
    if fresh != text:
        files.write(path, fresh)
        say(
            f"wrote tenants/{NAME}.yaml: {', '.join(f'{key}: {value}' for key, value in release_and_images(fresh).items())}"
        )
    return tenant_files.load(NAME), choice.why


def require_same(tenant: Tenant, options: Mapping[str, str]) -> None:
    """Raises ConfigError where a demo that was begun has something else than is asked for."""
    has = {"release": tenant.release.name, "images": tenant.images}
    wrong = [
        f"tenants/{NAME}.yaml: {key}: is '{has[key]}', but you passed '{value}'; the demo was begun with it: to begin "
        f"anew, ./portal destroy {NAME} --confirm {NAME}, ./portal purge {NAME} --confirm {NAME} and git checkout tenants/{NAME}.yaml"
        for key, value in options.items()
        if has[key] != value
    ]
    if wrong:
        raise ConfigError(*wrong)


def choose_images(text: str, options: Mapping[str, str], say: Say) -> Choice:
    """What the words of the file and those that were typed become."""
    release, images = options.get("release", ""), options.get("images", "")
    try:
        if images == STAND_IN and release and image_choice.all_releases().load(release).unpackaged:
            # The file's word for public images, which are given up now.
            release = ""
        best = image_choice.choice_if_available(release, images)
    except ValueError as error:
        raise ConfigError(f"tenants/{NAME}.yaml: release: {error}") from None
    draft = validate(
        with_keys(text, {"release": best.release, "images": images or best.images}), best.digests
    )
    return image_choice.choose(
        release, images, say, docker_host=draft.placement.docker_host, least=capacity.at_least(draft)
    )


def validate(text: str, digests: Mapping[str, str]) -> Tenant:
    """The demo's tenant by this text, beside all others. Raises ConfigError."""
    others = [each for name, each in load_valid(tenant_files.TENANTS)[0].items() if name != NAME]
    return onboarding.validate(NAME, text, others, digests)


def release_and_images(text: str) -> dict[str, str]:
    """What a tenant file says of release and images."""
    root = yamlfile.parse(text.encode(), Findings(f"tenants/{NAME}.yaml"))
    found = root.items if root else {}
    return {key: node.text for key in ("release", "images") if isinstance(node := found.get(key), Scalar)}


def with_keys(text: str, keys: Mapping[str, str]) -> str:
    """A tenant file that says these at its top: in the place of what it said, else below its title."""
    for key, value in reversed([*keys.items()]):
        line = f"{key}: {value}"
        text, count = re.subn(rf"^{key}:.*$", line, text, count=1, flags=re.MULTILINE)
        if not count:
            text = re.sub(r"^title:.*$", rf"\g<0>\n{line}", text, count=1, flags=re.MULTILINE)
    return text
