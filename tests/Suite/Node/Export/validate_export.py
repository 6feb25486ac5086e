"""Holds JSON files to a JSON Schema of draft 2020-12: validate_export.py SCHEMA FILE...

Prints one line per violation, at most twenty per file; exit code 1 if there was any.
Needs Debian's python3-jsonschema (4.10 or newer).
"""

import itertools
import json
import sys

from jsonschema import Draft202012Validator


def main():
    with open(sys.argv[1], encoding="utf-8") as text:
        schema = json.load(text)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    broken = False
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as text:
            document = json.load(text)
        for error in itertools.islice(validator.iter_errors(document), 20):
            broken = True
            print(f"{error.json_path}: {error.message[:300]}")
    sys.exit(1 if broken else 0)


main()
