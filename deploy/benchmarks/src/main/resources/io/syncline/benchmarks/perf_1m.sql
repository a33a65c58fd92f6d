SET timezone = 'UTC';
CREATE TABLE perf_1m (
  id bigint PRIMARY KEY, ext_uuid text NOT NULL, email text NOT NULL, name text NOT NULL, age int NOT NULL,
  balance numeric(12,2) NOT NULL, active boolean NOT NULL, meta jsonb NOT NULL, created_at timestamptz NOT NULL);
INSERT INTO perf_1m
SELECT g, md5(g::text)::uuid::text, 'user' || g || '@example.com', 'First' || (g % 1000) || ' Last' || (g % 7919),
       18 + (g % 70)::int, (((g::bigint * 7919) % 1000000000)::numeric / 100)::numeric(12,2), g % 3 <> 0,
       jsonb_build_object('k', g % 100, 'tag', 't' || (g % 10)),
       timestamptz '2024-01-01 00:00:00.123456+00' + g * interval '37 seconds'
FROM generate_series(1, 1000000) g;
