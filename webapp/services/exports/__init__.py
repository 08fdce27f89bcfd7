"""Exports: saved definitions with their versions (`saving`), and how they are found (`listing`)."""

from webapp.services.exports.listing import ListQuery, Page, of_ids, page
from webapp.services.exports.saving import create, definition_of, find, runs_of, versions

__all__ = ["ListQuery", "Page", "create", "definition_of", "find", "of_ids", "page", "runs_of", "versions"]
