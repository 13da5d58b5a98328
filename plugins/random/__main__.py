"""`python -m plugins.random ADDRESS`: the plugin process."""

from plugins.startup import freeze_objects, postpone_unused


def main() -> None:
    """Serve the random package."""
    postpone_unused()
    from plugins.random.provider import VERSION, random_provider
    from plugins.serving import main as serve

    freeze_objects()
    serve(VERSION, random_provider())


if __name__ == "__main__":
    main()
