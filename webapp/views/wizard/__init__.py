"""The wizard: eight steps, each with its own URL, whose draft is stored as it is typed (SPEC section 3)."""

from webapp.views.wizard import begin, choosing, create, previews, submit, target, why
from webapp.views.wizard.routes import blueprint

__all__ = ["begin", "blueprint", "choosing", "create", "previews", "submit", "target", "why"]
