"""Pulumi's names for the types of what a portal is made of, as they stand in URNs, plans and states.

plugins/ declares all but the components by the same names, and policies/house keeps a copy of three, for its pack stands alone:
tests/contract/test_facts.py holds them equal.
"""

CONTAINER = "docker:index/container:Container"
NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
PASSWORD = "random:index/randomPassword:RandomPassword"  # noqa: S105 (a type, not a password)

PROVIDERS = "pulumi:providers:"
DOCKER_PROVIDER = f"{PROVIDERS}docker"

COMPONENTS = "portal:index:"
STORAGE = f"{COMPONENTS}Storage"
# Components and the stack itself only group: there is nothing of them on an engine.
GROUPING = (COMPONENTS, "pulumi:pulumi:")
