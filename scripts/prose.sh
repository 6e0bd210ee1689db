#!/usr/bin/env bash
# Fails on turns of phrase that a reader has to read twice, in comments, messages, pages and documents. Each line below is a
# Perl regular expression and what to write instead; matching ignores case.
set -euo pipefail
cd "$(dirname "$0")/.."

phrases=(
  '\bholds (for|if|while|where|when|unless|as long)\b|reports whether'
  '\b(is|are|was|be|been|being|has|have|had) told\b|\btold (of|here|by|to|that|the|about|in|as|once|this)\b|\btells? (of|apart|how|what|that|which|whether|where|who|why|when|it)\b|\btelling\b|say, report, or show'
  '(?<!there )\b(is|are) none\b|\bnone of it\b|is not'
  '\bstands? (in|there|for itself|beside|behind|at|under|above|below|side)\b|is in'
  '\b(whoever|whatsoever|whosoever)\b|anyone who, or the person who'
  '\bso many\b|that many, or up to N'
  '\bmeanwhile\b|in the meantime, or while X'
  '\banew\b|again, or new'
  '\b(mend|mends|mended|mending)\b|fix or repair'
  "\\bnobody's\\b|of nobody, or unowned"
  '\bhas it that\b|\bwhat of\b|plain words'
  '\b(lies|lie|lay) (in|about|there|beside|below)\b|is in'
  '\bof the kind that\b|\bone and the same\b|the same'
  '\b(makes|make|made|making) good\b|fix, retry, or compensate'
  '\bcomes? into being\b|is created'
  '\bmust not come twice\b|must not be repeated'
)

# Generated files and third-party text are not ours to word.
files=$(git ls-files -co --exclude-standard -- '*.go' '*.templ' '*.md' '*.txtar' '*.sh' '*.js' '*.toml' '*.yaml' Makefile .golangci.yml |
  grep -vE '_templ\.go$|^scripts/prose\.sh$|^LICENSE$|package-lock|/testdata/fuzz/' | while read -r f; do [ -e "$f" ] && echo "$f"; done)

found=0
for entry in "${phrases[@]}"; do
  pattern=${entry%|*}
  instead=${entry##*|}
  if hits=$(grep -inP -- "$pattern" $files); then
    printf '== write "%s" instead:\n%s\n' "$instead" "$hits"
    found=$((found + $(wc -l <<<"$hits")))
  fi
done
if [ "$found" -gt 0 ]; then
  echo "$found lines have a phrase to replace"
  exit 1
fi
