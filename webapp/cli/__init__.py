"""Commands of the flask program."""
