"""What changes our own database: one module per subject."""
