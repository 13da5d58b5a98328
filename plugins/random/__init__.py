"""The types of Pulumi's random package: passwords, strings, ids, bytes, UUIDs."""
