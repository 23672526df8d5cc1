"""Validates each line of standard input as an Airbyte message, and refuses keys that the protocol's models do not have.

Prints how many messages there were of each type, as JSON.
"""

import json
import sys
from collections import Counter

from airbyte_protocol.models import AirbyteMessage
from pydantic import BaseModel

# What is in these is the connector's own, or a JSON schema.
OPEN_FIELDS = {"data", "stream_state", "json_schema", "connectionSpecification"}


def unknown_keys(model: BaseModel, path: str) -> list[str]:
    found = [f"{path}.{key}" for key in (model.model_extra or {})]
    for name in type(model).model_fields:
        if name not in OPEN_FIELDS:
            found += unknown_in(getattr(model, name), f"{path}.{name}")
    return found


def unknown_in(value: object, path: str) -> list[str]:
    if isinstance(value, BaseModel):
        return unknown_keys(value, path)
    if isinstance(value, list):
        return [key for item in value for key in unknown_in(item, f"{path}[]")]
    return []


types: Counter[str] = Counter()
for number, line in enumerate(sys.stdin.buffer, 1):
    message = AirbyteMessage.model_validate_json(line)
    unknown = unknown_keys(message, "message")
    if unknown:
        sys.exit(f"line {number}: unknown keys {unknown}")
    types[message.type.value] += 1
print(json.dumps(types))
