"""The grammar of `date:` expressions, rule by rule as REFERENCE section 3.2 has it, with the few wider forms of 3.3.

Wider, since the vectors ask for it: YYYY-MM, YYYY/MM/DD, an offset behind a time, "first day of" alone, a weekday
behind amounts ("-1 week monday"), "7 pm" and "12:30 am", "noon yesterday", `forthnight`. Narrower: "sixth week".
"""

from __future__ import annotations

from typing import Final

from exports.dates.parts import (
    Ago,
    CalendarDay,
    Counted,
    Edge,
    IsoWeek,
    Named,
    Node,
    NthWeekday,
    Offset,
    Ordinal,
    TimeOfDay,
    Weekday,
)
from exports.dates.patterns import (
    any_number_of,
    either,
    maybe,
    node,
    number,
    one_after_another,
    sign,
    token,
    word,
    word_of,
)
from exports.dates.tokens import Token
from exports.dates.words import DAYS, MONTHS, ORDINALS, RELATIVE, UNITS

ONE_OR_TWO: Final = range(1, 3)
TWO: Final = range(2, 3)
FOUR: Final = range(4, 5)
UP_TO_SIX: Final = range(1, 7)

WS: Final = token("blank", "", lambda text: text)
YEAR: Final = number("year", FOUR)
HALF: Final = word("am", "pm", label="half")

# --- the time of day

HOUR_24: Final = number("hour", ONE_OR_TWO, 23)
HOUR_12: Final = number("hour", ONE_OR_TWO, 12, least=1)
HOUR_11: Final = number("hour", ONE_OR_TWO, 11, least=1)
MINUTE: Final = number("minute", TWO, 59)
SECOND: Final = number("second", TWO, 59)
HH_MM_SS: Final = one_after_another(HOUR_24, sign(":"), MINUTE, maybe(sign(":"), SECOND))
CLOCK: Final = either(
    node(TimeOfDay, HH_MM_SS),
    node(TimeOfDay, HOUR_12, maybe(sign(":"), MINUTE, maybe(sign(":"), SECOND)), maybe(WS), HALF),
    node(Named, word("noon", "midnight", label="name")),
)
QUARTER: Final = either(
    node(TimeOfDay, word("back", "front", label="side"), WS, word("of"), WS, HOUR_24),
    # The reference product goes from 12 to 11:45 before it looks at am or pm, so "front of 12am" is not taken.
    node(TimeOfDay, word("back", label="side"), WS, word("of"), WS, HOUR_12, maybe(WS), HALF),
    node(TimeOfDay, word("front", label="side"), WS, word("of"), WS, HOUR_11, maybe(WS), HALF),
)

# --- amounts

SIGNED: Final = one_after_another(maybe(sign("+", "-", label="sign"), maybe(WS)), number("count", UP_TO_SIX))
COUNTED: Final = node(Counted, SIGNED, maybe(WS), word_of(UNITS, "unit"))
_NOT_WEEK: Final = {name: meaning for name, meaning in UNITS.items() if name != "week"}
RELTEXT_WEEK: Final = node(IsoWeek, word_of(RELATIVE, "ordinal"), WS, word("week"))
ORDINAL_UNIT: Final = node(Ordinal, word_of(ORDINALS, "ordinal"), WS, word_of(_NOT_WEEK, "unit"))
AGO: Final = one_after_another(COUNTED, WS, node(Ago, word("ago")))
AMOUNT: Final = either(COUNTED, AGO, ORDINAL_UNIT, RELTEXT_WEEK)
ITEM: Final = either(AMOUNT, CLOCK)
RELATIVES: Final = any_number_of(WS, ITEM)

# --- absolute days

OFFSET: Final = either(
    node(Offset, word("z")),
    node(Offset, sign("+", "-", label="sign"), number("hours", TWO, 14), sign(":"), number("minutes", TWO, 59)),
)
Y_M_D: Final = one_after_another(YEAR, sign("-"), number("month", TWO), sign("-"), number("day", TWO))
DAY: Final = number("day", ONE_OR_TWO)
MONTH: Final = word_of(MONTHS, "month")
ABSOLUTE: Final = either(
    one_after_another(node(CalendarDay, Y_M_D), maybe(either(word("t"), WS), node(TimeOfDay, HH_MM_SS), maybe(OFFSET))),
    node(CalendarDay, YEAR, sign("/"), number("month", TWO), sign("/"), number("day", TWO)),
    node(CalendarDay, YEAR, sign("-"), number("month", TWO)),
    node(CalendarDay, DAY, WS, MONTH, maybe(WS, YEAR)),
    node(CalendarDay, MONTH, WS, DAY, maybe(maybe(sign(",")), WS, YEAR)),
    node(CalendarDay, MONTH, maybe(WS, YEAR)),
)

# --- anchors

SPAN: Final = either(
    node(Ordinal, word_of(RELATIVE, "ordinal"), WS, word_of({"month": UNITS["month"]}, "unit")),
    one_after_another(
        node(CalendarDay, MONTH, maybe(WS, YEAR)),
        maybe(WS, node(Ordinal, word_of(RELATIVE, "ordinal"), WS, word_of({"year": UNITS["year"]}, "unit"))),
    ),
    node(Counted, SIGNED, maybe(WS), word_of({one: UNITS[one] for one in ("month", "months")}, "unit")),
)
DAY_OF: Final = node(Edge, word("first", "last", label="edge"), WS, word("day"), WS, word("of"))
WEEKDAY_OF: Final = node(NthWeekday, word_of(ORDINALS, "ordinal"), WS, word_of(DAYS, "weekday"), WS, word("of"))
WEEKDAY: Final = node(Weekday, maybe(word_of(ORDINALS, "ordinal"), WS), word_of(DAYS, "weekday"))
NOON_OR_MIDNIGHT: Final = node(Named, word("noon", "midnight", label="name"))
ANCHOR: Final = either(
    node(Named, word("now", "today", "midnight", "noon", "tomorrow", "yesterday", label="name")),
    one_after_another(NOON_OR_MIDNIGHT, WS, node(Named, word("today", "tomorrow", "yesterday", label="name"))),
    one_after_another(DAY_OF, WS, SPAN),
    one_after_another(WEEKDAY_OF, WS, SPAN),
    one_after_another(WEEKDAY, maybe(WS, RELTEXT_WEEK)),
    RELTEXT_WEEK,
    QUARTER,
)

# --- the whole

AMOUNTS_THEN_WEEKDAY: Final = one_after_another(
    AMOUNT, any_number_of(WS, AMOUNT), WS, node(Weekday, word_of(DAYS, "weekday"))
)
EXPRESSION: Final = one_after_another(
    maybe(WS),
    either(one_after_another(either(ABSOLUTE, ANCHOR, ITEM, AMOUNTS_THEN_WEEKDAY), RELATIVES), DAY_OF),
    maybe(WS),
)


def nodes(tokens: tuple[Token, ...]) -> tuple[Node, ...] | None:
    """The pieces of an expression, or None: the tokens are not one."""
    return EXPRESSION(tokens, 0).get(len(tokens))
