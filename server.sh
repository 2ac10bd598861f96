#!/usr/bin/env bash
# Starts an MLflow server for a team, with PostgreSQL and an artifact store; runs until stopped (Ctrl-C).
#   FOLDER=server HOST=127.0.0.1 PORT=5000 WORKERS=2 ./server.sh [further options of `mlflow server`]
# FOLDER contains database, artifacts and logs. The database listens only on a Unix socket, not on the network.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(realpath -m "${FOLDER:-server}") host=${HOST:-127.0.0.1} port=${PORT:-5000}
python=${PYTHON:-.venv/bin/python}

bin=$(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | sort -V | tail -n 1 || true)
PATH=${bin:+$bin:}$PATH
command -v initdb > /dev/null || { echo "PostgreSQL is not installed; run: apt-get install postgresql" >&2; exit 2; }
"$python" -c 'import psycopg2' 2> /dev/null \
  || { echo "psycopg2 is not installed; run: make server, or: pip install -e '.[server]' -c constraints.txt" >&2; exit 2; }

mkdir -p "$folder/artifacts"
as_owner=()
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
  as_owner=(runuser -u postgres --)
  mkdir -p "$folder/database"
  chown postgres "$folder/database"
  chmod 711 "$folder"
  "${as_owner[@]}" test -w "$folder/database" \
    || { echo "FOLDER=$folder: PostgreSQL runs as user postgres, who has no access to it; choose another folder" >&2; exit 2; }
fi
exec 9> "$folder/lock"
flock --nonblock 9 || { echo "a server is already running in $folder" >&2; exit 2; }
socket=$(mktemp -d) # accessible only to its owner; the path of a socket must be short
[ "$(id -u)" != 0 ] || chown postgres "$socket"
data=$folder/database/data
control() { (cd /; "${as_owner[@]}" "$(command -v pg_ctl)" --pgdata="$data" --silent "$@") 9>&-; } # does not inherit the lock
if [ ! -e "$data/PG_VERSION" ]; then
  (cd /; "${as_owner[@]}" "$(command -v initdb)" --pgdata="$data" --username=mlflow --auth=trust --encoding=UTF8 > /dev/null)
fi

stop() {
  [ -z "${server:-}" ] || kill "$server" 2> /dev/null || true
  [ -z "${server:-}" ] || wait "$server" 2> /dev/null || true
  control stop --mode=fast || true
  rm -rf "$socket"
}
trap stop EXIT
trap 'exit 0' INT TERM
control status > /dev/null 2>&1 && control stop --mode=fast # left by a server that was killed
control --options="-c listen_addresses='' -c unix_socket_directories=$socket -c unix_socket_permissions=0700" \
  --log="$folder/database/log" --wait start
uri="postgresql+psycopg2://mlflow@/postgres?host=$socket"
echo "MLflow runs on http://$host:$port with its data in $folder; to track there, use: tracking=server tracking.uri=http://$host:$port"
MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false "$python" -m mlflow server \
  --backend-store-uri "$uri" --artifacts-destination "$folder/artifacts" --serve-artifacts \
  --host "$host" --port "$port" --workers "${WORKERS:-2}" "$@" &
server=$!
wait "$server"
