-- 100,000 exports of the brand in `who`, of all its people in turn; the newest ten are repeated and have 10,000 runs each.
-- 60 beginnings of names, a day in each, and a word that 20 of them have. Runs: two thirds Success, the others failed or
-- cancelled. And 200,000 entries of the audit log.

INSERT INTO exports (id, brand_id, name, model, target, schedule, schedule_words, active, version, owner_id,
                     created_by_id, created_at, create_token)
SELECT gen_random_uuid(), who.brand,
       (ARRAY['Coupon use', 'Redeemed coupons', 'Points earned', 'Black Friday audience', 'Store list',
              'Reward catalogue', 'Webhook failures', 'Customers without email', 'Lapsed members',
              'Tier changes'])[1 + mod(n, 10)]
       || ' ' || (ARRAY['by household', 'for finance', 'per store', 'Europe', 'weekly',
                        'of the app team'])[1 + mod(n / 7, 6)]
       || ' ' || to_char(timestamp '2020-01-01' + n * interval '31 minutes', 'YYYY-MM-DD')
       || CASE WHEN mod(n, 5000) = 77 THEN ' Zanzibar' ELSE '' END,
       'stores', 'none', CASE WHEN n <= 10 THEN 'repeated' ELSE 'now' END,
       CASE WHEN n <= 10 THEN 'Daily 02:00 UTC' ELSE '' END, CASE WHEN n <= 10 THEN true END, 1, owner.id, owner.id,
       now() - n * interval '31 minutes', gen_random_uuid()
  FROM who, generate_series(1, 100000) n,
       (SELECT id, row_number() OVER (ORDER BY created_at) - 1 AS place, count(*) OVER () AS people
          FROM users WHERE brand_id = (SELECT brand FROM who)) owner
 WHERE owner.place = mod(n, owner.people);

INSERT INTO export_names (id, brand_id, export_id, name)
SELECT gen_random_uuid(), brand_id, exports.id, name || '.csv' FROM exports JOIN who ON brand = brand_id;

INSERT INTO export_versions (id, brand_id, export_id, number, definition, author_id, created_at)
SELECT gen_random_uuid(), brand_id, exports.id, 1,
       jsonb_build_object('name', name, 'model', 'stores', 'timezone', 'UTC',
                          'filters', '[[{"attribute": "id", "operator": "is_not_empty"}]]'::jsonb,
                          'fields', '[{"from": "id", "to": "Store"}, {"from": "name"}]'::jsonb),
       owner_id, created_at
  FROM exports JOIN who ON brand = brand_id;

INSERT INTO runs (id, brand_id, export_id, version, kind, state, scheduled_for, base_moment, created_at, not_before,
                  attempt, deaths, failures, started_at, finished_at, rows, bytes, published_attempt, archive_bytes, sha256,
                  error_code, error_message, error_advice)
SELECT gen_random_uuid(), brand_id, export_id, 1, kind, state, at, at, at, at, 1, 0, 0, at, at + interval '2 s',
       mod(n, 90000), mod(n, 90000) * 80, CASE WHEN state = 'success' THEN 1 END, mod(n, 90000) * 9,
       CASE WHEN state = 'success' THEN repeat('0', 64) END,
       CASE WHEN state = 'failed' THEN 'source.field_missing' END,
       CASE WHEN state = 'failed' THEN 'A field of this export no longer exists in the database: name.' END,
       CASE WHEN state = 'failed' THEN 'Edit the export.' END
  FROM (SELECT brand_id, id AS export_id, 'manual' AS kind, created_at AS at, row_number() OVER (ORDER BY created_at) AS n
          FROM exports JOIN who ON brand = brand_id WHERE schedule = 'now'
        UNION ALL
        SELECT brand_id, id, 'schedule', date_trunc('hour', now()) - n * interval '1 hour', n
          FROM exports JOIN who ON brand = brand_id, generate_series(1, 10000) n WHERE schedule = 'repeated') wanted,
       LATERAL (SELECT (ARRAY['success', 'success', 'success', 'failed', 'success', 'cancelled'])[1 + mod(n, 6)::int]
                    AS state) told;

UPDATE exports SET latest_run_id = newest.id
  FROM (SELECT DISTINCT ON (export_id) export_id, runs.id FROM runs JOIN who ON brand = brand_id
         ORDER BY export_id, created_at DESC) newest
 WHERE newest.export_id = exports.id;

INSERT INTO audit (id, brand_id, at, actor_id, actor, ip, action, object_type, object_id, result, facts)
SELECT gen_random_uuid(), brand, now() - (200000 - n) * interval '5 minutes', person, email, '127.0.0.1',
       (ARRAY['export.created', 'run.requested', 'file.downloaded', 'login.ok'])[1 + mod(n, 4)], 'export',
       gen_random_uuid()::text, 'ok', '{"name": "Coupon use"}'
  FROM who, generate_series(1, 200000) n;
