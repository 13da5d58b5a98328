"""Types and names of resources, from their URNs."""

from plugins.provider import made_up_name, resource_type


def test_types_and_names_are_read_from_urns() -> None:
    urn = "urn:pulumi:acme::portals::portal:index:Portal$docker:index/container:Container::a::b"
    assert resource_type(urn) == "docker:index/container:Container"
    assert made_up_name("a", b"1") == made_up_name("a", b"1") != made_up_name("a", b"2")
