package query

import (
	"strings"

	"github.com/opencapi/capi/internal/text"
)

// parseText reads a search text: every word must occur in the name or the description, and text in double quotes must occur as a
// phrase. Adjacent characters of scripts without spaces are a phrase too, up to the next space or punctuation.
func parseText(s string) And {
	var parts And
	for i, part := range strings.Split(plainQuotes.Replace(s), `"`) {
		words := text.Tokens(part)
		if i%2 == 1 {
			parts = appendPhrase(parts, words)
			continue
		}
		for piece := range strings.FieldsSeq(part) {
			parts = appendPiece(parts, piece)
		}
	}
	return parts
}

var plainQuotes = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "‟", `"`, "«", `"`, "»", `"`)

func appendPhrase(parts And, words []string) And {
	if len(words) == 0 {
		return parts
	}
	return append(parts, Phrase{words})
}

// appendPiece adds the words of a piece without spaces. A word with an apostrophe matches as one word or as two, because the data
// has McDonald's, MCDONALDS and MCDONALD S.
func appendPiece(parts And, piece string) And {
	words := text.Tokens(piece)
	text.EachJoint(piece, func(left, right string) {
		for i := range len(words) - 1 {
			if words[i] == left && words[i+1] == right {
				parts = appendRuns(parts, words[:i])
				parts = append(parts, Or{Term{left + right}, Phrase{[]string{left, right}}})
				words = words[i+2:]
				return
			}
		}
	})
	return appendRuns(parts, words)
}

// appendRuns adds the words of a piece without spaces; a run of single characters becomes a phrase. A break ends a run and is
// dropped: outside quotes it separates search terms.
func appendRuns(parts And, words []string) And {
	run := 0
	for i, w := range words {
		if text.IsAlone(w) {
			continue
		}
		parts = appendPhrase(parts, words[run:i])
		if w != text.Break {
			parts = appendPhrase(parts, []string{w})
		}
		run = i + 1
	}
	return appendPhrase(parts, words[run:])
}
