"""The catalogue that comes with the program, and what is refused in a file that describes other tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from exports.catalogue import DataField, FieldType, builtin, fields_of
from exports.catalogue_files import FOLDER, FieldFile, ModelFile, RolesFile, load
from exports.errors import CatalogueError

FIELDS = {
    "challenges": """id title description cta_label message hidden status category points url image starts_at ends_at
        created_at max_completions completions last_completed_at tags segments lists resettable criteria account
        group_id""",
    "changes": "_id created_at change_type entity_type entity_id user_id user changes ip_address",
    "content_approval": """_id created_at created_by type entity_type entity_id entity_name changes_count changes status
        decided_at decided_by explanation""",
    "coupon_pools": """id external_id name source type value minimum_value minimum_redemption_value currency
        purchase_minimum expiration_time aggregated products stores pattern group_id status created_at updated_at stock
        claimed_count redeemed_count""",
    "coupons": """_id code customer status name type value currency balance min_amount min_redemption_value
        purchase_threshold pool parent original aggregated claims redeems transfers created_at claimed_at redeemed_at
        expiration_date expires_in invalidated_at invalidated_by stores products""",
    "customer_fields": """id label description type built_in tags default format possible_values computed read_only
        mandatory created_at updated_at""",
    "customers": """_id external_ids email first_name last_name handler status gender birth_date age language currency
        country mobile_phone image_url membership_id group_id src referrer referrals score spent reserved expired
        pending spendable purchase_total purchase_count purchase_item_count purchase_avg purchase_first_date
        purchase_last_date last_earn_date last_spend_date last_login_at optin_at optout_at created_at updated_at labels
        segments lists activities rewards clubs tiers accounts campaigns""",
    "events": """_id customer action label account points timestamp unix_timestamp process_timestamp date expdate
        expired used_points usages parent change original cid hash admin user_id signed source ip_address user_agent
        snapshot snapshot.score snapshot.spent snapshot.pending snapshot.expired properties properties.transaction_id
        properties.total properties.total_quantity properties.points_burned properties.currency
        properties.points_rewarded properties.items properties.discount properties.shipping
        properties.effective_timestamp properties.product_id properties.product_name properties.product_url
        properties.product_category properties.sku properties.quantity properties.price properties.subtotal
        properties.unit_burn properties.store properties.country properties.reward properties.challenge
        properties.code""",
    "products": """id title description link image_link additional_image_link mobile_link availability availability_date
        expiration_date price price_currency sale_price sale_price_currency sale_price_effective_date
        cost_of_goods_sold cost_of_goods_sold_currency google_product_category product_type brand gtin mpn
        identifier_exists condition adult multipack is_bundle age_group color gender material pattern size size_type
        size_system item_group_id unit_pricing_measure unit_pricing_base_measure energy_efficiency_class
        min_energy_efficiency_class max_energy_efficiency_class custom_label_0 custom_label_1 custom_label_2
        custom_label_3 custom_label_4 promotion_id ads_redirect excluded_destination included_destination shipping
        shipping_weight shipping_label tax tax_category product_length product_width product_height product_weight
        product_highlight product_detail created_at updated_at status""",
    "rewards": """id name description terms redeem_instructions claim_button_label restricted_message type status
        effective_status category account price cost stock max_claims repeat_interval starts_at ends_at segments hidden
        hide_restricted notifications user_notifications countdown_until_start countdown_until_end display_coming_soon
        coupon_pool exchange_rate max_price price_step transferable transfer_points transfer_limit
        transfer_coupon_expiration transfer_coupon_expires_in image gallery stores custom_data group_id created_at""",
    "stores": """id name group currency country county state zip city address lat lng status created_at updated_at
        group_id""",
    "webhook_logs": """_id created_at action customer response_code status trusted_site path retries source url method
        request_body response_body duration_ms error""",
}
"""REFERENCE sections 1.1 to 1.12, with the wildcards as the head of section 1 spells them out."""

COUNTS = {
    "challenges": 24,
    "changes": 9,
    "content_approval": 13,
    "coupon_pools": 22,
    "coupons": 28,
    "customer_fields": 14,
    "customers": 48,
    "events": 55,
    "products": 64,
    "rewards": 42,
    "stores": 16,
    "webhook_logs": 16,
}


def flagged(flag: str) -> set[str]:
    return {f"{model.id}.{one.id}" for model, one in fields_of(builtin()) if getattr(one, flag)}


# --- the catalogue that comes with the program ------------------------------------------------------------------------


@pytest.mark.parametrize("model", FIELDS)
def test_every_field_of_the_reference_is_there_and_no_other(model: str) -> None:
    assert sorted(builtin().models[model].fields) == sorted(FIELDS[model].split())


def test_the_twelve_models_have_their_number_of_built_in_fields_and_the_documentation_says_so() -> None:
    assert {model.id: len(model.fields) for model in builtin().models.values()} == COUNTS
    page = (Path(__file__).parents[2] / "docs/catalogue.md").read_text(encoding="utf-8")
    for model in builtin().models.values():
        module = f"`{model.module}`" if model.module else "always"
        assert f"| {model.label} | `{model.id}.toml` | {module} | {COUNTS[model.id]} |" in page


def test_every_key_of_a_file_and_every_role_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/catalogue.md").read_text(encoding="utf-8")
    roles = {key for role in builtin().roles.values() for key in role}
    keys = {*FieldFile.model_fields, *ModelFile.model_fields, *RolesFile.model_fields, *roles} - {"fields"}
    assert [key for key in sorted(keys) if f"`{key}`" not in page and f"{key} = " not in page] == []


def test_models_are_offered_in_the_order_of_the_manual() -> None:
    assert [model.label for model in builtin().models.values()] == [
        *("Challenges", "Changes", "Content approval", "Coupons", "Coupon pools", "Customers", "Customer fields"),
        *("Events", "Products", "Rewards", "Stores", "Webhook logs"),
    ]


def test_computed_fields_are_those_that_refuse_aggregation() -> None:
    assert flagged("computed") == {
        *(f"customers.{id}" for id in ("age", "spendable", "purchase_avg", "segments")),
        *(f"coupon_pools.{id}" for id in ("stock", "claimed_count", "redeemed_count")),
        *("coupons.status", "rewards.effective_status", "events.label", "content_approval.changes_count"),
        *("challenges.completions", "challenges.last_completed_at"),
    }


def test_identifiers_are_those_that_cannot_be_grouped() -> None:
    keys = {f"{model.id}.{model.key}" for model in builtin().models.values()}
    assert flagged("identifier") == keys | {
        *("customers.external_ids", "customers.membership_id"),
        *(f"events.{id}" for id in ("customer", "parent", "original", "cid", "hash")),
        *(f"coupons.{id}" for id in ("code", "customer", "original")),
        *("coupon_pools.external_id", "products.gtin", "products.mpn"),
        *("changes.entity_id", "content_approval.entity_id", "webhook_logs.customer"),
    }


def test_personal_fields_are_what_tells_who_a_person_is() -> None:
    who = "external_ids email first_name last_name handler birth_date mobile_phone image_url membership_id"
    assert flagged("personal") == {
        *(f"customers.{id}" for id in who.split()),
        *("events.ip_address", "events.user_agent"),
        *("changes.user", "changes.changes", "changes.ip_address"),
        *("webhook_logs.url", "webhook_logs.request_body", "webhook_logs.response_body"),
    }


def test_translated_texts_are_those_stored_by_language() -> None:
    texts = "name description terms redeem_instructions claim_button_label restricted_message"
    assert flagged("translated") == {
        *(f"rewards.{id}" for id in texts.split()),
        *(f"challenges.{id}" for id in ("title", "description", "cta_label", "message")),
        "coupons.name",
    }


def test_every_model_and_field_is_explained_in_a_sentence() -> None:
    catalogue = builtin()
    speaking = [*catalogue.models.values(), *(one for _, one in fields_of(catalogue))]
    assert [one.id for one in speaking if not (one.description.endswith(".") and one.description[:1].isupper())] == []


def test_two_fields_of_a_model_never_have_the_same_label() -> None:
    for model in builtin().models.values():
        labels = [one.label for one in model.fields.values()]
        assert sorted(labels) == sorted(set(labels)), model.id


def test_a_brand_sees_the_models_of_its_modules_and_always_customers_fields_and_events() -> None:
    assert set(builtin().for_brand([], {}).models) == {"customers", "customer_fields", "events"}
    assert set(builtin().for_brand(["coupons"], {}).models) == {
        *("customers", "customer_fields", "events", "coupons", "coupon_pools")
    }
    assert set(builtin().for_brand(builtin().modules, {}).models) == set(FIELDS)


def test_a_custom_field_is_added_behind_the_others_and_cannot_take_the_place_of_a_built_in_one() -> None:
    mine = DataField(
        id="income", label="Income", type=FieldType.ENUM, custom=True, column="properties", path=("income",)
    )
    hides = DataField(
        id="email", label="Mine", type=FieldType.STRING, custom=True, column="properties", path=("email",)
    )
    customers = builtin().for_brand([], {"customers": [mine, hides]}).models["customers"]
    assert list(customers.fields)[-1] == "income"
    assert customers.fields["email"].label == "Email address"


def test_all_fields_leaves_out_a_json_object_whose_members_are_fields() -> None:
    ids = [one.id for one in builtin().models["events"].all_fields]
    assert "properties.product_id" in ids
    assert "properties" not in ids
    assert "snapshot" not in ids
    assert "usages" in ids
    assert "tiers" in [one.id for one in builtin().models["customers"].all_fields]


def test_a_brands_tier_fields_replace_the_object_they_come_from_in_all_fields() -> None:
    points = DataField(
        id="tiers.main.points",
        label="Points",
        type=FieldType.FLOAT,
        custom=True,
        column="tiers",
        path=("main", "points"),
    )
    ids = [one.id for one in builtin().models["customers"].with_fields([points]).all_fields]
    assert "tiers.main.points" in ids
    assert "tiers" not in ids


def test_actions_are_an_open_list_and_their_labels_stand_in_the_computed_label() -> None:
    events = builtin().models["events"]
    assert events.fields["action"].open
    assert {"checkout", "checkout_item", "opt_in", "club_disband"} <= dict(events.fields["action"].choices).keys()
    assert '"opt_in": "Opt-in"' in str(events.fields["label"].sql)


# --- mistakes ---------------------------------------------------------------------------------------------------------

THINGS = """
id = "things"
label = "Things"
description = "Things."
record = "thing"
table = "shop.things"
key = "id"
brand = "tenant"
module = "toys"

