"""A first draft of a catalogue file from a real table, and of custom fields from the members of a JSONB column."""

from exports.reflecting.members import Member, fields_of, statement
from exports.reflecting.tables import Column, Table, read
from exports.reflecting.writing import Draft, NoKey, draft

__all__ = ["Column", "Draft", "Member", "NoKey", "Table", "draft", "fields_of", "read", "statement"]
