# shellcheck shell=bash
# What every lint shares: it runs at the top of the tree, says FILE:LINE: what is wrong, and ends
# with 1 when it said anything. Sourced; it changes the directory and nothing else.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

LINT=${0##*/}
FOUND=0

# wrong TEXT... - one finding.
wrong() {
  printf '%s\n' "$*"
  FOUND=$((FOUND + 1))
}

# wrong_lines - the findings of an awk or grep, one a line on stdin.
wrong_lines() {
  local line
  while IFS= read -r line; do wrong "$line"; done
}

# skip TEXT... - this cannot be looked at here; meson counts 77 as a skipped test.
skip() {
  printf '%s: skipped: %s\n' "$LINT" "$*"
  exit 77
}

# finish TEXT... - what was looked at; ends with 1 when something was found.
finish() {
  if [ "$FOUND" -gt 0 ]; then
    printf '%s: %d wrong\n' "$LINT" "$FOUND"
    exit 1
  fi
  printf '%s: %s\n' "$LINT" "$*"
}

# tree [FIND TEST...] - the project's own files, without what was built and without git's.
tree() {
  find . \( -name .git -o -name 'build*' -type d -o -name __pycache__ \) -prune -o -type f "$@" \
    -print | sed 's|^\./||' | LC_ALL=C sort
}

# shell_scripts - every file that a shell reads.
shell_scripts() {
  local file first
  while IFS= read -r file; do
    case $file in
      *.sh | *.bash | *.bats) printf '%s\n' "$file" ;;
      *.*) ;;
      *)
        IFS= read -r first <"$file" || continue
        case $first in '#!'*bash* | '#!'*/sh*) printf '%s\n' "$file" ;; esac
        ;;
    esac
  done < <(tree)
}
