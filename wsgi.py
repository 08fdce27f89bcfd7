"""The application that gunicorn and the flask command serve."""

from webapp import create_app

app = create_app()