[[fields]]
id = "id"
label = "ID"
type = "string"
identifier = true
mandatory = true

[[fields]]
id = "color"
label = "Color"
type = "enum"
choices = ["red", "blue"]

[[fields]]
id = "owner"
label = "Owner"
type = "reference"
reference = "owners"

[[fields]]
id = "words"
label = "Words"
type = "string"
"""
SHARED = """
models = ["things"]

[modules]
toys = "Toys"

[references.owners]
label = "Owner"
table = "shop.owners"
key = "id"
name = "name"
brand = "tenant"

[references.things]
label = "Thing"
table = "shop.things"
key = "id"
name = "words"
brand = "tenant"

[roles.segments]
table = "shop.things"
brand = "tenant"
id = "id"
name = "words"
status = "color"
filter = "owner"
"""
WORDS = 'label = "Words"\ntype = "string"\n'


def folder_of(folder: Path, things: str = THINGS, shared: str = SHARED) -> Path:
    (folder / "things.toml").write_text(things, encoding="utf-8")
    (folder / "_shared.toml").write_text(shared, encoding="utf-8")
    return folder


def refusal(folder: Path) -> CatalogueError:
    with pytest.raises(CatalogueError) as caught:
        load(folder)
    return caught.value


def test_a_company_describes_its_own_tables(tmp_path: Path) -> None:
    things = load(folder_of(tmp_path)).models["things"]
    assert things.fields["color"].choices == (("red", "red"), ("blue", "blue"))
    assert things.fields["words"].column == "words"
    assert things.brand == "tenant"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('id = "things"', 'id = "others"', "id"),
        ('record = "thing"\n', "", "record"),
        ('table = "shop.things"', 'table = "shop.things; drop"', "table"),
        ('table = "shop.things"\n', "", "brand"),
        ('brand = "tenant"\n', "", "brand"),
        ('module = "toys"', 'module = "games"', "module"),
        ('key = "id"', 'key = "code"', "key"),
        ('key = "id"', 'key = "words"', "key"),
        ("mandatory = true\n", "", "key"),
        ('record = "thing"', 'record = "thing"\nplural = "things"', "plural"),
        ('id = "words"', 'id = "id"', "fields.id.id"),
        ('id = "words"', 'id = "wo rds"', "fields.wo rds.id"),
        ('id = "words"\n', "", "fields.3.id"),
        ('id = "words"', 'id = "words.first"', "fields.words.first.column"),
        ('label = "Words"', 'label = " "', "fields.words.label"),
        (WORDS, 'label = "Words"\ntype = "varchar"\n', "fields.words.type"),
        (WORDS, WORDS + "hidden = true\n", "fields.words.hidden"),
        (WORDS, WORDS + 'items = "string"\n', "fields.words.items"),
        (WORDS, 'label = "Words"\ntype = "list"\nitems = "json"\n', "fields.words.items"),
        (WORDS, WORDS + 'reference = "owners"\n', "fields.words.reference"),
        ('reference = "owners"\n', "", "fields.owner.reference"),
        ('reference = "owners"', 'reference = "makers"', "fields.owner.reference"),
        (WORDS, 'label = "Words"\ntype = "list"\nitems = "reference"\n', "fields.words.reference"),
        ('choices = ["red", "blue"]\n', "", "fields.color.choices"),
        ('"blue"]', '"red"]', "fields.color.choices"),
        (WORDS, WORDS + 'choices = ["a"]\n', "fields.words.choices"),
        (WORDS, WORDS + "open = true\n", "fields.words.open"),
        (WORDS, 'label = "Words"\ntype = "float"\ntranslated = true\n', "fields.words.translated"),
        (WORDS, WORDS + 'stored = "double precision"\n', "fields.words.stored"),
        (WORDS, 'label = "Words"\ntype = "float"\nstored = "money"\n', "fields.words.stored"),
        (WORDS, WORDS + 'sql = "1"\n', "fields.words.computed"),
        (WORDS, WORDS + "computed = true\n", "fields.words.computed"),
        (WORDS, WORDS + 'computed = true\nsql = "1"\ncolumn = "w"\n', "fields.words.sql"),
        (WORDS, WORDS + 'computed = true\nsql = "x = :now"\n', "fields.words.sql"),
        (WORDS, WORDS + 'computed = true\nsql = "x > :today::date"\n', "fields.words.sql"),
        (WORDS, WORDS + 'computed = true\nsql = "{labels:words} ->> color"\n', "fields.words.sql"),
        (WORDS, WORDS + 'computed = true\nspecial = "magic"\n', "fields.words.special"),
        (WORDS, WORDS + 'path = ["first"]\n', "fields.words.path"),
        (WORDS, WORDS + 'column = "w"\npath = [""]\n', "fields.words.path.0"),
        (WORDS, WORDS + 'column = "w--"\n', "fields.words.column"),
        ("[[fields]]", "[[fields", "the text"),
    ],
)
def test_a_mistake_in_a_models_file_is_refused_with_file_and_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    assert old in THINGS
    error = refusal(folder_of(tmp_path, things=THINGS.replace(old, new)))
    assert error.facts["file"] == "things.toml"
    assert error.facts["key"] == key
    assert f"things.toml is wrong at {key}: " in error.message


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('models = ["things"]\n', "", "models"),
        ('["things"]', "[]", "models"),
        ('["things"]', '["things", "others"]', "models"),
        ('["things"]', '["others"]', "models"),
        ('["things"]', '["things", "things"]', "models"),
        ('toys = "Toys"', 'toys = ""', "modules.toys"),
        ("[roles.segments]", "[roles.segmnts]", "roles.segmnts"),
        ('filter = "owner"\n', "", "roles.segments.filter"),
        ('filter = "owner"', 'filter = "rule"', "roles.segments.filter"),
        ('status = "color"', 'status = "color"\ncolour = "color"', "roles.segments.colour"),
        ('brand = "tenant"\nid', 'brand = "company"\nid', "roles.segments.brand"),
        ('key = "id"\nname = "words"', 'key = "code"\nname = "words"', "references.things.key"),
        ('name = "words"\nbrand', 'name = "title"\nbrand', "references.things.name"),
        ('table = "shop.owners"\n', "", "references.owners.table"),
        ('key = "id"\nname = "name"', 'key = "id"\nname = "a name"', "references.owners.name"),
    ],
)
def test_a_mistake_in_the_shared_file_is_refused_with_file_and_key(
    tmp_path: Path, old: str, new: str, key: str
) -> None:
    assert old in SHARED
    error = refusal(folder_of(tmp_path, shared=SHARED.replace(old, new)))
    assert (error.facts["file"], error.facts["key"]) == ("_shared.toml", key)


def test_segments_cannot_be_computed_where_no_role_says_what_segments_are(tmp_path: Path) -> None:
    things = THINGS.replace(WORDS, 'label = "W"\ntype = "list"\ncomputed = true\nspecial = "segments"\n')
    shared = SHARED[: SHARED.index("[roles.segments]")] + "[roles]\n"
    assert refusal(folder_of(tmp_path, things, shared)).facts["key"] == "fields.words.special"


def test_a_model_without_a_table_cannot_compute(tmp_path: Path) -> None:
    things = THINGS.replace('table = "shop.things"\n', "").replace('brand = "tenant"', 'brand = "all"')
    assert load(folder_of(tmp_path, things)).models["things"].table is None
    things = things.replace(WORDS, WORDS + 'computed = true\nsql = "1"\n')
    assert refusal(folder_of(tmp_path, things)).facts["key"] == "fields.words.sql"


def test_a_missing_shared_file_and_a_missing_model_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path).facts == {
        "file": "_shared.toml",
        "key": "the file",
        "reason": "it cannot be read (No such file or directory)",
    }
    (tmp_path / "_shared.toml").write_text(SHARED, encoding="utf-8")
    assert refusal(tmp_path).facts["reason"] == "list and files differ: things"


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    folder_of(tmp_path)
    (tmp_path / "things.toml").write_bytes(THINGS.encode("utf-16"))
    assert refusal(tmp_path).facts["key"] == "the text"


def test_quotes_and_colons_in_labels_cannot_leave_the_constant_they_stand_in(tmp_path: Path) -> None:
    things = THINGS.replace('["red", "blue"]', """{ red = "R'; drop table :x; --" }""")
    things = things.replace(WORDS, WORDS + 'computed = true\nsql = "{labels:color} ->> color"\n')
    sql = load(folder_of(tmp_path, things)).models["things"].fields["words"].sql
    assert sql == """'{"red": "R''; drop table \\u003ax; --"}'::jsonb ->> color"""


def test_the_folder_of_the_built_in_catalogue_has_one_file_per_model() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == {*FIELDS, "_shared"}
