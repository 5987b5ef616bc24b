"""Walks walk.json with boto3, and prints the name of each operation that went as it should."""
import json
import pathlib

import boto3
import botocore.exceptions

client = boto3.client("cognito-idp")
methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
values = {}


def fill(v):
    if isinstance(v, dict):
        return {k: fill(x) for k, x in v.items()}
    if isinstance(v, list):
        return [fill(x) for x in v]
    return values[v[1:]] if isinstance(v, str) and v.startswith("$") else v


for operation, request, want in json.loads(pathlib.Path(__file__).with_name("walk.json").read_text()):
    try:
        answer, got = getattr(client, methods[operation])(**fill(request)), None
    except botocore.exceptions.ClientError as e:
        got = e.response["Error"]["Code"]
    if isinstance(want, str):
        assert got == want, f"{operation}: {got}, want {want}"
    else:
        assert got is None, f"{operation}: {got}"
        for name, path in want.items():
            value = answer
            for part in path.split("."):
                value = value[part]
            values[name] = value
    print(operation)
