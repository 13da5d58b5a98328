"""`python -m plugins.random ADDRESS`: the plugin process."""

from plugins.startup import hasten, settle


def main() -> None:
    """Serve the random package."""
    hasten()
    from plugins.random.provider import VERSION, random_provider
    from plugins.serving import main as serve

    settle()
    serve(VERSION, random_provider())


if __name__ == "__main__":
    main()
