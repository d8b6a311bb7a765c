-- A day's logins by hand: rows of a clean list land in a temporary table by COPY, then INSERTs and UPDATEs write the very
-- rows that the product writes: one login per account and what counts at HARP, last login and last safe day on both, both
-- deadlines, the import with its rows, and the facilities to look at again; the act is imported.sql. PostgreSQL only.
-- Values: organization, at, actor, file, sha256. Limits by hand: iQIES 60 days, HARP 90. No validation of any cell.

-- name: table
CREATE TEMPORARY TABLE bench_feed (line integer, employee_number text, system text, ccn text, happened_on date)
    ON COMMIT DROP;

-- copy: bench_feed

-- name: analyze
ANALYZE bench_feed;

-- name: import
INSERT INTO imports_import (organization_id, kind, file_name, sha256, counts, columns, applied_at, applied_by, undone_by)
SELECT %(organization)s, 'accounts', %(file)s, %(sha256)s, json_build_object('rows', count(*), 'updated', count(*)),
       '{}', %(at)s, %(actor)s, ''
  FROM bench_feed;

-- name: found
CREATE TEMPORARY TABLE bench_found ON COMMIT DROP AS
SELECT r.line, r.happened_on, a.id AS account, a.identity_id AS authority, a.version,
       json_build_array(r.employee_number, r.system, r.ccn, r.happened_on::text)::text AS cells,
       nextval(pg_get_serial_sequence('accounts_loginevent', 'id')) AS event
  FROM bench_feed r
  JOIN staff_person p ON p.organization_id = %(organization)s AND p.employee_number = r.employee_number
  JOIN systems_system s ON s.slug = lower(r.system)
  JOIN accounts_portalaccount a ON a.person_id = p.id AND a.system_id = s.id AND a.status <> 'removed';

-- name: analyze-found
ANALYZE bench_found;

-- name: logins
INSERT INTO accounts_loginevent (id, organization_id, account_id, happened_on, grade, source, recorded_by, recorded_at)
SELECT event, %(organization)s, account, happened_on, 'D', 'file', %(actor)s || ', ' || %(file)s, %(at)s
  FROM bench_found ORDER BY account;

-- name: logins-above
INSERT INTO accounts_loginevent (organization_id, account_id, happened_on, grade, source, recorded_by, recorded_at, via_id)
SELECT %(organization)s, authority, happened_on, 'D', 'authority', %(actor)s || ', ' || %(file)s, %(at)s, event
  FROM bench_found ORDER BY authority;

-- name: accounts
UPDATE accounts_portalaccount AS a
   SET last_login_on = f.happened_on, counts_from_on = f.happened_on, lapses_on = f.happened_on + f.days
  FROM (SELECT account, happened_on, 60 AS days FROM bench_found
         UNION ALL SELECT authority, happened_on, 90 FROM bench_found) AS f
 WHERE a.id = f.account AND (a.last_login_on IS NULL OR a.last_login_on < f.happened_on);

-- name: deadlines
UPDATE accounts_deadline AS d
   SET basis_on = f.happened_on, due_on = f.happened_on + f.days, cycle = d.cycle + 1
  FROM (SELECT account, happened_on, 60 AS days FROM bench_found
         UNION ALL SELECT authority, happened_on, 90 FROM bench_found) AS f
 WHERE d.account_id = f.account AND d.kind = 'inactivity' AND d.basis_on < f.happened_on;

-- name: recheck
INSERT INTO facilities_recheck (organization_id, facility_id)
SELECT DISTINCT g.organization_id, g.facility_id FROM bench_found f JOIN accounts_rolegrant g ON g.account_id = f.account;

-- name: rows
INSERT INTO imports_importrow (organization_id, source_id, line, kind, status, subject_key, summary, reason, cells, change)
SELECT %(organization)s, currval(pg_get_serial_sequence('imports_import', 'id')), line, 'updated', 'applied',
       'account:' || account, 'signed in on ' || happened_on, '', cells,
       json_build_object('account', account, 'version', version, 'login', event)::text
  FROM bench_found ORDER BY line;
