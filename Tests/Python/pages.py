"""Validates pages against a JSON Schema with PyPI's jsonschema.

    pages.py SCHEMA

Standard input is a JSON object of pages as text by name; standard output a JSON array of validation errors.
"""

import json
import sys

from jsonschema import Draft202012Validator


def no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError(f"a key occurs twice: {keys}")
    return dict(pairs)


def problems(schema, page):
    # The definition of the page that it says it is: the errors of all others would hide its own.
    name = page["schema"].removeprefix("poolscope/") if isinstance(page, dict) and "schema" in page else None
    validator = Draft202012Validator(schema)
    if name in schema["$defs"]:
        validator = validator.evolve(schema={**schema, "oneOf": [{"$ref": f"#/$defs/{name}"}]})
    for error in validator.iter_errors(page):
        yield from error.context or [error]


def main():
    with open(sys.argv[1]) as file:
        schema = json.load(file)
    Draft202012Validator.check_schema(schema)
    found = []
    for name, text in json.load(sys.stdin).items():
        page = json.loads(text, object_pairs_hook=no_duplicates)
        found += [f"{name}: {error.json_path}: {error.message[:300]}" for error in problems(schema, page)]
        # And as somebody validates who knows nothing of it.
        if not found and not Draft202012Validator(schema).is_valid(page):
            found.append(f"{name}: the definitions do not tell the pages apart")
    json.dump(found, sys.stdout)


main()
