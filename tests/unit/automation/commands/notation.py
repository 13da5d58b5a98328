"""What a text has that Python wrote of its own values, and no person would."""

import re

NOTATION = re.compile(
    r"\b(?:None|True|False|nan)\b"
    r"|\b(?:IPv[46](?:Network|Address)|PosixPath|OrderedDict|mappingproxy|frozenset|datetime\.\w+|dict_\w+)\("
    r"|\bset\(\)"
    r"|[\[({]['\"]"
    r"|['\"]: "
    r"|\(\)|\[\]|\{\}|,\)"
    r"|<[\w.]+(?: object|: )"
    r"|\b[A-Z]\w+\.[A-Z]{2,}\b"
)
