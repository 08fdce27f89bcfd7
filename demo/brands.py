"""What the application must know of the demo's two brands: names, zones, modules, custom fields."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Field:
    """A custom field: member `path` of the JSONB column `column` of a model's table (SPEC section 12).

    `id` is what a definition names; it differs from the path where a built-in field has that id already.
    """

    model: str
    id: str
    label: str
    type: str
    description: str = ""
    choices: tuple[str, ...] = ()
    identifier: bool = False
    personal: bool = False
    computed: bool = False
    column: str = "properties"
    path: tuple[str, ...] = ()

    @property
    def where(self) -> tuple[str, ...]:
        """The path, which is the id unless it was given."""
        return self.path or (self.id,)


@dataclass(frozen=True)
class DemoBrand:
    """A brand; `email` is that of its demo user."""

    source_key: str
    name: str
    time_zone: str
    language: str
    modules: tuple[str, ...]
    email: str
    person: str
    fields: tuple[Field, ...] = field(repr=False)


def _tier_fields(structure: str, label: str) -> tuple[Field, ...]:
    parts = (
        ("_id", "ID", "string"),
        ("name", "name", "string"),
        ("points", "points", "float"),
        ("threshold", "threshold", "float"),
        ("since", "since", "datetime"),
        ("expdate", "expires on", "date"),
    )
    return tuple(
        Field(
            "customers",
            f"tiers.{structure}.{part}",
            f"{label} {words}",
            type,
            f"The customer's tier in the structure {structure}: {words}.",
            column="tiers",
            path=(structure, part),
        )
        for part, words, type in parts
    )


def _account_fields(account: str, label: str) -> tuple[Field, ...]:
    return tuple(
        Field(
            "customers",
            f"accounts.{account}.{part}",
            f"{label}: {part}",
            "float",
            f"Points of the account {label} that are {part}.",
            column="accounts",
            path=(account, part),
        )
        for part in ("earned", "reserved", "spent", "pending", "expired")
    )


def _external_id(id: str, label: str) -> Field:
    return Field("customers", id, label, "string", identifier=True, personal=True, column="external_ids", path=(id,))


AGES = ("19-24", "25-34", "35-44", "45-54", "55-64", "65+")
INCOMES = (
    "Under 15K", "15-24K", "25-34K", "35-49K", "50-74K", "75-99K", "100-124K", "125-149K", "150-174K", "175-199K",
    "200-249K", "250K+",
)  # fmt: skip
MODULES = (
    "challenges", "changes", "content_approval", "coupons", "products", "rewards", "stores", "webhooks", "user_groups",
    "segments",
)  # fmt: skip

_MAPLE = (
    Field("customers", "age_group", "Age group", "enum", "Real.", AGES, personal=True, path=("age",)),
    Field("customers", "income", "Income", "enum", "Real.", INCOMES, personal=True),
    Field(
        "customers", "home_ownership", "Home ownership", "enum", "Real.",
        ("Homeowner", "Probable Homeowner", "Renter", "Probable Renter"),
    ),
    Field("customers", "marital_status", "Marital status", "enum", "Real.", ("Married", "Unmarried"), personal=True),
    Field("customers", "household_size", "Household size", "enum", "Real.", ("1", "2", "3", "4", "5+")),
    Field(
        "customers", "household_comp", "Household composition", "enum", "Real.",
        ("1 Adult No Kids", "1 Adult Kids", "2 Adults No Kids", "2 Adults Kids"),
    ),
    Field("customers", "kids_count", "Number of kids", "enum", "Real.", ("0", "1", "2", "3+")),
    Field("customers", "newsletter", "Newsletter", "boolean"),
    Field("customers", "preferred_store", "Preferred store", "string"),
    Field("customers", "diet", "Diet", "list", choices=("vegetarian", "gluten-free", "low-salt", "kosher")),
    _external_id("crm_id", "CRM ID"),
    _external_id("web_id", "Web shop ID"),
    *_tier_fields("status", "Status tier"),
    *_account_fields("main", "Points"),
    *_account_fields("status", "Status points"),
    Field("events", "lines", "Lines", "integer", "Checkout: its number of checkout items."),
    Field("events", "reason", "Reason", "string", "Points by hand, refunds, leaving: why."),
    Field("events", "channel", "Channel", "enum", "Opt-in: where.", ("App", "Store", "Web")),
    Field("events", "form", "Form", "string", "Profile: the form that was filled in."),
    Field("events", "page", "Page", "string", "Visit: the page that was looked at."),
    Field("events", "campaign", "Campaign", "integer", "The campaign of a reward, coupon or challenge. Real."),
    Field("events", "coupon_upc", "Coupon UPC", "string", "Real."),
    Field("coupons", "sent_to", "Sent to household", "string", "Real.", identifier=True),
    Field("coupons", "campaign", "Campaign", "integer", "Real."),
    Field("coupon_pools", "coupon_upc", "Coupon UPC", "string", "Real."),
    Field("coupon_pools", "campaign", "Campaign", "integer", "Real."),
    Field("rewards", "campaign", "Campaign", "integer"),
    Field("rewards", "cost_center", "Cost center", "string"),
    Field("challenges", "campaign", "Campaign", "integer"),
    Field("stores", "opened", "Opened on", "date"),
    Field("stores", "square_feet", "Square feet", "integer"),
    Field("stores", "services", "Services", "list", choices=("bakery", "fuel", "pharmacy")),
    Field("stores", "format", "Format", "enum", "", ("market", "supermarket", "hypermarket")),
    Field("products", "private_label", "Private label", "boolean", "Real."),
    Field("products", "manufacturer_id", "Manufacturer", "integer", "Real."),
    Field("products", "aisle", "Aisle", "integer"),
)  # fmt: skip

_ALPINE = (
    Field("customers", "sports", "Sportarten", "list", "Was die Kundin, der Kunde treibt."),
    Field("customers", "shoe_size", "Schuhgrösse", "float"),
    Field("customers", "newsletter", "Newsletter", "boolean"),
    Field("customers", "hut", 'Lieblingshütte, "die eine"', "string"),
    Field("customers", "last_service", "Letzter Skiservice", "date"),
    _external_id("sap", "SAP-Nummer"),
    _external_id("crm_id", "CRM-Nummer"),
    *_tier_fields("status", "Stufe"),
    *_account_fields("main", "Gipfelpunkte"),
    Field("events", "note", "Notiz", "text"),
    Field("events", "altitude", "Höhe über Meer", "integer"),
    Field("events", "reason", "Grund", "string"),
    Field("events", "channel", "Kanal", "enum", "", ("App", "Filiale")),
    Field("coupons", "kampagne", "Kampagne", "string"),
    Field("coupons", "druck", "Gedruckt", "boolean"),
    Field("coupon_pools", "kostenstelle", "Kostenstelle", "string"),
    Field("rewards", "partner", "Partner", "enum", "", ("Hüttenwerk AG", "Firn & Co.")),
    Field("challenges", "sponsor", "Sponsor", "string"),
    Field("stores", "altitude", "Höhe über Meer", "integer"),
    Field("stores", "rental", "Verleih", "boolean"),
    Field("products", "season", "Saison", "string"),
    Field("products", "stars", "Sterne", "integer"),
)

BRANDS = (
    DemoBrand(
        "alpine", "Alpine Sports", "Europe/Zurich", "de",
        tuple(one for one in MODULES if one not in ("changes", "content_approval", "webhooks")),
        "demo@alpinesports.example", "Ursina Caduff", _ALPINE,
    ),
    DemoBrand(
        "maple", "Maple Grocers", "America/New_York", "en", MODULES,
        "demo@maplegrocers.example", "Grace Abbott", _MAPLE,
    ),
)  # fmt: skip
"""In the order of their keys, which is that of the heaps."""

FIRST = "maple"
"""The brand of commands that name none (SPEC section 11) and of the login that is printed."""
