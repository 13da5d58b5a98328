"""`python -m plugins.random ADDRESS`: the plugin process."""

from plugins.random.provider import VERSION, random_provider
from plugins.serving import main

if __name__ == "__main__":
    main(VERSION, random_provider())
