"""File formats: options of COPY and what is left for Python."""
