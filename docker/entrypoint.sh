#!/bin/sh
# Reads the secrets that the init step wrote, so that none of them stands in a compose file or an image.
# What the environment already sets wins: the image also runs without compose.
set -eu
secrets=${SECRETS_DIR:-/run/tributary}

secret() {
  cat "$secrets/$1"
}

if [ -d "$secrets" ]; then
  : "${SECRET_KEY:=$(secret secret_key)}"
  : "${BOOTSTRAP_API_KEY:=$(secret bootstrap_api_key)}"
  : "${ADMIN_API_KEY:=$(secret admin_api_key)}"
  : "${DATABASE_URL:=postgres://tributary:$(secret postgres_password)@postgres:5432/tributary}"
  export SECRET_KEY BOOTSTRAP_API_KEY ADMIN_API_KEY DATABASE_URL
fi

exec "$@"
