"""`python -m plugins.docker ADDRESS`: the plugin process."""

from plugins.startup import freeze_objects, postpone_unused


def main() -> None:
    """Serve the docker package."""
    postpone_unused()
    from plugins.docker.provider import VERSION, DockerProvider
    from plugins.serving import main as serve

    freeze_objects()
    serve(VERSION, DockerProvider())


if __name__ == "__main__":
    main()
