-- What a shorter limit of iQIES comes to, by hand: every running clock gets its new last safe day, the account its copy.
-- One file for PostgreSQL and SQLite; the runner spells days_after(day, n) as the engine has it.
-- Values: system, old_policy (60 days since 2024-05-20), new_policy (45 days from a day E), day_before = E - 1,
-- revision of the new one. Numbers by hand: 60, 45, the day before the old rule's start.
-- Who was over before E keeps the day; who is idle for longer than the new limit on E is over on E itself.

-- name: deadlines
UPDATE accounts_deadline AS d
   SET due_on = n.due_on, policy_id = n.policy_id, revision = %(revision)s,
       cycle = d.cycle + CASE WHEN n.due_on <> d.due_on THEN 1 ELSE 0 END
  FROM (
    SELECT x.id,
           CASE WHEN days_after(x.basis_on, 60) < CAST(%(day_before)s AS date_type)
                THEN CASE WHEN days_after(x.basis_on, 60) < CAST('2024-05-19' AS date_type)
                          THEN CAST('2024-05-19' AS date_type) ELSE days_after(x.basis_on, 60) END
                WHEN days_after(x.basis_on, 45) < CAST(%(day_before)s AS date_type)
                THEN CAST(%(day_before)s AS date_type)
                ELSE days_after(x.basis_on, 45) END AS due_on,
           CASE WHEN days_after(x.basis_on, 60) < CAST(%(day_before)s AS date_type)
                THEN %(old_policy)s ELSE %(new_policy)s END AS policy_id
      FROM accounts_deadline x
      JOIN accounts_portalaccount a ON a.id = x.account_id
     WHERE a.system_id = %(system)s AND x.kind = 'inactivity' AND x.closed_at IS NULL
  ) n
 WHERE d.id = n.id;

-- name: lapses
UPDATE accounts_portalaccount AS a SET lapses_on = d.due_on
  FROM accounts_deadline d
 WHERE d.account_id = a.id AND d.kind = 'inactivity' AND d.closed_at IS NULL AND a.system_id = %(system)s
   AND a.lapses_on <> d.due_on;

-- audit: deadline.recomputed
