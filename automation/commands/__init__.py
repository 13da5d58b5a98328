"""The verbs of `./portal`, a family a file: words in, one library call, words or one JSON object out."""
