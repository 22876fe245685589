"""What publishers may rely on: the catalogue as JSON Schema and AsyncAPI, and how it may change."""

from events.contract.asyncapi import asyncapi
from events.contract.breaking import breaking_changes
from events.contract.released import read_released, write_released
from events.contract.schema import json_schema

__all__ = ["asyncapi", "breaking_changes", "json_schema", "read_released", "write_released"]
