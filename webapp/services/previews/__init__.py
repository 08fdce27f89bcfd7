"""What the file of a draft would be: asked of the source within limits of time, the newest question alone."""

from webapp.services.previews.counting import Counted, LeftOutWords, count, without_each
from webapp.services.previews.looking import Look, look

__all__ = ["Counted", "LeftOutWords", "Look", "count", "look", "without_each"]
