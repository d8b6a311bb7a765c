-- What the nightly sweep comes to, by hand: findings of passed deadlines, then the reminders of the ladder.
-- One file for PostgreSQL and SQLite. Values: on = the day in US Eastern, on_plus_N and on_minus_1 = days from it,
-- at = the instant, newest_finding and newest_reminder = highest keys before the run.
-- Ladders by hand: clocks with a published limit (all of 60 days and more) 20, 10, 5, 2; deletion 30, 14, 7, 1;
-- the default window of our own 30 (90 flagged less 60 mentioned); certification 60, 30, 14, 7, 1; each followed by
-- the day after, -1.

-- name: close
UPDATE accounts_finding SET closed_at = %(at)s
 WHERE closed_at IS NULL AND kind = 'lapse' AND deadline_id IN (
       SELECT d.id FROM accounts_deadline d JOIN accounts_finding f ON f.deadline_id = d.id
        WHERE f.closed_at IS NULL AND f.kind = 'lapse' AND d.zone = 'America/New_York'
          AND (d.due_on >= %(on)s OR d.closed_at IS NOT NULL));

-- name: findings
INSERT INTO accounts_finding
       (organization_id, kind, subject_key, facility_id, person_id, account_id, deadline_id, facts, severity, opened_on)
SELECT d.organization_id, 'lapse', 'deadline:' || d.id, COALESCE(d.facility_id, g.facility_id), d.person_id,
       COALESCE(d.account_id, g.account_id), d.id, '{}',
       CASE WHEN p.consequence IN ('roles_revoked', 'role_removed', 'deleted') THEN 'critical'
            WHEN p.consequence IN ('disabled', 'inactive') AND d.kind = 'inactivity' THEN 'high'
            WHEN p.consequence <> '' THEN 'medium'
            ELSE 'low' END,
       CAST(%(on)s AS date_type)
  FROM accounts_deadline d LEFT JOIN systems_policy p ON p.id = d.policy_id
       LEFT JOIN accounts_rolegrant g ON g.id = d.grant_id
 WHERE d.closed_at IS NULL AND d.zone = 'America/New_York' AND d.due_on < %(on)s
   AND NOT EXISTS (SELECT 1 FROM accounts_finding f
                    WHERE f.closed_at IS NULL AND f.kind = 'lapse' AND f.deadline_id = d.id)
    ON CONFLICT (kind, subject_key) WHERE closed_at IS NULL DO NOTHING;

-- audit: finding.lapse-opened

