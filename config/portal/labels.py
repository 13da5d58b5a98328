"""Labels that say on an engine, and in a state, what belongs to whom.

policies/house keeps a copy of three, for its pack stands alone, and .ci/leftovers.py one of TENANT:
tests/contract/test_facts.py holds them equal.
"""

# Of every container, network and volume of a portal.
TENANT = "portal.tenant"
SERVICE = "portal.service"
GROUP = "portal.group"
# Of containers alone.
SPEC_HASH = "portal.spec-hash"
RUN = "portal.run"
# Of storage-init: what its data belongs to.
RELEASE = "portal.release"
IMAGES = "portal.images"
OWNER = "portal.owner"
# Of what is no portal's: a container for one question to the host, one that builds, an image.
HELPER = "portal.helper"
# Of a helper at work on a portal's limit of the drive: whose.
HELPER_OF = "portal.helper-of"
BUILD = "portal.build"
ROLE = "portal.role"


def tenant_filter(tenant: str) -> dict[str, str]:
    """The filter by which Docker's API lists what is a tenant's."""
    return {"label": f"{TENANT}={tenant}"}
