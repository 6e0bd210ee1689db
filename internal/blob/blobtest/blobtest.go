// Package blobtest is the contract of blob.Store as a test suite.
package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/blob"
)

// Harness is an empty store and a way to request its links.
type Harness struct {
	Store blob.Store
	// Do sends a request for a link that the store signed. The caller must close the body.
	Do func(*http.Request) (*http.Response, error)
}

// Run tests the stores that open returns; it must return a new one for each test.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for name, test := range map[string]func(*testing.T, Harness){
		"PutThenOpenReturnsTheSameBytes":   putThenOpen,
		"PutReplacesAtOnce":                putReplaces,
		"FailedPutChangesNothing":          failedPut,
		"CancelledPutChangesNothing":       cancelledPut,
		"MissingIsNotFound":                missing,
		"DeleteTwiceIsNoError":             deleteTwice,
		"BadKeysAreRefused":                badKeys,
		"ReadersSeeOneVersionDuringPuts":   manyPuts,
		"LinkServesTheFile":                linkGives,
		"LinkAnswersRanges":                linkRanges,
		"LinkNamesFilesInEveryScript":      linkNames,
		"LinkThatWasTamperedWithIsRefused": linkTampered,
		"LinkThatExpiredIsRefused":         linkExpired,
		"LinkIsForItsOwnKeyOnly":           linkOtherKey,
		"LinkToDeletedFileIsRefused":       linkDeleted,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func put(t *testing.T, h Harness, key, content string) {
	t.Helper()
	_, err := h.Store.Put(t.Context(), key, text(content))
	require.NoError(t, err)
}

func read(t *testing.T, h Harness, key string) string {
	t.Helper()
	r, err := h.Store.Open(t.Context(), key)
	require.NoError(t, err)
	b, err := io.ReadAll(r)
	require.NoError(t, errors.Join(err, r.Close()))
	return string(b)
}

func putThenOpen(t *testing.T, h Harness) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 100_000) // larger than any buffer
	info, err := h.Store.Put(t.Context(), "exports/a/b-c_d.csv", func(w io.Writer) error {
		for part := range slices.Chunk(content, 1000) {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, blob.Info{SizeBytes: int64(len(content)), SHA256: sha256.Sum256(content)}, info)
	require.Equal(t, string(content), read(t, h, "exports/a/b-c_d.csv"))
	stat, err := h.Store.Stat(t.Context(), "exports/a/b-c_d.csv")
	require.NoError(t, err)
	require.Equal(t, info.SizeBytes, stat.SizeBytes)
}

func putReplaces(t *testing.T, h Harness) {
	put(t, h, "k", "a long first version")
	put(t, h, "k", "second")
	require.Equal(t, "second", read(t, h, "k"))
}

func failedPut(t *testing.T, h Harness) {
	put(t, h, "k", "kept")
	broken := errors.New("broken on purpose")
	for _, key := range []string{"k", "fresh"} {
		_, err := h.Store.Put(t.Context(), key, func(w io.Writer) error {
			return errors.Join(text(strings.Repeat("half", 1<<20))(w), broken)
		})
		require.ErrorIs(t, err, broken)
	}
	require.Equal(t, "kept", read(t, h, "k"))
	_, err := h.Store.Stat(t.Context(), "fresh")
	require.ErrorIs(t, err, blob.ErrNotFound)
}

func cancelledPut(t *testing.T, h Harness) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := h.Store.Put(ctx, "k", func(w io.Writer) error {
		cancel()
		return text("written after its end")(w)
	})
	require.ErrorIs(t, err, ctx.Err())
	_, err = h.Store.Stat(t.Context(), "k")
	require.ErrorIs(t, err, blob.ErrNotFound)
}

func missing(t *testing.T, h Harness) {
	_, err := h.Store.Open(t.Context(), "no/such")
	require.ErrorIs(t, err, blob.ErrNotFound)
	_, err = h.Store.Stat(t.Context(), "no/such")
	require.ErrorIs(t, err, blob.ErrNotFound)
}

func deleteTwice(t *testing.T, h Harness) {
	put(t, h, "a/k", "x")
	require.NoError(t, h.Store.Delete(t.Context(), "a/k"))
	require.NoError(t, h.Store.Delete(t.Context(), "a/k"))
	_, err := h.Store.Open(t.Context(), "a/k")
	require.ErrorIs(t, err, blob.ErrNotFound)
}

func badKeys(t *testing.T, h Harness) {
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", ".hidden", "a/.hidden", "a b", "a\\b", "a\x00", "ä",
		"a?b", "a%2fb", strings.Repeat("a", 501),
	} {
		_, err := h.Store.Put(t.Context(), key, text("x"))
		require.Error(t, err, "put %q", key)
		_, err = h.Store.Open(t.Context(), key)
		require.Error(t, err, "open %q", key)
		_, err = h.Store.Stat(t.Context(), key)
		require.Error(t, err, "stat %q", key)
		require.Error(t, h.Store.Delete(t.Context(), key), "delete %q", key)
		_, err = h.Store.SignedURL(t.Context(), key, blob.Link{ExpiresAt: time.Now().Add(time.Hour)})
		require.Error(t, err, "sign %q", key)
	}
}

func manyPuts(t *testing.T, h Harness) {
	version := func(i int) string { return strings.Repeat(strconv.Itoa(i), 300_000) }
	put(t, h, "k", version(0))
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			_, err := h.Store.Put(t.Context(), "k", text(version(i)))
			if err != nil {
				t.Error(err)
			}
		})
	}
	for range 20 {
		got := read(t, h, "k")
		require.Len(t, got, 300_000)
		require.Empty(t, strings.Trim(got, got[:1]), "a mix of versions")
	}
	writers.Wait()
}
