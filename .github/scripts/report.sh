#!/usr/bin/env bash
# Reports the nightly runs: into the job's summary, and into one issue for each run that fails. The issue is closed when its run passes again.
#
#   report.sh FOLDER    FOLDER/<run>/outcome: success or another word; FOLDER/<run>/log: its output
#   RUN_URL             where the whole run is; GH_REPO, GH_TOKEN: as gh reads them
set -euo pipefail
[ $# = 1 ] || { echo "report: give the folder with the runs" >&2; exit 2; }
: "${RUN_URL:?}"

found=0
for run in "$1"/*/; do
  [ -e "$run/outcome" ] || continue
  found=1
  name=$(basename "$run") outcome=$(cat "$run/outcome")
  title="nightly: $name fails"
  text=$(mktemp)
  {
    echo "\`$name\` ended with $outcome on $(date -u +%F): $RUN_URL"
    printf '\n```\n'
    # pytest and the chaos run both end with a summary. A comment has room for 65,536 characters.
    tail -n 60 "$run/log" | tail -c 20000
    printf '```\n'
  } >"$text"
  cat "$text" >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}"
  number=$(gh issue list --state open --search "in:title \"$title\"" --json number,title --jq "[.[] | select(.title == \"$title\")][0].number // empty")
  if [ "$outcome" = success ]; then
    [ -z "$number" ] || gh issue close "$number" --comment "\`$name\` passes again: $RUN_URL"
  elif [ -n "$number" ]; then
    gh issue comment "$number" --body-file "$text"
  else
    gh issue create --title "$title" --body-file "$text"
  fi
done
[ "$found" = 1 ] || { echo "report: no run left an outcome in $1: see $RUN_URL" >&2; exit 1; }
