-- One event per organization with count and digest of the keys, chained and hashed exactly as verify_audit reads it.
-- The runner puts three things of the dialect in: {rows} = the rows told of, {digest} = SHA-256 over their keys in
-- order of bytes, {next_id} = the key of the next event, {hash} = SHA-256 of a text.

-- name: lock
SELECT chain FROM audit_chainhead WHERE chain LIKE 'organization:%%' ORDER BY chain {for_update};

-- name: events
INSERT INTO audit_auditevent (id, chain, seq, actor_key, actor_label, action, subject_key, subject_label, reason,
       request_id, at, item_count, items_digest, items_kept, prev_hash, hash)
WITH told AS ({rows}), tallies AS (
    SELECT chain, count(*) AS item_count, {digest} AS items_digest FROM told GROUP BY chain
), numbered AS (
    SELECT {next_id} AS id, t.chain, h.seq + 1 AS seq, t.item_count, t.items_digest, h.hash AS prev_hash
      FROM tallies t JOIN audit_chainhead h ON h.chain = t.chain
)
SELECT id, chain, seq, %(actor_key)s, %(actor_label)s, %(action)s, %(subject_key)s, %(subject_label)s, '',
       %(request_id)s, CAST(%(at)s AS instant_type), item_count, items_digest, CAST(0 AS boolean_type), prev_hash,
       {hash}('{{"action":"' || %(action)s || '","actor_key":"' || %(actor_key)s || '","actor_label":"'
       || %(actor_label)s || '","at":"' || %(at_text)s || '","chain":"' || chain || '","id":' || id
       || ',"item_count":' || item_count || ',"items_digest":"' || items_digest
       || '","items_kept":false,"prev_hash":"' || prev_hash || '","reason":"","request_id":"' || %(request_id)s
       || '","seq":' || seq || ',"subject_key":"' || %(subject_key)s || '","subject_label":"' || %(subject_label)s
       || '"}}')
  FROM numbered;

-- name: heads
UPDATE audit_chainhead SET seq = e.seq, hash = e.hash
  FROM audit_auditevent e WHERE e.chain = audit_chainhead.chain AND e.seq = audit_chainhead.seq + 1;
