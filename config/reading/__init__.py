"""How a file that people write is read: whole, safely, with every finding named by file, key, what was found and an example."""
