"""The base of all tables. Migrations make them; nothing here ever creates one."""

from datetime import datetime

from sqlalchemy import DateTime, MetaData, Text
from sqlalchemy.orm import DeclarativeBase

ENGINE_SCHEMA = "insights"


class Base(DeclarativeBase):
    """Strings are `text`, times are `timestamptz`, the schema is `insights` unless it says else."""

    metadata = MetaData(schema=ENGINE_SCHEMA)
    type_annotation_map = {datetime: DateTime(timezone=True), str: Text}
