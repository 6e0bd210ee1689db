package catalog

import "context"

// NameKey is the key under which a name is stored.
var NameKey = nameKey

// SettleAll is Settle, even if there are few keys.
func (s *Store) SettleAll(ctx context.Context) error { return s.settle(ctx, 0) }

// WaitForMost bounds the keys that wait.
func (l *Loader) WaitForMost(n int) { l.most = n }

// Tidy and AddTidy are what a company shows of its connections.
var (
	Tidy    = tidy
	AddTidy = addTidy
)