-- name: reminders
INSERT INTO reminders_reminder (organization_id, deadline_id, cycle, step, recipient_id, state, planned_at)
WITH reached AS MATERIALIZED (
    SELECT d.id, d.organization_id, d.cycle, d.account_id, d.due_on, a.person_id,
           CASE WHEN d.kind = 'deletion' THEN 'deletion' WHEN d.policy_id IS NULL THEN 'house' ELSE 'clock' END
           AS ladder,
           CASE WHEN d.due_on < %(on)s THEN -1
                WHEN d.kind = 'deletion' THEN
                     CASE WHEN d.due_on > %(on_plus_14)s THEN 30 WHEN d.due_on > %(on_plus_7)s THEN 14
                          WHEN d.due_on > %(on_plus_1)s THEN 7 ELSE 1 END
                WHEN d.policy_id IS NULL THEN 30
                WHEN d.due_on > %(on_plus_10)s THEN 20 WHEN d.due_on > %(on_plus_5)s THEN 10
                WHEN d.due_on > %(on_plus_2)s THEN 5 ELSE 2 END AS step,
           EXISTS (SELECT 1 FROM staff_employment e WHERE e.person_id = a.person_id AND e.voided_at IS NULL)
           AND NOT EXISTS (SELECT 1 FROM staff_employment e WHERE e.person_id = a.person_id AND e.voided_at IS NULL
                              AND (e.valid_to IS NULL OR e.valid_to >= %(on)s)) AS has_left
      FROM accounts_deadline d
      JOIN accounts_portalaccount a ON a.id = d.account_id
      JOIN facilities_organization o ON o.id = d.organization_id
     WHERE d.closed_at IS NULL AND d.zone = 'America/New_York' AND d.target_on IS NULL
       AND a.status <> 'removed' AND o.reminders_started_at <= %(at)s AND d.due_on <= %(on_plus_30)s
       AND (d.kind = 'deletion' OR (d.kind = 'inactivity' AND d.policy_id IS NULL)
            OR (d.kind IN ('inactivity', 'password') AND d.due_on <= %(on_plus_20)s))
), heard AS (
    SELECT r.id, r.organization_id, r.cycle, r.step, r.person_id AS recipient_id
      FROM reached r JOIN staff_person p ON p.id = r.person_id
     WHERE p.email <> '' AND NOT r.has_left
     UNION
    SELECT r.id, r.organization_id, r.cycle, r.step, p.id
      FROM reached r -- CROSS JOIN keeps this order on SQLite, which would begin with all people
      CROSS JOIN accounts_rolegrant g
      CROSS JOIN facilities_membership m
      CROSS JOIN users_user u
      CROSS JOIN staff_person p
     WHERE (r.has_left OR (r.ladder = 'clock' AND r.step <= 5) OR (r.ladder = 'deletion' AND r.step <= 7)
            OR r.step = -1)
       AND g.account_id = r.account_id AND g.voided_at IS NULL AND g.valid_from <= %(on)s
       AND (g.valid_to IS NULL OR g.valid_to >= %(on)s)
       AND m.facility_id = g.facility_id AND m.role = 'administrator' AND m.ended_at IS NULL
       AND u.id = m.user_id AND u.is_active
       AND p.user_id = u.id AND p.organization_id = r.organization_id AND p.email <> ''
     UNION
    SELECT r.id, r.organization_id, r.cycle, r.step, p.id
      FROM reached r
      JOIN facilities_membership m ON m.organization_id = r.organization_id AND m.facility_id IS NULL
           AND m.role = 'administrator' AND m.ended_at IS NULL
      JOIN users_user u ON u.id = m.user_id AND u.is_active
      JOIN staff_person p ON p.user_id = u.id AND p.organization_id = r.organization_id AND p.email <> ''
     WHERE (r.ladder = 'clock' AND r.step <= 2) OR (r.ladder = 'deletion' AND r.step <= 1) OR r.step = -1
)
SELECT h.organization_id, h.id, h.cycle, h.step, h.recipient_id, 'planned', CAST(%(at)s AS instant_type)
  FROM heard h
 WHERE NOT EXISTS (SELECT 1 FROM reminders_reminder x WHERE x.deadline_id = h.id AND x.cycle = h.cycle
                      AND x.step = h.step AND x.recipient_id = h.recipient_id)
    ON CONFLICT (deadline_id, cycle, step, recipient_id) WHERE deadline_id IS NOT NULL DO NOTHING;

-- name: skipped
INSERT INTO reminders_reminder (organization_id, deadline_id, cycle, step, recipient_id, state, planned_at)
WITH steps AS (
    SELECT 'clock' AS ladder, 20 AS step UNION ALL SELECT 'clock', 10 UNION ALL SELECT 'clock', 5
    UNION ALL SELECT 'clock', 2 UNION ALL SELECT 'deletion', 30 UNION ALL SELECT 'deletion', 14
    UNION ALL SELECT 'deletion', 7 UNION ALL SELECT 'deletion', 1 UNION ALL SELECT 'house', 30
), fresh AS (
    SELECT r.organization_id, r.deadline_id, r.cycle, r.step, r.recipient_id,
           CASE WHEN d.kind = 'deletion' THEN 'deletion' WHEN d.policy_id IS NULL THEN 'house' ELSE 'clock' END
           AS ladder,
           CASE WHEN a.person_id = r.recipient_id THEN 30
                WHEN EXISTS (SELECT 1 FROM facilities_membership m JOIN staff_person p ON p.user_id = m.user_id
                              WHERE p.id = r.recipient_id AND m.organization_id = r.organization_id
                                AND m.facility_id IS NULL AND m.role = 'administrator' AND m.ended_at IS NULL)
                THEN CASE WHEN d.kind = 'deletion' THEN 1 WHEN d.policy_id IS NULL THEN -1 ELSE 2 END
                WHEN d.kind = 'deletion' THEN 7 WHEN d.policy_id IS NULL THEN -1 ELSE 5 END AS joins
      FROM reminders_reminder r
      JOIN accounts_deadline d ON d.id = r.deadline_id
      JOIN accounts_portalaccount a ON a.id = d.account_id
     WHERE r.id > %(newest_reminder)s AND r.state = 'planned'
)
SELECT f.organization_id, f.deadline_id, f.cycle, s.step, f.recipient_id, 'skipped', CAST(%(at)s AS instant_type)
  FROM fresh f JOIN steps s ON s.ladder = f.ladder AND s.step > f.step AND s.step <= f.joins
 WHERE true
    ON CONFLICT (deadline_id, cycle, step, recipient_id) WHERE deadline_id IS NOT NULL DO NOTHING;

