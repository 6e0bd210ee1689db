package text_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/text"
)

func joints(s string) (all []string) {
	text.EachJoint(s, func(left, right string) { all = append(all, left+"|"+right) })
	return all
}

func TestJointsAreTheApostrophesThatPeopleLeaveOut(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"McDonald's and MOODY’S":          "mcdonald|s moody|s",
		"L'Oréal, Côte d’Ivoire, L＇Oréal": "l|oreal d|ivoire l|oreal",
		"O'Reilly's":                      "o|reilly reilly|s",
		"I'll, we're, don't, Xi'an":       "",
		"'s 'n' rock' s dogs' d' l'":      "",
		"5's of 東's 東'京":                  "5|s",
		"mcdonalds":                       "",
	} {
		t.Run(s, func(t *testing.T) {
			require.Equal(t, want, strings.Join(joints(s), " "), "%+q", s)
		})
	}
}

func TestHalvesOfAJointAreWordsSideBySide(t *testing.T) {
	t.Parallel()
	piece := rapid.OneOf(anyText(), rapid.SampledFrom([]string{"'s", "’s", "d'", "L’", " ", "東", "or", "ŉ"}))
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOf(piece).Draw(t, "pieces"), "")
		words := text.Tokens(s)
		text.EachJoint(s, func(left, right string) {
			at := -1
			for i := range max(0, len(words)-1) {
				if words[i] == left && words[i+1] == right {
					at = i
				}
			}
			require.GreaterOrEqual(t, at, 0, "%q and %q in %q", left, right, words)
		})
		require.True(t, slices.Equal(joints(s), joints(text.Fold(s))))
	})
}
