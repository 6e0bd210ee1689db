package view

import (
	"context"
)

type noticeKey struct{}

// WithNotice has the page of the request say the text at its top.
func WithNotice(ctx context.Context, text string) context.Context {
	return context.WithValue(ctx, noticeKey{}, text)
}

// noticeOf is what an earlier request had this page say.
func noticeOf(ctx context.Context) string {
	text, _ := ctx.Value(noticeKey{}).(string)
	return text
}
