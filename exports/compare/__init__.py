"""**Compare**: what is different between the files of two runs, row by row and cell by cell (SPEC section 4).

`layout` is how a file is to be read, `reading` its rows, `merging` the differences of two files in the order of their
key, `sorting` that order where a file does not have it, `telling` the file of the differences and the first of them.
Memory stays flat whatever the size of the files.
"""

from exports.compare.comparing import Comparison, Side, Watch, compare
from exports.compare.layout import Layout, layout_of, same_columns
from exports.compare.telling import FIRST, KINDS, First

__all__ = [
    "FIRST",
    "KINDS",
    "Comparison",
    "First",
    "Layout",
    "Side",
    "Watch",
    "compare",
    "layout_of",
    "same_columns",
]
