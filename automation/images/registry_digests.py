"""Whether public images can be had: every tag is asked of its registry once, by the engine that would pull it, and not for long."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from config.reading.words import excerpt
from config.releases.public_images import digest

Say = Callable[[str], None]

# Of a registry that answers at all, the answer takes a second or two.
LIMIT_SECONDS = 6.0
# Whoever waits longer than this is told for what.
SILENCE_SECONDS = 2.0
# What a registry says may be a page of HTML.
LONGEST_REASON = 200


@dataclass(frozen=True, kw_only=True)
class RegistryAnswers:
    """The digests by image, and why there is none for the others."""

    digests: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def why_unavailable(self) -> str:
        """Why not all can be had, on one line; empty where they can."""
        if not self.reasons:
            return ""
        image, why = next(iter(self.reasons.items()))
        more = len(self.reasons) - 1
        others = f" (and {more} more image{'' if more == 1 else 's'})" if more else ""
        return f"{image}: {why}{others}"


def ask_registries(client: Any, places: Mapping[str, str], say: Say) -> RegistryAnswers:
    """What each image's tag points at, by the name under which it is taken (`places`).

    The client's own limit is that of each answer, and all are asked at the same time, so no registry holds anybody up for
    longer. Never raises for what a registry does.
    """
    if not places:
        return RegistryAnswers()
    with ThreadPoolExecutor(len(places), "registries") as pool:
        futures = {image: pool.submit(_ask_registry, client, place) for image, place in places.items()}
        if wait(futures.values(), timeout=SILENCE_SECONDS).not_done:
            hosts = sorted({each.partition("/")[0] for each in places.values()})
            say(f"asking {', '.join(hosts)} for the public images, at most {client.timeout:.0f} s")
        answers = {image: each.result() for image, each in futures.items()}
    return RegistryAnswers(
        digests={image: value for image, (value, _) in answers.items() if value},
        reasons={image: why for image, (value, why) in answers.items() if not value},
    )


def _ask_registry(client: Any, place: str) -> tuple[str, str]:
    """The digest of an image, or the reason why there is none."""
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException, Timeout

    try:
        distribution = client.inspect_distribution(place)
        return digest(str(distribution["Descriptor"]["digest"])), ""
    except APIError as error:
        return "", excerpt(str(error.explanation or error).strip(), LONGEST_REASON)
    except Timeout:
        return "", f"no answer within {client.timeout:.0f} s"
    except (DockerException, RequestException) as error:
        return "", excerpt(f"the engine did not answer: {error}", LONGEST_REASON)
    except (ValueError, KeyError, TypeError) as error:
        return "", excerpt(f"this is not the answer of a registry: {error}", LONGEST_REASON)
