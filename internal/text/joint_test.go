package text_test

import (
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/text"
)

func joints(s string) (all []string) {
	text.EachJoint(s, func(joined string) { all = append(all, joined) })
	return all
}

func TestJointsAreTheSignsThatPeopleLeaveOut(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"McDonald's and MOODY’S":             "mcdonalds moodys",
		"L'Oréal, Côte d’Ivoire, L＇Oréal":    "loreal divoire loreal",
		"O'Reilly's":                         "oreilly reillys",
		"I'll, we're, don't, Xi'an":          "",
		"'s 'n' rock' s dogs' d' l'":         "",
		"5's of 東's 東'京":                     "5s",
		"mcdonalds":                          "",
		"e-commerce, Wi‑Fi and Coca–Cola":    "ecommerce wifi cocacola",
		"covid-19 at 7-Eleven, 24-7, 9-11":   "covid19 7eleven",
		"state-of-the-art":                   "stateoftheart",
		"a-b-c-d-e-f-g":                      "",
		"solutions—from A to Z―and back":     "",
		"- -x x- x - y, x--y":                "",
		"wi֊fi wi־fi wi᠆fi wi⁃fi wi⸗fi":      "wifi wifi wifi wifi wifi",
		"wi゠fi, ｗｉ－ｆｉ, wi\u00ad-\u200bfi":    "wifi wifi wifi",
		"U.S. Steel of the U.S.A., Ｕ．Ｓ．":     "us usa us",
		"node.js, U. S., 1.5 and 3.1.4, v.2": "",
		"J.P.Morgan, a.b.example.com":        "jp ab",
		"東-京 C++-based .NET-only":            "",
		"U.S.-based e-mail":                  "us email",
		"O'Reilly-Smith":                     "oreilly reillysmith",
		strings.Repeat("long-", 5) + "tail":  "longlonglonglonglongtail",
		strings.Repeat("a", 39) + "-bc":      "",
	} {
		t.Run(s, func(t *testing.T) {
			require.Equal(t, want, strings.Join(joints(s), " "), "%+q", s)
		})
	}
}

func TestPartsOfAJointAreWordsSideBySide(t *testing.T) {
	t.Parallel()
	piece := rapid.OneOf(anyText(), rapid.SampledFrom([]string{"'s", "’s", "d'", "L’", " ", "東", "or", "ŉ", "-", "‑", ".", "U.S", "9", "c++", ".net", "㏂"}))
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOf(piece).Draw(t, "pieces"), "")
		words := text.Tokens(s)
		text.EachJoint(s, func(joined string) {
			require.True(t, slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(joined, w) }))
			at := slices.IndexFunc(slices.Collect(runsOf(words)), func(run string) bool { return run == joined })
			require.GreaterOrEqual(t, at, 0, "%q in %q", joined, words)
		})
		if !strings.ContainsAny(s, "—―⸺⸻") { // Fold makes hyphens of these
			require.True(t, slices.Equal(joints(s), joints(text.Fold(s))))
		}
	})
}

// runsOf yields each run of two to six adjacent words, joined.
func runsOf(words []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range words {
			for n := 2; n <= 6 && i+n <= len(words); n++ {
				if !yield(strings.Join(words[i:i+n], "")) {
					return
				}
			}
		}
	}
}

func TestLinksAreTheTokensWithTheTextBetweenThem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := anyText().Draw(t, "text")
		links := text.Links(s)
		var words []string
		for _, l := range links {
			words = append(words, l.Word)
		}
		require.Equal(t, text.Tokens(strings.ReplaceAll(s, "—", " ")), words)
	})
	require.Equal(t, []text.Linked{{"at", ""}, {"and", ""}, {"t", ""}, {"c++", ", "}, {"x", "-"}}, text.Links("AT&T, C++-x"))
}
