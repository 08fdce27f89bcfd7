"""The words in which the inputs of File hold characters that a form cannot carry unharmed, such as line ends.

A word that is not here goes on as it is: the definition's own rules refuse it.
"""

from __future__ import annotations

from typing import Final

DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}
ENCLOSURES: Final[dict[str, str | None]] = {"double": '"', "single": "'", "none": None}
NEWLINES: Final = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
