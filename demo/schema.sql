-- The reference schema of a loyalty program: what exports/catalogue/*.toml describes.
--
-- Tables only, with what a single row must obey. Primary keys, indexes and foreign keys are in indexes.sql, which is
-- applied after the load: one pass over the finished heap costs less than keeping indexes up to date row by row.
--
-- Conventions
--   * a column is called like its field; the one exception is products.product_brand (field `brand`), because `brand`
--     is, in every table, the company whose program the row belongs to;
--   * the primary key is (brand, key) and rows are loaded in that order, so that an export in key order reads the heap
--     from front to back;
--   * brands, keys and references are `collate "C"`: compared byte by byte, in the order in which files are written;
--   * a scalar reference becomes a foreign key (brand, x): it cannot even name a row of another brand. Lists of
--     references (text[]) and ids inside JSON are looked up together with the row's own brand, for the same reason;
--   * whatever the catalogue calls mandatory is `not null`, closed lists of choices are checks. `action` and what a
--     person may type freely are open lists;
--   * amounts and points are `numeric`: sums are exact and nothing is ever rounded;
--   * translated texts are objects of texts by language: {"en": "Free coffee", "de": "Gratiskaffee"};
--   * a brand's custom attributes live in `properties`.

create schema if not exists loyalty;

create table loyalty.brands (
    id        text collate "C" not null check (id <> ''),
    name      text not null check (name <> ''),
    time_zone text not null,
    language  text not null default 'en' check (language ~ '^[a-z]{2}$')
);

-- What references point to, and what is not itself a data model -------------------------------------------------------

create table loyalty.user_groups (
    brand       text collate "C" not null,
    id          text collate "C" not null,
    name        text not null,
    parent      text collate "C" check (parent <> id),
    status      text not null default 'active' check (status in ('draft', 'active', 'inactive')),
    external_id text
);

create table loyalty.accounts (
    brand text collate "C" not null,
    id    text collate "C" not null,
    name  text not null,
    type  text not null default 'standard' check (type in ('standard', 'status_points'))
);

-- `filter` is what a definition calls `filters`: a list of OR sets, each a list of criteria.
create table loyalty.segments (
    brand  text collate "C" not null,
    id     text collate "C" not null,
    name   text not null,
    status text not null default 'active' check (status in ('draft', 'active', 'inactive', 'archived')),
    filter jsonb not null check (jsonb_typeof(filter) = 'array')
);

create table loyalty.customer_lists (
    brand text collate "C" not null,
    id    text collate "C" not null,
    name  text not null
);

create table loyalty.clubs (
    brand text collate "C" not null,
    id    text collate "C" not null,
    name  text not null
);

create table loyalty.reward_categories (
    brand text collate "C" not null,
    id    text collate "C" not null,
    name  text not null
);

-- The people who work in the loyalty platform. Not the users of this product.
create table loyalty.platform_users (
    brand text collate "C" not null,
    id    text collate "C" not null,
    name  text not null,
    email text
);

create table loyalty.trusted_sites (
    brand text collate "C" not null,
    id    text collate "C" not null,
    name  text not null,
    url   text
);

-- Actions a brand has added to the built-in ones: where the label of such an event comes from.
create table loyalty.custom_events (
    brand text collate "C" not null,
    id    text collate "C" not null,
    label text not null
);

-- The data models -----------------------------------------------------------------------------------------------------

-- rewards: {reward id: number of claims}. activities: {challenge id: unix time of the last completion}.
-- tiers: {structure id: {_id, name, points, threshold, since, expdate, manual, event, next, …}}.
-- accounts: {account id: {name, type, earned, reserved, spent, pending, expired, negative_points}}.
create table loyalty.customers (
    brand               text collate "C" not null,
    _id                 text collate "C" not null,
    external_ids        jsonb check (jsonb_typeof(external_ids) = 'object'),
    email               text,
    first_name          text,
    last_name           text,
    handler             text,
    status              text not null
                        check (status in ('active', 'inactive', 'banned', 'merged', 'suspended', 'pending', 'opted_out')),
    gender              text check (gender in ('male', 'female')),
    birth_date          date,
    language            text check (language ~ '^[a-z]{2}$'),
    currency            text check (currency ~ '^[A-Z]{3}$'),
    country             text check (country ~ '^[A-Z]{2}$'),
    mobile_phone        text,
    image_url           text,
    membership_id       text[],
    group_id            text[],
    src                 text,
    referrer            text collate "C",
    referrals           text[],
    score               numeric,
    spent               numeric,
    reserved            numeric,
    expired             numeric,
    pending             numeric,
    purchase_total      numeric,
    purchase_count      bigint,
    purchase_item_count bigint,
    purchase_first_date date,
    purchase_last_date  date,
    last_earn_date      date,
    last_spend_date     date,
    last_login_at       timestamptz,
    optin_at            timestamptz,
    optout_at           timestamptz,
    created_at          timestamptz not null,
    updated_at          timestamptz,
    labels              text[],
    lists               text[],
    activities          jsonb check (jsonb_typeof(activities) = 'object'),
    rewards             jsonb check (jsonb_typeof(rewards) = 'object'),
    clubs               text[],
    tiers               jsonb check (jsonb_typeof(tiers) = 'object'),
    accounts            jsonb check (jsonb_typeof(accounts) = 'object'),
    campaigns           jsonb,
    properties          jsonb not null default '{}' check (jsonb_typeof(properties) = 'object')
);

-- The big one. Written once: nothing here is ever updated. A customer may be missing (an anonymous purchase).
-- `points` are positive when earned, negative when spent; `date` is the day in the brand's zone; a checkout_item's
-- `parent` is its checkout. What `properties` holds depends on the action.
create table loyalty.events (
    brand             text collate "C" not null,
    _id               text collate "C" not null,
    customer          text collate "C",
    action            text collate "C" not null check (action <> ''),
    account           text collate "C",
    points            numeric,
    timestamp         timestamptz not null,
    unix_timestamp    bigint not null,
    process_timestamp timestamptz,
    date              date not null,
    expdate           date,
    expired           boolean,
    used_points       numeric,
    usages            jsonb,
    parent            text collate "C",
    change            jsonb,
    original          text collate "C",
    cid               text,
    hash              text,
    admin             boolean,
    user_id           bigint,
    signed            boolean,
    source            text,
    ip_address        text,
    user_agent        text,
    snapshot          jsonb,
    properties        jsonb not null default '{}'
);

-- There is no column for the status: it follows from claims, redemptions, expiry, invalidation and balance.
-- redeemed_at is a list of moments (timestamptz[]), so that they are written in the export's zone.
create table loyalty.coupons (
    brand                text collate "C" not null,
    _id                  text collate "C" not null,
    code                 text not null,
    customer             text[],
    name                 jsonb check (jsonb_typeof(name) = 'object'),
    type                 text check (type in ('amount', 'percentage', 'free_shipping', 'gift_card')),
    value                numeric,
    currency             text check (currency ~ '^[A-Z]{3}$'),
    balance              numeric,
    min_amount           numeric,
    min_redemption_value numeric,
    purchase_threshold   numeric,
    pool                 text collate "C",
    parent               text collate "C",
    original             text collate "C",
    aggregated           boolean,
    claims               bigint,
    redeems              bigint,
    transfers            bigint,
    created_at           timestamptz not null,
    claimed_at           timestamptz,
    redeemed_at          timestamptz[],
    expiration_date      timestamptz,
    expires_in           text,
    invalidated_at       timestamptz,
    invalidated_by       bigint,
    stores               text[],
    products             text[],
    properties           jsonb not null default '{}' check (jsonb_typeof(properties) = 'object')
);

create table loyalty.coupon_pools (
    brand                    text collate "C" not null,
    id                       text collate "C" not null,
    external_id              text check (length(external_id) <= 24),
    name                     text not null,
    source                   text not null check (source in ('uploaded', 'generated', 'remote', 'bulk generation')),
    type                     text not null check (type in ('amount', 'percentage', 'free_shipping', 'gift_card')),
    value                    numeric check (value >= 0.01),
    minimum_value            numeric,
    minimum_redemption_value numeric,
    currency                 text check (currency ~ '^[A-Z]{3}$'),
    purchase_minimum         numeric,
    expiration_time          text,
    aggregated               boolean not null default false,
    products                 text[],
    stores                   text[],
    pattern                  text,
    group_id                 text[],
    status                   text not null check (status in ('draft', 'active', 'inactive', 'archived')),
    created_at               timestamptz not null,
    updated_at               timestamptz,
    properties               jsonb not null default '{}' check (jsonb_typeof(properties) = 'object')
);

-- price: points by currency {"EUR": 500}, or one number. image and gallery: addresses of the sizes.
create table loyalty.rewards (
    brand                      text collate "C" not null,
    id                         text collate "C" not null,
    name                       jsonb not null check (jsonb_typeof(name) = 'object'),
    description                jsonb check (jsonb_typeof(description) = 'object'),
    terms                      jsonb check (jsonb_typeof(terms) = 'object'),
    redeem_instructions        jsonb check (jsonb_typeof(redeem_instructions) = 'object'),
    claim_button_label         jsonb check (jsonb_typeof(claim_button_label) = 'object'),
    restricted_message         jsonb check (jsonb_typeof(restricted_message) = 'object'),
    type                       text not null check (type in (
                                   'bidding', 'bundle', 'coupon', 'content', 'custom', 'gift_card', 'download',
                                   'dynamic', 'dynamic_coupon', 'physical', 'promotion', 'virtual')),
    status                     text not null check (status in ('draft', 'active', 'inactive', 'archived')),
    category                   text collate "C",
    account                    text collate "C",
    price                      jsonb check (jsonb_typeof(price) in ('object', 'number')),
    cost                       numeric,
    stock                      bigint,
    max_claims                 bigint,
    repeat_interval            text,
    starts_at                  timestamptz,
    ends_at                    timestamptz,
    segments                   text[],
    hidden                     boolean,
    hide_restricted            boolean,
    notifications              boolean,
    user_notifications         boolean,
    countdown_until_start      boolean,
    countdown_until_end        boolean,
    display_coming_soon        boolean,
    coupon_pool                text collate "C",
    exchange_rate              numeric,
    max_price                  bigint,
    price_step                 bigint,
    transferable               boolean,
    transfer_points            bigint,
    transfer_limit             bigint,
    transfer_coupon_expiration text check (transfer_coupon_expiration in ('remain', 'modify', 'extend')),
    transfer_coupon_expires_in text,
    image                      jsonb,
    gallery                    jsonb,
    stores                     text[],
    custom_data                jsonb,
    group_id                   text[],
    created_at                 timestamptz not null,
    properties                 jsonb not null default '{}' check (jsonb_typeof(properties) = 'object')
);

create table loyalty.stores (
    brand      text collate "C" not null,
    id         text collate "C" not null,
    name       text not null,
    "group"    text,
    currency   text check (currency ~ '^[A-Z]{3}$'),
    country    text,
    county     text,
    state      text,
    zip        text,
    city       text,
    address    text,
    lat        numeric check (lat between -90 and 90),
    lng        numeric check (lng between -180 and 180),
    status     text not null check (status in ('active', 'archived')),
    created_at timestamptz,
    updated_at timestamptz,
    group_id   text[],
    properties jsonb not null default '{}' check (jsonb_typeof(properties) = 'object')
);

-- The columns are those of a product feed. An amount with its currency ("15.00 USD") is two columns here.
create table loyalty.products (
    brand                       text collate "C" not null,
    id                          text collate "C" not null,
    title                       text not null,
    description                 text,
    link                        text,
    image_link                  text,
    additional_image_link       text[],
    mobile_link                 text,
    availability                text check (availability in ('in stock', 'out of stock', 'preorder')),
    availability_date           timestamptz,
    expiration_date             timestamptz,
    price                       numeric,
    price_currency              text check (price_currency ~ '^[A-Z]{3}$'),
    sale_price                  numeric,
    sale_price_currency         text check (sale_price_currency ~ '^[A-Z]{3}$'),
    sale_price_effective_date   text,
    cost_of_goods_sold          numeric,
    cost_of_goods_sold_currency text check (cost_of_goods_sold_currency ~ '^[A-Z]{3}$'),
    google_product_category     text,
    product_type                text,
    product_brand               text,
    gtin                        text,
    mpn                         text,
    identifier_exists           boolean,
    condition                   text check (condition in ('new', 'refurbished', 'used')),
    adult                       boolean,
    multipack                   bigint,
    is_bundle                   boolean,
    age_group                   text,
    color                       text,
    gender                      text,
    material                    text,
    pattern                     text,
    size                        text,
    size_type                   text,
    size_system                 text,
    item_group_id               text,
    unit_pricing_measure        text,
    unit_pricing_base_measure   text,
    energy_efficiency_class     text,
    min_energy_efficiency_class text,
    max_energy_efficiency_class text,
    custom_label_0              text,
    custom_label_1              text,
    custom_label_2              text,
    custom_label_3              text,
    custom_label_4              text,
    promotion_id                text,
    ads_redirect                text,
    excluded_destination        text[],
    included_destination        text[],
    shipping                    jsonb,
    shipping_weight             text,
    shipping_label              text,
    tax                         jsonb,
    tax_category                text,
    product_length              text,
    product_width               text,
    product_height              text,
    product_weight              text,
    product_highlight           text[],
    product_detail              jsonb,
    created_at                  timestamptz,
    updated_at                  timestamptz,
    status                      text not null default 'active'
                                check (status in ('draft', 'active', 'inactive', 'archived')),
    properties                  jsonb not null default '{}' check (jsonb_typeof(properties) = 'object')
);

-- criteria: [{action, message, threshold, filters, period}].
create table loyalty.challenges (
    brand           text collate "C" not null,
    id              text collate "C" not null,
    title           jsonb not null check (jsonb_typeof(title) = 'object'),
    description     jsonb check (jsonb_typeof(description) = 'object'),
    cta_label       jsonb check (jsonb_typeof(cta_label) = 'object'),
    message         jsonb check (jsonb_typeof(message) = 'object'),
    hidden          boolean not null default false,
    status          text not null check (status in ('draft', 'active', 'inactive', 'archived')),
    category        text,
    points          bigint,
    url             text,
    image           jsonb,
    starts_at       timestamptz,
    ends_at         timestamptz,
    created_at      timestamptz not null,
    max_completions bigint,
    tags            text[],
    segments        text[],
    lists           text[],
    resettable      boolean not null default false,
    criteria        jsonb check (jsonb_typeof(criteria) = 'array'),
    account         text collate "C",
    group_id        text[],
    properties      jsonb not null default '{}' check (jsonb_typeof(properties) = 'object')
);

-- What people did in the loyalty platform. changes: {field: {old, new}}. user_id is a number and `user` a name, as the
-- platform wrote them at the time: both outlive the person's account, so neither is a foreign key.
create table loyalty.changes (
    brand       text collate "C" not null,
    _id         text collate "C" not null,
    created_at  timestamptz not null,
    change_type text not null check (change_type in ('created', 'updated', 'deleted')),
    entity_type text not null,
    entity_id   text collate "C" not null,
    user_id     bigint,
    "user"      text,
    changes     jsonb check (jsonb_typeof(changes) = 'object'),
    ip_address  text,
    properties  jsonb not null default '{}' check (jsonb_typeof(properties) = 'object')
);

-- changes: a list, one entry for each submitted change.
create table loyalty.content_approval (
    brand       text collate "C" not null,
    _id         text collate "C" not null,
    created_at  timestamptz not null,
    created_by  text collate "C",
    type        text not null check (type in ('workflow_reward_change', 'event_change')),
    entity_type text not null check (entity_type in ('custom_event', 'workflow', 'reward')),
    entity_id   text collate "C" not null,
    entity_name text,
    changes     jsonb check (jsonb_typeof(changes) = 'array'),
    status      text not null check (status in ('pending', 'approved', 'rejected')),
    decided_at  timestamptz,
    decided_by  text collate "C",
    explanation text,
    properties  jsonb not null default '{}' check (jsonb_typeof(properties) = 'object'),
    check ((status = 'pending') = (decided_at is null))
);

create table loyalty.webhook_logs (
    brand         text collate "C" not null,
    _id           text collate "C" not null,
    created_at    timestamptz not null,
    action        text collate "C" not null,
    customer      text collate "C",
    response_code bigint,
    status        text not null check (status in ('queued', 'resent', 'failed', 'done')),
    trusted_site  text collate "C",
    path          text,
    retries       bigint not null default 0 check (retries >= 0),
    source        text,
    url           text,
    method        text check (method in ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')),
    request_body  text,
    response_body text,
    duration_ms   bigint check (duration_ms >= 0),
    error         text,
    properties    jsonb not null default '{}' check (jsonb_typeof(properties) = 'object')
);