-- name: certifications
-- The approver on record hears from the first step, the facility's administrators at 14 and the organization's at 1;
-- where one of them is missing the next stands in from the first step. The holder hears afterwards.
INSERT INTO reminders_reminder (organization_id, deadline_id, cycle, step, recipient_id, state, planned_at)
WITH reached AS MATERIALIZED (
    SELECT d.id, d.organization_id, d.cycle, g.facility_id, a.person_id, a.system_id,
           CASE WHEN d.due_on < %(on)s THEN -1 WHEN d.due_on <= %(on_plus_1)s THEN 1
                WHEN d.due_on <= %(on_plus_7)s THEN 7 WHEN d.due_on <= %(on_plus_14)s THEN 14
                WHEN d.due_on <= %(on_plus_30)s THEN 30 ELSE 60 END AS step
      FROM accounts_deadline d
      JOIN accounts_rolegrant g ON g.id = d.grant_id
      JOIN accounts_portalaccount a ON a.id = g.account_id
      JOIN facilities_organization o ON o.id = d.organization_id
     WHERE d.kind = 'certification' AND d.closed_at IS NULL AND d.zone = 'America/New_York'
       AND a.status <> 'removed' AND o.reminders_started_at <= %(at)s AND d.due_on <= %(on_plus_60)s
), approvers AS MATERIALIZED (
    SELECT DISTINCT r.id AS id, p.id AS person_id
      FROM reached r
      CROSS JOIN accounts_rolegrant g CROSS JOIN systems_systemrole w
      CROSS JOIN accounts_portalaccount a CROSS JOIN staff_person p
     WHERE g.facility_id = r.facility_id AND g.voided_at IS NULL AND g.valid_from <= %(on)s
       AND (g.valid_to IS NULL OR g.valid_to >= %(on)s)
       AND w.id = g.role_id AND w.slug IN ('security-official', 'approver')
       AND a.id = g.account_id AND a.system_id = r.system_id AND a.status = 'active'
       AND p.id = a.person_id AND p.email <> '' AND p.id <> r.person_id
       AND (NOT EXISTS (SELECT 1 FROM staff_employment e WHERE e.person_id = p.id AND e.voided_at IS NULL)
            OR EXISTS (SELECT 1 FROM staff_employment e WHERE e.person_id = p.id AND e.voided_at IS NULL
                          AND (e.valid_to IS NULL OR e.valid_to >= %(on)s)))
), administrators AS MATERIALIZED (
    SELECT m.organization_id, m.facility_id, p.id AS person_id
      FROM facilities_membership m JOIN users_user u ON u.id = m.user_id AND u.is_active
      JOIN staff_person p ON p.user_id = u.id AND p.organization_id = m.organization_id AND p.email <> ''
     WHERE m.role = 'administrator' AND m.ended_at IS NULL
), heard AS (
    SELECT r.id, r.organization_id, r.cycle, r.step, r.person_id AS recipient_id
      FROM reached r JOIN staff_person p ON p.id = r.person_id AND p.email <> ''
     WHERE r.step = -1
       AND (NOT EXISTS (SELECT 1 FROM staff_employment e WHERE e.person_id = p.id AND e.voided_at IS NULL)
            OR EXISTS (SELECT 1 FROM staff_employment e WHERE e.person_id = p.id AND e.voided_at IS NULL
                          AND (e.valid_to IS NULL OR e.valid_to >= %(on)s)))
     UNION
    SELECT r.id, r.organization_id, r.cycle, r.step, m.person_id
      FROM reached r JOIN administrators m ON m.facility_id = r.facility_id
     WHERE r.step <= 14 OR NOT EXISTS (SELECT 1 FROM approvers v WHERE v.id = r.id)
     UNION
    SELECT r.id, r.organization_id, r.cycle, r.step, v.person_id FROM reached r JOIN approvers v ON v.id = r.id
     UNION
    SELECT r.id, r.organization_id, r.cycle, r.step, m.person_id
      FROM reached r JOIN administrators m ON m.organization_id = r.organization_id AND m.facility_id IS NULL
     WHERE r.step <= 1 OR (NOT EXISTS (SELECT 1 FROM administrators v WHERE v.facility_id = r.facility_id)
                           AND NOT EXISTS (SELECT 1 FROM approvers v WHERE v.id = r.id))
)
SELECT h.organization_id, h.id, h.cycle, h.step, h.recipient_id, 'planned', CAST(%(at)s AS instant_type)
  FROM heard h
 WHERE NOT EXISTS (SELECT 1 FROM reminders_reminder x WHERE x.deadline_id = h.id AND x.cycle = h.cycle
                      AND x.step = h.step AND x.recipient_id = h.recipient_id)
    ON CONFLICT (deadline_id, cycle, step, recipient_id) WHERE deadline_id IS NOT NULL DO NOTHING;

