"""The wizard's forms: what a step posts becomes a draft, or is refused by the name of the input.

Read by hand, not by a form library: criteria and fields come in any number, named by their position, and nothing may be
allocated for a position that somebody invents (docs/decisions). What the values mean is no concern of a form.
"""

from webapp.forms.wizard.posted import FormRefused, Posted
from webapp.forms.wizard.steps import read

__all__ = ["FormRefused", "Posted", "read"]
