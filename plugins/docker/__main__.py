"""`python -m plugins.docker ADDRESS`: the plugin process."""

from plugins.startup import hasten, settle


def main() -> None:
    """Serve the docker package."""
    hasten()
    from plugins.docker.provider import VERSION, DockerProvider
    from plugins.serving import main as serve

    settle()
    serve(VERSION, DockerProvider())


if __name__ == "__main__":
    main()
