"""The fixtures, one file per subject."""

pytest_plugins = [
    "tests.fix_guard",
    "tests.fix_garbage",
    "tests.fix_order",
    "tests.fix_campaigns",
    "tests.fix_services",
    "tests.fix_app",
    "tests.fix_workshop",
    "tests.fix_exports",
    "tests.fix_connections",
    "tests.fix_pages",
    "tests.fix_api",
    "tests.fix_logins",
    "tests.fix_wizard",
    "tests.fix_hostile",
    "tests.fix_browser",
    "tests.fix_site",
    "tests.fix_mail",
    "tests.fix_store",
    "tests.fix_webhooks",
    "tests.fix_things",
]
