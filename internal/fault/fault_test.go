package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/fault"
)

func TestEveryCodeHasOneEntry(t *testing.T) {
	t.Parallel()
	seen := map[fault.Code]bool{}
	for _, e := range fault.Catalogue() {
		require.False(t, seen[e.Code], e.Code)
		require.NotEmpty(t, e.When, e.Code)
		require.Equal(t, e.Kind, e.Code.Kind(), e.Code)
		seen[e.Code] = true
	}
	require.Len(t, seen, 34, "the contract's table and ours")
}

func TestWithLeavesTheOriginalAlone(t *testing.T) {
	t.Parallel()
	base := fault.New(fault.InsufficientScope, "read only").With("required", "read_write")
	more := base.With("token_scope", "read")
	require.Equal(t, map[string]any{"required": "read_write"}, base.Details)
	require.Equal(t, map[string]any{"required": "read_write", "token_scope": "read"}, more.Details)
}

func TestCodeSurvivesWrapping(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("open export: %w", fault.New(fault.NotFound, "no such export").Because(io.EOF))
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
	require.ErrorIs(t, err, fault.New(fault.NotFound, ""))
	require.NotErrorIs(t, err, fault.New(fault.Validation, ""))
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, fault.Internal, fault.CodeOf(errors.New("disk on fire")))
}

func TestInvalidListsEveryFault(t *testing.T) {
	t.Parallel()
	require.NoError(t, fault.Invalid())
	errs := []fault.FieldError{{Field: "name", Message: "is empty"}, {Field: "limit", Message: "is over 100"}}
	err := fault.Invalid(errs...)
	require.Equal(t, fault.Validation, fault.CodeOf(err))
	var e *fault.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, errs, fault.Fields(fmt.Errorf("read body: %w", err)))
	require.Equal(t, "name: is empty (and more, see details.errors)", e.Message)
	require.Empty(t, fault.Fields(nil))
	require.Empty(t, fault.Fields(io.EOF))
	require.Empty(t, fault.Fields(fault.New(fault.NotFound, "no such export").With("errors", errs)))
}
