"""Models equal the migrated database; what they cannot express stands in schema.sql.

After a migration: `make test ARGS="-k listing"` shows the difference; write the new listing with
`INSIGHTS_WRITE_LISTING=1 make test ARGS="-k listing"`, and review it in the commit.
"""

import difflib
import os
import re
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import NullPool, create_engine

from models import Base
from runtime.assembly import Assembly
from tests.models.schema_listing import schema_listing

PARTITION = re.compile(r"batches_(default|in_hand|\d{8})")  # of a day: made at run time
LISTING = Path(__file__).with_name("schema.sql")


def is_compared(object_: Any, name: str | None, kind: str, *_: Any) -> bool:
    """Leave out `alembic_version`, which is Alembic's, and partitions of the table of batches."""
    if kind == "table" and PARTITION.fullmatch(name or ""):
        return False
    return getattr(object_, "schema", None) in (None, "insights", "public")


# SQLAlchemy 2.1 reflects a check constraint that is NOT VALID with an option that it does not know.
@pytest.mark.filterwarnings("ignore:Can't validate argument 'dialect_options'")
def test_models_equal_the_migrated_database(shared: Assembly) -> None:
    # Without `public` on the search path, every table is compared under its schema's name.
    away = {"options": "-c search_path=pg_catalog"}
    engine = create_engine(shared.settings.postgres_url, poolclass=NullPool, connect_args=away)
    with engine.connect() as connection:
        options = {
            "include_schemas": True,
            "include_object": is_compared,
            "compare_server_default": True,
            "version_table_schema": "insights",
        }
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, Base.metadata)

    assert differences == []


def test_what_models_cannot_express_equals_the_reviewed_listing(shared: Assembly) -> None:
    with shared.engine.connect() as connection:
        found = schema_listing(connection)
    if os.getenv("INSIGHTS_WRITE_LISTING"):
        LISTING.write_text(found)

    reviewed = LISTING.read_text().splitlines()
    assert list(difflib.unified_diff(reviewed, found.splitlines(), lineterm="")) == []
