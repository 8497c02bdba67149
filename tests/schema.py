#!/usr/bin/python3
"""schema.py SCHEMA < OBJECT: is it as the schema has it?  What is not, is said.
faults() is the same for tests in Python.

Of JSON Schema what man/ uses; a word of it that is not known here fails, too.
"""

import json
import sys

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool,
         "integer": int}
KNOWN = {"$schema", "$defs", "$ref", "title", "description", "type",
         "required", "additionalProperties", "properties", "items", "enum"}


def judge(schema, root, value, where, wrong):
    if "$ref" in schema:
        judge(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root, value,
              where, wrong)
        return
    wrong += [f"the schema has {word}" for word in schema.keys() - KNOWN]
    if "enum" in schema and value not in schema["enum"]:
        wrong.append(f"{where}: {value!r} is none of {schema['enum']}")
    kind = schema.get("type")
    if kind and (not isinstance(value, TYPES[kind]) or
                 (kind == "integer" and isinstance(value, bool))):
        wrong.append(f"{where}: {value!r} is no {kind}")
    elif kind == "object":
        members = schema.get("properties", {})
        wrong += [f"{where}: no {name}" for name in schema.get("required", [])
                  if name not in value]
        for name, member in value.items():
            if name in members:
                judge(members[name], root, member, f"{where}.{name}", wrong)
            elif schema.get("additionalProperties") is False:
                wrong.append(f"{where}: {name} is not in the schema")
    elif kind == "array":
        for i, member in enumerate(value):
            judge(schema["items"], root, member, f"{where}[{i}]", wrong)


def faults(path, value):
    """What is not as the schema in this file has it, a line each."""
    wrong = []
    with open(path, encoding="utf-8") as f:
        schema = json.load(f)
    judge(schema, schema, value, "", wrong)
    return wrong


def main():
    wrong = faults(sys.argv[1], json.load(sys.stdin))
    print("\n".join(wrong), end="\n" if wrong else "")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
