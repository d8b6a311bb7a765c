-- The act of an import by hand: one event with an item for each of its rows, at the end of the organization's chain.
-- PostgreSQL only, in the transaction that made the import. Values: organization, at, at_text, request_id, file, action,
-- actor_key, actor.

-- name: event
SELECT nextval(pg_get_serial_sequence('audit_auditevent', 'id'));

-- name: lock
SELECT seq FROM audit_chainhead WHERE chain = 'organization:' || %(organization)s FOR UPDATE;

-- name: items
INSERT INTO audit_audititem (id, event_id, ordinal, subject_key, payload, item_hash)
SELECT event_id * 16777216 + ordinal, event_id, ordinal, subject_key, payload, bench_sha256(payload)
  FROM (
    SELECT currval(pg_get_serial_sequence('audit_auditevent', 'id')) AS event_id,
           row_number() OVER (ORDER BY id) - 1 AS ordinal, subject_key,
           json_build_object('subject', subject_key, 'kind', kind, 'line', line, 'change', summary)::text AS payload
      FROM imports_importrow WHERE source_id = currval(pg_get_serial_sequence('imports_import', 'id'))
  ) AS numbered;

-- name: events
INSERT INTO audit_auditevent (id, chain, seq, actor_key, actor_label, action, subject_key, subject_label, reason,
       request_id, at, item_count, items_digest, items_kept, prev_hash, hash)
WITH act AS (
    SELECT currval(pg_get_serial_sequence('audit_auditevent', 'id')) AS id, h.chain, h.seq + 1 AS seq,
           h.hash AS prev_hash, 'import:' || currval(pg_get_serial_sequence('imports_import', 'id')) AS subject_key,
           t.item_count, t.items_digest
      FROM audit_chainhead h, (
           SELECT count(*) AS item_count, bench_sha256(string_agg(item_hash, '' ORDER BY id)) AS items_digest
             FROM audit_audititem WHERE event_id = currval(pg_get_serial_sequence('audit_auditevent', 'id'))) AS t
     WHERE h.chain = 'organization:' || %(organization)s
)
SELECT id, chain, seq, %(actor_key)s, %(actor)s, %(action)s, subject_key, %(file)s, '',
       %(request_id)s, %(at)s, item_count, items_digest, true, prev_hash,
       bench_sha256('{"action":"' || %(action)s || '","actor_key":"' || %(actor_key)s || '","actor_label":"' || %(actor)s
       || '","at":"' || %(at_text)s || '","chain":"' || chain || '","id":' || id || ',"item_count":' || item_count
       || ',"items_digest":"' || items_digest || '","items_kept":true,"prev_hash":"' || prev_hash
       || '","reason":"","request_id":"' || %(request_id)s || '","seq":' || seq || ',"subject_key":"' || subject_key
       || '","subject_label":"' || %(file)s || '"}')
  FROM act;

-- name: heads
UPDATE audit_chainhead SET seq = e.seq, hash = e.hash
  FROM audit_auditevent e WHERE e.chain = audit_chainhead.chain AND e.seq = audit_chainhead.seq + 1;
