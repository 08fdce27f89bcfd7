"""Mails about runs: whose they are (`notify`), the outbox (`outbox`), what came of them (`results`); docs/mail.md."""
