"""The domain: what an export is and how its file is made."""
