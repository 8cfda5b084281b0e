#!/usr/bin/env bash
# Prints alerts that fire and are resolved; needs kcat and jq. usage: [FROM=beginning] alerts.sh [BROKERS [TOPIC]]
set -euo pipefail

brokers=${1:-localhost:9092}
topic=${2:-flowcast.alerts.v1}

# One line an alert comes in: its headers, a tab, its JSON. The headers alone tell what to drop.
print_alerts() {
  grep --line-buffered -E '(^|,)ce_type=io\.flowcast\.alert\.(firing|resolved)(,|[[:space:]])' |
    stdbuf -oL cut -f 2- |
    jq --unbuffered -r 'select((.silenced | not) and .fired_at) | [.made_at, .state, .severity, .summary] | join("  ")'
}

# In place of this shell, so that whoever ends it ends kcat.
exec kcat -C -q -u -b "$brokers" -t "$topic" -o "${FROM:-end}" -X isolation.level=read_committed \
  -f '%h\t%s\n' > >(print_alerts)
