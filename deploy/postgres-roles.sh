#!/bin/sh
# Runs once, when the database folder is empty. Two roles: the owner migrates; the product reads and writes rows but
# owns no table, so it cannot switch the audit triggers off.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
	--set owner_password="$POSTGRES_OWNER_PASSWORD" --set app_password="$POSTGRES_APP_PASSWORD" <<'SQL'
CREATE ROLE portalkeeper_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE portalkeeper LOGIN PASSWORD :'app_password';
CREATE DATABASE portalkeeper OWNER portalkeeper_owner;
\connect portalkeeper
ALTER SCHEMA public OWNER TO portalkeeper_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO portalkeeper;
ALTER DEFAULT PRIVILEGES FOR ROLE portalkeeper_owner IN SCHEMA public
	GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO portalkeeper;
ALTER DEFAULT PRIVILEGES FOR ROLE portalkeeper_owner IN SCHEMA public
	GRANT USAGE, SELECT ON SEQUENCES TO portalkeeper;
SQL
