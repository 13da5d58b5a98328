"""The order of what containers hang on and two of which cannot be there at once: networks and volumes."""

from pulumi import Resource, ResourceOptions


class CreationOrder:
    """Options by which each resource begins when the one before it has ended.

    A network or a volume is deleted before it is made anew, and Pulumi deletes those that use it before that, unless
    they are being deleted already because of another one: then it does not wait for them, and the deletion begins while
    they are still there. The official plugin gives a volume 30 s to become free, and a worker may take longer to stop.
    https://github.com/pulumi/pulumi/blob/v3.256.0/pkg/resource/deploy/step_generator.go ("due to some other DBR")
    """

    def __init__(self) -> None:
        self._last: list[Resource] = []

    def options(self, parent: Resource) -> ResourceOptions:
        """The options of the next resource."""
        return ResourceOptions(parent=parent, delete_before_replace=True, depends_on=list(self._last))

    def created(self, resource: Resource) -> None:
        """Have the next one wait for this one."""
        self._last = [resource]