-- name: certifications_skipped
INSERT INTO reminders_reminder (organization_id, deadline_id, cycle, step, recipient_id, state, planned_at)
WITH steps AS (
    SELECT 60 AS step UNION ALL SELECT 30 UNION ALL SELECT 14 UNION ALL SELECT 7 UNION ALL SELECT 1
), planned AS MATERIALIZED (
    SELECT r.id, r.organization_id, r.deadline_id, r.cycle, r.step, r.recipient_id, g.facility_id, a.system_id,
           a.person_id
      FROM reminders_reminder r
      JOIN accounts_deadline d ON d.id = r.deadline_id
      JOIN accounts_rolegrant g ON g.id = d.grant_id
      JOIN accounts_portalaccount a ON a.id = g.account_id
     WHERE r.id > %(newest_reminder)s AND r.state = 'planned'
), approvers AS MATERIALIZED (
    SELECT DISTINCT r.deadline_id AS id, p.id AS person_id
      FROM planned r
      CROSS JOIN accounts_rolegrant g CROSS JOIN systems_systemrole w
      CROSS JOIN accounts_portalaccount a CROSS JOIN staff_person p
     WHERE g.facility_id = r.facility_id AND g.voided_at IS NULL AND g.valid_from <= %(on)s
       AND (g.valid_to IS NULL OR g.valid_to >= %(on)s)
       AND w.id = g.role_id AND w.slug IN ('security-official', 'approver')
       AND a.id = g.account_id AND a.system_id = r.system_id AND a.status = 'active'
       AND p.id = a.person_id AND p.email <> '' AND p.id <> r.person_id
       AND (NOT EXISTS (SELECT 1 FROM staff_employment e WHERE e.person_id = p.id AND e.voided_at IS NULL)
            OR EXISTS (SELECT 1 FROM staff_employment e WHERE e.person_id = p.id AND e.voided_at IS NULL
                          AND (e.valid_to IS NULL OR e.valid_to >= %(on)s)))
), administrators AS MATERIALIZED (
    SELECT m.organization_id, m.facility_id, p.id AS person_id
      FROM facilities_membership m JOIN users_user u ON u.id = m.user_id AND u.is_active
      JOIN staff_person p ON p.user_id = u.id AND p.organization_id = m.organization_id AND p.email <> ''
     WHERE m.role = 'administrator' AND m.ended_at IS NULL
), fresh AS (
    SELECT r.*,
           CASE WHEN EXISTS (SELECT 1 FROM approvers v WHERE v.id = r.deadline_id AND v.person_id = r.recipient_id)
                THEN 60
                WHEN EXISTS (SELECT 1 FROM administrators m
                              WHERE m.facility_id = r.facility_id AND m.person_id = r.recipient_id)
                THEN CASE WHEN EXISTS (SELECT 1 FROM approvers v WHERE v.id = r.deadline_id) THEN 14 ELSE 60 END
                WHEN EXISTS (SELECT 1 FROM administrators m WHERE m.organization_id = r.organization_id
                                AND m.facility_id IS NULL AND m.person_id = r.recipient_id)
                THEN CASE WHEN EXISTS (SELECT 1 FROM approvers v WHERE v.id = r.deadline_id)
                            OR EXISTS (SELECT 1 FROM administrators m WHERE m.facility_id = r.facility_id)
                          THEN 1 ELSE 60 END
                ELSE -1 END AS joins
      FROM planned r
)
SELECT f.organization_id, f.deadline_id, f.cycle, s.step, f.recipient_id, 'skipped', CAST(%(at)s AS instant_type)
  FROM fresh f JOIN steps s ON s.step > f.step AND s.step <= f.joins
 WHERE true
    ON CONFLICT (deadline_id, cycle, step, recipient_id) WHERE deadline_id IS NOT NULL DO NOTHING;

-- audit: reminders.planned
