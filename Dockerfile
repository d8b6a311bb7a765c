# One image for web, worker, beat and migrate. Everything is installed from the hashed lock files.
FROM python:3.11-slim AS build
WORKDIR /app
COPY requirements.txt requirements-uv.txt requirements-node.txt ./
COPY scripts/ scripts/
RUN python scripts/install.py --venv .venv requirements.txt
COPY frontend/ frontend/
RUN .venv/bin/python -m scripts.assets
COPY . .
# collectstatic reads the settings but no secret; these values live in this build step only.
RUN DJANGO_SETTINGS_MODULE=config.settings.production SECRET_KEY=build-step \
    FIELD_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= ALLOWED_HOSTS=localhost SITE_URL=http://localhost \
    DATABASE_URL=sqlite:///:memory: EMAIL_URL=smtp://localhost \
    .venv/bin/python manage.py collectstatic --noinput -v 0 \
    && rm -rf var/node frontend/node_modules && .venv/bin/python -m compileall -q -j 0 .venv

FROM python:3.11-slim
# pg_dump and pg_restore of the server's version, for backup and restore.
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install --yes --no-install-recommends postgresql-client-18 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /app portalkeeper \
    && mkdir -p /app/var/evidence /app/var/backups /app/var/uploads && chown -R 10001:10001 /app/var
WORKDIR /app
COPY --from=build /app /app
RUN chown -R 10001:10001 /app/var
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production
USER 10001:10001
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--no-ws", "config.wsgi:application"]
