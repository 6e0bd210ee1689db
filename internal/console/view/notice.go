package view

import (
	"context"
)

// Notice is a text that a page shows once, at its top.
type Notice struct {
	Text string `json:"text"`
	Warn bool   `json:"warn,omitempty"` // it says that something was not done
	Undo Undo   `json:"undo,omitzero"`
}

// Undo is a form that reverses what a Notice says; zero without one.
type Undo struct {
	Action string   `json:"action"`
	Name   string   `json:"name,omitempty"` // of a field with each of the values
	Values []string `json:"values,omitempty"`
}

type noticeKey struct{}

// WithNotice makes the page show the notice at its top.
func WithNotice(ctx context.Context, n Notice) context.Context {
	return context.WithValue(ctx, noticeKey{}, n)
}

// noticeOf returns the notice that an earlier request left for this page; usually the zero Notice.
func noticeOf(ctx context.Context) Notice {
	n, _ := ctx.Value(noticeKey{}).(Notice)
	return n
}
