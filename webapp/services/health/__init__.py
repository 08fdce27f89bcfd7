"""How the installation is: what it needs (`checks`, /readyz), how much goes on (`numbers`, /metrics)."""

from webapp.services.health.checks import Check, Part, parts, states
from webapp.services.health.numbers import numbers

__all__ = ["Check", "Part", "numbers", "parts", "states"]
