"""`python -m plugins.docker ADDRESS`: the plugin process."""

from plugins.docker.provider import VERSION, DockerProvider
from plugins.serving import main

if __name__ == "__main__":
    main(VERSION, DockerProvider())
