// Package indextest is the contract of index.Index as tests: one corpus, its searches, and random ones, which every
// index must answer like query.Match does. It is not for a back end's own workings.
package indextest

import (
	"context"
	"testing"

	"github.com/opencapi/capi/internal/index"
)

// Open makes an empty index that is closed at the end of the test.
type Open func(t testing.TB) index.Index

// Keeper is what an index has that outlives its process; tests save and restart it at random moments.
type Keeper interface {
	Save(ctx context.Context) error
	// Restart closes the index and opens it again; after a crash, which saves nothing, it may be at an earlier Seq.
	Restart(t testing.TB, crash bool) index.Index
}

// Merger is what an index has that keeps its companies in pieces; tests call it at random moments.
type Merger interface{ MergeAll() }

// Run holds the index to the contract.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"CorpusAnswersItsSearches":              testCorpus,
		"AnswersAreMatchsUnderAnyChanges":       testRandomChanges,
		"AnswersAreMatchsOnPlausibleCompanies":  testPlausible,
		"AnswersAreMatchsOnRealCompanies":       testReal,
		"CursorsYieldEachMatchOnceUnderChanges": testCursors,
		"CursorsOfOthersAreRefused":             testForeignCursors,
		"ForgottenCursorsGoOnBehindTheirKey":    testForgottenCursors,
		"ForgottenCursorsByRelevanceLoseNone":   testForgottenRelevance,
		"ReadersNeverWaitNorSeeHalfAnApply":     testReaders,
		"NamesRankAboveDescriptions":            testRanking,
		"OfOneNameTheLargeRankFirst":            testNamesakes,
		"UnknownValuesGetTheNearestOne":         testLookup,
		"FacetsSpellLikeMostCompanies":          testSpelling,
		"EmptyIndexAnswers":                     testEmpty,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}
