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

// WithNotice makes the page show the notice that take returns at its top. take is called only for a page, so that a notice outlives
// the redirects that lead to it.
func WithNotice(ctx context.Context, take func() Notice) context.Context {
	return context.WithValue(ctx, noticeKey{}, take)
}

// noticeOf takes the notice that an earlier request left for this page; usually the zero Notice.
func noticeOf(ctx context.Context) Notice {
	take, ok := ctx.Value(noticeKey{}).(func() Notice)
	if !ok {
		return Notice{}
	}
	return take()
}
