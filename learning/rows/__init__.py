"""Rows that are no rows of the table: totals, headings, notes, the header again."""
