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

// KeyFilter is the set of the keys of an import.
type KeyFilter struct{ filter keyFilter }

// Add adds the key.
func (f *KeyFilter) Add(key int64) { f.filter.add([]companyKey{{key: key}}) }

// Has reports whether the key may be in the set.
func (f *KeyFilter) Has(key int64) bool { return f.filter.has(key) }

// KeepMost bounds the companies that are kept.
func (v *Previewer) KeepMost(n int) { v.most = n }
