"""The types of Pulumi's docker package: containers, networks, volumes, images."""
