"""Every page of the app with 100,000 exports in the list of one brand (SPEC section 14)."""
