"""What stands in a preview for a value that only the engine will tell."""

# https://github.com/pulumi/pulumi/blob/v3.256.0/sdk/go/common/resource/plugin/rpc.go
# plugins/values.py keeps a copy: a plugin stands alone. tests/contract/test_facts.py holds them equal.
BOOLEAN = "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7"
NUMBER = "3eeb2bf0-c639-47a8-9e75-3b44932eb421"
STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
LIST = "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2"
ASSET = "030794c1-ac77-496b-92df-f27374a8bd58"
ARCHIVE = "e48ece36-62e2-4504-bad9-02848725956a"
MAPPING = "dd056dcd-154b-4c76-9bd3-c8f88648b5ff"
UNKNOWN = frozenset({BOOLEAN, NUMBER, STRING, LIST, ASSET, ARCHIVE, MAPPING})
