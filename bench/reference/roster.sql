-- A roster by hand: rows of a clean file, columns known, land in a temporary table by COPY, then MERGE and plain
-- INSERTs write the very rows that the product writes: people, times, the import with its rows, and the facilities to
-- look at again; the act is imported.sql. PostgreSQL only. Values: organization, at, actor, file, sha256. No validation
-- of any cell.

-- name: table
CREATE TEMPORARY TABLE bench_roster (line integer, employee_number text, last_name text, first_name text, email text,
       phone text, job_title text, ccn text, start_date date) ON COMMIT DROP;

-- copy: bench_roster

-- name: analyze
ANALYZE bench_roster;

-- name: people
MERGE INTO staff_person AS p USING bench_roster AS r
   ON p.organization_id = %(organization)s AND p.employee_number = r.employee_number
 WHEN MATCHED AND (p.first_name, p.last_name, p.email, p.phone) IS DISTINCT FROM
                  (r.first_name, r.last_name, r.email, r.phone) THEN
      UPDATE SET first_name = r.first_name, last_name = r.last_name, email = r.email, phone = r.phone,
                 version = p.version + 1
 WHEN NOT MATCHED THEN
      INSERT (organization_id, first_name, last_name, email, phone, employee_number, affiliation, version, created_at)
      VALUES (%(organization)s, r.first_name, r.last_name, r.email, r.phone, r.employee_number, 'employee', 1, %(at)s);

-- name: analyze-people
ANALYZE staff_person;

-- name: import
INSERT INTO imports_import (organization_id, kind, file_name, sha256, counts, columns, applied_at, applied_by, undone_by)
SELECT %(organization)s, 'staff', %(file)s, %(sha256)s, json_build_object('rows', count(*), 'joiners', count(*)), '{}',
       %(at)s, %(actor)s, ''
  FROM bench_roster;

-- name: times
MERGE INTO staff_employment AS e USING (
      SELECT p.id AS person_id, f.id AS facility_id, r.job_title, r.start_date
        FROM bench_roster r
        JOIN staff_person p ON p.organization_id = %(organization)s AND p.employee_number = r.employee_number
        JOIN facilities_facility f ON f.organization_id = %(organization)s AND f.ccn = r.ccn) AS w
   ON e.person_id = w.person_id AND e.facility_id = w.facility_id AND e.valid_from = w.start_date
      AND e.voided_at IS NULL
 WHEN NOT MATCHED THEN
      INSERT (organization_id, person_id, facility_id, job_title, valid_from, recorded_at, source_id)
      VALUES (%(organization)s, w.person_id, w.facility_id, w.job_title, w.start_date, %(at)s,
              currval(pg_get_serial_sequence('imports_import', 'id')));

-- name: analyze-times
ANALYZE staff_employment;

-- name: recheck
INSERT INTO facilities_recheck (organization_id, facility_id)
SELECT DISTINCT organization_id, facility_id FROM staff_employment
 WHERE source_id = currval(pg_get_serial_sequence('imports_import', 'id'));

-- name: rows
INSERT INTO imports_importrow (organization_id, source_id, line, kind, status, subject_key, summary, reason, cells, change)
SELECT %(organization)s, e.source_id, r.line, 'joiner', 'applied', 'person:' || p.id,
       'added; facility:' || e.facility_id || ' from ' || e.valid_from, '',
       json_build_array(r.employee_number, r.last_name, r.first_name, r.email, r.phone, r.job_title, r.ccn,
                        r.start_date::text)::text,
       json_build_object('person', p.id, 'opened', json_build_array(e.id), 'version', 1)::text
  FROM bench_roster r
  JOIN staff_person p ON p.organization_id = %(organization)s AND p.employee_number = r.employee_number
  JOIN staff_employment e ON e.person_id = p.id
   AND e.source_id = currval(pg_get_serial_sequence('imports_import', 'id'))
 ORDER BY r.line;
