#!/usr/bin/env bash
# Proposes the locks that `make lock` wrote as a pull request, or renews the one that is open. Nothing changed: no pull request.
#
#   propose.sh PATCH    PATCH: as `git diff` wrote it
#   GH_REPO, GH_TOKEN   as gh reads them
set -euo pipefail
[ $# = 1 ] || { echo "propose: give the patch" >&2; exit 2; }
[ -s "$1" ] || { echo "propose: every lock is up to date" >&2; exit; }
patch=$(realpath "$1")
cd "$(dirname "$0")/../.."

branch=dependencies/locks
git config user.name 'github-actions[bot]'
git config user.email '41898282+github-actions[bot]@users.noreply.github.com'
git checkout -B "$branch"
git apply --index "$patch"
git commit --quiet --message "Dependencies: this month's versions"
gh auth setup-git
git push --force origin "$branch"
[ -n "$(gh pr list --head "$branch" --json number --jq '.[].number')" ] ||
  gh pr create --head "$branch" --title "Dependencies: this month's versions" \
    --body "\`make lock\`, with versions that were published at least a week ago. Close and reopen this pull request: GitHub starts no checks for pull requests of its own token."
