package view

import (
	"context"
)

type noticeKey struct{}

// WithNotice makes the page show the text at its top.
func WithNotice(ctx context.Context, text string) context.Context {
	return context.WithValue(ctx, noticeKey{}, text)
}

// noticeOf returns the text that an earlier request left for this page; usually empty.
func noticeOf(ctx context.Context) string {
	text, _ := ctx.Value(noticeKey{}).(string)
	return text
}
