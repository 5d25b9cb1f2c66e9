#!/bin/sh
# Writes each secret once; what is there already stays, so a second `up` keeps the keys of the first.
# One folder for the gateway, one with nothing but the password for Postgres.
set -eu
gateway=${SECRETS_DIR:-/run/tributary}
postgres=${POSTGRES_SECRETS_DIR:-/run/postgres-secret}
umask 077

make() {
  if [ ! -s "$gateway/$1" ]; then
    node -e 'process.stdout.write(require("node:crypto").randomBytes(32).toString("hex"))' > "$gateway/$1.new"
    mv "$gateway/$1.new" "$gateway/$1"
  fi
}

for name in postgres_password secret_key bootstrap_api_key admin_api_key; do
  make "$name"
done
cp "$gateway/postgres_password" "$postgres/password"

# The gateway runs as the image's user `node`, this step as root.
if [ "$(id -u)" = 0 ] && id node >/dev/null 2>&1; then
  chown -R node:node "$gateway"
fi
